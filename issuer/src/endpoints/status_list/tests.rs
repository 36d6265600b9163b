use std::collections::HashSet;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use wardgate_shared::claims::{STATUS_LIST_TYPE, StatusListClaims, StatusListReference};
use wardgate_shared::denial::{self, DenyBefore, DenyKind};
use wardgate_shared::jwt::{self, Policy, UnverifiedJwt, VerifiedJwt};
use wardgate_shared::status_list::{StatusList, TokenStatus};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::denial::Denial;
use crate::testing::ISSUER;
use crate::web::testing::{
    APP, Answer, Browser, Clinic, PATIENT, SERVICE, VERIFIER, WEB, WEB_REDIRECT, basic, web_request,
};

const OFFLINE: &str = "openid offline_access patient/*.read";

/// Where the status of an access token stands.
async fn place(clinic: &Clinic, token: &Value) -> StatusListReference {
    let claims = clinic.access_claims(token).await.into_claims();
    claims.status.unwrap().status_list.unwrap()
}

fn path(uri: &str) -> &str {
    uri.strip_prefix(ISSUER).unwrap()
}

async fn fetch(clinic: &Clinic, uri: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(path(uri));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    clinic.browser().send(request.body(Body::empty()).unwrap()).await
}

/// Verifies a list as a verifier of tokens does.
async fn verified(clinic: &Clinic, answer: &Answer) -> VerifiedJwt<StatusListClaims> {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/statuslist+jwt"));
    let now = clinic.issuer.now();
    let unverified = UnverifiedJwt::parse(&answer.body, 1 << 20).unwrap();
    let (kid, algorithm) = (unverified.key_id().unwrap(), unverified.algorithm());
    let key = clinic
        .issuer
        .state
        .keys()
        .verifying_key(kid, algorithm, now)
        .unwrap();
    let policy = Policy {
        token_type: Some(STATUS_LIST_TYPE.into()),
        issuer: ISSUER.into(),
        audiences: [].as_slice().into(),
        skew_seconds: 0,
        maximum_lifetime_seconds: None,
    };
    jwt::verify(&unverified, &key, &policy, now).await.unwrap()
}

/// What the list says of a token, once a second is over.
async fn status(clinic: &Clinic, token: &Value) -> TokenStatus {
    clinic.issuer.advance(1);
    let place = place(clinic, token).await;
    let list = verified(clinic, &fetch(clinic, &place.uri, &[]).await).await;
    assert_eq!(list.claims().uri, place.uri);
    let list = StatusList::decompress(&list.claims().status_list, 1 << 20).unwrap();
    list.get(place.index).unwrap()
}

/// What introspection says of a token to the client that holds it.
async fn is_active(clinic: &Clinic, token: &Value, client: (&str, &str)) -> bool {
    let fields = [("token", token.as_str().unwrap())];
    let headers = [("authorization", &*basic(client.0, client.1))];
    let answer = clinic
        .browser()
        .post_with("/oauth2/introspect", &fields, &headers)
        .await;
    answer.json()["active"].as_bool().unwrap()
}

/// A browser in which the patient has signed in to the web application, the application's tokens, and the code.
async fn web_tokens(clinic: &Clinic, scope: &str) -> (Browser, Value, String) {
    let browser = clinic.browser();
    let answer = browser.authorize(&web_request(scope), PATIENT).await;
    let code = answer.sent("code").unwrap();
    (browser, redeem(clinic, &code).await.json(), code)
}

async fn redeem(clinic: &Clinic, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    clinic.token(&fields).await
}

async fn refresh(clinic: &Clinic, tokens: &Value) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", WEB),
        ("client_secret", &*clinic.web_secret),
    ];
    clinic.token(&fields).await
}

async fn revoke(clinic: &Clinic, token: &Value, client: (&str, &str)) {
    let fields = [("token", token.as_str().unwrap())];
    let headers = [("authorization", &*basic(client.0, client.1))];
    let answer = clinic
        .browser()
        .post_with("/oauth2/revoke", &fields, &headers)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

async fn service_token(clinic: &Clinic) -> Value {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", SERVICE),
        ("client_secret", &*clinic.service_secret),
    ];
    clinic.token(&fields).await.json()["access_token"].clone()
}

