//! Access tokens of our own become narrower ones.

use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, Actor};

use super::partner::{
    ACCESS_TOKEN, AGENT, AGENT_SECRET, EXCHANGE, JWT_BEARER, Partner, SECOND_RESOURCE, ZUS,
};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{AUDIENCE, client};
use crate::web::testing::{Answer, PATIENT, PHYSICIAN, SERVICE, basic};

/// An access token of the public client for a person, and the rest of its answer.
async fn held(partner: &Partner, email: &str, scope: &str) -> Value {
    let more = [
        ("scope", scope),
        ("resource", AUDIENCE),
        ("resource", SECOND_RESOURCE),
    ];
    let answer = partner.exchange(&partner.id_token(email), &more).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

fn fields<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    fields.extend_from_slice(more);
    fields
}

/// Exchanges a token as the client that authenticates.
async fn exchange(partner: &Partner, token: &Value, more: &[(&str, &str)]) -> Answer {
    partner.as_agent(&fields(token.as_str().unwrap(), more)).await
}

#[tokio::test]
async fn another_client_gets_a_narrower_token_for_the_same_person_and_is_named_in_it() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let subject = held(
        &partner,
        PATIENT,
        "openid profile patient/*.rs user/*.rs launch/patient",
    )
    .await;
    let old = clinic.access_claims(&subject["access_token"]).await;
    clinic.issuer.advance(100);
    let more = [("scope", "patient/Observation.rs"), ("audience", AUDIENCE)];
    let answer = exchange(&partner, &subject["access_token"], &more).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["issued_token_type"], ACCESS_TOKEN);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "patient/Observation.rs");
    assert_eq!(body["expires_in"], 3500, "no longer than the subject token");
    assert!(body.get("refresh_token").is_none());
    let new = clinic.access_claims(&body["access_token"]).await;
    assert_eq!(new.expires_at(), old.expires_at());
    let (old, new) = (old.into_claims(), new.into_claims());
    assert_eq!(
        (&new.subject, &new.launch_context),
        (&old.subject, &old.launch_context)
    );
    assert_eq!(new.client_id, AGENT);
    assert_eq!(new.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
    assert_ne!(new.token_id, old.token_id);
    let actor = Actor {
        subject: Some(AGENT.into()),
        earlier: None,
    };
    assert_eq!(new.actor, Some(actor));
    assert!(clinic.is_live(&body["access_token"]).await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Success)
    );
    assert_eq!(event.client_id.as_deref(), Some(AGENT));
    assert_eq!(event.user_id.as_deref(), Some(old.subject.as_str()));
}

#[tokio::test]
async fn without_words_it_is_what_the_token_has_and_the_client_may_have() {
    let partner = Partner::open().await;
    let subject = held(&partner, PHYSICIAN, "openid profile user/*.rs offline_access").await;
    let body = exchange(&partner, &subject["access_token"], &[]).await.json();
    assert_eq!(body["scope"], "openid user/*.rs");
    let claims = partner
        .clinic
        .access_claims(&body["access_token"])
        .await
        .into_claims();
    assert_eq!(
        claims.audiences.iter().collect::<Vec<_>>(),
        [AUDIENCE, SECOND_RESOURCE]
    );
    assert!(claims.fhir_user.is_none());
}

#[tokio::test]
async fn nothing_gets_wider() {
    let partner = Partner::open().await;
    let subject = held(&partner, PHYSICIAN, "profile user/Patient.rs").await;
    let token = &subject["access_token"];
    for scope in [
        "user/*.rs",
        "user/Patient.rs user/Observation.rs",
        "user/Patient.cruds",
    ] {
        let answer = exchange(&partner, token, &[("scope", scope)]).await;
        partner
            .is_refused(&answer, "invalid_scope", "invalid_scope")
            .await;
    }
    // The token has it, and the client is not registered for it.
    let answer = exchange(&partner, token, &[("scope", "profile")]).await;
    partner
        .is_refused(&answer, "invalid_scope", "invalid_scope")
        .await;
    let narrow = exchange(&partner, token, &[("audience", AUDIENCE)]).await.json();
    for target in [SECOND_RESOURCE, "https://elsewhere.example"] {
        let answer = exchange(&partner, &narrow["access_token"], &[("resource", target)]).await;
        partner
            .is_refused(&answer, "invalid_target", "invalid_target")
            .await;
    }
}

