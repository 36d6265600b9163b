//! The schema, as a series of steps that only ever grows. A released step is never edited: see its checksum in the tests.

use rusqlite::{Connection, TransactionBehavior};
use wardgate_shared::time::Timestamp;

use super::error::{OpenError, StoreError};

/// The steps in order; the first brings the schema to version 1.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_clients", include_str!("../../migrations/0001_clients.sql")),
    (
        "0002_users_and_sessions",
        include_str!("../../migrations/0002_users_and_sessions.sql"),
    ),
    (
        "0003_grants_and_tokens",
        include_str!("../../migrations/0003_grants_and_tokens.sql"),
    ),
    (
        "0004_signing_keys",
        include_str!("../../migrations/0004_signing_keys.sql"),
    ),
    (
        "0005_audit_events",
        include_str!("../../migrations/0005_audit_events.sql"),
    ),
    (
        "0006_consents_by_audience",
        include_str!("../../migrations/0006_consents_by_audience.sql"),
    ),
    (
        "0007_session_requests",
        include_str!("../../migrations/0007_session_requests.sql"),
    ),
    (
        "0008_client_assertions",
        include_str!("../../migrations/0008_client_assertions.sql"),
    ),
    (
        "0009_openid_connect",
        include_str!("../../migrations/0009_openid_connect.sql"),
    ),
    (
        "0010_pushed_requests_and_devices",
        include_str!("../../migrations/0010_pushed_requests_and_devices.sql"),
    ),
    (
        "0011_client_metadata",
        include_str!("../../migrations/0011_client_metadata.sql"),
    ),
    ("0012_dpop", include_str!("../../migrations/0012_dpop.sql")),
    (
        "0013_refresh_token_retries",
        include_str!("../../migrations/0013_refresh_token_retries.sql"),
    ),
    (
        "0014_issuer_assertions",
        include_str!("../../migrations/0014_issuer_assertions.sql"),
    ),
    (
        "0015_dynamic_registration",
        include_str!("../../migrations/0015_dynamic_registration.sql"),
    ),
    (
        "0016_openid_claims",
        include_str!("../../migrations/0016_openid_claims.sql"),
    ),
    (
        "0017_backchannel_logout",
        include_str!("../../migrations/0017_backchannel_logout.sql"),
    ),
    (
        "0018_status_lists",
        include_str!("../../migrations/0018_status_lists.sql"),
    ),
    (
        "0019_launches",
        include_str!("../../migrations/0019_launches.sql"),
    ),
    (
        "0020_records_close_together",
        include_str!("../../migrations/0020_records_close_together.sql"),
    ),
    (
        "0021_roles_and_organizations",
        include_str!("../../migrations/0021_roles_and_organizations.sql"),
    ),
    (
        "0023_outgoing_messages",
        include_str!("../../migrations/0023_outgoing_messages.sql"),
    ),
    (
        "0024_account_links",
        include_str!("../../migrations/0024_account_links.sql"),
    ),
    (
        "0025_second_factors",
        include_str!("../../migrations/0025_second_factors.sql"),
    ),
    (
        "0026_requested_contexts_and_sent_codes",
        include_str!("../../migrations/0026_requested_contexts_and_sent_codes.sql"),
    ),
    (
        "0027_session_browsers",
        include_str!("../../migrations/0027_session_browsers.sql"),
    ),
    (
        "0028_passkeys",
        include_str!("../../migrations/0028_passkeys.sql"),
    ),
    (
        "0029_single_sign_on",
        include_str!("../../migrations/0029_single_sign_on.sql"),
    ),
    (
        "0030_local_sign_in",
        include_str!("../../migrations/0030_local_sign_in.sql"),
    ),
    (
        "0031_audit_search",
        include_str!("../../migrations/0031_audit_search.sql"),
    ),
    (
        "0032_api_keys",
        include_str!("../../migrations/0032_api_keys.sql"),
    ),
    (
        "0033_api_key_tokens",
        include_str!("../../migrations/0033_api_key_tokens.sql"),
    ),
    (
        "0034_audit_chain",
        include_str!("../../migrations/0034_audit_chain.sql"),
    ),
    ("0035_denials", include_str!("../../migrations/0035_denials.sql")),
];

/// What notes the steps that were taken. SQLite keeps the text as it stands here, so it is the same in all databases.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
                     version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
                 ) STRICT";

/// The version of this program's schema.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of a database; 0 of an empty one.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Writes the schema's version to where it stands already, and says whether it is the one of this program.
pub(super) fn rewrite_version(connection: &Connection) -> Result<bool, StoreError> {
    let found = version(connection)?;
    connection.pragma_update(None, "user_version", found)?;
    Ok(found == newest())
}

/// The names of the steps that a database of this version lacks.
pub(super) fn after(found: i64) -> Vec<&'static str> {
    let steps = (1_i64..).zip(MIGRATIONS);
    steps
        .filter(|(version, _)| *version > found)
        .map(|(_, (name, _))| *name)
        .collect()
}

/// Brings the database to the newest version, in one transaction: a step that fails undoes those before it. `now` is noted
/// beside each step.
///
/// # Errors
/// [`OpenError::NewerSchema`], [`OpenError::Migration`], or what SQLite says.
pub(super) fn apply(connection: &mut Connection, now: Timestamp) -> Result<(), OpenError> {
    // The version is read under the write lock, since another process may be at the same steps.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (found, known) = (version(&transaction)?, newest());
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    if found == known {
        return Ok(());
    }
    for (version, (name, script)) in (1_i64..).zip(MIGRATIONS) {
        if found < version {
            step(&transaction, version, name, script, now).map_err(|error| OpenError::Migration {
                name,
                error: error.into(),
            })?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn step(
    transaction: &Connection,
    version: i64,
    name: &str,
    script: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLE)?;
    transaction.execute_batch(script)?;
    transaction.execute(
        "INSERT INTO migrations VALUES (?1, ?2, ?3)",
        (version, name, now.seconds()),
    )?;
    transaction.pragma_update(None, "user_version", version)
}
