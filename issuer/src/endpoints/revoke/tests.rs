use http::StatusCode;
use serde_json::Value;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::web::testing::{APP, Answer, Clinic, PATIENT, SERVICE, WEB, basic};

const SCOPE: &str = "openid offline_access patient/*.read";

async fn revoke(clinic: &Clinic, token: &Value, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("token", token.as_str().unwrap())];
    fields.extend_from_slice(more);
    clinic.browser().post("/oauth2/revoke", &fields).await
}

#[tokio::test]
async fn a_refresh_token_takes_its_grant_with_it() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    let answer = revoke(&clinic, &tokens["refresh_token"], &[("client_id", APP)]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRevocation, AuditOutcome::Success)
    );
    assert_eq!(event.client_id.as_deref(), Some(APP));
    assert!(!clinic.is_live(&tokens["access_token"]).await);
    let refreshed = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    refreshed.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
}

#[tokio::test]
async fn an_access_token_goes_alone_whatever_the_hint_says() {
    let clinic = Clinic::open().await;
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let tokens = clinic.tokens(SCOPE, PATIENT).await;
        let more = [("client_id", APP), ("token_type_hint", hint)];
        assert_eq!(
            revoke(&clinic, &tokens["access_token"], &more).await.status,
            StatusCode::OK
        );
        assert!(!clinic.is_live(&tokens["access_token"]).await);
        assert_eq!(
            clinic
                .refresh(tokens["refresh_token"].as_str().unwrap())
                .await
                .status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn a_service_gives_its_token_back_by_basic() {
    let clinic = Clinic::open().await;
    let authorization = basic(SERVICE, &clinic.service_secret);
    let headers = [("authorization", authorization.as_str())];
    let grant = [("grant_type", "client_credentials")];
    let token = clinic
        .browser()
        .post_with("/oauth2/token", &grant, &headers)
        .await
        .json()["access_token"]
        .clone();
    let fields = [("token", token.as_str().unwrap())];
    let answer = clinic
        .browser()
        .post_with("/oauth2/revoke", &fields, &headers)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!clinic.is_live(&token).await);
}

#[tokio::test]
async fn an_unknown_token_is_answered_like_a_revoked_one() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    let mut forged = String::from(tokens["access_token"].as_str().unwrap());
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    for token in ["x", "wgr_unknown", "a.b.c", forged.as_str()] {
        let answer = revoke(&clinic, &token.into(), &[("client_id", APP)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{token}");
    }
    assert!(clinic.is_live(&tokens["access_token"]).await);
}

#[tokio::test]
async fn revoking_twice_and_revoking_an_expired_token_is_fine() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    clinic.issuer.advance(4000);
    for _ in 0..2 {
        assert_eq!(
            revoke(&clinic, &tokens["access_token"], &[("client_id", APP)])
                .await
                .status,
            StatusCode::OK
        );
        assert_eq!(
            revoke(&clinic, &tokens["refresh_token"], &[("client_id", APP)])
                .await
                .status,
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn another_client_s_token_is_refused_and_lives_on() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    let web = [("client_id", WEB), ("client_secret", &*clinic.web_secret)];
    for token in ["access_token", "refresh_token"] {
        revoke(&clinic, &tokens[token], &web)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.outcome, event.reason.as_deref()),
            (AuditOutcome::Failure, Some("token_of_another_client"))
        );
    }
    assert!(clinic.is_live(&tokens["access_token"]).await);
    assert_eq!(
        clinic
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_id_token_cannot_be_revoked_as_an_access_token() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    assert_eq!(
        revoke(&clinic, &tokens["id_token"], &[("client_id", APP)])
            .await
            .status,
        StatusCode::OK
    );
    assert!(clinic.is_live(&tokens["access_token"]).await);
}

#[tokio::test]
async fn a_client_has_to_authenticate() {
    let clinic = Clinic::open().await;
    for more in [
        vec![],
        vec![("client_id", WEB)],
        vec![("client_id", WEB), ("client_secret", "wrong")],
    ] {
        let answer = revoke(&clinic, &"x".into(), &more).await;
        answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let headers = [("authorization", &*basic(WEB, "wrong"))];
    let answer = clinic
        .browser()
        .post_with("/oauth2/revoke", &[("token", "x")], &headers)
        .await;
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    assert!(answer.header("www-authenticate").is_some());
}

#[tokio::test]
async fn a_request_that_is_none_is_refused() {
    let clinic = Clinic::open().await;
    let bad = |answer: Answer| answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    bad(clinic
        .browser()
        .post("/oauth2/revoke", &[("client_id", APP)])
        .await);
    bad(clinic
        .browser()
        .post("/oauth2/revoke", &[("client_id", APP), ("token", "")])
        .await);
    bad(clinic
        .browser()
        .post(
            "/oauth2/revoke",
            &[("client_id", APP), ("token", "x"), ("token", "y")],
        )
        .await);
    let answer = clinic.browser().get("/oauth2/revoke").await;
    answer.is_oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request");
}

#[tokio::test]
async fn the_trail_names_the_client_of_every_refusal() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens(SCOPE, PATIENT).await;
    let own = [("client_id", WEB), ("client_secret", clinic.web_secret.as_str())];
    let wrong = [("client_id", WEB), ("client_secret", "wrong")];
    let named = Some((WEB, "client_secret_post"));
    revoke(&clinic, &tokens["refresh_token"], &own).await;
    assert_client(&clinic, "token_of_another_client", named).await;
    clinic.browser().post("/oauth2/revoke", &own).await;
    assert_client(&clinic, "missing_parameter", named).await;
    revoke(&clinic, &tokens["refresh_token"], &wrong).await;
    assert_client(&clinic, "client_authentication_failed", named).await;
    clinic.token(&wrong).await;
    assert_client(&clinic, "client_authentication_failed", named).await;
    clinic
        .token(&[("client_id", "nobody"), ("client_secret", "wrong")])
        .await;
    assert_client(&clinic, "client_authentication_failed", None).await;
}

async fn assert_client(clinic: &Clinic, reason: &str, named: Option<(&str, &str)>) {
    let event = clinic.last_audit().await;
    assert_eq!(event.reason.as_deref(), Some(reason));
    assert_eq!(event.client_id.as_deref().zip(event.method.as_deref()), named);
}
