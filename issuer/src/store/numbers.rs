//! How many there are of everything, for whoever looks after it.

use rusqlite::params;
use wardgate_shared::time::Timestamp;

use super::{Store, StoreError, sql};

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// People who may sign in.
    pub active_users: i64,
    /// People whose accounts are closed.
    pub deactivated_users: i64,
    /// Browsers in which somebody is signed in.
    pub sessions: i64,
    /// Registered clients.
    pub clients: i64,
    /// API keys that work.
    pub api_keys: i64,
}

/// How much is still to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Mails and short messages.
    pub messages: i64,
    /// Clients that are to be told of the end of a session.
    pub logouts: i64,
}

impl Store {
    /// Counts what is still to be sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queued(&self) -> Result<Queued, StoreError> {
        self.read(|connection| {
            let queued = sql::first(
                connection,
                "SELECT (SELECT count(*) FROM outgoing_messages) AS messages,
                        (SELECT count(*) FROM logout_notifications) AS logouts",
                [],
                |row| {
                    Ok(Queued {
                        messages: row.get("messages")?,
                        logouts: row.get("logouts")?,
                    })
                },
            )?;
            Ok(queued.unwrap_or_default())
        })
        .await
    }

    /// Counts what there is at `now`, where sessions end after `idle_seconds` without being seen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn numbers(&self, idle_seconds: i64, now: Timestamp) -> Result<Numbers, StoreError> {
        self.read(move |connection| {
            let numbers = sql::first(
                connection,
                "SELECT (SELECT count(*) FROM users WHERE deactivated_at IS NULL) AS active_users,
                        (SELECT count(*) FROM users WHERE deactivated_at IS NOT NULL) AS deactivated_users,
                        (SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id
                         WHERE s.expires_at > ?1 AND s.last_seen_at > ?2 AND u.deactivated_at IS NULL) AS sessions,
                        (SELECT count(*) FROM clients) AS clients,
                        (SELECT count(*) FROM api_keys
                         WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)) AS api_keys",
                params![now.seconds(), now.minus(idle_seconds).seconds()],
                |row| {
                    Ok(Numbers {
                        active_users: row.get("active_users")?,
                        deactivated_users: row.get("deactivated_users")?,
                        sessions: row.get("sessions")?,
                        clients: row.get("clients")?,
                        api_keys: row.get("api_keys")?,
                    })
                },
            )?;
            Ok(numbers.unwrap_or_default())
        })
        .await
    }
}
