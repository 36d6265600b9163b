//! `/auth/sso-connections`: connections to identity providers; `/auth/sso/explain`: what happens with an address. A client
//! secret is taken and never shown.

mod description;
pub mod domains;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::administration::sso_connections::{self as service, ConnectionError, ConnectionRequest, Tools};
use crate::administration::{Actor, AdministrationError};
use crate::domain::instant;
use crate::domain::page::{Page, PageRequest};
use crate::domain::single_sign_on::{ClientCredential, Connection, ConnectionDomain, RoleRule};
use crate::single_sign_on::CALLBACK_PATH;
use crate::state::AppState;
use crate::store::Store;

use super::answer;
use super::body::Members;
use super::call::{ApiError, Call};
use super::path_id;
use super::query::ListQuery;

pub use description::describe;

use domains::DomainDocument;

/// Where the list is.
pub const PATH: &str = "/auth/sso-connections";

/// A connection without its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionDocument {
    id: String,
    name: String,
    preset: &'static str,
    issuer: String,
    client_id: String,
    client_authentication: &'static str,
    has_client_secret: bool,
    redirect_uri: String,
    scopes: Vec<String>,
    required_amr: Vec<String>,
    required_acr: Vec<String>,
    unknown_people: &'static str,
    default_role_id: Option<String>,
    role_rules: Vec<RuleDocument>,
    grants_administration: bool,
    mfa_attested_at: Option<String>,
    mfa_attested_by: Option<String>,
    enabled: bool,
    checked_at: String,
    created_at: String,
    domains: Vec<DomainDocument>,
}

/// A rule for roles.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleDocument {
    claim: String,
    value: String,
    role_id: String,
}

impl ConnectionDocument {
    fn of(state: &AppState, connection: Connection, domains: Vec<ConnectionDomain>) -> Self {
        let settings = connection.settings;
        let attestation = connection.mfa_attestation;
        let rules = settings.role_rules.into_iter().map(|rule| RuleDocument {
            claim: rule.claim,
            value: rule.value,
            role_id: rule.role,
        });
        Self {
            id: connection.id,
            name: settings.name,
            preset: settings.preset.as_str(),
            issuer: settings.issuer,
            client_id: settings.client_id,
            client_authentication: settings.credential.method(),
            has_client_secret: settings.credential != ClientCredential::None,
            redirect_uri: state.config().server.public_url.join(CALLBACK_PATH),
            scopes: settings.scopes,
            required_amr: settings.required_amr,
            required_acr: settings.required_acr,
            unknown_people: settings.unknown_people.as_str(),
            default_role_id: settings.default_role,
            role_rules: rules.collect(),
            grants_administration: settings.grants_administration,
            mfa_attested_at: attestation
                .as_ref()
                .map(|attestation| instant::rfc3339(attestation.at)),
            mfa_attested_by: attestation.map(|attestation| attestation.by),
            enabled: connection.enabled,
            checked_at: instant::rfc3339(connection.checked_at),
            created_at: instant::rfc3339(connection.created_at),
            domains: domains.into_iter().map(DomainDocument::from).collect(),
        }
    }
}

/// The answer to what happens with an address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplanationDocument {
    way_in: &'static str,
    connection_id: Option<String>,
    steps: Vec<String>,
}

/// Lists every connection; there are few, so that is one page.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
        let connections = service::list(state.store()).await?;
        let domains = state.store().sso_domains(None).await;
        let domains = domains.map_err(AdministrationError::from)?;
        let entries = connections.into_iter().map(|connection| {
            let is_own = |domain: &&ConnectionDomain| domain.connection_id == connection.id;
            let own = domains.iter().filter(is_own).cloned().collect();
            ConnectionDocument::of(&state, connection, own)
        });
        let page = Page {
            entries: entries.collect(),
            next: None,
        };
        Ok(answer::list::<_, ConnectionDocument>(
            page,
            PageRequest::LARGEST_SIZE,
        ))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Makes a connection, disabled.
