//! People's second factors, and the codes that stand in for a lost one.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::digest::SecretDigest;
use crate::domain::factor::{Factor, FactorKind, FactorUse, MOST_FACTORS};
use crate::domain::message::NewMessage;

use super::{
    Insertion, Refused, Store, StoreError, accounts, audit_events, messages, remembered_devices, sent_codes,
    sessions, sql,
};

const TABLE: &str = "factors";

/// What became of an attempt to remove a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FactorRemoval {
    /// It is gone.
    Removed,
    /// The person has no such factor.
    NotFound,
    /// It is the last one, and the person must have one.
    LastOne,
}

impl Store {
    /// Keeps a new factor. One that is to be confirmed takes the place of others of its kind that were not. `AlreadyExists` when
    /// its id is taken, or its person has as many as one may have. What `told` holds is recorded, and sent, only if it was stored.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when there is no such person.
    pub async fn insert_factor(
        &self,
        factor: Factor,
        told: Option<(AuditEvent, Option<NewMessage>)>,
    ) -> Result<Insertion, StoreError> {
        let insertion = self.write(move |connection| {
            if factor.confirmed_at.is_none() {
                return Ok(if insert_unconfirmed(connection, &factor)? {
                    Insertion::Inserted
                } else {
                    Insertion::AlreadyExists
                });
            }
            let rows = insert(connection, &factor)?;
            if let Some((audit, notice)) = told.filter(|_| rows > 0) {
                messages::queue_if_any(connection, notice.as_ref())?;
                audit_events::insert(connection, &audit)?;
            }
            Ok(Insertion::of(rows))
        });
        let insertion = insertion.await?;
        self.ring_message_bell();
        Ok(insertion)
    }

