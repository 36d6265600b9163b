//! Databases of older programs, and the binary `wardgate` of today.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::Wardgate;

/// The newest schema that this program knows.
fn newest() -> u32 {
    u32::try_from(scripts().len()).unwrap()
}

/// Every migration in its order: its name and its text.
fn scripts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    scripts.sort();
    scripts
}

/// Makes the database that the program with the first `version` migrations would have left, with people, a client and lines of
/// the audit trail.
fn older_database(path: &Path, version: u32) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection
        .pragma_update(None, "application_id", 0x5741_5244)
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE migrations (
                 version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
             ) STRICT",
        )
        .unwrap();
    for (number, (name, script)) in (1..=version).zip(scripts()) {
        connection.execute_batch(&script).unwrap();
        connection
            .execute("INSERT INTO migrations VALUES (?1, ?2, 1)", (number, name))
            .unwrap();
        // Each table is filled as soon as it is there, so that all later steps meet rows.
        let rows = match number {
            1 => "INSERT INTO clients VALUES ('diary', 'Diary', NULL, '[\"authorization_code\"]', '[\"https://app.example.org/cb\"]',
                      'openid patient/*.rs', 1, 1)",
            2 => "INSERT INTO users (id, email, name, role, fhir_user, created_at)
                  VALUES ('ada', 'ada@example.org', 'Ada', 'nurse', NULL, 1),
                         ('ben', 'ben@example.org', 'Ben', NULL, 'Patient/1', 1)",
            5 => "INSERT INTO audit_events (at, action, outcome, user_id, client_id)
                  VALUES (1, 'sign_in', 'success', 'ada', 'diary'), (2, 'sign_in', 'failure', 'ben', 'diary')",
            _ => continue,
        };
        connection.execute_batch(rows).unwrap();
    }
    connection.pragma_update(None, "user_version", version).unwrap();
    connection
}

/// An issuer whose database is of schema version `version`, and whose program of today has not run on it.
fn issuer_of(version: u32) -> Wardgate {
    let wardgate = Wardgate::new();
    // The master key is of the same form in all versions.
    wardgate.run(&["init"]).ok();
    for file in [
        "wardgate.db",
        "wardgate.db-wal",
        "wardgate.db-shm",
        "wardgate.db.lock",
    ] {
        let _ = std::fs::remove_file(wardgate.path(file));
    }
    drop(older_database(&wardgate.path("wardgate.db"), version));
    wardgate
}

