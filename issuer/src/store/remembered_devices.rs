//! Browsers in which people are not asked for a second factor each time.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::remembered_device::RememberedDevice;
use crate::domain::sign_in::DeviceChange;

use super::{Store, StoreError, audit_events, sql};

impl Store {
    /// The browser of this cookie as this person had it remembered, unless it has expired.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remembered_device(
        &self,
        digest: &SecretDigest,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Option<RememberedDevice>, StoreError> {
        let (digest, user_id) = (*digest, String::from(user_id));
        self.look_up(move |connection| {
            let query =
                "SELECT * FROM remembered_devices WHERE digest = ?1 AND user_id = ?2 AND expires_at > ?3";
            let parameters = params![digest.as_bytes(), user_id, now.seconds()];
            sql::first(connection, query, parameters, from_row)
        })
        .await
    }

    /// The browsers that a person had remembered, the one last seen first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remembered_devices(
        &self,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Vec<RememberedDevice>, StoreError> {
        let user_id = String::from(user_id);
        self.read(move |connection| {
            let query = "SELECT * FROM remembered_devices WHERE user_id = ?1 AND expires_at > ?2
                         ORDER BY last_seen_at DESC, id";
            sql::all(connection, query, params![user_id, now.seconds()], from_row)
        })
        .await
    }

    /// Forgets a browser. In sessions that live there, a second factor is asked for again. Says whether the person had such a
    /// browser; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_device(
        &self,
        user_id: &str,
        id: &str,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (user_id, id) = (String::from(user_id), String::from(id));
        self.write(move |connection| {
            let update = "UPDATE sessions SET second_factor_at = NULL WHERE device_id = ?1 AND user_id = ?2";
            sql::change(connection, update, params![id, user_id])?;
            let delete = "DELETE FROM remembered_devices WHERE id = ?1 AND user_id = ?2";
            let found = sql::change(connection, delete, params![id, user_id])? > 0;
            if found {
                audit_events::insert(connection, &audit)?;
            }
            Ok(found)
        })
        .await
    }

    /// Forgets every browser of a person. In all sessions but `keeps`, a second factor is asked for again. Says how many browsers
    /// there were; `audit` is recorded only if there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_devices(
        &self,
        user_id: &str,
        keeps: SecretDigest,
        audit: AuditEvent,
    ) -> Result<usize, StoreError> {
        let user_id = String::from(user_id);
        self.write(move |connection| {
            let forgotten = forget_all(connection, &user_id, Some(&keeps))?;
            if forgotten > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(forgotten)
        })
        .await
    }
}

/// Forgets every browser of a person, and what was given in their sessions, but for `keeps`. Says how many browsers there were.
pub(super) fn forget_all(
    connection: &Connection,
    user_id: &str,
    keeps: Option<&SecretDigest>,
) -> Result<usize, StoreError> {
    let update = "UPDATE sessions SET second_factor_at = NULL
                  WHERE user_id = ?1 AND second_factor_at IS NOT NULL AND (?2 IS NULL OR digest <> ?2)";
    let keeps = keeps.map(SecretDigest::as_bytes);
    sql::change(connection, update, params![user_id, keeps])?;
    let delete = "DELETE FROM remembered_devices WHERE user_id = ?1";
    sql::change(connection, delete, [user_id])
}

/// Does with the browser of a beginning session what its person wants. Gives the id of the remembered device, if it is one now.
pub(super) fn apply(
    connection: &Connection,
    user_id: &str,
    change: DeviceChange,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    match change {
        DeviceChange::None => Ok(None),
        DeviceChange::Seen { id } => {
            let update = "UPDATE remembered_devices SET last_seen_at = max(last_seen_at, ?3)
                          WHERE id = ?1 AND user_id = ?2";
            let found = sql::change(connection, update, params![id, user_id, now.seconds()])? > 0;
            Ok(found.then_some(id))
        }
        DeviceChange::Remember { device, before } => {
            if let Some(before) = before {
                let move_along = "UPDATE remembered_devices SET digest = ?2 WHERE digest = ?1";
                let parameters = params![before.as_bytes(), device.digest.as_bytes()];
                sql::change(connection, move_along, parameters)?;
            }
            sql::first(
                connection,
                "INSERT INTO remembered_devices
                     (id, digest, user_id, label, created_at, last_factor_at, last_seen_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (digest, user_id) DO UPDATE
                 SET label = ?4, last_factor_at = ?6, last_seen_at = ?7, expires_at = ?8
                 RETURNING id",
                params![
                    device.id,
                    device.digest.as_bytes(),
                    user_id,
                    device.label,
                    device.created_at.seconds(),
                    device.last_factor_at.seconds(),
                    device.last_seen_at.seconds(),
                    device.expires_at.seconds(),
                ],
                |row| Ok(row.get("id")?),
            )
        }
        DeviceChange::Forget { digest } => {
            let delete = "DELETE FROM remembered_devices WHERE digest = ?1 AND user_id = ?2";
            sql::change(connection, delete, params![digest.as_bytes(), user_id])?;
            Ok(None)
        }
    }
}

fn from_row(row: &Row<'_>) -> Result<RememberedDevice, StoreError> {
    Ok(RememberedDevice {
        id: row.get("id")?,
        digest: sql::digest(row, "digest")?,
        user_id: row.get("user_id")?,
        label: row.get("label")?,
        created_at: sql::instant(row, "created_at")?,
        last_factor_at: sql::instant(row, "last_factor_at")?,
        last_seen_at: sql::instant(row, "last_seen_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
