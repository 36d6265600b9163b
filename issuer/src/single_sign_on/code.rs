//! Redeeming a provider's code for an ID token (OpenID Connect Core section 3.1.3).

use base64ct::{Base64, Encoding};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use wardgate_shared::json;
use wardgate_shared::secret::Secret;
use zeroize::Zeroizing;

use crate::domain::single_sign_on::{ClientCredential, Connection};
use crate::state::AppState;

use super::CALLBACK_PATH;
use super::fault::SsoFault;

/// The members of both answers that count.
#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
    error: Option<String>,
}

/// The ID token that the provider of `connection` gives for `code`. The access token beside it is dropped: nothing is
/// asked for with it.
///
/// # Errors
/// [`SsoFault::Code`], [`SsoFault::Token`] or [`SsoFault::Unavailable`].
pub(super) async fn redeem(
    state: &AppState,
    connection: &Connection,
    code: &str,
    verifier: &Secret<String>,
) -> Result<Secret<String>, SsoFault> {
    let settings = &connection.settings;
    let redirect_uri = state.config().server.public_url.join(CALLBACK_PATH);
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", verifier.expose().as_str()),
    ];
    let secret = client_secret(state, connection)?;
    let mut authorization = None;
    match (&settings.credential, &secret) {
        (ClientCredential::Basic(_), Some(secret)) => {
            authorization = Some(basic(&settings.client_id, secret)?);
        }
        (ClientCredential::Post(_), Some(secret)) => {
            fields.push(("client_id", settings.client_id.as_str()));
            fields.push(("client_secret", secret.as_str()));
        }
        (ClientCredential::None | ClientCredential::Basic(_) | ClientCredential::Post(_), _) => {
            fields.push(("client_id", settings.client_id.as_str()));
        }
    }
    let endpoint = &connection.provider.token_endpoint;
    let answered = state
        .outbound()
        .ask_by_form(endpoint, &fields, authorization)
        .await;
    let (status, body) = match answered {
        Ok(answered) => answered,
        Err(error) => {
            tracing::warn!(connection = connection.id, %error, "a provider's token endpoint did not answer");
            return Err(SsoFault::Unavailable);
        }
    };
    let answer = json::check_object(&body)
        .ok()
        .and_then(|()| serde_json::from_slice::<TokenAnswer>(&body).ok());
    match (status, answer) {
        (StatusCode::OK, Some(answer)) => answer.id_token.map(Secret::new).ok_or(SsoFault::Token),
        (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(answer)) => {
            let code: String = answer.error.unwrap_or_default().chars().take(64).collect();
            tracing::warn!(connection = connection.id, error = ?code, "a provider refused its code");
            Err(SsoFault::Code)
        }
        (status, _) => {
            tracing::warn!(connection = connection.id, %status, "a provider's token endpoint gave no usable answer");
            Err(SsoFault::Unavailable)
        }
    }
}

/// The client secret in clear, where there is one.
fn client_secret(state: &AppState, connection: &Connection) -> Result<Option<Zeroizing<String>>, SsoFault> {
    let Some(sealed) = connection.settings.credential.sealed() else {
        return Ok(None);
    };
    let opened = state
        .sealer()
        .open(sealed, &Connection::secret_context(&connection.id));
    let text = opened
        .ok()
        .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        .map(Zeroizing::new);
    if text.is_none() {
        tracing::error!(
            connection = connection.id,
            "the client secret of a connection cannot be unsealed"
        );
    }
    text.map(Some).ok_or(SsoFault::Unavailable)
}

/// `Authorization: Basic`, both parts form-encoded (RFC 6749 section 2.3.1).
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, SsoFault> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {}", Base64::encode_string(pair.as_bytes())))
        .map_err(|_| SsoFault::Unavailable)?;
    value.set_sensitive(true);
    Ok(value)
}
