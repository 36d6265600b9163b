//! What people have given to clients: listed for the person, and taken back.

use rusqlite::{Connection, params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::connected_app::ConnectedApp;
use crate::domain::grant::Grant;

use super::{Store, StoreError, audit_events, clients, consents, grants, sql};

/// A macro because SQL is put together at compile time only: what makes a grant `g` one that counts at `?2`.
macro_rules! at_work {
    () => {
        "g.ended_at IS NULL AND g.activated_at IS NOT NULL AND (
             EXISTS (SELECT 1 FROM access_tokens a WHERE a.grant_id = g.id AND a.revoked_at IS NULL AND a.expires_at > ?2)
             OR EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id AND r.rotated_at IS NULL
                        AND r.replaced_at IS NULL AND r.expires_at > ?2)
                AND (g.ends_with_session = 0 OR EXISTS (
                     SELECT 1 FROM sessions s WHERE s.digest = g.session_digest AND s.expires_at > ?2)))"
    };
}

/// What makes a row one of the good tokens in the name of `?1` that no grant to their client stands behind: those that were
/// exchanged for a token of another client's (RFC 8693).
macro_rules! exchanged {
    () => {
        "revoked_at IS NULL AND expires_at > ?2 AND token_id IN (
             SELECT token_id FROM access_tokens WHERE user_id = ?1 AND grant_id IS NULL
             UNION SELECT a.token_id FROM grants g JOIN access_tokens a ON a.grant_id = g.id
                   WHERE g.user_id = ?1 AND a.client_id <> g.client_id)"
    };
}

impl Store {
    /// Every client with a hold on this person's account at `now`, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn connected_apps(
        &self,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Vec<ConnectedApp>, StoreError> {
        let user_id = String::from(user_id);
        self.read(move |connection| {
            let query = concat!(
                "SELECT * FROM clients WHERE client_id IN (
                     SELECT client_id FROM consents WHERE user_id = ?1
                     UNION SELECT g.client_id FROM grants g WHERE g.user_id = ?1 AND ",
                at_work!(),
                " UNION SELECT client_id FROM access_tokens WHERE ",
                exchanged!(),
                ") ORDER BY name, client_id"
            );
            let parameters = params![user_id, now.seconds()];
            let clients = sql::all(connection, query, parameters, clients::from_row)?;
            clients
                .into_iter()
                .map(|client| {
                    let client_id = client.client_id.as_str();
                    Ok(ConnectedApp {
                        consents: consents::of_client(connection, &user_id, client_id)?,
                        grants: grants_at_work(connection, &user_id, client_id, now)?,
                        has_exchanged_tokens: has_exchanged(connection, &user_id, client_id, now)?,
                        client,
                    })
                })
                .collect()
        })
        .await
    }

    /// Takes back, at the time of `audit`, all that a person has given a client: forgets the remembered answers, and ends every
    /// grant with its code and tokens, and every other token in the person's name. Says whether there was anything; only
    /// then is `audit` recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_consent(
        &self,
        user_id: &str,
        client_id: &str,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (user_id, client_id) = (String::from(user_id), String::from(client_id));
        self.write(move |connection| {
            let forgotten = consents::forget(connection, &user_id, &client_id)?;
            let living = "SELECT id FROM grants WHERE user_id = ?1 AND client_id = ?2 AND ended_at IS NULL";
            let living = sql::all(connection, living, [&user_id, &client_id], |row| {
                Ok(row.get::<_, String>("id")?)
            })?;
            for grant_id in &living {
                grants::end(connection, grant_id, audit.at)?;
            }
            let revoke = concat!(
                "UPDATE access_tokens SET revoked_at = ?2 WHERE client_id = ?3 AND ",
                exchanged!()
            );
            let revoked = sql::change(
                connection,
                revoke,
                params![user_id, audit.at.seconds(), client_id],
            )?;
            let was_anything = forgotten > 0 || !living.is_empty() || revoked > 0;
            if was_anything {
                audit_events::insert(connection, &audit)?;
            }
            Ok(was_anything)
        })
        .await
    }
}

fn grants_at_work(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<Vec<Grant>, StoreError> {
    let query = concat!(
        "SELECT g.* FROM grants g WHERE g.user_id = ?1 AND g.client_id = ?3 AND ",
        at_work!(),
        " ORDER BY g.created_at DESC, g.id"
    );
    let parameters = params![user_id, now.seconds(), client_id];
    sql::all(connection, query, parameters, grants::from_row)
}

fn has_exchanged(
    connection: &Connection,
    user_id: &str,
    client_id: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = concat!(
        "SELECT 1 FROM access_tokens WHERE client_id = ?3 AND ",
        exchanged!()
    );
    let parameters = params![user_id, now.seconds(), client_id];
    Ok(sql::first(connection, query, parameters, |_| Ok(()))?.is_some())
}
