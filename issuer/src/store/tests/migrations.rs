//! The schema and its history.

use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::database;
use crate::domain::user::UserType;
use crate::store::migrations::MIGRATIONS;
use crate::store::{OpenError, Store};
use crate::testing::{self, START};

/// SHA-256 of every released migration. A line is added with a migration, and never changed.
const RELEASED: [(&str, &str); 34] = [
    (
        "0001_clients",
        "5eff139d288c49df0850880363741e78ab4196c73239ac9508c4f83c97deae08",
    ),
    (
        "0002_users_and_sessions",
        "abce7d8d7d930f781f611b379616f1c828224666bd3807d2da44cbf27adfe5d8",
    ),
    (
        "0003_grants_and_tokens",
        "b5e051bdebc6d851d10e9267b7aa2babd68ec4d09c643ead9616530df7229540",
    ),
    (
        "0004_signing_keys",
        "df5744a1c385b2661ac9270d237d4783f8035b30dbb1d57e51930cb03897fe3e",
    ),
    (
        "0005_audit_events",
        "2fe449df1292e9361c0dbd9f814dfc7da783756306fb480718dea13e77e7577d",
    ),
    (
        "0006_consents_by_audience",
        "4a2e57d2dbbdadeb46a33ce67a964ff4b3ab118ef0a97ccb1a72be591e4bbeb5",
    ),
    (
        "0007_session_requests",
        "0d2b8f6b2f7f0bca52c217b54f943e7db5a9cde1e9231aa4a198cfaf1b9465a0",
    ),
    (
        "0008_client_assertions",
        "d618907ba22b1b1f510c08c6dd2c0464fb7e64b9d0a5e4cbf02c57fef019dbdb",
    ),
    (
        "0009_openid_connect",
        "6ace743928b68b439bcff583a6df7b34437e15b6747db9f4588674671315ab14",
    ),
    (
        "0010_pushed_requests_and_devices",
        "3a9fa40a96bff576b24f1402620a705f8b4c2f8ee84e460cd687df7aa3bc07e8",
    ),
    (
        "0011_client_metadata",
        "485caf207c1b0e4c8bdfa19f30185d26a4ccadaf68bab4d88d3dd4e6bb15b09b",
    ),
    (
        "0012_dpop",
        "448b4196e3ca0889703d4c71ba4a528667cebc209adaf82da57c52eb82feefc7",
    ),
    (
        "0013_refresh_token_retries",
        "3a7329a9005410046115e3fa270f9ef645e3fd33bc08cc971cc919e0d7d809d1",
    ),
    (
        "0014_issuer_assertions",
        "d86a3fe9281500cd01b6c40a2698ca3e7f9cd190be80c3ebcf3977223b75462b",
    ),
    (
        "0015_dynamic_registration",
        "5b4971208102282c3fd6f5e04ef967dceb2ed1a87580be78a81ea14cda44157a",
    ),
    (
        "0016_openid_claims",
        "7fddd9b62b3b59a8fdbcd7a57d5ae3744ab37146b6c872952ea9463bf71ee564",
    ),
    (
        "0017_backchannel_logout",
        "a1b2cc74691e56397c96bf057ca5b6a8df8c59a78c5652bfbad8d95fc463326d",
    ),
    (
        "0018_status_lists",
        "448f72f7276d6249be4119d5198ed1a9b37b2bf246f87bc881d207e706d18059",
    ),
    (
        "0019_launches",
        "6ceb043c5ce0ac3a6b08fb67534dedc7d1296dfc7fe992bf8ddbf512d8a532fb",
    ),
    (
        "0020_records_close_together",
        "efbcc3cee6ea30e443d1b3f34f2c0dcc536881427ce4fcbea4cb711061474834",
    ),
    (
        "0021_roles_and_organizations",
        "4124d8fc1e09e634e287b44eb8e7e340c1eb2de8f9cbde4697a9abd6540efd4c",
    ),
    (
        "0023_outgoing_messages",
        "58930f346b8a836ead73db4142f83b9b092bbc5e5f54b31a004e30da2d50244b",
    ),
    (
        "0024_account_links",
        "6b955ac0e3893fb274b0c777c0ee254353201ede3ab1cc757f15a9505dd5d5ec",
    ),
    (
        "0025_second_factors",
        "6e4cc69aa25012e0a726322ee024cad75fa3c9d5b2da0d556db3db4e08ae8603",
    ),
    (
        "0026_requested_contexts_and_sent_codes",
        "80d78232b41f56870c74564cffddf2d6956047a65a86c9f34d528d4855b591b3",
    ),
    (
        "0027_session_browsers",
        "995d3c339eb0cec5fb6d028daac738e73e54190a4d4c0fc02258ca2064ebfe07",
    ),
    (
        "0028_passkeys",
        "702ca13a2cbb467af6626e9b6f646adf71ff43af1fb2b020c07c4c20728dbc9c",
    ),
    (
        "0029_single_sign_on",
        "6a10594f3144f2ad932551e2ef17efe8e0b31b3bd6f00787c09d837a86332bc9",
    ),
    (
        "0030_local_sign_in",
        "71ef94e10b25a263c725abc46688a457ddcd3f7203602d24bd59a89a8ae1a3b7",
    ),
    (
        "0031_audit_search",
        "2909e015867e83b6aa091c58d12ab63126ae7f5f68a395c99803e178bdda32f3",
    ),
    (
        "0032_api_keys",
        "166c76bb705f8ae9e4bbf81c2ad97bedcaf296704165371e599b34e0bbf0edbf",
    ),
    (
        "0033_api_key_tokens",
        "36a831e0c071c8caf169fe243a774c0e0d2971b931efee88b8dc4bd8bca1501d",
    ),
    (
        "0034_audit_chain",
        "5acd9952e424b6e1a99405ea4f6f3b089374a793bcb4462a3259592eeec9a664",
    ),
    (
        "0035_denials",
        "5a9e3f9940bbcc686b56c37102420680c4300c008ac97e75046d910ef89f31e1",
    ),
];

