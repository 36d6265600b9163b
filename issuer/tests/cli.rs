//! The binary `wardgate` as people and scripts use it: its output, its exit codes, its start and stop.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a configuration, and the binary to run over it.
struct Wardgate {
    folder: TempDir,
}

/// What a command answered.
struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Wardgate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wardgate = Self { folder };
        wardgate.configure("");
        wardgate
    }

    /// Writes the configuration, with `more` at its end. The least that the configuration takes for Argon2.
    fn configure(&self, more: &str) {
        let text = format!(
            "server.listen = \"127.0.0.1:0\"\nkeys.master_key_file = \"master.key\"\nkeys.algorithm = \"ES256\"\n\
             passwords.memory_kib = 8192\npasswords.iterations = 1\n\
             resources = [{{ identifier = \"https://api.example.org/fhir\" }}]\n{more}\n"
        );
        std::fs::write(self.path("wardgate.toml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardgate"));
        command
            .env_clear()
            .arg("--config")
            .arg(self.path("wardgate.toml"))
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Answer {
        let mut child = self.command(arguments).spawn().unwrap();
        // A command that refuses its arguments does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        Answer {
            code: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(arguments, "")
    }
}

impl Answer {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Checks the exit code, and that one sentence on standard error holds `said`.
    #[track_caller]
    fn refused(self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert!(
            self.stderr.starts_with("wardgate: ") && self.stderr.contains(said),
            "{}",
            self.stderr
        );
        assert_eq!(self.stdout, "");
    }
}

const SERVICE: [&str; 12] = [
    "client",
    "add",
    "--client-id",
    "service",
    "--name",
    "Service",
    "--type",
    "confidential",
    "--grant",
    "client_credentials",
    "--scope",
    "system/*.rs",
];
const ADA: [&str; 7] = [
    "user",
    "add",
    "--email",
    "ada@example.org",
    "--name",
    "Ada",
    "--password-stdin",
];

#[test]
fn init_makes_everything_once() {
    let wardgate = Wardgate::new();
    let first = wardgate.run(&["init"]).ok();
    assert!(
        first.contains("made the master key") && first.contains("made the database"),
        "{first}"
    );
    assert!(
        first.contains("made the ES256 signing key") && first.contains("made the RS256 signing key"),
        "{first}"
    );
    let key = std::fs::read(wardgate.path("master.key")).unwrap();

    let again = wardgate.run(&["init"]).ok();
    assert!(!again.contains("made"), "{again}");
    assert_eq!(std::fs::read(wardgate.path("master.key")).unwrap(), key);
    let keys = wardgate.run(&["keys", "list", "--json"]).json();
    assert_eq!(keys.as_array().unwrap().len(), 4);
}

#[test]
fn init_refuses_to_replace_a_lost_master_key() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    std::fs::remove_file(wardgate.path("master.key")).unwrap();
    wardgate.run(&["init"]).refused(5, "put the key back");
    assert!(!wardgate.path("master.key").exists());
}

#[test]
fn another_master_key_is_refused_with_what_to_do() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    std::fs::write(wardgate.path("master.key"), "A".repeat(43)).unwrap();
    for command in [&["init"][..], &["keys", "list"], &["serve"]] {
        wardgate
            .run(command)
            .refused(5, "configure the master key that this database was made with");
    }
}

#[test]
fn a_master_key_that_everybody_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let everybody = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(wardgate.path("master.key"), everybody).unwrap();
    for command in [&["check-config"][..], &["client", "list"], &["serve"]] {
        wardgate.run(command).refused(
            5,
            "can be read by every user of this machine: only the issuer may, as by chmod 600",
        );
    }
}

#[test]
fn commands_before_init_say_so() {
    let wardgate = Wardgate::new();
    for command in [&["client", "list"][..], &SERVICE, &["keys", "list"], &["serve"]] {
        wardgate.run(command).refused(3, "run `wardgate init` first");
    }
    wardgate
        .run_with(&ADA, "Sturdy-oak-7")
        .refused(3, "run `wardgate init` first");
    assert!(
        !wardgate.path("wardgate.db").exists(),
        "nothing was made by the way"
    );
}

