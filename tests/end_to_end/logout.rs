//! An application hears that a person was signed out by an administrator, who works beside the running issuer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use wardgate_tests::browser::{Browser, Decision};
use wardgate_tests::clock::eventually;
use wardgate_tests::pair::{CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};

use crate::journey::{VERIFIER, authorization_url, claims_of, parameter};

/// The bodies that came to a client's logout URL.
type Bodies = Arc<Mutex<Vec<String>>>;

async fn take(State(bodies): State<Bodies>, body: String) {
    bodies.lock().unwrap().push(body);
}

/// Starts a client's logout endpoint and gives its URL.
async fn receiver(bodies: Bodies) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/logout", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(bodies);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

// OUT-12, OUT-13
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_signs_somebody_out_and_their_app_hears_of_it() {
    let pair = Pair::start().await;
    let bodies = Bodies::default();
    let metadata = pair.path("metadata.json");
    let url = receiver(Arc::clone(&bodies)).await;
    let text = serde_json::json!({ "backchannel_logout_uri": url });
    std::fs::write(&metadata, text.to_string()).unwrap();
    let arguments = [
        "--type",
        "public",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        CALLBACK,
        "--scope",
        "openid",
        "--metadata",
        metadata.to_str().unwrap(),
    ];
    pair.add_client("app", &arguments);
    let mut browser = Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD);
    let callback = browser
        .open(&authorization_url("app", "openid", ""), Decision::Allow)
        .await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", &*parameter(&callback, "code").unwrap()),
    ];
    let tokens = pair.token(&exchange).await.json();
    let id = claims_of(tokens["id_token"].as_str().unwrap());

    let said = pair.wardgate_ok(&["user", "sign-out", "--email", PATIENT_EMAIL], "");
    assert!(said.contains("ended 1 sessions"), "{said}");
    eventually("the app is told", async || !bodies.lock().unwrap().is_empty()).await;
    let body = bodies.lock().unwrap().remove(0);
    let told = claims_of(body.strip_prefix("logout_token=").unwrap());
    assert_eq!((&told["sub"], &told["sid"]), (&id["sub"], &id["sid"]));
    assert!(told["sid"].is_string());
    let silent = authorization_url("app", "openid", "&prompt=none");
    let callback = browser.open(&silent, Decision::Deny).await;
    assert_eq!(parameter(&callback, "error").as_deref(), Some("login_required"));
}
