//! Grants that come to life at once, with their first tokens, and the assertions of trusted issuers that were used for them
//! (RFC 7523 section 3, `jti`).

use rusqlite::{Connection, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, Grant, RefreshToken};

use super::{Store, StoreError, access_tokens, audit_events, grants, refresh_tokens, sql};

/// An assertion of a trusted issuer, to be used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedAssertion {
    /// `iss`.
    pub issuer: String,
    /// The digest of `jti`.
    pub digest: SecretDigest,
    /// From when on the assertion must be refused for its age, so that it need not be remembered.
    pub expires_at: Timestamp,
}

/// What became of an attempt to issue tokens directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum DirectIssue {
    /// The grant and its tokens are stored.
    Issued,
    /// The assertion was used before.
    Replayed,
    /// The person may not sign in any more.
    Deactivated,
}

impl Store {
    /// Stores a grant, alive from now on, with its first tokens, and uses up the assertion that it was made from, all or
    /// nothing. Of many attempts with one assertion, exactly one is told [`DirectIssue::Issued`]; only then is `audit`
    /// recorded.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the tokens name another grant.
    pub async fn issue_directly(
        &self,
        grant: Grant,
        refresh: Option<RefreshToken>,
        access: AccessTokenRecord,
        assertion: Option<UsedAssertion>,
        audit: AuditEvent,
    ) -> Result<DirectIssue, StoreError> {
        self.write(move |connection| {
            let refresh_fits = refresh.as_ref().is_none_or(|token| token.grant_id == grant.id);
            if !refresh_fits || access.grant_id.as_deref() != Some(grant.id.as_str()) {
                return Err(StoreError::Conflict);
            }
            // Nobody else writes in between: a person who is active here is so below.
            if !is_active(connection, &grant.user_id)? {
                return Ok(DirectIssue::Deactivated);
            }
            if let Some(assertion) = &assertion
                && !consume(connection, assertion)?
            {
                return Ok(DirectIssue::Replayed);
            }
            grants::insert(connection, &grant)?;
            if !grants::activate(connection, &grant.id, grant.created_at)? {
                return Err(StoreError::Conflict);
            }
            if let Some(refresh) = &refresh {
                refresh_tokens::insert_first(connection, refresh, &access)?;
            }
            access_tokens::insert(connection, &access)?;
            audit_events::insert(connection, &audit)?;
            Ok(DirectIssue::Issued)
        })
        .await
    }
}

fn is_active(connection: &Connection, user_id: &str) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM users WHERE id = ?1 AND deactivated_at IS NULL";
    Ok(sql::first(connection, query, [user_id], |_| Ok(()))?.is_some())
}

/// The guarded statement that decides who comes first. Says whether it was this caller.
fn consume(connection: &Connection, assertion: &UsedAssertion) -> Result<bool, StoreError> {
    let insert = "INSERT INTO issuer_assertions (issuer, digest, expires_at) VALUES (?1, ?2, ?3)
                  ON CONFLICT (issuer, digest) DO NOTHING";
    let parameters = params![
        assertion.issuer,
        assertion.digest.as_bytes(),
        assertion.expires_at.seconds()
    ];
    Ok(sql::change(connection, insert, parameters)? > 0)
}
