//! Links by which people set their password, and what ends when a password is set.

use rusqlite::{Connection, Row, params};
use wardgate_shared::secret::Secret;
use wardgate_shared::time::Timestamp;

use crate::domain::account_link::{AccountLink, LinkPurpose};
use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::message::NewMessage;
use crate::domain::user::User;

use super::{Store, StoreError, audit_events, grants, messages, remembered_devices, sessions, sql, users};

const TABLE: &str = "account_links";

/// A macro because SQL is put together at compile time only: what makes a link `l` one that can be used at `?2`.
macro_rules! usable {
    () => {
        "l.digest = ?1 AND l.consumed_at IS NULL AND l.expires_at > ?2
           AND EXISTS (SELECT 1 FROM users u WHERE u.id = l.user_id AND u.email = l.email AND u.deactivated_at IS NULL)"
    };
}

impl Store {
    /// Stores a link, and queues the message that brings it to its person. It takes the place of older ones of the same purpose.
    /// Says whether that was done: not when there is no such active person with that address, or when they got `at_most` of this
    /// purpose in the last hour. `audit` is recorded only if it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_account_link(
        &self,
        link: AccountLink,
        message: Option<NewMessage>,
        at_most: Option<u32>,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let stored = self.write(move |connection| {
            if is_refused(connection, &link, at_most)? {
                return Ok(false);
            }
            supersede(connection, &link.user_id, Some(link.purpose), link.created_at)?;
            insert(connection, &link)?;
            if let Some(message) = &message {
                messages::queue(connection, message)?;
            }
            audit_events::insert(connection, &audit)?;
            Ok(true)
        });
        let stored = stored.await?;
        self.ring_message_bell();
        Ok(stored)
    }

    /// The link of this digest that can still be used, and its person.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_link(
        &self,
        digest: &SecretDigest,
        now: Timestamp,
    ) -> Result<Option<(AccountLink, User)>, StoreError> {
        let digest = *digest;
        self.read(move |connection| {
            let query = concat!("SELECT l.* FROM account_links l WHERE ", usable!());
            let parameters = params![digest.as_bytes(), now.seconds()];
            let Some(link) = sql::first(connection, query, parameters, from_row)? else {
                return Ok(None);
            };
            Ok(users::find(connection, &link.user_id)?.map(|user| (link, user)))
        })
        .await
    }

    /// Sets the password of a link's person, and spends the link. With that everything is over that somebody else may have got hold
    /// of: sessions, unfinished sign-ins, remembered browsers, every grant, other links. `notice` tells the person. Of many that
    /// use one link, one succeeds; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_password_by_link(
        &self,
        digest: &SecretDigest,
        hash: Secret<String>,
        notice: Option<NewMessage>,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let digest = *digest;
        let set = self.write(move |connection| {
            let now = audit.at;
            let consume = concat!(
                "UPDATE account_links AS l SET consumed_at = ?2 WHERE ",
                usable!(),
                " RETURNING user_id"
            );
            let parameters = params![digest.as_bytes(), now.seconds()];
            let read = |row: &Row<'_>| Ok(row.get::<_, String>("user_id")?);
            let Some(user_id) = sql::first(connection, consume, parameters, read)? else {
                return Ok(false);
            };
            let update = "UPDATE users SET password_hash = ?2 WHERE id = ?1";
            sql::change(connection, update, params![user_id, hash.expose()])?;
            supersede(connection, &user_id, None, now)?;
            sessions::end_all_of(connection, &user_id, now)?;
            grants::end_all_of(connection, &user_id, now)?;
            let forget = "DELETE FROM remembered_devices WHERE user_id = ?1";
            sql::change(connection, forget, [&user_id])?;
            messages::queue_if_any(connection, notice.as_ref())?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        });
        let set = set.await?;
        self.ring_logout_bell();
        self.ring_message_bell();
        Ok(set)
    }

    /// Changes a person's password from `known` to `hash`, in the session `this`, which goes on under the digest `renewed`. Their other
    /// sessions end, and unfinished sign-ins, remembered browsers, every grant and every link. Says whether that was done: not when the password is another
    /// than `known` by now, or the session is over. Only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_password(
        &self,
        change: PasswordChange,
        notice: Option<NewMessage>,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let changed = self.write(move |connection| {
            let now = audit.at;
            let PasswordChange {
                user_id,
                known,
                hash,
                this,
                renewed,
            } = change;
            let renew = "UPDATE sessions SET digest = ?2 WHERE digest = ?1 AND user_id = ?3
                         AND EXISTS (SELECT 1 FROM users WHERE id = ?3 AND password_hash = ?4)";
            let parameters = params![this.as_bytes(), renewed.as_bytes(), user_id, known.expose()];
            if sql::change(connection, renew, parameters)? == 0 {
                return Ok(false);
            }
            let update = "UPDATE users SET password_hash = ?2 WHERE id = ?1";
            sql::change(connection, update, params![user_id, hash.expose()])?;
            // What was granted in this session ends below; its clients still hear of the session's end one day.
            let follow = "UPDATE grants SET session_digest = ?2 WHERE session_digest = ?1";
            sql::change(connection, follow, params![this.as_bytes(), renewed.as_bytes()])?;
            sessions::end_all_but(connection, &user_id, Some(&renewed), now)?;
            remembered_devices::forget_all(connection, &user_id, Some(&renewed))?;
            grants::end_all_of(connection, &user_id, now)?;
            supersede(connection, &user_id, None, now)?;
            messages::queue_if_any(connection, notice.as_ref())?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        });
        let changed = changed.await?;
        self.ring_logout_bell();
        self.ring_message_bell();
        Ok(changed)
    }
}

