mod secured;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, HeaderName, Method, header};
use serde_json::Value;
use tokio::net::TcpListener;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use wardgate_shared::secret::Secret;

use super::collect::is_exported;
use super::context::{TraceId, TraceParent, hex};
use super::export::Exporter;
use crate::clock::Stopwatch;
use crate::config::{CollectorTls, IpNetwork, Sampling, TelemetryConfig};
use crate::web::testing::{Browser, Clinic, PASSWORD};

/// What a collector got: headers and bodies.
type Received = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A collector on loopback that keeps what it gets.
async fn collector() -> (String, Received) {
    let received = Received::default();
    let take = async |State(received): State<Received>, headers: HeaderMap, body: String| {
        let body = serde_json::from_str(&body).unwrap();
        received.lock().unwrap().push((headers, body));
        "{}"
    };
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&received));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

fn settings(collector: &str) -> TelemetryConfig {
    TelemetryConfig {
        traces_url: format!("{collector}/v1/traces"),
        headers: vec![
            (header::AUTHORIZATION, Secret::new("Bearer collect-me".into())),
            (HeaderName::from_static("x-scope"), Secret::new("clinic".into())),
        ],
        sampling: Sampling {
            ratio: 1.0,
            follows_caller: true,
        },
        service_name: "issuer-of-a-test".into(),
        resource_attributes: vec![("deployment.environment.name".into(), "test".into())],
        timeout: Duration::from_secs(5),
        tls: CollectorTls::default(),
    }
}

/// Sends spans of this thread to the collector of `config`, as long as the guard lives.
fn traced(config: &TelemetryConfig) -> (Exporter, DefaultGuard) {
    let (exporter, collector) = Exporter::start(config).unwrap();
    let layer = collector.with_filter(filter_fn(is_exported));
    let subscriber = tracing_subscriber::registry().with(layer);
    (exporter, tracing::subscriber::set_default(subscriber))
}

/// All spans that were received.
fn spans(received: &Received) -> Vec<Value> {
    let received = received.lock().unwrap();
    let mut all = Vec::new();
    for (headers, body) in received.iter() {
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["authorization"], "Bearer collect-me");
        let resource = &body["resourceSpans"][0];
        assert_eq!(
            resource["resource"]["attributes"][0]["value"]["stringValue"],
            "issuer-of-a-test"
        );
        all.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    all
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key} in {span}"))["value"]
}

#[tokio::test]
async fn a_request_arrives_as_a_trace_with_what_it_did() {
    let (url, received) = collector().await;
    let clinic = Clinic::open().await;
    let (exporter, guard) = traced(&settings(&url));
    let answer = clinic.tokens("openid offline_access", "pat@example.org").await;
    assert!(answer["access_token"].is_string());
    clinic.browser().get("/oauth2/status/no-such-list").await;
    drop(guard);
    exporter.finish().await;
    let spans = spans(&received);
    let token = spans
        .iter()
        .find(|span| span["name"] == "POST /oauth2/token")
        .unwrap_or_else(|| panic!("{spans:?}"));
    assert_eq!(token["kind"], 2);
    assert_eq!(token["parentSpanId"], Value::Null);
    assert_eq!(attribute(token, "http.response.status_code")["intValue"], "200");
    assert_eq!(attribute(token, "http.route")["stringValue"], "/oauth2/token");
    assert_eq!(token["traceId"].as_str().unwrap().len(), 32);
    let number = |span: &Value, key: &str| -> u64 { span[key].as_str().unwrap().parse().unwrap() };
    let parts: Vec<&str> = spans
        .iter()
        .filter(|span| span["parentSpanId"] == token["spanId"])
        .map(|span| {
            assert_eq!(span["traceId"], token["traceId"]);
            assert!(number(span, "startTimeUnixNano") >= number(token, "startTimeUnixNano"));
            assert!(number(span, "endTimeUnixNano") <= number(token, "endTimeUnixNano"));
            span["name"].as_str().unwrap()
        })
        .collect();
    assert!(parts.contains(&"store write"), "{parts:?}");
    assert!(parts.contains(&"sign"), "{parts:?}");
    assert!(spans.iter().any(|span| span["name"] == "argon2"), "{spans:?}");
    let status = spans
        .iter()
        .find(|span| span["name"] == "GET /oauth2/status/{list}");
    assert!(status.is_some(), "{spans:?}");
}

