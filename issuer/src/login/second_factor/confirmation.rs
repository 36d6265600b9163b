//! The end of setting a second factor up, whatever kind it is: its person has just used it for the first time.

use axum::response::Response;

use crate::domain::factor::{Factor, FactorUse};
use crate::domain::sign_in::Completed;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::login::completion::{self, Browser, Given};
use crate::login::destination::Destination;
use crate::state::AppState;
use crate::views::{FormTargets, RecoveryCodesPage, page};

use super::ongoing::Ongoing;
use super::recovery::NewCodes;

/// A factor that works.
#[derive(Debug)]
pub(super) struct Working<'a> {
    /// The factor, which is not confirmed yet.
    pub factor: &'a Factor,
    /// What its person gave.
    pub used: FactorUse,
    /// What they call it.
    pub name: &'a str,
    /// Whether the browser is to be remembered.
    pub remember: bool,
}

/// Confirms the factor, and begins the session that comes of it. Somebody without recovery codes gets some and is shown them,
/// once; others go on to their destination. `None` when what was given was used before, and nothing was stored.
///
/// # Errors
/// When the store cannot answer, there is no randomness, or a page cannot be rendered.
pub(super) async fn confirm(
    state: &AppState,
    browser: Browser<'_>,
    ongoing: &Ongoing,
    working: Working<'_>,
    destination: &Destination,
) -> Result<Option<Response>, PageError> {
    let user_id = &ongoing.user().id;
    let named = state
        .store()
        .name_new_factor(user_id, &working.factor.id, working.name)
        .await;
    named.map_err(InternalError::from)?;
    let codes = NewCodes::for_somebody_without(state, user_id).await?;
    let given = Given {
        used: working.used,
        method: working.factor.kind.method(),
        enrols: true,
        recovery_codes: codes.digests,
        remember: working.remember,
    };
    let begun = match completion::complete(state, browser, ongoing, given, destination).await? {
        Ok(begun) => begun,
        Err(Completed::SignInGone) => {
            return Ok(Some(redirect::to_own_page(&destination.path_to("/login"))?));
        }
        Err(Completed::FactorSpent | Completed::Begun) => return Ok(None),
    };
    let next = destination.path();
    let mut response = if codes.shown.is_empty() {
        redirect::to_own_page(&next)?
    } else {
        let shown: Vec<&str> = codes.shown.iter().map(|code| code.expose().as_str()).collect();
        let template = RecoveryCodesPage {
            codes: &shown,
            next: &next,
        };
        page(&template, &FormTargets::none())?
    };
    begun.attach(&mut response);
    Ok(Some(response))
}
