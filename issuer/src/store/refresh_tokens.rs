//! Refresh tokens: each is exchanged for the next of its family, and what happens when one comes again.
//!
//! Of a family (the tokens of one grant) one token at most counts: it was neither exchanged nor replaced. An index of the
//! schema holds that, whatever runs at once. A token is presented, and the first line that fits decides:
//!
//! | the token | what happens |
//! |---|---|
//! | counts | it is exchanged for a successor, which counts from now on |
//! | was exchanged or replaced less than its client's grace ago | a new token is made; whatever counted before is replaced |
//! | was exchanged, and the token that counts is its successor, which nobody has used | a retry: the client lost the answer. It gets a new one; the successor of before is replaced, and the access token that came with it revoked |
//! | was exchanged or replaced | a replay: two parties hold the family, so it ends, for both (RFC 9700 section 4.14.2) |
//!
//! Retries last until the successor is first exchanged. That is safe because a thief who uses an old token takes the
//! successor away from the client: the client's next refresh presents a replaced token, which is a replay. Either way
//! one of the two learns of the other, and the family is over.
//!
//! Grace is for clients that prove who they are ([`crate::domain::client::Rules`]): a stolen
//! token alone gives nothing there, so a client whose processes cross each other, or whose new token is slow to reach
//! its storage, may come with the old one a little longer (FAPI-41). Nobody's access token is revoked for that.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, Grant, RefreshToken};
use crate::domain::user::User;

use super::{RefreshRotation, Store, StoreError, access_tokens, audit_events, grants, sql, users};

/// The reason of a [`crate::domain::audit_event::AuditAction::Replay`] event.
const REPLAYED: &str = "refresh_token_replayed";
/// The reason beside a success that was a retry.
const RETRIED: &str = "refresh_token_retried";
/// The reason beside a success within a client's grace.
const TOLERATED: &str = "refresh_token_in_grace";

/// A row that no other has superseded.
macro_rules! counts {
    () => {
        "rotated_at IS NULL AND replaced_at IS NULL"
    };
}

/// Whether the refresh token of a row may give anything at the instant `?2`, whatever became of it.
macro_rules! is_alive {
    () => {
        "expires_at > ?2 AND EXISTS (
             SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id
             WHERE g.id = refresh_tokens.grant_id AND g.ended_at IS NULL AND u.deactivated_at IS NULL
               AND (g.ends_with_session = 0 OR EXISTS (
                   SELECT 1 FROM sessions s WHERE s.digest = g.session_digest AND s.expires_at > ?2)))"
    };
}

/// Whether the token of a row was superseded less than `?3` seconds before `?2`.
macro_rules! in_grace {
    () => {
        "?3 > 0 AND coalesce(replaced_at, rotated_at) > ?2 - ?3"
    };
}

/// Whether the token of a row was exchanged for the one that counts now.
macro_rules! successor_is_unused {
    () => {
        "EXISTS (SELECT 1 FROM refresh_tokens n WHERE n.grant_id = refresh_tokens.grant_id
                 AND n.predecessor_digest = refresh_tokens.digest AND n.rotated_at IS NULL AND n.replaced_at IS NULL)"
    };
}

/// What a statement that let a token through says of its family.
struct Claimed {
    grant_id: String,
    /// The access token that came with the token which counted before.
    access_token_id: Option<String>,
}

