//! Authorization codes: stored once, consumed once.

use rusqlite::{Connection, Row, params};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::authorization_code::{AuthorizationCode, CodeRedemption};
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, RefreshToken};

use super::{Store, StoreError, access_tokens, audit_events, grants, refresh_tokens, sql};

const TABLE: &str = "authorization_codes";
/// The reason of a [`crate::domain::audit_event::AuditAction::Replay`] event.
const REPLAYED: &str = "authorization_code_replayed";

/// What a consuming statement found.
enum Consumption {
    /// The code was good until now; this is its grant.
    First(String),
    /// It was consumed before; this is its grant.
    Again(String),
    /// There is none, or it expired unused.
    None,
}

impl Store {
    /// What a code says, for the checks before redeeming it: facts that never change. Whether it is still good is decided
    /// by [`Store::redeem_code`] alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn authorization_code(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<AuthorizationCode>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT c.digest, c.redirect_uri, c.redirect_uri_given, c.challenge, c.dpop_jkt, c.expires_at, g.*
                 FROM authorization_codes c JOIN grants g ON g.id = c.grant_id WHERE c.digest = ?1",
                params![digest.as_bytes()],
                from_row,
            )
        })
        .await
    }

    /// Redeems a code: consumes it, wakes its grant and stores the tokens made from it, all or nothing.
    ///
    /// `audit` is recorded when the code was redeemed. A replay ends the grant with everything under it (RFC 6749 section
    /// 4.1.2) and records a `Replay` event made from `audit`. Of a dead code nothing is recorded.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the tokens name another grant than the code's.
    pub async fn redeem_code(
        &self,
        digest: &SecretDigest,
        refresh: Option<RefreshToken>,
        access: AccessTokenRecord,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<CodeRedemption, StoreError> {
        let digest = *digest;
        self.write(move |connection| match consume(connection, &digest, now)? {
            Consumption::First(grant_id) => {
                let refresh_fits = refresh.as_ref().is_none_or(|token| token.grant_id == grant_id);
                if !refresh_fits || access.grant_id.as_deref() != Some(grant_id.as_str()) {
                    return Err(StoreError::Conflict);
                }
                if !grants::activate(connection, &grant_id, now)? {
                    return Ok(CodeRedemption::Dead);
                }
                if let Some(refresh) = &refresh {
                    refresh_tokens::insert_first(connection, refresh, &access)?;
                }
                access_tokens::insert(connection, &access)?;
                audit_events::insert(connection, &audit)?;
                Ok(CodeRedemption::Redeemed)
            }
            Consumption::Again(grant_id) => {
                grants::end(connection, &grant_id, now)?;
                audit_events::insert(connection, &audit_events::replay(&audit, REPLAYED))?;
                Ok(CodeRedemption::Replayed)
            }
            Consumption::None => Ok(CodeRedemption::Dead),
        })
        .await
    }

    /// Spends a code that was presented wrongly (another client, redirect URI or verifier): it is consumed and nothing is
    /// issued. If it was consumed before, this is a replay and ends the grant. `audit` is recorded in every case.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spend_code(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        let digest = *digest;
        self.write(move |connection| {
            match consume(connection, &digest, now)? {
                Consumption::First(grant_id) => {
                    grants::end(connection, &grant_id, now)?;
                }
                Consumption::Again(grant_id) => {
                    grants::end(connection, &grant_id, now)?;
                    audit_events::insert(connection, &audit_events::replay(&audit, REPLAYED))?;
                }
                Consumption::None => {}
            }
            audit_events::insert(connection, &audit)
        })
        .await
    }
}

/// Stores a code and its grant, which sleeps until the code is redeemed.
pub(super) fn insert(connection: &Connection, code: &AuthorizationCode) -> Result<(), StoreError> {
    grants::insert(connection, &code.grant)?;
    sql::change(
        connection,
        "INSERT INTO authorization_codes (digest, grant_id, redirect_uri, redirect_uri_given, challenge, dpop_jkt,
             expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            code.digest.as_bytes(),
            code.grant.id,
            code.redirect_uri,
            code.redirect_uri_given,
            code.challenge.as_ref().map(CodeChallenge::encoded),
            code.dpop_jkt,
            code.expires_at.seconds(),
        ],
    )?;
    Ok(())
}

/// The guarded statement that decides who comes first, and a look at why it did nothing when it did nothing. Both run in
/// the writer's transaction, so nothing happens between them.
fn consume(
    connection: &Connection,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<Consumption, StoreError> {
    let first = sql::first(
        connection,
        "UPDATE authorization_codes SET consumed_at = ?2
         WHERE digest = ?1 AND consumed_at IS NULL AND expires_at > ?2 RETURNING grant_id",
        params![digest.as_bytes(), now.seconds()],
        |row| Ok(row.get::<_, String>("grant_id")?),
    )?;
    if let Some(grant_id) = first {
        return Ok(Consumption::First(grant_id));
    }
    let again = sql::first(
        connection,
        "SELECT grant_id FROM authorization_codes WHERE digest = ?1 AND consumed_at IS NOT NULL",
        params![digest.as_bytes()],
        |row| Ok(row.get::<_, String>("grant_id")?),
    )?;
    Ok(again.map_or(Consumption::None, Consumption::Again))
}

fn from_row(row: &Row<'_>) -> Result<AuthorizationCode, StoreError> {
    Ok(AuthorizationCode {
        digest: sql::digest(row, "digest")?,
        grant: grants::from_row(row)?,
        redirect_uri: row.get("redirect_uri")?,
        redirect_uri_given: row.get("redirect_uri_given")?,
        challenge: sql::challenge(row, TABLE)?,
        dpop_jkt: row.get("dpop_jkt")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
