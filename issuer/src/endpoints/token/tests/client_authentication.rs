//! Clients that prove who they are, and those that do not.

use http::StatusCode;

use crate::domain::audit_event::AuditOutcome;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::web::testing::{APP, Answer, Clinic, SERVICE, WEB, basic};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn call(clinic: &Clinic, fields: &[(&str, &str)], authorization: &[&str]) -> Answer {
    let headers: Vec<_> = authorization
        .iter()
        .map(|value| ("authorization", *value))
        .collect();
    clinic
        .browser()
        .post_with("/oauth2/token", fields, &headers)
        .await
}

// OIDC-54
#[tokio::test]
async fn takes_basic_and_post() {
    let clinic = Clinic::open().await;
    let secret = clinic.service_secret.as_str();
    let authorization = basic(SERVICE, secret);
    for (fields, authorization) in [
        (vec![GRANT], vec![authorization.as_str()]),
        (vec![GRANT, ("client_id", SERVICE)], vec![authorization.as_str()]),
        (vec![GRANT], vec![&*authorization.replace("Basic ", "basic  ")]),
        (
            vec![GRANT, ("client_id", SERVICE), ("client_secret", secret)],
            vec![],
        ),
    ] {
        let answer = call(&clinic, &fields, &authorization).await;
        assert_eq!(answer.status, StatusCode::OK, "{fields:?}: {answer:?}");
    }
}

// OIDC-53, SMART-29
#[tokio::test]
async fn takes_basic_form_encoded_and_raw() {
    let clinic = Clinic::open().await;
    let secret = "p+q%2Fr &=:ä";
    let service = crate::testing::client(
        "a service:1",
        ClientAuthentication::Secret(SecretDigest::of(secret)),
        &[GrantType::ClientCredentials],
        &[],
        "system/*.read",
    );
    clinic.issuer.add_client(service).await;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let encoded = basic(&encode("a service:1"), &encode(secret));
    assert_eq!(call(&clinic, &[GRANT], &[&encoded]).await.status, StatusCode::OK);

    let raw_secret = "100%+sure";
    let service = crate::testing::client(
        "raw",
        ClientAuthentication::Secret(SecretDigest::of(raw_secret)),
        &[GrantType::ClientCredentials],
        &[],
        "system/*.read",
    );
    clinic.issuer.add_client(service).await;
    for authorization in [basic("raw", raw_secret), basic("raw", &encode(raw_secret))] {
        assert_eq!(
            call(&clinic, &[GRANT], &[&authorization]).await.status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_failure_by_basic_is_challenged() {
    let clinic = Clinic::open().await;
    let unpadded = basic(SERVICE, "x").trim_end_matches('=').to_owned();
    for authorization in [
        basic(SERVICE, "wrong"),
        basic("nobody", &clinic.service_secret),
        basic(SERVICE, ""),
        basic("", "x"),
        basic(APP, "x"),
        "Basic".into(),
        "Basic !!!".into(),
        unpadded + "*",
        "Bearer token".into(),
    ] {
        let answer = call(&clinic, &[GRANT], &[&authorization]).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Basic realm="),
            "{authorization}"
        );
        assert_eq!(clinic.last_audit().await.outcome, AuditOutcome::Failure);
    }
}

#[tokio::test]
async fn a_failure_by_post_is_not_challenged() {
    let clinic = Clinic::open().await;
    for fields in [
        vec![GRANT, ("client_id", SERVICE), ("client_secret", "wrong")],
        vec![GRANT, ("client_id", "nobody"), ("client_secret", "wrong")],
        vec![
            GRANT,
            ("client_id", APP),
            ("client_secret", "a public client has none"),
        ],
        vec![GRANT, ("client_id", "nobody")],
        vec![GRANT],
    ] {
        let answer = call(&clinic, &fields, &[]).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn a_confidential_client_cannot_pass_as_a_public_one() {
    let clinic = Clinic::open().await;
    for client_id in [SERVICE, WEB] {
        let answer = call(
            &clinic,
            &[GRANT, ("client_id", client_id), ("client_secret", "")],
            &[],
        )
        .await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[tokio::test]
async fn unknown_client_and_wrong_secret_are_told_apart_by_nobody() {
    let clinic = Clinic::open().await;
    let wrong = call(&clinic, &[GRANT], &[&basic(SERVICE, "wrong")]).await;
    let unknown = call(&clinic, &[GRANT], &[&basic("nobody", "wrong")]).await;
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.status, unknown.status);
}

#[tokio::test]
async fn two_methods_or_two_clients_are_refused() {
    let clinic = Clinic::open().await;
    let secret = clinic.service_secret.as_str();
    let authorization = basic(SERVICE, secret);
    let assertion = ("client_assertion", "x.y.z");
    for (fields, authorization) in [
        (vec![GRANT, ("client_secret", secret)], vec![&*authorization]),
        (
            vec![GRANT, ("client_id", SERVICE), ("client_secret", secret)],
            vec![&*authorization],
        ),
        (vec![GRANT, ("client_id", WEB)], vec![&*authorization]),
        (vec![GRANT], vec![&*authorization, &*authorization]),
        (vec![GRANT, assertion], vec![&*authorization]),
        (
            vec![
                GRANT,
                ("client_id", SERVICE),
                ("client_secret", secret),
                assertion,
            ],
            vec![],
        ),
    ] {
        let answer = call(&clinic, &fields, &authorization).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    }
}

#[tokio::test]
async fn credentials_in_the_address_count_for_nothing() {
    let clinic = Clinic::open().await;
    let path = format!(
        "/oauth2/token?client_id={SERVICE}&client_secret={}",
        clinic.service_secret
    );
    let answer = clinic.browser().post(&path, &[GRANT]).await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
}
