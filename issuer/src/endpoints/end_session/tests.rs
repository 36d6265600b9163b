use base64ct::{Base64UrlUnpadded, Encoding};
use http::StatusCode;
use serde_json::Value;
use wardgate_shared::claims::LOGOUT_TOKEN_TYPE;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::testing::{TestIssuer, client};
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, WEB_SIGNED_OUT, changed, form,
    web_request,
};

const SESSION: &str = "__Host-wardgate_session";
const SCOPE: &str = "openid online_access patient/*.read";

/// A browser in which the patient has signed in to the web application, and the application's tokens.
async fn signed_in(clinic: &Clinic) -> (Browser, Value) {
    let browser = clinic.browser();
    let tokens = tokens_in(clinic, &browser, PATIENT).await;
    (browser, tokens)
}

async fn tokens_in(clinic: &Clinic, browser: &Browser, email: &str) -> Value {
    let scope = if email == PATIENT { SCOPE } else { "openid" };
    let code = browser
        .authorize(&web_request(scope), email)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    clinic.token(&fields).await.json()
}

fn hint(tokens: &Value) -> &str {
    tokens["id_token"].as_str().unwrap()
}

fn request(tokens: &Value) -> Vec<(&str, &str)> {
    vec![
        ("id_token_hint", hint(tokens)),
        ("post_logout_redirect_uri", WEB_SIGNED_OUT),
        ("state", "a b&c"),
    ]
}

async fn ask(browser: &Browser, parameters: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/oauth2/logout?{}", form(parameters))).await
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/").await.body.contains("You are signed in")
}

/// Asserts that the person sees an error page, is sent nowhere, and stays signed in.
async fn is_refused(clinic: &Clinic, browser: &Browser, parameters: &[(&str, &str)], reason: &str) {
    ask(browser, parameters)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.reason.as_deref()),
        (AuditAction::SignOut, AuditOutcome::Failure, Some(reason))
    );
    browser
        .post("/oauth2/logout", parameters)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert!(is_signed_in(browser).await);
}

// OUT-02
#[tokio::test]
async fn a_hint_about_who_is_signed_in_ends_the_session_and_leads_back_with_state() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let cookie = browser.cookie(SESSION).unwrap();
    let answer = ask(&browser, &request(&tokens)).await;
    assert_eq!(answer.location(), format!("{WEB_SIGNED_OUT}?state=a%20b%26c"));
    assert_eq!(browser.cookie(SESSION), None);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.client_id.as_deref()),
        (AuditAction::SignOut, AuditOutcome::Success, Some(WEB))
    );
    // Neither the cookie nor what was granted for the length of the session lives on.
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &cookie);
    assert!(!is_signed_in(&thief).await);
    assert!(!clinic.is_live(&tokens["access_token"]).await);
    let silent = form(&changed(web_request("openid"), &[("prompt", Some("none"))]));
    let answer = browser.get(&format!("/oauth2/authorize?{silent}")).await;
    answer.is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
}

// OUT-03
#[tokio::test]
async fn without_state_none_comes_back() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let parameters = changed(request(&tokens), &[("state", None)]);
    assert_eq!(ask(&browser, &parameters).await.location(), WEB_SIGNED_OUT);
}

// OUT-04
#[tokio::test]
async fn a_uri_that_is_not_registered_to_the_character_is_refused() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let with_query = format!("{WEB_SIGNED_OUT}?foo=bar");
    // A redirect URI is registered for codes only.
    for uri in [
        "https://evil.example/",
        &with_query,
        WEB_REDIRECT,
        "/",
        "https://web.example/Signed-out",
    ] {
        let parameters = changed(request(&tokens), &[("post_logout_redirect_uri", Some(uri))]);
        is_refused(&clinic, &browser, &parameters, "unregistered_redirect_uri").await;
    }
}

// OUT-05
#[tokio::test]
async fn a_hint_that_was_not_issued_here_is_refused() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let mut parts = hint(&tokens).split('.');
    let (header, claims, signature) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let none = Base64UrlUnpadded::encode_string(br#"{"alg":"none","typ":"JWT"}"#);
    let unsigned = [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
    ];
    let other_claims =
        Base64UrlUnpadded::encode_string(br#"{"iss":"https://id.example.org","sub":"x","aud":"web"}"#);
    let changed_claims = format!("{header}.{other_claims}.{signature}");
    // The same issuer URL, client and algorithm with keys of somebody else.
    let mut foreign_header: Value =
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(header).unwrap()).unwrap();
    foreign_header["kid"] = "somebody-else".into();
    let foreign = Base64UrlUnpadded::encode_string(foreign_header.to_string().as_bytes());
    let foreign = format!("{foreign}.{claims}.{signature}");
    let access_token = tokens["access_token"].as_str().unwrap();
    let logout_token = clinic
        .issuer
        .state
        .keys()
        .sign_with(
            SignatureAlgorithm::RS256,
            LOGOUT_TOKEN_TYPE,
            clinic.id_claims(&tokens["id_token"], WEB).await.into_claims(),
            clinic.issuer.now(),
            clinic.issuer.now().plus(120),
            clinic.issuer.now(),
        )
        .unwrap();
    for hint in [
        &*logout_token,
        &*unsigned[0],
        &*unsigned[1],
        &*changed_claims,
        &*foreign,
        access_token,
        "x",
    ] {
        let parameters = changed(request(&tokens), &[("id_token_hint", Some(hint))]);
        is_refused(&clinic, &browser, &parameters, "invalid_id_token_hint").await;
    }
}