/// A refresh token that is presented.
#[derive(Clone, Copy, Debug)]
pub struct PresentedRefreshToken {
    /// Its digest.
    pub digest: SecretDigest,
    /// How long a superseded token still works for its client, in seconds; 0 for no time.
    pub grace_seconds: i64,
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
        self.look_up(move |connection| find(connection, &digest, |token, grant| Ok((token, grant))))
            .await
    }

    /// A refresh token, its grant, and the person who gave it: as [`Store::refresh_token`], in one look.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token_and_user(
        &self,
        digest: &SecretDigest,
    ) -> Result<Option<(RefreshToken, Grant, User)>, StoreError> {
        let digest = *digest;
        self.look_up(move |connection| {
            find(connection, &digest, |token, grant| {
                let user = users::find(connection, &grant.user_id)?.ok_or(StoreError::Corrupt("grants"))?;
                Ok((token, grant, user))
            })
        })
        .await
    }

    /// Whether this refresh token is the one of its family that counts, and could be exchanged at `now`. Of a superseded
    /// one the answer is no, although its client might still be allowed to ask again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_refresh_token_live(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let digest = *digest;
        self.look_up(move |connection| {
            let query = concat!(
                "SELECT 1 FROM refresh_tokens WHERE digest = ?1 AND ",
                counts!(),
                " AND ",
                is_alive!()
            );
            let parameters = params![digest.as_bytes(), now.seconds()];
            Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
        })
        .await
    }

    /// Exchanges a refresh token by the rules above: supersedes it or what came of it, and stores the successor and the
    /// access token issued with it, all or nothing.
    ///
    /// `audit` is recorded when the token gave something, with a reason where it was not its first time. A replay ends the
    /// family and records a `Replay` event made from `audit`. Of a dead token nothing is recorded.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the new tokens name another grant.
    pub async fn rotate_refresh_token(
        &self,
        presented: PresentedRefreshToken,
        successor: RefreshToken,
        access: AccessTokenRecord,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<RefreshRotation, StoreError> {
        self.write(move |connection| {
            let (rotation, claimed) = if let Some(claimed) = rotate(connection, presented, now)? {
                (RefreshRotation::Rotated, claimed)
            } else if let Some(claimed) = tolerate(connection, presented, now)? {
                (RefreshRotation::Tolerated, claimed)
            } else if let Some(claimed) = retry(connection, presented, now)? {
                (RefreshRotation::Retried, claimed)
            } else if end_replayed(connection, presented, now, &audit)? {
                return Ok(RefreshRotation::Replayed);
            } else {
                return Ok(RefreshRotation::Dead);
            };
            let fits = |grant_id: &str| grant_id == claimed.grant_id;
            if !fits(&successor.grant_id) || !access.grant_id.as_deref().is_some_and(fits) {
                return Err(StoreError::Conflict);
            }
            insert(connection, &successor, &access, Some(&presented.digest))?;
            access_tokens::insert(connection, &access)?;
            let audit = match rotation {
                RefreshRotation::Retried => {
                    if let Some(lost) = &claimed.access_token_id {
                        access_tokens::revoke(connection, lost, now)?;
                    }
                    audit.with_reason(RETRIED)
                }
                RefreshRotation::Tolerated => audit.with_reason(TOLERATED),
                RefreshRotation::Rotated | RefreshRotation::Replayed | RefreshRotation::Dead => audit,
            };
            audit_events::insert(connection, &audit)?;
            Ok(rotation)
        })
        .await
    }

    /// Ends the family of a token whose presentation is a replay, and says whether it did: for requests that are refused
    /// for another reason too. Nothing happens to a token that may be exchanged, or whose grant is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_replayed_family(
        &self,
        presented: PresentedRefreshToken,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| end_replayed(connection, presented, now, &audit))
            .await
    }
}

/// A refresh token and its grant, as `read` takes them. What `read` asks for is of the same state of the database.
fn find<T>(
    connection: &Connection,
    digest: &SecretDigest,
    read: impl FnOnce(RefreshToken, Grant) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    sql::first(
        connection,
        "SELECT t.digest, t.grant_id, t.issued_at, t.expires_at, t.rotated_at, t.replaced_at, t.dpop_jkt, g.*
         FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.digest = ?1",
        params![digest.as_bytes()],
        |row| read(from_row(row)?, grants::from_row(row)?),
    )
}

