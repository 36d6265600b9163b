use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use wardgate_shared::claims::LaunchContext;
use wardgate_shared::jwt::{MAXIMUM_JWT_BYTES, SignatureAlgorithm, UnverifiedJwt};
use wardgate_shared::scope::ScopeSet;

use super::SCOPE;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::grant::Grant;
use crate::domain::launch::LaunchParameters;
use crate::domain::person_claim::AskedClaims;
use crate::domain::user::User;
use crate::testing::{AUDIENCE, ISSUER, START, user};
use crate::tokens::signed::{self, AccessTokenFacts, Subject};
use crate::web::testing::{
    APP, Answer, Browser, Clinic, PATIENT, SERVICE, VERIFIER, WEB, WEB_REDIRECT, basic, web_request,
};

const GRANTED: &str = "openid fhirUser launch/patient patient/*.read offline_access";

/// Asks with these headers.
async fn ask(clinic: &Clinic, token: &str, headers: &[(&str, &str)]) -> Answer {
    clinic
        .browser()
        .post_with("/oauth2/introspect", &[("token", token)], headers)
        .await
}

/// An access token of a resource server's own.
async fn monitor(clinic: &Clinic) -> String {
    let (client, secret) = clinic.issuer.add_service_client("monitor", SCOPE).await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &*client.client_id),
        ("client_secret", &*secret),
    ];
    let answer = clinic.token(&fields).await.json();
    assert_eq!(answer["scope"], SCOPE);
    format!("Bearer {}", answer["access_token"].as_str().unwrap())
}

/// Tokens of the confidential web application.
async fn web_tokens(clinic: &Clinic) -> Value {
    let request = web_request(GRANTED);
    let code = clinic
        .browser()
        .authorize(&request, PATIENT)
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

#[track_caller]
fn is_inactive(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json(), json!({"active": false}));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

// SMART-67, SMART-68, SMART-69, SMART-70
#[tokio::test]
async fn a_resource_server_learns_what_the_token_response_and_the_id_token_said() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(GRANTED, PATIENT).await;
    let bearer = monitor(&clinic).await;
    let headers = [("authorization", &*bearer), ("accept", "application/json")];
    let answer = ask(&clinic, text(&tokens, "access_token"), &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
    let told = answer.json();
    let id = clinic.id_claims(&tokens["id_token"], APP).await.into_claims();
    let access = clinic.access_claims(&tokens["access_token"]).await;
    assert_eq!(told["active"], true);
    assert_eq!(told["client_id"], APP);
    assert_eq!(told["scope"], tokens["scope"]);
    assert_eq!(told["scope"], GRANTED);
    assert_eq!(told["exp"], access.expires_at().seconds());
    assert_eq!(told["iat"], clinic.issuer.now().seconds());
    assert_eq!(told["patient"], tokens["patient"]);
    assert_eq!(told["patient"], "7");
    assert_eq!(told.get("encounter"), None);
    assert_eq!((&told["iss"], &told["sub"]), (&json!(ISSUER), &json!(id.subject)));
    assert_eq!(told["fhirUser"], json!(id.fhir_user.unwrap()));
    assert_eq!(told["token_type"], "Bearer");
    assert_eq!(told["jti"], json!(access.claims().token_id));
    assert_eq!(told["aud"], json!(access.claims().audiences));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

// SMART-71
#[tokio::test]
async fn whatever_is_not_good_is_inactive_and_nothing_more_is_said() {
    let clinic = Clinic::open().await;
    let bearer = monitor(&clinic).await;
    let headers = [("authorization", &*bearer)];
    let tokens = clinic.tokens(GRANTED, PATIENT).await;
    let mut forged = String::from(text(&tokens, "access_token"));
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    let id_token = text(&tokens, "id_token");
    for token in ["invalid_token_value", "a.b.c", "wgr_unknown", &forged, id_token] {
        is_inactive(&ask(&clinic, token, &headers).await);
    }
    // Revoked.
    let fields = [("token", text(&tokens, "access_token")), ("client_id", APP)];
    clinic.browser().post("/oauth2/revoke", &fields).await;
    is_inactive(&ask(&clinic, text(&tokens, "access_token"), &headers).await);
    // Expired: services' tokens, the asking one included, live for five minutes.
    let tokens = clinic.tokens(GRANTED, PATIENT).await;
    clinic.issuer.advance(3600);
    let basic = basic(WEB, &clinic.web_secret);
    is_inactive(
        &ask(
            &clinic,
            text(&tokens, "access_token"),
            &[("authorization", &basic)],
        )
        .await,
    );
    let expired_bearer = ask(&clinic, text(&tokens, "access_token"), &headers).await;
    expired_bearer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
}

#[tokio::test]
async fn a_client_is_told_about_its_own_tokens_and_no_others() {
    let clinic = Clinic::open().await;
    let headers = [("authorization", &*basic(WEB, &clinic.web_secret))];
    let own = web_tokens(&clinic).await;
    let foreign = clinic.tokens(GRANTED, PATIENT).await;
    for name in ["access_token", "refresh_token"] {
        let told = ask(&clinic, text(&own, name), &headers).await.json();
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!(WEB)));
        assert_eq!(told["scope"], GRANTED);
        is_inactive(&ask(&clinic, text(&foreign, name), &headers).await);
    }
    let fields = [
        ("token", text(&own, "access_token")),
        ("token_type_hint", "refresh_token"),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    let told = clinic.browser().post("/oauth2/introspect", &fields).await.json();
    assert_eq!(told["active"], true);
}

#[tokio::test]
async fn a_refresh_token_is_active_until_it_is_exchanged_or_its_grant_ends() {
    let clinic = Clinic::open().await;
    let headers = [("authorization", &*basic(WEB, &clinic.web_secret))];
    let first = web_tokens(&clinic).await;
    let told = ask(&clinic, text(&first, "refresh_token"), &headers).await.json();
    assert_eq!(told["exp"], clinic.issuer.now().plus(2_592_000).seconds());
    assert_eq!(told.get("token_type"), None);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&first, "refresh_token")),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    let second = clinic.token(&fields).await.json();
    is_inactive(&ask(&clinic, text(&first, "refresh_token"), &headers).await);
    let told = ask(&clinic, text(&second, "refresh_token"), &headers)
        .await
        .json();
    assert_eq!(told["active"], true);
    let fields = [
        ("token", text(&second, "refresh_token")),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    clinic.browser().post("/oauth2/revoke", &fields).await;
    for name in ["refresh_token", "access_token"] {
        is_inactive(&ask(&clinic, text(&second, name), &headers).await);
    }
}

