//! Codes and what becomes of them.

use http::StatusCode;
use wardgate_shared::claims::access_token_hash;
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::testing::{AUDIENCE, AUDIENCE_ALIAS, ISSUER, START};
use crate::web::testing::{
    APP, APP_REDIRECT, Clinic, PATIENT, PHYSICIAN, VERIFIER, WEB, WEB_REDIRECT, app_request, basic, changed,
    web_request,
};

const INVALID_GRANT: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "invalid_grant");

/// The fields with which the public app redeems `code`.
fn redemption(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", APP_REDIRECT),
        ("client_id", APP),
        ("code_verifier", VERIFIER),
    ]
}

// OIDC-55, SMART-27, SMART-28, SMART-36, SMART-37, SMART-39, SMART-40, SMART-43, SMART-45
#[tokio::test]
async fn a_code_becomes_tokens_as_in_the_documentation() {
    let clinic = Clinic::open().await;
    let scope = "patient/*.read observation/*.read";
    let answer = clinic.redeem(&clinic.code(scope, PATIENT).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], scope);
    assert_eq!(body["patient"], "7");
    assert!(body["refresh_token"].as_str().unwrap().starts_with("wgr_"));
    assert!(body.get("id_token").is_none());
    assert!(body.get("encounter").is_none());
    // It can be pasted into a form as it is.
    let token = body["access_token"].as_str().unwrap();
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    );

    let claims = clinic.access_claims(&body["access_token"]).await;
    assert_eq!(claims.expires_at(), START.plus(3600));
    assert_eq!(claims.issued_at(), Some(START));
    let claims = claims.into_claims();
    assert_eq!(claims.issuer, ISSUER);
    assert_eq!(claims.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
    assert!(claims.subject.starts_with("user-"));
    assert!(claims.token_id.starts_with("at-"));
    assert_eq!(claims.client_id, APP);
    assert_eq!(claims.scope, scope);
    assert_eq!(claims.launch_context.patient_id.as_deref(), Some("7"));
    assert_eq!(claims.organization_id.as_deref(), Some("org-1"));
    assert_eq!(claims.authentication_methods, ["pwd"]);
    assert_eq!(claims.authenticated_at, Some(START));
    assert_eq!(claims.fhir_user, None);

    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Success)
    );
    assert_eq!(event.client_id.as_deref(), Some(APP));
    assert_eq!(event.user_id, Some(claims.subject));
    assert_eq!(event.method.as_deref(), Some("authorization_code"));
    assert_eq!(event.ip_address, Some("192.0.2.7".parse().unwrap()));
}

