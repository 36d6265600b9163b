//! What OpenID Connect adds to a request, parameter by parameter, and what comes of it at the token endpoint and userinfo.

use std::collections::HashMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use wardgate_shared::claims::IdClaims;
use wardgate_shared::scope::ScopeSet;

use crate::domain::authentication_context::AuthenticationContext;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{START, client};
use crate::web::testing::{
    Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB, WEB_REDIRECT, changed, form, web_request,
};

const PASSWORD_CONTEXT: &str = AuthenticationContext::Password.as_str();

/// The answer to the confidential client's request for `openid` with these parameters besides.
async fn ask<'a>(browser: &Browser, changes: &[(&'a str, Option<&'a str>)]) -> Answer {
    let request = form(&changed(web_request("openid"), changes));
    browser.get(&format!("/oauth2/authorize?{request}")).await
}

/// The tokens for which the person agrees to such a request.
async fn tokens<'a>(clinic: &Clinic, browser: &Browser, changes: &[(&'a str, Option<&'a str>)]) -> Value {
    let request = changed(web_request("openid"), changes);
    let answer = browser.authorize(&request, PATIENT).await;
    let code = answer
        .sent("code")
        .unwrap_or_else(|| panic!("no code: {answer:?}"));
    redeem(clinic, &code).await
}