/// The list and introspection agree that this token is good, or that it is not.
async fn is_good(clinic: &Clinic, token: &Value, client: (&str, &str), good: bool, why: &str) {
    let expected = if good {
        TokenStatus::Valid
    } else {
        TokenStatus::Invalid
    };
    assert_eq!(
        is_active(clinic, token, client).await,
        good,
        "introspection: {why}"
    );
    assert_eq!(status(clinic, token).await, expected, "status list: {why}");
}

#[tokio::test]
async fn in_whatever_way_a_token_dies_introspection_and_status_list_agree() {
    let clinic = Clinic::open().await;
    let web = (WEB, &*clinic.web_secret);
    let (_, bystander, _) = web_tokens(&clinic, OFFLINE).await;
    let bystander = &bystander["access_token"];

    let (_, tokens, _) = web_tokens(&clinic, OFFLINE).await;
    let token = &tokens["access_token"];
    is_good(&clinic, token, web, true, "nothing happened").await;
    revoke(&clinic, token, web).await;
    is_good(&clinic, token, web, false, "it was revoked").await;

    let (_, tokens, _) = web_tokens(&clinic, OFFLINE).await;
    let next = refresh(&clinic, &tokens).await.json();
    revoke(&clinic, &next["refresh_token"], web).await;
    for token in [&tokens["access_token"], &next["access_token"]] {
        is_good(&clinic, token, web, false, "its refresh token was revoked").await;
    }

    let (_, first, _) = web_tokens(&clinic, OFFLINE).await;
    let lost = refresh(&clinic, &first).await.json();
    let second = refresh(&clinic, &first).await.json();
    let why = "its answer was lost and the refresh repeated";
    is_good(&clinic, &lost["access_token"], web, false, why).await;
    is_good(&clinic, &second["access_token"], web, true, why).await;
    let third = refresh(&clinic, &second).await.json();
    let replay = refresh(&clinic, &first).await;
    replay.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    for tokens in [&first, &second, &third] {
        let token = &tokens["access_token"];
        is_good(&clinic, token, web, false, "its family was replayed").await;
    }

    let (_, tokens, code) = web_tokens(&clinic, OFFLINE).await;
    let replay = redeem(&clinic, &code).await;
    replay.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    let token = &tokens["access_token"];
    is_good(&clinic, token, web, false, "its code was replayed").await;

    let (browser, tokens, _) = web_tokens(&clinic, "openid online_access").await;
    let page = browser.get("/logout").await;
    let form_token = page.field("form_token");
    browser.post("/logout", &[("form_token", &form_token)]).await;
    let token = &tokens["access_token"];
    is_good(&clinic, token, web, false, "its person signed out").await;

    let service = (SERVICE, &*clinic.service_secret);
    let token = service_token(&clinic).await;
    is_good(&clinic, &token, service, true, "nothing happened").await;
    revoke(&clinic, &token, service).await;
    is_good(&clinic, &token, service, false, "its client revoked it").await;

    is_good(&clinic, bystander, web, true, "it is of another grant").await;
}

#[tokio::test]
async fn every_access_token_has_a_place_of_its_own() {
    let clinic = Clinic::open().await;
    let mut places = HashSet::new();
    let mut add = |place: StatusListReference| assert!(places.insert((place.uri, place.index)));
    let code = clinic.code(OFFLINE, PATIENT).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", crate::web::testing::APP_REDIRECT),
        ("client_id", APP),
        ("code_verifier", VERIFIER),
    ];
    let tokens = clinic.token(&fields).await.json();
    add(place(&clinic, &tokens["access_token"]).await);
    let refreshed = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    add(place(&clinic, &refreshed.json()["access_token"]).await);
    for _ in 0..5 {
        add(place(&clinic, &service_token(&clinic).await).await);
    }
}

