//! Devices that wait for a person: answered once, redeemed once.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::device_authorization::{DeviceAuthorization, PollOutcome, SLOW_DOWN_SECONDS, UserCode};
use crate::domain::digest::SecretDigest;
use crate::domain::grant::{AccessTokenRecord, Grant, RefreshToken};

use super::{Insertion, Store, StoreError, access_tokens, audit_events, grants, refresh_tokens, sql};

const TABLE: &str = "device_authorizations";

impl Store {
    /// Keeps a device that waits. `AlreadyExists` when its user code is in use; `audit` is recorded only if it was stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_device_authorization(
        &self,
        device: DeviceAuthorization,
        audit: AuditEvent,
    ) -> Result<Insertion, StoreError> {
        self.write(move |connection| {
            let rows = sql::change(
                connection,
                "INSERT INTO device_authorizations
                     (digest, user_code, client_id, scope, audiences, interval_seconds, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (user_code) DO NOTHING",
                params![
                    device.digest.as_bytes(),
                    device.user_code.letters(),
                    device.client_id,
                    device.scope.to_string(),
                    sql::to_list(&device.audiences)?,
                    device.interval_seconds,
                    device.expires_at.seconds(),
                ],
            )?;
            if rows > 0 {
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        })
        .await
    }

    /// The device that waits for an answer under this user code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_device(
        &self,
        user_code: &UserCode,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreError> {
        let user_code = user_code.clone();
        self.read(move |connection| {
            sql::first(
                connection,
                "SELECT * FROM device_authorizations
                 WHERE user_code = ?1 AND decided_at IS NULL AND expires_at > ?2",
                params![user_code.letters(), now.seconds()],
                from_row,
            )
        })
        .await
    }

    /// Records a person's yes with the grant they gave, which sleeps until the device fetches its tokens; or their no,
    /// without one. `false` when there was nothing to answer any more; nothing is stored then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decide_device_authorization(
        &self,
        user_code: &UserCode,
        grant: Option<Grant>,
        audit: Vec<AuditEvent>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let user_code = user_code.clone();
        self.write(move |connection| {
            let decide = "UPDATE device_authorizations SET decided_at = ?2
                          WHERE user_code = ?1 AND decided_at IS NULL AND expires_at > ?2";
            if sql::change(connection, decide, params![user_code.letters(), now.seconds()])? == 0 {
                return Ok(false);
            }
            if let Some(grant) = &grant {
                grants::insert(connection, grant)?;
                let give = "UPDATE device_authorizations SET grant_id = ?2 WHERE user_code = ?1";
                sql::change(connection, give, params![user_code.letters(), grant.id])?;
            }
            audit
                .iter()
                .try_for_each(|event| audit_events::insert(connection, event))?;
            Ok(true)
        })
        .await
    }

    /// A device asks whether there is an answer. `None` when `client_id` has no such device code. A device that asks too
    /// soon has to wait longer from now on. Nothing is consumed: see [`Store::redeem_device_code`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn poll_device_code(
        &self,
        digest: &SecretDigest,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Option<(PollOutcome, Option<Grant>)>, StoreError> {
        let (digest, client_id) = (*digest, String::from(client_id));
        self.write(move |connection| {
            let query = "SELECT * FROM device_authorizations WHERE digest = ?1 AND client_id = ?2";
            let parameters = params![digest.as_bytes(), client_id];
            let Some(device) = sql::first(connection, query, parameters, from_row)? else {
                return Ok(None);
            };
            let outcome = device.poll(now);
            match outcome {
                PollOutcome::Pending => note_poll(connection, &digest, now, 0)?,
                PollOutcome::TooSoon => note_poll(connection, &digest, now, SLOW_DOWN_SECONDS)?,
                PollOutcome::Approved
                | PollOutcome::Denied
                | PollOutcome::Redeemed
                | PollOutcome::Expired => {}
            }
            let grant = match (outcome, device.grant_id) {
                (PollOutcome::Approved, Some(grant_id)) => {
                    let query = "SELECT * FROM grants WHERE id = ?1";
                    sql::first(connection, query, [grant_id], grants::from_row)?
                }
                (_, _) => None,
            };
            Ok(Some((outcome, grant)))
        })
        .await
    }

    /// Redeems an approved device code: consumes it, wakes its grant and stores the tokens made from it, all or nothing.
    /// `false` when another poll was first, or it died; nothing is stored then.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when the tokens name another grant than the code's.
    pub async fn redeem_device_code(
        &self,
        digest: &SecretDigest,
        refresh: Option<RefreshToken>,
        access: AccessTokenRecord,
        now: Timestamp,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let digest = *digest;
        self.write(move |connection| {
            let consumed = sql::first(
                connection,
                "UPDATE device_authorizations SET redeemed_at = ?2
                 WHERE digest = ?1 AND grant_id IS NOT NULL AND redeemed_at IS NULL AND expires_at > ?2
                 RETURNING grant_id",
                params![digest.as_bytes(), now.seconds()],
                |row| Ok(row.get::<_, String>("grant_id")?),
            )?;
            let Some(grant_id) = consumed else {
                return Ok(false);
            };
            let refresh_fits = refresh.as_ref().is_none_or(|token| token.grant_id == grant_id);
            if !refresh_fits || access.grant_id.as_deref() != Some(grant_id.as_str()) {
                return Err(StoreError::Conflict);
            }
            if !grants::activate(connection, &grant_id, now)? {
                return Ok(false);
            }
            if let Some(refresh) = &refresh {
                refresh_tokens::insert_first(connection, refresh, &access)?;
            }
            access_tokens::insert(connection, &access)?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        })
        .await
    }
}

fn note_poll(
    connection: &Connection,
    digest: &SecretDigest,
    now: Timestamp,
    longer_seconds: i64,
) -> Result<(), StoreError> {
    let update = "UPDATE device_authorizations
                  SET last_polled_at = ?2, interval_seconds = interval_seconds + ?3 WHERE digest = ?1";
    sql::change(
        connection,
        update,
        params![digest.as_bytes(), now.seconds(), longer_seconds],
    )?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> Result<DeviceAuthorization, StoreError> {
    let user_code: String = row.get("user_code")?;
    Ok(DeviceAuthorization {
        digest: sql::digest(row, "digest")?,
        user_code: UserCode::parse(&user_code).ok_or(StoreError::Corrupt(TABLE))?,
        client_id: row.get("client_id")?,
        scope: sql::scope(row, TABLE)?,
        audiences: sql::list(row, "audiences", TABLE, Some::<String>)?,
        interval_seconds: row.get("interval_seconds")?,
        last_polled_at: sql::optional_instant(row, "last_polled_at")?,
        decided_at: sql::optional_instant(row, "decided_at")?,
        grant_id: row.get("grant_id")?,
        redeemed_at: sql::optional_instant(row, "redeemed_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