async fn redeem(clinic: &Clinic, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    let answer = clinic.token(&fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

async fn id_claims(clinic: &Clinic, tokens: &Value) -> IdClaims {
    clinic.id_claims(&tokens["id_token"], WEB).await.into_claims()
}

async fn user_info(clinic: &Clinic, tokens: &Value) -> Value {
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Browser::request(Method::GET, "/oauth2/userinfo").header("authorization", bearer);
    let request = request.body(axum::body::Body::empty()).unwrap();
    clinic.browser().send(request).await.json()
}

// OIDC-34, OIDC-43
#[tokio::test]
async fn wishes_about_the_pages_cause_no_error_and_the_pages_say_their_language() {
    let clinic = Clinic::open().await;
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("display", "touch"),
        ("display", "wap"),
        ("display", "hologram"),
        ("ui_locales", "se"),
        ("ui_locales", "fr-CA fr en"),
        ("ui_locales", "-- \u{e9}"),
        ("claims_locales", "se"),
    ] {
        let browser = clinic.browser();
        let login = ask(&browser, &[(name, Some(value))]).await;
        let page = browser.get(login.location()).await;
        assert!(page.body.contains(r#"<html lang="en">"#), "{name}={value}");
        let tokens = tokens(&clinic, &browser, &[(name, Some(value))]).await;
        assert!(tokens["id_token"].is_string(), "{name}={value}");
    }
}

// OIDC-42
#[tokio::test]
async fn a_login_hint_is_shown_and_an_impossible_one_ignored() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let login = ask(&browser, &[("login_hint", Some("buffy@id.example.org"))]).await;
    let page = browser.get(login.location()).await;
    assert!(page.body.contains(r#"value="buffy@id.example.org""#), "{page:?}");
    // Whoever signs in instead is welcome: a hint is not a demand.
    let answer = browser.sign_in(login.location(), PATIENT, PASSWORD).await;
    assert!(
        browser
            .get(answer.location())
            .await
            .location()
            .starts_with("/consent")
    );
    for impossible in ["a\nb", &"x".repeat(300)] {
        let browser = clinic.browser();
        let login = ask(&browser, &[("login_hint", Some(impossible))]).await;
        let page = browser.get(login.location()).await;
        assert!(page.body.contains(r#"maxlength="254" value="""#), "{page:?}");
    }
}

// OIDC-38
#[tokio::test]
async fn prompt_consent_asks_again_and_then_succeeds() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let changes = [
        ("scope", Some("openid offline_access")),
        ("prompt", Some("consent")),
    ];
    tokens(&clinic, &browser, &changes).await;
    assert!(ask(&browser, &changes).await.location().starts_with("/consent?"));
    assert!(tokens(&clinic, &browser, &changes).await["refresh_token"].is_string());
}

// OIDC-37
#[tokio::test]
async fn select_account_lets_somebody_else_sign_in() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = id_claims(&clinic, &tokens(&clinic, &browser, &[]).await).await;
    let request = changed(web_request("openid"), &[("prompt", Some("select_account"))]);
    let code = browser.authorize(&request, PHYSICIAN).await.sent("code").unwrap();
    let second = id_claims(&clinic, &redeem(&clinic, &code).await).await;
    assert_ne!(first.subject, second.subject);
}

// OIDC-39
#[tokio::test]
async fn max_age_that_has_passed_asks_again_and_moves_auth_time() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = id_claims(&clinic, &tokens(&clinic, &browser, &[]).await).await;
    clinic.issuer.advance(2);
    let changes = [("max_age", Some("1"))];
    assert!(ask(&browser, &changes).await.location().starts_with("/login?"));
    let second = id_claims(&clinic, &tokens(&clinic, &browser, &changes).await).await;
    assert_eq!(first.authenticated_at, Some(START));
    assert_eq!(second.authenticated_at, Some(START.plus(2)));
}

// OIDC-40
#[tokio::test]
async fn max_age_that_has_not_passed_changes_neither_auth_time_nor_sub() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let first = tokens(&clinic, &browser, &[("max_age", Some("15000"))]).await;
    let first = id_claims(&clinic, &first).await;
    clinic.issuer.advance(1);
    let answer = ask(&browser, &[("max_age", Some("10000"))]).await;
    let second = redeem(&clinic, &answer.sent("code").unwrap()).await;
    let second = id_claims(&clinic, &second).await;
    assert_eq!(first.authenticated_at, Some(START));
    assert_eq!(
        (first.authenticated_at, first.subject),
        (second.authenticated_at, second.subject)
    );
}

#[tokio::test]
async fn a_registered_default_max_age_stands_for_one_that_is_not_sent() {
    let clinic = Clinic::open().await;
    let secret = SecretDigest::of("another-secret-with-256-random-bits");
    let grants = [GrantType::AuthorizationCode];
    let redirect = "https://strict.example/cb";
    let mut strict = client(
        "strict",
        ClientAuthentication::Secret(secret),
        &grants,
        &[redirect],
        "openid",
    );
    strict.pkce_required = false;
    strict.metadata.default_max_age = Some(60);
    clinic.issuer.add_client(strict).await;
    let strict = [("client_id", Some("strict")), ("redirect_uri", Some(redirect))];
    let browser = clinic.browser();
    browser
        .authorize(&changed(web_request("openid"), &strict), PATIENT)
        .await;
    clinic.issuer.advance(60);
    assert!(ask(&browser, &strict).await.sent("code").is_some());
    clinic.issuer.advance(1);
    assert!(ask(&browser, &strict).await.location().starts_with("/login?"));
    let patient = [strict[0], strict[1], ("max_age", Some("3600"))];
    assert!(
        ask(&browser, &patient).await.sent("code").is_some(),
        "the request outranks it"
    );
}

// OIDC-44
#[tokio::test]
async fn id_token_and_access_token_say_how_the_person_signed_in_whatever_was_wished_for() {
    let clinic = Clinic::open().await;
    for changes in [
        &[][..],
        &[("acr_values", Some(PASSWORD_CONTEXT))],
        &[("acr_values", Some("1 2"))],
        &[("claims", Some(r#"{"id_token":{"acr":{"values":["phrh"]}}}"#))],
    ] {
        let tokens = tokens(&clinic, &clinic.browser(), changes).await;
        let id = id_claims(&clinic, &tokens).await;
        assert_eq!(id.authentication_context.as_deref(), Some(PASSWORD_CONTEXT));
        assert_eq!(id.authentication_methods, ["pwd"]);
        let access = clinic.access_claims(&tokens["access_token"]).await.into_claims();
        assert_eq!(access.authentication_context.as_deref(), Some(PASSWORD_CONTEXT));
    }
}

#[tokio::test]
async fn an_essential_acr_is_had_or_the_request_ends() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let claims = |acr: &str| json!({"id_token": {"acr": {"essential": true, "values": [acr]}}}).to_string();
    let had = tokens(&clinic, &browser, &[("claims", Some(&claims(PASSWORD_CONTEXT)))]).await;
    let id = id_claims(&clinic, &had).await;
    assert_eq!(id.authentication_context.as_deref(), Some(PASSWORD_CONTEXT));
    let answer = ask(&browser, &[("claims", Some(&claims("phrh")))]).await;
    answer.is_error_redirect(WEB_REDIRECT, "unmet_authentication_requirements", Some("xyz123"));
}

// OIDC-45, OIDC-66
#[tokio::test]
async fn a_claim_asked_for_by_name_is_told_where_it_was_asked_for() {
    let clinic = Clinic::open().await;
    let claims = r#"{"userinfo":{"name":{"essential":true}}}"#;
    let asked = tokens(&clinic, &clinic.browser(), &[("claims", Some(claims))]).await;
    let id = id_claims(&clinic, &asked).await;
    assert!(id.asked.is_empty(), "{id:?}");
    let told = user_info(&clinic, &asked).await;
    assert_eq!(told, json!({"sub": id.subject, "name": "Pat Patient"}));

    let claims =
        r#"{"id_token":{"given_name":null,"email":null,"fhirUser":null,"auth_time":{"essential":true}}}"#;
    let asked = tokens(&clinic, &clinic.browser(), &[("claims", Some(claims))]).await;
    let id = id_claims(&clinic, &asked).await;
    assert_eq!(
        Value::from(id.asked),
        json!({"given_name": "Pat", "email": PATIENT})
    );
    assert_eq!(
        id.fhir_user.as_deref(),
        Some("https://api.example.org/fhir/Patient/7")
    );
    assert_eq!(id.authenticated_at, Some(START));
    assert_eq!(user_info(&clinic, &asked).await, json!({"sub": id.subject}));
}

// FAPI-19
#[tokio::test]
async fn every_claim_can_be_asked_for_and_unknown_ones_cause_no_error() {
    let clinic = Clinic::open().await;
    let discovery = clinic
        .browser()
        .get("/.well-known/openid-configuration")
        .await
        .json();
    let mut names: Vec<&str> = discovery["claims_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    names.extend(["unknown", "https://claims.example/groups"]);
    let member: serde_json::Map<_, _> = names.iter().map(|name| ((*name).into(), Value::Null)).collect();
    let claims = json!({"userinfo": member, "id_token": member, "unknown": 1}).to_string();
    let request = [("claims", Some(&*claims)), ("nonce", Some("n-1"))];
    let asked = tokens(&clinic, &clinic.browser(), &request).await;
    let id = serde_json::to_value(id_claims(&clinic, &asked).await).unwrap();
    let told = user_info(&clinic, &asked).await;
    for name in discovery["claims_supported"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        // `exp` and `iat` are read by the verifier.
        assert!(
            id.get(name).is_some() || ["exp", "iat"].contains(&name),
            "{name} in the ID token"
        );
    }
    for name in [
        "name",
        "birthdate",
        "email_verified",
        "phone_number_verified",
        "address",
        "fhirUser",
    ] {
        assert_eq!(told[name], id[name], "{name}");
    }
}

#[tokio::test]
async fn the_person_is_asked_about_claims_in_plain_words_and_remembered_for_them() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    tokens(&clinic, &browser, &[]).await;
    let claims = [(
        "claims",
        Some(r#"{"userinfo":{"birthdate":null},"id_token":{"address":null}}"#),
    )];
    let consent = ask(&browser, &claims).await;
    assert!(consent.location().starts_with("/consent?"), "{consent:?}");
    let page = browser.get(consent.location()).await;
    for words in ["see your date of birth", "see your postal address"] {
        assert!(page.body.contains(words), "{page:?}");
    }
    let silent = [claims[0], ("prompt", Some("none"))];
    ask(&browser, &silent)
        .await
        .is_error_redirect(WEB_REDIRECT, "consent_required", Some("xyz123"));
    browser.decide(consent.location(), "allow").await;
    assert!(ask(&browser, &silent).await.sent("code").is_some());
    let more = [("claims", Some(r#"{"userinfo":{"gender":null}}"#))];
    assert!(ask(&browser, &more).await.location().starts_with("/consent?"));
    // What an agreed scope opens at userinfo needs no second answer.
    tokens(&clinic, &browser, &[("scope", Some("openid profile"))]).await;
    let within = [("scope", Some("openid profile")), more[0]];
    assert!(ask(&browser, &within).await.sent("code").is_some());
}

#[tokio::test]
async fn claims_beyond_what_the_client_is_registered_for_are_neither_asked_for_nor_told() {
    let clinic = Clinic::with_web_client(|web| web.scope = ScopeSet::parse("openid profile").unwrap()).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let claims = [(
        "claims",
        Some(r#"{"userinfo":{"email":{"essential":true},"gender":null},"id_token":{"address":null}}"#),
    )];
    let consent = ask(&browser, &claims).await;
    let page = browser.get(consent.location()).await;
    assert!(page.body.contains("see your gender"), "{page:?}");
    for words in ["see your e-mail address", "see your postal address"] {
        assert!(!page.body.contains(words), "{page:?}");
    }
    let code = browser
        .decide(consent.location(), "allow")
        .await
        .sent("code")
        .unwrap();
    let tokens = redeem(&clinic, &code).await;
    let told = user_info(&clinic, &tokens).await;
    assert!(
        told.get("gender").is_some() && told.get("email").is_none(),
        "{told}"
    );
    let id = serde_json::to_value(id_claims(&clinic, &tokens).await).unwrap();
    assert!(id.get("address").is_none(), "{id}");
}

#[tokio::test]
async fn a_sub_that_names_somebody_else_is_login_required() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let patient = id_claims(&clinic, &tokens(&clinic, &browser, &[]).await)
        .await
        .subject;
    let claims = |subject: &str| json!({"id_token": {"sub": {"value": subject}}}).to_string();
    let (own, unknown) = (claims(&patient), claims("user-AAAAAAAAAAAAAAAAAAAAAA"));
    let silent = ("prompt", Some("none"));
    assert!(
        ask(&browser, &[("claims", Some(&own)), silent])
            .await
            .sent("code")
            .is_some()
    );
    let other = clinic.browser();
    other.authorize(&web_request("openid"), PHYSICIAN).await;
    clinic.issuer.advance(1);
    for claims in [&own, &unknown] {
        ask(&other, &[("claims", Some(claims)), silent])
            .await
            .is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
    }
    // Whom nobody can be nobody can sign in as.
    let login = ask(&browser, &[("claims", Some(&unknown))]).await;
    clinic.issuer.advance(1);
    let answer = browser.sign_in(login.location(), PATIENT, PASSWORD).await;
    browser
        .get(answer.location())
        .await
        .is_error_redirect(WEB_REDIRECT, "login_required", Some("xyz123"));
}

#[tokio::test]
async fn claims_that_cannot_be_read_are_refused_and_without_openid_not_read() {
    let clinic = Clinic::open().await;
    for claims in [
        "name",
        r#"{"userinfo":{"name":null,"name":null}}"#,
        r#"{"id_token":{"sub":{"values":["a","b"]}}}"#,
    ] {
        let answer = ask(&clinic.browser(), &[("claims", Some(claims))]).await;
        answer.is_error_redirect(WEB_REDIRECT, "invalid_request", Some("xyz123"));
        let plain = [("claims", Some(claims)), ("scope", Some("user/*.rs"))];
        let answer = ask(&clinic.browser(), &plain).await;
        assert!(answer.location().starts_with("/login?"), "{answer:?}");
    }
}

// OIDC-29
#[tokio::test]
async fn a_code_is_long_and_random_enough() {
    let clinic = Clinic::open().await;
    let code = clinic
        .browser()
        .authorize(&web_request("openid"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    let mut counts: HashMap<u8, f64> = HashMap::new();
    for byte in code.bytes() {
        *counts.entry(byte).or_default() += 1.0;
    }
    let length = f64::from(u32::try_from(code.len()).unwrap());
    let per_character: f64 = counts
        .values()
        .map(|count| -(count / length) * (count / length).log2())
        .sum();
    assert!(per_character * length > 128.0, "{code}");
}
