//! Pairwise subjects, wherever a client meets them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::domain::client::{ClientAuthentication, GrantType, SubjectType};
use crate::domain::digest::SecretDigest;
use crate::testing::client;
use crate::web::testing::{Browser, Clinic, PATIENT, PHYSICIAN, changed, form, web_request};

const SECRET: &str = "pairwise-secret-with-256-random-bits";

/// Registers a client that is told pairwise subjects.
async fn register(clinic: &Clinic, client_id: &str, redirect_uri: &str, sector: Option<&str>) {
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let secret = ClientAuthentication::Secret(SecretDigest::of(SECRET));
    let mut registered = client(
        client_id,
        secret,
        &grants,
        &[redirect_uri],
        "openid offline_access",
    );
    registered.pkce_required = false;
    registered.metadata.subject_type = SubjectType::Pairwise;
    registered.metadata.sector_identifier_uri = sector.map(String::from);
    clinic.issuer.add_client(registered).await;
}

fn request<'a>(client_id: &'a str, redirect_uri: &'a str) -> Vec<(&'a str, &'a str)> {
    let changes = [
        ("client_id", Some(client_id)),
        ("redirect_uri", Some(redirect_uri)),
    ];
    changed(web_request("openid offline_access"), &changes)
}

async fn tokens(
    clinic: &Clinic,
    browser: &Browser,
    client_id: &str,
    redirect_uri: &str,
    email: &str,
) -> Value {
    let answer = browser.authorize(&request(client_id, redirect_uri), email).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*answer.sent("code").unwrap()),
        ("redirect_uri", redirect_uri),
        ("client_id", client_id),
        ("client_secret", SECRET),
    ];
    let answer = clinic.token(&fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn subject(clinic: &Clinic, tokens: &Value, client_id: &str) -> String {
    clinic
        .id_claims(&tokens["id_token"], client_id)
        .await
        .into_claims()
        .subject
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

const ONE: (&str, &str) = ("one", "https://one.example/cb");

#[tokio::test]
async fn a_sector_is_told_one_name_and_another_sector_another() {
    let clinic = Clinic::open().await;
    register(&clinic, ONE.0, ONE.1, None).await;
    register(&clinic, "sister", "https://one.example/sister", None).await;
    register(&clinic, "other", "https://other.example/cb", None).await;
    register(
        &clinic,
        "joined",
        "https://joined.example/cb",
        Some("https://one.example/uris.json"),
    )
    .await;
    let mut names = Vec::new();
    for (client_id, redirect_uri) in [
        ONE,
        ("sister", "https://one.example/sister"),
        ("joined", "https://joined.example/cb"),
        ("other", "https://other.example/cb"),
    ] {
        let tokens = tokens(&clinic, &clinic.browser(), client_id, redirect_uri, PATIENT).await;
        names.push(subject(&clinic, &tokens, client_id).await);
    }
    assert_eq!(names[0], names[1]);
    assert_eq!(names[0], names[2]);
    assert_ne!(names[0], names[3]);
    let user = clinic
        .issuer
        .store()
        .user_by_email(PATIENT)
        .await
        .unwrap()
        .unwrap();
    assert!(!names.contains(&user.id));
    let again = tokens(&clinic, &clinic.browser(), ONE.0, ONE.1, PATIENT).await;
    assert_eq!(subject(&clinic, &again, ONE.0).await, names[0]);
    let physician = tokens(&clinic, &clinic.browser(), ONE.0, ONE.1, PHYSICIAN).await;
    assert_ne!(subject(&clinic, &physician, ONE.0).await, names[0]);
}

// SMART-70
#[tokio::test]
async fn the_name_is_the_same_in_every_token_at_userinfo_and_introspection() {
    let clinic = Clinic::open().await;
    register(&clinic, ONE.0, ONE.1, None).await;
    let first = tokens(&clinic, &clinic.browser(), ONE.0, ONE.1, PATIENT).await;
    let name = subject(&clinic, &first, ONE.0).await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&first, "refresh_token")),
        ("client_id", ONE.0),
        ("client_secret", SECRET),
    ];
    let second = clinic.token(&fields).await.json();
    for tokens in [&first, &second] {
        let access = clinic.access_claims(&tokens["access_token"]).await.into_claims();
        assert_eq!(access.subject, name);
    }
    let bearer = format!("Bearer {}", text(&second, "access_token"));
    let request = Browser::request(Method::GET, "/oauth2/userinfo").header("authorization", bearer);
    let request = request.body(axum::body::Body::empty()).unwrap();
    assert_eq!(clinic.browser().send(request).await.json(), json!({"sub": name}));
    for token in ["access_token", "refresh_token"] {
        let fields = [
            ("token", text(&second, token)),
            ("client_id", ONE.0),
            ("client_secret", SECRET),
        ];
        let told = clinic.browser().post("/oauth2/introspect", &fields).await.json();
        assert_eq!(
            (&told["active"], &told["sub"]),
            (&json!(true), &json!(name)),
            "{token}"
        );
    }
    // The audit trail names the account all the same.
    let fields = [
        ("token", text(&second, "access_token")),
        ("client_id", ONE.0),
        ("client_secret", SECRET),
    ];
    clinic.browser().post("/oauth2/revoke", &fields).await;
    let user = clinic
        .issuer
        .store()
        .user_by_email(PATIENT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(clinic.last_audit().await.user_id, Some(user.id));
}

