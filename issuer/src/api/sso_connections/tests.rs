use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::role::{BUILDER_ADMIN, CARE_TEAM_USER};
use crate::store::{ProvidedAccount, ProvidedIdentity};
use crate::testing::FakeProvider;
use crate::web::testing::{Answer, Browser, Clinic, PATIENT, basic};

const SECRET: &str = "the-client-secret";

/// A clinic, a provider, and a program with a token for administration.
struct Office {
    clinic: Clinic,
    provider: FakeProvider,
    token: String,
}

impl Office {
    async fn open() -> Self {
        let clinic = Clinic::with_config(|config| config.outbound.allow_loopback_http = true).await;
        let scope = "__administration.read __administration.write";
        let (_, secret) = clinic.issuer.add_service_client("tool", scope).await;
        let credentials = basic("tool", &secret);
        let (fields, headers) = (
            [("grant_type", "client_credentials")],
            [("authorization", credentials.as_str())],
        );
        let answer = clinic
            .browser()
            .post_with("/oauth2/token", &fields, &headers)
            .await;
        let token = answer.json()["access_token"].as_str().unwrap().into();
        let provider = FakeProvider::start().await;
        Self {
            clinic,
            provider,
            token,
        }
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Browser::request(method, path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into())
            .unwrap();
        self.clinic.browser().send(request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &Value::Null).await
    }

    fn settings(&self) -> Value {
        json!({
            "name": "Clinic", "issuer": self.provider.issuer, "clientId": "wardgate", "clientSecret": SECRET,
            "unknownPeople": "create", "defaultRoleId": CARE_TEAM_USER,
            "roleRules": [{"claim": "groups", "value": "nurses", "roleId": CARE_TEAM_USER}],
        })
    }

