//! API keys in the place of a client.

use http::StatusCode;
use wardgate_shared::api_key::ApiKeyPart;
use wardgate_shared::scope::ScopeSet;

use crate::administration::Actor;
use crate::administration::api_keys::{self, MadeApiKey, NewApiKey};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::client::SecurityProfile;
use crate::testing::{AUDIENCE, Prover, START};
use crate::web::testing::{Answer, Clinic, basic};

async fn made(clinic: &Clinic, expires_in: Option<i64>) -> MadeApiKey {
    let new = NewApiKey {
        name: "EHR Integration".into(),
        scope: ScopeSet::parse("system/Patient.rs system/Observation.rs").unwrap(),
        expires_at: expires_in.map(|seconds| clinic.issuer.now().plus(seconds)),
    };
    api_keys::create(&clinic.issuer.state, &Actor::operator(), new)
        .await
        .unwrap()
}

async fn exchange(clinic: &Clinic, key: &str, secret: &str, further: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", key),
        ("client_secret", secret),
    ];
    fields.extend(further);
    clinic.token(&fields).await
}

/// Refused as it should be, and the reason in the audit trail.
async fn is_refused(clinic: &Clinic, answer: &Answer, reason: &str) -> String {
    let description = answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client");
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::TokenRequest, AuditOutcome::Failure)
    );
    assert_eq!(event.reason.as_deref(), Some(reason));
    assert_eq!(event.method.as_deref(), Some("api_key"));
    description
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_short_token_that_names_it() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    clinic.issuer.advance(7);
    let answer = exchange(&clinic, &key.key, secret.expose(), &[("audience", AUDIENCE)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "system/Patient.rs system/Observation.rs");
    let claims = clinic.access_claims(&body["access_token"]).await;
    assert_eq!(claims.expires_at(), START.plus(307));
    let claims = claims.into_claims();
    assert_eq!(claims.audiences.iter().collect::<Vec<_>>(), [AUDIENCE]);
    assert_eq!(claims.api_key_id.as_deref(), Some(&*key.id));
    assert_eq!((&claims.subject, &claims.client_id), (&key.id, &key.id));
    assert!(claims.status.is_some() && claims.confirmation.is_none());
    assert!(clinic.is_live(&body["access_token"]).await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.client_id.as_deref()),
        (AuditAction::TokenRequest, AuditOutcome::Success, Some(&*key.id))
    );
    assert_eq!(event.method.as_deref(), Some("api_key"));
    let used = clinic.issuer.store().api_key(&key.id).await.unwrap().unwrap();
    assert_eq!(used.last_used_at, Some(START.plus(7)));
}

#[tokio::test]
async fn every_way_in_which_a_key_proves_nothing_has_its_reason() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, Some(1_000)).await;
    let secret = secret.expose().as_str();
    let prefix = &clinic.issuer.state.config().api_keys.prefix;
    let (strange_key, strange_secret) = (prefix.key(&[9; 17]), prefix.secret(&[9; 32]));

    let cut = key.key.get(..30).unwrap();
    let answer = exchange(&clinic, cut, secret, &[]).await;
    is_refused(&clinic, &answer, "mistyped_api_key").await;
    let answer = exchange(&clinic, &key.key, &secret.replace("zs_", "sz_"), &[]).await;
    is_refused(&clinic, &answer, "mistyped_api_secret").await;
    let fields = [("grant_type", "client_credentials"), ("client_id", &*key.key)];
    let answer = clinic.token(&fields).await;
    is_refused(&clinic, &answer, "no_api_secret").await;

    // Whoever has no secret does not learn which keys there are.
    let answer = exchange(&clinic, &strange_key, secret, &[]).await;
    let unknown = is_refused(&clinic, &answer, "unknown_api_key").await;
    let answer = exchange(&clinic, &key.key, strange_secret.expose(), &[]).await;
    let wrong = is_refused(&clinic, &answer, "wrong_api_secret").await;
    assert_eq!(unknown, wrong);
    assert_eq!(clinic.last_audit().await.client_id.as_deref(), Some(&*key.id));

    clinic.issuer.advance(1_000);
    let answer = exchange(&clinic, &key.key, secret, &[]).await;
    is_refused(&clinic, &answer, "expired_api_key").await;
    api_keys::revoke(&clinic.issuer.state, &Actor::operator(), &key.id)
        .await
        .unwrap();
    let answer = exchange(&clinic, &key.key, secret, &[]).await;
    is_refused(&clinic, &answer, "revoked_api_key").await;
    let answer = exchange(&clinic, &key.key, strange_secret.expose(), &[]).await;
    is_refused(&clinic, &answer, "wrong_api_secret").await;
    assert!(prefix.check(ApiKeyPart::Key, &strange_key).is_ok());
}

#[tokio::test]
async fn a_key_is_asked_for_in_one_way_only() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let secret = secret.expose().as_str();
    for (further, code) in [
        (vec![("grant_type", "client_credentials")], "invalid_request"),
        (vec![("client_assertion", "a.b.c")], "invalid_request"),
        (vec![("scope", "system/*.rs  x")], "invalid_scope"),
        (
            vec![("scope", "system/Encounter.rs patient/*.rs")],
            "invalid_scope",
        ),
        (vec![("resource", "https://elsewhere.example")], "invalid_target"),
    ] {
        let answer = exchange(&clinic, &key.key, secret, &further).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
    }
    for (grant_type, code) in [
        ("authorization_code", "unauthorized_client"),
        ("refresh_token", "unauthorized_client"),
        ("api_key", "unsupported_grant_type"),
    ] {
        let fields = [
            ("grant_type", grant_type),
            ("client_id", &key.key),
            ("client_secret", secret),
        ];
        clinic
            .token(&fields)
            .await
            .is_oauth_error(StatusCode::BAD_REQUEST, code);
    }
    let fields = [("client_id", &*key.key), ("client_secret", secret)];
    clinic
        .token(&fields)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
    let fields = [("grant_type", "client_credentials"), ("client_id", &key.key)];
    let credentials = basic(&key.key, secret);
    let headers = [("authorization", credentials.as_str())];
    clinic
        .browser()
        .post_with("/oauth2/token", &fields, &headers)
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn the_scope_is_cut_to_what_the_key_has() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let asked = [("scope", "system/Patient.r system/Encounter.rs openid")];
    let answer = exchange(&clinic, &key.key, secret.expose(), &asked).await;
    assert_eq!(answer.json()["scope"], "system/Patient.r");
}

