use base64ct::{Base64UrlUnpadded, Encoding};
use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::claims::{LOGOUT_TOKEN_TYPE, LogoutClaims};
use wardgate_shared::jwt::{self, Policy, SignatureAlgorithm, UnverifiedJwt};
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use super::Deliveries;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::{ISSUER, LogoutReceiver, Received, client};
use crate::web::testing::{
    Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, REGISTERED, VERIFIER, app_request, changed, form,
};

const REDIRECT: &str = "https://rp.example/cb";
const SIGNED_OUT: &str = "https://rp.example/signed-out";
/// Beyond every pause between two attempts, in seconds.
const LONG: i64 = 400;

/// A clinic that may send to this machine.
async fn clinic() -> Clinic {
    Clinic::with_config(|config| config.outbound.allow_loopback_http = true).await
}

/// Registers an app that takes logout tokens at `uri`.
async fn register(clinic: &Clinic, client_id: &str, uri: &str) {
    let grant_types = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let mut app = client(
        client_id,
        ClientAuthentication::Public,
        &grant_types,
        &[REDIRECT],
        REGISTERED,
    );
    app.post_logout_redirect_uris = vec![RegisteredRedirectUri::parse(SIGNED_OUT).unwrap()];
    app.metadata.backchannel_logout_uri = Some(uri.into());
    app.metadata.backchannel_logout_session_required = true;
    clinic.issuer.add_client(app).await;
}

fn request<'a>(client_id: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    let own = [("client_id", Some(client_id)), ("redirect_uri", Some(REDIRECT))];
    changed(app_request(scope), &own)
}

/// The tokens that `client_id` gets for the patient in this browser.
async fn tokens(clinic: &Clinic, browser: &Browser, client_id: &str, scope: &str) -> Value {
    let code = browser
        .authorize(&request(client_id, scope), PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", REDIRECT),
        ("client_id", client_id),
        ("code_verifier", VERIFIER),
    ];
    clinic.token(&fields).await.json()
}

/// RP-initiated logout; gives where the browser goes.
async fn log_out(browser: &Browser, tokens: &Value) -> String {
    let query = form(&[
        ("id_token_hint", tokens["id_token"].as_str().unwrap()),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "s1"),
    ]);
    let answer = browser.get(&format!("/oauth2/logout?{query}")).await;
    answer.location().into()
}

/// Delivers what is due now.
async fn deliver(clinic: &Clinic) {
    Deliveries::new(clinic.issuer.state.clone())
        .deliver_due()
        .await
        .unwrap();
}

