//! Sessions: who is signed in, and the end of that.

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::page::{Page, PageRequest};
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::store::Store;

use super::{Actor, AdministrationError};

/// A page of the living sessions, or of those of this person. They end after `idle_seconds` in which nobody was there.
///
/// # Errors
/// When the store cannot answer.
pub async fn list(
    store: &Store,
    user_id: Option<String>,
    idle_seconds: i64,
    page: PageRequest,
    now: Timestamp,
) -> Result<Page<Session>, AdministrationError> {
    Ok(store.sessions_page(user_id, idle_seconds, now, page).await?)
}

/// Whose session this is.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn owner(store: &Store, id: &str) -> Result<User, AdministrationError> {
    let owner = store.owner_of_session(id).await?;
    let owner = owner.ok_or(AdministrationError::NotFound)?;
    store.user(&owner).await?.ok_or(AdministrationError::NotFound)
}

/// Ends the session of this id, with the grants that live in it; clients that wish to hear of it do.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn end(store: &Store, actor: &Actor, id: &str, now: Timestamp) -> Result<(), AdministrationError> {
    let owner = store.owner_of_session(id).await?;
    let owner = owner.ok_or(AdministrationError::NotFound)?;
    let audit = audit(actor, &owner, now);
    if store.end_session_of(&owner, id, audit).await? {
        Ok(())
    } else {
        Err(AdministrationError::NotFound)
    }
}

/// Ends every session of a person, as [`end`] does. Says how many there were.
///
/// # Errors
/// [`AdministrationError::NotFound`], or the store cannot answer.
pub async fn end_all_of(
    store: &Store,
    actor: &Actor,
    user_id: &str,
    now: Timestamp,
) -> Result<usize, AdministrationError> {
    let user = store.user(user_id).await?;
    let user = user.ok_or(AdministrationError::NotFound)?;
    let audit = audit(actor, &user.id, now);
    Ok(store.end_sessions_of(&user.id, audit).await?)
}

fn audit(actor: &Actor, user_id: &str, now: Timestamp) -> AuditEvent {
    actor
        .audit(AuditAction::SessionRevocation, AuditOutcome::Success, now)
        .with_user(user_id)
}
