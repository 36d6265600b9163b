//! Devices, from their first request to their tokens.

use std::collections::HashSet;

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::Value;
use wardgate_shared::claims::Binding;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{ISSUER, Prover, client};
use crate::web::testing::{APP, Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, REGISTERED, form};

const MONITOR: &str = "monitor";
const CONFIDENTIAL: &str = "console";
const CONSOLE_SECRET: &str = "console-secret-with-256-random-bits";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A clinic with a public device, and one that keeps a secret.
async fn clinic() -> Clinic {
    let clinic = Clinic::open().await;
    let grants = [GrantType::DeviceCode, GrantType::RefreshToken];
    let secret = ClientAuthentication::Secret(SecretDigest::of(CONSOLE_SECRET));
    for (id, authentication) in [(MONITOR, ClientAuthentication::Public), (CONFIDENTIAL, secret)] {
        clinic
            .issuer
            .add_client(client(id, authentication, &grants, &[], REGISTERED))
            .await;
    }
    clinic
}

async fn ask(clinic: &Clinic, fields: &[(&str, &str)]) -> Answer {
    clinic
        .browser()
        .post("/oauth2/device_authorization", fields)
        .await
}

/// The codes that the public device gets for `scope`.
async fn codes(clinic: &Clinic, scope: &str) -> (String, String) {
    let answer = ask(clinic, &[("client_id", MONITOR), ("scope", scope)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    let text = |name: &str| String::from(body[name].as_str().unwrap());
    (text("device_code"), text("user_code"))
}

async fn poll(clinic: &Clinic, device_code: &str) -> Answer {
    let fields = [
        ("grant_type", GRANT),
        ("device_code", device_code),
        ("client_id", MONITOR),
    ];
    clinic.token(&fields).await
}

async fn signed_in(clinic: &Clinic, email: &str) -> Browser {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await.location();
    browser
}

/// Types a code.
async fn type_code(browser: &Browser, user_code: &str) -> Answer {
    let token = browser.get("/device").await.field("form_token");
    browser
        .post("/device", &[("form_token", &token), ("user_code", user_code)])
        .await
}

/// Answers the page on which a code led.
async fn decide(browser: &Browser, page: &Answer, decision: &str) -> Answer {
    let (token, user_code) = (page.field("form_token"), page.field("user_code"));
    let fields = [
        ("form_token", token.as_str()),
        ("user_code", user_code.as_str()),
        ("decision", decision),
    ];
    browser.post("/device", &fields).await
}

async fn allow(clinic: &Clinic, user_code: &str) {
    let browser = signed_in(clinic, PATIENT).await;
    let page = type_code(&browser, user_code).await;
    let done = decide(&browser, &page, "allow").await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
}

#[tokio::test]
async fn a_device_gets_two_codes() {
    let clinic = clinic().await;
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let answer = ask(&clinic, &[("client_id", MONITOR), ("scope", "openid")]).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        let (device_code, user_code) = (
            body["device_code"].as_str().unwrap(),
            body["user_code"].as_str().unwrap(),
        );
        assert_eq!(
            device_code.strip_prefix("wgd_").unwrap().len(),
            43,
            "256 bits in base64url"
        );
        let letters = user_code.replace('-', "");
        assert!(user_code.len() == 9 && letters.len() == 8 && user_code.as_bytes()[4] == b'-');
        assert!(
            letters
                .chars()
                .all(|letter| "BCDFGHJKLMNPQRSTVWXZ".contains(letter))
        );
        assert_eq!(body["verification_uri"], format!("{ISSUER}/device"));
        assert_eq!(
            body["verification_uri_complete"],
            format!("{ISSUER}/device?user_code={user_code}")
        );
        assert_eq!(
            (&body["expires_in"], &body["interval"]),
            (&Value::from(600), &Value::from(5))
        );
        assert!(seen.insert(String::from(device_code)) && seen.insert(letters));
    }
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.client_id.as_deref()),
        (
            AuditAction::DeviceAuthorization,
            AuditOutcome::Success,
            Some(MONITOR)
        )
    );
}