/// The claims of a token as they are on the wire.
fn decoded(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

fn id_claims(tokens: &Value) -> Value {
    decoded(tokens["id_token"].as_str().unwrap(), 1)
}

/// The logout token that came, which must be all that came in its request.
#[track_caller]
fn logout_token(received: &Received) -> &str {
    assert_eq!(received.method, "POST");
    assert_eq!(
        received.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert!(!received.headers.contains_key("authorization") && !received.headers.contains_key("cookie"));
    let [(name, token)] = received.fields.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(name, "logout_token");
    token
}

/// The outcomes of deliveries, newest first.
async fn outcomes(clinic: &Clinic) -> Vec<AuditEvent> {
    let mut events = clinic.issuer.store().audit_events(100).await.unwrap();
    events.retain(|event| event.action == AuditAction::BackchannelLogout);
    events
}

// OUT-12, OUT-13
#[tokio::test]
async fn a_logout_tells_the_client_by_a_token_of_its_own() {
    let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
    register(&clinic, "rp", &receiver.url).await;
    let browser = clinic.browser();
    let tokens = tokens(&clinic, &browser, "rp", "openid").await;
    clinic.issuer.advance(200);
    assert_eq!(log_out(&browser, &tokens).await, format!("{SIGNED_OUT}?state=s1"));
    assert!(receiver.received().is_empty(), "the browser waits for nobody");
    deliver(&clinic).await;

    let requests = receiver.received();
    assert_eq!(requests.len(), 1);
    let token = logout_token(&requests[0]);
    let header = decoded(token, 0);
    assert_eq!(header["typ"], "logout+jwt");
    assert_eq!(header["alg"], "RS256", "as the client's ID tokens");
    let (told, id) = (decoded(token, 1), id_claims(&tokens));
    let now = clinic.issuer.now().seconds();
    let expected = json!({
        "iss": ISSUER,
        "aud": ["rp"],
        "iat": now,
        "exp": now + 120,
        "jti": told["jti"],
        "sub": id["sub"],
        "sid": id["sid"],
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    assert_eq!(told, expected);
    assert!(told["jti"].as_str().unwrap().len() > 20 && told["sid"].as_str().unwrap().len() == 22);

    let unverified = UnverifiedJwt::parse(token, 8192).unwrap();
    let key = clinic.issuer.state.keys().verifying_key(
        unverified.key_id().unwrap(),
        unverified.algorithm(),
        clinic.issuer.now(),
    );
    let policy = Policy {
        token_type: Some(LOGOUT_TOKEN_TYPE.into()),
        issuer: ISSUER.into(),
        audiences: vec![String::from("rp")].into(),
        skew_seconds: 0,
        maximum_lifetime_seconds: Some(120),
    };
    jwt::verify::<LogoutClaims, _>(&unverified, &key.unwrap(), &policy, clinic.issuer.now())
        .await
        .unwrap();
    let outcomes = outcomes(&clinic).await;
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        (outcomes[0].outcome, outcomes[0].client_id.as_deref()),
        (AuditOutcome::Success, Some("rp"))
    );
    clinic.issuer.advance(LONG);
    deliver(&clinic).await;
    assert_eq!(receiver.received().len(), 1, "once is enough");
}

// OUT-15
#[tokio::test]
async fn after_it_nobody_is_signed_in_silently() {
    let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
    register(&clinic, "rp", &receiver.url).await;
    let browser = clinic.browser();
    let tokens = tokens(&clinic, &browser, "rp", "openid").await;
    let silent = form(&changed(request("rp", "openid"), &[("prompt", Some("none"))]));
    let silent = format!("/oauth2/authorize?{silent}");
    let ask = || browser.get(&silent);
    assert!(ask().await.sent("code").is_some());
    log_out(&browser, &tokens).await;
    ask()
        .await
        .is_error_redirect(REDIRECT, "login_required", Some("xyz123"));
    deliver(&clinic).await;
    assert_eq!(receiver.received().len(), 1);
    ask()
        .await
        .is_error_redirect(REDIRECT, "login_required", Some("xyz123"));
}

// OUT-11
#[tokio::test]
async fn sid_stays_as_long_as_the_session_and_is_another_for_each_client_and_browser() {
    let clinic = clinic().await;
    register(&clinic, "rp", "https://rp.example/logout").await;
    register(&clinic, "other", "https://rp.example/logout").await;
    let browser = clinic.browser();
    let sid = |tokens: &Value| String::from(id_claims(tokens)["sid"].as_str().unwrap());
    let first = sid(&tokens(&clinic, &browser, "rp", "openid").await);
    assert_eq!(
        sid(&tokens(&clinic, &browser, "rp", "openid fhirUser").await),
        first
    );
    assert_ne!(sid(&tokens(&clinic, &browser, "other", "openid").await), first);
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(sid(&tokens(&clinic, &browser, "rp", "openid").await), first);
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    assert_ne!(sid(&tokens(&clinic, &browser, "rp", "openid").await), first);
    assert_ne!(
        sid(&tokens(&clinic, &clinic.browser(), "rp", "openid").await),
        first
    );
}

#[tokio::test]
async fn the_sign_out_page_tells_every_client_of_the_session_and_no_other() {
    let clinic = clinic().await;
    let receivers = [
        LogoutReceiver::start().await,
        LogoutReceiver::start().await,
        LogoutReceiver::start().await,
    ];
    for (client_id, receiver) in ["rp-1", "rp-2", "rp-3"].into_iter().zip(&receivers) {
        register(&clinic, client_id, &receiver.url).await;
    }
    let browser = clinic.browser();
    let first = tokens(&clinic, &browser, "rp-1", "openid").await;
    let second = tokens(&clinic, &browser, "rp-2", "openid").await;
    let elsewhere = clinic.browser();
    tokens(&clinic, &elsewhere, "rp-3", "openid").await;
    let token = browser.get("/logout").await.field("form_token");
    browser
        .post("/logout", &[("form_token", &token)])
        .await
        .location();
    deliver(&clinic).await;
    for (receiver, tokens) in receivers.iter().zip([&first, &second]) {
        let told = decoded(logout_token(&receiver.received()[0]), 1);
        assert_eq!(told["sid"], id_claims(tokens)["sid"]);
        assert_eq!(told["aud"], id_claims(tokens)["aud"]);
    }
    assert!(receivers[2].received().is_empty());
}

/// Back-Channel Logout 1.0 section 2.7.
#[tokio::test]
async fn refresh_tokens_end_with_the_session_unless_they_are_for_offline_access() {
    let clinic = clinic().await;
    register(&clinic, "rp", "https://rp.example/logout").await;
    let browser = clinic.browser();
    let bound = tokens(&clinic, &browser, "rp", "openid").await;
    let offline = tokens(&clinic, &browser, "rp", "openid offline_access").await;
    log_out(&browser, &bound).await;
    for (tokens, status) in [(&bound, StatusCode::BAD_REQUEST), (&offline, StatusCode::OK)] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("client_id", "rp"),
        ];
        assert_eq!(clinic.token(&fields).await.status, status);
    }
    assert!(!clinic.is_live(&bound["access_token"]).await);
}

#[tokio::test]
async fn what_a_client_does_not_take_is_tried_again_and_given_up() {
    for status in [302, 400, 500, 503] {
        let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
        register(&clinic, "rp", &receiver.url).await;
        let browser = clinic.browser();
        let tokens = tokens(&clinic, &browser, "rp", "openid").await;
        receiver.answer(status);
        log_out(&browser, &tokens).await;
        for attempt in 1..=5 {
            assert!(outcomes(&clinic).await.is_empty(), "{status} {attempt}");
            deliver(&clinic).await;
            deliver(&clinic).await;
            assert_eq!(
                receiver.received().len(),
                attempt,
                "{status}: once until the pause is over"
            );
            clinic.issuer.advance(LONG);
        }
        let told = outcomes(&clinic).await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].outcome, told[0].reason.as_deref()),
            (AuditOutcome::Failure, Some("refused_by_client"))
        );
        deliver(&clinic).await;
        assert_eq!(receiver.received().len(), 5);
        let times: Vec<Value> = receiver
            .received()
            .iter()
            .map(|received| decoded(logout_token(received), 1)["iat"].clone())
            .collect();
        let now = clinic.issuer.now().seconds();
        let expected: Vec<Value> = (0..5).rev().map(|ago| json!(now - LONG * (ago + 1))).collect();
        assert_eq!(times, expected, "signed when it is sent");
    }
}

