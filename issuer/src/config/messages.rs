//! Sections `mail`, `sms`, `links` and `development`: what the issuer sends to people, and by whom.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use crate::domain::phone_number::PhoneNumber;
use crate::outbound;

use super::reader::Reader;
use super::{OutboundConfig, ServerConfig};

/// The SMTP server that takes the issuer's mail.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// A certificate authority that is trusted beside the machine's: PEM.
    pub ca_certificate: Option<Vec<u8>>,
    /// User name and password, where it wants them.
    pub credentials: Option<(String, Secret<String>)>,
    /// The sender.
    pub from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
    /// How long one delivery may take.
    pub timeout: Duration,
}

/// How the connection to the SMTP server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte (RFC 8314 section 3.3).
    Implicit,
    /// By STARTTLS, and not at all without it (RFC 3207).
    StartTls,
    /// Not at all.
    None,
}

/// Who sends the issuer's short messages.
#[derive(Clone, Debug)]
pub enum SmsConfig {
    /// An HTTP API like Twilio's.
    Twilio {
        /// Its base, before `/2010-04-01`; without a slash at the end.
        url: String,
        /// The account.
        account_sid: String,
        /// The account's token.
        auth_token: Secret<String>,
        /// The sender.
        sender: SmsSender,
    },
    /// A webhook that takes a signed JSON document.
    Webhook {
        /// Where.
        url: String,
        /// The key of the signature (HMAC-SHA-256).
        secret: Secret<String>,
    },
}

/// Whom a short message is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsSender {
    /// A number, or a name of letters and digits.
    From(String),
    /// A service of the API that chooses.
    MessagingService(String),
}

/// How long links in mail may be used, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct LinksConfig {
    /// The link of an invitation.
    pub invitation_seconds: i64,
    /// The link for a new password.
    pub reset_seconds: i64,
}

/// What helps whoever develops, and is refused anywhere else.
#[derive(Clone, Copy, Debug, Default)]
pub struct DevelopmentConfig {
    /// Whether messages are shown instead of sent.
    pub outbox: bool,
}

/// Section `mail`; none without a server. Here as below nothing is lost by `None` after a fault: there is no configuration then.
pub(super) fn mail(reader: &mut Reader<'_>) -> Option<MailConfig> {
    let tls = reader.parsed("mail.tls", |name| match name {
        "implicit" => Ok(MailTls::Implicit),
        "starttls" => Ok(MailTls::StartTls),
        "none" => Ok(MailTls::None),
        _ => Err("must be implicit, starttls or none"),
    });
    let timeout = reader.number("mail.timeout_seconds", 1..=50, "seconds");
    if reader.optional("mail.host").is_none() {
        refuse_without(reader, "mail.host", MAIL_KEYS);
        return None;
    }
    let host = reader.parsed("mail.host", host_name);
    let port = if reader.optional("mail.port").is_some() {
        reader.number("mail.port", 1..=65_535, "port")
    } else {
        tls.map(|tls| match tls {
            MailTls::Implicit => 465,
            MailTls::StartTls => 587,
            MailTls::None => 25,
        })
    };
    let ca_certificate = certificate(reader);
    let credentials = credentials(reader);
    let from = reader.parsed("mail.from", mailbox);
    let reply_to = match reader.optional("mail.reply_to") {
        Some(_) => reader.parsed("mail.reply_to", mailbox),
        None => None,
    };
    let host = host?;
    if tls == Some(MailTls::None) {
        check_plaintext(reader, &host, credentials.is_some());
    }
    Some(MailConfig {
        host,
        port: port?.try_into().ok()?,
        tls: tls?,
        ca_certificate,
        credentials,
        from: from?,
        reply_to,
        timeout: Duration::from_secs(timeout?.try_into().ok()?),
    })
}

/// What means something only beside `mail.host`.
const MAIL_KEYS: &[&str] = &[
    "mail.port",
    "mail.plaintext_host",
    "mail.ca_file",
    "mail.username",
    "mail.password",
    "mail.password_file",
    "mail.from",
    "mail.reply_to",
];

