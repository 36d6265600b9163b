//! The failure matrix: whatever the edge depends on fails in whatever way, and each time the client gets the answer, and the
//! log the words, that [`table`] says. `docs/failure-matrix.md` is made from it.

mod table;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wardgate_tests::clock::eventually;
use wardgate_tests::edge::Edge;
use wardgate_tests::fake_issuer::{JWKS_PATH, JwksAnswer, SMART_PATH};
use wardgate_tests::forge::status_list;
use wardgate_tests::http::{Answer, send};
use wardgate_tests::keys::{Algorithm, SigningKey, jwk_set};
use wardgate_tests::source::{hold, read, with_table};
use wardgate_tests::upstream::UpstreamAnswer;
use wardgate_tests::worker::Coordinators;

use crate::api_keys::EXCHANGE;
use table::{Cell, Expected, Failure, Part, details, overview, row};

const PATH: &str = "/fhir/Patient/1";
const METADATA: &str = "/fhir/metadata";
const SMART: &str = "/fhir/.well-known/smart-configuration";
const LIST: &str = "/oauth2/status/1";
const STATEMENT: &str = r#"{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}"#;
/// More than anything that is read is allowed to be.
const HUGE: usize = 8 << 20;

/// Patience with an issuer that never answers.
const LITTLE_PATIENCE: (&str, &str) = ("WARDGATE_JWKS_TIMEOUT_MILLISECONDS", "2000");
/// Patience with a server behind that never does, and with no other.
const LITTLE_PATIENCE_BEHIND: (&str, &str) = ("WARDGATE_UPSTREAM_TIMEOUT_MILLISECONDS", "1000");
/// What is in hand grows old at once, and is asked for again as often as can be configured.
const OLD_AT_ONCE: [(&str, &str); 3] = [
    ("WARDGATE_JWKS_FRESH_SECONDS", "1"),
    ("WARDGATE_JWKS_COOLDOWN_SECONDS", "1"),
    ("WARDGATE_STATUS_FRESH_SECONDS", "1"),
];

/// An edge of which one part fails, and the request that meets the failure.
struct Scene {
    edge: Edge,
    path: &'static str,
    token: Option<String>,
    /// An API key and its secret.
    pair: Option<(String, String)>,
}

impl Scene {
    async fn start(failure: Failure, settings: &[(&str, &str)], path: &'static str) -> Self {
        let mut settings = settings.to_vec();
        if failure == Failure::Slow {
            settings.push(LITTLE_PATIENCE);
        }
        let edge = Edge::start_with(&settings).await;
        Self {
            edge,
            path,
            token: None,
            pair: None,
        }
    }

    /// One whose issuer exchanges API keys, for requests with one.
    async fn with_api_key(failure: Failure, settings: &[(&str, &str)]) -> Self {
        let mut settings = settings.to_vec();
        if failure == Failure::Slow {
            settings.push(LITTLE_PATIENCE);
        }
        let edge = crate::api_keys::start(&settings).await;
        Self {
            edge,
            path: PATH,
            token: None,
            pair: Some(crate::api_keys::pair(1)),
        }
    }

