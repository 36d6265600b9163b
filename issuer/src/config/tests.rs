//! Sources, defaults and faults of the configuration, and the pages made from its table.

use std::path::{Path, PathBuf};

use super::{Config, ConfigFaults, LogFormat, MasterKeySource, documentation, example_file};
use crate::domain::client::SecurityProfile;
use crate::testing::START;
use wardgate_shared::jwt::SignatureAlgorithm;

/// As little as there can be.
const LEAST: &str = "keys.master_key_file = \"master.key\"\nresources = [{ identifier = \"https://api.example.org/fhir\" }]\n";
/// 32 bytes of 1.
const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
    let environment = environment
        .iter()
        .map(|(name, value)| (String::from(*name), String::from(*value)));
    Config::from_sources(
        Some((Path::new("/etc/wardgate/wardgate.toml"), text)),
        environment,
    )
}

/// With `text` after what there must be at least.
fn load(text: &str) -> Result<Config, ConfigFaults> {
    read(&format!("{LEAST}{text}"), &[])
}

/// The faults as lines.
fn faults(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    read(text, environment)
        .map(|_| ())
        .unwrap_err()
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

// SMART-44
#[test]
fn the_least_file_gives_the_documented_defaults() {
    let config = read(LEAST, &[]).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8788".parse().unwrap());
    assert_eq!(config.server.public_url.as_str(), "http://localhost:8788");
    assert_eq!(config.server.shutdown_seconds, 10);
    assert!(!config.server.trusts_proxy("127.0.0.1".parse().unwrap()));
    assert_eq!(config.database.path, Path::new("/etc/wardgate/wardgate.db"));
    assert_eq!(config.keys.algorithm, SignatureAlgorithm::RS256);
    assert_eq!(config.tokens.access_token_seconds, 3600, "SMART-44");
    assert_eq!(config.tokens.client_credentials_seconds, 300, "SMART-65");
    assert_eq!(config.tokens.refresh_token_seconds, 2_592_000);
    assert_eq!(config.tokens.id_token_seconds, 300);
    assert_eq!(
        (config.sessions.idle_seconds, config.sessions.absolute_seconds),
        (3600, 43_200)
    );
    assert_eq!(
        config.documentation.error_uri,
        "http://localhost:8788/docs/errors"
    );
    // OWASP's password storage cheat sheet.
    let passwords = &config.passwords;
    assert_eq!(
        (passwords.memory_kib, passwords.iterations, passwords.parallelism),
        (19_456, 2, 1)
    );
    assert!(passwords.concurrency >= 1);
    assert!(!config.outbound.allow_loopback_http && config.outbound.private_networks.is_empty());
    assert_eq!(config.logging.format, LogFormat::Auto);
    assert_eq!(config.default_audience(), "https://api.example.org/fhir");
    assert!(config.resources[0].fhir && config.resources[0].aliases.is_empty());
    assert_eq!(config.longest_token_seconds(), 3600);
}

#[test]
fn the_environment_overrides_the_file_and_the_file_the_defaults() {
    let text = format!("{LEAST}[tokens]\naccess_token_seconds = 600\nid_token_seconds = 61\n");
    let config = read(
        &text,
        &[
            ("WARDGATE_TOKENS__ACCESS_TOKEN_SECONDS", "900"),
            ("WARDGATE_SERVER__PUBLIC_URL", "https://id.example.org"),
            ("WARDGATE_SERVER__TRUSTED_PROXIES", "[10.0.0.0/8, \"::1\"]"),
            ("WARDGATE_KEYS__ALGORITHM", "ES256"),
            ("WARDGATE_OUTBOUND__ALLOW_LOOPBACK_HTTP", "true"),
            ("WARDGATE_OUTBOUND__PRIVATE_NETWORKS", "[10.0.0.0/8]"),
            // Other programs' variables, and variables of ours that are no keys.
            ("WARDGATE_CONFIG", "/etc/wardgate/wardgate.toml"),
            ("WARDGATE_CACHE", "/x"),
            ("OTHER__KEY", "1"),
        ],
    )
    .unwrap();
    assert_eq!(
        (config.tokens.access_token_seconds, config.tokens.id_token_seconds),
        (900, 61)
    );
    assert!(config.server.public_url.is_https());
    assert!(config.server.trusts_proxy("10.1.2.3".parse().unwrap()));
    assert!(config.server.trusts_proxy("::1".parse().unwrap()));
    assert_eq!(config.keys.algorithm, SignatureAlgorithm::ES256);
    assert!(config.outbound.allow_loopback_http);
    assert_eq!(config.outbound.private_networks.len(), 1);
    assert_eq!(
        config.documentation.error_uri,
        "https://id.example.org/docs/errors"
    );
}

#[test]
fn a_configuration_may_come_from_the_environment_alone() {
    let environment = [
        ("WARDGATE_KEYS__MASTER_KEY", KEY),
        (
            "WARDGATE_RESOURCES",
            "[{identifier=\"https://a.example\", aliases=[\"https://b.example\"], fhir=false}]",
        ),
        ("WARDGATE_DATABASE__PATH", "data/wardgate.db"),
    ]
    .map(|(name, value)| (String::from(name), String::from(value)));
    let config = Config::from_sources(None, environment).unwrap();
    assert_eq!(config.database.path, Path::new("data/wardgate.db"));
    assert_eq!(config.resource("https://b.example"), config.resources.first());
    assert_eq!(config.resource("https://c.example"), None);
    assert!(!config.resources[0].fhir);
    match config.keys.master_key {
        MasterKeySource::Value(key) => assert_eq!(key.expose(), &[1; 32]),
        MasterKeySource::File(path) => panic!("{path:?}"),
    }
}

#[test]
fn relative_paths_count_from_the_file_and_those_of_the_environment_from_the_working_folder() {
    let file_of = |config: Config| match config.keys.master_key {
        MasterKeySource::File(path) => path,
        MasterKeySource::Value(_) => panic!("a file was configured"),
    };
    assert_eq!(
        file_of(read(LEAST, &[]).unwrap()),
        PathBuf::from("/etc/wardgate/master.key")
    );
    let environment = [("WARDGATE_KEYS__MASTER_KEY_FILE", "other.key")];
    assert_eq!(
        file_of(read(LEAST, &environment).unwrap()),
        PathBuf::from("other.key")
    );
    let absolute = LEAST.replace("master.key", "/run/secrets/master.key");
    assert_eq!(
        file_of(read(&absolute, &[]).unwrap()),
        PathBuf::from("/run/secrets/master.key")
    );
}

#[test]
fn all_faults_are_reported_together_with_their_keys_and_sources() {
    let text = "\
        colour = 1\n\
        sessions = 5\n\
        [server]\nlisten = \"localhost\"\npublic_url = \"http://id.example.org\"\ntrusted_proxies = [\"x\", 5]\nlisen = 1\n\
        [keys]\nmaster_key = \"short\"\nmaster_key_file = \"x\"\nalgorithm = \"HS256\"\n\
        [tokens]\naccess_token_seconds = 3601\nid_token_seconds = \"5\"\nrefresh_token_seconds = 1.5\n\
        [passwords]\nmemory_kib = 1\n\
        [outbound]\nallow_loopback_http = \"maybe\"\nprivate_networks = [\"10.0.0.0/33\"]\n\
        [logging]\nformat = \"xml\"\nfilter = \"a=b=c\"\n\
        [[resources]]\nidentifer = \"https://a.example\"\nfhir = \"yes\"\naliases = \"x\"\n";
    let expected = [
        "server.listen (in /etc/wardgate/wardgate.toml) must be an IP address and a port, such as 127.0.0.1:8788",
        "server.public_url (in /etc/wardgate/wardgate.toml) must be https, since the host is not this machine \
         (localhost, 127.0.0.1 or [::1])",
        "server.trusted_proxies[0] (in /etc/wardgate/wardgate.toml) must be an IP address or a network such as \
         10.0.0.0/8",
        "server.trusted_proxies[1] (in /etc/wardgate/wardgate.toml) must be a text",
        "database.readers (in WARDGATE_DATABASE__READERS) must be a whole number of connections from 1 to 64",
        "keys.master_key (in /etc/wardgate/wardgate.toml) must not be set together with keys.master_key_file",
        "keys.algorithm (in /etc/wardgate/wardgate.toml) must be one of RS256, RS384, PS256, ES256, ES384, EdDSA",
        "tokens.access_token_seconds (in /etc/wardgate/wardgate.toml) must be a whole number of seconds from 60 to 3600",
        "tokens.refresh_token_seconds (in /etc/wardgate/wardgate.toml) must be a whole number of seconds from 300 to \
         31536000",
        "tokens.id_token_seconds (in /etc/wardgate/wardgate.toml) must be a whole number of seconds from 60 to 3600",
        "sessions.idle_seconds must be set",
        "sessions.absolute_seconds must be set",
        "resources[0].identifer (in /etc/wardgate/wardgate.toml) is not a key of the configuration",
        "resources[0].identifier (in /etc/wardgate/wardgate.toml) must be a text without spaces, usually the API's URL",
        "resources[0].aliases (in /etc/wardgate/wardgate.toml) must be a list of texts without spaces",
        "resources[0].fhir (in /etc/wardgate/wardgate.toml) must be true or false",
        "passwords.memory_kib (in /etc/wardgate/wardgate.toml) must be a whole number of KiB from 8192 to 4194304",
        "outbound.allow_loopback_http (in /etc/wardgate/wardgate.toml) must be true or false",
        "outbound.private_networks[0] (in /etc/wardgate/wardgate.toml) must be an IP address or a network such as \
         10.0.0.0/8",
        "logging.format (in /etc/wardgate/wardgate.toml) must be auto, json or text",
        "logging.filter (in /etc/wardgate/wardgate.toml) must be a filter such as info or wardgate_issuer=debug,info",
        "colour (in /etc/wardgate/wardgate.toml) is not a key or section of the configuration",
        "server.lisen (in /etc/wardgate/wardgate.toml) is not a key of the configuration",
        "sessions (in /etc/wardgate/wardgate.toml) must be a section with keys",
    ];
    assert_eq!(faults(text, &[("WARDGATE_DATABASE__READERS", "0")]), expected);
}

#[test]
fn what_must_be_set_is_named() {
    let found = faults("", &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("keys.master_key_file must be set"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("resources must name at least one API"),
        "{found:?}"
    );
    assert_eq!(
        faults("resources = []\nkeys.master_key_file = \"x\"", &[]).len(),
        1
    );
    assert_eq!(
        faults("resources = 5\nkeys.master_key_file = \"x\"", &[]).len(),
        1
    );
    assert_eq!(
        faults("resources = [5]\nkeys.master_key_file = \"x\"", &[]).len(),
        1
    );
}

#[test]
fn an_unknown_key_in_the_environment_is_a_fault() {
    let found = faults(LEAST, &[("WARDGATE_SERVER__LISEN", "127.0.0.1:1")]);
    assert_eq!(
        found,
        ["server.lisen (in WARDGATE_SERVER__LISEN) is not a key of the configuration"]
    );
}

#[test]
fn a_session_may_not_idle_longer_than_it_lasts() {
    let found = faults(&format!("{LEAST}[sessions]\nabsolute_seconds = 60\n"), &[]);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].ends_with("must not be less than sessions.idle_seconds"),
        "{found:?}"
    );
}