#[tokio::test]
async fn a_resource_server_never_takes_a_refresh_token_for_an_access_token() {
    let clinic = Clinic::open().await;
    let bearer = monitor(&clinic).await;
    let tokens = clinic.tokens(GRANTED, PATIENT).await;
    let headers = [("authorization", &*bearer)];
    is_inactive(&ask(&clinic, text(&tokens, "refresh_token"), &headers).await);
}

// SMART-72
#[tokio::test]
async fn a_bearer_needs_the_scope_and_a_living_token() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(GRANTED, PATIENT).await;
    let access = text(&tokens, "access_token");
    let without_scope = format!("Bearer {access}");
    let answer = ask(&clinic, access, &[("authorization", &without_scope)]).await;
    answer.is_oauth_error(StatusCode::FORBIDDEN, "insufficient_scope");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer ") && challenge.contains(r#"scope="introspect""#));
    let answer = ask(&clinic, access, &[("authorization", "Bearer x")]).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_token");
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .contains(r#"error="invalid_token""#)
    );
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.reason.as_deref()),
        (
            AuditAction::TokenIntrospection,
            AuditOutcome::Failure,
            Some("invalid_token")
        )
    );
    let bearer = monitor(&clinic).await;
    let both = [("authorization", &*bearer), ("authorization", "Bearer x")];
    let answer = ask(&clinic, access, &both).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    // A person's app that is registered for the scope may ask as well.
    clinic
        .issuer
        .add_public_client("console", "https://console.example/cb", SCOPE)
        .await;
    let request = [
        ("response_type", "code"),
        ("client_id", "console"),
        ("redirect_uri", "https://console.example/cb"),
        ("scope", SCOPE),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let code = clinic
        .browser()
        .authorize(&request, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "https://console.example/cb"),
        ("client_id", "console"),
        ("code_verifier", VERIFIER),
    ];
    let console = clinic.token(&fields).await.json();
    let bearer = format!("bearer {}", text(&console, "access_token"));
    let told = ask(&clinic, access, &[("authorization", &bearer)]).await.json();
    assert_eq!(told["active"], true);
}

#[tokio::test]
async fn nobody_asks_without_proof() {
    let clinic = Clinic::open().await;
    let refused = |answer: Answer| {
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 2);
        assert!(challenges[0].to_str().unwrap().starts_with("Basic "));
        assert!(challenges[1].to_str().unwrap().starts_with("Bearer "));
    };
    refused(ask(&clinic, "x", &[]).await);
    refused(ask(&clinic, "x", &[("authorization", &basic(SERVICE, "wrong"))]).await);
    let public = [("token", "x"), ("client_id", APP)];
    refused(clinic.browser().post("/oauth2/introspect", &public).await);
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("public_client"));
}

