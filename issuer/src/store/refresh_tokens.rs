//! Refresh tokens: each is exchanged once, for the next of its family.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, Grant, RefreshToken};

use super::{RefreshRotation, Store, StoreError, access_tokens, audit_events, grants, sql};

/// The reason of a [`crate::domain::audit_event::AuditAction::Replay`] event.
const REPLAYED: &str = "refresh_token_replayed";

/// What makes the refresh token of a row good at the instant `?2`.
macro_rules! is_live {
    () => {
        "rotated_at IS NULL AND expires_at > ?2 AND EXISTS (
             SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id
             WHERE g.id = refresh_tokens.grant_id AND g.ended_at IS NULL AND u.deactivated_at IS NULL
               AND (g.ends_with_session = 0 OR EXISTS (
                   SELECT 1 FROM sessions s WHERE s.digest = g.session_digest AND s.expires_at > ?2)))"
    };
}

impl Store {
    /// A refresh token and its grant, for the checks before the exchange. Whether it is still good is decided by
    /// [`Store::rotate_refresh_token`] alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<(RefreshToken, Grant)>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT t.digest, t.grant_id, t.issued_at, t.expires_at, t.rotated_at, t.dpop_jkt, g.*
                 FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.digest = ?1",
                params![digest.as_bytes()],
                |row| Ok((from_row(row)?, grants::from_row(row)?)),
            )
        })
        .await
    }

    /// Whether this refresh token could be exchanged at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_refresh_token_live(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            let query = concat!("SELECT 1 FROM refresh_tokens WHERE digest = ?1 AND ", is_live!());
            let parameters = params![digest.as_bytes(), now.seconds()];
            Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
        })
        .await
    }

    /// Exchanges a refresh token: marks it, and stores its successor and the access token issued with it, all or nothing.
    ///
    /// `audit` is recorded when the token was exchanged. A replay ends the family (RFC 9700 section 4.14.2) and records a
    /// `Replay` event made from `audit`. Of a dead token nothing is recorded.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the new tokens name another grant.
    pub async fn rotate_refresh_token(
        &self,
        digest: &SecretDigest,
        successor: RefreshToken,
        access: AccessTokenRecord,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<RefreshRotation, StoreError> {
        let digest = *digest;
        self.write(move |connection| {
            if let Some(grant_id) = rotate(connection, &digest, now)? {
                if successor.grant_id != grant_id || access.grant_id.as_deref() != Some(grant_id.as_str()) {
                    return Err(StoreError::Conflict);
                }
                insert(connection, &successor)?;
                access_tokens::insert(connection, &access)?;
                audit_events::insert(connection, &audit)?;
                return Ok(RefreshRotation::Rotated);
            }
            let rotated_before = sql::first(
                connection,
                "SELECT grant_id FROM refresh_tokens WHERE digest = ?1 AND rotated_at IS NOT NULL",
                params![digest.as_bytes()],
                |row| Ok(row.get::<_, String>("grant_id")?),
            )?;
            let Some(grant_id) = rotated_before else {
                return Ok(RefreshRotation::Dead);
            };
            grants::end(connection, &grant_id, now)?;
            audit_events::insert(connection, &audit_events::replay(&audit, REPLAYED))?;
            Ok(RefreshRotation::Replayed)
        })
        .await
    }
}

/// The guarded statement that decides who comes first. Gives the grant when it was this caller.
fn rotate(
    connection: &Connection,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    sql::first(
        connection,
        concat!(
            "UPDATE refresh_tokens SET rotated_at = ?2 WHERE digest = ?1 AND ",
            is_live!(),
            " RETURNING grant_id"
        ),
        params![digest.as_bytes(), now.seconds()],
        |row| Ok(row.get("grant_id")?),
    )
}

pub(super) fn insert(connection: &Connection, token: &RefreshToken) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO refresh_tokens (digest, grant_id, issued_at, expires_at, rotated_at, dpop_jkt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            token.digest.as_bytes(),
            token.grant_id,
            token.issued_at.seconds(),
            token.expires_at.seconds(),
            sql::optional_seconds(token.rotated_at),
            token.dpop_jkt,
        ],
    )?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<RefreshToken, StoreError> {
    Ok(RefreshToken {
        digest: sql::digest(row, "digest")?,
        grant_id: row.get("grant_id")?,
        issued_at: sql::instant(row, "issued_at")?,
        expires_at: sql::instant(row, "expires_at")?,
        rotated_at: sql::optional_instant(row, "rotated_at")?,
        dpop_jkt: row.get("dpop_jkt")?,
    })
}
