use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::Value;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::secret::Secret;

use super::{documentation, listener};
use crate::config::MetricsConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::store::Insertion;
use crate::testing::{DocumentServer, START};
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PHYSICIAN, SERVICE};

const BEGIN: &str = "<!-- metrics: begin -->\n";
const END: &str = "<!-- metrics: end -->\n";

async fn text(clinic: &Clinic) -> String {
    clinic.issuer.state.metrics().text(&clinic.issuer.state).await
}

/// The value of the one line that begins so.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(&format!("{series} ")));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

/// The names of all instruments in a text.
fn exposed(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|rest| {
            let (name, kind) = rest.split_once(' ').unwrap();
            let ending = if kind == "counter" { "_total" } else { "" };
            format!("{name}{ending}")
        })
        .collect()
}

/// A little of everything that is counted.
async fn busy_clinic() -> (Clinic, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let copies = folder.path().to_path_buf();
    let clinic = Clinic::with_config(move |config| {
        config.backup.folder = Some(copies);
        config.outbound.allow_loopback_http = true;
        config.limits.failures_per_minute = 6;
    })
    .await;
    let state = &clinic.issuer.state;
    let tokens = clinic.tokens("openid offline_access", PHYSICIAN).await;
    clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    clinic.refresh("no-such-token").await;
    let wrong = clinic.browser();
    wrong.get("/nothing").await;
    let config = &state.config().backup;
    let made = crate::snapshots::take_if_due(state.store(), config, state.now()).await;
    state.metrics().snapshot(made.unwrap().is_some());
    state.metrics().certificate_expires(START.plus(86_400));
    let server = DocumentServer::start().await;
    server.answer(200, &[], "{}");
    state.outbound().fetch_json(&server.url).await.unwrap();
    state
        .outbound()
        .fetch_json("http://198.51.100.7/")
        .await
        .unwrap_err();
    let line = |action| AuditEvent::new(state.now(), action, AuditOutcome::Success);
    for (action, method) in [
        (AuditAction::SecondFactor, "otp"),
        (AuditAction::Message, "mail"),
        (AuditAction::BackchannelLogout, "none"),
    ] {
        state
            .store()
            .record(line(action).with_method(method))
            .await
            .unwrap();
    }
    state
        .keys()
        .rotate(
            state.store(),
            SignatureAlgorithm::ES256,
            AuditEvent::new(state.now(), AuditAction::KeyRotation, AuditOutcome::Success),
        )
        .await
        .unwrap();
    for number in 0..10 {
        let client = format!("guess-{number}");
        clinic
            .token(&[("client_id", &client), ("client_secret", "x")])
            .await;
    }
    (clinic, folder)
}

