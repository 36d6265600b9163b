//! Pages of signing in and out at the identity provider of one's organization.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::error::InternalError;
use crate::login::destination::Destination;
use crate::single_sign_on::fault::SsoFault;

use super::{FormTargets, page};

/// After how many seconds a provider that did not answer may be asked again.
const RETRY_AFTER_SECONDS: &str = "60";

/// A sign-in by a provider that did not succeed.
#[derive(Debug, Template)]
#[template(path = "provider_problem.html")]
pub struct ProviderProblemPage<'a> {
    /// The organization, where it is known.
    pub name: Option<&'a str>,
    /// What happened.
    pub happened: &'a str,
    /// What to do.
    pub advice: &'a str,
    /// Where to start again.
    pub again: &'a str,
    /// Where people go who may sign in without the provider, when that is what helps.
    pub local: Option<&'a str>,
}

/// The page that says why a sign-in for `destination` by the provider of the organization `name` ended.
///
/// # Errors
/// When it cannot be rendered.
pub fn provider_problem(
    fault: SsoFault,
    name: Option<&str>,
    destination: &Destination,
) -> Result<Response, InternalError> {
    let (happened, advice) = fault.words();
    let is_away = fault.status() == StatusCode::SERVICE_UNAVAILABLE;
    let again = destination.path_to("/login");
    let local = is_away.then(|| local_path(destination));
    let shown = ProviderProblemPage {
        name,
        happened,
        advice,
        again: &again,
        local: local.as_deref(),
    };
    let mut response = (fault.status(), page(&shown, &FormTargets::none())?).into_response();
    if is_away {
        let seconds = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// The sign-in page for people who may sign in here although their domain has a provider.
pub fn local_path(destination: &Destination) -> String {
    let path = destination.path_to("/login");
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}local=1")
}
