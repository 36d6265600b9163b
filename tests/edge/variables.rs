//! Variables that are no text, as TOML's arrays, tables, numbers and booleans arrive: refused, never passed over.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use wardgate_tests::http::{exchange, raw_request};
use wardgate_tests::worker::from_environment;

use crate::expect::assert_problem;

/// Everything that has to be set, and nothing else.
const NEEDED: [(&str, &str); 4] = [
    ("WARDGATE_ISSUER", "https://issuer.example"),
    ("WARDGATE_AUDIENCES", "https://edge.example/fhir"),
    ("WARDGATE_UPSTREAM", "https://fhir.example"),
    ("WARDGATE_PUBLIC_URL", "https://edge.example"),
];

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The Worker with these bindings, in Cap'n Proto's words.
fn configuration(bindings: &str) -> String {
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "edge", worker = .edge)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")],
);
const edge :Workerd.Worker = (
  modules = [
    (name = "index.js", esModule = embed "index.js"),
    (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
  compatibilityDate = "2026-10-01",
  bindings = [{bindings}],
);
"#
    )
}

/// What a Worker with these values, as JSON, says of its configuration.
async fn faults(values: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let build = from_environment("WARDGATE_WORKER_DIR");
    for module in ["index.js", "index_bg.wasm"] {
        std::fs::copy(build.join(module), directory.path().join(module)).expect("a built Worker");
    }
    let text = NEEDED.map(|(name, value)| format!("(name = {name:?}, text = {value:?})"));
    let json = values
        .iter()
        .map(|(name, value)| format!("(name = {name:?}, json = {value:?})"));
    let bindings: Vec<String> = text.into_iter().chain(json).collect();
    let config = directory.path().join("worker.capnp");
    std::fs::write(&config, configuration(&bindings.join(", "))).expect("the configuration is written");

    let process = Command::new(from_environment("WARDGATE_WORKERD"))
        .args(["serve", "--control-fd=1"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("workerd starts");
    let mut running = Running(process);
    let output = running.0.stdout.take().expect("piped");
    let port = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find_map(|event| event["port"].as_u64())
        .expect("workerd says where it listens");
    let request = raw_request("GET", "/", &[b"Accept: application/json"]);
    let answer = exchange(&format!("127.0.0.1:{port}"), &request)
        .await
        .expect("an answer");
    assert_problem(&answer, 503)["detail"]
        .as_str()
        .expect("a detail")
        .to_owned()
}

#[tokio::test]
async fn refuses_every_value_that_is_no_text() {
    let detail = faults(&[
        ("WARDGATE_CORS_ORIGINS", r#"["https://app.example"]"#),
        ("WARDGATE_JWKS_FRESH_SECONDS", "300"),
        ("WARDGATE_JWKS_URL", "null"),
        ("WARDGATE_PREFIX", r#"{"path":"/fhir"}"#),
        ("WARDGATE_ERROR_URI", "true"),
    ])
    .await;
    for name in [
        "WARDGATE_CORS_ORIGINS",
        "WARDGATE_JWKS_FRESH_SECONDS",
        "WARDGATE_JWKS_URL",
        "WARDGATE_PREFIX",
        "WARDGATE_ERROR_URI",
    ] {
        assert!(detail.contains(&format!("{name} must be text")), "{detail}");
    }
    assert!(!detail.contains("app.example"), "{detail}");
}

#[tokio::test]
async fn reads_lists_of_objects_as_values_too() {
    let detail = faults(&[
        ("WARDGATE_APIS", r#"[{"name":"reports","prefix":"/reports"}]"#),
        ("WARDGATE_ISSUERS", r#"{"issuer":"https://issuer.example"}"#),
    ])
    .await;
    for fault in [
        "WARDGATE_APIS[0].upstream is not set",
        "WARDGATE_ISSUERS must be a list of objects, in JSON",
    ] {
        assert!(detail.contains(fault), "{detail}");
    }
    assert!(!detail.contains("WARDGATE_APIS[0].prefix"), "{detail}");
}