    /// The same for a request with this token.
    fn with(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    fn with_good_token(self) -> Self {
        let token = self.edge.token();
        self.with(token)
    }

    /// A token with a place in the status list, which the issuer publishes, signed by `key`.
    fn with_status(self, bits: &[u8], key: &SigningKey) -> Self {
        let place = json!({ "status_list": { "idx": 0, "uri": self.list() } });
        let token = self.edge.claims().with("status", place).sign(&self.edge.key);
        self.publish_list(bits, key);
        self.with(token)
    }

    fn list(&self) -> String {
        format!("{}{LIST}", self.edge.issuer.url)
    }

    fn publish_list(&self, bits: &[u8], key: &SigningKey) {
        let token = status_list(&self.edge.issuer.url, &self.list(), bits, key);
        self.edge.issuer.publish_at(LIST, token);
    }

    /// What the issuer has at this path fails from now on.
    async fn break_document(&mut self, path: &str, failure: Failure) {
        let issuer = &mut self.edge.issuer;
        let answer = match failure {
            Failure::Slow => JwksAnswer::Silence,
            Failure::Down => return issuer.go_down().await,
            Failure::Fault => JwksAnswer::Status(500),
            Failure::Garbage => JwksAnswer::Bytes(b"<html>nonsense</html>".to_vec()),
            // Right but for its size.
            Failure::Huge => {
                let mut set = jwk_set(&[&self.edge.key]);
                set["padding"] = "x".repeat(HUGE).into();
                JwksAnswer::Bytes(set.to_string().into_bytes())
            }
            Failure::Redirect => JwksAnswer::Redirect(format!("{}/elsewhere.json", issuer.url)),
            Failure::Rotated => panic!("each part rotates in its own way"),
        };
        issuer.answer_with(path, answer);
    }

    /// The request, under this name.
    async fn ask(&self, request_id: &str) -> Answer {
        let mut request = self.edge.request("GET", self.path);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((key, secret)) = &self.pair {
            request = request.header("x-api-key", key).header("x-api-secret", secret);
        }
        send(request.header("x-request-id", request_id)).await
    }

    /// The lines of the log so far.
    fn lines(&self) -> Vec<Value> {
        let log = self.edge.worker.log();
        log.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The log has this incident.
    fn has_incident(&self, (reason, failure): (&str, Option<&str>)) -> bool {
        self.lines().iter().any(|line| {
            line["event"] == "incident" && line["reason"] == reason && line["failure"].as_str() == failure
        })
    }

    /// The request is answered as expected, and the log says why.
    async fn expect(&self, expected: Expected, name: &str) -> Answer {
        let answer = self.ask(name).await;
        assert_eq!(answer.status, expected.status, "{name}: {}", answer.text());
        let retry_after = answer
            .header("retry-after")
            .map(|seconds| seconds.parse::<i64>().expect("a number"));
        // It counts down, and the clock may have moved since the failure.
        let close = match (retry_after, expected.retry_after) {
            (Some(said), Some(most)) => (1.max(most - 5)..=most).contains(&said),
            (said, most) => said.is_none() && most.is_none(),
        };
        assert!(close, "{name}: Retry-After: {retry_after:?}");
        assert_eq!(
            answer.header("www-authenticate").is_some(),
            answer.status == 401,
            "{name}: whoever is not refused for the token is not challenged"
        );
        let line = || {
            let mut lines = self.lines().into_iter();
            lines.find(|line| line["event"] == "decision" && line["request_id"] == name)
        };
        eventually("the line is written", async || line().is_some()).await;
        let line = line().expect("written");
        assert_eq!(line["reason"].as_str(), expected.reason, "{name}: {line}");
        if let Some(incident) = expected.incident {
            eventually("the incident is written", async || self.has_incident(incident)).await;
        }
        answer
    }

    /// The request passes while something is in hand, and then as expected with what it has become: an incident says that the
    /// edge has asked again.
    async fn expect_in_hand(&mut self, path: &str, failure: Failure, expected: Expected, name: &str) {
        assert_eq!(self.ask("before").await.status, 200, "{name}");
        self.break_document(path, failure).await;
        let incident = expected.incident.expect("a document that does not arrive is one");
        eventually("the edge has asked again", async || {
            assert_eq!(self.ask("meanwhile").await.status, 200, "{name}");
            self.has_incident(incident)
        })
        .await;
        self.expect(expected, name).await;
    }

    /// The request passes, and is answered otherwise once the edge has asked again.
    async fn expect_change(&self, change: impl FnOnce(&Self), changed: impl Fn(&Answer) -> bool) {
        assert_eq!(self.ask("before").await.status, 200);
        change(self);
        eventually("the edge has asked again", async || {
            changed(&self.ask("meanwhile").await)
        })
        .await;
    }
}

/// Every failure of a part, each in a world of its own, at the same time: they wait for time limits, and no world may keep
/// another one waiting.
fn every_failure_of(part: Part) {
    std::thread::scope(|worlds| {
        for failure in Failure::ALL {
            if let Cell::Is(expected) = row(part).cell(failure) {
                worlds.spawn(move || {
                    tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .expect("a runtime")
                        .block_on(cell(part, failure, expected));
                });
            }
        }
    });
}

async fn cell(part: Part, failure: Failure, expected: Expected) {
    let name = format!("{part:?}-{failure:?}");
    match part {
        Part::SmartConfiguration => smart_configuration(failure, expected, &name).await,
        Part::SmartConfigurationInHand => smart_configuration_in_hand(failure, expected, &name).await,
        Part::Addresses => addresses(failure, expected, &name).await,
        Part::Keys => keys(failure, expected, &name).await,
        Part::KeysInHand => keys_in_hand(failure, expected, &name).await,
        Part::StatusList => statuses(failure, expected, &name).await,
        Part::StatusListInHand => statuses_in_hand(failure, expected, &name).await,
        Part::ApiKeys => api_keys(failure, expected, &name).await,
        Part::ApiKeysInHand => api_keys_in_hand(failure, expected, &name).await,
        Part::CoordinatorOfClosed => {
            let closed = json!([{ "name": "default", "limit": 30 }]);
            coordinator(&closed, failure, expected, &name).await;
        }
        Part::CoordinatorOfLocal => {
            let local = json!([{ "name": "default", "limit": 30, "on_failure": "local", "local_share": 7 }]);
            coordinator(&local, failure, expected, &name).await;
        }
        Part::PlatformLimit => platform_limit(failure, expected, &name).await,
        Part::Upstream => upstream(PATH, failure, expected, &name).await,
        Part::Capabilities => upstream(METADATA, failure, expected, &name).await,
    }
}

async fn smart_configuration(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &[], SMART).await;
    if failure == Failure::Rotated {
        let document = scene.edge.issuer.smart_configuration("/new").to_string();
        scene.edge.issuer.publish_at(SMART_PATH, document);
        let answer = scene.expect(expected, name).await;
        assert!(answer.text().contains("/new"), "{}", answer.text());
    } else {
        scene.break_document(SMART_PATH, failure).await;
        scene.expect(expected, name).await;
        assert_eq!(scene.edge.issuer.requests_for("/elsewhere.json"), 0);
        if failure != Failure::Down {
            assert_eq!(scene.edge.get_with(PATH, &scene.edge.token()).await.status, 200);
        }
    }
}

async fn smart_configuration_in_hand(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &OLD_AT_ONCE, SMART).await;
    if failure == Failure::Rotated {
        let change = |scene: &Scene| {
            let document = scene.edge.issuer.smart_configuration("/new").to_string();
            scene.edge.issuer.publish_at(SMART_PATH, document);
        };
        scene
            .expect_change(change, |answer| answer.text().contains("/new"))
            .await;
        scene.expect(expected, name).await;
    } else {
        scene.expect_in_hand(SMART_PATH, failure, expected, name).await;
    }
}

