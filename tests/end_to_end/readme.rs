//! Every command of the README works as it stands there.
//!
//! Fenced `sh` blocks are run in order in one shell per block, against a running pair whose addresses take the place of
//! the README's. What this test cannot run inside itself is listed below with who runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use wardgate_tests::pair::Pair;
use wardgate_tests::worker::from_environment;

/// Run by `cargo xtask test` itself: the first as its step `dev-check`, the second is the whole, the third and fourth as its
/// steps `release` and `deploy` (short of the upload); the last is the pair's own issuer.
const RUN_BY_XTASK: [&str; 5] = [
    "cargo xtask dev",
    "cargo xtask test",
    "cargo build --release --package wardgate-issuer",
    "cargo xtask deploy",
    "wardgate --config wardgate.toml serve",
];

/// The `sh` blocks and the `toml` blocks of a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().trim().to_owned())
        .collect()
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

struct Shell {
    variables: BTreeMap<String, String>,
    folder: std::path::PathBuf,
}

impl Shell {
    /// Runs the lines, keeps the variables they set, and gives what they print.
    #[track_caller]
    fn run(&mut self, script: &str) -> String {
        let whole = format!(
            "set -euo pipefail\n{script}\nprintf '\\n--variables--\\n%s\\n%s' \"${{SECRET:-}}\" \"${{TOKEN:-}}\""
        );
        let output = Command::new("bash")
            .args(["-c", &whole])
            .current_dir(&self.folder)
            .envs(&self.variables)
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "of the README:\n{script}\nprinted:\n{printed}\n{error}"
        );
        let (printed, variables) = printed
            .rsplit_once("\n--variables--\n")
            .expect("the last line ran");
        let (secret, token) = variables.split_once('\n').expect("two lines");
        self.variables.insert("SECRET".into(), secret.into());
        self.variables.insert("TOKEN".into(), token.into());
        printed.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_works() {
    let pair = Pair::start().await;
    let page = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let secret = pair.add_service("test_service_zs_his", "system/*.read system/*.write system/*.rs");
    let folder = pair.path("readme");
    std::fs::create_dir_all(folder.join("target/dev")).unwrap();
    let environment = json!({"clients": [{"client_id": "test_service_zs_his", "client_secret": secret}]});
    std::fs::write(
        folder.join("target/dev/environment.json"),
        environment.to_string(),
    )
    .unwrap();
    let [config] = blocks(&page, "toml")
        .try_into()
        .expect("one configuration in the README");
    std::fs::write(folder.join("wardgate.toml"), config).unwrap();

    let binary = from_environment("WARDGATE_ISSUER");
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let mut shell = Shell {
        variables: BTreeMap::from([("PATH".to_owned(), path)]),
        folder,
    };
    let mut printed = Vec::new();
    for block in blocks(&page, "sh") {
        if RUN_BY_XTASK.contains(&block.as_str()) {
            continue;
        }
        let script = block
            .replace("http://localhost:8788", &pair.issuer)
            .replace("http://localhost:8787", &pair.worker.url());
        printed.push(shell.run(&script));
    }

    let calls = &printed[1];
    let statuses: Vec<&str> = calls
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses, ["200", "403", "401"], "{calls}");
    let commands = &printed[2];
    for expected in ["nightly-export", "my-app", "ada@example.com", "RS256"] {
        assert!(commands.contains(expected), "{expected} in:\n{commands}");
    }
}
