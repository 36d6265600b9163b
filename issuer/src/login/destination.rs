//! Where a sign-in leads: to a page of ours, never to an address that a form or a link names.
//!
//! Every step of a sign-in carries the destination on, in hidden fields or in its own address, and reads it anew.

use crate::account::factors;
use crate::config::Config;
use crate::device;
use crate::domain::device_authorization::UserCode;
use crate::endpoints::authorize::pending::PendingRequest;
use crate::error::page::PageError;
use crate::extract::Parameters;
use crate::state::AppState;
use crate::views::{ClientCard, FormTargets};

/// What the field `device` says when no code was typed yet. Not a user code: those have other letters.
const ANY_DEVICE: &str = "any";

/// What a person signs in for.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Nothing in particular: the front page.
    Home,
    /// An authorization request.
    Request(Box<PendingRequest>),
    /// A device, with the code that it shows, if it was typed already.
    Device(Option<UserCode>),
    /// A page of ours that wants a session.
    Page(OwnPage),
}

impl Destination {
    /// Reads the fields `request`, `device` and `next`; the first of them that is there counts.
    ///
    /// # Errors
    /// [`PageError::RequestGone`] when the request is answered, expired or unknown, and [`PageError::Field`] for a field
    /// given twice. What names no page of ours leads to the front page.
    pub async fn read(state: &AppState, parameters: &Parameters) -> Result<Self, PageError> {
        let field = |name| parameters.single(name).map_err(|_| PageError::Field);
        if let Some(id) = field("request")? {
            return Ok(Self::Request(Box::new(PendingRequest::load(state, id).await?)));
        }
        if let Some(code) = field("device")? {
            return Ok(Self::Device(UserCode::parse(code)));
        }
        Ok(field("next")?
            .and_then(OwnPage::parse)
            .map_or(Self::Home, Self::Page))
    }

    /// The field that carries it on: name and value; none for the front page.
    pub fn field(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Home => None,
            Self::Request(pending) => Some(("request", pending.id().into())),
            Self::Device(code) => Some((
                "device",
                code.as_ref()
                    .map_or_else(|| ANY_DEVICE.into(), ToString::to_string),
            )),
            Self::Page(page) => Some(("next", page.0.clone())),
        }
    }

    /// Another page of the sign-in, for this destination. `page` is a path without a query.
    pub fn path_to(&self, page: &str) -> String {
        match self.field() {
            Some((name, value)) => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair(name, &value)
                    .finish();
                format!("{page}?{query}")
            }
            None => page.into(),
        }
    }

    /// Where the person goes once they have signed in.
    pub fn path(&self) -> String {
        match self {
            Self::Home => "/".into(),
            Self::Request(pending) => pending.continue_path(),
            Self::Device(code) => device::path(code.as_ref()),
            Self::Page(page) => page.path(),
        }
    }

    /// The authorization request, if it is one.
    pub fn pending(&self) -> Option<&PendingRequest> {
        match self {
            Self::Request(pending) => Some(pending),
            Self::Home | Self::Device(_) | Self::Page(_) => None,
        }
    }

    /// What pages show of the app that asks.
    pub fn client_card(&self) -> ClientCard<'_> {
        self.pending()
            .map_or_else(ClientCard::default, |pending| ClientCard::of(&pending.client))
    }

    /// The name of the app that asks.
    pub fn client_name(&self) -> Option<&str> {
        self.pending().map(|pending| pending.client.name.as_str())
    }

    /// Where the forms of the sign-in may lead: a client gets its answer at once where the person agreed before.
    pub fn form_targets(&self) -> FormTargets {
        self.pending().map_or_else(FormTargets::own, |pending| {
            FormTargets::client(&pending.request.redirect_target)
        })
    }
}

/// A page below `/account` or `/admin`: its path without the slash before it, in lower case letters, digits, `-`, `_` and
/// `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPage(String);

impl OwnPage {
    /// The page of this path, as [`OwnPage::path`] gives it but without the first slash; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let mut segments = text.split('/');
        let is_ours = matches!(segments.next(), Some("account" | "admin"));
        (is_ours && segments.all(is_plain)).then(|| Self(text.into()))
    }

    /// Where it is.
    pub fn path(&self) -> String {
        format!("/{}", self.0)
    }

    /// How long ago, in seconds, the person may have been authenticated to whom the page is shown; `None` where any living
    /// session will do. The pages themselves insist on it.
    pub fn longest_age(&self, config: &Config) -> Option<i64> {
        if self.0.split('/').next() == Some("admin") {
            Some(config.console.reauthenticate_seconds)
        } else if self.path() == factors::PATH {
            Some(config.second_factor.reauthenticate_seconds)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OwnPage;

    #[test]
    fn only_pages_of_ours_are_led_to() {
        for page in ["account", "account/factors", "admin/users/user-Ab_1"] {
            assert_eq!(OwnPage::parse(page).unwrap().path(), format!("/{page}"));
        }
        for other in [
            "",
            "/",
            "/account",
            "accounts",
            "account/",
            "account//x",
            "account/../x",
            "account?x",
            "account/x y",
            "oauth2/authorize",
            "https://evil.example",
            "//evil.example",
            "account\\x",
            "account/é",
        ] {
            assert_eq!(OwnPage::parse(other), None, "{other}");
        }
    }
}
