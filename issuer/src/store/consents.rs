//! Remembered answers of the consent page.

use rusqlite::{Connection, Row, params};
use wardgate_shared::scope::ScopeSet;

use crate::domain::consent::Consent;

use super::{Store, StoreError, sql};

const TABLE: &str = "consents";

impl Store {
    /// What this person agreed that this client may have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consent(&self, user_id: &str, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let (user_id, client_id) = (String::from(user_id), String::from(client_id));
        self.read(move |connection| find(connection, &user_id, &client_id))
            .await
    }
}

/// Remembers an answer: the scope is added to what was agreed before.
pub(super) fn remember(connection: &Connection, consent: &Consent) -> Result<(), StoreError> {
    let scope = match find(connection, &consent.user_id, &consent.client_id)? {
        Some(earlier) => earlier.scope.union(&consent.scope),
        None => consent.scope.clone(),
    };
    // A union that could not be read back is not worth keeping; the person is asked once more instead.
    let readable =
        scope.len() <= ScopeSet::MAXIMUM_COUNT && scope.to_string().len() <= ScopeSet::MAXIMUM_LENGTH;
    let scope = if readable { scope } else { consent.scope.clone() };
    sql::change(
        connection,
        "INSERT INTO consents (user_id, client_id, scope, granted_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at",
        params![consent.user_id, consent.client_id, scope.to_string(), consent.granted_at.seconds()],
    )?;
    Ok(())
}

fn find(connection: &Connection, user_id: &str, client_id: &str) -> Result<Option<Consent>, StoreError> {
    let query = "SELECT * FROM consents WHERE user_id = ?1 AND client_id = ?2";
    sql::first(connection, query, [user_id, client_id], from_row)
}

fn from_row(row: &Row<'_>) -> Result<Consent, StoreError> {
    Ok(Consent {
        user_id: row.get("user_id")?,
        client_id: row.get("client_id")?,
        scope: sql::scope(row, TABLE)?,
        granted_at: sql::instant(row, "granted_at")?,
    })
}
