use http::{Method, StatusCode};
use serde_json::Value;

use crate::config::LimitsConfig;
use crate::domain::audit_event::{AuditAction, AuditEvent};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::client;
use crate::web::testing::{Answer, Browser, Clinic, SERVICE, basic, changed};

const APP: &str = crate::web::testing::APP;
const ENDPOINTS: [&str; 6] = [
    "/oauth2/token",
    "/oauth/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/oauth2/par",
    "/oauth2/device_authorization",
];
const FAILURES: usize = 6;

/// A clinic with these limits, reached through a proxy that says where a call comes from.
async fn clinic(limits: LimitsConfig) -> Clinic {
    Clinic::with_config(|config| {
        config.limits = limits;
        config.server.trusted_proxies = vec![crate::config::IpNetwork::parse("192.0.2.7").unwrap()];
    })
    .await
}

/// Few failures, everything else without limit.
fn few_failures() -> LimitsConfig {
    LimitsConfig {
        failures_per_minute: u32::try_from(FAILURES).unwrap(),
        ..LimitsConfig::NONE
    }
}

/// A call from this address.
async fn call(browser: &Browser, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    browser
        .post_with(path, fields, &[("x-forwarded-for", from)])
        .await
}

const HOSPITAL: &str = "198.51.100.1";
const ELSEWHERE: &str = "203.0.113.1";

/// Fails as somebody unknown until the address is full.
async fn flood(browser: &Browser) {
    for number in 0..FAILURES {
        let guess = [
            ("client_id", format!("guess-{number}")),
            ("client_secret", "x".into()),
        ];
        let fields = guess.each_ref().map(|(name, value)| (*name, value.as_str()));
        call(browser, HOSPITAL, "/oauth2/token", &fields)
            .await
            .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[track_caller]
fn is_told_to_wait(answer: &Answer, code: &str) {
    answer.is_oauth_error(StatusCode::TOO_MANY_REQUESTS, code);
    let seconds: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

/// The request of the service for a token.
fn service_request(clinic: &Clinic) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", SERVICE),
        ("client_secret", &clinic.service_secret),
    ]
}

async fn audit(clinic: &Clinic) -> Vec<AuditEvent> {
    clinic.issuer.store().audit_events(1000).await.unwrap()
}

#[tokio::test]
async fn an_address_that_fails_too_often_is_told_to_wait_at_every_endpoint() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    flood(&browser).await;
    for path in ENDPOINTS {
        for fields in [
            &[][..],
            &[("client_id", APP)],
            &[("client_id", "x"), ("client_secret", "x")],
        ] {
            is_told_to_wait(
                &call(&browser, HOSPITAL, path, fields).await,
                "temporarily_unavailable",
            );
        }
        let answer = call(
            &browser,
            ELSEWHERE,
            path,
            &[("client_id", "x"), ("client_secret", "x")],
        )
        .await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        // A question about the method costs nothing and is answered.
        let wrong = Browser::request(Method::GET, path).header("x-forwarded-for", HOSPITAL);
        let answer = browser.send(wrong.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        clinic.issuer.advance(60);
        flood(&browser).await;
    }
}

#[tokio::test]
async fn a_flood_is_one_line_of_the_audit_trail_and_not_one_for_each_call() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    let before = audit(&clinic).await.len();
    flood(&browser).await;
    let after_the_flood = audit(&clinic).await;
    let news = &after_the_flood[0];
    assert_eq!(
        (news.action, news.reason.as_deref(), news.ip_address),
        (
            AuditAction::TokenRequest,
            Some("throttled"),
            Some(HOSPITAL.parse().unwrap())
        )
    );
    assert_eq!(after_the_flood.len(), before + FAILURES + 1);
    let writes = clinic.issuer.store().commits();
    for _ in 0..50 {
        is_told_to_wait(
            &call(&browser, HOSPITAL, "/oauth2/par", &[("client_id", "x")]).await,
            "temporarily_unavailable",
        );
    }
    assert_eq!(clinic.issuer.store().commits(), writes, "nothing is written");
    // A place is free now and then; what fails there has no line until the flood has ebbed.
    clinic.issuer.advance(10);
    let guess = [("client_id", "x"), ("client_secret", "x")];
    for _ in 0..5 {
        call(&browser, HOSPITAL, "/oauth2/revoke", &guess).await;
    }
    assert_eq!(audit(&clinic).await.len(), after_the_flood.len());
    clinic.issuer.advance(60);
    call(&browser, HOSPITAL, "/oauth2/revoke", &guess).await;
    assert_eq!(audit(&clinic).await.len(), after_the_flood.len() + 1);
}