#[test]
fn released_migrations_are_as_they_were_released() {
    let hex = |script: &str| format!("{:x}", Sha256::digest(script.as_bytes()));
    let now: Vec<(&str, String)> = MIGRATIONS
        .iter()
        .map(|(name, script)| (*name, hex(script)))
        .collect();
    let released: Vec<(&str, String)> = RELEASED
        .iter()
        .map(|(name, digest)| (*name, (*digest).into()))
        .collect();
    assert_eq!(now, released);
}

#[test]
fn every_file_in_the_folder_is_applied_in_the_order_of_its_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".sql").map(String::from))
        .collect();
    files.sort();
    assert_eq!(
        files,
        MIGRATIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for (file, next) in files.iter().zip(files.iter().skip(1)) {
        let number = |name: &str| {
            name.get(..4)
                .and_then(|digits| digits.parse::<u16>().ok())
                .unwrap()
        };
        assert!(number(file) < number(next), "{file} {next}");
    }
}

/// Set `WARDGATE_UPDATE_SNAPSHOTS` to write the snapshot anew after adding a migration.
#[tokio::test]
async fn all_migrations_together_make_the_schema_of_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&database(&folder), &testing::sealer(), START).unwrap();
    store.close().await;
    let connection = Connection::open(database(&folder).path).unwrap();
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, tbl_name, name")
        .unwrap();
    let statements = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let schema = statements.map(Result::unwrap).collect::<Vec<_>>().join(
        ";

",
    ) + ";
";

    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/schema.txt");
    if std::env::var_os("WARDGATE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &schema).unwrap();
    }
    assert_eq!(schema, std::fs::read_to_string(snapshot).unwrap());
}

#[tokio::test]
async fn opening_twice_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let applied = || {
        let connection = Connection::open(database(&folder).path).unwrap();
        let query = "SELECT group_concat(version || ' ' || name || ' ' || applied_at) FROM migrations";
        connection
            .query_row(query, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    Store::open(&database(&folder), &testing::sealer(), START)
        .unwrap()
        .close()
        .await;
    let first = applied();
    Store::open(&database(&folder), &testing::sealer(), START.plus(100))
        .unwrap()
        .close()
        .await;
    assert_eq!(applied(), first);
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(&database(&folder), &testing::sealer(), START)
        .unwrap()
        .close()
        .await;
    let connection = Connection::open(database(&folder).path).unwrap();
    connection.pragma_update(None, "user_version", 1000).unwrap();
    let error = Store::open(&database(&folder), &testing::sealer(), START).unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 1000, .. }));
    assert!(error.to_string().contains("use the newer program"), "{error}");
}

#[test]
fn another_programs_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(database(&folder).path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(
        Store::open(&database(&folder), &testing::sealer(), START),
        Err(OpenError::Foreign(_))
    ));
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1, "nothing was added to it");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        database(&folder).path,
        "This is a letter, and long enough to be one. ".repeat(100),
    )
    .unwrap();
    assert!(matches!(
        Store::open(&database(&folder), &testing::sealer(), START),
        Err(OpenError::NotADatabase(_))
    ));
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = database(&folder);
    config.path = folder.path().join("absent/wardgate.db");
    let error = Store::open(&config, &testing::sealer(), START)
        .unwrap_err()
        .to_string();
    assert!(error.contains("absent/wardgate.db cannot be opened"), "{error}");
}

#[tokio::test]
async fn names_of_roles_become_roles_without_ceilings_and_never_built_in_ones() {
    let folder = tempfile::tempdir().unwrap();
    let config = database(&folder);
    let connection = Connection::open(&config.path).unwrap();
    connection
        .pragma_update(None, "application_id", 0x5741_5244)
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT, applied_at INTEGER) STRICT",
        )
        .unwrap();
    for (version, (name, script)) in (1..=20_i64).zip(MIGRATIONS) {
        connection.execute_batch(script).unwrap();
        let applied = (version, name, START.seconds());
        connection
            .execute("INSERT INTO migrations VALUES (?1, ?2, ?3)", applied)
            .unwrap();
    }
    connection.pragma_update(None, "user_version", 20).unwrap();
    for (id, role, fhir_user) in [
        ("a", Some("Builder Admin"), None),
        ("b", Some("nurse"), Some("Practitioner/1")),
        ("c", None, Some("Patient/1")),
    ] {
        connection
            .execute(
                "INSERT INTO users (id, email, name, role, fhir_user, organization_id, created_at)
                 VALUES (?1, ?1, 'N', ?2, ?3, 'org-9', 1)",
                (id, role, fhir_user),
            )
            .unwrap();
    }
    drop(connection);
    let store = Store::open(&config, &testing::sealer(), START.plus(9)).unwrap();
    let found = async |id: &str| {
        let user = store.user(id).await.unwrap().unwrap();
        let role = user.role.map(|role| (role.name, role.built_in, role.ceiling));
        (role, user.user_type)
    };
    let own = |name: &str| Some((String::from(name), false, None));
    assert_eq!(
        found("a").await,
        (
            own("Builder Admin (before roles had ceilings)"),
            UserType::Builder
        )
    );
    assert_eq!(found("b").await, (own("nurse"), UserType::Builder));
    assert_eq!(found("c").await, (None, UserType::Patient));
    let organization = store.organization("org-9").await.unwrap().unwrap();
    assert_eq!(organization.name, "org-9");
    assert_eq!(store.roles().await.unwrap().len(), 5);
}
