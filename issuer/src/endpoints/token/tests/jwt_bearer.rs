//! Assertions of a trusted issuer as authorization grants.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::partner::{AGENT, JWT_BEARER, Partner, ZUS};
use crate::config::AccountMatch;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::user::User;
use crate::testing::{ISSUER, START, user};
use crate::web::testing::{Answer, Clinic, PATIENT, PHYSICIAN};

const RACERS: usize = 32;

fn claims(partner: &Partner) -> Value {
    partner
        .provider
        .assertion_claims(ISSUER, PHYSICIAN, partner.clinic.issuer.now())
}

async fn present(partner: &Partner, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("grant_type", JWT_BEARER), ("assertion", assertion)];
    fields.extend_from_slice(more);
    partner.as_agent(&fields).await
}

async fn claiming(partner: &Partner, claims: &Value) -> Answer {
    present(partner, &partner.provider.sign(claims), &[]).await
}

#[tokio::test]
async fn an_assertion_becomes_an_access_token() {
    let partner = Partner::open().await;
    let answer = claiming(&partner, &claims(&partner)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["scope"], "openid user/*.rs");
    for absent in ["refresh_token", "id_token", "issued_token_type"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    let clinic = &partner.clinic;
    let physician = clinic
        .issuer
        .store()
        .user_by_email(PHYSICIAN)
        .await
        .unwrap()
        .unwrap();
    let claims = clinic.access_claims(&body["access_token"]).await.into_claims();
    assert_eq!(
        (&claims.subject, claims.client_id.as_str()),
        (&physician.id, AGENT)
    );
    assert_eq!(claims.authenticated_at, Some(START));
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Success)
    );
    assert_eq!(event.user_id, Some(physician.id));
    assert_eq!(event.method.as_deref(), Some(JWT_BEARER));
}