#[tokio::test]
async fn what_was_done_is_counted_under_the_names_of_the_standards() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid offline_access", PHYSICIAN).await;
    clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    clinic.refresh("no-such-token").await;
    let credentials = [("grant_type", "client_credentials"), ("client_id", SERVICE)];
    clinic.token(&credentials).await;
    let text = text(&clinic).await;
    for (series, wanted) in [
        (
            "wardgate_issuer_token_requests_total{grant_type=\"authorization_code\",outcome=\"success\"}",
            1.0,
        ),
        (
            "wardgate_issuer_token_requests_total{grant_type=\"refresh_token\",outcome=\"success\"}",
            1.0,
        ),
        (
            "wardgate_issuer_token_requests_total{grant_type=\"refresh_token\",outcome=\"invalid_grant\"}",
            1.0,
        ),
        (
            "wardgate_issuer_token_requests_total{grant_type=\"client_credentials\",outcome=\"invalid_client\"}",
            1.0,
        ),
        (
            "wardgate_issuer_sign_ins_total{method=\"pwd\",outcome=\"success\"}",
            1.0,
        ),
        (
            "wardgate_issuer_http_requests_total{endpoint=\"/oauth2/token\",method=\"POST\",status=\"2xx\"}",
            2.0,
        ),
        (
            "wardgate_issuer_http_requests_total{endpoint=\"/oauth2/token\",method=\"POST\",status=\"4xx\"}",
            2.0,
        ),
        (
            "wardgate_issuer_http_request_duration_seconds_count{endpoint=\"/oauth2/token\",method=\"POST\"}",
            4.0,
        ),
        ("wardgate_issuer_http_requests_in_flight", 0.0),
        ("wardgate_issuer_argon2_running", 0.0),
        ("wardgate_issuer_argon2_queue_depth", 0.0),
        ("wardgate_issuer_writer_queue_depth", 0.0),
        ("wardgate_issuer_writer_failures_total", 0.0),
        ("wardgate_issuer_ready", 1.0),
    ] {
        assert!((value(&text, series) - wanted).abs() < 1e-9, "{series}\n{text}");
    }
    for series in [
        "wardgate_issuer_writer_commit_seconds_count",
        "wardgate_issuer_writer_wait_seconds_count",
        "wardgate_issuer_writer_batch_size_count",
        "wardgate_issuer_argon2_duration_seconds_count",
        "wardgate_issuer_database_size_bytes",
        "wardgate_issuer_disk_free_bytes",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(value(&text, series) > 0.0, "{series}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_line_that_was_not_committed_is_not_counted() {
    let clinic = Clinic::open().await;
    let series = "wardgate_issuer_audit_events_total{action=\"user_creation\",outcome=\"success\"}";
    let before = value(&text(&clinic).await, series);
    let user = crate::testing::user(PHYSICIAN);
    let state = &clinic.issuer.state;
    let line = AuditEvent::new(state.now(), AuditAction::UserCreation, AuditOutcome::Success);
    let again = state.store().insert_user(user, line).await;
    assert!(matches!(again, Ok(Insertion::AlreadyExists)), "{again:?}");
    assert!((value(&text(&clinic).await, series) - before).abs() < 1e-9);
}

#[tokio::test]
async fn hostile_requests_make_no_new_labels() {
    let clinic = Clinic::open().await;
    let attack = async |salt: usize| {
        let browser = clinic.browser();
        for path in [
            format!("/x{salt}"),
            format!("/oauth2/token/{salt}"),
            format!("/oauth2/status/{salt}"),
            format!("/oauth2/register/client-{salt}"),
            format!("/v1/users/{salt}"),
            format!("/login?x={salt}"),
            format!("/%F0%9F%92%A3{salt}\"}}"),
        ] {
            for method in ["GET", "POST", "BREW", &format!("METHOD{salt}")] {
                let Ok(request) = Browser::request(Method::from_bytes(method.as_bytes()).unwrap(), &path)
                    .header("user-agent", format!("agent-{salt}"))
                    .body(Body::empty())
                else {
                    continue;
                };
                browser.send(request).await;
            }
        }
        let (grant, client) = (format!("grant-{salt}"), format!("client-{salt}"));
        clinic
            .token(&[("grant_type", &grant), ("client_id", &client)])
            .await;
        clinic
            .token(&[("grant_type", "refresh_token"), ("client_id", &client)])
            .await;
        text(&clinic).await
    };
    let names = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series.into()))
            .collect()
    };
    let first = attack(1000).await;
    let mut last = String::new();
    for salt in 1001..1010 {
        last = attack(salt).await;
        // Not in what is counted and timed, where any digits may stand.
        let salt = salt.to_string();
        assert!(!names(&last).iter().any(|name| name.contains(&salt)), "{last}");
    }
    assert_eq!(names(&first), names(&last));
    assert!(last.contains("endpoint=\"unmatched\",method=\"other\""), "{last}");
}

#[tokio::test]
async fn no_line_names_a_person_a_client_or_a_token() {
    let clinic = Clinic::open().await;
    let tokens = clinic
        .tokens("openid offline_access launch/patient", "pat@example.org")
        .await;
    let text = text(&clinic).await;
    for secret in [
        "pat@example",
        "Patient/7",
        PASSWORD,
        SERVICE,
        "openid",
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    ] {
        // A service is an ordinary word: as a label's value it would stand in quotation marks.
        assert!(!text.contains(&format!("\"{secret}")), "{secret}\n{text}");
    }
}

