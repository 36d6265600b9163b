//! Why a client is not registered, or its registration not shown or changed (RFC 7591 section 3.2.2, RFC 7592).

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::domain::audit_event::AuditEvent;
use crate::error::bearer::BearerError;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_error, json_internal};
use crate::extract::JsonBodyError;
use crate::registration::MetadataFault;
use crate::state::AppState;

/// When to come again while too many clients wait for their first token, in seconds.
const RETRY_AFTER_SECONDS: &str = "3600";

/// Why.
#[derive(Debug)]
pub enum RegistrationError {
    /// There is no dynamic registration here.
    Off,
    /// Another method; which ones there are.
    OtherMethod(&'static str),
    /// No initial access token or registration access token that opens this.
    Bearer(BearerError),
    /// No JSON.
    Body(JsonBodyError),
    /// A member that the client must not send (RFC 7592 section 2.2).
    ForbiddenMember,
    /// `client_id` or `client_secret` is not the client's own.
    NotItself,
    /// The metadata.
    Metadata(MetadataFault),
    /// Too many clients wait for their first token.
    Full,
    /// The issuer itself.
    Internal(InternalError),
}

impl RegistrationError {
    /// The reason for the audit trail; none where nobody tried to register.
    const fn audit_reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Off | Self::OtherMethod(_) | Self::Internal(_) => return None,
            Self::Bearer(error) => error.reason(),
            Self::Body(_) => "malformed_request",
            Self::ForbiddenMember => "forbidden_member",
            Self::NotItself => "another_client",
            Self::Metadata(fault) => fault.code().as_str(),
            Self::Full => "too_many_unused_clients",
        })
    }

    /// Records `event`, where there is something to record, and gives the answer.
    pub(super) async fn record_and_respond(&self, state: &AppState, event: AuditEvent) -> Response {
        if let Some(reason) = self.audit_reason()
            && let Err(failure) = state.record_refusal(event.with_reason(reason)).await
        {
            return json_internal(state.config(), &failure.into());
        }
        self.respond(state.config())
    }

    /// The answer.
    pub(super) fn respond(&self, config: &Config) -> Response {
        let refusal = |status, code, description: &'static str| json_error(config, status, code, description);
        match self {
            Self::Off => refusal(
                StatusCode::NOT_FOUND,
                OAuthErrorCode::InvalidRequest,
                "This server does not let clients register themselves",
            ),
            Self::OtherMethod(description) => refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                OAuthErrorCode::InvalidRequest,
                description,
            ),
            Self::Bearer(error) => match error.respond(config, &HeaderMap::new()) {
                Ok(response) => with_first_challenge(response),
                Err(failure) => json_internal(config, &failure),
            },
            Self::Body(error) => refusal(
                error.status(),
                OAuthErrorCode::InvalidClientMetadata,
                error.description(),
            ),
            Self::ForbiddenMember => refusal(
                StatusCode::BAD_REQUEST,
                OAuthErrorCode::InvalidRequest,
                "The request must not hold registration_access_token, registration_client_uri, client_id_issued_at or \
                 client_secret_expires_at",
            ),
            Self::NotItself => refusal(
                StatusCode::BAD_REQUEST,
                OAuthErrorCode::InvalidClientMetadata,
                "client_id must be the client's own, and so must client_secret if it is given",
            ),
            Self::Metadata(fault) => {
                json_error(config, StatusCode::BAD_REQUEST, fault.code(), fault.description())
            }
            Self::Full => {
                let mut response = refusal(
                    StatusCode::SERVICE_UNAVAILABLE,
                    OAuthErrorCode::TemporarilyUnavailable,
                    "Too many clients have registered and not been used yet",
                );
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
                response
            }
            Self::Internal(error) => json_internal(config, error),
        }
    }
}

/// Only Bearer, which comes first, opens this: the tokens of registration are bound to no key.
fn with_first_challenge(mut response: Response) -> Response {
    if let Some(bearer) = response.headers().get(header::WWW_AUTHENTICATE).cloned() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}

impl From<BearerError> for RegistrationError {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

impl From<MetadataFault> for RegistrationError {
    fn from(fault: MetadataFault) -> Self {
        Self::Metadata(fault)
    }
}

impl From<InternalError> for RegistrationError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}
