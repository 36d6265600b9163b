//! What a line of the audit trail says was changed, before and after.
//!
//! Triggers note every change of what administrators settle: accounts, roles, organizations, clients, API keys, connections. The
//! line that is added in the same transaction takes what is noted. So no operation can forget it, and one that adds no line at
//! all is undone ([`StoreError::Unrecorded`]).

use rusqlite::{Connection, Row};
use serde_json::{Map, Value, json};

use wardgate_shared::time::Timestamp;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};

use super::{StoreError, audit_events, sql};

const TABLE: &str = "audit_changes";

/// What was noted since the last time, as the JSON text of a list: of each thing its kind and id, and of the members that differ what
/// they were before and are after. `None` when nothing differs.
pub(super) fn take(connection: &Connection) -> Result<Option<String>, StoreError> {
    let noted = sql::all(
        connection,
        "SELECT kind, id, before, after FROM audit_changes ORDER BY number",
        [],
        |row| {
            let (kind, id): (String, String) = (row.get("kind")?, row.get("id")?);
            let (before, after) = differing(members(row, "before")?, members(row, "after")?);
            Ok((kind, id, before, after))
        },
    )?;
    if noted.is_empty() {
        return Ok(None);
    }
    sql::change(connection, "DELETE FROM audit_changes", [])?;
    let changes: Vec<Value> = noted
        .into_iter()
        .filter(|(_, _, before, after)| !before.is_empty() || !after.is_empty())
        .map(|(kind, id, before, after)| json!({ "kind": kind, "id": id, "before": before, "after": after }))
        .collect();
    if changes.is_empty() {
        return Ok(None);
    }
    sql::to_json(&changes).map(Some)
}

/// Adds `event` if something was changed that no line tells of.
pub(super) fn record(connection: &Connection, event: &AuditEvent) -> Result<(), StoreError> {
    if is_noted(connection)? {
        audit_events::insert(connection, event)?;
    }
    Ok(())
}

/// Adds a line for what was noted before this transaction began: another program changed it, with `sqlite3` say. The time is that of
/// SQLite, since nobody asked for this.
pub(super) fn record_outside(connection: &Connection) -> Result<(), StoreError> {
    if !is_noted(connection)? {
        return Ok(());
    }
    let now = sql::first(connection, "SELECT unixepoch() AS now", [], |row| {
        Ok(row.get("now")?)
    })?;
    let now = Timestamp::from_seconds(now.unwrap_or(0));
    let line = AuditEvent::new(now, AuditAction::OutsideChange, AuditOutcome::Success);
    audit_events::insert(connection, &line)
}

/// Refuses changes that no line tells of.
pub(super) fn refuse_unrecorded(connection: &Connection) -> Result<(), StoreError> {
    if is_noted(connection)? {
        return Err(StoreError::Unrecorded);
    }
    Ok(())
}

fn is_noted(connection: &Connection) -> Result<bool, StoreError> {
    let query = "SELECT 1 FROM audit_changes LIMIT 1";
    Ok(sql::first(connection, query, [], |_| Ok(()))?.is_some())
}

fn members(row: &Row<'_>, column: &str) -> Result<Map<String, Value>, StoreError> {
    let text: Option<String> = row.get(column)?;
    serde_json::from_str(text.as_deref().unwrap_or("{}")).map_err(|_| StoreError::Corrupt(TABLE))
}

/// The members that are not the same on both sides. What is null is absent.
fn differing(
    mut before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let is_same = |name: &String, value: &Value| value.is_null() || after.get(name) == Some(value);
    let gone: Vec<String> = before
        .iter()
        .filter(|(name, value)| is_same(name, value))
        .map(|(name, _)| name.clone())
        .collect();
    after.retain(|name, value| !value.is_null() && before.get(name) != Some(value));
    for name in gone {
        before.remove(&name);
    }
    (before, after)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::differing;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = members(&json!({"name": "A", "scope": "a b", "second": null, "gone": 1}));
        let after = members(&json!({"name": "B", "scope": "a b", "second": "required", "gone": null}));
        let (before, after) = differing(before, after);
        assert_eq!(Value::Object(before), json!({"name": "A", "gone": 1}));
        assert_eq!(Value::Object(after), json!({"name": "B", "second": "required"}));
    }
}
