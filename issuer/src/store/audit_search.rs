//! The search of the audit trail: newest lines first, in pieces, and never more than so many lines looked at for one of them.

use rusqlite::{Connection, named_params};
use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::audit_search::{AuditFilter, AuditFindings, AuditPlace};

use super::{Store, StoreError, audit_events, sql};

/// How many lines one search looks at: about a tenth of a second.
const LINES_LOOKED_AT: usize = 250_000;

/// A macro because SQL is put together at compile time only: the lines in question, newest first. `$only` narrows them in
/// the words of an index.
macro_rules! candidates {
    ($columns:literal, $only:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM audit_events WHERE (at, id) < (:at, :id) AND at >= :from AND at < :until",
            $only,
            " ORDER BY at DESC, id DESC LIMIT :lines"
        )
    };
}

macro_rules! search {
    ($only:literal) => {
        concat!(
            "SELECT * FROM (",
            candidates!("*", $only),
            ") WHERE (:user IS NULL OR user_id = :user OR actor_id = :user)
                 AND (:client IS NULL OR client_id = :client OR object_id = :client)
                 AND (:object IS NULL OR object_id = :object)
                 AND (:action IS NULL OR action = :action)
                 AND (:outcome IS NULL OR outcome = :outcome)
                 AND (:address IS NULL OR ip_address = :address)
                 AND (:reason IS NULL OR instr(reason, :reason) > 0)
             LIMIT :size"
        )
    };
}

macro_rules! last_candidate {
    ($only:literal) => {
        concat!(candidates!("at, id", $only), " OFFSET :skipped")
    };
}

/// The statements of a search: what it finds, and where it ends.
struct Statements {
    search: &'static str,
    last: &'static str,
}

const EVERY_LINE: Statements = Statements {
    search: search!(""),
    last: last_candidate!(""),
};
/// Refusals have an index of their own: they are few, and looked for most.
const FAILURES: Statements = Statements {
    search: search!(" AND outcome = 'failure'"),
    last: last_candidate!(" AND outcome = 'failure'"),
};

impl Store {
    /// The newest lines after `place` that `filter` asks for, at most `size`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search_audit_events(
        &self,
        filter: AuditFilter,
        place: Option<AuditPlace>,
        size: usize,
    ) -> Result<AuditFindings, StoreError> {
        self.read(move |connection| search(connection, &filter, place, size, LINES_LOOKED_AT))
            .await
    }
}

fn search(
    connection: &Connection,
    filter: &AuditFilter,
    place: Option<AuditPlace>,
    size: usize,
    lines: usize,
) -> Result<AuditFindings, StoreError> {
    let statements = match filter.outcome {
        Some(AuditOutcome::Failure) => FAILURES,
        Some(AuditOutcome::Success) | None => EVERY_LINE,
    };
    let number = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
    let (at, id) = place.map_or((i64::MAX, i64::MAX), |place| (place.at.seconds(), place.id));
    let from = filter.from.map_or(i64::MIN, Timestamp::seconds);
    let until = filter.until.map_or(i64::MAX, Timestamp::seconds);
    let mut events = sql::all(
        connection,
        statements.search,
        named_params! {
            ":at": at, ":id": id, ":from": from, ":until": until, ":lines": number(lines),
            ":user": filter.user_id,
            ":client": filter.client_id,
            ":action": filter.action.map(AuditAction::as_str),
            ":outcome": filter.outcome.map(AuditOutcome::as_str),
            ":address": filter.ip_address.map(|address| address.to_string()),
            ":object": filter.object_id,
            ":reason": filter.reason,
            ":size": number(size.saturating_add(1)),
        },
        audit_events::recorded,
    )?;
    let next = if events.len() > size {
        events.truncate(size);
        events.last().map(|last| AuditPlace {
            at: last.event.at,
            id: last.id,
        })
    } else {
        // All that this search looked at: where it ended, if it was not at the end of the trail.
        sql::first(
            connection,
            statements.last,
            named_params! {
                ":at": at, ":id": id, ":from": from, ":until": until, ":lines": 1,
                ":skipped": number(lines.saturating_sub(1)),
            },
            |row| {
                Ok(AuditPlace {
                    at: sql::instant(row, "at")?,
                    id: row.get("id")?,
                })
            },
        )?
    };
    Ok(AuditFindings { events, next })
}

#[cfg(test)]
mod tests;