/// What means something only beside `sms.provider`.
const SMS_KEYS: &[&str] = &[
    "sms.url",
    "sms.account_sid",
    "sms.secret",
    "sms.secret_file",
    "sms.from",
    "sms.messaging_service_sid",
];

/// Notes keys that have no effect: whoever wrote them thinks that something is sent.
fn refuse_without(reader: &mut Reader<'_>, missing: &str, keys: &[&str]) {
    for key in keys {
        if reader.optional(key).is_some() {
            reader.fault(key, format!("has no meaning without {missing}"));
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check_plaintext(reader: &mut Reader<'_>, host: &str, has_credentials: bool) {
    if is_this_machine(host) {
        return;
    }
    let named = reader.optional("mail.plaintext_host");
    if named.as_ref().and_then(|value| value.as_str()) != Some(host) {
        reader.fault(
            "mail.tls",
            "must not be none, since the server is not this machine; mail.plaintext_host allows it for one server",
        );
    }
    if has_credentials {
        reader.fault(
            "mail.username",
            "must not be set, since its password would travel unencrypted (mail.tls is none)",
        );
    }
}

fn host_name(text: &str) -> Result<String, &'static str> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
    if text.bytes().all(in_name) {
        Ok(text.into())
    } else {
        Err("must be a host name or an IP address")
    }
}

fn mailbox(text: &str) -> Result<Mailbox, &'static str> {
    const MUST_BE: &str =
        "must be an address, or a name and an address, as in \"Clinic <no-reply@example.org>\"";
    if text.contains(char::is_control) {
        return Err(MUST_BE);
    }
    text.parse().map_err(|_| MUST_BE)
}

fn certificate(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    const KEY: &str = "mail.ca_file";
    reader.optional(KEY)?;
    let path = reader.path(KEY)?;
    let pem = read_file(reader, KEY, path)?;
    let is_pem = pem.contains("-----BEGIN CERTIFICATE-----");
    if !is_pem || lettre::transport::smtp::client::Certificate::from_pem(pem.as_bytes()).is_err() {
        reader.fault(KEY, "must hold a certificate in PEM form");
        return None;
    }
    Some(pem.as_bytes().to_vec())
}

fn credentials(reader: &mut Reader<'_>) -> Option<(String, Secret<String>)> {
    let password = Secrets {
        value: "mail.password",
        file: "mail.password_file",
    };
    let has_password = password.is_given(reader);
    let has_name = reader.optional("mail.username").is_some();
    if has_name && !has_password {
        reader.fault(
            "mail.password",
            "must be set, or mail.password_file, since mail.username is",
        );
    } else if has_password && !has_name {
        reader.fault(
            "mail.username",
            "must be set, since mail.password or mail.password_file is",
        );
    } else if has_name {
        let (username, password) = (reader.text("mail.username"), password.read(reader));
        return Some((username?, password?));
    }
    None
}

/// A secret that comes as a value or as a file, not as both: the two keys.
pub(super) struct Secrets {
    pub(super) value: &'static str,
    pub(super) file: &'static str,
}

impl Secrets {
    pub(super) fn is_given(&self, reader: &Reader<'_>) -> bool {
        reader.optional(self.value).is_some() || reader.optional(self.file).is_some()
    }

    pub(super) fn read(&self, reader: &mut Reader<'_>) -> Option<Secret<String>> {
        if reader.optional(self.file).is_none() {
            return reader.text(self.value).map(Secret::new);
        }
        if reader.optional(self.value).is_some() && !reader.is_of_open_telemetry(self.value) {
            reader.fault(self.value, format!("must not be set together with {}", self.file));
            return None;
        }
        let path = reader.path(self.file)?;
        let text = read_file(reader, self.file, path)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            reader.fault(self.file, "must hold a secret");
            return None;
        }
        Some(Secret::new(secret.into()))
    }
}

/// The text of a file that `key` names.
pub(super) fn read_file(reader: &mut Reader<'_>, key: &str, path: PathBuf) -> Option<Zeroizing<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(error) => {
            reader.fault(key, format!("cannot be read: {}", error.kind()));
            None
        }
    }
}