#[tokio::test]
async fn no_span_holds_a_person_a_client_a_token_or_a_path() {
    let (url, received) = collector().await;
    let clinic = Clinic::open().await;
    let (exporter, guard) = traced(&settings(&url));
    let tokens = clinic
        .tokens("openid offline_access launch/patient", "pat@example.org")
        .await;
    clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    let wrong = [
        ("grant_type", "password"),
        ("client_id", "client-of-mallory"),
        ("password", "pass-of-mallory"),
    ];
    clinic.token(&wrong).await;
    clinic
        .browser()
        .get("/nothing/patient-of-mallory?code=code-of-mallory")
        .await;
    clinic.browser().get("/oauth2/register/client-of-mallory").await;
    let forbidden = clinic
        .issuer
        .state
        .outbound()
        .fetch_json("http://host-of-mallory/")
        .await;
    assert!(forbidden.is_err());
    drop(guard);
    exporter.finish().await;
    assert!(spans(&received).len() > 10);
    let sent: String = received
        .lock()
        .unwrap()
        .iter()
        .map(|(_, body)| body.to_string())
        .collect();
    let claims = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    let users = clinic.issuer.store().audit_events(1000).await.unwrap();
    let ids: Vec<String> = users.into_iter().filter_map(|line| line.user_id).collect();
    let named = [
        "pat@example.org",
        "Pat Patient",
        "Patient/7",
        "mallory",
        PASSWORD,
        "app.example",
        "\"app\"",
        "127.0.0.1",
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
        &claims.token_id,
    ];
    assert!(!ids.is_empty());
    for secret in named.into_iter().chain(ids.iter().map(String::as_str)) {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
}

async fn request_from(clinic: &Clinic, peer: &str, traceparent: &str) {
    let mut request = Browser::request(Method::GET, "/health/live").header("traceparent", traceparent);
    let peer: SocketAddr = peer.parse().unwrap();
    request = request.extension(axum::extract::ConnectInfo(peer));
    let router = crate::app(clinic.issuer.state.clone());
    let answer = tower::ServiceExt::oneshot(router, request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(answer.unwrap().status().is_success());
}

#[tokio::test]
async fn only_a_trusted_proxy_s_trace_is_continued() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (url, received) = collector().await;
    let clinic = Clinic::with_config(|config| {
        config.server.trusted_proxies = vec![IpNetwork::parse("10.0.0.0/8").unwrap()];
    })
    .await;
    let (exporter, guard) = traced(&settings(&url));
    let header = |flags: &str| format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
    request_from(&clinic, "10.1.2.3:4711", &header("01")).await;
    request_from(&clinic, "10.1.2.3:4711", &header("00")).await;
    request_from(&clinic, "203.0.113.9:4711", &header("01")).await;
    drop(guard);
    exporter.finish().await;
    let spans = spans(&received);
    // The one that the proxy does not send is not sent either.
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert_eq!(spans[0]["traceId"], TRACE);
    assert_eq!(spans[0]["parentSpanId"], "00f067aa0ba902b7");
    assert_ne!(spans[1]["traceId"], TRACE);
    assert_eq!(spans[1]["parentSpanId"], Value::Null);
}

#[tokio::test]
async fn a_sampler_that_follows_nobody_decides_for_itself() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let clinic = Clinic::with_config(|config| {
        config.server.trusted_proxies = vec![IpNetwork::parse("10.0.0.0/8").unwrap()];
    })
    .await;
    for (ratio, flags, expected) in [(1.0, "00", 1), (0.0, "01", 0)] {
        let (url, received) = collector().await;
        let mut config = settings(&url);
        config.sampling = Sampling {
            ratio,
            follows_caller: false,
        };
        let (exporter, guard) = traced(&config);
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
        request_from(&clinic, "10.1.2.3:4711", &parent).await;
        drop(guard);
        exporter.finish().await;
        // Whether or not it is sent, it is the caller's trace.
        let spans = if expected == 0 {
            Vec::new()
        } else {
            spans(&received)
        };
        assert_eq!(received.lock().unwrap().len(), expected);
        assert!(spans.iter().all(|span| span["traceId"] == TRACE));
    }
}

