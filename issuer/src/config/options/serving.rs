//! The keys of the sections `tls` and `connections`: what the world reaches the issuer by.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "tls.certificate",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "The issuer's certificate, then those between it and its authority (certbot's `fullchain.pem`). With it the issuer speaks TLS \
         1.2 and 1.3 on `server.listen`, and needs no proxy.",
    ),
    option(
        "tls.private_key",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "The certificate's private key (`privkey.pem`). A file that every user of the machine may read is refused.",
    ),
    option(
        "tls.reload_seconds",
        Some("60"),
        "seconds, 1 to 86400",
        "How often it is looked whether these files have changed; SIGHUP has it done at once. Connections that are open go on. A new pair that \
         does not belong together, or has expired, is said in the log, and the old one stays.",
    ),
    option(
        "tls.redirect_listen",
        None,
        "IP address and port, such as 0.0.0.0:80",
        "Where the issuer listens for http too, only to send browsers on to `server.public_url`. What is posted there is refused.",
    ),
    option(
        "tls.acme_webroot",
        None,
        "path of a folder; relative to the configuration file's folder",
        "What an ACME client (`certbot --webroot`) puts there, in `.well-known/acme-challenge`, is served at `tls.redirect_listen`, so that the \
         certificate can be renewed while the issuer has port 80.",
    ),
    option(
        "connections.maximum",
        Some("10000"),
        "connections, 1 to 1000000",
        "How many connections may be open at once. Further ones are answered 503, or by an alert where TLS is spoken. No more than the \
         process may have open files.",
    ),
    option(
        "connections.maximum_per_address",
        Some("1000"),
        "connections, 1 to 1000000",
        "How many of them may come from one IPv4 address, or one IPv6 /64; further ones are answered 429, or by an alert. For \
         `server.trusted_proxies` only the maximum above counts.",
    ),
    option(
        "connections.handshake_seconds",
        Some("10"),
        "seconds, 1 to 3600",
        "How long a TLS handshake may take.",
    ),
    option(
        "connections.header_seconds",
        Some("10"),
        "seconds, 1 to 3600",
        "How long a new connection may take to its first request, and the headers of a request from their first byte. Counted in steps: the \
         connection ends at most a quarter later.",
    ),
    option(
        "connections.idle_seconds",
        Some("75"),
        "seconds, 1 to 3600",
        "How long a connection may be without a request. Proxies should keep theirs for less.",
    ),
    option(
        "connections.body_seconds",
        Some("10"),
        "seconds, 1 to 3600",
        "How long the body of a request may take. Each `connections.body_bytes_per_second` of it give another second. Slower ones are \
         answered 408.",
    ),
    option(
        "connections.body_bytes_per_second",
        Some("4096"),
        "bytes, 1 to 1000000000",
        "The slowest that a long body may come.",
    ),
    option(
        "connections.request_seconds",
        Some("60"),
        "seconds, 1 to 3600",
        "How long a request may take until its answer was taken. Its connection ends after that, and before twice that.",
    ),
    option(
        "connections.header_bytes",
        Some("32768"),
        "bytes, 8192 to 1048576",
        "The most bytes that the address and the headers of a request may have; more is answered 431.",
    ),
    option(
        "connections.header_count",
        Some("100"),
        "headers, 20 to 1000",
        "The most headers that a request may have; more are answered 431.",
    ),
    option(
        "connections.streams",
        Some("100"),
        "requests, 1 to 10000",
        "How many requests may be under way at once on one HTTP/2 connection.",
    ),
    option(
        "connections.resets",
        Some("100"),
        "requests, 1 to 1000000",
        "How many requests may be taken back, while they are worked on, on one HTTP/2 connection before it ends.",
    ),
];
