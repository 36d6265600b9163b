//! News that people get by mail: that something was changed by which their account is protected, whoever did it.
//!
//! A notice is queued in the transaction of what it tells of. It names no secret, no device and no address, and its link leads to
//! where anybody may ask for a new password.

use wardgate_shared::time::Timestamp;

use crate::config::Config;
use crate::domain::factor::FactorKind;
use crate::domain::message::{Channel, NewMessage};
use crate::domain::user::User;
use crate::error::internal::InternalError;
use crate::keys::Sealer;
use crate::messages::letters::{self, LetterError};
use crate::messages::{self, MailError};

/// How long news is worth sending, in seconds.
const NOTICE_SECONDS: i64 = 86_400;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The person has another password.
    PasswordChanged,
    /// They have another second factor.
    FactorAdded(FactorKind),
    /// They have one less.
    FactorRemoved(FactorKind),
    /// An administrator took them all away.
    FactorsReset,
    /// A recovery code stood in for one.
    RecoveryCodeUsed,
    /// There are other recovery codes.
    NewRecoveryCodes,
}

/// What notices are made with.
#[derive(Clone, Copy, Debug)]
pub struct Notices<'a> {
    config: &'a Config,
    sealer: &'a Sealer,
}

impl<'a> Notices<'a> {
    /// Notices under this configuration.
    pub const fn new(config: &'a Config, sealer: &'a Sealer) -> Self {
        Self { config, sealer }
    }

    /// The mail that tells `user`, for the queue; none where no mail is sent to them.
    ///
    /// # Errors
    /// When there is no randomness, or a text cannot be rendered.
    pub fn of(&self, user: &User, news: News, now: Timestamp) -> Result<Option<NewMessage>, InternalError> {
        if !messages::are_sent(self.config, Channel::Mail) {
            return Ok(None);
        }
        match letters::notice(&self.config.server.public_url, user, news) {
            Ok(mail) => {
                let expires_at = now.plus(NOTICE_SECONDS);
                let sealed = messages::sealed_mail(self.sealer, mail, &user.id, now, expires_at);
                Ok(Some(sealed?))
            }
            Err(LetterError::Mail(MailError::Address)) => Ok(None),
            Err(LetterError::Text(error)) => Err(error.into()),
        }
    }
}