    async fn made(&self) -> String {
        let answer = self.post(super::PATH, &self.settings()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.header("location").unwrap().into()
    }
}

#[track_caller]
fn faults(answer: &Answer, status: StatusCode) -> Vec<String> {
    assert_eq!(answer.status, status, "{answer:?}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let field = |error: &Value| error["field"].as_str().unwrap().into();
    errors.iter().map(field).collect()
}

#[tokio::test]
async fn a_connection_is_made_attested_enabled_changed_and_removed_and_its_secret_never_shown() {
    let office = Office::open().await;
    let path = office.made().await;
    let made = office.get(&path).await;
    let shown = made.json();
    assert_eq!(shown["clientAuthentication"], "client_secret_basic");
    assert_eq!(
        (shown["enabled"].as_bool(), &shown["mfaAttestedAt"]),
        (Some(false), &Value::Null)
    );
    assert_eq!(shown["roleRules"][0]["roleId"], CARE_TEAM_USER);
    assert!(
        shown["redirectUri"]
            .as_str()
            .unwrap()
            .ends_with("/login/sso/callback")
    );

    let early = office.post(&format!("{path}/enable"), &Value::Null).await;
    assert!(faults(&early, StatusCode::CONFLICT).is_empty());
    let event = office.clinic.last_audit().await;
    assert_eq!(
        (event.outcome, event.reason.as_deref()),
        (AuditOutcome::Failure, Some("not_attested"))
    );
    let attested = office.post(&format!("{path}/attest-mfa"), &Value::Null).await;
    assert_eq!(attested.json()["mfaAttestedBy"], "tool");
    let enabled = office.post(&format!("{path}/enable"), &Value::Null).await;
    assert_eq!(enabled.json()["enabled"], true);

    let change = json!({"name": "Hospital", "unknownPeople": "refuse", "defaultRoleId": null});
    let changed = office.call(Method::PATCH, &path, &change).await;
    assert_eq!(changed.json()["name"], "Hospital");
    assert_eq!(changed.json()["defaultRoleId"], Value::Null);
    assert_eq!(changed.json()["hasClientSecret"], true);
    let list = office.get(super::PATH).await;
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
    for answer in [&made, &enabled, &changed, &list] {
        assert!(!answer.body.contains(SECRET), "{answer:?}");
    }
    let disabled = office.post(&format!("{path}/disable"), &Value::Null).await;
    assert_eq!(disabled.json()["enabled"], false);
    let gone = office.call(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        office.clinic.last_audit().await.action,
        AuditAction::SsoConnectionDeletion
    );
    assert_eq!(office.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_domain_is_claimed_used_on_an_administrators_word_and_removed() {
    let office = Office::open().await;
    let path = office.made().await;
    let domains = format!("{path}/domains");
    let body = json!({"domain": "Clinic.Example"});
    let claimed = office.post(&domains, &body).await;
    assert_eq!(claimed.status, StatusCode::CREATED, "{claimed:?}");
    let domain = claimed.header("location").unwrap().to_owned();
    let shown = claimed.json();
    assert_eq!(shown["recordName"], "_wardgate.clinic.example");
    assert!(
        shown["recordValue"]
            .as_str()
            .unwrap()
            .starts_with("wardgate-domain-verification=")
    );
    assert_eq!(shown["verifiedBy"], Value::Null);
    let again = office.post(&domains, &body).await;
    assert_eq!(faults(&again, StatusCode::CONFLICT), ["domain"]);

    let explain = "/auth/sso/explain?email=nurse%40clinic.example";
    assert_eq!(office.get(explain).await.json()["wayIn"], "password");
    let verified = office.post(&format!("{domain}/override"), &Value::Null).await;
    assert_eq!(verified.json()["verifiedBy"], "administrator");
    for turn in ["attest-mfa", "enable"] {
        office.post(&format!("{path}/{turn}"), &Value::Null).await;
    }
    let explained = office.get(explain).await.json();
    assert_eq!(explained["wayIn"], "provider");
    assert!(path.ends_with(explained["connectionId"].as_str().unwrap()));

    let gone = office.call(Method::DELETE, &domain, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for (method, path) in [
        (Method::DELETE, domain.clone()),
        (Method::POST, format!("{domain}/verify")),
        (Method::POST, format!("{domain}/override")),
    ] {
        let answer = office.call(method, &path, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_names_its_member() {
    let office = Office::open().await;
    for (change, fields) in [
        (json!({"color": "red", "name": 5}), vec!["name", "color"]),
        (json!({"roleRules": [{"claim": "groups"}]}), vec!["roleRules"]),
        (json!({"region": "eu-west-1"}), vec!["userPoolId"]),
        (json!({"preset": "other"}), vec!["preset"]),
        (json!({"issuer": "https://unreachable.invalid"}), vec!["issuer"]),
        (json!({"defaultRoleId": BUILDER_ADMIN}), vec!["defaultRoleId"]),
        (json!({"clientSecret": null}), vec!["clientSecret"]),
        (json!({"scopes": ["email"]}), vec!["scopes"]),
    ] {
        let mut body = office.settings();
        let members = body.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        let answer = office.post(super::PATH, &body).await;
        assert_eq!(
            faults(&answer, StatusCode::UNPROCESSABLE_ENTITY),
            fields,
            "{change}"
        );
        assert!(!answer.body.contains(SECRET), "{answer:?}");
    }
    assert!(
        office
            .clinic
            .issuer
            .store()
            .sso_connections()
            .await
            .unwrap()
            .is_empty()
    );
    for query in ["", "?email=", "?email=a&x=b"] {
        let answer = office.get(&format!("/auth/sso/explain{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn who_somebody_is_at_a_provider_is_forgotten_by_their_id() {
    let office = Office::open().await;
    let path = office.made().await;
    let answer = office
        .post(&format!("{path}/domains"), &json!({"domain": "example.org"}))
        .await;
    let domain = answer.header("location").unwrap().to_owned();
    office.post(&format!("{domain}/override"), &Value::Null).await;
    let store = office.clinic.issuer.store();
    let identity = ProvidedIdentity {
        connection_id: store.sso_connections().await.unwrap().remove(0).id,
        subject: "a subject".into(),
        email: PATIENT.into(),
        role_id: None,
        grants_administration: false,
        new_account: None,
    };
    let audit = AuditEvent::new(
        office.clinic.issuer.now(),
        AuditAction::SignIn,
        AuditOutcome::Success,
    );
    let linked = store.provided_account(identity, audit).await.unwrap();
    let ProvidedAccount::Person(person) = linked else {
        panic!("{linked:?}");
    };
    let link = format!("{path}/links/{}", person.id);
    let gone = office.call(Method::DELETE, &link, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:?}");
    assert_eq!(store.sso_links_of(&person.id).await.unwrap(), []);
    let recorded = office.clinic.last_audit().await;
    assert_eq!(
        (
            recorded.action,
            recorded.reason.as_deref(),
            recorded.user_id.as_deref()
        ),
        (AuditAction::SsoLink, Some("removed"), Some(&*person.id))
    );
    for path in [
        &link,
        &format!("{path}/links/nobody"),
        "/auth/sso-connections/none/links/x",
    ] {
        let answer = office.call(Method::DELETE, path, &Value::Null).await;
        assert!(faults(&answer, StatusCode::NOT_FOUND).is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_connection_that_makes_accounts_has_a_role_for_them_which_stays() {
    let office = Office::open().await;
    let mut settings = office.settings();
    settings["defaultRoleId"] = Value::Null;
    let answer = office.post(super::PATH, &settings).await;
    assert_eq!(
        faults(&answer, StatusCode::UNPROCESSABLE_ENTITY),
        ["defaultRoleId"]
    );

    let mut roles = Vec::new();
    for name in ["Default", "Ruled"] {
        let answer = office
            .post("/auth/roles", &json!({"name": name, "scope": "openid"}))
            .await;
        roles.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    settings["defaultRoleId"] = roles[0].as_str().into();
    settings["roleRules"][0]["roleId"] = roles[1].as_str().into();
    let made = office.post(super::PATH, &settings).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    for role in &roles {
        let path = format!("/auth/roles/{role}");
        let answer = office.call(Method::DELETE, &path, &Value::Null).await;
        assert!(faults(&answer, StatusCode::CONFLICT).is_empty());
        assert_eq!(office.clinic.last_audit().await.reason.as_deref(), Some("in_use"));
    }
    let connection = made.header("location").unwrap();
    office.call(Method::DELETE, connection, &Value::Null).await;
    for role in &roles {
        let path = format!("/auth/roles/{role}");
        let answer = office.call(Method::DELETE, &path, &Value::Null).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    }
}