async fn ask(clinic: &Clinic, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Browser::request(Method::GET, path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let router = listener::router(clinic.issuer.state.clone());
    Browser::new(router)
        .send(request.body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn the_public_side_serves_no_metrics() {
    let clinic = Clinic::open().await;
    for path in ["/metrics", "/v1/metrics"] {
        let answer = clinic.browser().get(path).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
        assert!(!answer.body.contains("wardgate_issuer"), "{answer:?}");
    }
    let ready = clinic.browser().get("/health/ready").await;
    assert_eq!(ready.body, "{\"status\":\"ok\"}");
}

#[tokio::test]
async fn the_listener_asks_for_its_token() {
    let with_token = |token: Option<&'static str>| {
        Clinic::with_config(move |config| {
            config.metrics = Some(MetricsConfig {
                listen: "127.0.0.1:0".parse().unwrap(),
                token: token.map(|token| Secret::new(token.into())),
            });
        })
    };
    let clinic = with_token(Some("scrape-me")).await;
    for refused in [
        None,
        Some("Bearer scrape-m"),
        Some("Basic scrape-me"),
        Some("Bearer "),
        Some("scrape-me"),
    ] {
        for path in ["/metrics", "/health/ready", "/nothing"] {
            let answer = ask(&clinic, path, refused).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{refused:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert_eq!(answer.body, "");
        }
    }
    let answer = ask(&clinic, "/metrics", Some("bearer scrape-me")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some(super::MEDIA_TYPE));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let open = with_token(None).await;
    assert_eq!(ask(&open, "/metrics", None).await.status, StatusCode::OK);
    assert_eq!(ask(&open, "/login", None).await.status, StatusCode::NOT_FOUND);
}

/// Set `WARDGATE_UPDATE_SNAPSHOTS` to write the table anew after adding an instrument.
#[tokio::test]
async fn every_metric_is_documented() {
    let (clinic, _folder) = busy_clinic().await;
    let described = clinic.issuer.state.metrics().described();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/monitoring.md");
    let written = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = written.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{BEGIN}{}{END}{after}", documentation(described));
    if std::env::var_os("WARDGATE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&page, &wanted).unwrap();
    } else {
        assert_eq!(wanted, written);
    }
    // Every one is there after some traffic, and nothing else is.
    let names: BTreeSet<String> = described.iter().map(|one| one.name.clone()).collect();
    assert_eq!(names, exposed(&text(&clinic).await));
}

/// The names of metrics in a query.
fn names_in(query: &str, names: &mut BTreeSet<String>) {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    for word in query.split(|character| !is_of_name(character)) {
        if word.starts_with("wardgate_issuer_") || word.starts_with("process_") {
            let series = ["_bucket", "_sum", "_count"];
            let name = series.iter().find_map(|ending| word.strip_suffix(ending));
            names.insert(name.unwrap_or(word).into());
        }
    }
}

fn queries_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(query) if ["expr", "query", "definition"].contains(&name.as_str()) => {
                        names_in(query, names);
                    }
                    other => queries_in(other, names),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries_in(value, names)),
        _ => {}
    }
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let (mut dashboard, mut alerts) = (BTreeSet::new(), BTreeSet::new());
    let text_of = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let document: Value = serde_json::from_str(&text_of("grafana/wardgate-issuer.json")).unwrap();
    queries_in(&document, &mut dashboard);
    for line in text_of("prometheus/alerts.yaml").lines() {
        if let Some(query) = line.trim().strip_prefix("expr: ") {
            names_in(query, &mut alerts);
        }
    }
    assert!(dashboard.len() > 20, "{dashboard:?}");
    assert!(alerts.len() > 8, "{alerts:?}");
    let (clinic, _folder) = busy_clinic().await;
    let there = exposed(&text(&clinic).await);
    for name in dashboard.union(&alerts) {
        assert!(there.contains(name), "{name} is not exposed: {there:?}");
    }
    let throttled = "wardgate_issuer_rate_limit_refusals_total{endpoint=\"/oauth2/token\"}";
    assert!(value(&text(&clinic).await, throttled) > 0.0);
}
