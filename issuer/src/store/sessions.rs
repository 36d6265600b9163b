//! Browsers in which somebody is signed in.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::session::{AuthenticationMethod, Session};
use crate::domain::user::User;
use crate::domain::user_agent::UserAgent;

use super::{Store, StoreError, audit_events, grants, logout_notifications, sign_ins, sql, users};

const TABLE: &str = "sessions";
/// `last_seen_at` is kept to this many seconds at most, so that a page view rarely writes.
const SEEN_PRECISION_SECONDS: i64 = 60;

/// To how many seconds `last_seen_at` is kept: well within the idle time, so that nobody who is there is taken for gone.
fn seen_precision(idle_seconds: i64) -> i64 {
    SEEN_PRECISION_SECONDS.min(idle_seconds / 4)
}

impl Store {
    /// Stores a session after a sign-in. The session it replaces ends: its cookie must never work again (session
    /// fixation). If it is the same person's, the new one keeps its id, and grants that live with it move along; else they
    /// end, and clients are to hear of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_session(
        &self,
        session: Session,
        replaces: Option<SecretDigest>,
        audit: AuditEvent,
    ) -> Result<(), StoreError> {
        let may_end_another = replaces.is_some();
        let begun = self.write(move |connection| {
            begin(connection, &session, replaces, audit.at)?;
            audit_events::insert(connection, &audit)
        });
        begun.await?;
        if may_end_another {
            self.ring_logout_bell();
        }
        Ok(())
    }

    /// The live session of this digest, and its person: not past its end, seen within `idle_seconds`, the person active.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(
        &self,
        digest: &SecretDigest,
        idle_seconds: i64,
        now: Timestamp,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let digest = *digest;
        self.look_up(move |connection| {
            sql::first(
                connection,
                "SELECT s.digest, s.id, s.user_id, s.authenticated_at, s.methods, s.last_seen_at, s.request_digest, s.expires_at,
                        s.user_agent, s.ip_address,
                        s.second_factor_at, s.factor_request_digest, s.device_id, p.*
                 FROM sessions s JOIN people p ON p.id = s.user_id
                 WHERE s.digest = ?1 AND s.expires_at > ?2 AND s.last_seen_at > ?3 AND p.deactivated_at IS NULL",
                params![digest.as_bytes(), now.seconds(), now.minus(idle_seconds).seconds()],
                |row| Ok((from_row(row)?, users::from_row(row)?)),
            )
        })
        .await
    }

    /// Whose session this digest names, whether or not the session still signs them in: for signing out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_owner(&self, digest: &SecretDigest) -> Result<Option<User>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT p.* FROM sessions s JOIN people p ON p.id = s.user_id WHERE s.digest = ?1",
                params![digest.as_bytes()],
                users::from_row,
            )
        })
        .await
    }

    /// Notes that a session was seen, where sessions end after `idle_seconds` without that, and with it the remembered browser
    /// that it lives in. Where nobody was seen for `factor_idle_seconds`, a second factor given before counts no more. Writes at
    /// most once a minute, or four times in the shorter of the two times.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch_session(
        &self,
        digest: &SecretDigest,
        idle_seconds: i64,
        factor_idle_seconds: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let digest = *digest;
        let before = now
            .minus(seen_precision(idle_seconds.min(factor_idle_seconds)))
            .seconds();
        let factor_before = now.minus(factor_idle_seconds).seconds();
        let stale = self
            .read(move |connection| {
                let query = "SELECT 1 FROM sessions WHERE digest = ?1 AND last_seen_at <= ?2";
                sql::first(connection, query, params![digest.as_bytes(), before], |_| Ok(()))
            })
            .await?;
        if stale.is_none() {
            return Ok(());
        }
        self.write(move |connection| {
            let seen = sql::first(
                connection,
                "UPDATE sessions SET last_seen_at = ?3,
                     second_factor_at = CASE WHEN last_seen_at > ?4 THEN second_factor_at END
                 WHERE digest = ?1 AND last_seen_at <= ?2 RETURNING device_id",
                params![digest.as_bytes(), before, now.seconds(), factor_before],
                |row| Ok(row.get::<_, Option<String>>("device_id")?),
            )?;
            if let Some(device) = seen.flatten() {
                // A browser in which nobody was seen for so long stays one, whose factor counts no more.
                let update =
                    "UPDATE remembered_devices SET last_seen_at = ?2 WHERE id = ?1 AND last_seen_at > ?3";
                sql::change(connection, update, params![device, now.seconds(), factor_before])?;
            }
            Ok(())
        })
        .await
    }

    /// Ends a session, and the grants that live with it, at the time of `audit`, and queues what clients are to hear of it. Says
    /// whether there was such a session; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(&self, digest: &SecretDigest, audit: AuditEvent) -> Result<bool, StoreError> {
        let digest = *digest;
        let ended = self.write(move |connection| {
            let existed = end(connection, &digest, audit.at)?;
            if existed {
                audit_events::insert(connection, &audit)?;
            }
            Ok(existed)
        });
        let existed = ended.await?;
        self.ring_logout_bell();
        Ok(existed)
    }

    /// The living sessions of a person, as [`Store::session`] understands it, the one used last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of(
        &self,
        user_id: &str,
        idle_seconds: i64,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let user_id = String::from(user_id);
        self.read(move |connection| {
            sql::all(
                connection,
                "SELECT * FROM sessions WHERE user_id = ?1 AND expires_at > ?2 AND last_seen_at > ?3
                 ORDER BY last_seen_at DESC, authenticated_at DESC, id",
                params![user_id, now.seconds(), now.minus(idle_seconds).seconds()],
                from_row,
            )
        })
        .await
    }

    /// Ends the session of this id, if it is this person's, as [`Store::end_session`] does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session_of(
        &self,
        user_id: &str,
        session_id: &str,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (user_id, session_id) = (String::from(user_id), String::from(session_id));
        let ended = self.write(move |connection| {
            let query = "SELECT digest FROM sessions WHERE user_id = ?1 AND id = ?2";
            let found = sql::first(connection, query, [user_id, session_id], |row| {
                sql::digest(row, "digest")
            })?;
            let existed = match found {
                Some(digest) => end(connection, &digest, audit.at)?,
                None => false,
            };
            if existed {
                audit_events::insert(connection, &audit)?;
            }
            Ok(existed)
        });
        let existed = ended.await?;
        self.ring_logout_bell();
        Ok(existed)
    }

    /// Ends every session of a person but the one of the digest `kept`, as [`Store::end_sessions_of`] does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_other_sessions_of(
        &self,
        user_id: &str,
        kept: &SecretDigest,
        audit: AuditEvent,
    ) -> Result<usize, StoreError> {
        let (user_id, kept) = (String::from(user_id), *kept);
        let ended = self.write(move |connection| {
            let sessions = end_all_but(connection, &user_id, Some(&kept), audit.at)?;
            if sessions > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(sessions)
        });
        let sessions = ended.await?;
        self.ring_logout_bell();
        Ok(sessions)
    }

    /// Ends every session of a person, as [`Store::end_session`] does. Says how many there were; if none, `audit` is not
    /// recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions_of(&self, user_id: &str, audit: AuditEvent) -> Result<usize, StoreError> {
        let user_id = String::from(user_id);
        let ended = self.write(move |connection| {
            let sessions = end_all_of(connection, &user_id, audit.at)?;
            if sessions > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(sessions)
        });
        let sessions = ended.await?;
        self.ring_logout_bell();
        Ok(sessions)
    }
}