#[tokio::test]
async fn a_request_that_is_none_is_refused() {
    let clinic = Clinic::open().await;
    let credentials = [("authorization", &*basic(SERVICE, &clinic.service_secret))];
    for fields in [vec![], vec![("token", "")], vec![("token", "x"), ("token", "y")]] {
        let answer = clinic
            .browser()
            .post_with("/oauth2/introspect", &fields, &credentials)
            .await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
    let json = Browser::request(Method::POST, "/oauth2/introspect")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"))
        .unwrap();
    let answer = clinic.browser().send(json).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    let answer = clinic.browser().get("/oauth2/introspect").await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn a_deactivated_person_s_token_is_inactive() {
    let clinic = Clinic::open().await;
    let bearer = monitor(&clinic).await;
    for (email, deactivated_at) in [("here@example.org", None), ("gone@example.org", Some(START))] {
        let user = clinic
            .issuer
            .insert_user(User {
                deactivated_at,
                ..user(email)
            })
            .await;
        let token = access_token_of(&clinic, &user).await;
        let told = ask(&clinic, &token, &[("authorization", &bearer)]).await.json();
        assert_eq!(told["active"], deactivated_at.is_none(), "{email}");
    }
}

/// A recorded access token in the name of `user`, however the account stands.
async fn access_token_of(clinic: &Clinic, user: &User) -> String {
    let scope = ScopeSet::parse("openid").unwrap();
    let grant = Grant {
        id: "grant-1".into(),
        client_id: APP.into(),
        user_id: user.id.clone(),
        subject: user.id.clone(),
        scope: scope.clone(),
        claims: AskedClaims::default(),
        audiences: vec![AUDIENCE.into()],
        launch_context: LaunchContext::default(),
        launch_parameters: LaunchParameters::default(),
        authenticated_at: START,
        methods: Vec::new(),
        nonce: None,
        session: None,
        session_id: None,
        created_at: START,
        ended_at: None,
    };
    let facts = AccessTokenFacts {
        subject: Subject::Person { grant: &grant, user },
        client_id: APP,
        scope: &scope,
        audiences: &grant.audiences,
        algorithm: SignatureAlgorithm::ES256,
        proof: None,
    };
    let mut signed = signed::access_token(&clinic.issuer.state, facts, clinic.issuer.now()).unwrap();
    signed.record.grant_id = None;
    let audit = AuditEvent::new(START, AuditAction::TokenRequest, AuditOutcome::Success);
    clinic
        .issuer
        .store()
        .record_access_token(signed.record, audit)
        .await
        .unwrap();
    signed.value.expose().clone()
}

#[tokio::test]
async fn what_a_revoked_key_signed_is_dead_here_and_at_the_userinfo_endpoint() {
    let clinic = Clinic::open().await;
    let tokens = web_tokens(&clinic).await;
    let headers = [("authorization", &*basic(WEB, &clinic.web_secret))];
    let is_active = async |token: &str| ask(&clinic, token, &headers).await.json()["active"] == true;
    let user_info = async |token: &str| {
        let bearer = format!("Bearer {token}");
        let request = Browser::request(Method::GET, "/oauth2/userinfo").header("authorization", bearer);
        clinic
            .browser()
            .send(request.body(Body::empty()).unwrap())
            .await
            .status
    };
    let before = text(&tokens, "access_token");
    assert!(is_active(before).await);
    assert_eq!(user_info(before).await, StatusCode::OK);

    let unverified = UnverifiedJwt::parse(before, MAXIMUM_JWT_BYTES).unwrap();
    let (state, now) = (&clinic.issuer.state, clinic.issuer.now());
    let key_id = unverified.key_id().unwrap();
    let revoked = state
        .keys()
        .revoke(
            state.store(),
            key_id,
            AuditEvent::new(now, AuditAction::KeyRevocation, AuditOutcome::Success),
        )
        .await
        .unwrap();
    assert!(revoked.flatten().is_some(), "another key signs");
    is_inactive(&ask(&clinic, before, &headers).await);
    assert_eq!(user_info(before).await, StatusCode::UNAUTHORIZED);
    // The grant lives on: what the new key signs counts.
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    let renewed = clinic
        .browser()
        .post_with("/oauth2/token", &fields, &headers)
        .await
        .json();
    let after = text(&renewed, "access_token");
    assert!(is_active(after).await);
    assert_eq!(user_info(after).await, StatusCode::OK);
}