async fn addresses(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &[], METADATA).await;
    scene
        .edge
        .upstream
        .answer_with(UpstreamAnswer::new(200, STATEMENT));
    let rotated = failure == Failure::Rotated;
    if rotated {
        let document = scene.edge.issuer.smart_configuration("/new").to_string();
        scene.edge.issuer.publish_at(SMART_PATH, document);
    } else {
        scene.break_document(SMART_PATH, failure).await;
    }
    let answer = scene.expect(expected, name).await;
    assert!(answer.text().contains("SMART-on-FHIR"), "{}", answer.text());
    assert_eq!(answer.text().contains("/new"), rotated, "{}", answer.text());
    assert!(!answer.text().contains("elsewhere"));
}

async fn keys(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &[], PATH).await.with_good_token();
    if failure == Failure::Rotated {
        let new = SigningKey::new(Algorithm::Es256, "key-2");
        scene.edge.issuer.publish(&[&new]);
        scene.expect(expected, name).await;
        let token = scene.edge.claims().sign(&new);
        assert_eq!(scene.edge.get_with(PATH, &token).await.status, 200);
    } else {
        scene.break_document(JWKS_PATH, failure).await;
        scene.expect(expected, name).await;
        // The rest that follows: whoever comes next is told how long it lasts yet.
        scene.expect(expected, &format!("{name}-again")).await;
        if failure != Failure::Down {
            assert_eq!(scene.edge.issuer.key_requests(), 1, "{name}");
        }
        assert_eq!(scene.edge.issuer.requests_for("/elsewhere.json"), 0);
    }
}

