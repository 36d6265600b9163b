//! API keys at the token endpoint: a key acts for itself, as a client with `client_credentials` does, so it is exchanged as one:
//! `grant_type=client_credentials`, the key as `client_id` and its secret as `client_secret` (RFC 6749 sections 2.3.1, 4.4).
//!
//! Open to anyone who holds both, by the form alone. The edge asks here when a request carries a key; whoever can speak OAuth may
//! ask for themselves and gets no more by it. To keep the exchange to the edge would only give the edge a secret to lose.
//!
//! The token names the key (`api_key_id`), has a place in a status list, and ends with the key and with the secret that it was
//! exchanged for. Nothing of this is for clients that are held to FAPI 2.0, which knows no secrets.

use std::net::IpAddr;

use axum::response::Response;
use http::{HeaderMap, header};
use wardgate_shared::api_key::ApiKeyPart;
use wardgate_shared::scope::{ScopeSet, narrow};

use crate::config::Config;
use crate::domain::api_key::{ApiKey, ApiKeyRefusal};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{GrantType, SecurityProfile};
use crate::domain::digest::SecretDigest;
use crate::endpoints::client_authentication::ClientAuthenticationError;
use crate::endpoints::{dpop, resources};
use crate::error::internal::InternalError;
use crate::extract::{Parameters, RequestTarget};
use crate::state::AppState;
use crate::tokens::granting;
use crate::tokens::response::TokenResponse;
use crate::tokens::signed::{self, AccessTokenFacts, Subject};

use super::error::{ScopeRefusal, TokenError};
use super::{Refused, success};

/// The means, for the audit trail.
const METHOD: &str = "api_key";

/// Why an API key proves nothing: 401 `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiKeyFault {
    /// The key has not the form of one, or its checksum is wrong.
    MistypedKey,
    /// There is no secret.
    NoSecret,
    /// The secret has not the form of one, or its checksum is wrong.
    MistypedSecret,
    /// There is no such key.
    Unknown,
    /// There is, and the secret is not good for it.
    Refused(ApiKeyRefusal),
}

impl ApiKeyFault {
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::MistypedKey => "The API key is mistyped or cut off: its checksum is wrong",
            Self::NoSecret => "The API key needs its secret: client_secret is missing",
            Self::MistypedSecret => "The API secret is mistyped or cut off: its checksum is wrong",
            // Whoever holds no secret does not learn which keys there are.
            Self::Unknown | Self::Refused(ApiKeyRefusal::WrongSecret) => {
                "The API key is unknown or its secret is wrong"
            }
            Self::Refused(ApiKeyRefusal::Replaced) => "The API secret was replaced by a new one",
            Self::Refused(ApiKeyRefusal::Expired) => "The API key has expired",
            Self::Refused(ApiKeyRefusal::Revoked) => "The API key was revoked",
        }
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::MistypedKey => "mistyped_api_key",
            Self::NoSecret => "no_api_secret",
            Self::MistypedSecret => "mistyped_api_secret",
            Self::Unknown => "unknown_api_key",
            Self::Refused(ApiKeyRefusal::WrongSecret) => "wrong_api_secret",
            Self::Refused(ApiKeyRefusal::Replaced) => "replaced_api_secret",
            Self::Refused(ApiKeyRefusal::Expired) => "expired_api_key",
            Self::Refused(ApiKeyRefusal::Revoked) => "revoked_api_key",
        }
    }
}

/// The API key that a request names as its client; `None` when it names something else.
pub(super) fn named<'a>(config: &Config, parameters: &'a Parameters) -> Option<&'a str> {
    let client_id = parameters.single("client_id").ok().flatten()?;
    let prefix = &config.api_keys.prefix;
    prefix.begins(ApiKeyPart::Key, client_id).then_some(client_id)
}

/// Exchanges the API key of this text for an access token.
pub(super) async fn exchange(
    state: &AppState,
    address: Option<IpAddr>,
    target: &RequestTarget,
    headers: &HeaderMap,
    parameters: &Parameters,
    key: &str,
) -> Result<Response, Refused> {
    let mut known = None;
    let outcome = Box::pin(issue(
        state, address, target, headers, parameters, key, &mut known,
    ))
    .await;
    outcome.map_err(|error| Refused {
        error,
        client_id: known,
        method: Some(METHOD),
    })
}

