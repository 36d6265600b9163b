//! Requests that name no client: the token that they present says for which client it is, a refresh token by whose it is,
//! another issuer's token by its issuer.
//!
//! A registered identity provider and the client that its tokens are for belong together, so its users' programs need not
//! be told a `client_id` of ours. The client must be a public one, which anybody may name: nothing is gained by not
//! naming it.

use wardgate_shared::jwt::{MAXIMUM_JWT_BYTES, UnverifiedJwt};

use crate::domain::client::GrantType;
use crate::endpoints::client_authentication::{AuthenticatedClient, holder_of_refresh_token};
use crate::error::internal::InternalError;
use crate::extract::Parameters;
use crate::state::AppState;

/// The client that a request without one is for, if there is such.
///
/// # Errors
/// What the store could not answer.
pub(super) async fn find(
    state: &AppState,
    parameters: &Parameters,
) -> Result<Option<AuthenticatedClient>, InternalError> {
    let Some(client_id) = configured(state, parameters) else {
        return holder_of_refresh_token(state, parameters).await;
    };
    let client = state.store().client(client_id).await?;
    let found = client.and_then(|client| AuthenticatedClient::public(state, client));
    if found.is_none() {
        tracing::warn!(
            client_id,
            "client_id of a trusted issuer names no public client that may go without a proof"
        );
    }
    Ok(found)
}

fn configured<'a>(state: &'a AppState, parameters: &Parameters) -> Option<&'a str> {
    let single = |name| parameters.single(name).ok().flatten();
    let token = match GrantType::from_name(single("grant_type")?)? {
        GrantType::TokenExchange => single("subject_token")?,
        GrantType::JwtBearer => single("assertion")?,
        GrantType::AuthorizationCode
        | GrantType::ClientCredentials
        | GrantType::RefreshToken
        | GrantType::DeviceCode => return None,
    };
    let issuer = UnverifiedJwt::parse(token, MAXIMUM_JWT_BYTES)
        .ok()?
        .issuer_hint()?;
    state.config().trusted_issuer(&issuer)?.client_id.as_deref()
}