#[tokio::test]
async fn it_ends_with_the_grant_of_the_subject_token() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let subject = held(&partner, PHYSICIAN, "user/*.rs offline_access").await;
    let narrow = exchange(&partner, &subject["access_token"], &[]).await.json();
    assert!(clinic.is_live(&narrow["access_token"]).await);
    let fields = [
        ("token", subject["refresh_token"].as_str().unwrap()),
        ("client_id", ZUS),
    ];
    let revoked = clinic.browser().post("/oauth2/revoke", &fields).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert!(!clinic.is_live(&narrow["access_token"]).await);
    for token in [&subject["access_token"], &narrow["access_token"]] {
        let answer = exchange(&partner, token, &[]).await;
        partner
            .is_refused(&answer, "invalid_request", "invalid_subject_token")
            .await;
    }
}

#[tokio::test]
async fn what_is_no_living_access_token_of_ours_is_refused() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let subject = held(&partner, PHYSICIAN, "openid user/*.rs offline_access").await;
    let foreign = partner.id_token(PHYSICIAN);
    let mut claims = partner.claims(PHYSICIAN);
    claims["iss"] = crate::testing::ISSUER.into();
    claims["aud"] = AUDIENCE.into();
    let forged = partner.provider.signer.sign(
        &json!({ "alg": "ES256", "typ": "at+jwt", "kid": "idp-1" }),
        &claims,
    );
    for token in ["x", &foreign, &forged, subject["refresh_token"].as_str().unwrap()] {
        let answer = partner.as_agent(&fields(token, &[])).await;
        partner
            .is_refused(&answer, "invalid_request", "invalid_subject_token")
            .await;
    }
    let revoke = [
        ("token", subject["access_token"].as_str().unwrap()),
        ("client_id", ZUS),
    ];
    let second = held(&partner, PHYSICIAN, "user/*.rs").await;
    clinic.browser().post("/oauth2/revoke", &revoke).await;
    let answer = exchange(&partner, &subject["access_token"], &[]).await;
    partner
        .is_refused(&answer, "invalid_request", "invalid_subject_token")
        .await;
    clinic.issuer.advance(3600);
    let answer = exchange(&partner, &second["access_token"], &[]).await;
    partner
        .is_refused(&answer, "invalid_request", "invalid_subject_token")
        .await;
}

#[tokio::test]
async fn a_grant_that_ends_meanwhile_gives_nothing() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let subject = held(&partner, PHYSICIAN, "user/*.rs offline_access").await;
    let token_id = clinic
        .access_claims(&subject["access_token"])
        .await
        .into_claims()
        .token_id;
    let narrow = exchange(&partner, &subject["access_token"], &[]).await.json();
    let now = clinic.issuer.now();
    let place = || {
        clinic
            .issuer
            .state
            .status_places()
            .next(now.plus(60), now)
            .unwrap()
    };
    let mut record = crate::domain::grant::AccessTokenRecord {
        token_id: "at-later".into(),
        client_id: AGENT.into(),
        grant_id: None,
        user_id: None,
        status: place(),
        expires_at: now.plus(60),
        revoked_at: None,
        proof: None,
    };
    let audit = || AuditEvent::new(now, AuditAction::TokenRequest, AuditOutcome::Success);
    let store = clinic.issuer.store();
    let stored = store
        .exchange_access_token(&token_id, record.clone(), now, audit())
        .await;
    assert_eq!(stored, Ok(true));
    assert_eq!(store.is_access_token_live("at-later", now).await, Ok(true));
    let digest = SecretDigest::of(subject["refresh_token"].as_str().unwrap());
    let (_, grant) = store.refresh_token(&digest).await.unwrap().unwrap();
    assert!(store.end_grant(&grant.id, now, audit()).await.unwrap());
    record.token_id = "at-too-late".into();
    record.status = place();
    let stored = store.exchange_access_token(&token_id, record, now, audit()).await;
    assert_eq!(stored, Ok(false));
    assert_eq!(store.is_access_token_live("at-later", now).await, Ok(false));
    assert!(!clinic.is_live(&narrow["access_token"]).await);
}

