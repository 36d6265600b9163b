//! Whose tokens are refused altogether.

use rusqlite::{Connection, Row, params};
use wardgate_shared::denial::DenyKind;
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::AuditEvent;
use crate::domain::denial::{Denial, name_of};

use super::{Store, StoreError, audit_events, sql};

const TABLE: &str = "denials";

/// As many as can be published: [`wardgate_shared::denial::MAXIMUM_ISSUER_DENIALS`].
const MOST: u32 = 1024;

impl Store {
    /// The denials that still mean something: those that were decided last, as many as can be published.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn denials(&self, now: Timestamp) -> Result<Vec<Denial>, StoreError> {
        self.read(move |connection| {
            let query =
                "SELECT * FROM denials WHERE expires_at > ?1 ORDER BY created_at DESC, kind, name LIMIT ?2";
            sql::all(connection, query, params![now.seconds(), MOST], from_row)
        })
        .await
    }

    /// Denies tokens. One of the same name that is stricter in some way stays so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn deny(&self, denial: Denial, audit: AuditEvent) -> Result<(), StoreError> {
        self.write(move |connection| {
            insert(connection, &denial)?;
            audit_events::insert(connection, &audit)
        })
        .await
    }
}

/// Denies tokens, as part of what else is done.
pub(super) fn insert(connection: &Connection, denial: &Denial) -> Result<(), StoreError> {
    sql::change(
        connection,
        "INSERT INTO denials (kind, name, not_before, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET not_before = max(not_before, excluded.not_before), created_at = excluded.created_at,
             expires_at = max(expires_at, excluded.expires_at)",
        params![
            name_of(denial.kind),
            denial.name,
            denial.not_before.seconds(),
            denial.created_at.seconds(),
            denial.expires_at.seconds(),
        ],
    )
    .map(drop)
}

fn from_row(row: &Row<'_>) -> Result<Denial, StoreError> {
    let kind: String = row.get("kind")?;
    let kind = DenyKind::ALL.into_iter().find(|known| name_of(*known) == kind);
    Ok(Denial {
        kind: kind.ok_or(StoreError::Corrupt(TABLE))?,
        name: row.get("name")?,
        not_before: sql::instant(row, "not_before")?,
        created_at: sql::instant(row, "created_at")?,
        expires_at: sql::instant(row, "expires_at")?,
    })
}
