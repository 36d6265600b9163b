//! Codes that are sent to a telephone, as second factor.
//!
//! A code counts for the telephone to which it was sent and in the sign-in or session for which it was, once, for
//! [`CODE_SECONDS`] and a few answers. It is made when its person asks for it, never when a page is shown. Codes and numbers are
//! stored as keyed digests, since both are short enough to be tried out one by one; the number itself is sealed.
//!
//! Whoever can take over a telephone number gets the codes too (NIST SP 800-63B section 5.1.3.3 restricts this factor): a
//! deployment offers it by naming a provider in `[sms]`, and not otherwise.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use axum::response::Response;
use http::{HeaderValue, header};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::digest::SecretDigest;
use crate::domain::factor::{Factor, FactorKind, FactorUse};
use crate::domain::phone_number::PhoneNumber;
use crate::domain::sent_code::{CODE_SECONDS, CodeSending, CodeTrial, SentCode};
use crate::domain::session::AuthenticationMethod;
use crate::error::internal::InternalError;
use crate::keys::Sealer;
use crate::messages;
use crate::rng::{self, NoRandomness};
use crate::state::AppState;

use super::ongoing::Ongoing;

/// The digits of a code.
const DIGITS: usize = 6;
const CODES: u64 = 1_000_000;

/// A telephone, and who is asked for its code.
pub(super) struct Telephone<'a> {
    state: &'a AppState,
    ongoing: &'a Ongoing,
    factor_id: &'a str,
    number: PhoneNumber,
}

/// Why no code was sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// One was sent just now: the seconds until the next may be.
    Seconds(i64),
    /// There were too many: the minutes until the next may be.
    Minutes(i64),
}

impl Wait {
    /// For how long nothing is sent; `None` when waiting is not what helps.
    pub(super) fn of(sending: CodeSending) -> Option<Self> {
        match sending {
            CodeSending::Sent | CodeSending::NoRoom => None,
            CodeSending::TooSoon { seconds } => Some(Self::Seconds(seconds)),
            CodeSending::TooMany { seconds } => Some(Self::Minutes(seconds.saturating_add(59) / 60)),
        }
    }

    /// What people read.
    pub(super) fn words(self) -> String {
        match self {
            Self::Seconds(seconds) => format!(
                "A code was sent a moment ago. If it does not arrive, you can have another one sent in {seconds} seconds."
            ),
            Self::Minutes(minutes) => {
                format!("Too many codes were sent. The next can be sent in {minutes} minutes.")
            }
        }
    }

    /// The page, with the header that says how long to wait (RFC 9110 section 10.2.3).
    pub(super) fn told(self, mut page: Response) -> Response {
        let seconds = match self {
            Self::Seconds(seconds) => seconds,
            Self::Minutes(minutes) => minutes.saturating_mul(60),
        };
        page.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        page
    }
}

/// Seals the number for the factor `factor_id`.
///
/// # Errors
/// [`NoRandomness`].
pub(super) fn seal(number: &PhoneNumber, sealer: &Sealer, factor_id: &str) -> Result<Vec<u8>, NoRandomness> {
    sealer.seal(number.as_str().as_bytes(), &Factor::context(factor_id))
}

impl<'a> Telephone<'a> {
    /// The telephone that `factor` is.
    ///
    /// # Errors
    /// [`InternalError`], when its number cannot be read.
    pub(super) fn open(
        state: &'a AppState,
        ongoing: &'a Ongoing,
        factor: &'a Factor,
    ) -> Result<Self, InternalError> {
        let broken = || InternalError::Dangling("the number of a telephone");
        let sealed = factor
            .sealed
            .as_deref()
            .filter(|_| factor.kind == FactorKind::Sms);
        let plain = state
            .sealer()
            .open(sealed.ok_or_else(broken)?, &Factor::context(&factor.id))
            .map_err(|_| broken())?;
        let text = std::str::from_utf8(&plain).map_err(|_| broken())?;
        Ok(Self {
            state,
            ongoing,
            factor_id: &factor.id,
            number: PhoneNumber::parse(text).map_err(|_| broken())?,
        })
    }

    /// How many minutes a code counts.
    pub(super) const MINUTES: i64 = CODE_SECONDS / 60;

    /// By what its owner knows it.
    pub(super) fn hint(&self) -> String {
        self.number.hint()
    }

