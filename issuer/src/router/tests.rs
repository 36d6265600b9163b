mod border;

use axum::body::Body;
use http::{Method, StatusCode};

use crate::testing::START;
use crate::web::testing::{Browser, Clinic};

#[tokio::test]
async fn every_answer_has_the_security_headers_and_a_name() {
    let clinic = Clinic::open().await;
    for path in [
        "/",
        "/login",
        "/logout",
        "/nothing-here",
        "/oauth2/authorize",
        "/oauth2/token",
        "/docs/errors",
        "/static/wardgate.css",
        "/health/live",
        "/.well-known/jwks.json",
    ] {
        let request = Browser::request(Method::GET, path).header("x-request-id", "chosen-by-a-stranger");
        let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'; "),
            "{path}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{path}"
        );
        assert!(
            answer.header("x-request-id").unwrap().starts_with("req-"),
            "{path}"
        );
        let cached = path.starts_with("/static") || path.starts_with("/.well-known");
        let caching = answer.header("cache-control").unwrap();
        assert_eq!(caching == "no-store", !cached, "{path}: {caching}");
    }
}

#[tokio::test]
async fn an_unknown_address_gets_a_page() {
    let clinic = Clinic::open().await;
    for path in [
        "/nothing",
        "/oauth2",
        "/oauth2/token/",
        "/LOGIN",
        "/.well-known/x",
        "/static/../login",
    ] {
        clinic
            .browser()
            .get(path)
            .await
            .is_error_page(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_stylesheet_is_one() {
    let clinic = Clinic::open().await;
    let answer = clinic.browser().get("/static/wardgate.css").await;
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(answer.body.contains("prefers-color-scheme: dark"));
}

#[tokio::test]
async fn every_error_code_is_explained_where_error_uri_points() {
    let clinic = Clinic::open().await;
    let error = clinic.browser().post("/oauth2/token", &[]).await.json();
    let uri = error["error_uri"].as_str().unwrap();
    let page = clinic
        .browser()
        .get(uri.strip_prefix(crate::testing::ISSUER).unwrap())
        .await;
    assert_eq!(page.status, StatusCode::OK);
    let code = error["error"].as_str().unwrap();
    assert!(page.body.contains(&format!("<h1><code>{code}</code></h1>")));
}

#[tokio::test]
async fn health_says_whether_requests_can_be_answered() {
    let clinic = Clinic::open().await;
    for path in ["/health/live", "/health/ready"] {
        let answer = clinic.browser().get(path).await;
        assert_eq!(
            (answer.status, answer.json()["status"].as_str()),
            (StatusCode::OK, Some("ok"))
        );
    }
    clinic.issuer.store().close().await;
    assert_eq!(clinic.browser().get("/health/live").await.status, StatusCode::OK);
    let answer = clinic.browser().get("/health/ready").await;
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("unavailable"))
    );
}

#[tokio::test]
async fn who_is_told_to_stop_is_alive_and_not_ready() {
    let clinic = Clinic::open().await;
    clinic.issuer.state.begin_stopping();
    assert!(clinic.issuer.state.is_stopping());
    assert_eq!(clinic.browser().get("/health/live").await.status, StatusCode::OK);
    let answer = clinic.browser().get("/health/ready").await;
    assert_eq!(
        (answer.status, answer.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("stopping"))
    );
}

#[tokio::test]
async fn without_a_key_that_signs_the_issuer_is_not_ready() {
    let clinic = Clinic::open().await;
    // Before the keys were made, none of them signs.
    clinic.issuer.advance(-10);
    assert!(clinic.issuer.now() < START);
    assert_eq!(
        clinic.browser().get("/health/ready").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_in_the_form_of_the_endpoint() {
    let clinic = Clinic::open().await;
    clinic.issuer.store().close().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", crate::web::testing::SERVICE),
        ("client_secret", &clinic.service_secret),
    ];
    let answer = clinic.token(&fields).await;
    answer.is_oauth_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("5"));
    let page = clinic
        .browser()
        .sign_in(
            "/login",
            crate::web::testing::PATIENT,
            crate::web::testing::PASSWORD,
        )
        .await;
    page.is_error_page(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.header("retry-after"), Some("5"));
    assert!(page.headers.get("set-cookie").is_none());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_of_a_whole_flow() {
    use crate::web::testing::{PASSWORD, PATIENT, VERIFIER, app_request};

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    // While there is but one dispatcher, a span that another test's thread meets first is switched off for everybody,
    // since that thread has no subscriber; a second dispatcher makes tracing ask them all.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let code = browser
        .authorize(&app_request("openid offline_access"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    let tokens = clinic.redeem(&code).await.json();
    let refreshed = clinic
        .refresh(tokens["refresh_token"].as_str().unwrap())
        .await
        .json();
    clinic.redeem(&code).await;
    clinic
        .token(&[
            ("client_id", "service"),
            ("client_secret", &clinic.service_secret),
        ])
        .await;
    browser.sign_in("/login", PATIENT, "a wrong password").await;
    drop((guard, second));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/oauth2/token") && log.contains("req-"), "{log}");
    let secrets = [
        code.as_str(),
        PASSWORD,
        "a wrong password",
        VERIFIER,
        &clinic.service_secret,
        tokens["access_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
        refreshed["refresh_token"].as_str().unwrap(),
        &browser.cookie("__Host-wardgate_session").unwrap(),
        "wga_",
        "wgs_",
        "wgf_",
        "xyz123",
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_without_its_cause() {
    use axum::routing::get;
    use tower::ServiceExt;

    let router = axum::Router::new()
        .route(
            "/",
            get(|uri: http::Uri| async move { assert_ne!(uri.path(), "/", "secret cause") }),
        )
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            crate::layers::answer_to_panic,
        ));
    let response = router.oneshot(http::Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap()
        .to_bytes();
    assert!(body.is_empty());
}
