//! Sessions as administrators see them: of everybody, or of one person.

use rusqlite::params;
use wardgate_shared::time::Timestamp;

use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::session::Session;

use super::{Store, StoreError, sessions, sql};

impl Store {
    /// A page of the living sessions, or of those of this person, as [`Store::session`] understands it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_page(
        &self,
        user_id: Option<String>,
        idle_seconds: i64,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Session>, StoreError> {
        self.read(move |connection| {
            let (at, id) = sql::place(page.after.as_ref());
            let entries = sql::all(
                connection,
                "SELECT * FROM sessions
                 WHERE (?1 IS NULL OR user_id = ?1) AND expires_at > ?2 AND last_seen_at > ?3
                   AND (authenticated_at, id) > (?4, ?5)
                 ORDER BY authenticated_at, id LIMIT ?6",
                params![
                    user_id,
                    now.seconds(),
                    now.minus(idle_seconds).seconds(),
                    at,
                    id,
                    sql::one_more_than(page.size),
                ],
                sessions::from_row,
            )?;
            Ok(Page::cut(entries, page.size, |session| Cursor {
                at: session.authenticated_at,
                id: session.id.clone(),
            }))
        })
        .await
    }

    /// Whose session has this id, whether or not it still signs them in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owner_of_session(&self, id: &str) -> Result<Option<String>, StoreError> {
        let id = String::from(id);
        self.read(move |connection| {
            let query = "SELECT user_id FROM sessions WHERE id = ?1 AND id <> ''";
            sql::first(connection, query, [id], |row| Ok(row.get("user_id")?))
        })
        .await
    }
}