#[test]
fn a_service_gets_its_secret_once() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let made = wardgate.run(&[&SERVICE[..], &["--json"]].concat()).json();
    let secret = made["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("wgsec_") && secret.len() == 49, "{secret}");
    assert_eq!(made["client_id"], "service");

    wardgate
        .run(&SERVICE)
        .refused(4, "there is a client service already");
    let listed = wardgate.run(&["client", "list"]).ok();
    assert!(
        listed.contains("service  confidential  Service") && !listed.contains("wgsec_"),
        "{listed}"
    );
    let listed = wardgate.run(&["client", "list", "--json"]).json();
    assert_eq!(listed[0]["grant_types"][0], "client_credentials");
    assert!(listed[0].get("client_secret").is_none());
    for file in ["wardgate.db", "wardgate.db-wal"] {
        let stored = std::fs::read(wardgate.path(file)).unwrap_or_default();
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "{file} holds the secret"
        );
    }
}

// SMART-34
#[test]
fn a_service_with_keys_of_its_own_gets_no_secret() {
    const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","alg":"ES256",
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let add = |more: &[&str]| {
        let by_keys = ["--auth", "private_key_jwt", "--json"];
        wardgate.run(&[&SERVICE[..], &by_keys, more].concat())
    };
    let file = wardgate.path("keys.json");
    let file = file.to_str().unwrap();
    add(&["--jwks", file]).refused(2, "cannot be read");
    for (text, said) in [
        ("", "cannot be used: not a JSON Web Key"),
        (r#"{"keys":[]}"#, "holds no key"),
        (r#"{"keys":[{"kty":"EC","crv":"secp256k1"}]}"#, "holds no key"),
        (
            &KEYS.replace("\"x\"", "\"d\":\"AA\",\"x\""),
            "holds a private or symmetric key",
        ),
    ] {
        std::fs::write(file, text).unwrap();
        add(&["--jwks", file]).refused(2, said);
    }
    for url in [
        "http://client.example/",
        "http://localhost/",
        "https://10.0.0.1/",
        "keys",
    ] {
        add(&["--jwks-uri", url]).refused(2, "--jwks-uri");
    }

    std::fs::write(file, KEYS).unwrap();
    let made = add(&["--jwks", file]).json();
    assert_eq!(made["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(made["jwks"]["keys"][0]["kid"], "1");
    assert!(made.get("client_secret").is_none() && made.get("jwks_uri").is_none());
    let listed = wardgate.run(&["client", "list"]).ok();
    assert!(listed.contains("keys: 1 registered"), "{listed}");

    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate.configure("[outbound]\nallow_loopback_http = true");
    let url = "http://localhost:8080/jwks.json";
    let by_url = ["--auth", "private_key_jwt", "--jwks-uri", url, "--json"];
    let made = wardgate.run(&[&SERVICE[..], &by_url].concat()).json();
    assert_eq!(made["jwks_uri"], url);
    assert!(made.get("client_secret").is_none() && made.get("jwks").is_none());
    let listed = wardgate.run(&["client", "list"]).ok();
    assert!(listed.contains(&format!("keys at: {url}")), "{listed}");
}

#[test]
fn a_secret_from_elsewhere_is_taken_over_and_not_repeated() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let command = [&SERVICE[..], &["--secret-stdin", "--json"]].concat();
    wardgate
        .run_with(&command, "too short")
        .refused(2, "at least 32 random printable ASCII characters");
    wardgate
        .run_with(&command, "")
        .refused(2, "no client secret was given");
    let made = wardgate
        .run_with(&command, &format!("{}\n", "s".repeat(32)))
        .json();
    assert!(made.get("client_secret").is_none());
}

#[test]
fn an_app_is_registered_with_everything_it_was_given() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let made = wardgate.run(&[
        "client",
        "add",
        "--client-id",
        "app",
        "--name",
        "App",
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--redirect-uri",
        "https://app.example.org/callback",
        "--redirect-uri",
        "http://127.0.0.1:3000/callback",
        "--scope",
        "openid patient/*.rs",
        "--json",
    ]);
    let made = made.json();
    assert_eq!(
        made["redirect_uris"],
        serde_json::json!([
            "https://app.example.org/callback",
            "http://127.0.0.1:3000/callback"
        ])
    );
    assert_eq!(made["require_pkce"], true);
    assert!(made.get("client_secret").is_none());
}

#[test]
fn a_person_is_added_once_with_a_password_from_standard_input() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate
        .run_with(&ADA, "short")
        .refused(2, "at least 8 characters");
    wardgate.run_with(&ADA, "short").refused(2, "of 3 of these kinds");
    wardgate.run_with(&ADA, "Password1!").refused(2, "tried first");
    wardgate.run(&ADA).refused(2, "no password was given");
    let made = wardgate.run_with(
        &[&ADA[..], &["--fhir-user", "Practitioner/12", "--json"]].concat(),
        "Sturdy-oak-7",
    );
    let made = made.json();
    assert_eq!(
        (made["email"].as_str(), made["practitioner_id"].as_str()),
        (Some("ada@example.org"), Some("12"))
    );
    assert!(made.get("password").is_none() && made.get("password_hash").is_none());
    wardgate
        .run_with(&ADA, "Sturdy-oak-7")
        .refused(4, "there is an account for ada@example.org already");
}

#[test]
fn an_authenticator_app_is_added_by_its_seed_which_is_printed_nowhere() {
    const SEED: &str = "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp";
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let add = ["user", "add-totp", "--email", "ada@example.org", "--secret-stdin"];
    wardgate
        .run_with(&add, SEED)
        .refused(4, "there is no account for ada@example.org");
    wardgate.run_with(&ADA, "Sturdy-oak-7").ok();
    wardgate.run(&add).refused(2, "no seed was given");
    for wrong in [
        "JBSWY3DPEHPK3PXP",
        "JBSWY3DPEHPK3PX1JBSWY3DPEHPK3PXP",
        "not base32",
    ] {
        wardgate
            .run_with(&add, wrong)
            .refused(2, "Base32 text of 26 to 102 letters");
    }
    wardgate
        .run_with(&[&add[..], &["--name", " "]].concat(), SEED)
        .refused(2, "--name");
    let said = wardgate.run_with(&add, SEED).ok();
    assert!(
        said.starts_with("gave ada@example.org an authenticator app"),
        "{said}"
    );
    for _ in 1..20 {
        wardgate.run_with(&add, SEED).ok();
    }
    wardgate
        .run_with(&add, SEED)
        .refused(4, "as many second factors as one can have");
}

#[test]
fn what_is_known_of_a_person_can_be_replaced() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate.run_with(&ADA, "Sturdy-oak-7").ok();
    let profile = wardgate.path("profile.json");
    let profile = profile.to_str().unwrap();
    std::fs::write(profile, r#"{"given_name":"Ada","birthdate":"1815"}"#).unwrap();
    let set = [
        "user",
        "set-profile",
        "--email",
        "Ada@example.org",
        "--profile",
        profile,
    ];
    wardgate.run(&set).refused(2, "birthdate");
    std::fs::write(profile, r#"{"given_name":"Ada","birthdate":"1985"}"#).unwrap();
    assert!(wardgate.run(&set).ok().contains("ada@example.org"));
    let nobody = [
        "user",
        "set-profile",
        "--email",
        "bob@example.org",
        "--profile",
        profile,
    ];
    wardgate
        .run(&nobody)
        .refused(4, "there is no account for bob@example.org");
}

#[test]
fn without_a_terminal_nobody_is_asked_for_a_password() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate.run(&ADA[..6]).refused(2, "use --password-stdin");
}

#[test]
fn a_rotated_key_waits_and_only_used_algorithms_rotate() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let made = wardgate.run(&["keys", "rotate", "--json"]).json();
    assert_eq!(
        (made["alg"].as_str(), made["phase"].as_str()),
        (Some("ES256"), Some("waiting"))
    );
    wardgate.run(&["keys", "rotate", "--algorithm", "RS256"]).ok();
    wardgate
        .run(&["keys", "rotate", "--algorithm", "ES384"])
        .refused(2, "signs with ES256, RS256, PS256, EdDSA");
    wardgate
        .run(&["keys", "rotate", "--algorithm", "none"])
        .refused(2, "signs with ES256, RS256, PS256, EdDSA");
    assert_eq!(
        wardgate
            .run(&["keys", "list", "--json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        6
    );
}

#[test]
fn check_config_names_every_fault() {
    let wardgate = Wardgate::new();
    let fine = wardgate.run(&["check-config"]);
    assert_eq!(
        (fine.code, fine.stdout.as_str()),
        (0, "the configuration has no fault\n")
    );
    assert!(
        fine.stderr.contains("`wardgate init` will make"),
        "{}",
        fine.stderr
    );

    wardgate.configure("[tokens]\naccess_token_seconds = 0\n[logging]\nformat = \"xml\"\ncolour = true");
    let faulty = wardgate.run(&["check-config"]);
    assert_eq!(faulty.code, 2);
    for key in [
        "has 3 faults",
        "tokens.access_token_seconds",
        "logging.format",
        "logging.colour",
    ] {
        assert!(faulty.stderr.contains(key), "{}", faulty.stderr);
    }
    wardgate.run(&["serve"]).refused(2, "has 3 faults");
}

#[test]
fn the_printed_example_is_a_configuration() {
    let wardgate = Wardgate::new();
    let example = wardgate.run(&["check-config", "--print-example"]).ok();
    std::fs::write(wardgate.path("wardgate.toml"), example).unwrap();
    assert_eq!(wardgate.run(&["check-config"]).code, 0);
}

#[test]
fn help_and_misuse_leave_with_0_and_2() {
    let wardgate = Wardgate::new();
    for command in [
        &["--help"][..],
        &["client", "add", "--help"],
        &["user", "add", "--help"],
    ] {
        assert!(wardgate.run(command).ok().contains("wardgate"), "{command:?}");
    }
    for command in [
        &[][..],
        &["dance"],
        &["client", "add"],
        &["user", "add", "--password", "x"],
    ] {
        assert_eq!(wardgate.run(command).code, 2, "{command:?}");
    }
}

#[test]
fn a_client_is_removed() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let service = "client add --client-id service --name Service --type confidential --grant client_credentials \
                   --scope system/*.rs";
    let add: Vec<&str> = service.split_whitespace().collect();
    wardgate.run(&add).ok();
    let remove = || wardgate.run(&["client", "remove", "--client-id", "service"]);
    assert_eq!(remove().ok(), "removed the client service\n");
    remove().refused(4, "there is no client service");
    let listed = wardgate.run(&["client", "list", "--json"]).json();
    assert!(listed.as_array().unwrap().is_empty(), "{listed}");
    // Its name is free again.
    wardgate.run(&add).ok();
}

#[test]
fn registration_tokens_are_made_listed_and_revoked() {
    const TOKEN: [&str; 2] = ["client", "registration-token"];
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate.configure("registration.mode = \"token\"");
    let add = |more: &[&str]| {
        let line: Vec<&str> = [&TOKEN[..], &["add", "--description", "Partner"], more].concat();
        wardgate.run(&line)
    };
    let made = add(&[
        "--uses",
        "3",
        "--grant",
        "client_credentials",
        "--scope",
        "system/*.rs",
        "--json",
    ])
    .json();
    assert!(made["token"].as_str().unwrap().starts_with("wgi_"));
    assert_eq!(made["uses_left"], 3);
    let id = made["id"].as_str().unwrap();
    let said = add(&[]).ok();
    assert!(
        said.contains("shown this once") && said.contains("wgi_"),
        "{said}"
    );

    let listed = wardgate.run(&[&TOKEN[..], &["list", "--json"]].concat()).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed.as_array().unwrap().iter().any(|token| token["id"] == id));
    assert!(!listed.to_string().contains("wgi_"));
    let text = wardgate.run(&[&TOKEN[..], &["list"]].concat()).ok();
    assert!(text.contains(id) && text.contains("3 uses left"), "{text}");

    let revoke = || wardgate.run(&[&TOKEN[..], &["revoke", id]].concat());
    assert!(revoke().ok().contains("revoked"));
    revoke().refused(4, "there is no registration token of this name");
    add(&["--grant", "password"]).refused(2, "--grant password is not one of");
    add(&["--scope", "a  b"]).refused(2, "--scope");
}