#[tokio::test]
async fn the_collector_gets_the_headers_it_asks_for_and_hears_what_the_service_is() {
    let (url, received) = collector().await;
    let clinic = Clinic::open().await;
    let mut config = settings(&url);
    let version = (String::from("service.version"), String::from("of-a-test"));
    config.resource_attributes.push(version);
    let (exporter, guard) = traced(&config);
    clinic.browser().get("/oauth2/status/no-such-list").await;
    drop(guard);
    exporter.finish().await;
    let received = received.lock().unwrap();
    let (headers, body) = &received[0];
    assert_eq!(headers["authorization"], "Bearer collect-me");
    assert_eq!(headers["x-scope"], "clinic");
    let resource = &body["resourceSpans"][0]["resource"];
    let told = |key| {
        attribute(resource, key)["stringValue"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(told("service.name"), "issuer-of-a-test");
    assert_eq!(told("deployment.environment.name"), "test");
    // What is given counts in place of our own, which is not told beside it.
    assert_eq!(told("service.version"), "of-a-test");
    let names = resource["attributes"].as_array().unwrap().iter();
    assert_eq!(names.filter(|one| one["key"] == "service.version").count(), 1);
}

#[tokio::test]
async fn a_collector_that_hangs_or_is_gone_delays_no_answer() {
    // It takes connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    for url in [hangs, String::from("http://127.0.0.1:1")] {
        let clinic = Clinic::open().await;
        let (exporter, guard) = traced(&settings(&url));
        let watch = Stopwatch::start();
        // More spans than the queue takes.
        for _ in 0..5000 {
            let answer = clinic.browser().get("/health/live").await;
            assert_eq!(answer.status, http::StatusCode::OK);
        }
        let tokens = clinic.tokens("openid", "pat@example.org").await;
        assert!(tokens["access_token"].is_string());
        assert!(watch.elapsed() < Duration::from_mins(1), "{:?}", watch.elapsed());
        drop(guard);
        let watch = Stopwatch::start();
        exporter.finish().await;
        // Far less than the collector is given for an answer.
        assert!(watch.elapsed() < Duration::from_secs(4), "{:?}", watch.elapsed());
    }
}

#[tokio::test]
async fn a_ratio_of_nothing_sends_nothing() {
    let (url, received) = collector().await;
    let clinic = Clinic::open().await;
    let config = TelemetryConfig {
        sampling: Sampling {
            ratio: 0.0,
            follows_caller: true,
        },
        ..settings(&url)
    };
    let (exporter, guard) = traced(&config);
    clinic.tokens("openid", "pat@example.org").await;
    drop(guard);
    exporter.finish().await;
    assert!(spans(&received).is_empty());
}

#[test]
fn a_part_of_all_traces_is_about_that_part() {
    let sampled = (0..10_000).filter(|_| TraceId::new().is_sampled(0.25)).count();
    assert!((2000..3000).contains(&sampled), "{sampled}");
    assert!(!TraceId([0xff; 16]).is_sampled(0.999));
    assert!(TraceId([0xff; 16]).is_sampled(1.0));
    assert!(!TraceId([0; 16]).is_sampled(0.0));
}

#[test]
fn a_header_that_is_no_traceparent_is_none() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parsed = TraceParent::parse(good).unwrap();
    assert_eq!(hex(&parsed.trace.0), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(parsed.is_sampled);
    assert!(TraceParent::parse(&good.replacen("00", "cc", 1)).is_some());
    assert!(TraceParent::parse(&format!("{}-more", good.replacen("00", "cc", 1))).is_some());
    for bad in [
        "",
        "-",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert_eq!(TraceParent::parse(bad), None, "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn no_header_is_too_strange(text in ".*", parts in "[0-9a-f-]{0,60}") {
        let _ = TraceParent::parse(&text);
        if let Some(parsed) = TraceParent::parse(&parts) {
            proptest::prop_assert!(parts.contains(&hex(&parsed.trace.0)));
        }
    }
}