#[tokio::test]
async fn hints_lead_back_to_the_person() {
    let clinic = Clinic::open().await;
    register(&clinic, ONE.0, ONE.1, None).await;
    let browser = clinic.browser();
    let own = tokens(&clinic, &browser, ONE.0, ONE.1, PATIENT).await;
    let claims = json!({"id_token": {"sub": {"value": subject(&clinic, &own, ONE.0).await}}}).to_string();
    let hints = [("id_token_hint", text(&own, "id_token")), ("claims", &*claims)];
    let other = clinic.browser();
    tokens(&clinic, &other, ONE.0, ONE.1, PHYSICIAN).await;
    clinic.issuer.advance(1);
    for hint in hints {
        let mut request = request(ONE.0, ONE.1);
        request.extend([hint, ("prompt", "none")]);
        let path = format!("/oauth2/authorize?{}", form(&request));
        assert!(browser.get(&path).await.sent("code").is_some(), "{}", hint.0);
        let answer = other.get(&path).await;
        answer.is_error_redirect(ONE.1, "login_required", Some("xyz123"));
    }
    let logout = form(&[("id_token_hint", text(&own, "id_token"))]);
    browser.get(&format!("/oauth2/logout?{logout}")).await;
    assert!(!browser.get("/").await.body.contains("You are signed in"));
    other.get(&format!("/oauth2/logout?{logout}")).await;
    assert!(other.get("/").await.body.contains("You are signed in"));
}

#[tokio::test]
async fn a_pairwise_client_cannot_ask_who_an_account_or_another_sectors_name_is() {
    let clinic = Clinic::open().await;
    register(&clinic, ONE.0, ONE.1, None).await;
    register(&clinic, "other", "https://other.example/cb", None).await;
    let browser = clinic.browser();
    tokens(&clinic, &browser, ONE.0, ONE.1, PATIENT).await;
    let other = tokens(&clinic, &browser, "other", "https://other.example/cb", PATIENT).await;
    let user = clinic
        .issuer
        .store()
        .user_by_email(PATIENT)
        .await
        .unwrap()
        .unwrap();
    for foreign in [user.id, subject(&clinic, &other, "other").await] {
        let claims = json!({"userinfo": {"sub": {"value": foreign}}}).to_string();
        let mut request = request(ONE.0, ONE.1);
        request.extend([("claims", &*claims), ("prompt", "none")]);
        let answer = browser
            .get(&format!("/oauth2/authorize?{}", form(&request)))
            .await;
        answer.is_error_redirect(ONE.1, "login_required", Some("xyz123"));
    }
}
