//! How endpoints that a client calls itself begin: a form, a client that authenticates as at the token endpoint, and no
//! parameter twice. And how they refuse: with a line in the audit trail, then in the words of OAuth.

use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::config::Config;
use crate::domain::audit_event::AuditEvent;
use crate::error::internal::InternalError;
use crate::error::json_body::{json_client_challenge, json_error, json_internal};
use crate::extract::{Form, FormError, Parameters};
use crate::state::AppState;

use super::client_authentication::{
    AuthenticatedClient, ClientAuthenticationError, NamedClient, authenticate, named_client,
};
use super::resources::REPEATABLE;

/// A request whose client is known.
#[derive(Debug)]
pub struct ClientRequest {
    /// Who calls.
    pub client: AuthenticatedClient,
    /// What they sent; nothing is repeated but resources.
    pub parameters: Parameters,
}

/// Why such an endpoint refuses.
pub trait Refusal {
    /// The reason for the audit trail; none when the issuer itself failed, which says nothing of the client.
    fn audit_reason(&self) -> Option<&'static str>;
    /// Adds the client that the request names, where that is known, to an audit event.
    fn name_in(&self, event: AuditEvent) -> AuditEvent;
    /// The answer.
    fn respond(&self, config: &Config) -> Response;
}

/// Records a refusal as the failure that `event` begins to tell of, and answers with it.
pub async fn refuse(state: &AppState, event: AuditEvent, refusal: &impl Refusal) -> Response {
    if let Some(reason) = refusal.audit_reason() {
        let event = refusal.name_in(event.with_reason(reason));
        if let Err(failure) = state.record_refusal(event).await {
            return json_internal(state.config(), &failure.into());
        }
    }
    refusal.respond(state.config())
}

/// Why there is no such request.
#[derive(Debug)]
pub enum ClientRequestError {
    /// The body is no form.
    Form(FormError),
    /// The client is not authenticated.
    Client {
        /// Why.
        error: ClientAuthenticationError,
        /// Whether it tried by the `Authorization` header.
        basic: bool,
        /// Whom it named, for the audit trail.
        named: Option<NamedClient>,
    },
    /// A parameter is repeated.
    Repeated {
        /// Who sent it.
        client: NamedClient,
    },
    /// The issuer itself failed.
    Internal(InternalError),
}

impl ClientRequest {
    /// Reads a request up to the point where its client is known.
    ///
    /// # Errors
    /// [`ClientRequestError`].
    pub async fn read(
        state: &AppState,
        headers: &HeaderMap,
        form: Result<Form, FormError>,
    ) -> Result<Self, ClientRequestError> {
        let Form(parameters) = form.map_err(ClientRequestError::Form)?;
        let client = match authenticate(state, headers, &parameters)
            .await
            .map_err(ClientRequestError::Internal)?
        {
            Ok(client) => client,
            Err(error) => {
                let named = named_client(state, headers, &parameters).await;
                return Err(ClientRequestError::Client {
                    error,
                    basic: headers.contains_key(header::AUTHORIZATION),
                    named: named.map_err(ClientRequestError::Internal)?,
                });
            }
        };
        if parameters.refuse_repeated(&REPEATABLE).is_err() {
            return Err(ClientRequestError::Repeated {
                client: NamedClient {
                    client_id: client.client().client_id.clone(),
                    method: Some(client.method()),
                },
            });
        }
        Ok(Self { client, parameters })
    }
}

impl Refusal for ClientRequestError {
    fn name_in(&self, event: AuditEvent) -> AuditEvent {
        let client = match self {
            Self::Repeated { client } => Some(client),
            Self::Client { named, .. } => named.as_ref(),
            Self::Form(_) | Self::Internal(_) => None,
        };
        match client {
            Some(client) => client.clone().name_in(event),
            None => event,
        }
    }

    fn audit_reason(&self) -> Option<&'static str> {
        match self {
            Self::Form(_) => Some("malformed_request"),
            Self::Client { error, .. } => Some(error.reason()),
            Self::Repeated { .. } => Some("repeated_parameter"),
            Self::Internal(_) => None,
        }
    }

    /// RFC 6749 section 5.2.
    fn respond(&self, config: &Config) -> Response {
        let bad_request = |description| {
            json_error(
                config,
                StatusCode::BAD_REQUEST,
                OAuthErrorCode::InvalidRequest,
                description,
            )
        };
        match self {
            Self::Form(error) => json_error(
                config,
                error.status(),
                OAuthErrorCode::InvalidRequest,
                error.description(),
            ),
            Self::Client { error, .. } if error.is_malformed_request() => bad_request(error.description()),
            Self::Client {
                error, basic: true, ..
            } => json_client_challenge(config, error.description()),
            Self::Client {
                error, basic: false, ..
            } => json_error(
                config,
                StatusCode::UNAUTHORIZED,
                OAuthErrorCode::InvalidClient,
                error.description(),
            ),
            Self::Repeated { .. } => bad_request("A parameter is repeated"),
            Self::Internal(error) => json_internal(config, error),
        }
    }
}