#[tokio::test]
async fn a_token_ends_with_its_key_and_with_its_secret() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, Some(120)).await;
    let answer = exchange(&clinic, &key.key, secret.expose(), &[]).await;
    assert_eq!(answer.json()["expires_in"], 120);

    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let (state, operator) = (&clinic.issuer.state, Actor::operator());
    let long = exchange(&clinic, &key.key, secret.expose(), &[]).await.json();
    let rotated = api_keys::rotate(state, &operator, &key.id, 90).await.unwrap();
    // It would have outlived the secret that it was exchanged for.
    assert!(!clinic.is_live(&long["access_token"]).await);
    let of_old = exchange(&clinic, &key.key, secret.expose(), &[]).await.json();
    assert_eq!(of_old["expires_in"], 90);
    let of_new = exchange(&clinic, &key.key, rotated.secret.expose(), &[]).await;
    assert_eq!(of_new.json()["expires_in"], 300);

    let again = api_keys::rotate(state, &operator, &key.id, 600).await.unwrap();
    // Which of both secrets it came from is not known, and one of them is over.
    assert!(!clinic.is_live(&of_old["access_token"]).await);
    let answer = exchange(&clinic, &key.key, secret.expose(), &[]).await;
    is_refused(&clinic, &answer, "wrong_api_secret").await;
    let still = exchange(&clinic, &key.key, rotated.secret.expose(), &[])
        .await
        .json();
    clinic.issuer.advance(600);
    let answer = exchange(&clinic, &key.key, rotated.secret.expose(), &[]).await;
    is_refused(&clinic, &answer, "replaced_api_secret").await;
    let newest = exchange(&clinic, &key.key, again.secret.expose(), &[]).await;
    assert_eq!(
        (newest.status, still["expires_in"].as_i64()),
        (StatusCode::OK, Some(300))
    );
}

#[tokio::test]
async fn a_revoked_key_takes_its_tokens_with_it_and_no_other() {
    let clinic = Clinic::open().await;
    let (revoked, other) = (made(&clinic, None).await, made(&clinic, None).await);
    let of_revoked = exchange(&clinic, &revoked.key.key, revoked.secret.expose(), &[]).await;
    let of_other = exchange(&clinic, &other.key.key, other.secret.expose(), &[]).await;
    api_keys::revoke(&clinic.issuer.state, &Actor::operator(), &revoked.key.id)
        .await
        .unwrap();
    assert!(!clinic.is_live(&of_revoked.json()["access_token"]).await);
    assert!(clinic.is_live(&of_other.json()["access_token"]).await);
    // What the edge goes by says so too.
    let claims = clinic.access_claims(&of_revoked.json()["access_token"]).await;
    let place = claims.into_claims().status.unwrap().status_list.unwrap();
    let list = place.uri.rsplit('/').next().unwrap();
    let store = clinic.issuer.store();
    let (_, bits) = store
        .status_list(list, clinic.issuer.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bits.into_iter().map(u64::from).collect::<Vec<_>>(), [place.index]);
}

#[tokio::test]
async fn a_key_that_ends_while_it_is_exchanged_gives_no_token() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let state = &clinic.issuer.state;
    let (mut given, mut revocation) = (Vec::new(), None);
    for round in 0..8 {
        let exchanged = exchange(&clinic, &key.key, secret.expose(), &[]);
        if round == 4 {
            let operator = Actor::operator();
            let revoked = api_keys::revoke(state, &operator, &key.id);
            let (answer, outcome) = tokio::join!(exchanged, revoked);
            revocation = Some(outcome);
            given.push(answer);
        } else {
            given.push(exchanged.await);
        }
    }
    revocation.unwrap().unwrap();
    for answer in given.iter().filter(|answer| answer.status == StatusCode::OK) {
        assert!(!clinic.is_live(&answer.json()["access_token"]).await);
    }
    assert!(
        given
            .iter()
            .skip(5)
            .all(|answer| answer.status == StatusCode::UNAUTHORIZED)
    );
}

#[tokio::test]
async fn a_key_may_bind_its_token_to_a_key_of_its_own() {
    let clinic = Clinic::open().await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let prover = Prover::new();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &*key.key),
        ("client_secret", secret.expose()),
    ];
    let proof = prover.post("/oauth2/token", clinic.issuer.now());
    let headers = [("dpop", proof.as_str())];
    let send = || async {
        clinic
            .browser()
            .post_with("/oauth2/token", &fields, &headers)
            .await
    };
    let answer = send().await;
    assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
    send()
        .await
        .is_oauth_error(StatusCode::BAD_REQUEST, "invalid_dpop_proof");
}

#[tokio::test]
async fn an_issuer_that_is_held_to_fapi_takes_no_api_keys() {
    let clinic = Clinic::with_config(|config| config.security.profile = SecurityProfile::Fapi2).await;
    let MadeApiKey { key, secret, .. } = made(&clinic, None).await;
    let answer = exchange(&clinic, &key.key, secret.expose(), &[]).await;
    is_refused(&clinic, &answer, "client_authentication_method").await;
}
