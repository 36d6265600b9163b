//! API keys in the console.

use askama::Template;
use wardgate_shared::time::Timestamp;

use crate::domain::api_key::{ApiKey, ApiKeyState};
use crate::views::Moment;

use super::{ConsoleFrame, FormState, PageLinks};

/// An API key in a list, or on its page. Never its secret.
#[derive(Clone, Debug)]
pub struct ApiKeyEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its key.
    pub key: &'a str,
    /// What it is for.
    pub name: &'a str,
    /// What it may do.
    pub scope: String,
    /// What has become of it.
    pub state: ApiKeyState,
    /// Who made it.
    pub created_by: Option<&'a str>,
    /// When it was made.
    pub created: Moment,
    /// When it ends.
    pub expires: Option<Moment>,
    /// When it was last used.
    pub last_used: Option<Moment>,
    /// Until when the secret of before works, if it does.
    pub previous_until: Option<Moment>,
    /// When it was revoked.
    pub revoked: Option<Moment>,
}

impl<'a> ApiKeyEntry<'a> {
    /// What a page shows of `key` at `now`.
    pub fn of(key: &'a ApiKey, now: Timestamp) -> Self {
        let previous = key.previous.filter(|previous| now < previous.until);
        Self {
            id: &key.id,
            key: &key.key,
            name: &key.name,
            scope: key.scope.to_string(),
            state: key.state(now),
            created_by: key.created_by.as_deref(),
            created: Moment::at(key.created_at),
            expires: key.expires_at.map(Moment::at),
            last_used: key.last_used_at.map(Moment::at),
            previous_until: previous.map(|previous| Moment::at(previous.until)),
            revoked: key.revoked_at.map(Moment::at),
        }
    }

    /// Whether it works.
    pub fn is_active(&self) -> bool {
        self.state == ApiKeyState::Active
    }
}

/// The list of API keys.
#[derive(Debug, Template)]
#[template(path = "console/api_keys.html")]
pub struct ApiKeysPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The keys.
    pub keys: &'a [ApiKeyEntry<'a>],
    /// Where there is more.
    pub pages: PageLinks,
}

/// One API key.
#[derive(Debug, Template)]
#[template(path = "console/api_key.html")]
pub struct ApiKeyPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The key.
    pub key: &'a ApiKeyEntry<'a>,
    /// The form for a new secret.
    pub form: &'a FormState,
}

/// The form for a new API key.
#[derive(Debug, Template)]
#[template(path = "console/api_key_form.html")]
pub struct ApiKeyFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
}
