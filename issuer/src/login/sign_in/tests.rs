use axum::body::Body;
use http::{Method, StatusCode, header};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::user::User;
use crate::testing::{START, user};
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, app_request, changed, form,
};

const SESSION: &str = "__Host-wardgate_session";

#[tokio::test]
async fn signing_in_sets_a_host_bound_cookie_and_goes_home() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let answer = browser.sign_in("/login", "  PAT@Example.org ", PASSWORD).await;
    assert_eq!(answer.location(), "/");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-wardgate_session=wgs_"), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert!(browser.get("/").await.body.contains("Pat Patient"));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SignIn, AuditOutcome::Success)
    );
    assert_eq!(
        (event.method.as_deref(), event.ip_address),
        (Some("pwd"), Some("192.0.2.7".parse().unwrap()))
    );
    assert!(event.user_id.is_some());
}

#[tokio::test]
async fn over_http_the_cookie_has_its_plain_name() {
    let clinic = Clinic::with_config(|config| {
        config.server.public_url = crate::config::PublicUrl::parse("http://localhost:8788").unwrap();
    })
    .await;
    let answer = clinic.browser().sign_in("/login", PATIENT, PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("wardgate_session=wgs_") && !cookie.contains("Secure"),
        "{cookie}"
    );
    assert_eq!(answer.header("strict-transport-security"), None);
}

async fn attempt(clinic: &Clinic, email: &str, password: &str) -> Answer {
    clinic.browser().sign_in("/login", email, password).await
}

/// A page without what differs by the address typed and the browser's own token.
fn without_own_values(answer: &Answer, email: &str) -> String {
    answer
        .body
        .replace(email, "ADDRESS")
        .replace(&answer.field("form_token"), "TOKEN")
}

#[tokio::test]
async fn wrong_password_unknown_and_deactivated_accounts_look_the_same() {
    let clinic = Clinic::open().await;
    let hash = clinic
        .issuer
        .state
        .passwords()
        .hash(Secret::new(PASSWORD.into()))
        .await
        .unwrap();
    let gone = User {
        password_hash: Some(hash),
        deactivated_at: Some(START),
        ..user("gone@example.org")
    };
    clinic.issuer.insert_user(gone).await;
    clinic.issuer.insert_user(user("elsewhere@example.org")).await;
    let mut pages = Vec::new();
    for (email, password, reason) in [
        (PATIENT, "wrong", "wrong_password"),
        ("nobody@example.org", PASSWORD, "unknown_account"),
        ("gone@example.org", PASSWORD, "deactivated_account"),
        ("elsewhere@example.org", PASSWORD, "wrong_password"),
    ] {
        let answer = attempt(&clinic, email, password).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.headers.get_all(header::SET_COOKIE).iter().next().is_none());
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("aria-invalid=\"true\""));
        assert!(!answer.body.contains(password), "the password never comes back");
        pages.push(without_own_values(&answer, email));
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.outcome, event.reason.as_deref()),
            (AuditOutcome::Failure, Some(reason))
        );
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
}

#[tokio::test]
async fn missing_fields_are_asked_for_again() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    for (email, step, wanted) in [
        ("", "", "your e-mail address"),
        (PATIENT, "password", "your password"),
    ] {
        let fields = [
            ("form_token", token.as_str()),
            ("email", email),
            ("password", ""),
            ("step", step),
        ];
        let answer = browser.post("/login", &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains(wanted), "{answer:?}");
    }
}

#[tokio::test]
async fn the_address_comes_first_and_nothing_tells_whether_it_has_an_account() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    assert!(!page.body.contains("type=\"password\""), "{page:?}");
    let token = page.field("form_token");
    let mut pages = Vec::new();
    for email in [PATIENT, "nobody@clinic.example"] {
        let fields = [("form_token", token.as_str()), ("email", email)];
        let answer = browser.post("/login", &fields).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer.body.contains("autocomplete=\"current-password\""),
            "{answer:?}"
        );
        pages.push(without_own_values(&answer, email));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let clinic = Clinic::open().await;
    for _ in 0..5 {
        assert_eq!(
            attempt(&clinic, PATIENT, "wrong").await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let answer = attempt(&clinic, PATIENT, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let event = clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some("throttled"));
    assert!(event.user_id.is_some(), "the trail says whose account it was");
    assert_eq!(
        attempt(&clinic, PHYSICIAN, PASSWORD).await.location(),
        "/",
        "another account is free"
    );
    clinic.issuer.advance(1);
    assert_eq!(attempt(&clinic, PATIENT, PASSWORD).await.location(), "/");
}

#[tokio::test]
async fn guesses_at_once_are_bounded() {
    let clinic = std::sync::Arc::new(Clinic::open().await);
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let clinic = clinic.clone();
            tokio::spawn(async move { attempt(&clinic, PATIENT, "wrong").await.status })
        })
        .collect();
    let mut looked_at = 0;
    for task in tasks {
        looked_at += u32::from(task.await.unwrap() == StatusCode::BAD_REQUEST);
    }
    assert_eq!(looked_at, 5);
}

/// Thirty different people type wrong passwords at one address; then somebody else signs in.
async fn after_thirty_typing_errors(clinic: &Clinic) -> Answer {
    for number in 0..30 {
        let email = format!("{number}@example.org");
        let answer = attempt(clinic, &email, "wrong").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    }
    attempt(clinic, PHYSICIAN, PASSWORD).await
}

