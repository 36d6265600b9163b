//! What belongs together in sections `tls`, `connections` and `server`.

use std::path::Path;
use std::time::Duration;

use crate::config::{Config, ConfigFaults, ProxyHeaders};

fn read(more: &str) -> Result<Config, ConfigFaults> {
    let text = format!(
        "keys.master_key_file = \"master.key\"\nresources = [{{ identifier = \"https://api.example.org/fhir\" }}]\n{more}"
    );
    Config::from_sources(Some((Path::new("/etc/wardgate/wardgate.toml"), &text)), [])
}

#[track_caller]
fn refuses(more: &str, said: &str) {
    let faults = read(more).unwrap_err().to_string();
    assert!(faults.contains(said), "{faults}");
}

const PAIR: &str = "tls.certificate = \"c.pem\"\ntls.private_key = \"/k.pem\"\n";
const HTTPS: &str = "server.public_url = \"https://id.example.org\"\n";

#[test]
fn without_the_section_there_is_no_tls() {
    let config = read("").unwrap();
    assert_eq!(config.tls, None);
    assert_eq!(config.server.proxy_headers, ProxyHeaders::XForwarded);
    let connections = config.connections;
    assert_eq!(
        (connections.maximum, connections.maximum_per_address),
        (10_000, 1000)
    );
    assert_eq!(
        (connections.header, connections.idle),
        (Duration::from_secs(10), Duration::from_secs(75))
    );
}

#[test]
fn a_pair_needs_no_proxy_and_its_files_count_from_the_folder() {
    let by_http = "tls.redirect_listen = \"0.0.0.0:80\"\ntls.acme_webroot = \"acme\"";
    let config = read(&format!("{PAIR}{HTTPS}{by_http}")).unwrap();
    let tls = config.tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/wardgate/c.pem"));
    assert_eq!(tls.private_key, Path::new("/k.pem"));
    assert_eq!(tls.reload, Duration::from_mins(1));
    assert_eq!(tls.redirect_listen, Some("0.0.0.0:80".parse().unwrap()));
    assert_eq!(tls.acme_webroot.as_deref(), Some(Path::new("/etc/wardgate/acme")));
    assert!(config.server.trusted_proxies.is_empty());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    refuses(
        "tls.certificate = \"c.pem\"",
        "tls.private_key must be set together with tls.certificate",
    );
    refuses(
        "tls.private_key = \"k.pem\"",
        "tls.certificate must be set together with tls.private_key",
    );
    refuses(
        PAIR,
        "server.public_url must be https, since tls.certificate is set",
    );
    refuses(
        "tls.redirect_listen = \"0.0.0.0:80\"",
        "must not be set without tls.certificate",
    );
    refuses(
        &format!("{PAIR}{HTTPS}tls.acme_webroot = \"acme\""),
        "must not be set without tls.redirect_listen",
    );
    let redirected = format!("{PAIR}{HTTPS}tls.redirect_listen = ");
    refuses(
        &format!("{redirected}\"127.0.0.1:8788\""),
        "tls.redirect_listen (in /etc/wardgate/wardgate.toml) must not be",
    );
    refuses(
        &format!("{redirected}\"port 80\""),
        "must be an IP address and a port",
    );
    refuses(
        &format!("{PAIR}{HTTPS}tls.reload_seconds = 0"),
        "must be a whole number of seconds from 1 to 86400",
    );
    refuses(
        "server.proxy_headers = \"both\"",
        "must be x-forwarded or forwarded",
    );
    refuses(
        "connections.maximum = 0",
        "must be a whole number of connections from 1",
    );
    refuses(
        "connections.header_bytes = 100",
        "must be a whole number of bytes from 8192",
    );
    refuses(
        "connections.slow = 1",
        "connections.slow (in /etc/wardgate/wardgate.toml) is not a key",
    );
}
