//! Who is let in to the console.
//!
//! A session whose person's present role gives them [`Permission::Read`], who signed in lately and lacks no second factor; for whatever is no mere
//! look, a form of this site and [`Permission::Write`] as well. Whoever is signed in and no administrator is told that there
//! is no such page.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;

use crate::account::sign_in_first;
use crate::administration::{Actor, Means, Permission};
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{BrowserSession, ClientAddress, FormError, Parameters, SameOrigin, SignedIn};
use crate::login::destination::{Destination, OwnPage};
use crate::login::form_token::{FormPurpose, form_token, is_form_token};
use crate::login::second_factor::demand::{self, Missing};
use crate::login::second_factor::ongoing::Ongoing;
use crate::login::second_factor::{challenge, enrol};
use crate::state::AppState;
use crate::views::console::{ConsoleFrame, FormState};

/// Where the console begins.
const BEGINNING: &str = "/admin";

/// What pages say was just done, by the word that a redirect leaves in `done`.
pub(super) const DONE: &[(&str, &str)] = &[
    ("created", "It is made."),
    (
        "created-uninvited",
        "It is made, but no invitation could be sent: invite them again.",
    ),
    ("invited", "An invitation is on its way to them."),
    ("changed", "It is changed."),
    ("deactivated", "The account is closed."),
    ("reactivated", "The account is open again."),
    ("signed-out", "They are signed out there."),
    (
        "factors-reset",
        "Their second factors are over, and they are signed out everywhere.",
    ),
    ("connected", "It is connected."),
    ("attested", "Your word is recorded."),
    ("enabled", "It is enabled."),
    ("disabled", "It is disabled."),
    ("claimed", "It is added. It counts once it is verified."),
    ("verified", "It is verified."),
    (
        "unlinked",
        "It is forgotten: their next sign-in there links them anew.",
    ),
    ("removed", "It is removed."),
    ("revoked", "It is revoked."),
    ("gone", "It was gone already."),
];

/// An administrator at their browser, and the page that they ask for.
#[derive(Clone, Debug)]
pub struct Administrator {
    session: BrowserSession,
    /// Who acts, for [`crate::administration`].
    pub actor: Actor,
    /// Whether they may change something.
    pub may_write: bool,
    path: String,
    done: Option<&'static str>,
}

impl Administrator {
    /// What is around the page.
    pub fn frame(&self) -> ConsoleFrame<'_> {
        ConsoleFrame {
            user_name: &self.session.user.name,
            user_email: &self.session.user.email,
            path: &self.path,
            may_write: self.may_write,
            done: self.done,
        }
    }

    /// The path of the page that they ask for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An empty form that leads to `path`.
    pub fn form(&self, state: &AppState, path: &str) -> FormState {
        let purpose = FormPurpose::Console { page: path };
        FormState::new(form_token(
            state.form_key(),
            self.session.secret.expose(),
            purpose,
        ))
    }

    /// Whether a form with this token was shown to lead to the page that they ask for.
    pub(super) fn has_form(&self, state: &AppState, token: &str) -> bool {
        let purpose = FormPurpose::Console { page: &self.path };
        is_form_token(state.form_key(), self.session.secret.expose(), purpose, token)
    }

    /// Themselves, if they may change something: for pages that show a form.
    ///
    /// # Errors
    /// [`PageError::Forbidden`].
    pub fn writing(self) -> Result<Self, PageError> {
        if self.may_write {
            Ok(self)
        } else {
            Err(PageError::Forbidden)
        }
    }
}

/// Stands before every page of the console.
pub(super) async fn guard(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    ClientAddress(ip_address): ClientAddress,
    same_origin: Result<SameOrigin, PageError>,
    mut request: Request,
    next: Next,
) -> Result<Response, PageError> {
    let path = request.uri().path();
    // A page whose address cannot be carried through a sign-in is found again from the beginning.
    let is_plain = path.strip_prefix('/').and_then(OwnPage::parse).is_some();
    let landing = if is_plain { path } else { BEGINNING };
    let Some(session) = session else {
        return sign_in_first(landing);
    };
    if !Permission::Read.is_given_by(&session.user) {
        return Err(PageError::NotFound);
    }
    let age = state.now().since(session.session.authenticated_at);
    if age >= state.config().console.reauthenticate_seconds {
        return sign_in_first(landing);
    }
    let missing = demand::missing_in_session(&state, &session.user, &session.session, None).await?;
    let page = match missing {
        Missing::Nothing | Missing::UnreachableContext => None,
        Missing::SecondFactor => Some(challenge::PATH),
        Missing::Enrolment => Some(enrol::PATH),
    };
    if let Some(page) = page {
        let own = landing.strip_prefix('/').and_then(OwnPage::parse);
        let destination = own.map_or(Destination::Home, Destination::Page);
        let response = redirect::to_own_page(&destination.path_to(page))?;
        return Ok(Ongoing::in_session(&state, response)?);
    }
    let may_write = Permission::Write.is_given_by(&session.user);
    if !request.method().is_safe() {
        same_origin?;
        if !may_write {
            return Err(PageError::Forbidden);
        }
    }
    let query =
        Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let done = query.single("done").map_err(|_| PageError::Field)?;
    let administrator = Administrator {
        actor: Actor {
            user_id: Some(session.user.id.clone()),
            client_id: None,
            ip_address,
            means: Means::Console,
        },
        may_write,
        path: path.into(),
        done: DONE
            .iter()
            .find_map(|(word, text)| (done == Some(*word)).then_some(*text)),
        session,
    };
    request.extensions_mut().insert(administrator);
    Ok(next.run(request).await)
}

impl<S: Send + Sync> FromRequestParts<S> for Administrator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        // Only the guard puts one there: a page that it does not stand before cannot be had at all.
        parts.extensions.get::<Self>().cloned().ok_or(PageError::NotFound)
    }
}
