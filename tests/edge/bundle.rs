//! The folder that `cargo xtask edge bundle` writes, run as its README says and by nothing else.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use wardgate_tests::clock::eventually;
use wardgate_tests::edge::{self, AUDIENCE};
use wardgate_tests::fake_issuer::FakeIssuer;
use wardgate_tests::forge::Claims;
use wardgate_tests::http::{Answer, exchange, raw_request};
use wardgate_tests::keys::{Algorithm, SigningKey};
use wardgate_tests::upstream::Upstream;
use wardgate_tests::worker::{compatibility, from_environment, workerd};
use xtask::bundle::{self, Network, Settings, Variable};

const PATH: &str = "/fhir/Patient/1";

/// What a shell started, in a process group of its own, which ends as a whole.
struct Service {
    address: String,
    process: Child,
}

impl Service {
    /// Runs the command that the README gives, and waits for `/health`.
    async fn start(folder: &Path, address: &str) -> Self {
        let readme = std::fs::read_to_string(folder.join(bundle::README)).expect("a README");
        let line = readme
            .lines()
            .find(|line| line.trim_start().starts_with("./workerd serve"));
        let command = line.expect("the README says how to start it").trim();
        let process = Command::new("sh")
            // The shell becomes the program, so that ending one ends the other.
            .args(["-c", &format!("exec {command}")])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell");
        let service = Self {
            address: address.to_owned(),
            process,
        };
        let health = raw_request("GET", "/health", &[]);
        eventually("the Worker answers", async || {
            tokio::net::TcpStream::connect(address).await.is_ok()
                && exchange(address, &health)
                    .await
                    .is_some_and(|answer| answer.status == 200)
        })
        .await;
        service
    }

    async fn get(&self, token: Option<&str>) -> Answer {
        let header = token.map(|token| format!("Authorization: Bearer {token}"));
        let lines: Vec<&[u8]> = header.iter().map(|line| line.as_bytes()).collect();
        let request = raw_request("GET", PATH, &lines);
        exchange(&self.address, &request).await.expect("an answer")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _killed = self.process.kill();
        let _status = self.process.wait();
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test]
async fn the_bundle_runs_as_its_readme_says_and_keeps_counts_over_a_restart() {
    let key = SigningKey::new(Algorithm::Rs256, "key-1");
    let (issuer, upstream) = (FakeIssuer::start(&[&key]).await, Upstream::start().await);
    let limits = json!([{ "name": "default", "limit": 3, "window_seconds": 86_400 }]).to_string();
    let variables = edge::settings(&issuer, &upstream, &[])
        .into_iter()
        .map(|(name, value)| (name, Variable::Text(value)))
        .chain([("WARDGATE_LIMITS".to_owned(), Variable::Json(limits))]);
    let settings = Settings {
        address: free_address(),
        networks: vec![Network::parse("local").expect("a network")],
        variables: variables.collect(),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let built = from_environment("WARDGATE_WORKER_DIR");
    bundle::write(folder, &built, &compatibility(), Some(&settings)).expect("a folder");
    // A copy of the program would be 160 MB more for each run.
    std::os::unix::fs::symlink(workerd(), folder.join(bundle::WORKERD)).expect("a link");

    let token = Claims::access(&issuer.url, AUDIENCE).sign(&key);
    let service = Service::start(folder, &settings.address).await;
    assert_eq!(service.get(None).await.status, 401);
    for remaining in ["2", "1"] {
        let answer = service.get(Some(&token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(remaining));
    }
    drop(service);

    // Stopped without warning, so the units that were leased and not spent are lost; none is given twice.
    let service = Service::start(folder, &settings.address).await;
    let mut admitted = 2;
    while service.get(Some(&token)).await.status == 200 {
        admitted += 1;
    }
    assert!(admitted <= 3, "{admitted}");
    assert_eq!(service.get(Some(&token)).await.status, 429);
    assert_eq!(upstream.received().len(), admitted);
}
