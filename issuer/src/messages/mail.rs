//! Mail, by SMTP (RFC 5321) over TLS.
//!
//! Headers are made by lettre's types alone, which encode what they are given: no address, name or subject can begin a line of
//! its own. Bodies are multipart/alternative, text first (RFC 2046 section 5.1.4).

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use wardgate_shared::time::Timestamp;

use crate::config::{MailConfig, MailTls};

use super::DeliveryError;

/// A mail to one person. It has no `Debug`, since nobody is to print it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// The address.
    pub(super) to: String,
    /// What they are called.
    name: String,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Why there is no such mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Mail cannot be sent to this address.
    #[error("the address is none that mail can be sent to")]
    Address,
}

impl Mail {
    /// A mail to `name` at the address `to`, which says the same in plain text and in HTML.
    ///
    /// # Errors
    /// [`MailError::Address`].
    pub fn new(to: &str, name: &str, subject: String, text: String, html: String) -> Result<Self, MailError> {
        Self::is_address(to)?;
        Ok(Self {
            to: to.into(),
            // A line break in a name would be encoded; it has no place there all the same.
            name: name.split(char::is_control).collect::<Vec<_>>().join(" "),
            subject,
            text,
            html,
        })
    }
}

impl Mail {
    /// Whether mail can be sent to this address.
    ///
    /// # Errors
    /// [`MailError::Address`], if not.
    pub fn is_address(text: &str) -> Result<(), MailError> {
        text.parse::<Address>().map(drop).map_err(|_| MailError::Address)
    }
}

/// The way to the SMTP server. It is made with the first mail, so that a start does not wait for it.
pub(super) struct MailTransport {
    config: Arc<MailConfig>,
    /// Whom the issuer says it is.
    hello: String,
    smtp: OnceCell<AsyncSmtpTransport<Tokio1Executor>>,
}

impl std::fmt::Debug for MailTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MailTransport").finish_non_exhaustive()
    }
}

impl MailTransport {
    pub(super) fn new(config: MailConfig, hello: &str) -> Self {
        Self {
            config: Arc::new(config),
            hello: hello.into(),
            smtp: OnceCell::const_new(),
        }
    }

    /// Hands a mail over to the server, with an id by which a second copy can be known.
    pub(super) async fn send(&self, id: &str, mail: &Mail, now: Timestamp) -> Result<(), DeliveryError> {
        let message = compose(&self.config, &self.hello, id, mail, now)?;
        let smtp = self.smtp.get_or_try_init(|| self.connector()).await?;
        match tokio::time::timeout(self.config.timeout, smtp.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(DeliveryError::Temporary("the mail server took too long".into())),
        }
    }

    /// Reading the machine's certificates takes a while, so it is done on a thread that may block.
    async fn connector(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, DeliveryError> {
        let (config, hello) = (Arc::clone(&self.config), self.hello.clone());
        match tokio::task::spawn_blocking(move || build(&config, hello)).await {
            Ok(built) => built.map_err(|error| DeliveryError::Temporary(error.to_string())),
            Err(error) => Err(DeliveryError::Temporary(error.to_string())),
        }
    }
}

fn build(
    config: &MailConfig,
    hello: String,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let parameters = || {
        let mut parameters = TlsParameters::builder(config.host.clone());
        if let Some(pem) = &config.ca_certificate {
            parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
        }
        parameters.build()
    };
    let tls = match config.tls {
        MailTls::Implicit => Tls::Wrapper(parameters()?),
        MailTls::StartTls => Tls::Required(parameters()?),
        MailTls::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
        .port(config.port)
        .tls(tls)
        .timeout(Some(config.timeout))
        .hello_name(ClientId::Domain(hello));
    if let Some((username, password)) = &config.credentials {
        builder = builder.credentials(Credentials::new(username.clone(), password.expose().clone()));
    }
    Ok(builder.build())
}

/// The mail as it goes over the wire.
fn compose(
    config: &MailConfig,
    domain: &str,
    id: &str,
    mail: &Mail,
    now: Timestamp,
) -> Result<Message, DeliveryError> {
    let refused = |_| DeliveryError::Refused("the mail cannot be put together".into());
    let address: Address = mail
        .to
        .parse()
        .map_err(|_| DeliveryError::Refused(MailError::Address.to_string()))?;
    let name = Some(mail.name.clone()).filter(|name| !name.trim().is_empty());
    let seconds = u64::try_from(now.seconds()).unwrap_or_default();
    let mut message = Message::builder()
        .from(config.from.clone())
        .to(Mailbox::new(name, address))
        .subject(mail.subject.clone())
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .message_id(Some(format!("<{id}@{domain}>")));
    if let Some(reply_to) = &config.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    message
        .multipart(MultiPart::alternative_plain_html(
            mail.text.clone(),
            mail.html.clone(),
        ))
        .map_err(refused)
}

/// What the log may know: never the server's own words, which may repeat the address.
fn failure(error: &lettre::transport::smtp::Error) -> DeliveryError {
    match error.status() {
        // Of the permanent answers these are about the mail; others are about the issuer's own sign-in, and may be mended.
        Some(code) if matches!(u16::from(code), 550..=556) => {
            DeliveryError::Refused(format!("the mail server answered {code}"))
        }
        Some(code) => DeliveryError::Temporary(format!("the mail server answered {code}")),
        None if error.is_response() => DeliveryError::Temporary("the mail server made no sense".into()),
        None if error.is_client() => DeliveryError::Temporary(
            "the mail server does not offer what is needed (TLS, or a way to sign in)".into(),
        ),
        None => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(inner) = cause {
                text.push_str(": ");
                text.push_str(&inner.to_string());
                cause = inner.source();
            }
            DeliveryError::Temporary(text)
        }
    }
}
