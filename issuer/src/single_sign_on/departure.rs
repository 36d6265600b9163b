//! Sending a browser to its person's provider (OpenID Connect Core section 3.1.2.1).

use aws_lc_rs::hmac;
use axum::response::{IntoResponse, Response};
use base64ct::{Base64UrlUnpadded, Encoding};
use http::{HeaderValue, StatusCode, header};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::single_sign_on::{
    ATTEMPT_LIFETIME_SECONDS, Attempt, Connection, Preset, ProviderMetadata, with_query,
};
use crate::error::internal::InternalError;
use crate::extract::cookies::Cookie;
use crate::login::destination::Destination;
use crate::rng;
use crate::state::AppState;
use crate::tokens::opaque::OpaqueSecret;

use super::fault::SsoFault;
use super::{CALLBACK_PATH, discovery};

/// How long a discovery document is used before it is looked at again, in seconds.
pub const REFRESH_SECONDS: i64 = 3600;
/// How long one that cannot be had anew is still used, in seconds.
const LONGEST_STALE_SECONDS: i64 = 86_400;
/// After how many seconds a provider that did not answer is asked again.
const RETRY_SECONDS: i64 = 60;

/// Sends the browser to the provider of `connection`, whose people `email` is one of, to come back for `destination`.
///
/// # Errors
/// Inside the `Ok`: [`SsoFault::Unavailable`]. Outside: what the store could not do.
pub async fn depart(
    state: &AppState,
    connection: Connection,
    email: &str,
    destination: &Destination,
) -> Result<Result<Response, SsoFault>, InternalError> {
    let now = state.now();
    let connection = match refreshed(state, connection, now).await? {
        Ok(connection) => connection,
        Err(fault) => return Ok(Err(fault)),
    };
    let fresh_after = fresh_after(state, destination, now);
    let secret = OpaqueSecret::ProviderState.generate()?;
    let cookie = cookie_value(destination)?;
    let nonce = rng::identifier("n-")?;
    let verifier = code_verifier(state, secret.value.expose());
    let challenge =
        CodeChallenge::of(verifier.expose()).map_err(|_| InternalError::Dangling("a code verifier"))?;
    let attempt = Attempt {
        digest: secret.digest,
        browser: SecretDigest::of(&cookie),
        connection_id: connection.id.clone(),
        nonce: nonce.clone(),
        fresh_after,
        expires_at: now.plus(ATTEMPT_LIFETIME_SECONDS),
    };
    state.store().insert_sso_attempt(attempt).await?;

    let settings = &connection.settings;
    let public_url = &state.config().server.public_url;
    let (redirect_uri, scope) = (public_url.join(CALLBACK_PATH), settings.scopes.join(" "));
    let (challenge, acr_values) = (challenge.encoded(), settings.required_acr.join(" "));
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", settings.client_id.as_str()),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", scope.as_str()),
        ("state", secret.value.expose().as_str()),
        ("nonce", nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("login_hint", email),
    ];
    if !acr_values.is_empty() {
        parameters.push(("acr_values", acr_values.as_str()));
    }
    let age = fresh_after.map(|after| now.since(after).max(0));
    let written = age.map(|age| age.to_string());
    if let Some(written) = &written {
        parameters.push(("max_age", written.as_str()));
    }
    if age == Some(0) {
        // Google answers `login` with an error. It says no auth_time either, so that such a sign-in fails in the end.
        parameters.push(match settings.preset {
            Preset::Google => ("prompt", "select_account"),
            Preset::Generic | Preset::EntraId | Preset::Cognito => ("prompt", "login"),
        });
    }
    let location = with_query(&connection.provider.authorization_endpoint, &parameters);
    let location = HeaderValue::from_str(&location)?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    let cookie = Cookie::Provider.set(&cookie, public_url)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(Ok(response))
}

/// How lately the provider must have authenticated the person for `destination`: else a page that wants it lately would send
/// them here again, for ever, or take a silent answer for a fresh one.
fn fresh_after(state: &AppState, destination: &Destination, now: Timestamp) -> Option<Timestamp> {
    match destination {
        Destination::Request(pending) => pending.request.authenticated_after,
        Destination::Page(page) => page.longest_age(state.config()).map(|age| now.minus(age)),
        Destination::Home | Destination::Device(_) => None,
    }
}

/// The PKCE verifier that belongs to a `state`: whoever has not the master key cannot tell it, and nothing need be kept.
pub(super) fn code_verifier(state: &AppState, value: &str) -> Secret<String> {
    let key = state.keys().derive("wardgate sso code verifiers");
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    let tag = hmac::sign(&key, value.as_bytes());
    Secret::new(Base64UrlUnpadded::encode_string(tag.as_ref()))
}

/// A secret, and where the sign-in leads: the attempt is bound to both.
fn cookie_value(destination: &Destination) -> Result<String, InternalError> {
    let secret = OpaqueSecret::ProviderBrowser.generate()?;
    let mut fields = form_urlencoded::Serializer::new(String::new());
    fields.append_pair("browser", secret.value.expose());
    if let Some((name, value)) = destination.field() {
        fields.append_pair(name, &value);
    }
    Ok(fields.finish())
}

/// The connection with what its provider says of itself now, or said lately.
async fn refreshed(
    state: &AppState,
    mut connection: Connection,
    now: Timestamp,
) -> Result<Result<Connection, SsoFault>, InternalError> {
    let is_too_old = now.since(connection.checked_at) > LONGEST_STALE_SECONDS;
    if now < connection.refresh_at {
        // The last refresh failed, and the next one is not due yet: what is too old stays so until then.
        return Ok(if is_too_old {
            Err(SsoFault::Unavailable)
        } else {
            Ok(connection)
        });
    }
    let outbound = &state.config().outbound;
    let (kept, refresh_at): (Option<ProviderMetadata>, Timestamp) = match discovery::discover(
        state.outbound(),
        outbound,
        &connection.settings,
    )
    .await
    {
        Ok(provider) => (Some(provider), now.plus(REFRESH_SECONDS)),
        Err(error) => {
            tracing::warn!(connection = connection.id, %error, "a provider's metadata could not be refreshed");
            (None, now.plus(RETRY_SECONDS))
        }
    };
    let asked = (&*connection.id, &*connection.settings.issuer);
    state
        .store()
        .refresh_sso_provider(asked, kept.clone(), now, refresh_at)
        .await?;
    match kept {
        Some(provider) => connection.provider = provider,
        None if is_too_old => return Ok(Err(SsoFault::Unavailable)),
        None => {}
    }
    Ok(Ok(connection))
}
