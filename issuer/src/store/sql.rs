//! Small helpers between SQL and domain values. Every statement is prepared once a connection.

use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::digest::SecretDigest;
use crate::domain::page::Cursor;

use super::error::StoreError;

/// The first row of a query, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    query: &str,
    parameters: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(read).transpose()
}

/// Every row of a query.
pub(super) fn all<T>(
    connection: &Connection,
    query: &str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(parameters)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}

/// Runs a statement that changes rows, and says how many.
pub(super) fn change(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(statement)?.execute(parameters)?)
}

/// After which entry a list goes on, as two parameters: with no place, after none.
pub(super) fn place(after: Option<&Cursor>) -> (i64, &str) {
    after.map_or((i64::MIN, ""), |cursor| (cursor.at.seconds(), cursor.id.as_str()))
}

/// How many rows to look for so that it is known whether a page is the last.
pub(super) fn one_more_than(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1)
}

/// A digest column.
pub(super) fn digest(row: &Row<'_>, column: &str) -> Result<SecretDigest, StoreError> {
    Ok(SecretDigest::from_bytes(row.get(column)?))
}

/// A digest column that may be NULL.
pub(super) fn optional_digest(row: &Row<'_>, column: &str) -> Result<Option<SecretDigest>, StoreError> {
    Ok(row
        .get::<_, Option<[u8; 32]>>(column)?
        .map(SecretDigest::from_bytes))
}

/// A column of seconds since the epoch.
pub(super) fn instant(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_seconds(row.get(column)?))
}

/// A column of seconds since the epoch that may be NULL.
pub(super) fn optional_instant(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_seconds))
}

/// An optional instant as a parameter.
pub(super) fn optional_seconds(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::seconds)
}

/// A scope column; the empty text is the empty set.
pub(super) fn scope(row: &Row<'_>, table: &'static str) -> Result<ScopeSet, StoreError> {
    let text: String = row.get("scope")?;
    if text.is_empty() {
        return Ok(ScopeSet::empty());
    }
    ScopeSet::parse(&text).map_err(|_| StoreError::Corrupt(table))
}

/// A PKCE challenge column that may be NULL.
pub(super) fn challenge(row: &Row<'_>, table: &'static str) -> Result<Option<CodeChallenge>, StoreError> {
    let text: Option<String> = row.get("challenge")?;
    text.map(|text| CodeChallenge::from_encoded(&text).map_err(|_| StoreError::Corrupt(table)))
        .transpose()
}

/// A list as the JSON text that a column holds.
pub(super) fn to_list<T: Serialize>(values: impl IntoIterator<Item = T>) -> Result<String, StoreError> {
    let values: Vec<T> = values.into_iter().collect();
    serde_json::to_string(&values).map_err(|_| StoreError::Conflict)
}

/// A value as the JSON text that a column holds.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Conflict)
}

/// A column that holds a JSON text.
pub(super) fn json<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
    table: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Corrupt(table))
}

/// A column that holds a JSON list; each element is turned into a value by `read`.
pub(super) fn list<W: DeserializeOwned, T>(
    row: &Row<'_>,
    column: &str,
    table: &'static str,
    read: impl Fn(W) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let text: String = row.get(column)?;
    let values: Vec<W> = serde_json::from_str(&text).map_err(|_| StoreError::Corrupt(table))?;
    values
        .into_iter()
        .map(|value| read(value).ok_or(StoreError::Corrupt(table)))
        .collect()
}