// OIDC-33, OIDC-63, OIDC-64, OIDC-65, SMART-47, SMART-52, SMART-53
#[tokio::test]
async fn openid_gives_an_id_token() {
    let clinic = Clinic::open().await;
    let request = changed(
        app_request("openid fhirUser user/*.rs"),
        &[("nonce", Some("n-0S6_WzA2Mj"))],
    );
    let code = clinic
        .browser()
        .authorize(&request, PHYSICIAN)
        .await
        .sent("code")
        .unwrap();
    let body = clinic.redeem(&code).await.json();
    let access = clinic.access_claims(&body["access_token"]).await.into_claims();
    let id = clinic.id_claims(&body["id_token"], APP).await;
    assert_eq!(id.expires_at(), START.plus(300));
    let id = id.into_claims();
    assert_eq!(id.subject, access.subject);
    assert_eq!(id.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
    assert_eq!(
        id.access_token_hash,
        Some(access_token_hash(
            SignatureAlgorithm::RS256,
            body["access_token"].as_str().unwrap()
        ))
    );
    assert_eq!(
        id.fhir_user.as_deref(),
        Some("https://api.example.org/fhir/Practitioner/prac-1")
    );
    assert_eq!(id.authenticated_at, Some(START));
    assert_eq!(access.fhir_user, id.fhir_user);
    assert_eq!(access.practitioner_id.as_deref(), Some("prac-1"));
    assert!(body.get("patient").is_none());
}

// OIDC-63, SMART-51
#[tokio::test]
async fn an_id_token_is_rs256_although_access_tokens_are_not() {
    let clinic = Clinic::open().await;
    let body = clinic.tokens("openid", PATIENT).await;
    let algorithm = |token: &serde_json::Value| {
        wardgate_shared::jwt::UnverifiedJwt::parse(token.as_str().unwrap(), 8192)
            .unwrap()
            .algorithm()
            .name()
    };
    assert_eq!(algorithm(&body["id_token"]), "RS256");
    assert_eq!(algorithm(&body["access_token"]), "ES256");
}

// OIDC-33
#[tokio::test]
async fn no_nonce_sent_none_invented() {
    let clinic = Clinic::open().await;
    let body = clinic.tokens("openid", PATIENT).await;
    assert_eq!(
        clinic.id_claims(&body["id_token"], APP).await.into_claims().nonce,
        None
    );
}

#[tokio::test]
async fn the_alias_of_the_endpoint_answers_alike() {
    let clinic = Clinic::open().await;
    let code = clinic.code("patient/*.read", PATIENT).await;
    let answer = clinic.browser().post("/oauth/token", &redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

// SMART-26, OIDC-01
#[tokio::test]
async fn a_confidential_client_without_pkce_redeems_by_its_secret() {
    let clinic = Clinic::open().await;
    let code = clinic
        .browser()
        .authorize(&web_request("openid"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
    ];
    let authorization = basic(WEB, &clinic.web_secret);
    let answer = clinic
        .browser()
        .post_with("/oauth2/token", &fields, &[("authorization", &authorization)])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn a_lone_challenge_method_is_ignored_where_pkce_is_optional() {
    let clinic = Clinic::open().await;
    let request = changed(web_request("openid"), &[("code_challenge_method", Some("S256"))]);
    let code = clinic
        .browser()
        .authorize(&request, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
        ("client_id", WEB),
        ("client_secret", &clinic.web_secret),
    ];
    assert_eq!(clinic.token(&fields).await.status, StatusCode::OK);
}

#[tokio::test]
async fn redirect_uri_may_be_left_out_only_where_the_request_left_it_out() {
    let clinic = Clinic::open().await;
    let without = changed(app_request("openid"), &[("redirect_uri", None)]);
    for (request, redirect_uri, status) in [
        (without.clone(), None, StatusCode::OK),
        (without.clone(), Some(APP_REDIRECT), StatusCode::OK),
        (without, Some("https://app.example/cb2"), StatusCode::BAD_REQUEST),
        (app_request("openid"), None, StatusCode::BAD_REQUEST),
    ] {
        let code = clinic
            .browser()
            .authorize(&request, PATIENT)
            .await
            .sent("code")
            .unwrap();
        let answer = clinic
            .token(&changed(redemption(&code), &[("redirect_uri", redirect_uri)]))
            .await;
        assert_eq!(answer.status, status, "{redirect_uri:?}: {answer:?}");
    }
}

// SMART-22, SMART-25, FAPI-38
#[tokio::test]
async fn a_wrong_binding_is_refused_and_spends_the_code() {
    let clinic = Clinic::open().await;
    let secret = clinic.web_secret.clone();
    let other = VERIFIER.replace('d', "e");
    for (changes, reason) in [
        (vec![("code_verifier", None)], "no_code_verifier"),
        (
            vec![("code_verifier", Some(other.as_str()))],
            "code_verifier_mismatch",
        ),
        (vec![("code_verifier", Some("short"))], "code_verifier_mismatch"),
        (
            vec![("redirect_uri", Some("https://app.example/cb/"))],
            "redirect_uri_mismatch",
        ),
        (vec![("redirect_uri", None)], "redirect_uri_mismatch"),
        (
            vec![("client_id", Some(WEB)), ("client_secret", Some(secret.as_str()))],
            "invalid_code",
        ),
    ] {
        let code = clinic.code("openid", PATIENT).await;
        let answer = clinic.token(&changed(redemption(&code), &changes)).await;
        answer.is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.outcome, event.reason.as_deref()),
            (AuditOutcome::Failure, Some(reason))
        );
        let again = clinic.redeem(&code).await;
        again.is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let clinic = Clinic::open().await;
    let code = clinic
        .browser()
        .authorize(&web_request("openid"), PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = changed(
        redemption(&code),
        &[
            ("client_id", Some(WEB)),
            ("client_secret", Some(&clinic.web_secret)),
            ("redirect_uri", Some(WEB_REDIRECT)),
        ],
    );
    let description = clinic
        .token(&fields)
        .await
        .is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
    assert!(description.contains("no code_challenge"), "{description}");
}

#[tokio::test]
async fn an_unknown_code_is_refused() {
    let clinic = Clinic::open().await;
    clinic
        .redeem("wgc_unknown")
        .await
        .is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
}

// SMART-22, FAPI-35
#[tokio::test]
async fn a_code_lives_sixty_seconds() {
    let clinic = Clinic::open().await;
    let in_time = clinic.code("openid", PATIENT).await;
    clinic.issuer.advance(59);
    assert_eq!(clinic.redeem(&in_time).await.status, StatusCode::OK);
    let too_late = clinic.code("openid", PATIENT).await;
    clinic.issuer.advance(60);
    clinic
        .redeem(&too_late)
        .await
        .is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
}

// OIDC-56
#[tokio::test]
async fn a_replayed_code_takes_back_what_it_gave() {
    let clinic = Clinic::open().await;
    let code = clinic.code("openid offline_access patient/*.read", PATIENT).await;
    let first = clinic.redeem(&code).await.json();
    assert!(clinic.is_live(&first["access_token"]).await);
    clinic.issuer.advance(30);
    clinic
        .redeem(&code)
        .await
        .is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
    assert_eq!(clinic.last_audit().await.action, AuditAction::Replay);
    assert!(!clinic.is_live(&first["access_token"]).await);
    let refreshed = clinic.refresh(first["refresh_token"].as_str().unwrap()).await;
    refreshed.is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
}

// OIDC-57
#[tokio::test]
async fn a_replay_after_the_code_s_life_takes_back_too() {
    let clinic = Clinic::open().await;
    let code = clinic.code("openid", PATIENT).await;
    let first = clinic.redeem(&code).await.json();
    clinic.issuer.advance(600);
    clinic
        .redeem(&code)
        .await
        .is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
    assert!(!clinic.is_live(&first["access_token"]).await);
}

#[tokio::test]
async fn of_many_redemptions_at_once_one_succeeds_and_is_taken_back() {
    let clinic = std::sync::Arc::new(Clinic::open().await);
    let code = clinic.code("openid", PATIENT).await;
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let (clinic, code) = (clinic.clone(), code.clone());
            tokio::spawn(async move { clinic.redeem(&code).await })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == StatusCode::OK {
            winners.push(answer);
        } else {
            answer.is_oauth_error(INVALID_GRANT.0, INVALID_GRANT.1);
        }
    }
    assert_eq!(winners.len(), 1);
    assert!(!clinic.is_live(&winners[0].json()["access_token"]).await);
}

// SMART-17
#[tokio::test]
async fn aud_and_resource_choose_the_audience() {
    let clinic = Clinic::open().await;
    for (name, value) in [
        ("aud", AUDIENCE),
        ("aud", AUDIENCE_ALIAS),
        ("aud", "https://api.example.org/fhir/"),
        ("resource", AUDIENCE),
        ("audience", AUDIENCE_ALIAS),
    ] {
        let request = changed(app_request("patient/*.read"), &[(name, Some(value))]);
        let code = clinic
            .browser()
            .authorize(&request, PATIENT)
            .await
            .sent("code")
            .unwrap();
        let body = clinic.redeem(&code).await.json();
        let claims = clinic.access_claims(&body["access_token"]).await.into_claims();
        assert_eq!(
            claims.audiences.iter().collect::<Vec<_>>(),
            [AUDIENCE],
            "{name}={value}"
        );
    }
}

#[tokio::test]
async fn a_resource_beyond_the_grant_is_refused_and_the_code_stays() {
    let clinic = Clinic::open().await;
    let code = clinic.code("openid", PATIENT).await;
    let elsewhere = changed(redemption(&code), &[("resource", Some("https://other.example/"))]);
    clinic
        .token(&elsewhere)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_target");
    let within = changed(redemption(&code), &[("resource", Some(AUDIENCE))]);
    assert_eq!(clinic.token(&within).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    use crate::domain::client::{ClientAuthentication, GrantType};
    let clinic = Clinic::open().await;
    let registered = crate::testing::client(
        "once",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &["https://once.example/cb"],
        "openid offline_access",
    );
    clinic.issuer.add_client(registered).await;
    let changes = [
        ("client_id", Some("once")),
        ("redirect_uri", Some("https://once.example/cb")),
    ];
    let request = changed(app_request("openid offline_access"), &changes);
    let code = clinic
        .browser()
        .authorize(&request, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let answer = clinic.token(&changed(redemption(&code), &changes)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(answer.json().get("refresh_token").is_none());
}
