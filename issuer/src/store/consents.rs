//! Remembered answers of the consent page, each for one resource.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use wardgate_shared::scope::ScopeSet;

use crate::domain::consent::Consent;
use crate::domain::person_claim::PersonClaim;

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

    /// To which claims besides the scopes this person agreed that this client may see them, with its access to `audience`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreed_claims(
        &self,
        user_id: &str,
        client_id: &str,
        audience: &str,
    ) -> Result<BTreeSet<PersonClaim>, StoreError> {
        let (user_id, client_id, audience) = (
            String::from(user_id),
            String::from(client_id),
            String::from(audience),
        );
        self.read(move |connection| find_claims(connection, &user_id, &client_id, &audience))
            .await
    }
}

/// The remembered answers of this person for this client, one a resource.
pub(super) fn of_client(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
) -> Result<Vec<Consent>, StoreError> {
    let query = "SELECT * FROM consents WHERE user_id = ?1 AND client_id = ?2 ORDER BY audience";
    sql::all(connection, query, [user_id, client_id], |row| {
        Ok(Consent {
            user_id: row.get("user_id")?,
            client_id: row.get("client_id")?,
            scope: sql::scope(row, TABLE)?,
            claims: sql::json(row, "claims", TABLE)?,
            audiences: vec![row.get("audience")?],
            granted_at: sql::instant(row, "granted_at")?,
        })
    })
}

/// Forgets them. Says how many there were.
pub(super) fn forget(connection: &Connection, user_id: &str, client_id: &str) -> Result<usize, StoreError> {
    let delete = "DELETE FROM consents WHERE user_id = ?1 AND client_id = ?2";
    sql::change(connection, delete, [user_id, client_id])
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
        let mut claims = find_claims(connection, &consent.user_id, &consent.client_id, audience)?;
        claims.extend(&consent.claims);
        sql::change(
            connection,
            "INSERT INTO consents (user_id, client_id, audience, scope, granted_at, claims)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (user_id, client_id, audience)
             DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at, claims = excluded.claims",
            params![
                consent.user_id,
                consent.client_id,
                audience,
                scope.to_string(),
                consent.granted_at.seconds(),
                sql::to_json(&claims)?,
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

fn find_claims(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
    audience: &str,
) -> Result<BTreeSet<PersonClaim>, StoreError> {
    let query = "SELECT claims FROM consents WHERE user_id = ?1 AND client_id = ?2 AND audience = ?3";
    let found = sql::first(connection, query, [user_id, client_id, audience], |row| {
        sql::json(row, "claims", TABLE)
    })?;
    Ok(found.unwrap_or_default())
}