#[test]
fn a_person_is_signed_out_and_their_account_closed() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let about = |command| ["user", command, "--email", "Ada@example.org"];
    for command in ["sign-out", "deactivate"] {
        wardgate
            .run(&about(command))
            .refused(4, "there is no account for ada@example.org");
    }
    wardgate.run_with(&ADA, "Sturdy-oak-7\n").ok();
    let said = wardgate.run(&about("sign-out")).ok();
    assert_eq!(said, "ended 0 sessions of ada@example.org\n");
    let deactivate = [&about("deactivate")[..], &["--json"]].concat();
    assert_eq!(wardgate.run(&deactivate).json()["deactivated"], true);
    assert_eq!(wardgate.run(&deactivate).json()["deactivated"], false);
    let said = wardgate.run(&about("deactivate")).ok();
    assert_eq!(said, "the account of ada@example.org was deactivated already\n");
}

/// Registers an app whose logout URL is this one.
fn add_listening_app(wardgate: &Wardgate, url: &str) -> Answer {
    let metadata = wardgate.path("metadata.json");
    let text = serde_json::json!({ "backchannel_logout_uri": url });
    std::fs::write(&metadata, text.to_string()).unwrap();
    let app = "client add --client-id app --name App --type public --grant authorization_code --scope openid \
               --redirect-uri https://app.example.org/callback --metadata";
    let mut arguments: Vec<&str> = app.split_whitespace().collect();
    arguments.push(metadata.to_str().unwrap());
    wardgate.run(&arguments)
}