fn version_of(path: &Path) -> u32 {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

fn sound(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let word: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(word, "ok");
    assert!(
        !connection
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .exists([])
            .unwrap()
    );
}

/// The one file whose name says that it is the database of before.
fn kept(wardgate: &Wardgate, version: u32) -> std::path::PathBuf {
    let beginning = format!("wardgate.db.schema-{version}-");
    let found: Vec<String> = wardgate
        .files()
        .into_iter()
        .filter(|name| name.starts_with(&beginning))
        .collect();
    assert_eq!(found.len(), 1, "{:?}", wardgate.files());
    wardgate.path(found.first().unwrap())
}

#[test]
fn a_database_of_any_older_version_is_brought_up_to_date_and_kept_as_it_was() {
    for version in [5, 10, 20, 30, newest() - 1] {
        let wardgate = issuer_of(version);
        let tried = wardgate.run(&["migrate", "--dry-run", "--json"]).json();
        assert_eq!(
            (tried["from"].as_u64(), tried["to"].as_u64()),
            (Some(u64::from(version)), Some(u64::from(newest())))
        );
        let steps = u32::try_from(tried["migrations"].as_array().unwrap().len());
        assert_eq!(steps, Ok(newest() - version));
        assert_eq!(
            (tried["users"].as_u64(), tried["clients"].as_u64()),
            (Some(2), Some(1)),
            "{tried}"
        );
        assert_eq!(tried["audit_lines"], 2);
        assert!(tried["seconds"].is_u64());
        assert_eq!(
            version_of(&wardgate.path("wardgate.db")),
            version,
            "nothing was changed"
        );
        assert_eq!(
            wardgate.files(),
            ["master.key", "wardgate.db", "wardgate.db.lock", "wardgate.toml"]
                .into_iter()
                .filter(|name| wardgate.path(name).exists())
                .collect::<Vec<_>>(),
            "the copy is gone"
        );

        let said = wardgate.run(&["migrate"]).ok();
        assert!(
            said.contains(&format!("from schema version {version} to {}", newest())),
            "{said}"
        );
        let kept = kept(&wardgate, version);
        assert!(said.contains(kept.to_str().unwrap()), "{said}");
        assert_eq!(
            (version_of(&kept), version_of(&wardgate.path("wardgate.db"))),
            (version, newest())
        );
        sound(&kept);
        sound(&wardgate.path("wardgate.db"));
        wardgate.run(&["init"]).ok();
        let people = wardgate.run(&["user", "list", "--json"]).json();
        assert_eq!(people.as_array().unwrap().len(), 2);
        let clients = wardgate.run(&["client", "list", "--json"]).json();
        assert_eq!(clients[0]["scope"], "openid patient/*.rs");
        let trail = wardgate.run(&["audit", "verify", "--json"]).json();
        assert_eq!(trail["faults"], Value::Array(Vec::new()));

        let said = wardgate.run(&["migrate"]).ok();
        assert!(said.contains("nothing to do"), "{said}");
    }
}

#[test]
fn whatever_command_meets_an_older_database_first_keeps_it_and_says_so() {
    for command in [&["user", "list"][..], &["init"]] {
        let wardgate = issuer_of(20);
        let answer = wardgate.run(command);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        let kept = kept(&wardgate, 20);
        assert!(
            answer.stderr.contains("from schema version 20")
                && answer.stderr.contains(kept.to_str().unwrap())
        );
        assert_eq!(version_of(&kept), 20);
        assert_eq!(version_of(&wardgate.path("wardgate.db")), newest());
    }
}

#[test]
fn nothing_is_kept_where_nothing_is_wanted() {
    let wardgate = issuer_of(30);
    let said = wardgate.run(&["migrate", "--no-snapshot", "--json"]).json();
    assert_eq!(said["database_of_before"], Value::Null);
    assert!(!wardgate.files().iter().any(|name| name.contains("schema-")));
    wardgate
        .run(&["migrate", "--no-snapshot", "--dry-run"])
        .refused(2, "cannot be used with");
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let wardgate = issuer_of(10);
    let path = wardgate.path("wardgate.db");
    // The last step but one makes this table; the steps before it go through.
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE audit_keys (id INTEGER)")
        .unwrap();
    let schema = |path: &Path| -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema ORDER BY 1")
            .unwrap();
        let rows = statement
            .query_map([], |row| row.get::<_, Option<String>>(0))
            .unwrap();
        rows.filter_map(Result::unwrap).collect()
    };
    drop(connection);
    let before = schema(&path);
    wardgate
        .run(&["migrate", "--dry-run"])
        .refused(3, "the migration 0034_audit_chain failed");
    assert!(!wardgate.files().iter().any(|name| name.contains("schema-")));
    for command in [&["migrate"][..], &["serve"]] {
        wardgate.run(command).refused(3, "and the database is as it was");
        assert_eq!(schema(&path), before);
        assert_eq!(version_of(&path), 10);
        std::fs::remove_file(kept(&wardgate, 10)).unwrap();
    }
}

#[test]
fn a_database_in_use_is_not_migrated_beneath_its_server() {
    let wardgate = issuer_of(20);
    let lock = std::fs::File::create(wardgate.path("wardgate.db.lock")).unwrap();
    lock.lock_shared().unwrap();
    for command in [&["migrate"][..], &["client", "list"], &["serve"]] {
        wardgate.run(command).refused(3, "stop the server first");
    }
    assert_eq!(version_of(&wardgate.path("wardgate.db")), 20);
    // Trying it out needs nobody to stop.
    wardgate.run(&["migrate", "--dry-run"]).ok();
    drop(lock);
    wardgate.run(&["migrate"]).ok();
}

#[test]
fn the_way_back_is_the_database_that_was_kept() {
    let wardgate = issuer_of(30);
    wardgate.run(&["migrate"]).ok();
    let kept = kept(&wardgate, 30);
    // The older program takes it as it is: its file is put back under its name.
    std::fs::remove_file(wardgate.path("wardgate.db")).unwrap();
    std::fs::rename(&kept, wardgate.path("wardgate.db")).unwrap();
    assert_eq!(version_of(&wardgate.path("wardgate.db")), 30);
    // This program takes it as any backup.
    let said = wardgate.run(&["migrate", "--json"]).json();
    assert_eq!(said["from"], 30);
}