#[tokio::test]
async fn a_request_may_leave_the_client_to_the_issuer_and_narrow_the_scope() {
    let partner = Partner::open().await;
    let now = partner.clinic.issuer.now();
    let claims = partner
        .provider
        .assertion_claims(&format!("{ISSUER}/auth/token"), PATIENT, now);
    let body = json!({
        "grant_type": JWT_BEARER,
        "assertion": partner.provider.sign(&claims),
        "scope": "patient/Observation.rs launch/patient system/*.rs",
    });
    let answer = partner.send_json(body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["scope"], "patient/Observation.rs launch/patient");
    assert_eq!(body["patient"], "7");
    let claims = partner
        .clinic
        .access_claims(&body["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.client_id, ZUS);
}

#[tokio::test]
async fn a_person_is_found_as_the_configuration_says() {
    for (match_by, email_domains) in [
        (AccountMatch::SubjectEmail, Vec::new()),
        (AccountMatch::SubjectEmail, vec![String::from("example.org")]),
        (AccountMatch::SubjectUserId, Vec::new()),
        (AccountMatch::SubjectUserId, vec![String::from("example.org")]),
    ] {
        let partner = Partner::with(|trusted| {
            trusted.match_by = match_by;
            trusted.email_domains = email_domains.clone();
        })
        .await;
        let issuer = &partner.clinic.issuer;
        let outsider = issuer.insert_user(user("eve@elsewhere.example")).await;
        let former = User {
            deactivated_at: Some(START),
            ..user("former@example.org")
        };
        let former = issuer.insert_user(former).await;
        let physician = issuer.store().user_by_email(PHYSICIAN).await.unwrap().unwrap();
        let name = |user: &User| match match_by {
            AccountMatch::SubjectUserId => user.id.clone(),
            AccountMatch::SubjectEmail | AccountMatch::Email => user.email.clone(),
        };
        let outside = if email_domains.is_empty() {
            None
        } else {
            Some("foreign_email_domain")
        };
        let nobody = if match_by == AccountMatch::SubjectEmail {
            "foreign_token_without_email"
        } else {
            "no_account"
        };
        for (subject, reason) in [
            (name(&physician), None),
            (name(&outsider), outside),
            (name(&former), Some("account_deactivated")),
            (String::from("nobody"), Some(nobody)),
        ] {
            let mut claims = claims(&partner);
            claims["sub"] = subject.into();
            // Neither counts now.
            claims["email"] = "someone@example.org".into();
            claims["email_verified"] = false.into();
            let answer = claiming(&partner, &claims).await;
            match reason {
                None => assert_eq!(answer.status, StatusCode::OK, "{answer:?}"),
                Some(reason) => {
                    partner.is_refused(&answer, "invalid_grant", reason).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn every_claim_of_an_assertion_must_be_right() {
    let partner = Partner::open().await;
    let now = START.seconds();
    for (name, value, reason) in [
        ("iss", json!("https://idp.example"), "foreign_issuer_not_trusted"),
        (
            "aud",
            json!("https://elsewhere.example"),
            "foreign_token_audience",
        ),
        (
            "aud",
            json!(super::partner::OUR_ID_THERE),
            "foreign_token_audience",
        ),
        ("exp", Value::Null, "foreign_token_times"),
        ("exp", json!(now - 31), "foreign_token_times"),
        ("exp", json!(now + 331), "foreign_token_lives_too_long"),
        ("nbf", json!(now + 31), "foreign_token_times"),
        ("sub", Value::Null, "foreign_token_without_subject"),
        ("sub", json!(""), "foreign_token_without_subject"),
        ("jti", Value::Null, "foreign_token_without_id"),
        ("jti", json!(""), "foreign_token_without_id"),
        ("email", Value::Null, "foreign_token_without_email"),
        ("email_verified", json!(false), "foreign_email_not_verified"),
        ("email", json!("nobody@example.org"), "no_account"),
    ] {
        let mut claims = claims(&partner);
        let members = claims.as_object_mut().unwrap();
        members.remove(name);
        if !value.is_null() {
            members.insert(name.into(), value);
        }
        let answer = claiming(&partner, &claims).await;
        partner.is_refused(&answer, "invalid_grant", reason).await;
    }
    for (name, value) in [
        ("exp", json!(now + 330)),
        ("aud", json!([format!("{ISSUER}/oauth2/token"), "other"])),
        ("iat", Value::Null),
    ] {
        let mut claims = claims(&partner);
        let members = claims.as_object_mut().unwrap();
        members.remove(name);
        if !value.is_null() {
            members.insert(name.into(), value);
        }
        let answer = claiming(&partner, &claims).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn an_assertion_is_missing_or_not_trusted() {
    let partner = Partner::with(|trusted| trusted.assertions = false).await;
    let answer = claiming(&partner, &claims(&partner)).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_issuer_not_trusted")
        .await;
    let answer = partner.as_agent(&[("grant_type", JWT_BEARER)]).await;
    partner
        .is_refused(&answer, "invalid_request", "missing_parameter")
        .await;
}

#[tokio::test]
async fn a_used_assertion_opens_nothing_for_anybody() {
    let partner = Partner::open().await;
    let mut claims = claims(&partner);
    let assertion = partner.provider.sign(&claims);
    assert_eq!(present(&partner, &assertion, &[]).await.status, StatusCode::OK);
    let answer = present(&partner, &assertion, &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_replayed")
        .await;
    let as_another = [
        ("grant_type", JWT_BEARER),
        ("assertion", assertion.as_str()),
        ("client_id", ZUS),
    ];
    let answer = partner.clinic.token(&as_another).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_replayed")
        .await;
    // Another text with the same name.
    claims["exp"] = (START.seconds() + 200).into();
    let answer = claiming(&partner, &claims).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_replayed")
        .await;
}

#[tokio::test]
async fn a_refusal_for_another_reason_leaves_the_assertion_good() {
    let partner = Partner::open().await;
    let assertion = partner.provider.sign(&claims(&partner));
    let answer = present(&partner, &assertion, &[("scope", "system/*.rs")]).await;
    partner
        .is_refused(&answer, "invalid_scope", "invalid_scope")
        .await;
    assert_eq!(present(&partner, &assertion, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_used_assertion_is_remembered_until_it_is_refused_for_its_age() {
    let partner = Partner::open().await;
    let assertion = partner.provider.sign(&claims(&partner));
    assert_eq!(present(&partner, &assertion, &[]).await.status, StatusCode::OK);
    let issuer = &partner.clinic.issuer;
    for (seconds, reason) in [(329, "foreign_token_replayed"), (1, "foreign_token_times")] {
        issuer.advance(seconds);
        issuer.store().purge_expired(issuer.now()).await.unwrap();
        let answer = present(&partner, &assertion, &[]).await;
        partner.is_refused(&answer, "invalid_grant", reason).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_issuers_assertion_at_once_one_gets_a_token() {
    let partner = Arc::new(Partner::open().await);
    let assertion = Arc::new(partner.provider.sign(&claims(&partner)));
    let start = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for _ in 0..RACERS {
        let (partner, assertion, start) = (partner.clone(), assertion.clone(), start.clone());
        racers.spawn(async move {
            start.wait().await;
            present(&partner, &assertion, &[]).await.status
        });
    }
    let statuses = racers.join_all().await;
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(StatusCode::OK), 1);
    assert_eq!(count(StatusCode::BAD_REQUEST), RACERS - 1);
}

#[tokio::test]
async fn metadata_names_the_grant_where_somebody_is_trusted_for_it() {
    let partner = Partner::open().await;
    let clinic = Clinic::open().await;
    for (clinic, is_named) in [(&partner.clinic, true), (&clinic, false)] {
        for path in ["openid-configuration", "smart-configuration"] {
            let document = clinic.browser().get(&format!("/.well-known/{path}")).await.json();
            let grants = document["grant_types_supported"].as_array().unwrap();
            assert_eq!(grants.contains(&JWT_BEARER.into()), is_named, "{path}");
            assert!(grants.contains(&super::partner::EXCHANGE.into()), "{path}");
        }
    }
}
