//! EHR launches: made by an EHR, found by the app's authorization request, spent by its approval.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::launch::{Launch, LaunchParameters, RequestContext};

use super::{Store, StoreError, audit_events, sql};

const TABLE: &str = "launches";

impl Store {
    /// Keeps a launch until its app comes back with it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_launch(&self, launch: Launch, audit: AuditEvent) -> Result<(), StoreError> {
        self.write(move |connection| {
            sql::change(
                connection,
                "INSERT INTO launches (digest, client_id, launched_by, user_id, audience, context, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    launch.digest.as_bytes(),
                    launch.client_id,
                    launch.launched_by,
                    launch.context.user_id,
                    launch.audience,
                    sql::to_json(&launch.context)?,
                    launch.created_at.seconds(),
                    launch.expires_at.seconds(),
                ],
            )?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// The launch of this digest for `client_id`, while it is neither spent nor expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn launch(
        &self,
        digest: &SecretDigest,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<Launch>, StoreError> {
        let (digest, client_id) = (*digest, String::from(client_id));
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM launches
                 WHERE digest = ?1 AND client_id = ?2 AND consumed_at IS NULL AND expires_at > ?3",
                params![digest.as_bytes(), client_id, now.seconds()],
                from_row,
            )
        })
        .await
    }

    /// Keeps the context of a waiting request. `false` when the request is gone; `audit` is not recorded then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_request_context(
        &self,
        request: &SecretDigest,
        context: RequestContext,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let request = *request;
        self.write(move |connection| {
            let update =
                "UPDATE authorization_requests SET context = ?2 WHERE digest = ?1 AND expires_at > ?3";
            let parameters = params![request.as_bytes(), sql::to_json(&context)?, now.seconds()];
            let kept = sql::change(connection, update, parameters)? > 0;
            if kept {
                audit_events::insert(connection, &audit)?;
            }
            Ok(kept)
        })
        .await
    }

    /// What else the launch said of the grant that an access token was made from; nothing for a token without a grant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn launch_parameters_of(&self, token_id: &str) -> Result<LaunchParameters, StoreError> {
        let token_id = String::from(token_id);
        self.read(move |connection| {
            let query = "SELECT g.launch_parameters FROM access_tokens a JOIN grants g ON g.id = a.grant_id
                         WHERE a.token_id = ?1";
            let found = sql::first(connection, query, params![token_id], |row| {
                sql::json(row, "launch_parameters", TABLE)
            })?;
            Ok(found.unwrap_or_default())
        })
        .await
    }
}

/// Spends a launch. Of several attempts one succeeds. Whether it has expired was looked at when the app came back with it:
/// from then on its person has the time that a request has.
pub(super) fn consume(
    connection: &Connection,
    digest: &SecretDigest,
    client_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let update =
        "UPDATE launches SET consumed_at = ?3 WHERE digest = ?1 AND client_id = ?2 AND consumed_at IS NULL";
    let parameters = params![digest.as_bytes(), client_id, now.seconds()];
    Ok(sql::change(connection, update, parameters)? > 0)
}

fn from_row(row: &Row<'_>) -> Result<Launch, StoreError> {
    Ok(Launch {
        digest: sql::digest(row, "digest")?,
        client_id: row.get("client_id")?,
        launched_by: row.get("launched_by")?,
        audience: row.get("audience")?,
        context: sql::json(row, "context", TABLE)?,
        created_at: sql::instant(row, "created_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