/// The lines of a file that `key` may name, without those that are empty.
pub(super) fn lines(reader: &mut Reader<'_>, key: &str) -> Option<Vec<String>> {
    if reader.optional(key).is_none() {
        return Some(Vec::new());
    }
    let path = reader.path(key)?;
    let text = read_file(reader, key, path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Some(lines.map(String::from).collect())
}

/// Section `sms`; none without a provider.
pub(super) fn sms(reader: &mut Reader<'_>, outbound: Option<&OutboundConfig>) -> Option<SmsConfig> {
    if reader.optional("sms.provider").is_none() {
        refuse_without(reader, "sms.provider", SMS_KEYS);
        return None;
    }
    let is_twilio = reader.parsed("sms.provider", |name| match name {
        "twilio" => Ok(true),
        "webhook" => Ok(false),
        _ => Err("must be twilio or webhook"),
    });
    let url = reader.parsed("sms.url", |text| match outbound {
        Some(config) => outbound::check_url(text, config)
            .map(|_| String::from(text.trim_end_matches('/')))
            .map_err(|refusal| refusal.to_string()),
        None => Ok(String::from(text)),
    });
    let keys = Secrets {
        value: "sms.secret",
        file: "sms.secret_file",
    };
    let secret = keys.read(reader);
    if is_twilio? {
        let account_sid = reader.parsed("sms.account_sid", |text| {
            let lawful = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            lawful
                .then(|| String::from(text))
                .ok_or("must be letters and digits")
        });
        let sender = sender(reader);
        return Some(SmsConfig::Twilio {
            url: url?,
            account_sid: account_sid?,
            auth_token: secret?,
            sender: sender?,
        });
    }
    for key in ["sms.account_sid", "sms.from", "sms.messaging_service_sid"] {
        if reader.optional(key).is_some() {
            reader.fault(key, "has no meaning for a webhook");
        }
    }
    let secret = secret?;
    if secret.expose().len() < 16 {
        reader.fault(
            "sms.secret",
            "must have at least 16 characters: it signs what the webhook gets",
        );
    }
    Some(SmsConfig::Webhook { url: url?, secret })
}

fn sender(reader: &mut Reader<'_>) -> Option<SmsSender> {
    match (
        reader.optional("sms.from").is_some(),
        reader.optional("sms.messaging_service_sid").is_some(),
    ) {
        (true, false) => reader.parsed("sms.from", |text| {
            let is_name = text.bytes().any(|byte| byte.is_ascii_alphabetic())
                && (1..=11).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
            if is_name || PhoneNumber::parse(text).is_ok() {
                Ok(SmsSender::From(text.into()))
            } else {
                Err("must be a telephone number such as +15550100, or up to 11 letters and digits")
            }
        }),
        (false, true) => reader
            .text("sms.messaging_service_sid")
            .map(SmsSender::MessagingService),
        (true, true) => {
            reader.fault(
                "sms.from",
                "must not be set together with sms.messaging_service_sid",
            );
            None
        }
        (false, false) => {
            reader.fault("sms.from", "must be set, or sms.messaging_service_sid");
            None
        }
    }
}

pub(super) fn links(reader: &mut Reader<'_>) -> Option<LinksConfig> {
    let invitation_seconds = reader.number("links.invitation_seconds", 3600..=2_592_000, "seconds");
    let reset_seconds = reader.number("links.reset_seconds", 300..=86_400, "seconds");
    Some(LinksConfig {
        invitation_seconds: invitation_seconds?,
        reset_seconds: reset_seconds?,
    })
}

pub(super) fn development(
    reader: &mut Reader<'_>,
    server: Option<&ServerConfig>,
) -> Option<DevelopmentConfig> {
    const KEY: &str = "development.outbox";
    let outbox = reader.flag(KEY)?;
    if outbox && server.is_some_and(|server| !server.public_url.is_this_machine()) {
        reader.fault(
            KEY,
            "must be false, since server.public_url is not this machine: everybody could read what people are sent",
        );
    }
    Some(DevelopmentConfig { outbox })
}

#[cfg(test)]
mod tests;