    /// The confirmed factors of a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn factors(&self, user_id: &str) -> Result<Vec<Factor>, StoreError> {
        let user_id = String::from(user_id);
        self.look_up(move |connection| {
            let query = "SELECT * FROM factors WHERE user_id = ?1 AND confirmed_at IS NOT NULL ORDER BY created_at, id";
            sql::all(connection, query, [&user_id], from_row)
        })
        .await
    }

    /// The factor of this id, confirmed or not, if it is this person's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn factor(&self, user_id: &str, id: &str) -> Result<Option<Factor>, StoreError> {
        let (user_id, id) = (String::from(user_id), String::from(id));
        self.look_up(move |connection| {
            let query = "SELECT * FROM factors WHERE id = ?1 AND user_id = ?2";
            sql::first(connection, query, params![id, user_id], from_row)
        })
        .await
    }

    /// Calls a factor that is being set up by the name that its person chose.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn name_new_factor(&self, user_id: &str, id: &str, name: &str) -> Result<(), StoreError> {
        let (user_id, id, name) = (String::from(user_id), String::from(id), String::from(name));
        self.write(move |connection| {
            let update =
                "UPDATE factors SET name = ?3 WHERE id = ?1 AND user_id = ?2 AND confirmed_at IS NULL";
            sql::change(connection, update, params![id, user_id, name]).map(drop)
        })
        .await
    }

    /// Calls a factor by another name. Says whether the person has such a factor; only then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rename_factor(
        &self,
        user_id: &str,
        id: &str,
        name: &str,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (user_id, id, name) = (String::from(user_id), String::from(id), String::from(name));
        self.write(move |connection| {
            let update = "UPDATE factors SET name = ?3
                          WHERE id = ?1 AND user_id = ?2 AND confirmed_at IS NOT NULL";
            let found = sql::change(connection, update, params![id, user_id, name])? > 0;
            if found {
                audit_events::insert(connection, &audit)?;
            }
            Ok(found)
        })
        .await
    }

    /// Removes a factor; the last one not, when `needs_one`. With the last one go the recovery codes, which stand in for
    /// nothing then. With any go the remembered browsers, and what was given in sessions other than `keeps`: who removes a
    /// factor may have lost it, and nobody can tell where it was used. `keeps` is the session in which it is done; once that is
    /// over, nothing is found. `audit` is recorded, and `notice` sent, only if it was removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_factor(
        &self,
        user_id: &str,
        id: &str,
        needs_one: bool,
        keeps: SecretDigest,
        notice: Option<NewMessage>,
        audit: AuditEvent,
    ) -> Result<FactorRemoval, StoreError> {
        let (user_id, id) = (String::from(user_id), String::from(id));
        let removal = self.write(move |connection| {
            let query = "SELECT 1 FROM factors WHERE id = ?1 AND user_id = ?2 AND confirmed_at IS NOT NULL";
            if sql::first(connection, query, params![id, user_id], |_| Ok(()))?.is_none()
                || !sessions::is_of(connection, Some(&keeps), &user_id)?
            {
                return Ok(FactorRemoval::NotFound);
            }
            let is_last = count(connection, &user_id)? == 1;
            if is_last && needs_one {
                return Ok(FactorRemoval::LastOne);
            }
            sql::change(connection, "DELETE FROM factors WHERE id = ?1", [&id])?;
            if is_last {
                forget_all_of(connection, &user_id)?;
            }
            remembered_devices::forget_all(connection, &user_id, Some(&keeps))?;
            messages::queue_if_any(connection, notice.as_ref())?;
            audit_events::insert(connection, &audit)?;
            Ok(FactorRemoval::Removed)
        });
        let removal = removal.await?;
        self.ring_message_bell();
        Ok(removal)
    }

    /// Removes every factor of a person, their recovery codes, remembered browsers, unfinished sign-ins and sessions. They are
    /// offered a factor again, and `notice` tells them. Says how many confirmed factors there were; `audit` is recorded in any
    /// case. `giver` as in [`Store::create_account`].
    ///
    /// # Errors
    /// [`StoreError`]. Inside the `Ok`: [`Refused`].
    pub async fn reset_factors(
        &self,
        user_id: &str,
        giver: Option<String>,
        notice: Option<NewMessage>,
        audit: AuditEvent,
    ) -> Result<Result<u32, Refused>, StoreError> {
        let user_id = String::from(user_id);
        let reset = self.write(move |connection| {
            if let Err(refused) = accounts::managed(connection, &user_id, giver.as_deref())? {
                return Ok(Err(refused));
            }
            let factors = count(connection, &user_id)?;
            sql::change(connection, "DELETE FROM factors WHERE user_id = ?1", [&user_id])?;
            forget_all_of(connection, &user_id)?;
            sql::change(connection, "DELETE FROM sign_ins WHERE user_id = ?1", [&user_id])?;
            let offer_again = "UPDATE users SET factor_declined_at = NULL WHERE id = ?1";
            sql::change(connection, offer_again, [&user_id])?;
            sessions::end_all_of(connection, &user_id, audit.at)?;
            messages::queue_if_any(connection, notice.as_ref())?;
            audit_events::insert(connection, &audit)?;
            Ok(Ok(factors))
        });
        let reset = reset.await?;
        self.ring_logout_bell();
        self.ring_message_bell();
        Ok(reset)
    }

    /// Notes that a person does not want a second factor now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn decline_factor(&self, user_id: &str, now: Timestamp) -> Result<(), StoreError> {
        let user_id = String::from(user_id);
        self.write(move |connection| {
            let update = "UPDATE users SET factor_declined_at = ?2 WHERE id = ?1";
            sql::change(connection, update, params![user_id, now.seconds()]).map(drop)
        })
        .await
    }

    /// Whether a person said that they do not want a second factor now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_declined_factor(&self, user_id: &str) -> Result<bool, StoreError> {
        let user_id = String::from(user_id);
        self.look_up(move |connection| {
            let query = "SELECT 1 FROM users WHERE id = ?1 AND factor_declined_at IS NOT NULL";
            Ok(sql::first(connection, query, [&user_id], |_| Ok(()))?.is_some())
        })
        .await
    }

    /// Gives a person new recovery codes, by their digests; those from before are over, and `notice` says so. Says
    /// whether that was done: not when the session `of` is over by now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_recovery_codes(
        &self,
        user_id: &str,
        digests: Vec<SecretDigest>,
        of: SecretDigest,
        notice: Option<NewMessage>,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let user_id = String::from(user_id);
        let replaced = self.write(move |connection| {
            if !sessions::is_of(connection, Some(&of), &user_id)? {
                return Ok(false);
            }
            sql::change(
                connection,
                "DELETE FROM recovery_codes WHERE user_id = ?1",
                [&user_id],
            )?;
            insert_recovery_codes(connection, &user_id, &digests, audit.at)?;
            messages::queue_if_any(connection, notice.as_ref())?;
            audit_events::insert(connection, &audit)?;
            Ok(true)
        });
        let replaced = replaced.await?;
        self.ring_message_bell();
        Ok(replaced)
    }

    /// How many recovery codes of a person are not used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unused_recovery_codes(&self, user_id: &str) -> Result<u32, StoreError> {
        let user_id = String::from(user_id);
        self.look_up(move |connection| unused_recovery_codes(connection, &user_id))
            .await
    }

    /// Whether a person has this recovery code and has not used it. It is consumed by [`Store::complete_sign_in`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_recovery_code(&self, user_id: &str, digest: &SecretDigest) -> Result<bool, StoreError> {
        let (user_id, digest) = (String::from(user_id), *digest);
        self.look_up(move |connection| {
            let query = "SELECT 1 FROM recovery_codes WHERE digest = ?1 AND user_id = ?2 AND used_at IS NULL";
            let found = sql::first(connection, query, params![digest.as_bytes(), user_id], |_| Ok(()))?;
            Ok(found.is_some())
        })
        .await
    }
}

/// Stores a factor that is to be confirmed, in the place of others of its kind that were not. Says whether there was room for it.
pub(super) fn insert_unconfirmed(connection: &Connection, factor: &Factor) -> Result<bool, StoreError> {
    let unfinished = "DELETE FROM factors WHERE user_id = ?1 AND kind = ?2 AND confirmed_at IS NULL";
    let parameters = params![factor.user_id, factor.kind.as_str()];
    sql::change(connection, unfinished, parameters)?;
    Ok(insert(connection, factor)? > 0)
}