async fn keys_in_hand(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &OLD_AT_ONCE, PATH).await.with_good_token();
    if failure == Failure::Rotated {
        let new = SigningKey::new(Algorithm::Es256, "key-2");
        let change = |scene: &Scene| scene.edge.issuer.publish(&[&new]);
        scene.expect_change(change, |answer| answer.status == 401).await;
        scene.expect(expected, name).await;
        let token = scene.edge.claims().sign(&new);
        assert_eq!(scene.edge.get_with(PATH, &token).await.status, 200);
    } else {
        scene.expect_in_hand(JWKS_PATH, failure, expected, name).await;
    }
}

async fn statuses(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::start(failure, &[], PATH).await;
    if failure == Failure::Rotated {
        let new = SigningKey::new(Algorithm::Es256, "key-2");
        scene.edge.issuer.publish(&[&scene.edge.key, &new]);
        scene.with_status(&[0], &new).expect(expected, name).await;
    } else {
        // The keys are in hand before, so that the list alone is missing.
        let good = scene.edge.token();
        assert_eq!(scene.edge.get_with(PATH, &good).await.status, 200);
        let key = SigningKey::new(Algorithm::Rs256, "key-1");
        scene = scene.with_status(&[0], &key);
        scene.break_document(LIST, failure).await;
        scene.expect(expected, name).await;
        scene.expect(expected, &format!("{name}-again")).await;
        if failure != Failure::Down {
            assert_eq!(scene.edge.issuer.requests_for(LIST), 1, "{name}");
        }
        assert_eq!(scene.edge.issuer.requests_for("/elsewhere.json"), 0);
        assert_eq!(
            scene.edge.get_with(PATH, &good).await.status,
            200,
            "a token without a list is none of the list's business"
        );
    }
}

async fn statuses_in_hand(failure: Failure, expected: Expected, name: &str) {
    let scene = Scene::start(failure, &OLD_AT_ONCE, PATH).await;
    let key = SigningKey::new(Algorithm::Rs256, "key-1");
    let mut scene = scene.with_status(&[0], &key);
    if failure == Failure::Rotated {
        let new = SigningKey::new(Algorithm::Es256, "key-2");
        let change = |scene: &Scene| {
            scene.edge.issuer.publish(&[&scene.edge.key, &new]);
            scene.publish_list(&[1], &new);
        };
        scene.expect_change(change, |answer| answer.status == 401).await;
        scene.expect(expected, name).await;
    } else {
        scene.expect_in_hand(LIST, failure, expected, name).await;
    }
}

async fn api_keys(failure: Failure, expected: Expected, name: &str) {
    let mut scene = Scene::with_api_key(failure, &[]).await;
    if failure == Failure::Rotated {
        crate::api_keys::give(&scene.edge, &SigningKey::new(Algorithm::Es256, "key-2"));
        scene.expect(expected, name).await;
        return;
    }
    scene.break_document(EXCHANGE, failure).await;
    scene.expect(expected, name).await;
    scene.expect(expected, &format!("{name}-again")).await;
    if failure != Failure::Down {
        assert_eq!(scene.edge.issuer.requests_for(EXCHANGE), 1, "{name}");
        // The keys can be had.
        let good = scene.edge.token();
        assert_eq!(scene.edge.get_with(PATH, &good).await.status, 200);
    }
    assert_eq!(scene.edge.issuer.requests_for("/elsewhere.json"), 0);
}

async fn api_keys_in_hand(failure: Failure, expected: Expected, name: &str) {
    // From the middle of this time on another token is asked for.
    let settings = [("WARDGATE_API_KEY_SECONDS", "12")];
    if failure != Failure::Rotated {
        let mut scene = Scene::with_api_key(failure, &settings).await;
        scene.expect_in_hand(EXCHANGE, failure, expected, name).await;
        return;
    }
    let scene = Scene::with_api_key(failure, &OLD_AT_ONCE).await;
    assert_eq!(scene.ask("before").await.status, 200);
    let new = SigningKey::new(Algorithm::Es256, "key-2");
    crate::api_keys::give(&scene.edge, &new);
    scene.edge.issuer.publish(&[&new]);
    eventually("it is exchanged anew", async || {
        assert_eq!(scene.ask("meanwhile").await.status, 200, "{name}");
        scene.edge.issuer.requests_for(EXCHANGE) == 2
    })
    .await;
    scene.expect(expected, name).await;
}