/// Stores a session in place of another, at `now`: see [`Store::begin_session`].
pub(super) fn begin(
    connection: &Connection,
    session: &Session,
    replaces: Option<SecretDigest>,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert(connection, session)?;
    let Some(old) = replaces.filter(|old| *old != session.digest) else {
        return Ok(());
    };
    sql::change(
        connection,
        "UPDATE sessions SET id = old.id FROM sessions AS old
         WHERE sessions.digest = ?1 AND old.digest = ?2 AND old.user_id = sessions.user_id",
        params![session.digest.as_bytes(), old.as_bytes()],
    )?;
    sql::change(
        connection,
        "UPDATE grants SET session_digest = ?1 WHERE session_digest = ?2 AND user_id = ?3",
        params![session.digest.as_bytes(), old.as_bytes(), session.user_id],
    )?;
    end(connection, &old, now).map(drop)
}

/// Whether this is a session of the person that has not ended.
pub(super) fn is_of(
    connection: &Connection,
    digest: Option<&SecretDigest>,
    user_id: &str,
) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM sessions WHERE digest = ?1 AND user_id = ?2";
    let parameters = params![digest.map(SecretDigest::as_bytes), user_id];
    Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
}

fn insert(connection: &Connection, session: &Session) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO sessions (digest, user_id, authenticated_at, methods, last_seen_at, request_digest, expires_at, id,
             user_agent, ip_address, second_factor_at, factor_request_digest, device_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            session.digest.as_bytes(),
            session.user_id,
            session.authenticated_at.seconds(),
            sql::to_list(session.methods.iter().map(|method| method.as_str()))?,
            session.last_seen_at.seconds(),
            session.request.as_ref().map(SecretDigest::as_bytes),
            session.expires_at.seconds(),
            session.id,
            session.user_agent.as_ref().map(UserAgent::as_str),
            session.ip_address.map(|address| address.to_string()),
            sql::optional_seconds(session.second_factor_at),
            session.factor_request.as_ref().map(SecretDigest::as_bytes),
            session.device_id,
        ],
    )?;
    Ok(())
}

