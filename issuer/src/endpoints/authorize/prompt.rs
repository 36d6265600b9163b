//! `prompt` and `max_age` (OpenID Connect Core section 3.1.2.1): what must happen before a request is answered.

use wardgate_shared::time::Timestamp;

use super::refusal::AuthorizationError;

/// What the two parameters demand together.
pub(super) struct Prompt {
    /// `none`: no page may be shown.
    pub(super) none: bool,
    /// `consent`: the person is asked even if they agreed before.
    pub(super) consent: bool,
    /// Sessions authenticated before this instant do not count.
    pub(super) authenticated_after: Option<Timestamp>,
}

impl Prompt {
    /// Reads `prompt` and `max_age` at `now`; `default_maximum_age` is what the client is registered with, in seconds.
    ///
    /// # Errors
    /// [`AuthorizationError::Prompt`] or [`AuthorizationError::MaxAge`].
    pub(super) fn read(
        prompt: Option<&str>,
        maximum_age: Option<&str>,
        default_maximum_age: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, AuthorizationError> {
        let mut read = Self {
            none: false,
            consent: false,
            authenticated_after: None,
        };
        let mut fresh = false;
        if let Some(text) = prompt {
            for word in text.split(' ') {
                match word {
                    "none" => read.none = true,
                    "consent" => read.consent = true,
                    // There is no list of accounts to select from: whoever signs in is the account selected.
                    "login" | "select_account" => fresh = true,
                    _ => return Err(AuthorizationError::Prompt),
                }
            }
            if read.none && text != "none" {
                return Err(AuthorizationError::Prompt);
            }
        }
        let maximum_age = match maximum_age {
            Some(text) => Some(seconds(text).ok_or(AuthorizationError::MaxAge)?),
            None => default_maximum_age,
        };
        if let Some(seconds) = maximum_age {
            // `max_age=0` is `prompt=login` (OpenID Connect Core section 3.1.2.1).
            fresh |= seconds == 0;
            read.authenticated_after = Some(now.minus(i64::from(seconds)));
        }
        if fresh {
            // Time has whole seconds: a session begun in this very second is not a fresh one, the next sign-in is.
            read.authenticated_after = Some(now.plus(1));
        }
        Ok(read)
    }
}

fn seconds(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}
