//! The keys of what the issuer sends to people: mail, short messages, links.

use super::{ConfigOption, option};

pub(super) const OPTIONS: &[ConfigOption] = &[
    option(
        "mail.host",
        None,
        "host name or IP address",
        "The SMTP server that takes the issuer's mail. Without it no mail is sent, and nobody can reset a forgotten password \
         by themselves.",
    ),
    option(
        "mail.tls",
        Some("\"implicit\""),
        "implicit, starttls or none",
        "implicit is TLS from the first byte. With starttls no mail is sent where the server does not offer it. none is for a server \
         on this machine, or the one that `mail.plaintext_host` names.",
    ),
    option(
        "mail.port",
        None,
        "port, 1 to 65535",
        "Default: 465 with implicit, 587 with starttls, 25 with none.",
    ),
    option(
        "mail.plaintext_host",
        None,
        "host name or IP address",
        "Names `mail.host` once more, where mail with sign-in links is to travel to it unencrypted. A password never does.",
    ),
    option(
        "mail.ca_file",
        None,
        "path of a PEM file; relative to the configuration file's folder",
        "A certificate authority that is trusted beside the machine's, for the SMTP server alone.",
    ),
    option(
        "mail.username",
        None,
        "text",
        "The name with which the issuer signs in to the SMTP server; none to send without.",
    ),
    option(
        "mail.password",
        None,
        "text",
        "Its password; best given as the environment variable WARDGATE_MAIL__PASSWORD.",
    ),
    option(
        "mail.password_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "A file with the password, instead.",
    ),
    option(
        "mail.from",
        None,
        "address, or name and address: \"Clinic <no-reply@example.org>\"",
        "The sender of every mail. Must be set with `mail.host`.",
    ),
    option(
        "mail.reply_to",
        None,
        "address, or name and address",
        "Where answers to a mail go, where that is not its sender.",
    ),
    option(
        "mail.timeout_seconds",
        Some("20"),
        "seconds, 1 to 50",
        "How long the delivery of one mail may take before it is tried again later.",
    ),
    option(
        "sms.provider",
        None,
        "twilio or webhook",
        "How short messages are sent; without it none are. twilio is the HTTP API of Twilio, and of those that speak it too. \
         webhook is a signed JSON document; see `docs/mail-and-sms.md`.",
    ),
    option(
        "sms.url",
        None,
        "https URL",
        "The base of the API, before `/2010-04-01`; or where the webhook takes documents. `[outbound]` must let it.",
    ),
    option(
        "sms.account_sid",
        None,
        "text",
        "The account at the API (twilio).",
    ),
    option(
        "sms.secret",
        None,
        "text; at least 16 characters for a webhook",
        "The account's token (twilio), or the key of the signature (webhook); best given as the environment variable \
         WARDGATE_SMS__SECRET.",
    ),
    option(
        "sms.secret_file",
        None,
        "path of a file; relative to the configuration file's folder",
        "A file with the secret, instead.",
    ),
    option(
        "sms.from",
        None,
        "telephone number (+15550100), or up to 11 letters and digits",
        "The sender of every short message (twilio).",
    ),
    option(
        "sms.messaging_service_sid",
        None,
        "text",
        "The API's service that chooses the sender, in place of `sms.from` (twilio).",
    ),
    option(
        "links.invitation_seconds",
        Some("604800"),
        "seconds, 3600 to 2592000",
        "How long the link of an invitation may be used.",
    ),
    option(
        "links.reset_seconds",
        Some("3600"),
        "seconds, 300 to 86400",
        "How long the link for a new password may be used.",
    ),
    option(
        "development.outbox",
        Some("false"),
        "true or false",
        "Whether mail and short messages are shown to everybody at `/dev/outbox` instead of being sent: only where \
         `server.public_url` is this machine.",
    ),
];