#[tokio::test]
async fn a_hospital_behind_one_address_is_not_locked_out_by_somebody_in_it() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    let request = service_request(&clinic);
    let answer = call(&browser, HOSPITAL, "/oauth2/token", &request).await;
    assert_eq!(answer.status, StatusCode::OK);
    flood(&browser).await;
    let lines = audit(&clinic).await.len();
    let wrong = changed(request.clone(), &[("client_secret", Some("wrong"))]);
    for _ in 0..30 {
        call(&browser, HOSPITAL, "/oauth2/token", &wrong)
            .await
            .is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    assert_eq!(
        audit(&clinic).await.len(),
        lines,
        "claims to be the client are part of the flood"
    );
    // By a header as well, and at another endpoint.
    let answer = call(&browser, HOSPITAL, "/oauth2/token", &request).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let token: Value = answer.json();
    let header = basic(SERVICE, &clinic.service_secret);
    let headers = [("authorization", &*header), ("x-forwarded-for", HOSPITAL)];
    let question = [("token", token["access_token"].as_str().unwrap())];
    let answer = browser.post_with("/oauth2/introspect", &question, &headers).await;
    assert_eq!(answer.json()["active"], true);
    // From where nobody knows it, it is one of many.
    let answer = call(&browser, HOSPITAL, "/oauth2/token", &[("client_id", SERVICE)]).await;
    is_told_to_wait(&answer, "temporarily_unavailable");
}

#[tokio::test]
async fn a_device_that_polls_is_told_to_slow_down_and_its_waiting_is_no_failure() {
    let limits = LimitsConfig {
        public_client_requests_per_minute: 2,
        ..few_failures()
    };
    let clinic = clinic(limits).await;
    let tv = client(
        "tv",
        ClientAuthentication::Public,
        &[GrantType::DeviceCode],
        &[],
        "openid",
    );
    clinic.issuer.add_client(tv).await;
    let browser = clinic.browser();
    let begin = || {
        call(
            &browser,
            HOSPITAL,
            "/oauth2/device_authorization",
            &[("client_id", "tv"), ("scope", "openid")],
        )
    };
    let codes = begin().await.json();
    let poll = [
        ("grant_type", GrantType::DeviceCode.as_str()),
        ("device_code", codes["device_code"].as_str().unwrap()),
        ("client_id", "tv"),
    ];
    for number in 0..FAILURES * 2 {
        clinic.issuer.advance(if number < FAILURES { 5 } else { 0 });
        let answer = call(&browser, HOSPITAL, "/oauth2/token", &poll).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{number} {answer:?}");
    }
    flood(&browser).await;
    // The app got through at this address before, so that it has failures of its own.
    let junk = [("client_id", "tv"), ("grant_type", "junk")];
    for _ in 0..FAILURES {
        let answer = call(&browser, HOSPITAL, "/oauth2/token", &junk).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    }
    is_told_to_wait(
        &call(&browser, HOSPITAL, "/oauth2/token", &poll).await,
        "slow_down",
    );
    is_told_to_wait(
        &call(&browser, HOSPITAL, "/oauth2/token", &junk).await,
        "temporarily_unavailable",
    );
}

#[tokio::test]
async fn an_app_without_a_secret_begins_so_many_requests_from_one_address_and_others_go_on() {
    let limits = LimitsConfig {
        public_client_requests_per_minute: 3,
        ..LimitsConfig::NONE
    };
    let clinic = clinic(limits).await;
    for name in ["tv", "radio"] {
        let device = client(
            name,
            ClientAuthentication::Public,
            &[GrantType::DeviceCode],
            &[],
            "openid",
        );
        clinic.issuer.add_client(device).await;
    }
    let browser = clinic.browser();
    let begin = async |from: &str, name: &str| {
        call(
            &browser,
            from,
            "/oauth2/device_authorization",
            &[("client_id", name), ("scope", "openid")],
        )
        .await
    };
    for _ in 0..3 {
        assert_eq!(begin(HOSPITAL, "tv").await.status, StatusCode::OK);
    }
    let lines = audit(&clinic).await;
    assert_eq!(
        (lines[0].action, lines[0].reason.as_deref()),
        (AuditAction::DeviceAuthorization, Some("throttled"))
    );
    is_told_to_wait(&begin(HOSPITAL, "tv").await, "temporarily_unavailable");
    assert_eq!(begin(ELSEWHERE, "tv").await.status, StatusCode::OK);
    assert_eq!(begin(HOSPITAL, "radio").await.status, StatusCode::OK);
    clinic.issuer.advance(20);
    assert_eq!(begin(HOSPITAL, "tv").await.status, StatusCode::OK);
}

#[tokio::test]
async fn json_is_counted_for_its_client_as_a_form_is() {
    let limits = LimitsConfig {
        client_requests_per_minute: 3,
        ..LimitsConfig::NONE
    };
    let clinic = clinic(limits).await;
    let browser = clinic.browser();
    let fields: serde_json::Map<String, Value> = service_request(&clinic)
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let ask = async |from: &str| {
        let request = Browser::request(Method::POST, "/auth/token")
            .header("content-type", "application/json")
            .header("x-forwarded-for", from);
        let body = Value::Object(fields.clone()).to_string();
        browser.send(request.body(body.into()).unwrap()).await
    };
    for from in [HOSPITAL, ELSEWHERE, "2001:db8::1"] {
        assert_eq!(ask(from).await.status, StatusCode::OK);
    }
    is_told_to_wait(&ask(HOSPITAL).await, "temporarily_unavailable");
    let as_form = call(&browser, HOSPITAL, "/auth/token", &service_request(&clinic)).await;
    is_told_to_wait(&as_form, "temporarily_unavailable");
    // What looks like a form inside JSON names nobody.
    let request = Browser::request(Method::POST, "/auth/token").header("content-type", "application/json");
    let body = format!("{{\"x\":\"&client_id={SERVICE}&client_secret=x&\"}}");
    let answer = browser.send(request.body(body.into()).unwrap()).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
}

