//! Signing out at the provider too (OpenID Connect RP-Initiated Logout 1.0 section 2, from the client's side).
//!
//! It is offered, not done by itself: the person may want to go on working with the organization's other applications. AWS
//! Cognito has a form of its own for it, at its hosted pages.

mod onward;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use zeroize::Zeroizing;

use crate::domain::digest::SecretDigest;
use crate::domain::single_sign_on::{Connection, Preset, ProviderSignIn, with_query};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::cookies::Cookie;
use crate::extract::{Form, FormError, SameOrigin};
use crate::state::AppState;

pub use onward::Onward;

/// Where somebody may sign out besides: the connection by which this browser's person signed in; the person of this id,
/// where one is given.
///
/// # Errors
/// When the store cannot answer.
pub async fn offered(
    state: &AppState,
    headers: &HeaderMap,
    user_id: Option<&str>,
) -> Result<Option<Connection>, InternalError> {
    let Some(cookie) = Cookie::Provider.read(headers, &state.config().server.public_url) else {
        return Ok(None);
    };
    let browser = SecretDigest::of(cookie);
    let store = state.store();
    let connection = store.provider_of_browser(&browser, user_id, state.now()).await?;
    Ok(connection.filter(|connection| endpoint(connection).is_some()))
}

/// Where people of this connection sign out, as far as that is known.
pub fn endpoint(connection: &Connection) -> Option<String> {
    match connection.settings.preset {
        Preset::Cognito => {
            let pages = connection
                .provider
                .authorization_endpoint
                .strip_suffix("/oauth2/authorize");
            pages.map(|pages| format!("{pages}/logout"))
        }
        Preset::Generic | Preset::Google | Preset::EntraId => {
            connection.provider.end_session_endpoint.clone()
        }
    }
}

/// `/logout/provider`: sends the browser to its person's provider to sign out there, once. `onward` says where it goes then.
pub async fn post(
    State(state): State<AppState>,
    _: SameOrigin,
    headers: HeaderMap,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let onward = parameters.single("onward").map_err(|_| PageError::Field)?;
    let onward = onward.filter(|text| Onward::open(text, state.sealer()).is_some());
    let public_url = &state.config().server.public_url;
    let location = match Cookie::Provider.read(&headers, public_url) {
        Some(cookie) => location(&state, &SecretDigest::of(cookie), onward).await?,
        None => None,
    };
    let mut response = match location {
        Some(location) => {
            let location = HeaderValue::from_str(&location).map_err(InternalError::from)?;
            (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
        }
        None => redirect::to_own_page_with("/logout", onward.map(|onward| ("state", onward)))?,
    };
    let cookie = Cookie::Provider.clear(public_url).map_err(InternalError::from)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn location(
    state: &AppState,
    browser: &SecretDigest,
    onward: Option<&str>,
) -> Result<Option<String>, InternalError> {
    let Some(sign_in) = state.store().take_provider_sign_in(browser, state.now()).await? else {
        return Ok(None);
    };
    let Some(connection) = state.store().sso_connection(&sign_in.connection_id).await? else {
        return Ok(None);
    };
    let Some(endpoint) = endpoint(&connection) else {
        return Ok(None);
    };
    let back = state.config().server.public_url.join("/logout");
    let client_id = connection.settings.client_id.as_str();
    if connection.settings.preset == Preset::Cognito {
        let parameters = [("client_id", client_id), ("logout_uri", back.as_str())];
        return Ok(Some(with_query(&endpoint, &parameters)));
    }
    let sealed = sign_in.sealed_id_token.expose();
    let opened = state
        .sealer()
        .open(sealed, &ProviderSignIn::id_token_context(&sign_in.user_id))
        .ok();
    let id_token = opened
        .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        .map(Zeroizing::new);
    let mut parameters = vec![
        ("client_id", client_id),
        ("post_logout_redirect_uri", back.as_str()),
    ];
    parameters.extend(onward.map(|onward| ("state", onward)));
    parameters.extend(id_token.as_ref().map(|token| ("id_token_hint", token.as_str())));
    Ok(Some(with_query(&endpoint, &parameters)))
}
