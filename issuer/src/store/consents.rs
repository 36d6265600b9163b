//! Remembered answers of the consent page, each for one resource.

use rusqlite::{Connection, params};
use wardgate_shared::scope::ScopeSet;

use crate::domain::consent::Consent;

use super::{Store, StoreError, sql};

const TABLE: &str = "consents";

impl Store {
    /// What this person agreed, all times together, that this client may have at the resource `audience`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreed_scope(
        &self,
        user_id: &str,
        client_id: &str,
        audience: &str,
    ) -> Result<Option<ScopeSet>, StoreError> {
        let (user_id, client_id, audience) = (
            String::from(user_id),
            String::from(client_id),
            String::from(audience),
        );
        self.read(move |connection| find(connection, &user_id, &client_id, &audience))
            .await
    }
}

/// Remembers an answer: the scope is added to what was agreed before for each of its resources.
pub(super) fn remember(connection: &Connection, consent: &Consent) -> Result<(), StoreError> {
    for audience in &consent.audiences {
        let scope = match find(connection, &consent.user_id, &consent.client_id, audience)? {
            Some(earlier) => earlier.union(&consent.scope),
            None => consent.scope.clone(),
        };
        // A union that could not be read back is not worth keeping; the person is asked once more instead.
        let readable =
            scope.len() <= ScopeSet::MAXIMUM_COUNT && scope.to_string().len() <= ScopeSet::MAXIMUM_LENGTH;
        let scope = if readable { scope } else { consent.scope.clone() };
        sql::change(
            connection,
            "INSERT INTO consents (user_id, client_id, audience, scope, granted_at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (user_id, client_id, audience)
             DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at",
            params![
                consent.user_id,
                consent.client_id,
                audience,
                scope.to_string(),
                consent.granted_at.seconds()
            ],
        )?;
    }
    Ok(())
}

fn find(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
    audience: &str,
) -> Result<Option<ScopeSet>, StoreError> {
    let query = "SELECT scope FROM consents WHERE user_id = ?1 AND client_id = ?2 AND audience = ?3";
    sql::first(connection, query, [user_id, client_id, audience], |row| {
        sql::scope(row, TABLE)
    })
}