/// A change of password by somebody who is signed in.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub user_id: String,
    /// The hash of the present password, as it was when that was checked.
    pub known: Secret<String>,
    /// The hash of the new one.
    pub hash: Secret<String>,
    /// The session in which it is done.
    pub this: SecretDigest,
    /// Its digest from now on.
    pub renewed: SecretDigest,
}

fn is_refused(connection: &Connection, link: &AccountLink, at_most: Option<u32>) -> Result<bool, StoreError> {
    let person = "SELECT 1 FROM users WHERE id = ?1 AND email = ?2 AND deactivated_at IS NULL";
    let parameters = params![link.user_id, link.email];
    if sql::first(connection, person, parameters, |_| Ok(()))?.is_none() {
        return Ok(true);
    }
    let Some(at_most) = at_most else {
        return Ok(false);
    };
    let count =
        "SELECT count(*) AS links FROM account_links WHERE user_id = ?1 AND purpose = ?2 AND created_at > ?3";
    let parameters = params![
        link.user_id,
        link.purpose.as_str(),
        link.created_at.minus(3600).seconds()
    ];
    let lately = sql::first(connection, count, parameters, |row| {
        Ok(row.get::<_, u32>("links")?)
    })?;
    Ok(lately.unwrap_or_default() >= at_most)
}

/// Ends the links of a person, of one purpose or of all.
pub(super) fn supersede(
    connection: &Connection,
    user_id: &str,
    purpose: Option<LinkPurpose>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let update = "UPDATE account_links SET consumed_at = ?3
                  WHERE user_id = ?1 AND (?2 IS NULL OR purpose = ?2) AND consumed_at IS NULL";
    let purpose = purpose.map(LinkPurpose::as_str);
    sql::change(connection, update, params![user_id, purpose, now.seconds()]).map(drop)
}

fn insert(connection: &Connection, link: &AccountLink) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO account_links (digest, user_id, purpose, email, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            link.digest.as_bytes(),
            link.user_id,
            link.purpose.as_str(),
            link.email,
            link.created_at.seconds(),
            link.expires_at.seconds(),
        ],
    )
    .map(drop)
}

fn from_row(row: &Row<'_>) -> Result<AccountLink, StoreError> {
    let purpose: String = row.get("purpose")?;
    Ok(AccountLink {
        digest: sql::digest(row, "digest")?,
        user_id: row.get("user_id")?,
        purpose: LinkPurpose::from_name(&purpose).ok_or(StoreError::Corrupt(TABLE))?,
        email: row.get("email")?,
        created_at: sql::instant(row, "created_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
