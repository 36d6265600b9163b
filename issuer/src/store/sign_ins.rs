//! Sign-ins between their first proof and their session.

use rusqlite::{Connection, Row, params};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::session::AuthenticationMethod;
use crate::domain::sign_in::{Completed, Completion, MOST_TRIES, SignInProgress};
use crate::domain::user::User;

use super::{Store, StoreError, audit_events, factors, messages, remembered_devices, sessions, sql, users};

const TABLE: &str = "sign_ins";

impl Store {
    /// Keeps a sign-in that lacks its second factor. The one that the browser had before is over. Says whether that was done: not
    /// when it is by a password, and the person has another hash than `password` by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_sign_in(
        &self,
        sign_in: SignInProgress,
        password: Option<Secret<String>>,
        replaces: Option<SecretDigest>,
    ) -> Result<bool, StoreError> {
        self.write(move |connection| {
            if !users::has_password_hash(connection, &sign_in.user_id, password.as_ref())? {
                return Ok(false);
            }
            if let Some(old) = replaces {
                end(connection, &old)?;
            }
            sql::change(
                connection,
                "INSERT INTO sign_ins (digest, user_id, methods, authenticated_at, request_digest, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    sign_in.digest.as_bytes(),
                    sign_in.user_id,
                    sql::to_list(sign_in.methods.iter().map(|method| method.as_str()))?,
                    sign_in.authenticated_at.seconds(),
                    sign_in.request.as_ref().map(SecretDigest::as_bytes),
                    sign_in.expires_at.seconds(),
                ],
            )?;
            Ok(true)
        })
        .await
    }

    /// The sign-in in progress of this digest and its person, who is active.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_in(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<(SignInProgress, User)>, StoreError> {
        let digest = *digest;
        self.look_up(move |connection| {
            sql::first(
                connection,
                "SELECT s.digest, s.methods, s.authenticated_at, s.request_digest, s.expires_at, s.user_id AS whose,
                        p.*
                 FROM sign_ins s JOIN people p ON p.id = s.user_id
                 WHERE s.digest = ?1 AND s.expires_at > ?2 AND s.tries < ?3 AND p.deactivated_at IS NULL",
                params![digest.as_bytes(), now.seconds(), MOST_TRIES],
                |row| Ok((from_row(row)?, users::from_row(row)?)),
            )
        })
        .await
    }

    /// Counts a wrong answer; too many end the sign-in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_wrong_answer(&self, digest: &SecretDigest) -> Result<(), StoreError> {
        let digest = *digest;
        self.write(move |connection| {
            let update = "UPDATE sign_ins SET tries = tries + 1 WHERE digest = ?1";
            sql::change(connection, update, params![digest.as_bytes()]).map(drop)
        })
        .await
    }

    /// Gives a sign-in up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn abandon_sign_in(&self, digest: &SecretDigest) -> Result<(), StoreError> {
        let digest = *digest;
        self.write(move |connection| end(connection, &digest).map(drop))
            .await
    }

    /// Ends a sign-in with a session, all or nothing: consumes the sign-in in progress and the second factor, begins the session
    /// in place of the browser's old one as [`Store::begin_session`] does, remembers the browser or forgets it, and queues the
    /// notice.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn complete_sign_in(
        &self,
        completion: Completion,
        now: Timestamp,
    ) -> Result<Completed, StoreError> {
        let may_end_another = completion.replaces.is_some();
        let completed = self
            .write(move |connection| complete(connection, completion, now))
            .await?;
        if completed == Completed::Begun {
            if may_end_another {
                self.ring_logout_bell();
            }
            self.ring_message_bell();
        }
        Ok(completed)
    }
}

fn complete(
    connection: &Connection,
    completion: Completion,
    now: Timestamp,
) -> Result<Completed, StoreError> {
    let Completion {
        mut session,
        replaces,
        sign_in,
        abandons,
        password,
        used,
        enrols,
        recovery_codes,
        device,
        notice,
        audit,
    } = completion;
    let user_id = &session.user_id;
    let goes_on = match (&sign_in, &used) {
        // Whoever has shown a password only sets up their first factor, and no other.
        (Some(sign_in), _) => {
            is_live(connection, sign_in, user_id, now)?
                && !(enrols && factors::count(connection, user_id)? > 0)
        }
        // A session gives birth to another only while it is one.
        (None, Some(_)) => sessions::is_of(connection, replaces.as_ref(), user_id)?,
        (None, None) => users::has_password_hash(connection, user_id, password.as_ref())?,
    };
    if !goes_on {
        return Ok(Completed::SignInGone);
    }
    if let Some(used) = &used
        && !factors::consume(connection, &session.user_id, used, enrols, now)?
    {
        return Ok(Completed::FactorSpent);
    }
    for over in [sign_in, abandons].iter().flatten() {
        end(connection, over)?;
    }
    if !recovery_codes.is_empty() && factors::unused_recovery_codes(connection, &session.user_id)? == 0 {
        factors::insert_recovery_codes(connection, &session.user_id, &recovery_codes, now)?;
    }
    session.device_id = remembered_devices::apply(connection, &session.user_id, device, now)?;
    sessions::begin(connection, &session, replaces, now)?;
    messages::queue_if_any(connection, notice.as_ref())?;
    audit
        .iter()
        .try_for_each(|event| audit_events::insert(connection, event))?;
    Ok(Completed::Begun)
}

fn is_live(
    connection: &Connection,
    digest: &SecretDigest,
    user_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query =
        "SELECT 1 FROM sign_ins WHERE digest = ?1 AND user_id = ?2 AND expires_at > ?3 AND tries < ?4";
    let parameters = params![digest.as_bytes(), user_id, now.seconds(), MOST_TRIES];
    Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
}

fn end(connection: &Connection, digest: &SecretDigest) -> Result<bool, StoreError> {
    let delete = "DELETE FROM sign_ins WHERE digest = ?1";
    Ok(sql::change(connection, delete, params![digest.as_bytes()])? > 0)
}

/// Ends every unfinished sign-in of a person.
pub(super) fn end_all_of(connection: &Connection, user_id: &str) -> Result<(), StoreError> {
    sql::change(connection, "DELETE FROM sign_ins WHERE user_id = ?1", [user_id]).map(drop)
}

fn from_row(row: &Row<'_>) -> Result<SignInProgress, StoreError> {
    Ok(SignInProgress {
        digest: sql::digest(row, "digest")?,
        user_id: row.get("whose")?,
        methods: sql::list(row, "methods", TABLE, |name: String| {
            AuthenticationMethod::from_name(&name)
        })?,
        authenticated_at: sql::instant(row, "authenticated_at")?,
        request: sql::optional_digest(row, "request_digest")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