// OUT-11
#[test]
fn a_logout_url_must_be_one_that_may_be_reached() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    for (url, said) in [
        ("http://app.example.org/logout", "must be an https URL"),
        ("https://app.example.org/logout#now", "fragment"),
        ("https://10.0.0.1/logout", "of a public host"),
        ("/logout", "must be an https URL"),
    ] {
        let answer = add_listening_app(&wardgate, url);
        answer.refused(2, said);
    }
    add_listening_app(&wardgate, "https://app.example.org/logout?of=wardgate").ok();
}

#[cfg(unix)]
#[test]
fn serve_starts_with_one_line_and_stops_on_sigterm() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let mut server = wardgate.command(&["serve"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(
        line.starts_with("Wardgate ") && line.contains(" on 127.0.0.1:"),
        "{line}"
    );

    // Other commands work beside a running server.
    wardgate.run(&SERVICE).ok();
    let port = line
        .split("127.0.0.1:")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    wardgate.configure("");
    let taken = wardgate
        .command(&["serve"])
        .env("WARDGATE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .output()
        .unwrap();
    let said = String::from_utf8(taken.stderr).unwrap();
    assert_eq!(taken.status.code(), Some(6), "{said}");
    assert!(said.contains("is taken: another program listens there"), "{said}");

    let killed = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "the log is JSON: {log}"
    );
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn a_client_that_cannot_keep_its_profile_is_refused() {
    const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"1","alg":"ES256",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let (keys, metadata) = (wardgate.path("keys.json"), wardgate.path("metadata.json"));
    std::fs::write(&keys, KEYS).unwrap();
    let add = |text: &str, more: &[&str]| {
        std::fs::write(&metadata, text).unwrap();
        let given = ["--metadata", metadata.to_str().unwrap()];
        wardgate.run(&[&SERVICE[..], &given, more].concat())
    };
    let by_keys = [
        "--auth",
        "private_key_jwt",
        "--jwks",
        keys.to_str().unwrap(),
        "--json",
    ];
    let fapi = r#"{"profile":"fapi2"}"#;
    add(fapi, &[]).refused(2, "must be confidential and authenticate by private_key_jwt");
    add(
        r#"{"profile":"fapi2","id_token_signed_response_alg":"RS256"}"#,
        &by_keys,
    )
    .refused(2, "must be PS256, ES256 or EdDSA");
    add(r#"{"id_token_signed_response_alg":"ES384"}"#, &by_keys).refused(
        2,
        "id_token_signed_response_alg has a value that is not supported",
    );
    add(fapi, &[&by_keys[..], &["--no-require-pkce"]].concat())
        .refused(2, "--no-require-pkce is not for clients that are held to fapi2");
    let made = add(fapi, &by_keys).json();
    assert_eq!(made["profile"], "fapi2");
    assert_eq!(made["require_pushed_authorization_requests"], true);
}

/// The one line of an output that is a link.
fn link_in(output: &str) -> String {
    let mut links = output
        .lines()
        .filter(|line| line.contains("/password/reset?token="));
    let link = links.next().unwrap();
    assert_eq!(links.next(), None);
    link.trim().into()
}

#[test]
fn init_makes_the_first_administrator_and_prints_a_new_link_each_time() {
    let wardgate = Wardgate::new();
    assert!(wardgate.run(&["init"]).ok().contains("--admin-email"));
    let init = ["init", "--admin-email", "Ada@example.org"];
    let first = link_in(&wardgate.run(&init).ok());
    let second = link_in(&wardgate.run(&init).ok());
    assert_ne!(first, second);
    assert!(first.contains("?token=wgu_"));
    wardgate
        .run(&["init", "--admin-email", "nobody"])
        .refused(2, "must be an address");
}

#[test]
fn init_makes_no_administrator_of_somebody_who_is_there() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    wardgate.run_with(&ADA, "Sturdy-oak-7").ok();
    let answer = wardgate.run(&["init", "--admin-email", "ada@example.org"]);
    assert_eq!(answer.code, 4);
    assert!(answer.stderr.contains("no administrator") && !answer.stdout.contains("token="));
}

#[test]
fn an_administrator_with_a_password_is_enough() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let admin = [&ADA[..], &["--role", "Builder Admin"]].concat();
    wardgate.run_with(&admin, "Sturdy-oak-7").ok();
    let said = wardgate.run(&["init", "--admin-email", "eve@example.org"]).ok();
    assert!(
        said.contains("an administrator is there") && !said.contains("token="),
        "{said}"
    );
}