/// Ends every session of a person, and every sign-in that is not finished. Says how many sessions there were.
pub(super) fn end_all_of(
    connection: &Connection,
    user_id: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    end_all_but(connection, user_id, None, now)
}

/// Ends every session of a person but `kept`. Says how many that were.
pub(super) fn end_all_but(
    connection: &Connection,
    user_id: &str,
    kept: Option<&SecretDigest>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let query = "SELECT digest FROM sessions WHERE user_id = ?1";
    let mut digests = sql::all(connection, query, [user_id], |row| sql::digest(row, "digest"))?;
    digests.retain(|digest| Some(digest) != kept);
    for digest in &digests {
        end(connection, digest, now)?;
    }
    sign_ins::end_all_of(connection, user_id)?;
    Ok(digests.len())
}

/// Ends a session. Of many who end one, the first queues what clients are to hear.
fn end(connection: &Connection, digest: &SecretDigest, now: Timestamp) -> Result<bool, StoreError> {
    let dependent = sql::all(
        connection,
        "SELECT id FROM grants WHERE session_digest = ?1 AND ends_with_session = 1 AND ended_at IS NULL",
        params![digest.as_bytes()],
        |row| Ok(row.get::<_, String>("id")?),
    )?;
    for grant_id in dependent {
        grants::end(connection, &grant_id, now)?;
    }
    let delete = "DELETE FROM sessions WHERE digest = ?1";
    let existed = sql::change(connection, delete, params![digest.as_bytes()])? > 0;
    if existed {
        logout_notifications::queue(connection, digest, now)?;
    }
    Ok(existed)
}

pub(super) fn from_row(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        digest: sql::digest(row, "digest")?,
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        authenticated_at: sql::instant(row, "authenticated_at")?,
        methods: sql::list(row, "methods", TABLE, |name: String| {
            AuthenticationMethod::from_name(&name)
        })?,
        last_seen_at: sql::instant(row, "last_seen_at")?,
        request: sql::optional_digest(row, "request_digest")?,
        user_agent: row
            .get::<_, Option<String>>("user_agent")?
            .and_then(|text| UserAgent::clean(&text)),
        ip_address: row
            .get::<_, Option<String>>("ip_address")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| StoreError::Corrupt(TABLE))?,
        second_factor_at: sql::optional_instant(row, "second_factor_at")?,
        factor_request: sql::optional_digest(row, "factor_request_digest")?,
        device_id: row.get("device_id")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