#[test]
fn one_name_for_two_resources_is_a_fault() {
    let text = "keys.master_key_file = \"x\"\nresources = [{ identifier = \"a\" }, { identifier = \"b\", aliases = [\"a\"] }]";
    assert_eq!(faults(text, &[]).len(), 1);
}

#[test]
fn an_https_url_without_a_word_about_the_proxy_is_a_fault() {
    let behind = |listen: &str, more: &str| {
        format!("{LEAST}[server]\nlisten = \"{listen}\"\npublic_url = \"https://id.example.org\"\n{more}")
    };
    for listen in ["127.0.0.1:8788", "[::1]:8788", "0.0.0.0:8788", "[::]:8788"] {
        let found = faults(&behind(listen, ""), &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("server.trusted_proxies must be set"),
            "{found:?}"
        );
        for given in ["trusted_proxies = [\"127.0.0.1\"]\n", "trusted_proxies = []\n"] {
            assert!(read(&behind(listen, given), &[]).is_ok(), "{listen} {given}");
        }
        let environment = [("WARDGATE_SERVER__TRUSTED_PROXIES", "[]")];
        assert!(read(&behind(listen, ""), &environment).is_ok(), "{listen}");
    }
    assert!(read(&behind("192.0.2.1:8788", ""), &[]).is_ok());
}

