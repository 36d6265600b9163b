//! Whose account a person at a provider opens.

use serde_json::Value;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::role::{self, Role};
use crate::domain::single_sign_on::{Connection, UnknownPeople};
use crate::domain::user::{Profile, User, UserType};
use crate::error::internal::InternalError;
use crate::rng;
use crate::state::AppState;
use crate::store::{ProvidedAccount, ProvidedIdentity};

use super::fault::SsoFault;
use super::id_token::Identity;

/// The account of `identity`, or why there is none, with the account it is about. `audit` is the line of the sign-in.
///
/// # Errors
/// Inside the `Ok`: the reason. Outside: what the store could not do.
pub(super) async fn find(
    state: &AppState,
    connection: &Connection,
    identity: &Identity,
    audit: AuditEvent,
) -> Result<Result<User, (SsoFault, Option<String>)>, InternalError> {
    let settings = &connection.settings;
    let role = match settings.role_for(&identity.claims) {
        Some(role_id) => permitted_role(state, connection, role_id).await?,
        None => None,
    };
    let role_of_strangers = match (&role, &settings.default_role) {
        (Some(role), _) => Some(role.clone()),
        (None, Some(role_id)) => permitted_role(state, connection, role_id).await?,
        (None, None) => None,
    };
    // No role stands for everything but administration: nobody gets that by chance.
    let (new_account, without_account) = match (settings.unknown_people, role_of_strangers) {
        (UnknownPeople::Refuse, _) => (None, SsoFault::NoAccount),
        (UnknownPeople::Create, None) => (None, SsoFault::NoRole),
        (UnknownPeople::Create, Some(role)) => {
            (Some(new_account(identity, role, audit.at)?), SsoFault::NoAccount)
        }
    };
    let provided = ProvidedIdentity {
        connection_id: connection.id.clone(),
        subject: identity.subject.clone(),
        email: identity.email.clone(),
        role_id: role.map(|role| role.id),
        grants_administration: settings.grants_administration,
        new_account,
    };
    Ok(match state.store().provided_account(provided, audit).await? {
        ProvidedAccount::Person(user) => Ok(*user),
        ProvidedAccount::ForeignDomain => Err((SsoFault::ForeignDomain, None)),
        ProvidedAccount::None => Err((without_account, None)),
        ProvidedAccount::Deactivated(user_id) => Err((SsoFault::Deactivated, Some(user_id))),
        ProvidedAccount::AnotherSubject(user_id) => Err((SsoFault::AnotherSubject, Some(user_id))),
    })
}

/// The account of somebody who is here for the first time.
fn new_account(identity: &Identity, role: Role, now: Timestamp) -> Result<User, InternalError> {
    Ok(User {
        id: rng::identifier("user-")?,
        email: identity.email.clone(),
        name: name(identity),
        password_hash: None,
        user_type: if role.id == role::PATIENT {
            UserType::Patient
        } else {
            UserType::Builder
        },
        role: Some(role),
        fhir_user: None,
        practitioner_id: None,
        organization_id: None,
        profile: Profile {
            updated_at: Some(now.seconds()),
            ..Profile::default()
        },
        created_at: now,
        deactivated_at: None,
    })
}

/// The role of this id, unless it is gone, or makes administrators and the connection may not.
async fn permitted_role(
    state: &AppState,
    connection: &Connection,
    role_id: &str,
) -> Result<Option<Role>, InternalError> {
    let role = state.store().role(role_id).await?;
    let permitted =
        role.filter(|role| connection.settings.grants_administration || !role.is_administrative());
    if permitted.is_none() {
        tracing::warn!(
            connection = connection.id,
            role_id,
            "a connection names a role that it cannot give"
        );
    }
    Ok(permitted)
}

/// What a new person is called: `name`, or their address.
fn name(identity: &Identity) -> String {
    let said = identity.claims.get("name").and_then(Value::as_str).map(str::trim);
    said.filter(|name| (1..=200).contains(&name.len()) && !name.contains(char::is_control))
        .unwrap_or(&identity.email)
        .into()
}