#[tokio::test]
async fn code_page_consent_tokens() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid patient/*.read offline_access").await;
    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "authorization_pending");
    let browser = clinic.browser();
    let to_login = browser.get(&format!("/device?user_code={user_code}")).await;
    let signed_in = browser.sign_in(to_login.location(), PATIENT, PASSWORD).await;
    assert_eq!(signed_in.location(), format!("/device?user_code={user_code}"));
    let prefilled = browser.get(signed_in.location()).await;
    assert!(
        prefilled.body.contains(&format!("value=\"{user_code}\"")),
        "{prefilled:?}"
    );
    assert!(
        !prefilled.body.contains("The app monitor"),
        "nothing is looked up by a link"
    );

    let sloppy = format!(" {} ", user_code.to_lowercase().replace('-', ""));
    let page = type_code(&browser, &sloppy).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    for words in [
        "The app monitor",
        "read and search all data in your health record",
        &user_code,
        PATIENT,
    ] {
        assert!(page.body.contains(words), "{words}: {page:?}");
    }
    assert!(!page.body.contains("<script"));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("form-action 'self';")
    );
    let done = decide(&browser, &page, "allow").await;
    assert!(done.body.contains("is connected"), "{done:?}");
    let actions: Vec<_> = clinic.issuer.store().audit_events(2).await.unwrap();
    let actions: Vec<_> = actions
        .iter()
        .map(|event| (event.action, event.outcome))
        .collect();
    assert_eq!(
        actions,
        [
            (AuditAction::DeviceAuthorization, AuditOutcome::Success),
            (AuditAction::Consent, AuditOutcome::Success),
        ]
    );

    let answer = poll(&clinic, &device_code).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let tokens = answer.json();
    assert_eq!(tokens["scope"], "openid patient/*.read offline_access");
    assert_eq!(tokens["patient"], "7");
    let access = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    assert_eq!(access.client_id, MONITOR);
    let id = clinic.id_claims(&tokens["id_token"], MONITOR).await.into_claims();
    assert_eq!((id.subject, id.nonce), (access.subject, None));
    let refreshed = clinic
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("client_id", MONITOR),
        ])
        .await;
    assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");

    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    assert!(
        clinic.is_live(&tokens["access_token"]).await,
        "a late poll ends nothing"
    );
    assert!(
        type_code(&browser, &user_code)
            .await
            .body
            .contains("no device that waits")
    );
}

#[tokio::test]
async fn a_no_is_told_to_the_device() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid").await;
    let browser = signed_in(&clinic, PATIENT).await;
    let page = type_code(&browser, &user_code).await;
    assert!(
        decide(&browser, &page, "deny")
            .await
            .body
            .contains("is not connected")
    );
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::Consent, AuditOutcome::Failure)
    );
    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "access_denied");
    decide(&browser, &page, "allow")
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "access_denied");
}

#[tokio::test]
async fn a_device_that_asks_too_often_has_to_wait_longer() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid").await;
    // The wait grows from 5 to 10 and 15 seconds, and each poll starts it anew.
    for (seconds, code) in [
        (0, "authorization_pending"),
        (5, "authorization_pending"),
        (4, "slow_down"),
        (9, "slow_down"),
        (14, "slow_down"),
        (20, "authorization_pending"),
        (19, "slow_down"),
    ] {
        clinic.issuer.advance(seconds);
        poll(&clinic, &device_code)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, code);
    }
    allow(&clinic, &user_code).await;
    assert_eq!(
        poll(&clinic, &device_code).await.status,
        StatusCode::OK,
        "an answer is told at once"
    );
}

#[tokio::test]
async fn codes_die_after_ten_minutes_and_the_device_hears_it() {
    let clinic = clinic().await;
    let (unanswered, user_code) = codes(&clinic, "openid").await;
    let (approved, approved_code) = codes(&clinic, "openid").await;
    allow(&clinic, &approved_code).await;
    let browser = signed_in(&clinic, PATIENT).await;
    clinic.issuer.advance(599);
    let page = type_code(&browser, &user_code).await;
    assert_eq!(page.status, StatusCode::OK);
    clinic.issuer.advance(1);
    decide(&browser, &page, "allow")
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert!(
        type_code(&browser, &user_code)
            .await
            .body
            .contains("no device that waits")
    );
    clinic
        .issuer
        .store()
        .purge_expired(clinic.issuer.now())
        .await
        .unwrap();
    for code in [&unanswered, &approved] {
        poll(&clinic, code)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "expired_token");
    }
    clinic.issuer.advance(3600);
    clinic
        .issuer
        .store()
        .purge_expired(clinic.issuer.now())
        .await
        .unwrap();
    poll(&clinic, &unanswered)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
}

#[tokio::test]
async fn a_purge_leaves_what_was_approved_and_not_fetched_yet() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid").await;
    allow(&clinic, &user_code).await;
    clinic.issuer.advance(300);
    clinic
        .issuer
        .store()
        .purge_expired(clinic.issuer.now())
        .await
        .unwrap();
    assert_eq!(poll(&clinic, &device_code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_device_code_is_bound_to_its_client() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid").await;
    allow(&clinic, &user_code).await;
    let stolen = [
        ("grant_type", GRANT),
        ("device_code", device_code.as_str()),
        ("client_id", CONFIDENTIAL),
        ("client_secret", CONSOLE_SECRET),
    ];
    clinic
        .token(&stolen)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    clinic
        .token(&[
            ("grant_type", GRANT),
            ("device_code", &device_code),
            ("client_id", APP),
        ])
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "unauthorized_client");
    clinic
        .token(&[("grant_type", GRANT), ("client_id", MONITOR)])
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    poll(&clinic, "wgd_x")
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    assert_eq!(
        poll(&clinic, &device_code).await.status,
        StatusCode::OK,
        "no harm was done"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_polls_of_an_approved_code_one_gets_tokens() {
    let clinic = std::sync::Arc::new(clinic().await);
    let (device_code, user_code) = codes(&clinic, "openid offline_access").await;
    allow(&clinic, &user_code).await;
    let mut racers = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (clinic, device_code) = (clinic.clone(), device_code.clone());
        racers.spawn(async move { poll(&clinic, &device_code).await });
    }
    let (mut won, mut lost) = (Vec::new(), 0);
    for answer in racers.join_all().await {
        if answer.status == StatusCode::OK {
            won.push(answer.json());
        } else {
            answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
            lost += 1;
        }
    }
    assert_eq!((won.len(), lost), (1, 23));
    assert!(clinic.is_live(&won[0]["access_token"]).await);
}

#[tokio::test]
async fn requests_of_devices_are_refused_for_a_reason() {
    let clinic = clinic().await;
    let bad = StatusCode::BAD_REQUEST;
    for (fields, status, code) in [
        (
            vec![("client_id", APP), ("scope", "openid")],
            bad,
            "unauthorized_client",
        ),
        (vec![("client_id", MONITOR)], bad, "invalid_scope"),
        (
            vec![("client_id", MONITOR), ("scope", "a  b")],
            bad,
            "invalid_scope",
        ),
        (
            vec![("client_id", MONITOR), ("scope", "system/*.rs")],
            bad,
            "invalid_scope",
        ),
        (
            vec![
                ("client_id", MONITOR),
                ("scope", "openid"),
                ("resource", "https://x.example"),
            ],
            bad,
            "invalid_target",
        ),
        (
            vec![("client_id", MONITOR), ("scope", "openid"), ("scope", "openid")],
            bad,
            "invalid_request",
        ),
        (
            vec![("client_id", "nobody"), ("scope", "openid")],
            StatusCode::UNAUTHORIZED,
            "invalid_client",
        ),
        (
            vec![("client_id", CONFIDENTIAL), ("scope", "openid")],
            StatusCode::UNAUTHORIZED,
            "invalid_client",
        ),
        (
            vec![("scope", "openid")],
            StatusCode::UNAUTHORIZED,
            "invalid_client",
        ),
    ] {
        ask(&clinic, &fields).await.is_oauth_error(status, code);
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.action, event.outcome),
            (AuditAction::DeviceAuthorization, AuditOutcome::Failure),
            "{fields:?}"
        );
    }
    let fields = [
        ("client_id", CONFIDENTIAL),
        ("client_secret", CONSOLE_SECRET),
        ("scope", "openid"),
    ];
    assert_eq!(ask(&clinic, &fields).await.status, StatusCode::OK);
    let request = Browser::request(Method::GET, "/oauth2/device_authorization").body(Body::empty());
    let answer = clinic.browser().send(request.unwrap()).await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn a_device_gets_no_codes_for_more_scopes_than_a_token_holds() {
    let clinic = clinic().await;
    let scopes: Vec<_> = (0..200)
        .map(|number| format!("patient/Observation.rs?code={number}"))
        .collect();
    let answer = ask(&clinic, &[("client_id", MONITOR), ("scope", &scopes.join(" "))]).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_scope");
    let description = answer.json()["error_description"].to_string();
    assert!(
        description.contains("too many for one access token"),
        "{description}"
    );
}

#[tokio::test]
async fn guessing_user_codes_is_slowed_down_even_between_right_ones() {
    let clinic = clinic().await;
    let browser = signed_in(&clinic, PATIENT).await;
    for _ in 0..4 {
        let page = type_code(&browser, "BCDF-GHJK").await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        let (_, own) = codes(&clinic, "openid").await;
        assert_eq!(type_code(&browser, &own).await.status, StatusCode::OK);
    }
    assert_eq!(
        type_code(&browser, "not a code").await.status,
        StatusCode::BAD_REQUEST
    );
    let (_, own) = codes(&clinic, "openid").await;
    let held = type_code(&browser, &own).await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS, "{held:?}");
    assert_eq!(held.header("retry-after"), Some("1"));
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("throttled"));
    clinic.issuer.advance(1);
    assert_eq!(type_code(&browser, &own).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_of_another_session_code_or_site_connects_no_device() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid").await;
    let (_, other_code) = codes(&clinic, "openid").await;
    let browser = signed_in(&clinic, PATIENT).await;
    let page = type_code(&browser, &user_code).await;
    let entry_token = browser.get("/device").await.field("form_token");
    let token = page.field("form_token");
    let answer =
        |token, code, decision| vec![("form_token", token), ("user_code", code), ("decision", decision)];
    for fields in [
        answer(token.as_str(), other_code.as_str(), "allow"),
        answer(&entry_token, &user_code, "allow"),
        answer("", &user_code, "allow"),
        vec![("form_token", token.as_str()), ("user_code", user_code.as_str())],
    ] {
        browser
            .post("/device", &fields)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
    let good = answer(token.as_str(), user_code.as_str(), "allow");
    browser
        .post("/device", &answer(&token, &user_code, "perhaps"))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    clinic
        .browser()
        .post("/device", &good)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    signed_in(&clinic, PHYSICIAN)
        .await
        .post("/device", &good)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    browser
        .post_with("/device", &good, &[("sec-fetch-site", "cross-site")])
        .await
        .is_error_page(StatusCode::FORBIDDEN);
    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "authorization_pending");
    assert_eq!(browser.post("/device", &good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_person_who_can_give_nothing_leaves_the_device_waiting() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "patient/*.read").await;
    let browser = signed_in(&clinic, PHYSICIAN).await;
    let page = type_code(&browser, &user_code).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("nothing of what it asks for"), "{page:?}");
    poll(&clinic, &device_code)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "authorization_pending");
}

#[tokio::test]
async fn signing_in_for_a_device_leads_to_the_device_page_and_nowhere_else() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    assert_eq!(browser.get("/device").await.location(), "/login?device=any");
    assert_eq!(
        browser
            .get("/device?user_code=%2F%2Fevil.example")
            .await
            .location(),
        "/login?device=any"
    );
    for (device, location) in [
        ("any", "/device"),
        ("//evil.example", "/device"),
        ("bcdf ghjk", "/device?user_code=BCDF-GHJK"),
    ] {
        let browser = clinic.browser();
        let page = browser
            .get(&format!("/login?{}", form(&[("device", device)])))
            .await;
        let (token, device) = (page.field("form_token"), page.field("device"));
        let fields = [
            ("form_token", token.as_str()),
            ("device", device.as_str()),
            ("email", PATIENT),
            ("password", PASSWORD),
        ];
        assert_eq!(browser.post("/login", &fields).await.location(), location);
    }
}

#[tokio::test]
async fn a_device_s_tokens_are_bound_to_the_key_that_it_proves() {
    let clinic = clinic().await;
    let (device_code, user_code) = codes(&clinic, "openid offline_access").await;
    let key = Prover::new();
    let prove = async |fields: &[(&str, &str)]| {
        let proof = key.post("/oauth2/token", clinic.issuer.now());
        let headers = [("dpop", &*proof)];
        clinic
            .browser()
            .post_with("/oauth2/token", fields, &headers)
            .await
    };
    let fields = [
        ("grant_type", GRANT),
        ("device_code", &*device_code),
        ("client_id", MONITOR),
    ];
    prove(&fields)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "authorization_pending");
    allow(&clinic, &user_code).await;
    let tokens = prove(&fields).await.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let claims = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    assert_eq!(claims.binding(), Binding::Key(&key.thumbprint()));

    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", MONITOR),
    ];
    clinic
        .token(&fields)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    assert_eq!(prove(&fields).await.status, StatusCode::OK);
}