#[test]
fn an_invitation_needs_mail_or_is_printed() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--name",
        "Ada Ito",
        "--invite",
    ];
    wardgate.run(&add).refused(2, "use --print-link");
    let made = wardgate.run(&[&add[..], &["--print-link"]].concat()).ok();
    let first = link_in(&made);
    let invite = ["user", "invite", "--email", "ada@example.org"];
    wardgate.run(&invite).refused(2, "use --print-link");
    let again = link_in(&wardgate.run(&[&invite[..], &["--print-link"]].concat()).ok());
    assert_ne!(first, again);
    wardgate
        .run(&["user", "invite", "--email", "eve@example.org", "--print-link"])
        .refused(4, "no account");
}

#[test]
fn roles_and_accounts_are_listed_changed_and_ended() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let roles = wardgate.run(&["role", "list", "--json"]).json();
    let names: Vec<&str> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Builder Admin", "Care Team User", "Patient"]);
    let add = ["role", "add", "--name", "Reception", "--scope", "openid"];
    wardgate.run(&add).ok();
    wardgate.run(&add).refused(4, "taken already");
    wardgate
        .run(&["role", "add", "--name", "Service", "--scope", "system/*.read"])
        .refused(2, "--scope");
    wardgate
        .run_with(&[&ADA[..], &["--role", "Nobody"]].concat(), "Sturdy-oak-7")
        .refused(4, "Builder Admin, Care Team User");
    wardgate
        .run_with(&[&ADA[..], &["--role", "Builder Admin"]].concat(), "Sturdy-oak-7")
        .ok();
    let ada = ["--email", "ada@example.org"];
    wardgate
        .run(&[&["user", "deactivate"][..], &ada].concat())
        .refused(1, "somebody else");
    wardgate
        .run(&[&["user", "change"][..], &ada, &["--organization-id", "org-1"]].concat())
        .refused(2, "--organization-id");
    wardgate
        .run(&["organization", "add", "--id", "org-1", "--name", "First Clinic"])
        .ok();
    let organizations = wardgate.run(&["organization", "list", "--json"]).json();
    assert_eq!(organizations[0]["name"], "First Clinic");
    let changed = wardgate
        .run(
            &[
                &["user", "change", "--json"][..],
                &ada,
                &["--organization-id", "org-1"],
            ]
            .concat(),
        )
        .json();
    assert_eq!(changed["organization_id"], "org-1");
    wardgate
        .run(&["role", "remove", "--name", "Patient"])
        .refused(1, "built-in");
    wardgate.run(&["role", "remove", "--name", "Reception"]).ok();
    let listed = wardgate
        .run(&["user", "list", "--role", "Builder Admin", "--json"])
        .json();
    assert_eq!(listed[0]["email"], "ada@example.org");
    wardgate.run(&[&["user", "reactivate"][..], &ada].concat()).ok();
}

