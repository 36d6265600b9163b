//! A call of the API: who calls, and how it ends.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

use crate::administration::sso_connections::ConnectionError;
use crate::administration::{Actor, AdministrationError, FieldFault, Permission, Refusal, record_refusal};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::error::problem::{problem, problem_bearer, problem_errors, problem_internal};
use crate::extract::{ClientAddress, RequestTarget};
use crate::state::AppState;

use super::authorization::authorize;
use super::body::BodyFault;

const UNREADABLE: &str = "The request cannot be read";
const REFUSED: &str = "This cannot be done";

/// What of a request is not its path and its body.
#[derive(Debug)]
pub struct Call {
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its query.
    pub(super) query: Option<String>,
    target: RequestTarget,
    ip_address: Option<IpAddr>,
    changes: bool,
}

/// Why a call of somebody who may administrate fails.
#[derive(Debug)]
pub(super) enum ApiError {
    /// Its query has faults.
    Query(Vec<FieldFault>),
    /// Its body cannot be read.
    Body(BodyFault),
    /// It cannot be done.
    Administration(AdministrationError),
    /// It cannot be done with a connection.
    Connection(ConnectionError),
}

impl From<ConnectionError> for ApiError {
    fn from(error: ConnectionError) -> Self {
        Self::Connection(error)
    }
}

impl From<AdministrationError> for ApiError {
    fn from(error: AdministrationError) -> Self {
        Self::Administration(error)
    }
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        Self::Body(fault)
    }
}

impl<S> FromRequestParts<S> for Call
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let ClientAddress(ip_address) = ClientAddress::from_request_parts(parts, state).await?;
        Ok(Self {
            target: RequestTarget::from_request_parts(parts, state).await?,
            ip_address,
            headers: parts.headers.clone(),
            query: parts.uri.query().map(String::from),
            changes: !matches!(parts.method, Method::GET | Method::HEAD),
        })
    }
}

impl Call {
    /// Who calls, if they may: look with `__administration.read`, change with `__administration.write`. Otherwise the answer
    /// that says why not, which is recorded.
    pub(super) async fn authorize(&self, state: &AppState) -> Result<Actor, Response> {
        let permission = if self.changes {
            Permission::Write
        } else {
            Permission::Read
        };
        let authorized = authorize(state, &self.target, &self.headers, self.ip_address, permission).await;
        let error = match authorized {
            Ok(Ok(actor)) => return Ok(actor),
            Ok(Err(error)) => error,
            Err(failure) => return Err(problem_internal(&failure)),
        };
        let audit = AuditEvent::new(state.now(), AuditAction::Administration, AuditOutcome::Failure)
            .with_ip_address(self.ip_address)
            .with_method("api")
            .with_reason(error.reason());
        match state.record_refusal(audit).await {
            Ok(()) => Err(problem_bearer(state.config(), &self.headers, error)),
            Err(failure) => Err(problem_internal(&failure.into())),
        }
    }

    /// The answer to the call. Where something was to be changed and is not, that is recorded.
    pub(super) async fn finish(
        &self,
        state: &AppState,
        actor: &Actor,
        outcome: Result<Response, ApiError>,
    ) -> Response {
        let error = match outcome {
            Ok(response) => return response,
            Err(error) => error,
        };
        let reason = match &error {
            ApiError::Query(_) | ApiError::Body(_) => Some("malformed_request"),
            ApiError::Administration(error) => error.reason(),
            ApiError::Connection(error) => error.reason(),
        };
        if let Some(reason) = reason.filter(|_| self.changes)
            && let Err(failure) = record_refusal(state, actor, reason).await
        {
            return problem_internal(&failure);
        }
        respond(error)
    }
}

fn respond(error: ApiError) -> Response {
    match error {
        ApiError::Query(faults) => problem_errors(
            StatusCode::BAD_REQUEST,
            UNREADABLE,
            "The query has parameters that cannot be as they are",
            &faults,
        ),
        ApiError::Body(fault) => problem(
            fault.status(),
            UNREADABLE,
            Some(Cow::Borrowed(fault.description())),
        ),
        ApiError::Administration(error) => {
            let description = error.description();
            let status = match error {
                AdministrationError::Invalid(faults) => {
                    return problem_errors(StatusCode::UNPROCESSABLE_ENTITY, REFUSED, description, &faults);
                }
                AdministrationError::Taken(field) => {
                    let fault = FieldFault::of_unknown(field, "is taken already");
                    return problem_errors(StatusCode::CONFLICT, REFUSED, description, &[fault]);
                }
                AdministrationError::Internal(failure) => return problem_internal(&failure),
                AdministrationError::NotFound => StatusCode::NOT_FOUND,
                AdministrationError::BeyondOwnRole | AdministrationError::OwnFactors => StatusCode::FORBIDDEN,
                AdministrationError::LastAdministrator
                | AdministrationError::BuiltIn
                | AdministrationError::ChangedMeanwhile
                | AdministrationError::InUse => StatusCode::CONFLICT,
            };
            problem(status, REFUSED, Some(Cow::Borrowed(description)))
        }
        ApiError::Connection(error) => respond_about_connection(error),
    }
}

fn respond_about_connection(error: ConnectionError) -> Response {
    let text = error.to_string();
    let member = |status, field: &str, detail: String| {
        let fault = FieldFault::of_unknown(field, detail);
        problem_errors(status, REFUSED, "A member cannot be as it is", &[fault])
    };
    let status = match error {
        ConnectionError::Invalid { field, detail } => {
            return member(StatusCode::UNPROCESSABLE_ENTITY, field, detail);
        }
        ConnectionError::Taken(field) => return member(StatusCode::CONFLICT, field, text),
        ConnectionError::Provider(_) => return member(StatusCode::UNPROCESSABLE_ENTITY, "issuer", text),
        ConnectionError::Internal(failure) => return problem_internal(&failure),
        ConnectionError::NotFound => StatusCode::NOT_FOUND,
        ConnectionError::BeyondOwnRole => StatusCode::FORBIDDEN,
        ConnectionError::NotAttested | ConnectionError::NoRecord { .. } => StatusCode::CONFLICT,
        ConnectionError::Dns(_) => StatusCode::BAD_GATEWAY,
    };
    problem(status, REFUSED, Some(Cow::Owned(text)))
}

/// Answers every other method.
pub(super) async fn other_method() -> Response {
    let detail = Cow::Borrowed("The methods that are allowed here are in the header Allow");
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "The method is not allowed",
        Some(detail),
    )
}