#[tokio::test]
async fn a_public_client_narrows_its_own_tokens_and_no_others() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let own = held(&partner, PHYSICIAN, "user/*.rs").await;
    let as_public = |token: &Value| {
        let fields = fields(
            token.as_str().unwrap(),
            &[("client_id", ZUS), ("scope", "user/Patient.r")],
        );
        let fields: Vec<(String, String)> = fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            clinic.token(&fields).await
        }
    };
    let answer = as_public(&own["access_token"]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let theirs = exchange(&partner, &own["access_token"], &[]).await.json();
    let answer = as_public(&theirs["access_token"]).await;
    partner
        .is_refused(&answer, "invalid_request", "subject_token_of_another_client")
        .await;
}

#[tokio::test]
async fn a_clients_own_token_is_not_exchanged() {
    let partner = Partner::open().await;
    let own = partner
        .clinic
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", SERVICE),
            ("client_secret", &partner.clinic.service_secret),
        ])
        .await
        .json();
    let answer = exchange(&partner, &own["access_token"], &[]).await;
    partner
        .is_refused(&answer, "invalid_request", "subject_token_of_no_person")
        .await;
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_not_exchanged() {
    let partner = Partner::open().await;
    let clinic = &partner.clinic;
    let bearer = held(&partner, PHYSICIAN, "user/*.rs").await;
    let mut claims = clinic.access_claims(&bearer["access_token"]).await.into_claims();
    claims.confirmation = Some(json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
    let now = clinic.issuer.now();
    let keys = clinic.issuer.state.keys();
    let bound = keys
        .sign(ACCESS_TOKEN_TYPE, claims, now, now.plus(60), now)
        .unwrap();
    let answer = exchange(&partner, &bound.into(), &[]).await;
    partner
        .is_refused(&answer, "invalid_request", "subject_token_bound")
        .await;
}

/// A further client that may exchange tokens, with the secret of [`AGENT`].
async fn further_agent(partner: &Partner, client_id: &str) {
    let secret = ClientAuthentication::Secret(SecretDigest::of(AGENT_SECRET));
    let agent = client(client_id, secret, &[GrantType::TokenExchange], &[], "user/*.rs");
    partner.clinic.issuer.add_client(agent).await;
}

async fn exchange_as(partner: &Partner, client_id: &str, token: &Value) -> Answer {
    let authorization = basic(client_id, AGENT_SECRET);
    let fields = fields(token.as_str().unwrap(), &[]);
    let browser = partner.clinic.browser();
    browser
        .post_with("/oauth2/token", &fields, &[("authorization", &authorization)])
        .await
}

#[tokio::test]
async fn the_chain_of_actors_is_kept_shown_and_bounded() {
    let partner = Partner::open().await;
    let mut token = held(&partner, PHYSICIAN, "user/*.rs").await["access_token"].clone();
    for client_id in ["second", "third", "fourth", "fifth"] {
        further_agent(&partner, client_id).await;
    }
    for client_id in [AGENT, AGENT, "second", "third", "fourth"] {
        let answer = exchange_as(&partner, client_id, &token).await;
        assert_eq!(answer.status, StatusCode::OK, "{client_id}: {answer:?}");
        token = answer.json()["access_token"].clone();
    }
    let chain = json!({
        "sub": "fourth",
        "act": { "sub": "third", "act": { "sub": "second", "act": { "sub": AGENT } } },
    });
    let claims = partner.clinic.access_claims(&token).await.into_claims();
    assert_eq!(serde_json::to_value(claims.actor).unwrap(), chain);
    let authorization = basic("fourth", AGENT_SECRET);
    let introspection = partner
        .clinic
        .browser()
        .post_with(
            "/oauth2/introspect",
            &[("token", token.as_str().unwrap())],
            &[("authorization", &authorization)],
        )
        .await;
    assert_eq!(introspection.json()["act"], chain);
    let answer = exchange_as(&partner, "fifth", &token).await;
    partner
        .is_refused(&answer, "invalid_request", "too_many_actors")
        .await;
}

#[tokio::test]
async fn an_assertion_is_no_subject_token() {
    let partner = Partner::open().await;
    let now = partner.clinic.issuer.now();
    let claims = partner
        .provider
        .assertion_claims(crate::testing::ISSUER, PHYSICIAN, now);
    let assertion = partner.provider.sign(&claims);
    let answer = partner.exchange(&assertion, &[]).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_audience")
        .await;
    let fields = [
        ("grant_type", JWT_BEARER),
        ("assertion", &partner.id_token(PHYSICIAN)),
    ];
    let answer = partner.as_agent(&fields).await;
    partner
        .is_refused(&answer, "invalid_grant", "foreign_token_audience")
        .await;
}