#[tokio::test]
async fn a_client_that_recovers_is_told() {
    let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
    register(&clinic, "rp", &receiver.url).await;
    let browser = clinic.browser();
    let tokens = tokens(&clinic, &browser, "rp", "openid").await;
    receiver.answer(500);
    log_out(&browser, &tokens).await;
    deliver(&clinic).await;
    receiver.answer(204);
    clinic.issuer.advance(LONG);
    deliver(&clinic).await;
    assert_eq!(outcomes(&clinic).await[0].outcome, AuditOutcome::Success);
    clinic.issuer.advance(LONG);
    deliver(&clinic).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_client_that_is_not_there_is_given_up_and_an_abandoned_last_attempt_is_noted() {
    let clinic = clinic().await;
    register(&clinic, "rp", "http://127.0.0.1:1/logout").await;
    let browser = clinic.browser();
    let first = tokens(&clinic, &browser, "rp", "openid").await;
    log_out(&browser, &first).await;
    for _ in 0..5 {
        deliver(&clinic).await;
        clinic.issuer.advance(LONG);
    }
    assert_eq!(outcomes(&clinic).await[0].reason.as_deref(), Some("unreachable"));

    let second = tokens(&clinic, &browser, "rp", "openid").await;
    log_out(&browser, &second).await;
    for _ in 0..5 {
        // A process that takes it and ends before it is done.
        let store = clinic.issuer.store();
        let claimed = store
            .claim_logout_notifications(&[], 1, clinic.issuer.now())
            .await;
        assert_eq!(claimed.unwrap().len(), 1);
        clinic.issuer.advance(LONG);
    }
    deliver(&clinic).await;
    assert_eq!(outcomes(&clinic).await[0].reason.as_deref(), Some("abandoned"));
}

#[tokio::test]
async fn a_logout_uri_is_no_window_into_the_issuers_network() {
    // By default nothing on this machine is within reach.
    let (clinic, receiver) = (Clinic::open().await, LogoutReceiver::start().await);
    register(&clinic, "rp", &receiver.url).await;
    let browser = clinic.browser();
    let tokens = tokens(&clinic, &browser, "rp", "openid").await;
    log_out(&browser, &tokens).await;
    for _ in 0..5 {
        deliver(&clinic).await;
        clinic.issuer.advance(LONG);
    }
    assert!(receiver.received().is_empty());
    assert_eq!(
        outcomes(&clinic).await[0].reason.as_deref(),
        Some("url_not_permitted")
    );
}

/// The task as `serve` runs it.
#[tokio::test]
async fn a_slow_client_keeps_neither_the_browser_nor_other_clients_waiting() {
    let clinic = clinic().await;
    let (slow, quick) = (LogoutReceiver::start().await, LogoutReceiver::start().await);
    slow.hold(true);
    register(&clinic, "slow", &slow.url).await;
    register(&clinic, "quick", &quick.url).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let deliveries = Deliveries::new(clinic.issuer.state.clone());
    let running = tokio::spawn(deliveries.run(async {
        stopped.await.unwrap();
    }));
    let (first, second) = (clinic.browser(), clinic.browser());
    let to_slow = tokens(&clinic, &first, "slow", "openid").await;
    log_out(&first, &to_slow).await;
    slow.is_asked().await;
    let to_quick = tokens(&clinic, &second, "quick", "openid").await;
    log_out(&second, &to_quick).await;
    quick.is_asked().await;
    assert_eq!(slow.received().len(), 1);
    // A stop waits for what is under way.
    stop.send(()).unwrap();
    slow.hold(false);
    running.await.unwrap();
    let told = outcomes(&clinic).await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|event| event.outcome == AuditOutcome::Success));
}

