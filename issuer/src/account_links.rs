//! Links by which people set their password: invitations, new passwords, the first administrator.
//!
//! A link holds a token of 256 random bits, of which the store keeps the digest. It works once, until it expires, for the address that it
//! was made for, and a newer one of the same purpose takes its place. Making one, mailing it, and recording that are one
//! transaction. The command line makes links as the server does; the mail is sent by the server.
//!
//! Left out on purpose: people who sign in elsewhere only; whoever calls knows whether they do.

use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::account_link::{AccountLink, FIRST_ADMINISTRATOR_SECONDS, LinkPurpose};
use crate::domain::audit_event::AuditEvent;
use crate::domain::message::Channel;
use crate::domain::user::User;
use crate::error::InternalError;
use crate::keys::Sealer;
use crate::messages::letters::{self, LetterError};
use crate::messages::{self, MailError};
use crate::state::AppState;
use crate::store::Store;
use crate::tokens::opaque::OpaqueSecret;

/// Where a link leads.
pub const PATH: &str = "/password/reset";

/// What making links needs, in the server and on the command line.
#[derive(Clone, Copy, Debug)]
pub struct LinkMaker<'a> {
    /// Where links are kept.
    pub store: &'a Store,
    /// The issuer's URL, and how long links live.
    pub config: &'a Config,
    /// What seals mail.
    pub sealer: &'a Sealer,
}

/// What became of a link.
#[derive(Debug)]
pub enum Made {
    /// It is on its way by mail.
    Mailed {
        /// Until when it can be used.
        expires_at: Timestamp,
    },
    /// It is for whoever asked to hand over.
    ToHandOver {
        /// The link itself.
        link: Secret<String>,
        /// Until when it can be used.
        expires_at: Timestamp,
    },
    /// No mail is sent here, or none can be sent to this address.
    CannotBeMailed,
    /// The person may not have one: they are deactivated, have another address by now, or had too many lately.
    Refused,
}

/// How a link gets to its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By mail.
    Mail,
    /// By whoever asked for it.
    HandOver,
}

impl<'a> LinkMaker<'a> {
    /// That of the server.
    pub fn of(state: &'a AppState) -> Self {
        Self {
            store: state.store(),
            config: state.config(),
            sealer: state.sealer(),
        }
    }

    /// Makes a link for `user`, and sends it on its way. At most `at_most` are made for one person and purpose in an hour. `audit` is
    /// recorded, at its time, with the link.
    ///
    /// # Errors
    /// [`InternalError`].
    pub async fn make(
        self,
        user: &User,
        purpose: LinkPurpose,
        way: Way,
        at_most: Option<u32>,
        audit: AuditEvent,
    ) -> Result<Made, InternalError> {
        let now = audit.at;
        let seconds = self.seconds(purpose);
        let expires_at = now.plus(seconds);
        let token = OpaqueSecret::AccountLink.generate()?;
        let link = Secret::new(format!(
            "{}?token={}",
            self.config.server.public_url.join(PATH),
            token.value.expose()
        ));
        let message = match way {
            Way::HandOver => None,
            Way::Mail if !messages::are_sent(self.config, Channel::Mail) => return Ok(Made::CannotBeMailed),
            Way::Mail => {
                let issuer = &self.config.server.public_url;
                let letter = match purpose {
                    LinkPurpose::Invitation | LinkPurpose::FirstAdministrator => {
                        letters::invitation(issuer, user, &link, seconds)
                    }
                    LinkPurpose::Reset => letters::reset(issuer, user, &link, seconds),
                };
                match letter {
                    Ok(mail) => Some(messages::sealed_mail(
                        self.sealer,
                        mail,
                        &user.id,
                        now,
                        expires_at,
                    )?),
                    Err(LetterError::Mail(MailError::Address)) => return Ok(Made::CannotBeMailed),
                    Err(LetterError::Text(error)) => return Err(error.into()),
                }
            }
        };
        let stored = AccountLink {
            digest: token.digest,
            user_id: user.id.clone(),
            purpose,
            email: user.email.clone(),
            created_at: now,
            expires_at,
        };
        if !self
            .store
            .insert_account_link(stored, message, at_most, audit)
            .await?
        {
            return Ok(Made::Refused);
        }
        Ok(match way {
            Way::Mail => Made::Mailed { expires_at },
            Way::HandOver => Made::ToHandOver { link, expires_at },
        })
    }

    fn seconds(self, purpose: LinkPurpose) -> i64 {
        match purpose {
            LinkPurpose::Invitation => self.config.links.invitation_seconds,
            LinkPurpose::Reset => self.config.links.reset_seconds,
            LinkPurpose::FirstAdministrator => FIRST_ADMINISTRATOR_SECONDS,
        }
    }
}