pub async fn create(
    State(state): State<AppState>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        ListQuery::none(call.query.as_deref()).map_err(ApiError::Query)?;
        let request = read(Members::read(&call.headers, body)?)?;
        let made = service::create(Tools::of(&state), &actor, &request, state.now()).await?;
        let path = format!("{PATH}/{}", made.id);
        let document = ConnectionDocument::of(&state, made, Vec::new());
        Ok(answer::created(document, &path))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Shows a connection with its domains.
pub async fn get(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        shown(&state, &id).await
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Changes a connection: its provider is asked anew.
pub async fn change(
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
        let request = read(Members::read(&call.headers, body)?)?;
        let changed = service::change(Tools::of(&state), &actor, &id, &request, state.now()).await?;
        shown(&state, &changed.id).await
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Removes a connection.
pub async fn remove(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(&call, id)?;
        service::remove(state.store(), &actor, &id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Records the caller's word that the provider asks everybody for more than one factor.
pub async fn attest_mfa(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    turn(&state, &call, id, service::attest_mfa).await
}

/// Lets people be sent to the provider.
pub async fn enable(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    turn(&state, &call, id, service::enable).await
}

/// Sends nobody to the provider any more.
pub async fn disable(
    State(state): State<AppState>,
    call: Call,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    turn(&state, &call, id, service::disable).await
}

/// Forgets who a person is at the provider: their next sign-in there links them anew.
pub async fn unlink(
    State(state): State<AppState>,
    call: Call,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let (id, user_id) = domains::path_ids(&call, ids)?;
        service::unlink_user(state.store(), &actor, &id, &user_id, state.now()).await?;
        Ok(answer::gone())
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Says step by step what happens when the address `email` is typed.
pub async fn explain(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::only_filters(call.query.as_deref(), &["email"]).map_err(ApiError::Query)?;
        let missing = || ConnectionError::invalid("email", "is missing");
        let email = query.filter("email").ok_or_else(missing)?;
        let explanation = service::explain(state.store(), &email).await?;
        Ok(answer::one(ExplanationDocument {
            way_in: explanation.way_in.as_str(),
            connection_id: explanation.connection_id,
            steps: explanation.steps,
        }))
    };
    call.finish(&state, &actor, outcome.await).await
}

/// Does `turn` to the connection of the path, and shows it.
async fn turn(
    state: &AppState,
    call: &Call,
    id: Result<Path<String>, PathRejection>,
    turn: impl AsyncFn(&Store, &Actor, &str, Timestamp) -> Result<Connection, ConnectionError>,
) -> Response {
    let actor = match call.authorize(state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let id = path_id(call, id)?;
        let turned = turn(state.store(), &actor, &id, state.now()).await?;
        shown(state, &turned.id).await
    };
    call.finish(state, &actor, outcome.await).await
}

async fn shown(state: &AppState, id: &str) -> Result<Response, ApiError> {
    let (connection, domains) = service::get(state.store(), id).await?;
    Ok(answer::one(ConnectionDocument::of(state, connection, domains)))
}

fn read(mut members: Members) -> Result<ConnectionRequest, ApiError> {
    let (region, pool) = (members.text("region"), members.text("userPoolId"));
    if region.is_some() != pool.is_some() {
        let lacking = if region.is_some() { "userPoolId" } else { "region" };
        members.fault::<()>(lacking, "is missing: region and userPoolId go together");
    }
    let request = ConnectionRequest {
        name: members.text("name"),
        preset: members.text("preset"),
        issuer: members.text("issuer"),
        tenant_id: members.text("tenantId"),
        user_pool: region.zip(pool),
        client_id: members.text("clientId"),
        client_secret: members.text("clientSecret").map(Secret::new),
        client_authentication: members.text("clientAuthentication"),
        scopes: members.texts("scopes"),
        required_amr: members.texts("requiredAmr"),
        required_acr: members.texts("requiredAcr"),
        unknown_people: members.text("unknownPeople"),
        default_role: members.removable("defaultRoleId"),
        role_rules: rules(&mut members),
        grants_administration: members.boolean("grantsAdministration"),
    };
    match members.faults() {
        faults if faults.is_empty() => Ok(request),
        faults => Err(AdministrationError::Invalid(faults).into()),
    }
}

fn rules(members: &mut Members) -> Option<Vec<RoleRule>> {
    let rules = match members.any("roleRules")? {
        Value::Array(rules) => rules.into_iter().map(rule).collect(),
        Value::Null | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Object(_) => None,
    };
    rules.or_else(|| {
        members.fault(
            "roleRules",
            "must be a list of objects of the texts claim, value and roleId",
        )
    })
}

fn rule(value: Value) -> Option<RoleRule> {
    let Value::Object(mut members) = value else {
        return None;
    };
    let mut text = |name| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let rule = RoleRule {
        claim: text("claim")?,
        value: text("value")?,
        role: text("roleId")?,
    };
    members.is_empty().then_some(rule)
}

#[cfg(test)]
mod tests;
