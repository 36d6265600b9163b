//! `grant_type=urn:ietf:params:oauth:grant-type:device_code`: a device asks whether its person has answered, and gets its
//! tokens once (RFC 8628 sections 3.4 and 3.5).

use axum::response::Response;
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::client::GrantType;
use crate::domain::device_authorization::PollOutcome;
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::endpoints::resources;
use crate::error::internal::InternalError;
use crate::tokens::granting;

use super::error::{DeviceRefusal, InvalidGrant, ScopeRefusal, TokenError};
use super::first_tokens::FirstTokens;
use super::{Exchange, success};

const METHOD: &str = GrantType::DeviceCode.as_str();

/// Answers a poll. A second use ends nothing: a device whose first answer was lost asks again, and polls may overlap.
pub(super) async fn exchange(exchange: &Exchange<'_>, code: &Secret<String>) -> Result<Response, TokenError> {
    let store = exchange.state.store();
    let digest = SecretDigest::of(code.expose());
    let polled = store
        .poll_device_code(&digest, &exchange.client.client().client_id, exchange.now)
        .await
        .map_err(InternalError::from)?;
    let invalid = || TokenError::Grant(InvalidGrant::DeviceCode);
    let (outcome, grant) = polled.ok_or_else(invalid)?;
    match outcome {
        PollOutcome::Approved => {}
        PollOutcome::Pending => return Err(TokenError::Device(DeviceRefusal::Pending)),
        PollOutcome::TooSoon => return Err(TokenError::Device(DeviceRefusal::TooSoon)),
        PollOutcome::Denied => return Err(TokenError::Device(DeviceRefusal::Denied)),
        PollOutcome::Expired => return Err(TokenError::Device(DeviceRefusal::Expired)),
        PollOutcome::Redeemed => return Err(invalid()),
    }
    let mut grant = grant.ok_or_else(invalid)?;
    let audiences = resources::narrowed(exchange.state.config(), exchange.parameters, &grant.audiences)
        .map_err(|_| TokenError::UnknownTarget)?;
    let user = store.user(&grant.user_id).await.map_err(InternalError::from)?;
    let user = user.filter(User::is_active).ok_or_else(invalid)?;
    grant.scope =
        granting::still_allowed(&grant, &user).ok_or(TokenError::Scope(ScopeRefusal::NothingForPerson))?;

    let tokens = FirstTokens::make(exchange, &grant, &user, &audiences).await?;
    let audit = exchange
        .audit(METHOD, AuditOutcome::Success)
        .with_user(&*grant.user_id);
    let redeemed = store
        .redeem_device_code(
            &digest,
            tokens.refresh_record.clone(),
            tokens.access.record.clone(),
            exchange.now,
            audit,
        )
        .await
        .map_err(InternalError::from)?;
    if !redeemed {
        return Err(invalid());
    }
    Ok(success(&tokens.response(&grant)))
}