async fn coordinator(limits: &Value, failure: Failure, expected: Expected, name: &str) {
    let kinds: &[Coordinators] = match failure {
        Failure::Slow => &[Coordinators::Silent],
        Failure::Down => &[Coordinators::Broken, Coordinators::Absent],
        Failure::Fault => &[Coordinators::Failing],
        Failure::Garbage => &[Coordinators::Nonsense],
        Failure::Huge => &[Coordinators::Huge],
        Failure::Redirect => &[Coordinators::Redirecting],
        Failure::Rotated => &[],
    };
    for kind in kinds {
        let settings = [("WARDGATE_LIMITS", limits.to_string())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let edge = Edge::start_with_coordinators(&settings, *kind).await;
        let token = Some(edge.token());
        let scene = Scene {
            edge,
            path: PATH,
            token,
            pair: None,
        };
        let answer = scene.expect(expected, name).await;
        let admitted = usize::from(expected.status == 200);
        assert_eq!(scene.edge.upstream.received().len(), admitted, "{name}");
        // One of the share of seven, where there is one.
        let remaining = (admitted == 1).then_some("6");
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining, "{name}");
    }
}

async fn platform_limit(failure: Failure, expected: Expected, name: &str) {
    let binding = match failure {
        Failure::Slow => "SILENT_LIMIT",
        Failure::Down => "BROKEN_LIMIT",
        Failure::Garbage => "NONSENSE_LIMIT",
        Failure::Fault | Failure::Huge | Failure::Redirect | Failure::Rotated => {
            panic!("it has no documents")
        }
    };
    let settings = [
        ("WARDGATE_UNVERIFIED_LIMIT", binding),
        ("WARDGATE_CLIENT_ADDRESS", "cloudflare"),
    ];
    let scene = Scene::start(failure, &settings, PATH).await;
    // What is refused is refused for what it is.
    assert_eq!(scene.edge.get(PATH).await.status, 401, "{name}");
    scene.with_good_token().expect(expected, name).await;
}

async fn upstream(path: &'static str, failure: Failure, expected: Expected, name: &str) {
    // What is not HTTP comes from where no server is; what is no CapabilityStatement, from the server.
    let nonsense = speaking(b"nonsense\r\n\r\n").await;
    let mut settings = Vec::new();
    if failure == Failure::Slow {
        settings.push(LITTLE_PATIENCE_BEHIND);
    }
    if failure == Failure::Garbage && path == PATH {
        settings.push(("WARDGATE_UPSTREAM", nonsense.as_str()));
    }
    let mut scene = Scene::start(failure, &settings, path).await.with_good_token();
    let huge = format!(
        r#"{{"resourceType":"CapabilityStatement","text":"{}"}}"#,
        "x".repeat(HUGE)
    );
    let answer = match failure {
        Failure::Slow => UpstreamAnswer::new(200, STATEMENT).after(Duration::from_secs(60)),
        Failure::Down => {
            scene.edge.upstream.go_down().await;
            UpstreamAnswer::new(200, STATEMENT)
        }
        Failure::Fault => UpstreamAnswer::new(500, "a fault of its own"),
        Failure::Garbage => UpstreamAnswer::new(200, "nonsense"),
        Failure::Huge => UpstreamAnswer::new(200, huge.clone()),
        Failure::Redirect => UpstreamAnswer::new(302, "")
            .with_header("location", format!("{}/elsewhere", scene.edge.issuer.url)),
        Failure::Rotated => panic!("it has no keys"),
    };
    scene.edge.upstream.answer_with(answer);
    let answer = scene.expect(expected, name).await;
    assert_eq!(answer.header("location"), None);
    assert_eq!(scene.edge.issuer.requests_for("/elsewhere"), 0);
    match (failure, answer.status) {
        (Failure::Fault, _) => assert_eq!(answer.text(), "a fault of its own"),
        (Failure::Garbage, 200) => assert_eq!(answer.text(), "nonsense"),
        (Failure::Huge, 200) => assert!(answer.body == huge.as_bytes(), "the body changed"),
        _ => {}
    }
}