#[tokio::test]
async fn a_list_says_how_long_it_is_good_and_for_whom_it_is() {
    let clinic = Clinic::open().await;
    let place = place(&clinic, &service_token(&clinic).await).await;
    let answer = fetch(
        &clinic,
        &place.uri,
        &[(header::ACCEPT, "application/statuslist+jwt")],
    )
    .await;
    let list = verified(&clinic, &answer).await;
    let now = clinic.issuer.now();
    assert_eq!(list.issued_at(), Some(now));
    assert_eq!(list.expires_at(), now.plus(300));
    assert_eq!(list.claims().time_to_live_seconds, Some(30));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=30"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.body.len() < 1500, "{} bytes", answer.body.len());
    let head = Request::builder().method(Method::HEAD).uri(path(&place.uri));
    let head = clinic.browser().send(head.body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, &*head.body), (StatusCode::OK, ""));
    assert_eq!(head.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn a_list_is_signed_anew_when_a_bit_changes_and_when_half_its_time_is_over() {
    let clinic = Clinic::open().await;
    let token = service_token(&clinic).await;
    let place = place(&clinic, &token).await;
    let first = fetch(&clinic, &place.uri, &[]).await;
    clinic.issuer.advance(14);
    let same = fetch(&clinic, &place.uri, &[]).await;
    assert_eq!(same.body, first.body, "nothing changed");
    assert_eq!(same.header("cache-control"), Some("public, max-age=16"));
    let service = (SERVICE, &*clinic.service_secret);
    revoke(&clinic, &token, service).await;
    let within_the_second = fetch(&clinic, &place.uri, &[]).await;
    assert_eq!(within_the_second.body, first.body);
    clinic.issuer.advance(1);
    let changed = fetch(&clinic, &place.uri, &[]).await;
    assert_ne!(changed.body, first.body);
    assert_eq!(changed.header("cache-control"), Some("public, max-age=30"));
    clinic.issuer.advance(15);
    let renewed = fetch(&clinic, &place.uri, &[]).await;
    assert_ne!(renewed.body, changed.body);
    assert_eq!(renewed.header("cache-control"), Some("public, max-age=30"));
}

#[tokio::test]
async fn many_fetches_at_once_cause_one_signature() {
    let clinic = Clinic::open().await;
    let place = place(&clinic, &service_token(&clinic).await).await;
    // ECDSA signatures are random, so two of them would differ.
    let fetches = (0..64).map(|_| {
        let (browser, path) = (clinic.browser(), String::from(path(&place.uri)));
        tokio::spawn(async move { browser.get(&path).await.body })
    });
    let mut bodies = HashSet::new();
    for fetch in fetches.collect::<Vec<_>>() {
        bodies.insert(fetch.await.unwrap());
    }
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn whoever_has_the_list_is_told_so() {
    let clinic = Clinic::open().await;
    let place = place(&clinic, &service_token(&clinic).await).await;
    let answer = fetch(&clinic, &place.uri, &[]).await;
    let tag = answer.header("etag").unwrap();
    let weak = format!("\"x\", W/{tag}");
    for known in [tag, &weak, "*"] {
        let answer = fetch(&clinic, &place.uri, &[(header::IF_NONE_MATCH, known)]).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
        assert_eq!(answer.body, "");
        assert_eq!(answer.header("etag"), Some(tag));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=30"));
    }
    for other in ["\"x\"", "", tag.trim_matches('"')] {
        let answer = fetch(&clinic, &place.uri, &[(header::IF_NONE_MATCH, other)]).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[track_caller]
fn is_problem(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["status"], json!(status.as_u16()));
}

#[tokio::test]
async fn an_unknown_list_is_not_found() {
    let clinic = Clinic::open().await;
    let place = place(&clinic, &service_token(&clinic).await).await;
    for path in ["/oauth2/status/x", "/oauth2/status/AAAAAAAAAAAAAAAAAAAAAA"] {
        is_problem(&clinic.browser().get(path).await, StatusCode::NOT_FOUND);
    }
    assert_eq!(fetch(&clinic, &place.uri, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_list_dies_with_its_last_token() {
    let clinic = Clinic::open().await;
    let first = place(&clinic, &service_token(&clinic).await).await.uri;
    clinic.issuer.advance(3599);
    let last = service_token(&clinic).await;
    assert_eq!(place(&clinic, &last).await.uri, first);
    let (_, longest, _) = web_tokens(&clinic, "openid").await;
    clinic.issuer.advance(3598);
    is_good(
        &clinic,
        &longest["access_token"],
        (WEB, &clinic.web_secret),
        true,
        "one second is left",
    )
    .await;
    // A token of the list's last open second would live one second longer.
    clinic.issuer.advance(2);
    is_problem(&fetch(&clinic, &first, &[]).await, StatusCode::NOT_FOUND);
    clinic
        .issuer
        .store()
        .purge_expired(clinic.issuer.now())
        .await
        .unwrap();
    is_problem(&fetch(&clinic, &first, &[]).await, StatusCode::NOT_FOUND);
    let next = place(&clinic, &service_token(&clinic).await).await.uri;
    assert_ne!(next, first);
}

#[tokio::test]
async fn the_past_of_a_list_is_not_given() {
    let clinic = Clinic::open().await;
    let place = place(&clinic, &service_token(&clinic).await).await;
    let uri = format!("{}?time=1686925000", place.uri);
    is_problem(&fetch(&clinic, &uri, &[]).await, StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn the_lists_that_are_alive_are_named() {
    let clinic = Clinic::open().await;
    let named = async || clinic.browser().get("/oauth2/status").await;
    assert_eq!(named().await.json(), json!({ "status_lists": [] }));
    let first = place(&clinic, &service_token(&clinic).await).await.uri;
    clinic.issuer.advance(3600);
    let second = place(&clinic, &service_token(&clinic).await).await.uri;
    let answer = named().await;
    assert_eq!(answer.json(), json!({ "status_lists": [first, second] }));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=30"));
    clinic.issuer.advance(3600);
    assert_eq!(named().await.json(), json!({ "status_lists": [second] }));
}

/// What the list that holds this token denies.
async fn denied(clinic: &Clinic, token: &Value) -> Vec<DenyBefore> {
    clinic.issuer.advance(1);
    let list = verified(clinic, &fetch(clinic, &place(clinic, token).await.uri, &[]).await).await;
    let text = list.claims().deny_before.clone();
    text.map(|text| denial::decode(&text).unwrap())
        .unwrap_or_default()
}

#[tokio::test]
async fn every_list_says_whose_tokens_are_denied_until_none_of_them_lives() {
    let clinic = Clinic::open().await;
    let (_browser, tokens, _code) = web_tokens(&clinic, OFFLINE).await;
    let token = &tokens["access_token"];
    assert_eq!(denied(&clinic, token).await, []);
    let now = clinic.issuer.now();
    let denial = Denial::until_now(DenyKind::Client, WEB, 3600, now);
    let audit = AuditEvent::new(now, AuditAction::Denial, AuditOutcome::Success);
    clinic.issuer.state.store().deny(denial, audit).await.unwrap();
    let expected = DenyBefore::of(DenyKind::Client, ISSUER, WEB, now.plus(1));
    assert_eq!(denied(&clinic, token).await, [expected]);

    // A key that is revoked denies itself in lists that another signs.
    let list = fetch(&clinic, &place(&clinic, token).await.uri, &[]).await;
    let kid = UnverifiedJwt::parse(&list.body, 1 << 20)
        .unwrap()
        .key_id()
        .unwrap()
        .to_owned();
    let state = &clinic.issuer.state;
    state
        .keys()
        .revoke(
            clinic.issuer.state.store(),
            &kid,
            AuditEvent::new(
                clinic.issuer.now(),
                AuditAction::KeyRevocation,
                AuditOutcome::Success,
            ),
        )
        .await
        .unwrap()
        .unwrap();
    clinic.issuer.advance(1);
    let uri = format!("{ISSUER}/oauth2/status/");
    let ids = clinic
        .issuer
        .state
        .store()
        .status_lists(clinic.issuer.now())
        .await
        .unwrap();
    let list = fetch(&clinic, &format!("{uri}{}", ids[0]), &[]).await;
    let signer = UnverifiedJwt::parse(&list.body, 1 << 20)
        .unwrap()
        .key_id()
        .unwrap()
        .to_owned();
    assert_ne!(signer, kid);
    let list = verified(&clinic, &list).await;
    let kinds = denial::decode(list.claims().deny_before.as_deref().unwrap()).unwrap();
    let of_key = DenyKind::SigningKey.id_hash(ISSUER, &kid);
    assert!(kinds.iter().any(|denial| denial.id_hash == of_key), "{kinds:?}");
}