    /// Whether a code was sent that can still be answered.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub(super) async fn awaits_code(&self) -> Result<bool, InternalError> {
        let binding = self.ongoing.binding();
        let store = self.state.store();
        Ok(store
            .awaits_code(&binding, self.factor_id, self.state.now())
            .await?)
    }

    /// Sends a new code, which takes the place of the one before; `new` is the telephone if it is to be kept with that.
    ///
    /// # Errors
    /// When the store cannot answer, or there is no randomness.
    pub(super) async fn send(
        &self,
        new: Option<Factor>,
        address: Option<IpAddr>,
    ) -> Result<CodeSending, InternalError> {
        let (state, now) = (self.state, self.state.now());
        let user_id = &self.ongoing.user().id;
        let code = generate()?;
        let expires_at = now.plus(CODE_SECONDS);
        let text = words(code.expose(), state.config().server.public_url.host());
        let message = messages::sealed_sms(state.sealer(), &self.number, &text, user_id, now, expires_at)?;
        let sent = SentCode {
            binding: self.ongoing.binding(),
            factor_id: self.factor_id.into(),
            user_id: user_id.clone(),
            digest: self.digest(code.expose()),
            recipient: keyed(state.code_key(), &[b"number", self.number.as_str().as_bytes()]),
            at: now,
        };
        let event = |outcome| {
            AuditEvent::new(now, AuditAction::FactorCode, outcome)
                .with_user(&**user_id)
                .with_ip_address(address)
                .with_method(AuthenticationMethod::Sms.as_str())
        };
        let per_hour = state.config().second_factor.messages_per_hour;
        let sending = state
            .store()
            .send_code(sent, new, message, per_hour, event(AuditOutcome::Success))
            .await?;
        if let CodeSending::TooMany { .. } = sending {
            let event = event(AuditOutcome::Failure).with_reason("too_many_codes");
            state.record_refusal(event).await?;
        }
        Ok(sending)
    }

    /// What an answer is worth, and when it is right, by what it is consumed.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub(super) async fn check(&self, typed: &str) -> Result<Result<FactorUse, CodeTrial>, InternalError> {
        let digits: String = typed
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '-')
            .collect();
        let binding = self.ongoing.binding();
        let digest = self.digest(&digits);
        let trial = self
            .state
            .store()
            .try_code(&binding, self.factor_id, &digest, self.state.now())
            .await?;
        Ok(match trial {
            CodeTrial::Right => Ok(FactorUse::SentCode {
                factor_id: self.factor_id.into(),
                binding,
                digest,
            }),
            wrong @ (CodeTrial::Wrong | CodeTrial::Gone) => Err(wrong),
        })
    }

    fn digest(&self, code: &str) -> SecretDigest {
        let binding = self.ongoing.binding();
        keyed(
            self.state.code_key(),
            &[
                b"code",
                self.factor_id.as_bytes(),
                binding.as_bytes(),
                code.as_bytes(),
            ],
        )
    }
}

/// A random code.
fn generate() -> Result<Secret<String>, NoRandomness> {
    // Of 2^64 numbers, the last incomplete million makes some codes likelier than others by one in eighteen million million.
    let number = u64::from_be_bytes(rng::bytes()?) % CODES;
    Ok(Secret::new(format!("{number:0DIGITS$}")))
}

/// What the message says. Its last line is of the form that browsers fill in on this host only (WICG origin-bound one-time codes).
fn words(code: &str, host: &str) -> String {
    let minutes = CODE_SECONDS / 60;
    format!(
        "{code} is your code for {host}. It works for {minutes} minutes. Nobody who calls or writes to you needs it.\n\n@{host} #{code}"
    )
}

/// The keyed digest of the parts, each with its length before it, so that no two lists of parts read the same.
fn keyed(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> SecretDigest {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest
        .iter_mut()
        .zip(context.sign().as_ref())
        .for_each(|(to, from)| *to = *from);
    SecretDigest::from_bytes(digest)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use wardgate_shared::secret::Secret;

    use super::{generate, keyed, words};

    #[test]
    fn codes_have_six_digits_and_differ() {
        let codes: HashSet<String> = (0..200).map(|_| generate().unwrap().expose().clone()).collect();
        assert!(codes.len() > 190);
        for code in codes {
            assert!(
                code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
                "{code}"
            );
        }
    }

    #[test]
    fn the_message_ends_in_the_line_that_browsers_read() {
        let text = words("004211", "id.example.org");
        assert_eq!(text.lines().last(), Some("@id.example.org #004211"));
        assert!(text.starts_with("004211 is your code for id.example.org. It works for 10 minutes."));
        assert!(
            text.is_ascii() && text.len() <= 160,
            "one message: {}",
            text.len()
        );
    }

    #[test]
    fn no_two_lists_of_parts_have_one_digest() {
        let key = Secret::new([7; 32]);
        let digest = keyed(&key, &[b"ab", b"c"]);
        assert_eq!(digest, keyed(&key, &[b"ab", b"c"]));
        assert_ne!(digest, keyed(&key, &[b"a", b"bc"]));
        assert_ne!(digest, keyed(&Secret::new([8; 32]), &[b"ab", b"c"]));
    }
}