/// The head of an answer and the beginning of its body, and then nothing.
const STALLED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"keys\":";

/// The same of one that ends there.
const BROKEN_OFF: &[u8] =
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"keys\":";

#[tokio::test]
async fn a_document_that_begins_and_does_not_go_on_fails_like_one_that_never_began() {
    for (said, failure) in [(STALLED, Failure::Slow), (BROKEN_OFF, Failure::Down)] {
        let url = speaking(said).await;
        let Cell::Is(expected) = row(Part::Keys).cell(failure) else {
            panic!("keys fail in this way")
        };
        let scene = Scene::start(Failure::Slow, &[("WARDGATE_JWKS_URL", &url)], PATH).await;
        scene.with_good_token().expect(expected, "keys").await;

        // A document of the server's that is read is waited for no longer; others have begun and are passed on.
        let settings = [("WARDGATE_UPSTREAM", url.as_str()), LITTLE_PATIENCE_BEHIND];
        let scene = Scene::start(Failure::Slow, &settings, METADATA).await;
        let (status, reason) = match failure {
            Failure::Slow => (504, "upstream_timeout"),
            _ => (502, "upstream_unreadable"),
        };
        let answer = scene.ask("metadata").await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let line = || {
            scene
                .lines()
                .into_iter()
                .find(|line| line["request_id"] == "metadata")
        };
        eventually("the line is written", async || line().is_some()).await;
        assert_eq!(line().expect("written")["reason"], reason);
    }
}

/// The address of something that says these bytes to whoever has sent a request. Then it hangs up, but for an answer that
/// goes on.
async fn speaking(said: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // It ends with the test's runtime.
    drop(tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _read = stream.read(&mut [0; 4096]).await;
            let _written = stream.write_all(said).await;
            if said == STALLED {
                held.push(stream);
            }
        }
    }));
    url
}

#[test]
fn the_smart_configuration_fails_as_the_table_says() {
    every_failure_of(Part::SmartConfiguration);
}

#[test]
fn the_smart_configuration_in_hand_serves_as_the_table_says() {
    every_failure_of(Part::SmartConfigurationInHand);
}

#[test]
fn the_addresses_of_the_issuer_fail_as_the_table_says() {
    every_failure_of(Part::Addresses);
}

#[test]
fn keys_fail_as_the_table_says() {
    every_failure_of(Part::Keys);
}

#[test]
fn keys_in_hand_serve_as_the_table_says() {
    every_failure_of(Part::KeysInHand);
}

#[test]
fn status_lists_fail_as_the_table_says() {
    every_failure_of(Part::StatusList);
}

#[test]
fn status_lists_in_hand_serve_as_the_table_says() {
    every_failure_of(Part::StatusListInHand);
}

#[test]
fn the_exchange_of_api_keys_fails_as_the_table_says() {
    every_failure_of(Part::ApiKeys);
}

#[test]
fn tokens_for_api_keys_in_hand_serve_as_the_table_says() {
    every_failure_of(Part::ApiKeysInHand);
}

#[test]
fn the_coordinator_of_a_closed_limit_fails_as_the_table_says() {
    every_failure_of(Part::CoordinatorOfClosed);
}

#[test]
fn the_coordinator_of_a_local_limit_fails_as_the_table_says() {
    every_failure_of(Part::CoordinatorOfLocal);
}

#[test]
fn the_platform_s_limit_fails_as_the_table_says() {
    every_failure_of(Part::PlatformLimit);
}

#[test]
fn the_server_behind_fails_as_the_table_says() {
    every_failure_of(Part::Upstream);
}

#[test]
fn the_capability_statement_fails_as_the_table_says() {
    every_failure_of(Part::Capabilities);
}

#[test]
fn the_document_has_the_table() {
    const DOCUMENT: &str = "docs/failure-matrix.md";
    let document = read(DOCUMENT).expect("Markdown is text");
    let written = with_table(&document, "statuses", &overview());
    hold(DOCUMENT, &with_table(&written, "parts", &details()));
}