#[tokio::test]
async fn a_hint_of_another_client_is_refused() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let parameters = changed(request(&tokens), &[("client_id", Some("app"))]);
    is_refused(&clinic, &browser, &parameters, "token_of_another_client").await;
    let parameters = changed(request(&tokens), &[("client_id", Some(WEB))]);
    assert!(
        ask(&browser, &parameters)
            .await
            .location()
            .starts_with(WEB_SIGNED_OUT)
    );
}

// OUT-06, OUT-07
#[tokio::test]
async fn without_a_hint_the_person_is_asked_and_sent_nowhere() {
    let clinic = Clinic::open().await;
    for parameters in [
        vec![],
        vec![("state", "x")],
        vec![("post_logout_redirect_uri", WEB_SIGNED_OUT), ("state", "x")],
        vec![("post_logout_redirect_uri", WEB_SIGNED_OUT), ("client_id", WEB)],
        vec![("post_logout_redirect_uri", "https://evil.example/")],
    ] {
        let (browser, _) = signed_in(&clinic).await;
        let page = ask(&browser, &parameters).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        assert!(page.body.contains("Sign out?"));
        assert!(
            page.header("content-security-policy")
                .unwrap()
                .contains("form-action 'self';")
        );
        assert!(is_signed_in(&browser).await);
        let token = page.field("form_token");
        let mut fields = parameters.clone();
        fields.push(("form_token", &token));
        let answer = browser.post("/oauth2/logout/confirm", &fields).await;
        assert_eq!(answer.location(), "/logout");
        assert!(browser.get("/logout").await.body.contains("You are signed out"));
        assert!(!is_signed_in(&browser).await);
    }
}

// OUT-07
#[tokio::test]
async fn a_hint_without_a_uri_leads_to_the_signed_out_page() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let answer = ask(&browser, &[("id_token_hint", hint(&tokens))]).await;
    assert_eq!(answer.location(), "/logout");
    assert!(!is_signed_in(&browser).await);
}

#[tokio::test]
async fn a_hint_about_somebody_else_asks_before_anybody_is_signed_out() {
    let clinic = Clinic::open().await;
    let (_, tokens) = signed_in(&clinic).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let page = ask(&browser, &request(&tokens)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("Ada Physician") && page.body.contains("The app web"),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://web.example;"),
        "{policy}"
    );
    assert!(is_signed_in(&browser).await);
    let names = ["id_token_hint", "post_logout_redirect_uri", "form_token"];
    let values = names.map(|name| page.field(name));
    let mut fields: Vec<(&str, &str)> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
    // Not without the page's own token, and not from another site.
    let forged = [("id_token_hint", hint(&tokens)), ("form_token", "x")];
    let answer = browser.post("/oauth2/logout/confirm", &forged).await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = browser
        .post_with("/oauth2/logout/confirm", &fields, &foreign)
        .await;
    answer.is_error_page(StatusCode::FORBIDDEN);
    assert!(is_signed_in(&browser).await);
    fields.push(("state", "x"));
    let answer = browser.post("/oauth2/logout/confirm", &fields).await;
    assert_eq!(answer.location(), format!("{WEB_SIGNED_OUT}?state=x"));
    assert!(!is_signed_in(&browser).await);
}

// OUT-09
#[tokio::test]
async fn a_post_and_an_expired_hint_will_do() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    clinic.issuer.advance(3000);
    let answer = browser.post("/oauth2/logout", &request(&tokens)).await;
    let location = String::from(answer.location());
    assert!(
        location.starts_with("/oauth2/logout?id_token_hint="),
        "{location}"
    );
    assert!(is_signed_in(&browser).await);
    let answer = browser.get(&location).await;
    assert_eq!(answer.location(), format!("{WEB_SIGNED_OUT}?state=a%20b%26c"));
    assert!(!is_signed_in(&browser).await);
    let answer = browser.post("/oauth2/logout", &[("state", "x")]).await;
    assert_eq!(answer.location(), "/oauth2/logout");
}

#[tokio::test]
async fn signing_out_again_leads_back_as_well() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    for _ in 0..2 {
        let answer = ask(&browser, &request(&tokens)).await;
        assert!(answer.location().starts_with(WEB_SIGNED_OUT));
    }
    assert_eq!(ask(&browser, &[]).await.location(), "/logout");
}

#[tokio::test]
async fn repeated_and_oversized_parameters_are_refused() {
    let clinic = Clinic::open().await;
    let (browser, tokens) = signed_in(&clinic).await;
    let mut parameters = request(&tokens);
    parameters.push(("state", "again"));
    is_refused(&clinic, &browser, &parameters, "repeated_parameter").await;
    let long = "x".repeat(2049);
    for state in [&*long, "a\nb"] {
        let parameters = changed(request(&tokens), &[("state", Some(state))]);
        is_refused(&clinic, &browser, &parameters, "invalid_state").await;
    }
}

#[tokio::test]
async fn a_loopback_port_is_not_free_after_signing_out() {
    let issuer = TestIssuer::new().await;
    let mut native = client(
        "native",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &["http://127.0.0.1/cb"],
        "openid",
    );
    native.post_logout_redirect_uris = vec![RegisteredRedirectUri::parse("http://127.0.0.1/bye").unwrap()];
    let native = issuer.add_client(native).await;
    assert!(native.post_logout_target("http://127.0.0.1/bye").is_some());
    assert!(native.post_logout_target("http://127.0.0.1:4000/bye").is_none());
}