#[test]
fn an_api_key_is_made_listed_rotated_and_revoked() {
    let wardgate = Wardgate::new();
    wardgate.run(&["init"]).ok();
    let said = wardgate.run(&["api-key", "list"]).ok();
    assert!(said.contains("there is no API key"), "{said}");
    let add = ["api-key", "add", "--name", "Nightly export", "--scope"];
    let made = wardgate
        .run(
            &[
                &add[..],
                &[
                    "system/*.rs patient/*.rs",
                    "--expires-at",
                    "2999-12-31T23:59:59Z",
                    "--json",
                ],
            ]
            .concat(),
        )
        .json();
    assert_eq!(made["scopes"], serde_json::json!(["system/*.rs"]));
    assert_eq!(made["left_out_scopes"], serde_json::json!(["patient/*.rs"]));
    assert_eq!(made["state"], "active");
    assert_eq!(made["expires_at"], "2999-12-31T23:59:59Z");
    assert!(made["api_key"].as_str().unwrap().starts_with("zs_api_live_"));
    let secret = made["api_secret"].as_str().unwrap();
    assert!(secret.starts_with("zs_secret_"));
    let id = made["id"].as_str().unwrap();

    let listed = wardgate.run(&["api-key", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(listed[0].get("api_secret").is_none());
    let rotated = wardgate
        .run(&["api-key", "rotate", id, "--overlap-seconds", "3600", "--json"])
        .json();
    assert_ne!(rotated["api_secret"], made["api_secret"]);
    assert!(rotated["previous_secret_until"].is_string());
    let said = wardgate.run(&["api-key", "rotate", id]).ok();
    assert!(
        said.contains("zs_secret_") && said.contains("the one of before is over"),
        "{said}"
    );
    let said = wardgate.run(&["api-key", "list"]).ok();
    for expected in [id, "active", "Nightly export", "never used", "system/*.rs"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("zs_secret_"), "{said}");
    wardgate.run(&["api-key", "revoke", id]).ok();
    wardgate
        .run(&["api-key", "revoke", id])
        .refused(2, "revoked or expired");
    wardgate
        .run(&["api-key", "rotate", id])
        .refused(2, "revoked or expired");
    assert_eq!(
        wardgate.run(&["api-key", "list", "--json"]).json()[0]["state"],
        "revoked"
    );
    let events = wardgate.run(&["audit", "export"]).ok();
    for action in ["api_key_creation", "api_key_rotation", "api_key_revocation"] {
        assert!(events.contains(action), "{action}: {events}");
    }
    assert!(!events.contains(secret));
}

#[test]
fn an_api_key_that_makes_no_sense_is_refused_in_one_sentence() {
    let wardgate = Wardgate::new();
    wardgate.run(&["api-key", "list"]).refused(3, "does not exist");
    wardgate.run(&["init"]).ok();
    let add = |name: &str, scope: &str, more: &[&str]| {
        wardgate.run(&[&["api-key", "add", "--name", name, "--scope", scope][..], more].concat())
    };
    add("", "system/*.rs", &[]).refused(2, "--name must be 1 to 200 bytes");
    add("x", "patient/*.rs openid", &[]).refused(2, "--scope must hold a scope");
    add("x", "a  b", &[]).refused(2, "--scope");
    add("x", "system/*.rs", &["--expires-at", "tomorrow"]).refused(2, "--expires-at must be an instant");
    add("x", "system/*.rs", &["--expires-at", "2001-01-01T00:00:00Z"])
        .refused(2, "--expires-at must be an instant to come");
    wardgate
        .run(&["api-key", "revoke", "apikey-nobody"])
        .refused(4, "there is no such API key");
    wardgate
        .run(&["api-key", "rotate", "apikey-nobody"])
        .refused(4, "there is no such API key");
    for arguments in [
        &["api-key", "rotate", "x", "--overlap-seconds", "2592001"][..],
        &["api-key", "add"],
    ] {
        assert_eq!(wardgate.run(arguments).code, 2);
    }
}
