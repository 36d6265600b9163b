//! Grants: the roots of everything issued in a person's name. Ending one ends its tokens.

use rusqlite::{Connection, Row, params};
use wardgate_shared::claims::LaunchContext;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::grant::Grant;
use crate::domain::session::AuthenticationMethod;

use super::{Store, StoreError, audit_events, sql};

const TABLE: &str = "grants";

impl Store {
    /// Ends a grant with everything under it. Says whether it was alive; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_grant(
        &self,
        grant_id: &str,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let grant_id = String::from(grant_id);
        self.write(move |connection| {
            let ended = end(connection, &grant_id, now)?;
            if ended {
                audit_events::insert(connection, &audit)?;
            }
            Ok(ended)
        })
        .await
    }
}

/// Stores a dormant grant.
pub(super) fn insert(connection: &Connection, grant: &Grant) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO grants (id, client_id, user_id, scope, audiences, patient_id, encounter_id, authenticated_at,
             methods, nonce, session_digest, ends_with_session, created_at, ended_at, launch_parameters, session_id,
             subject, claims)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        params![
            grant.id,
            grant.client_id,
            grant.user_id,
            grant.scope.to_string(),
            sql::to_list(&grant.audiences)?,
            grant.launch_context.patient_id,
            grant.launch_context.encounter_id,
            grant.authenticated_at.seconds(),
            sql::to_list(grant.methods.iter().map(|method| method.as_str()))?,
            grant.nonce,
            grant.session.as_ref().map(|digest| digest.as_bytes().as_slice()),
            grant.ends_with_session() && grant.session.is_some(),
            grant.created_at.seconds(),
            sql::optional_seconds(grant.ended_at),
            sql::to_json(&grant.launch_parameters)?,
            grant.session_id,
            grant.subject,
            sql::to_json(&grant.claims)?,
        ],
    )?;
    Ok(())
}

/// Wakes a dormant grant. Says whether it could: not when it ended meanwhile, or its person was deactivated.
pub(super) fn activate(connection: &Connection, grant_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let update =
        "UPDATE grants SET activated_at = ?2 WHERE id = ?1 AND activated_at IS NULL AND ended_at IS NULL
                  AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND deactivated_at IS NULL)";
    Ok(sql::change(connection, update, params![grant_id, now.seconds()])? > 0)
}

/// Ends a grant. Its refresh tokens and code are dead by that, and a trigger revokes its access tokens. Says whether it
/// was alive.
pub(super) fn end(connection: &Connection, grant_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let update = "UPDATE grants SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
    Ok(sql::change(connection, update, params![grant_id, now.seconds()])? > 0)
}

/// Ends every grant in a person's name.
pub(super) fn end_all_of(connection: &Connection, user_id: &str, now: Timestamp) -> Result<(), StoreError> {
    let query = "SELECT id FROM grants WHERE user_id = ?1 AND ended_at IS NULL";
    let living = sql::all(
        connection,
        query,
        [user_id],
        |row| Ok(row.get::<_, String>("id")?),
    )?;
    for grant_id in living {
        end(connection, &grant_id, now)?;
    }
    Ok(())
}

/// A grant from a row that has the columns of its table under their own names.
pub(super) fn from_row(row: &Row<'_>) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.get("id")?,
        client_id: row.get("client_id")?,
        user_id: row.get("user_id")?,
        subject: row.get("subject")?,
        scope: sql::scope(row, TABLE)?,
        claims: sql::json(row, "claims", TABLE)?,
        audiences: sql::list(row, "audiences", TABLE, Some::<String>)?,
        launch_context: LaunchContext {
            patient_id: row.get("patient_id")?,
            encounter_id: row.get("encounter_id")?,
        },
        launch_parameters: sql::json(row, "launch_parameters", TABLE)?,
        authenticated_at: sql::instant(row, "authenticated_at")?,
        methods: sql::list(row, "methods", TABLE, |name: String| {
            AuthenticationMethod::from_name(&name)
        })?,
        nonce: row.get("nonce")?,
        session: sql::optional_digest(row, "session_digest")?,
        session_id: row.get("session_id")?,
        created_at: sql::instant(row, "created_at")?,
        ended_at: sql::optional_instant(row, "ended_at")?,
    })
}