/// Stores a factor, unless its person has as many as one may have. Says how many rows that made.
pub(super) fn insert(connection: &Connection, factor: &Factor) -> Result<usize, StoreError> {
    let detail = factor.detail.as_ref().map(sql::to_json).transpose()?;
    sql::change(
        connection,
        "INSERT INTO factors
             (id, user_id, kind, name, sealed, detail, created_at, confirmed_at, last_used_at, last_step)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
         WHERE (SELECT count(*) FROM factors WHERE user_id = ?2) < ?11
         ON CONFLICT (id) DO NOTHING",
        params![
            factor.id,
            factor.user_id,
            factor.kind.as_str(),
            factor.name,
            factor.sealed,
            detail,
            factor.created_at.seconds(),
            sql::optional_seconds(factor.confirmed_at),
            sql::optional_seconds(factor.last_used_at),
            factor.last_step,
            MOST_FACTORS,
        ],
    )
}

/// Consumes what was given as second factor at `now`, in one guarded statement. `enrols` says that the factor is confirmed
/// by this. Says whether it could be.
pub(super) fn consume(
    connection: &Connection,
    user_id: &str,
    used: &FactorUse,
    enrols: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = match used {
        FactorUse::OneTimePassword { factor_id, step } => sql::change(
            connection,
            "UPDATE factors SET last_step = ?3, last_used_at = ?4, confirmed_at = coalesce(confirmed_at, ?4)
             WHERE id = ?1 AND user_id = ?2 AND kind = 'totp' AND (confirmed_at IS NULL) = ?5
               AND (last_step IS NULL OR last_step < ?3)",
            params![factor_id, user_id, step, now.seconds(), enrols],
        )?,
        FactorUse::Checked { factor_id } => seen(connection, user_id, factor_id, enrols, now)?,
        FactorUse::SentCode {
            factor_id,
            binding,
            digest,
        } => {
            if !sent_codes::consume(connection, binding, factor_id, digest, now)? {
                return Ok(false);
            }
            seen(connection, user_id, factor_id, enrols, now)?
        }
        FactorUse::RecoveryCode { digest } => sql::change(
            connection,
            "UPDATE recovery_codes SET used_at = ?3 WHERE digest = ?1 AND user_id = ?2 AND used_at IS NULL",
            params![digest.as_bytes(), user_id, now.seconds()],
        )?,
    };
    Ok(rows > 0)
}

/// Notes that a factor was used. Says how many rows that changed.
fn seen(
    connection: &Connection,
    user_id: &str,
    factor_id: &str,
    enrols: bool,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let update = "UPDATE factors SET last_used_at = ?3, confirmed_at = coalesce(confirmed_at, ?3)
                  WHERE id = ?1 AND user_id = ?2 AND (confirmed_at IS NULL) = ?4";
    sql::change(
        connection,
        update,
        params![factor_id, user_id, now.seconds(), enrols],
    )
}

pub(super) fn insert_recovery_codes(
    connection: &Connection,
    user_id: &str,
    digests: &[SecretDigest],
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO recovery_codes (digest, user_id, created_at) VALUES (?1, ?2, ?3)";
    digests.iter().try_for_each(|digest| {
        let parameters = params![digest.as_bytes(), user_id, now.seconds()];
        sql::change(connection, insert, parameters).map(drop)
    })
}

pub(super) fn unused_recovery_codes(connection: &Connection, user_id: &str) -> Result<u32, StoreError> {
    let query = "SELECT count(*) AS codes FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL";
    let codes = sql::first(connection, query, [user_id], |row| Ok(row.get("codes")?))?;
    Ok(codes.unwrap_or(0))
}

/// How many confirmed factors a person has.
pub(super) fn count(connection: &Connection, user_id: &str) -> Result<u32, StoreError> {
    let query = "SELECT count(*) AS factors FROM factors WHERE user_id = ?1 AND confirmed_at IS NOT NULL";
    let factors = sql::first(connection, query, [user_id], |row| Ok(row.get("factors")?))?;
    Ok(factors.unwrap_or(0))
}

/// Forgets what stood beside a person's factors: recovery codes and remembered browsers.
fn forget_all_of(connection: &Connection, user_id: &str) -> Result<(), StoreError> {
    sql::change(
        connection,
        "DELETE FROM recovery_codes WHERE user_id = ?1",
        [user_id],
    )?;
    remembered_devices::forget_all(connection, user_id, None).map(drop)
}

fn from_row(row: &Row<'_>) -> Result<Factor, StoreError> {
    let kind: String = row.get("kind")?;
    let detail: Option<String> = row.get("detail")?;
    let detail = detail.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Factor {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        kind: FactorKind::from_name(&kind).ok_or(StoreError::Corrupt(TABLE))?,
        name: row.get("name")?,
        sealed: row.get("sealed")?,
        detail: detail.map_err(|_| StoreError::Corrupt(TABLE))?,
        created_at: sql::instant(row, "created_at")?,
        confirmed_at: sql::optional_instant(row, "confirmed_at")?,
        last_used_at: sql::optional_instant(row, "last_used_at")?,
        last_step: row.get("last_step")?,
    })
}