#[tokio::test]
async fn a_device_that_has_heard_the_end_and_asks_on_is_told_to_wait() {
    let clinic = clinic(few_failures()).await;
    let tv = client(
        "tv",
        ClientAuthentication::Public,
        &[GrantType::DeviceCode],
        &[],
        "openid",
    );
    clinic.issuer.add_client(tv).await;
    let browser = clinic.browser();
    let begin = [("client_id", "tv"), ("scope", "openid")];
    let codes = call(&browser, HOSPITAL, "/oauth2/device_authorization", &begin).await;
    let codes = codes.json();
    let poll = [
        ("grant_type", GrantType::DeviceCode.as_str()),
        ("device_code", codes["device_code"].as_str().unwrap()),
        ("client_id", "tv"),
    ];
    clinic.issuer.advance(codes["expires_in"].as_i64().unwrap());
    let before = audit(&clinic).await.len();
    for _ in 0..FAILURES {
        let answer = call(&browser, HOSPITAL, "/oauth2/token", &poll).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "expired_token");
    }
    for _ in 0..FAILURES {
        let answer = call(&browser, HOSPITAL, "/oauth2/token", &poll).await;
        is_told_to_wait(&answer, "slow_down");
    }
    assert_eq!(audit(&clinic).await.len(), before + FAILURES + 1);
}

#[tokio::test]
async fn a_client_with_a_secret_asks_so_often_wherever_it_calls_from() {
    let limits = LimitsConfig {
        client_requests_per_minute: 3,
        ..LimitsConfig::NONE
    };
    let clinic = clinic(limits).await;
    let browser = clinic.browser();
    let request = service_request(&clinic);
    // Wrong secrets use up nothing: nobody else can make it wait.
    let wrong = changed(request.clone(), &[("client_secret", Some("wrong"))]);
    for _ in 0..10 {
        let answer = call(&browser, ELSEWHERE, "/oauth2/token", &wrong).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    for from in [HOSPITAL, ELSEWHERE, "2001:db8::1"] {
        let answer = call(&browser, from, "/oauth2/token", &request).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    for path in ["/oauth2/token", "/oauth/token"] {
        let answer = call(&browser, HOSPITAL, path, &request).await;
        is_told_to_wait(&answer, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn a_browser_app_may_read_that_it_has_to_wait() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    flood(&browser).await;
    let headers = [("origin", "https://app.example"), ("x-forwarded-for", HOSPITAL)];
    let answer = browser
        .post_with("/oauth2/token", &[("client_id", APP)], &headers)
        .await;
    is_told_to_wait(&answer, "temporarily_unavailable");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.example")
    );
}

#[tokio::test]
async fn refused_launches_and_changes_of_registrations_are_part_of_a_flood() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    let send = async |method: Method, path: &str| {
        let request = Browser::request(method, path)
            .header("x-forwarded-for", HOSPITAL)
            .header("authorization", "Bearer guess")
            .header("content-type", "application/json");
        browser
            .send(request.body(axum::body::Body::from("{}")).unwrap())
            .await
    };
    let calls = [
        (Method::POST, "/v1/launches"),
        (Method::PUT, "/oauth2/register/client-x"),
        (Method::DELETE, "/oauth2/register/client-x"),
    ];
    for _ in 0..FAILURES / calls.len() {
        for (method, path) in &calls {
            let answer = send(method.clone(), path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {answer:?}");
        }
    }
    let lines = audit(&clinic).await.len();
    for (method, path) in &calls {
        let answer = send(method.clone(), path).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path} {answer:?}");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(audit(&clinic).await.len(), lines);
    let answer = send(Method::POST, "/v1/launches").await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.body.contains(r#""status":429"#), "{answer:?}");
    // Whoever asks what its registration is writes nothing and is answered.
    let answer = send(Method::GET, "/oauth2/register/client-x").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_resource_server_is_known_by_each_of_its_tokens() {
    let clinic = clinic(few_failures()).await;
    let browser = clinic.browser();
    let (monitor, secret) = clinic.issuer.add_service_client("monitor", "introspect").await;
    let request = [
        ("grant_type", "client_credentials"),
        ("client_id", &*monitor.client_id),
        ("client_secret", &*secret),
    ];
    let token: Value = call(&browser, HOSPITAL, "/oauth2/token", &request).await.json();
    flood(&browser).await;
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let ask = async |bearer: &str| {
        let headers = [("authorization", bearer), ("x-forwarded-for", HOSPITAL)];
        browser
            .post_with("/oauth2/introspect", &[("token", "x")], &headers)
            .await
    };
    assert_eq!(ask(&bearer).await.json()["active"], false);
    is_told_to_wait(&ask("Bearer x").await, "temporarily_unavailable");
}
