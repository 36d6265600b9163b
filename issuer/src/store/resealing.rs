//! Everything that is sealed under the master key, and sealing it anew under another one: in one transaction, so that whenever the
//! process dies the database is sealed under one master key, whole.

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::domain::audit_event::AuditEvent;
use crate::domain::factor::Factor;
use crate::domain::single_sign_on::{Connection as SsoConnection, ProviderSignIn};
use crate::keys::{SealBroken, SealedKind, Sealers};
use crate::rng::NoRandomness;

use super::audit_chain::KEY_CONTEXT;
use super::{Store, StoreError, sql};

/// A column that holds sealed secrets.
#[derive(Debug)]
struct SealedColumn {
    table: &'static str,
    column: &'static str,
    /// The primary key.
    key: &'static str,
    /// What names a row in its seal.
    name: &'static str,
    /// What a row of this name is sealed for.
    context: fn(&str) -> String,
    kind: SealedKind,
    /// What one of them is called, and several.
    called: (&'static str, &'static str),
}

const SEALED: [SealedColumn; 6] = [
    SealedColumn {
        table: "signing_keys",
        column: "sealed_private_key",
        key: "key_id",
        name: "key_id",
        context: str::to_owned,
        kind: SealedKind::SigningKey,
        called: ("signing key", "signing keys"),
    },
    SealedColumn {
        table: "factors",
        column: "sealed",
        key: "id",
        name: "id",
        context: Factor::context,
        kind: SealedKind::Secret,
        called: ("second factor", "second factors"),
    },
    SealedColumn {
        table: "sso_connections",
        column: "client_secret",
        key: "id",
        name: "id",
        context: SsoConnection::secret_context,
        kind: SealedKind::Secret,
        called: ("client secret of a connection", "client secrets of connections"),
    },
    SealedColumn {
        table: "sso_sign_ins",
        column: "id_token",
        key: "browser_digest",
        name: "user_id",
        context: ProviderSignIn::id_token_context,
        kind: SealedKind::Secret,
        called: ("sign-in at a provider", "sign-ins at providers"),
    },
    SealedColumn {
        table: "outgoing_messages",
        column: "sealed",
        key: "id",
        name: "id",
        context: str::to_owned,
        kind: SealedKind::Secret,
        called: ("message to be sent", "messages to be sent"),
    },
    SealedColumn {
        table: "audit_keys",
        column: "sealed",
        key: "id",
        name: "id",
        context: |_| KEY_CONTEXT.into(),
        kind: SealedKind::Secret,
        called: ("key of the audit trail", "keys of the audit trail"),
    },
];

/// How many secrets of a kind there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedCount {
    /// What they are called: one of them, and several.
    pub called: (&'static str, &'static str),
    /// How many.
    pub rows: usize,
}

impl Store {
    /// The secrets that do not open with `sealers`, each in words: nothing can be sealed anew then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn broken_seals(&self, sealers: Sealers) -> Result<Vec<String>, StoreError> {
        self.read(move |connection| {
            let mut broken = Vec::new();
            for column in &SEALED {
                for (_, name, sealed) in column.rows(connection)? {
                    let sealer = sealers.for_kind(column.kind);
                    if sealer.open(&sealed, &(column.context)(&name)).is_err() {
                        broken.push(format!("the {} {name}", column.called.0));
                    }
                }
            }
            Ok(broken)
        })
        .await
    }

    /// Seals with `new` all that is sealed with `old`, and says what that was. `audit` is recorded with it. What was there before is
    /// overwritten in the file.
    ///
    /// # Errors
    /// [`StoreError`], [`StoreError::Corrupt`] where something does not open; nothing has changed then.
    pub async fn reseal(
        &self,
        old: Sealers,
        new: Sealers,
        audit: AuditEvent,
    ) -> Result<Vec<SealedCount>, StoreError> {
        self.write(move |connection| {
            connection.pragma_update(None, "secure_delete", true)?;
            let counts = SEALED
                .iter()
                .map(|column| {
                    let rows = column.reseal(connection, &old, &new)?;
                    Ok(SealedCount {
                        called: column.called,
                        rows,
                    })
                })
                .collect::<Result<_, StoreError>>()?;
            super::audit_events::insert(connection, &audit)?;
            Ok(counts)
        })
        .await
    }
}

impl SealedColumn {
    /// Key, name and sealed secret of each row that has one.
    fn rows(&self, connection: &Connection) -> Result<Vec<(Value, String, Vec<u8>)>, StoreError> {
        let Self {
            table,
            column,
            key,
            name,
            ..
        } = self;
        let query = format!(
            "SELECT {key} AS key, CAST({name} AS TEXT) AS name, {column} AS sealed FROM {table} WHERE {column} IS NOT NULL"
        );
        sql::all(connection, &query, [], |row| {
            Ok((row.get("key")?, row.get("name")?, row.get("sealed")?))
        })
    }

    fn reseal(&self, connection: &Connection, old: &Sealers, new: &Sealers) -> Result<usize, StoreError> {
        let (old, new) = (old.for_kind(self.kind), new.for_kind(self.kind));
        let rows = self.rows(connection)?;
        let Self {
            table, column, key, ..
        } = self;
        let update = format!("UPDATE {table} SET {column} = ?2 WHERE {key} = ?1");
        for (key, name, sealed) in &rows {
            let context = (self.context)(name);
            let plain = old
                .open(sealed, &context)
                .map_err(|SealBroken| StoreError::Corrupt(self.table))?;
            let sealed = new
                .seal(&plain, &context)
                .map_err(|NoRandomness| StoreError::Unavailable(0))?;
            sql::change(connection, &update, (key, sealed))?;
        }
        Ok(rows.len())
    }
}

#[cfg(test)]
mod tests;
