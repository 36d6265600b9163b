//! Why a token request is refused.

use axum::response::Response;
use http::StatusCode;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::endpoints::client_authentication::ClientAuthenticationError;
use crate::error::dpop::ProofRefusal;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_client_challenge, json_error, json_internal, json_unavailable};
use crate::extract::FormError;

use super::api_key::ApiKeyFault;
use super::foreign_token::ForeignTokenFault;
use super::token_exchange::ExchangeRefusal;

/// A reason.
#[derive(Debug)]
pub(super) enum TokenError {
    /// The body is no form.
    Form(FormError),
    /// The client is not authenticated.
    Client {
        error: ClientAuthenticationError,
        /// Whether it tried by the `Authorization` header.
        basic: bool,
    },
    /// The API key is not proved.
    ApiKey(ApiKeyFault),
    /// A parameter is repeated.
    Repeated,
    /// A parameter is missing; the sentence says which.
    Missing(&'static str),
    /// `scope` is not a list of scopes.
    MalformedScope,
    /// There is no such grant type here.
    UnsupportedGrantType,
    /// The client is not registered for the grant type, or may not use it at all.
    GrantNotAllowed,
    /// The code or refresh token is not good.
    Grant(InvalidGrant),
    /// A token that somebody else signed is not good.
    Foreign(ForeignTokenFault),
    /// A token cannot be exchanged.
    Exchange(ExchangeRefusal),
    /// A device gets no tokens yet, or none at all.
    Device(DeviceRefusal),
    /// More was asked for than can be given, or nothing can be.
    Scope(ScopeRefusal),
    /// `resource`, `audience` or `aud` names something else than the grant covers.
    UnknownTarget,
    /// The DPoP proof is missing or not good.
    Proof(ProofRefusal),
    /// The reason inside, which the store has recorded already together with what follows from it.
    Recorded(Box<Self>),
    /// The issuer itself failed.
    Internal(InternalError),
}

/// What is wrong with a code or a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidGrant {
    /// There is no such code, it expired, or it was issued to another client.
    Code,
    /// The code was used before; what it gave is revoked.
    CodeReplayed,
    /// `redirect_uri` is not that of the authorization request.
    RedirectUri,
    /// `code_verifier` is missing.
    NoVerifier,
    /// `code_verifier` came although the authorization request had no challenge (RFC 9700 section 2.1.1).
    UnexpectedVerifier,
    /// `code_verifier` is not the one behind the challenge.
    Verifier,
    /// There is no such refresh token, it is over, or it was issued to another client.
    RefreshToken,
    /// The refresh token was superseded and came again too late; its whole family is over.
    RefreshTokenReplayed,
    /// The session in which access was given is over.
    SessionEnded,
    /// The code or refresh token is bound to a key, and the request has no DPoP proof made with it (RFC 9449 sections 5, 10).
    Key,
    /// There is no such device code, its tokens were fetched before, or it was issued to another client.
    DeviceCode,
}

/// Why a device gets no tokens (RFC 8628 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceRefusal {
    /// Nobody has answered yet.
    Pending,
    /// Nobody has answered yet, and the device asks too often.
    TooSoon,
    /// The person said no.
    Denied,
    /// It took too long.
    Expired,
}

impl DeviceRefusal {
    const fn code(self) -> OAuthErrorCode {
        match self {
            Self::Pending => OAuthErrorCode::AuthorizationPending,
            Self::TooSoon => OAuthErrorCode::SlowDown,
            Self::Denied => OAuthErrorCode::AccessDenied,
            Self::Expired => OAuthErrorCode::ExpiredToken,
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Pending => "The person has not answered yet",
            Self::TooSoon => "The person has not answered yet; wait five seconds longer between two requests",
            Self::Denied => "The person did not allow the access",
            Self::Expired => "The device code has expired",
        }
    }
}

/// What is wrong with the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeRefusal {
    /// The client may have none of it for itself.
    NothingToGrant,
    /// The client may have none of it in this person's name.
    NothingForPerson,
    /// More than a token has room for.
    TooLong,
    /// A refresh asks for more than was granted.
    Wider,
}

impl InvalidGrant {
    const fn description(self) -> &'static str {
        match self {
            Self::Code => "The code is unknown, has expired, or was issued to another client",
            Self::CodeReplayed => "The code was used before; all tokens issued from it are revoked",
            Self::RedirectUri => "redirect_uri is not that of the authorization request",
            Self::NoVerifier => "code_verifier is missing",
            Self::UnexpectedVerifier => {
                "code_verifier came although the authorization request had no code_challenge"
            }
            Self::Verifier => "code_verifier does not match the code_challenge",
            Self::RefreshToken => "The refresh token is unknown, is over, or was issued to another client",
            Self::RefreshTokenReplayed => {
                "The refresh token was used before; all tokens of its grant are revoked"
            }
            Self::SessionEnded => "The session in which access was given is over",
            Self::Key => {
                "The code or refresh token is bound to a key: the request needs a DPoP proof made with it"
            }
            Self::DeviceCode => {
                "The device code is unknown, was used before, or was issued to another client"
            }
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Code => "invalid_code",
            Self::CodeReplayed => "code_replayed",
            Self::RedirectUri => "redirect_uri_mismatch",
            Self::NoVerifier => "no_code_verifier",
            Self::UnexpectedVerifier => "unexpected_code_verifier",
            Self::Verifier => "code_verifier_mismatch",
            Self::RefreshToken => "invalid_refresh_token",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::SessionEnded => "session_ended",
            Self::Key => "dpop_key_mismatch",
            Self::DeviceCode => "invalid_device_code",
        }
    }
}

