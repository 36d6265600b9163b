//! The programs under `examples`, the very files, against issuer, edge and FHIR API: what app developers copy works.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use wardgate_tests::pair::{PASSWORD, PATIENT_EMAIL, Pair};
use wardgate_tests::program::Program;
use wardgate_tests::source::root;
use wardgate_tests::worker::from_environment;

/// What a program is run with, and gave.
fn run(program: impl Into<PathBuf>, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(program.into())
        .args(arguments)
        .current_dir(root())
        .env("NO_PROXY", "*")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// What it printed.
#[track_caller]
fn printed(output: &Output) -> String {
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{error}");
    out.into_owned()
}

/// What it said was wrong.
#[track_caller]
fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Where an EHR sends the browser that is to open the app for a patient.
async fn launch(pair: &Pair, fhir: &str) -> String {
    let secret = pair.add_service("ehr", "__launches");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "ehr"),
        ("client_secret", &secret),
    ];
    let token = pair.token(&form).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let document =
        json!({ "client_id": "first-app", "aud": fhir, "patient": "patient-11111", "user": PATIENT_EMAIL });
    let made = pair.post_json("/v1/launches", &token, &document).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["launch_url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_app_reads_refreshes_signs_out_and_is_launched() {
    let pair = Pair::start().await;
    let fhir = format!("{}/fhir", pair.worker.url());
    let given = json!({
        "folder": pair.path(""), "email": PATIENT_EMAIL, "password": PASSWORD,
        "settings": { "issuer": pair.issuer, "clientId": "first-app", "fhir": fhir },
    });
    let mut program = Program::start("WARDGATE_NODE", "browser_example.mjs", &[&given.to_string()]);
    let app = program.line();
    let text = |name: &str| app[name].as_str().unwrap().to_owned();
    let metadata = pair.path("app.json");
    std::fs::write(&metadata, json!({ "launch_uri": app["launch_uri"] }).to_string()).unwrap();
    let arguments = [
        "--metadata",
        metadata.to_str().unwrap(),
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--redirect-uri",
        &text("redirect_uri"),
        "--post-logout-redirect-uri",
        &text("post_logout_redirect_uri"),
        "--scope",
        &format!("{} launch", text("scope")),
    ];
    pair.add_client("first-app", &arguments);
    let launch_url = launch(&pair, &fhir).await;
    program.come_back(&json!({ "launch_url": launch_url }).to_string());
    let told = program.line();
    for step in ["signedIn", "readAgain", "refreshed", "launched"] {
        let said = told[step].as_str().unwrap();
        assert!(said.ends_with(" observations"), "{step}: {told:#}");
        assert!(!said.starts_with("Error"), "{step}: {told:#}");
    }
    let grants = ["authorization_code", "refresh_token", "authorization_code"];
    assert_eq!(told["grants"], json!(grants));
    assert_eq!(told["stored"], "[{},{}]", "no token stays in storage");
    assert_eq!(told["signedOut"], "Nobody is signed in.");
    assert_eq!(
        told["uninvited"],
        "Error: this answer belongs to no sign-in of this tab"
    );
    assert_eq!(
        told["misled"],
        "Error: unknown FHIR server https://elsewhere.example"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_service_proves_itself_by_its_key_or_by_a_secret() {
    let pair = Pair::start().await;
    let python = from_environment("WARDGATE_PYTHON");
    let script = "examples/python/backend_service.py";
    let fhir = format!("{}/fhir", pair.worker.url());
    let key = pair.path("service.key.json");
    let key = key.to_str().unwrap();

    let public = printed(&run(&python, &[script, "new-key", key], &[]));
    assert!(!public.contains("\"d\""), "the private half stays in its file");
    let jwks = pair.path("service.jwks.json");
    std::fs::write(&jwks, public).unwrap();
    let arguments = [
        "--type",
        "confidential",
        "--auth",
        "private_key_jwt",
        "--jwks",
        jwks.to_str().unwrap(),
        "--grant",
        "client_credentials",
        "--scope",
        "system/Patient.rs",
    ];
    pair.add_client("with-key", &arguments);
    let secret = pair.add_service("with-secret", "system/Patient.rs");

    let by_key = [("CLIENT_ID", "with-key"), ("CLIENT_KEY_FILE", key)];
    let by_secret = [("CLIENT_ID", "with-secret"), ("CLIENT_SECRET", secret.as_str())];
    let by_guess = [("CLIENT_ID", "with-secret"), ("CLIENT_SECRET", "guessed")];
    let read = |own: [(&str, &str); 2]| {
        let both = [("ISSUER", pair.issuer.as_str()), ("FHIR", fhir.as_str())];
        run(&python, &[script, "read"], &[both, own].concat())
    };
    for way in [by_key, by_secret] {
        let patients = printed(&read(way));
        assert!(patients.contains("Patient patient-11111"), "{patients}");
    }
    assert!(refused(&read(by_guess)).contains("invalid_client"));
    // An existing key is never overwritten.
    assert!(refused(&run(&python, &[script, "new-key", key], &[])).contains("FileExistsError"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_service_gets_a_token_and_gives_it_back() {
    let pair = Pair::start().await;
    let secret = pair.add_service("service", "system/Patient.rs");
    let fhir = format!("{}/fhir", pair.worker.url());
    let with = |secret: &str| {
        let environment = [
            ("ISSUER", pair.issuer.as_str()),
            ("FHIR", &fhir),
            ("CLIENT_ID", "service"),
            ("CLIENT_SECRET", secret),
        ];
        run("sh", &["examples/curl/service.sh"], &environment)
    };
    let lines = printed(&with(&secret));
    let values: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.rsplit([' ', ':']).next())
        .collect();
    assert_eq!(values, ["200", "403", "true", "false"], "{lines}");
    assert!(refused(&with("guessed")).contains("invalid_client"));
}

#[tokio::test(flavor = "multi_thread")]
async fn api_keys_open_the_api_to_the_shell_and_to_python() {
    let pair = Pair::start().await;
    let add = [
        "api-key",
        "add",
        "--name",
        "EHR Integration",
        "--scope",
        "system/Patient.rs",
        "--json",
    ];
    let made: Value = serde_json::from_str(&pair.wardgate_ok(&add, "")).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (key, secret) = (text("api_key"), text("api_secret"));
    let fhir = format!("{}/fhir", pair.worker.url());
    let python = from_environment("WARDGATE_PYTHON");
    let programs = [
        (PathBuf::from("sh"), "examples/curl/api-key.sh"),
        (python, "examples/python/api_key.py"),
    ];
    for (program, script) in programs {
        let with = |secret: &str| {
            let environment = [("FHIR", fhir.as_str()), ("API_KEY", &key), ("API_SECRET", secret)];
            run(&program, &[script], &environment)
        };
        let patients = printed(&with(&secret));
        assert!(patients.contains("patient-11111"), "{script}: {patients}");
        let wrong = with(&secret.replace("zs_secret_", "zs_secret-"));
        assert!(!wrong.status.success(), "{script}");
        let said = [wrong.stdout, wrong.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            said.contains("401") || said.contains("security"),
            "{script}: {said}"
        );
    }
}

/// Started by the tests themselves: the first is the pair, the second the app of the browser test above.
const STARTED_BY_TESTS: [&str; 2] = ["cargo xtask dev", "node examples/browser/serve.mjs"];

/// What `cargo xtask dev` would have written and registered, in a folder that looks like the repository.
fn as_in_dev(pair: &Pair) -> PathBuf {
    let folder = pair.path("guides");
    let dev = folder.join("target/dev");
    std::fs::create_dir_all(&dev).unwrap();
    std::fs::create_dir_all(folder.join("target/debug")).unwrap();
    let link = |from: PathBuf, to: &str| std::os::unix::fs::symlink(from, folder.join(to)).unwrap();
    link(root().join("examples"), "examples");
    link(from_environment("WARDGATE_ISSUER"), "target/debug/wardgate");
    link(pair.path("wardgate.toml"), "target/dev/wardgate.toml");

    let service = pair.add_service("test_service_zs_his", "system/*.rs");
    let ehr = pair.add_service("test_ehr_zs_his", "__launches");
    let app = pair.path("dev-app.json");
    std::fs::write(&app, r#"{"launch_uri": "http://localhost:3000/launch"}"#).unwrap();
    let arguments = [
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        "http://localhost:3000/callback",
        "--scope",
        "launch openid patient/*.rs",
        "--metadata",
        app.to_str().unwrap(),
    ];
    pair.add_client("test_client_zs_his", &arguments);
    let add = [
        "api-key",
        "add",
        "--name",
        "dev",
        "--scope",
        "system/*.rs",
        "--json",
    ];
    let key: Value = serde_json::from_str(&pair.wardgate_ok(&add, "")).unwrap();
    let environment = json!({
        "issuer": pair.issuer, "fhir": format!("{}/fhir", pair.worker.url()),
        "clients": [
            { "client_id": "test_service_zs_his", "client_secret": service },
            { "client_id": "test_ehr_zs_his", "client_secret": ehr },
        ],
        "api_keys": [{ "key": key["api_key"], "secret": key["api_secret"] }],
    });
    std::fs::write(dev.join("environment.json"), environment.to_string()).unwrap();
    folder
}

/// What each page's commands have to print.
const PRINTED: [(&str, &[&str]); 4] = [
    ("docs/guides/first-app.md", &["my-first-app"]),
    (
        "docs/guides/smart-app.md",
        &["authorization_endpoint", "200", "launch_url", "my-smart-app"],
    ),
    (
        "docs/guides/backend-service.md",
        &["my-service", "Patient patient-11111", "observations: 403"],
    ),
    (
        "examples/README.md",
        &["patients:     200", "Patient patient-11111", "\"Bundle\""],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_guides_works() {
    let pair = Pair::start().await;
    let folder = as_in_dev(&pair);
    let programs = ["WARDGATE_NODE", "WARDGATE_PYTHON"]
        .map(|name| from_environment(name).parent().unwrap().display().to_string());
    let path = format!("{}:{}", programs.join(":"), std::env::var("PATH").unwrap());
    for (page, expected) in PRINTED {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let blocks = text
            .split("```sh\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().trim());
        let script: Vec<&str> = blocks.filter(|block| !STARTED_BY_TESTS.contains(block)).collect();
        let script = script
            .join("\n")
            .replace("http://localhost:8788", &pair.issuer)
            .replace("http://localhost:8787", &pair.worker.url());
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        let lines = printed(&output);
        for text in expected {
            assert!(lines.contains(text), "{page}: {text} in\n{lines}");
        }
    }
}
