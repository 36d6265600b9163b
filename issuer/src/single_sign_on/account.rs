//! Whose account a person at a provider opens.

use serde_json::Value;

use crate::domain::audit_event::AuditEvent;
use crate::domain::single_sign_on::{Connection, UnknownPeople};
use crate::domain::user::{Profile, User};
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
    let role = settings.role_for(&identity.claims).map(String::from);
    let new_account = match settings.unknown_people {
        UnknownPeople::Refuse => None,
        UnknownPeople::Create => Some(User {
            id: rng::identifier("user-")?,
            email: identity.email.clone(),
            name: name(identity),
            password_hash: None,
            role: role.clone().or_else(|| settings.default_role.clone()),
            fhir_user: None,
            practitioner_id: None,
            organization_id: None,
            profile: Profile {
                updated_at: Some(audit.at.seconds()),
                ..Profile::default()
            },
            created_at: audit.at,
            deactivated_at: None,
        }),
    };
    let provided = ProvidedIdentity {
        connection_id: connection.id.clone(),
        subject: identity.subject.clone(),
        email: identity.email.clone(),
        role,
        new_account,
    };
    Ok(match state.store().provided_account(provided, audit).await? {
        ProvidedAccount::Person(user) => Ok(*user),
        ProvidedAccount::ForeignDomain => Err((SsoFault::ForeignDomain, None)),
        ProvidedAccount::None => Err((SsoFault::NoAccount, None)),
        ProvidedAccount::Deactivated(user_id) => Err((SsoFault::Deactivated, Some(user_id))),
        ProvidedAccount::AnotherSubject(user_id) => Err((SsoFault::AnotherSubject, Some(user_id))),
    })
}

/// What a new person is called: `name`, or their address.
fn name(identity: &Identity) -> String {
    let said = identity.claims.get("name").and_then(Value::as_str).map(str::trim);
    said.filter(|name| (1..=200).contains(&name.len()) && !name.contains(char::is_control))
        .unwrap_or(&identity.email)
        .into()
}