/// `known` is the id of the key, as soon as there is one.
async fn issue(
    state: &AppState,
    address: Option<IpAddr>,
    target: &RequestTarget,
    headers: &HeaderMap,
    parameters: &Parameters,
    key: &str,
    known: &mut Option<String>,
) -> Result<Response, TokenError> {
    let (config, now) = (state.config(), state.now());
    let (scope, secret) = read(config, headers, parameters, key)?;
    let secret = SecretDigest::of(secret);
    let found = state.store().api_key_by_text(key).await;
    let Some(key) = found.map_err(InternalError::from)? else {
        return Err(TokenError::ApiKey(ApiKeyFault::Unknown));
    };
    *known = Some(key.id.clone());
    let ends_at = key
        .prove(&secret, now)
        .map_err(|refusal| TokenError::ApiKey(ApiKeyFault::Refused(refusal)))?;
    let audiences = resources::requested(config, parameters).map_err(|_| TokenError::UnknownTarget)?;
    let granted = granted(&key, scope.as_ref())?;
    let proof = dpop::presented(state, headers, target, None, now)
        .await
        .map_err(TokenError::Proof)?;
    let facts = AccessTokenFacts {
        subject: Subject::ApiKey { ends_at },
        client_id: &key.id,
        scope: &granted,
        audiences: &audiences,
        algorithm: config
            .security
            .profile
            .access_token_algorithm(config.keys.algorithm),
        proof: proof.as_ref(),
    };
    let access = signed::access_token(state, facts, now)?;
    let audit = AuditEvent::new(now, AuditAction::TokenRequest, AuditOutcome::Success)
        .with_client(&*key.id)
        .with_ip_address(address)
        .with_method(METHOD);
    let exchanged = state
        .store()
        .exchange_api_key(&key.id, secret, access.record.clone(), audit)
        .await
        .map_err(InternalError::from)?;
    if exchanged {
        Ok(success(&TokenResponse::new(&access, &granted)))
    } else {
        // Between the look at the key and the record of its token somebody ended one of both.
        Err(TokenError::ApiKey(ApiKeyFault::Refused(ApiKeyRefusal::Revoked)))
    }
}

/// What the request asks for, and the secret; both have the form that they must have.
fn read<'a>(
    config: &Config,
    headers: &HeaderMap,
    parameters: &'a Parameters,
    key: &str,
) -> Result<(Option<ScopeSet>, &'a str), TokenError> {
    let refused = |error| TokenError::Client { error, basic: false };
    parameters
        .refuse_repeated(&resources::REPEATABLE)
        .map_err(|_| TokenError::Repeated)?;
    let parameter = |name| parameters.all(name).next();
    let several = headers.contains_key(header::AUTHORIZATION)
        || ["client_assertion", "client_assertion_type"]
            .into_iter()
            .any(|name| parameter(name).is_some());
    if several {
        return Err(refused(ClientAuthenticationError::SeveralMethods));
    }
    let grant_type = parameter("grant_type").ok_or(TokenError::Missing("grant_type is missing"))?;
    if GrantType::from_name(grant_type).ok_or(TokenError::UnsupportedGrantType)?
        != GrantType::ClientCredentials
    {
        return Err(TokenError::GrantNotAllowed);
    }
    if config.security.profile == SecurityProfile::Fapi2 {
        return Err(refused(ClientAuthenticationError::Method));
    }
    let prefix = &config.api_keys.prefix;
    let fault = |fault| move |_| TokenError::ApiKey(fault);
    prefix
        .check(ApiKeyPart::Key, key)
        .map_err(fault(ApiKeyFault::MistypedKey))?;
    let secret = parameter("client_secret").ok_or(TokenError::ApiKey(ApiKeyFault::NoSecret))?;
    prefix
        .check(ApiKeyPart::Secret, secret)
        .map_err(fault(ApiKeyFault::MistypedSecret))?;
    let scope = parameter("scope").map(ScopeSet::parse).transpose();
    Ok((scope.map_err(|_| TokenError::MalformedScope)?, secret))
}

/// What of `requested` the key has; all of it, when nothing is named.
fn granted(key: &ApiKey, requested: Option<&ScopeSet>) -> Result<ScopeSet, TokenError> {
    let granted = granting::for_itself(&narrow(requested.unwrap_or(&key.scope), &key.scope));
    if granted.is_empty() {
        Err(TokenError::Scope(ScopeRefusal::NothingToGrant))
    } else if granting::fits_into_a_token(&granted) {
        Ok(granted)
    } else {
        Err(TokenError::Scope(ScopeRefusal::TooLong))
    }
}
