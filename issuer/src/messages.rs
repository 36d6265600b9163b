//! What the issuer sends to people: mail and short messages.
//!
//! A message is sealed and queued in the database, in the transaction of what it tells of where there is one, and sent from
//! there by [`Deliveries`], beside the requests. So nobody's request waits for a mail server, nothing that was promised is
//! lost with the process, and whether somebody is sent something does not show in how long an answer takes.
//!
//! In development an [`Outbox`] takes the place of both transports. Addresses and contents appear in no log and in no line of
//! the audit trail. Trusted: the servers that the configuration names, with what they are sent. Left out on purpose: receipts of
//! delivery.

mod deliveries;
pub mod letters;
mod mail;
mod outbox;
mod sms;

use serde::{Deserialize, Serialize};
use wardgate_shared::time::Timestamp;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::domain::message::{Channel, NewMessage};
use crate::domain::phone_number::PhoneNumber;
use crate::error::InternalError;
use crate::keys::{SealBroken, Sealer};
use crate::outbound::Outbound;
use crate::rng::{self, NoRandomness};
use crate::state::AppState;

pub use deliveries::Deliveries;
use mail::MailTransport;
pub use mail::{Mail, MailError};
pub use outbox::{Outbox, Shown};
use sms::SmsTransport;

/// The ways out of this process.
#[derive(Debug)]
pub struct Messages {
    mail: Option<MailTransport>,
    sms: Option<SmsTransport>,
    outbox: Option<Outbox>,
}

/// Why a message did not go out. Texts are for the log: they name neither people nor contents.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    /// It may go out later.
    #[error("{0}")]
    Temporary(String),
    /// The other side will never take it.
    #[error("{0}")]
    Refused(String),
}

/// What a message says, and to whom. It has no `Debug`, since nobody is to print it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Mail(Mail),
    Sms { to: String, text: String },
}

impl Messages {
    /// The ways that `config` names. Nothing is connected to yet.
    pub fn new(config: &Config, outbound: &Outbound) -> Self {
        if config.development.outbox {
            return Self {
                mail: None,
                sms: None,
                outbox: Some(Outbox::default()),
            };
        }
        let hello = config.server.public_url.host();
        Self {
            mail: config.mail.clone().map(|mail| MailTransport::new(mail, hello)),
            sms: config
                .sms
                .clone()
                .map(|sms| SmsTransport::new(sms, outbound.clone())),
            outbox: None,
        }
    }

    /// Where messages are shown instead of sent, in development.
    pub const fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    /// Hands one message over, now.
    async fn deliver(&self, id: &str, content: Content, now: Timestamp) -> Result<(), DeliveryError> {
        let missing = |channel: Channel| {
            let name = channel.as_str();
            DeliveryError::Temporary(format!("the configuration says nothing of {name}"))
        };
        match (content, &self.outbox) {
            (content, Some(outbox)) => {
                outbox.put(shown(id, content, now));
                Ok(())
            }
            (Content::Mail(mail), None) => {
                let transport = self.mail.as_ref().ok_or_else(|| missing(Channel::Mail))?;
                transport.send(id, &mail, now).await
            }
            (Content::Sms { to, text }, None) => {
                let transport = self.sms.as_ref().ok_or_else(|| missing(Channel::Sms))?;
                transport.send(id, &to, &text, now).await
            }
        }
    }
}

fn shown(id: &str, content: Content, at: Timestamp) -> Shown {
    match content {
        Content::Mail(mail) => Shown {
            id: id.into(),
            channel: Channel::Mail,
            to: mail.to,
            subject: Some(mail.subject),
            text: mail.text,
            html: Some(mail.html),
            at,
        },
        Content::Sms { to, text } => Shown {
            id: id.into(),
            channel: Channel::Sms,
            to,
            subject: None,
            text,
            html: None,
            at,
        },
    }
}

/// Whether messages go out by `channel` at all under `config`: what depends on it is not offered otherwise.
pub const fn are_sent(config: &Config, channel: Channel) -> bool {
    config.development.outbox
        || match channel {
            Channel::Mail => config.mail.is_some(),
            Channel::Sms => config.sms.is_some(),
        }
}

/// A mail for the queue, about or to the person `user_id`; not sent any more after `expires_at`.
///
/// # Errors
/// [`NoRandomness`].
pub fn sealed_mail(
    sealer: &Sealer,
    mail: Mail,
    user_id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<NewMessage, NoRandomness> {
    seal(
        sealer,
        Channel::Mail,
        &Content::Mail(mail),
        user_id,
        now,
        expires_at,
    )
}

/// A short message for the queue, about or to the person `user_id`; not sent any more after `expires_at`.
///
/// # Errors
/// [`NoRandomness`].
pub fn sealed_sms(
    sealer: &Sealer,
    to: &PhoneNumber,
    text: &str,
    user_id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<NewMessage, NoRandomness> {
    let content = Content::Sms {
        to: to.as_str().into(),
        text: text.into(),
    };
    seal(sealer, Channel::Sms, &content, user_id, now, expires_at)
}

/// Queues a mail by itself. Where it belongs to a change, make it with [`sealed_mail`] and hand it to the store with the change.
///
/// # Errors
/// [`InternalError`].
pub async fn send_mail(
    state: &AppState,
    mail: Mail,
    user_id: &str,
    expires_at: Timestamp,
) -> Result<(), InternalError> {
    let message = sealed_mail(state.sealer(), mail, user_id, state.now(), expires_at)?;
    Ok(state.store().queue_message(message).await?)
}

/// Queues a short message by itself. Where it belongs to a change, make it with [`sealed_sms`] and hand it to the store with the
/// change.
///
/// # Errors
/// [`InternalError`].
pub async fn send_sms(
    state: &AppState,
    to: &PhoneNumber,
    text: &str,
    user_id: &str,
    expires_at: Timestamp,
) -> Result<(), InternalError> {
    let message = sealed_sms(state.sealer(), to, text, user_id, state.now(), expires_at)?;
    Ok(state.store().queue_message(message).await?)
}

fn seal(
    sealer: &Sealer,
    channel: Channel,
    content: &Content,
    user_id: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<NewMessage, NoRandomness> {
    let id = rng::dated_identifier("message-", now)?;
    // Texts and nothing else: this cannot fail, and an empty content would only be one that never opens.
    let plain = Zeroizing::new(serde_json::to_vec(content).unwrap_or_default());
    Ok(NewMessage {
        channel,
        user_id: Some(user_id.into()),
        sealed: sealer.seal(&plain, &id)?,
        id,
        created_at: now,
        expires_at,
    })
}

/// What was sealed for the row `id`.
fn open(sealer: &Sealer, id: &str, bytes: &[u8]) -> Result<Content, SealBroken> {
    let plain = sealer.open(bytes, id)?;
    serde_json::from_slice(&plain).map_err(|_| SealBroken)
}

#[cfg(test)]
mod tests;