/// Supersedes the token itself, when it counts.
fn rotate(
    connection: &Connection,
    presented: PresentedRefreshToken,
    now: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    sql::first(
        connection,
        concat!(
            "UPDATE refresh_tokens SET rotated_at = ?2 WHERE digest = ?1 AND ",
            counts!(),
            " AND ",
            is_alive!(),
            " RETURNING grant_id, access_token_id"
        ),
        params![presented.digest.as_bytes(), now.seconds()],
        claimed,
    )
}

/// Supersedes whatever counts, when the token was superseded within its client's grace.
fn tolerate(
    connection: &Connection,
    presented: PresentedRefreshToken,
    now: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    sql::first(
        connection,
        concat!(
            "UPDATE refresh_tokens SET replaced_at = ?2 WHERE ",
            counts!(),
            " AND grant_id = (SELECT grant_id FROM refresh_tokens WHERE digest = ?1 AND ",
            in_grace!(),
            " AND ",
            is_alive!(),
            ") RETURNING grant_id, access_token_id"
        ),
        params![
            presented.digest.as_bytes(),
            now.seconds(),
            presented.grace_seconds
        ],
        claimed,
    )
}

/// Supersedes the token's unused successor.
fn retry(
    connection: &Connection,
    presented: PresentedRefreshToken,
    now: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    sql::first(
        connection,
        concat!(
            "UPDATE refresh_tokens SET replaced_at = ?2 WHERE ",
            counts!(),
            " AND predecessor_digest = ?1
             AND grant_id = (SELECT grant_id FROM refresh_tokens WHERE digest = ?1 AND ",
            is_alive!(),
            ") RETURNING grant_id, access_token_id"
        ),
        params![presented.digest.as_bytes(), now.seconds()],
        claimed,
    )
}

/// Ends the family of a superseded token for which none of the statements above would do anything. Says whether there was
/// one to end; only then is the replay recorded.
fn end_replayed(
    connection: &Connection,
    presented: PresentedRefreshToken,
    now: Timestamp,
    audit: &AuditEvent,
) -> Result<bool, StoreError> {
    let replayed = sql::first(
        connection,
        concat!(
            "SELECT grant_id, access_token_id FROM refresh_tokens WHERE digest = ?1 AND NOT (",
            counts!(),
            ") AND NOT (",
            is_alive!(),
            " AND (",
            in_grace!(),
            " OR ",
            successor_is_unused!(),
            "))"
        ),
        params![
            presented.digest.as_bytes(),
            now.seconds(),
            presented.grace_seconds
        ],
        claimed,
    )?;
    let Some(replayed) = replayed else {
        return Ok(false);
    };
    let ended = grants::end(connection, &replayed.grant_id, now)?;
    if ended {
        audit_events::insert(connection, &audit_events::replay(audit, REPLAYED))?;
    }
    Ok(ended)
}

fn claimed(row: &Row<'_>) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        grant_id: row.get("grant_id")?,
        access_token_id: row.get("access_token_id")?,
    })
}

/// Stores the first token of a family, given together with `access`.
pub(super) fn insert_first(
    connection: &Connection,
    token: &RefreshToken,
    access: &AccessTokenRecord,
) -> Result<(), StoreError> {
    insert(connection, token, access, None)
}

fn insert(
    connection: &Connection,
    token: &RefreshToken,
    access: &AccessTokenRecord,
    predecessor: Option<&SecretDigest>,
) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO refresh_tokens (digest, grant_id, issued_at, expires_at, rotated_at, replaced_at,
             predecessor_digest, access_token_id, dpop_jkt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            token.digest.as_bytes(),
            token.grant_id,
            token.issued_at.seconds(),
            token.expires_at.seconds(),
            sql::optional_seconds(token.rotated_at),
            sql::optional_seconds(token.replaced_at),
            predecessor.map(|digest| digest.as_bytes().as_slice()),
            access.token_id,
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
        replaced_at: sql::optional_instant(row, "replaced_at")?,
        dpop_jkt: row.get("dpop_jkt")?,
    })
}