#[tokio::test]
async fn a_closed_account_is_signed_out_of_its_clients() {
    let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
    register(&clinic, "rp", &receiver.url).await;
    let tokens = tokens(&clinic, &clinic.browser(), "rp", "openid offline_access").await;
    let subject = String::from(id_claims(&tokens)["sub"].as_str().unwrap());
    let audit = AuditEvent::new(
        clinic.issuer.now(),
        AuditAction::UserDeactivation,
        AuditOutcome::Success,
    );
    let store = clinic.issuer.store();
    assert!(
        store
            .deactivate_user(&subject, None, audit)
            .await
            .unwrap()
            .unwrap()
    );
    deliver(&clinic).await;
    let told = decoded(logout_token(&receiver.received()[0]), 1);
    assert_eq!(told["sub"], subject);
    assert!(!clinic.is_live(&tokens["access_token"]).await);
}

// OUT-13
#[tokio::test]
async fn a_logout_token_is_signed_as_the_clients_id_tokens_are() {
    let (clinic, receiver) = (clinic().await, LogoutReceiver::start().await);
    let mut app = client(
        "rp",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &[REDIRECT],
        "openid",
    );
    app.metadata.backchannel_logout_uri = Some(receiver.url.clone());
    app.metadata.id_token_signed_response_alg = Some(SignatureAlgorithm::ES256);
    clinic.issuer.add_client(app).await;
    let browser = clinic.browser();
    let tokens = tokens(&clinic, &browser, "rp", "openid").await;
    let token = browser.get("/logout").await.field("form_token");
    browser
        .post("/logout", &[("form_token", &token)])
        .await
        .location();
    deliver(&clinic).await;
    let told = decoded(logout_token(&receiver.received()[0]), 0);
    let id = decoded(tokens["id_token"].as_str().unwrap(), 0);
    assert_eq!((&told["alg"], &told["kid"]), (&id["alg"], &id["kid"]));
    assert_eq!(told["alg"], "ES256");
}