impl From<InvalidGrant> for TokenError {
    fn from(error: InvalidGrant) -> Self {
        Self::Grant(error)
    }
}

impl From<InternalError> for TokenError {
    fn from(error: InternalError) -> Self {
        if error.is_replayed_proof() {
            Self::Proof(ProofRefusal::Replayed)
        } else {
            Self::Internal(error)
        }
    }
}

impl TokenError {
    /// The reason for the audit trail; none when nothing is to be recorded here: the store has recorded it with its
    /// consequences, or a failure of the issuer itself says nothing of the client.
    pub(super) const fn audit_reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Form(_) => "malformed_request",
            Self::Client { error, .. } => error.reason(),
            Self::ApiKey(fault) => fault.reason(),
            Self::Repeated => "repeated_parameter",
            Self::Missing(_) => "missing_parameter",
            Self::MalformedScope => "malformed_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::GrantNotAllowed => "unauthorized_client",
            Self::Grant(grant) => grant.reason(),
            Self::Foreign(fault) => return fault.reason(),
            Self::Exchange(refusal) => refusal.reason(),
            Self::Device(DeviceRefusal::Denied) => "access_denied",
            Self::Device(DeviceRefusal::Expired) => "expired_token",
            Self::Scope(
                ScopeRefusal::NothingToGrant
                | ScopeRefusal::NothingForPerson
                | ScopeRefusal::TooLong
                | ScopeRefusal::Wider,
            ) => "invalid_scope",
            Self::UnknownTarget => "invalid_target",
            Self::Proof(refusal) => return refusal.reason(),
            // A device asks every few seconds; that it still waits is no news.
            Self::Recorded(_)
            | Self::Internal(_)
            | Self::Device(DeviceRefusal::Pending | DeviceRefusal::TooSoon) => return None,
        })
    }

    /// The answer (RFC 6749 section 5.2).
    pub(super) fn respond(&self, config: &Config) -> Response {
        let bad_request = |code, description| json_error(config, StatusCode::BAD_REQUEST, code, description);
        match self {
            Self::Form(error) => json_error(
                config,
                error.status(),
                OAuthErrorCode::InvalidRequest,
                error.description(),
            ),
            Self::Client { error, .. } if error.is_malformed_request() => {
                bad_request(OAuthErrorCode::InvalidRequest, error.description())
            }
            Self::Client { error, basic: true } => json_client_challenge(config, error.description()),
            Self::Client { error, basic: false } => json_error(
                config,
                StatusCode::UNAUTHORIZED,
                OAuthErrorCode::InvalidClient,
                error.description(),
            ),
            Self::ApiKey(fault) => json_error(
                config,
                StatusCode::UNAUTHORIZED,
                OAuthErrorCode::InvalidClient,
                fault.description(),
            ),
            Self::Repeated => bad_request(OAuthErrorCode::InvalidRequest, "A parameter is repeated"),
            Self::Missing(description) => bad_request(OAuthErrorCode::InvalidRequest, description),
            Self::MalformedScope => bad_request(
                OAuthErrorCode::InvalidScope,
                "scope must be a list of scopes with one space between two of them",
            ),
            Self::UnsupportedGrantType => bad_request(
                OAuthErrorCode::UnsupportedGrantType,
                "grant_type must be one of grant_types_supported in the metadata of this server",
            ),
            Self::GrantNotAllowed => bad_request(
                OAuthErrorCode::UnauthorizedClient,
                "The client may not use this grant type",
            ),
            Self::Grant(grant) => bad_request(OAuthErrorCode::InvalidGrant, grant.description()),
            Self::Foreign(fault) if fault.is_undecided() => json_unavailable(config, fault.description()),
            Self::Foreign(fault) => bad_request(OAuthErrorCode::InvalidGrant, fault.description()),
            Self::Exchange(refusal) => bad_request(OAuthErrorCode::InvalidRequest, refusal.description()),
            Self::Device(refusal) => bad_request(refusal.code(), refusal.description()),
            Self::Scope(ScopeRefusal::NothingToGrant) => bad_request(
                OAuthErrorCode::InvalidScope,
                "The client may have none of the requested scopes for itself",
            ),
            Self::Scope(ScopeRefusal::NothingForPerson) => bad_request(
                OAuthErrorCode::InvalidScope,
                "The client may have none of the requested scopes in the name of this person",
            ),
            Self::Scope(ScopeRefusal::TooLong) => bad_request(
                OAuthErrorCode::InvalidScope,
                "The scopes are too many for a token: ask for fewer, or for broader ones",
            ),
            Self::Scope(ScopeRefusal::Wider) => {
                bad_request(OAuthErrorCode::InvalidScope, "scope goes beyond what was granted")
            }
            Self::UnknownTarget => bad_request(
                OAuthErrorCode::InvalidTarget,
                "resource, audience and aud must name resources that the grant covers",
            ),
            Self::Proof(refusal) => bad_request(refusal.code(), refusal.description()),
            Self::Recorded(error) => error.respond(config),
            Self::Internal(error) => json_internal(config, error),
        }
    }
}
