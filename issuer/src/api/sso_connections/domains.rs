//! `/auth/sso-connections/{id}/domains`: the domains whose people a connection signs in.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;

use crate::administration::{AdministrationError, sso_connections as service};
use crate::api::answer;
use crate::api::body::Members;
use crate::api::call::{ApiError, Call};
use crate::api::path_id;
use crate::api::query::ListQuery;
use crate::domain::instant;
use crate::domain::single_sign_on::ConnectionDomain;
use crate::outbound::Dns;
use crate::state::AppState;

/// A domain, and what its owner has to publish.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DomainDocument {
    domain: String,
    record_name: String,
    record_value: String,
    verified_at: Option<String>,
    verified_by: Option<&'static str>,
    created_at: String,
}

impl From<ConnectionDomain> for DomainDocument {
    fn from(domain: ConnectionDomain) -> Self {
        Self {
            record_name: domain.record_name(),
            domain: domain.domain.as_str().into(),
            record_value: domain.token,
            verified_at: domain.verified.map(|(at, _)| instant::rfc3339(at)),
            verified_by: domain.verified.map(|(_, by)| by.as_str()),
            created_at: instant::rfc3339(domain.created_at),
        }
    }
}

type Ids = Result<Path<(String, String)>, PathRejection>;

/// Claims a domain for a connection.
pub async fn add(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        let mut members = Members::read(&call.headers, body)?;
        let domain = members.text("domain").unwrap_or_default();
        let faults = members.faults();
        if !faults.is_empty() {
            return Err(AdministrationError::Invalid(faults).into());
        }
        let claimed = service::add_domain(state.store(), &actor, &id, &domain, state.now()).await?;
        let path = format!("{}/{id}/domains/{}", super::PATH, claimed.domain.as_str());
        Ok(answer::created(DomainDocument::from(claimed), &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Takes a domain from a connection.
pub async fn remove(State(state): State<AppState>, call: Call, ids: Ids) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let (id, domain) = path_ids(&call, ids)?;
        service::remove_domain(state.store(), &actor, &id, &domain, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Looks for the TXT record of a domain.
pub async fn verify(State(state): State<AppState>, call: Call, ids: Ids) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let (id, domain) = path_ids(&call, ids)?;
        let (dns, now) = (Dns::of_machine(), state.now());
        let verified = service::verify_domain(state.store(), &dns, &actor, &id, &domain, now).await?;
        Ok(answer::one(DomainDocument::from(verified)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Takes the caller's word that a domain is this organization's.
pub async fn take_word_for(State(state): State<AppState>, call: Call, ids: Ids) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let (id, domain) = path_ids(&call, ids)?;
        let verified = service::override_domain(state.store(), &actor, &id, &domain, state.now()).await?;
        Ok(answer::one(DomainDocument::from(verified)))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// The ids in the path of a call, which has no query.
pub(super) fn path_ids(call: &Call, ids: Ids) -> Result<(String, String), ApiError> {
    ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
    let Path(ids) = ids.map_err(|_| AdministrationError::NotFound)?;
    Ok(ids)
}