#[test]
fn an_error_page_url_must_be_one() {
    for url in [
        "docs.example.org",
        "https://docs.example.org/",
        "https://docs.example.org/a b",
        "https://x/\\\"",
        "https://x/<e>",
    ] {
        let found = faults(&format!("{LEAST}[documentation]\nerror_uri = '{url}'\n"), &[]);
        assert_eq!(found.len(), 1, "{url}");
    }
    let config = read(
        &format!("{LEAST}[documentation]\nerror_uri = \"https://docs.example.org/e\"\n"),
        &[],
    )
    .unwrap();
    assert_eq!(config.documentation.error_uri, "https://docs.example.org/e");
    let with_fragment = format!("{LEAST}[documentation]\nerror_uri = \"https://docs.example.org/e#f\"\n");
    assert!(read(&with_fragment, &[]).is_ok());
}

#[test]
fn no_fault_repeats_a_value() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let without_source = LEAST.replace("keys.master_key_file = \"master.key\"\n", "");
    for text in [
        format!("{without_source}keys.master_key = \"{secret}\"\n"),
        format!("keys.master_key = {secret}\n"),
    ] {
        let found = faults(&text, &[]);
        assert!(
            !found.is_empty() && found.iter().all(|fault| !fault.contains(secret)),
            "{found:?}"
        );
    }
    assert!(
        faults("keys.master_key = oops\n", &[])[0].contains("line 1"),
        "the place is told"
    );
}

