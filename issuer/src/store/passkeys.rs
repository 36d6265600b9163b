//! Passkeys, and the ceremonies that were answered.

use rusqlite::{Connection, Row, params};
use wardgate_shared::time::Timestamp;

use crate::domain::factor::Factor;
use crate::domain::passkey::{AnsweredCeremony, NewCredential, Passkey, PasskeyUse, UserHandle};

use super::{Store, StoreError, factors, sql};

const TABLE: &str = "passkeys";

/// What became of an attempt to keep a new passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasskeyInsertion {
    /// It is kept.
    Inserted,
    /// The ceremony was answered before.
    Replayed,
    /// The credential is known already, or the person has as many factors as one may have.
    Refused,
}

/// What became of an attempt to use a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasskeyOutcome {
    /// It was used.
    Used,
    /// The ceremony was answered before.
    Replayed,
    /// The counter did not rise: there may be two copies of the key (WebAuthn section 6.1.1).
    CounterFellBack,
    /// It is no more.
    Gone,
}

/// A macro because SQL is put together at compile time only: the columns of a passkey that may be used.
macro_rules! confirmed_passkeys {
    () => {
        "SELECT p.*, f.user_id, h.handle FROM passkeys p JOIN factors f ON f.id = p.factor_id
             JOIN user_handles h ON h.user_id = f.user_id
         WHERE f.confirmed_at IS NOT NULL AND "
    };
}

impl Store {
    /// By what authenticators know a person: `candidate` from now on, if nothing was settled before.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Conflict`] when there is no such person.
    pub async fn user_handle(&self, user_id: &str, candidate: UserHandle) -> Result<UserHandle, StoreError> {
        let user_id = String::from(user_id);
        let known = {
            let user_id = user_id.clone();
            self.look_up(move |connection| handle(connection, &user_id))
                .await?
        };
        if let Some(known) = known {
            return Ok(known);
        }
        self.write(move |connection| {
            let insert =
                "INSERT INTO user_handles (user_id, handle) VALUES (?1, ?2) ON CONFLICT (user_id) DO NOTHING";
            sql::change(connection, insert, params![user_id, candidate])?;
            handle(connection, &user_id)?.ok_or(StoreError::Conflict)
        })
        .await
    }

    /// The passkeys of a person, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkeys_of(&self, user_id: &str) -> Result<Vec<Passkey>, StoreError> {
        let user_id = String::from(user_id);
        self.look_up(move |connection| {
            let query = concat!(
                confirmed_passkeys!(),
                "f.user_id = ?1 ORDER BY f.created_at, f.id"
            );
            sql::all(connection, query, [&user_id], from_row)
        })
        .await
    }

    /// The passkey of this credential id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let credential_id = credential_id.to_vec();
        self.look_up(move |connection| {
            let query = concat!(confirmed_passkeys!(), "p.credential_id = ?1");
            sql::first(connection, query, params![credential_id], from_row)
        })
        .await
    }

    /// Keeps a new passkey, whose `factor` is confirmed with the session that comes of it, and uses up its ceremony.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_passkey(
        &self,
        factor: Factor,
        credential: NewCredential,
        ceremony: AnsweredCeremony,
    ) -> Result<PasskeyInsertion, StoreError> {
        self.write(move |connection| {
            if !use_up(connection, &ceremony)? {
                return Ok(PasskeyInsertion::Replayed);
            }
            let known = "SELECT 1 FROM passkeys WHERE credential_id = ?1";
            let known = sql::first(connection, known, params![credential.credential_id], |_| Ok(()))?;
            if known.is_some() || factors::insert(connection, &factor)? == 0 {
                return Ok(PasskeyInsertion::Refused);
            }
            sql::change(
                connection,
                "INSERT INTO passkeys (factor_id, credential_id, credential, counter) VALUES (?1, ?2, ?3, ?4)",
                params![
                    factor.id,
                    credential.credential_id,
                    sql::to_json(&credential.credential)?,
                    credential.counter,
                ],
            )?;
            Ok(PasskeyInsertion::Inserted)
        })
        .await
    }

    /// Uses a passkey at `now`: uses up the ceremony, and takes the counter only if it rose, or if the authenticator keeps none.
    /// Of many answers to one ceremony, exactly one is told [`PasskeyOutcome::Used`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_passkey(&self, used: PasskeyUse, now: Timestamp) -> Result<PasskeyOutcome, StoreError> {
        self.write(move |connection| {
            if !use_up(connection, &used.ceremony)? {
                return Ok(PasskeyOutcome::Replayed);
            }
            let living = "SELECT 1 FROM factors WHERE id = ?1 AND user_id = ?2 AND confirmed_at IS NOT NULL";
            let living = sql::first(connection, living, params![used.factor_id, used.user_id], |_| {
                Ok(())
            })?;
            if living.is_none() {
                return Ok(PasskeyOutcome::Gone);
            }
            let update = "UPDATE passkeys SET credential = ?2, counter = ?3
                          WHERE factor_id = ?1 AND (counter < ?3 OR (counter = 0 AND ?3 = 0))";
            let credential = sql::to_json(&used.credential)?;
            let parameters = params![used.factor_id, credential, used.counter];
            if sql::change(connection, update, parameters)? == 0 {
                return Ok(PasskeyOutcome::CounterFellBack);
            }
            let seen = "UPDATE factors SET last_used_at = ?2 WHERE id = ?1";
            sql::change(connection, seen, params![used.factor_id, now.seconds()])?;
            Ok(PasskeyOutcome::Used)
        })
        .await
    }
}

/// Uses up a ceremony. Says whether it was not used before.
fn use_up(connection: &Connection, ceremony: &AnsweredCeremony) -> Result<bool, StoreError> {
    let insert =
        "INSERT INTO used_ceremonies (digest, expires_at) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING";
    let parameters = params![ceremony.digest.as_bytes(), ceremony.expires_at.seconds()];
    Ok(sql::change(connection, insert, parameters)? > 0)
}

fn handle(connection: &Connection, user_id: &str) -> Result<Option<UserHandle>, StoreError> {
    let query = "SELECT handle FROM user_handles WHERE user_id = ?1";
    sql::first(connection, query, [user_id], |row| Ok(row.get("handle")?))
}

fn from_row(row: &Row<'_>) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        factor_id: row.get("factor_id")?,
        user_id: row.get("user_id")?,
        user_handle: row.get("handle")?,
        credential_id: row.get("credential_id")?,
        credential: sql::json(row, "credential", TABLE)?,
    })
}