#[tokio::test]
async fn typing_errors_behind_one_address_hold_a_colleague_back_for_seconds_only() {
    let clinic = Clinic::open().await;
    let answer = after_thirty_typing_errors(&clinic).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: i64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    clinic.issuer.advance(seconds);
    assert_eq!(attempt(&clinic, PHYSICIAN, PASSWORD).await.location(), "/");
}

#[tokio::test]
async fn typing_errors_from_an_address_that_all_share_hold_nobody_else_back() {
    let clinic = Clinic::with_config(|config| {
        config.server.trusted_proxies = vec![crate::config::IpNetwork::parse("192.0.2.0/24").unwrap()];
    })
    .await;
    assert_eq!(after_thirty_typing_errors(&clinic).await.location(), "/");
}

#[tokio::test]
async fn a_form_without_the_browser_s_own_token_is_refused() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    let stranger = clinic.browser();
    let stranger_token = stranger.get("/login").await.field("form_token");
    let fields = |token| [("form_token", token), ("email", PATIENT), ("password", PASSWORD)];
    for (browser, token) in [
        (&browser, stranger_token.as_str()),
        (&browser, "x"),
        (&browser, ""),
        (&clinic.browser(), token.as_str()),
    ] {
        browser
            .post("/login", &fields(token))
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
        assert_eq!(browser.cookie(SESSION), None);
    }
    browser
        .post("/login", &[("email", PATIENT), ("password", PASSWORD)])
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert_eq!(browser.post("/login", &fields(&token)).await.location(), "/");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_even_with_the_token() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("email", PATIENT),
        ("password", PASSWORD),
    ];
    for headers in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        browser
            .post_with("/login", &fields, &[headers])
            .await
            .is_error_page(StatusCode::FORBIDDEN);
    }
    let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    assert_eq!(browser.post_with("/login", &fields, &own).await.location(), "/");
}

#[tokio::test]
async fn a_sign_in_leads_to_the_stored_request_or_home_and_nowhere_else() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let token = browser
        .get("/login?next=https://evil.example&return_to=//evil.example")
        .await
        .field("form_token");
    let mut fields = vec![
        ("form_token", token.as_str()),
        ("email", PATIENT),
        ("password", PASSWORD),
    ];
    for request in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "wga_x\r\nLocation: https://evil.example",
    ] {
        fields.push(("request", request));
        browser
            .post("/login", &fields)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
        fields.pop();
    }
    fields.push(("next", "https://evil.example"));
    assert_eq!(browser.post("/login", &fields).await.location(), "/");
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&app_request("openid"))))
        .await;
    assert!(answer.location().starts_with("/consent?request=wga_"));
}

#[tokio::test]
async fn every_sign_in_has_a_session_of_its_own() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    // A cookie planted by somebody else is not taken over.
    browser.set_cookie(SESSION, "wgs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let first = browser.cookie(SESSION).unwrap();
    assert_ne!(first, "wgs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), first);
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &first);
    assert!(
        !thief.get("/").await.body.contains("Pat Patient"),
        "the replaced session is over"
    );
    assert!(browser.get("/").await.body.contains("Pat Patient"));
}

#[tokio::test]
async fn the_page_names_the_app_and_fills_in_the_hint() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let request = changed(
        app_request("openid"),
        &[("login_hint", Some("pat\"><script>@example.org"))],
    );
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&request)))
        .await;
    let page = browser.get(answer.location()).await;
    assert!(page.body.contains("The app app"), "{page:?}");
    assert!(!page.body.contains("<script>"), "{page:?}");
    assert!(
        page.body.contains("autocomplete=\"username webauthn\""),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example;"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_repeated_field_is_refused() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("email", PATIENT),
        ("email", PHYSICIAN),
        ("password", PASSWORD),
    ];
    browser
        .post("/login", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let clinic = Clinic::open().await;
    let request = Browser::request(Method::POST, "/login").header(header::CONTENT_TYPE, "text/plain");
    let answer = clinic
        .browser()
        .send(request.body(Body::from("email=x")).unwrap())
        .await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_outdated_hash_is_renewed_and_a_present_one_kept() {
    let clinic = Clinic::open().await;
    let mut other = clinic.issuer.state.config().passwords.clone();
    other.iterations += 1;
    let outdated = crate::password::Passwords::new(&other)
        .unwrap()
        .hash(Secret::new(PASSWORD.into()))
        .await
        .unwrap();
    let account = User {
        password_hash: Some(outdated.clone()),
        ..user("old@example.org")
    };
    clinic.issuer.insert_user(account).await;
    let stored = async || {
        let account = clinic
            .issuer
            .store()
            .user_by_email("old@example.org")
            .await
            .unwrap()
            .unwrap();
        account.password_hash.unwrap()
    };
    assert_eq!(
        attempt(&clinic, "old@example.org", "wrong").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(stored().await, outdated);
    assert_eq!(
        attempt(&clinic, "old@example.org", PASSWORD).await.location(),
        "/"
    );
    let renewed = stored().await;
    assert!(renewed != outdated);
    assert_eq!(
        attempt(&clinic, "old@example.org", PASSWORD).await.location(),
        "/"
    );
    assert_eq!(stored().await, renewed);
}