#[test]
fn debug_output_says_nothing_of_the_master_key() {
    let config = read(
        LEAST
            .replace(
                "master_key_file = \"master.key\"",
                &format!("master_key = \"{KEY}\""),
            )
            .as_str(),
        &[],
    );
    let printed = format!("{:?}", config.unwrap());
    assert!(
        printed.contains("Secret(…)") && !printed.contains(KEY) && !printed.contains("1, 1, 1"),
        "{printed}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::load(Some(&folder.path().join("absent.toml")))
        .unwrap_err()
        .to_string();
    assert!(missing.contains("absent.toml does not exist"), "{missing}");
    let unreadable = Config::load(Some(folder.path())).unwrap_err().to_string();
    assert!(unreadable.contains("cannot be read"), "{unreadable}");
}

#[test]
fn the_example_file_is_a_configuration_without_fault() {
    let example = read(&example_file(), &[]).unwrap();
    let least = read(LEAST, &[]).unwrap();
    assert_eq!(format!("{:?}", example.tokens), format!("{:?}", least.tokens));
    assert_eq!(
        format!("{:?}", example.passwords),
        format!("{:?}", least.passwords)
    );
    assert_eq!(example.server.listen, least.server.listen);
}

/// Set `WARDGATE_UPDATE_SNAPSHOTS` to write the page anew after changing a key.
#[test]
fn the_documentation_page_is_in_step_with_the_keys() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    if std::env::var_os("WARDGATE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&page, documentation()).unwrap();
    }
    assert_eq!(documentation(), std::fs::read_to_string(page).unwrap());
}

#[test]
fn the_test_configuration_is_made_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::testing::config(folder.path());
    assert!(config.database.path.starts_with(folder.path()));
    assert!(START.seconds() > 0);
}

#[test]
fn the_security_profile_is_one_of_two_words() {
    assert_eq!(
        read(LEAST, &[]).unwrap().security.profile,
        SecurityProfile::Standard
    );
    let held = read(&format!("security.profile = \"fapi2\"\n{LEAST}"), &[]).unwrap();
    assert_eq!(held.security.profile, SecurityProfile::Fapi2);
    let faults = faults(&format!("security.profile = \"fapi\"\n{LEAST}"), &[]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("must be standard or fapi2"), "{faults:?}");
}

#[test]
fn metrics_for_other_machines_need_a_token() {
    let listen = "[metrics]\nlisten = \"0.0.0.0:9464\"\n";
    let faults = load(listen).unwrap_err().to_string();
    assert!(faults.contains("metrics.token must be set"), "{faults}");
    let config = load(&format!("{listen}token = \"t\"\n")).unwrap();
    assert_eq!(config.metrics.unwrap().token.unwrap().expose(), "t");
    let loopback = load("[metrics]\nlisten = \"127.0.0.1:9464\"\n").unwrap();
    assert!(loopback.metrics.unwrap().token.is_none());
    assert!(load("").unwrap().metrics.is_none());
    let alone = load("[metrics]\ntoken = \"t\"\n").unwrap_err().to_string();
    assert!(alone.contains("has no meaning without metrics.listen"), "{alone}");
}
