//! What the API says of people, roles, organizations and sessions, member by member.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::domain::factor::Factor;
use crate::domain::instant;
use crate::domain::organization::Organization;
use crate::domain::page::Page;
use crate::domain::role::Role;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;

/// An account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDocument {
    id: String,
    email: String,
    name: String,
    user_type: &'static str,
    role_id: Option<String>,
    organization_id: Option<String>,
    fhir_user: Option<String>,
    practitioner_id: Option<String>,
    active: bool,
    created_at: String,
    /// What became of an invitation, where one was asked for just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<&'static str>,
}

impl UserDocument {
    /// With what became of an invitation.
    pub(super) const fn with_invitation(mut self, invitation: Option<&'static str>) -> Self {
        self.invitation = invitation;
        self
    }
}

impl From<User> for UserDocument {
    fn from(user: User) -> Self {
        Self {
            active: user.is_active(),
            id: user.id,
            email: user.email,
            name: user.name,
            user_type: user.user_type.as_str(),
            role_id: user.role.map(|role| role.id),
            organization_id: user.organization_id,
            fhir_user: user.fhir_user,
            practitioner_id: user.practitioner_id,
            created_at: instant::rfc3339(user.created_at),
            invitation: None,
        }
    }
}

/// A role.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoleDocument {
    id: String,
    name: String,
    built_in: bool,
    /// `null` for roles from before there were ceilings.
    scope: Option<String>,
    second_factor: &'static str,
    created_at: String,
}

impl From<Role> for RoleDocument {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            built_in: role.built_in,
            scope: role.ceiling.map(|ceiling| ceiling.to_string()),
            second_factor: role.second_factor.as_str(),
            created_at: instant::rfc3339(role.created_at),
        }
    }
}

/// An organization.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationDocument {
    id: String,
    name: String,
    second_factor: &'static str,
    created_at: String,
}

impl From<Organization> for OrganizationDocument {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            second_factor: organization.second_factor.as_str(),
            created_at: instant::rfc3339(organization.created_at),
        }
    }
}

/// A session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDocument {
    id: String,
    user_id: String,
    authenticated_at: String,
    last_seen_at: String,
    expires_at: String,
    methods: Vec<&'static str>,
    user_agent: Option<String>,
    ip_address: Option<String>,
}

impl From<Session> for SessionDocument {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            user_id: session.user_id,
            authenticated_at: instant::rfc3339(session.authenticated_at),
            last_seen_at: instant::rfc3339(session.last_seen_at),
            expires_at: instant::rfc3339(session.expires_at),
            methods: session.methods.iter().map(|method| method.as_str()).collect(),
            user_agent: session
                .user_agent
                .as_ref()
                .map(UserAgent::as_str)
                .map(String::from),
            ip_address: session.ip_address.map(|address| address.to_string()),
        }
    }
}

/// A second factor, without what is secret of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FactorDocument {
    id: String,
    kind: &'static str,
    name: String,
    created_at: String,
    last_used_at: Option<String>,
}

impl From<Factor> for FactorDocument {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id,
            kind: factor.kind.as_str(),
            name: factor.name,
            created_at: instant::rfc3339(factor.created_at),
            last_used_at: factor.last_used_at.map(instant::rfc3339),
        }
    }
}

#[derive(Serialize)]
struct List<D> {
    data: Vec<D>,
    page: PageDocument,
}

#[derive(Serialize)]
struct PageDocument {
    next: Option<String>,
    size: usize,
}

/// A page of a list; `size` is what was asked for.
pub(super) fn list<T, D: From<T> + Serialize>(page: Page<T>, size: usize) -> Response {
    Json(List {
        data: page.entries.into_iter().map(D::from).collect(),
        page: PageDocument {
            next: page.next.map(|cursor| cursor.encode()),
            size,
        },
    })
    .into_response()
}

/// A list that is never long, whole.
pub(super) fn all<T, D: From<T> + Serialize>(entries: Vec<T>) -> Response {
    let size = entries.len();
    list::<T, D>(Page { entries, next: None }, size)
}

/// One thing.
pub(super) fn one<D: Serialize>(document: D) -> Response {
    Json(document).into_response()
}

/// A thing that was made, which is at `path` from now on.
pub(super) fn created<D: Serialize>(document: D, path: &str) -> Response {
    let mut response = (StatusCode::CREATED, Json(document)).into_response();
    // An id has the characters of a header.
    if let Ok(location) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A thing that is gone.
pub(super) fn gone() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
