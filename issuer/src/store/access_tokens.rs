//! The names of access tokens that were issued, so that each can be revoked.

use rusqlite::{Connection, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::grant::{AccessTokenRecord, Grant};

use super::{Store, StoreError, audit_events, dpop_proofs, grants, sql, status_lists};

impl Store {
    /// Records an access token that comes from no grant: a client's own.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::ProofReplayed`], as wherever an access token is stored, when its DPoP proof was used
    /// before: nothing is stored then.
    pub async fn record_access_token(
        &self,
        access: AccessTokenRecord,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            insert(connection, &access)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }

    /// Records an access token that was made from another, in that one's grant. Says whether it could: not when the other was
    /// revoked or has expired, its grant is over, or its person may not sign in; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn exchange_access_token(
        &self,
        subject_token_id: &str,
        access: AccessTokenRecord,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let subject_token_id = String::from(subject_token_id);
        self.write(move |connection| {
            let query = "SELECT a.grant_id FROM access_tokens a JOIN grants g ON g.id = a.grant_id
                             JOIN users u ON u.id = g.user_id
                         WHERE a.token_id = ?1 AND a.revoked_at IS NULL AND a.expires_at > ?2
                           AND g.ended_at IS NULL AND u.deactivated_at IS NULL";
            let parameters = params![subject_token_id, now.seconds()];
            let grant_id = sql::first(connection, query, parameters, |row| {
                Ok(row.get::<_, String>("grant_id")?)
            })?;
            let Some(grant_id) = grant_id else {
                return Ok(false);
            };
            let access = AccessTokenRecord {
                grant_id: Some(grant_id),
                ..access
            };
            insert(connection, &access)?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        })
        .await
    }

    /// Revokes one access token of this client. Says whether there was a live one; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_access_token(
        &self,
        token_id: &str,
        client_id: &str,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (token_id, client_id) = (String::from(token_id), String::from(client_id));
        self.write(move |connection| {
            let update = "UPDATE access_tokens SET revoked_at = ?3
                          WHERE token_id = ?1 AND client_id = ?2 AND revoked_at IS NULL AND expires_at > ?3";
            let revoked = sql::change(connection, update, params![token_id, client_id, now.seconds()])? > 0;
            if revoked {
                audit_events::insert(connection, &audit)?;
            }
            Ok(revoked)
        })
        .await
    }

    /// The grant that this token was made from; none for a client's own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_of_access_token(&self, token_id: &str) -> Result<Option<Grant>, StoreError> {
        let token_id = String::from(token_id);
        self.look_up(move |connection| {
            sql::first(
                connection,
                "SELECT g.* FROM access_tokens a JOIN grants g ON g.id = a.grant_id WHERE a.token_id = ?1",
                [&token_id],
                grants::from_row,
            )
        })
        .await
    }

    /// Whether this token was issued here and is neither expired nor revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_access_token_live(&self, token_id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let token_id = String::from(token_id);
        self.look_up(move |connection| {
            let query =
                "SELECT 1 FROM access_tokens WHERE token_id = ?1 AND revoked_at IS NULL AND expires_at > ?2";
            Ok(sql::first(connection, query, params![token_id, now.seconds()], |_| Ok(()))?.is_some())
        })
        .await
    }
}

/// Revokes an access token, if it was not revoked before.
pub(super) fn revoke(connection: &Connection, token_id: &str, now: Timestamp) -> Result<(), StoreError> {
    let update = "UPDATE access_tokens SET revoked_at = ?2 WHERE token_id = ?1 AND revoked_at IS NULL";
    sql::change(connection, update, params![token_id, now.seconds()])?;
    Ok(())
}

/// Stores the record of a token, and with the first one its status list; uses up the DPoP proof it was asked for with. The schema's triggers revoke what stands on a
/// grant, person or client when that ends; what ended before the token came is looked up here.
pub(super) fn insert(connection: &Connection, access: &AccessTokenRecord) -> Result<(), StoreError> {
    insert_of(connection, access, Some(&access.client_id), None)?;
    // A client that registered itself is in use from its first token on.
    let used = "UPDATE clients SET unused_until = NULL WHERE client_id = ?1 AND unused_until IS NOT NULL";
    sql::change(connection, used, [&access.client_id])?;
    Ok(())
}

/// Stores the record of a token that an API key was exchanged for, whose id it has as its client.
pub(super) fn insert_of_api_key(
    connection: &Connection,
    access: &AccessTokenRecord,
) -> Result<(), StoreError> {
    insert_of(connection, access, None, Some(&access.client_id))
}

fn insert_of(
    connection: &Connection,
    access: &AccessTokenRecord,
    client_id: Option<&str>,
    api_key_id: Option<&str>,
) -> Result<(), StoreError> {
    dpop_proofs::consume(connection, access.proof.as_ref())?;
    status_lists::insert_if_new(connection, &access.status.list)?;
    sql::change(
        connection,
        "INSERT INTO access_tokens
             (token_id, client_id, grant_id, user_id, status_list, status_index, expires_at, revoked_at, api_key_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(?8,
             (SELECT ended_at FROM grants WHERE id = ?3), (SELECT deactivated_at FROM users WHERE id = ?4)), ?9)",
        params![
            access.token_id,
            client_id,
            access.grant_id,
            access.user_id,
            access.status.list.id,
            access.status.index,
            access.expires_at.seconds(),
            sql::optional_seconds(access.revoked_at),
            api_key_id,
        ],
    )?;
    Ok(())
}
