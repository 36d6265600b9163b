//! The API through the real router, by administrators' programs and by people who are, or are not, administrators.

mod authorization;
mod factors;
mod limits;
mod roles;
mod sessions;
mod signing_keys;
mod users;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::config::Config;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::role::{BUILDER_ADMIN, Role, SecondFactorPolicy};
use crate::domain::user::User;
use crate::testing::{client, user};
use crate::web::testing::{APP_REDIRECT, Answer, Browser, Clinic, PASSWORD, VERIFIER, app_request, changed};

const READ_AND_WRITE: &str = "__administration.read __administration.write";
/// The app in which people administrate.
const DESK: &str = "desk";
const ROOT: &str = "root@example.org";

/// A clinic with an administrator, an app for administrators, and a program that administrates for itself.
struct Office {
    clinic: Clinic,
    /// The secret of the program.
    secret: String,
    /// The token of the program.
    token: String,
}

impl Office {
    async fn open() -> Self {
        Self::with_config(|_| ()).await
    }

    async fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        let clinic = Clinic::with_config(change).await;
        let desk = client(
            DESK,
            ClientAuthentication::Public,
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            &[APP_REDIRECT],
            &format!("openid offline_access user/*.rs user/*.cruds {READ_AND_WRITE}"),
        );
        clinic.issuer.add_client(desk).await;
        let (_, secret) = clinic.issuer.add_service_client("program", READ_AND_WRITE).await;
        let token = service_token(&clinic, "program", &secret, READ_AND_WRITE).await;
        let office = Self {
            clinic,
            secret,
            token,
        };
        office.person(ROOT, BUILDER_ADMIN).await;
        office
    }

    /// Makes an account that can sign in, with this role.
    async fn person(&self, email: &str, role_id: &str) -> User {
        let role = self.clinic.issuer.store().role(role_id).await.unwrap().unwrap();
        let passwords = self.clinic.issuer.state.passwords();
        let password_hash = Some(passwords.hash(Secret::new(PASSWORD.into())).await.unwrap());
        let person = User {
            role: Some(role),
            password_hash,
            organization_id: None,
            ..user(email)
        };
        self.clinic.issuer.insert_user(person).await
    }

    /// Makes a role with this ceiling, and gives its id.
    async fn role(&self, name: &str, scope: &str) -> String {
        let answer = self
            .post("/auth/roles", &json!({ "name": name, "scope": scope }))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().into()
    }

    /// The tokens of a person in the app for administrators.
    async fn tokens_of(&self, email: &str, scope: &str) -> Value {
        let request = changed(app_request(scope), &[("client_id", Some(DESK))]);
        let answer = self.clinic.browser().authorize(&request, email).await;
        let code = answer
            .sent("code")
            .unwrap_or_else(|| panic!("no code: {answer:?}"));
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    async fn redeem(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", APP_REDIRECT),
            ("client_id", DESK),
            ("code_verifier", VERIFIER),
        ];
        self.clinic.token(&fields).await
    }

    async fn token_of(&self, email: &str) -> String {
        let tokens = self.tokens_of(email, &format!("openid {READ_AND_WRITE}")).await;
        tokens["access_token"].as_str().unwrap().into()
    }

    async fn call(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = Browser::request(method, path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.clinic.browser().send(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(&self.token, Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(&self.token, Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(&self.token, Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call(&self.token, Method::DELETE, path, None).await
    }
}

async fn service_token(clinic: &Clinic, client_id: &str, secret: &str, scope: &str) -> String {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", scope),
    ];
    let answer = clinic.token(&fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().into()
}

/// Checks the form of a refusal, and gives the fields that it names.
#[track_caller]
fn is_problem(answer: &Answer, status: StatusCode) -> Vec<String> {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["status"], status.as_u16());
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            assert!(error["detail"].is_string());
            error["field"].as_str().unwrap().into()
        })
        .collect()
}

fn own_role(name: &str, scope: &str) -> Role {
    Role {
        id: format!("role-{name}"),
        name: name.into(),
        built_in: false,
        ceiling: Some(ScopeSet::parse(scope).unwrap()),
        second_factor: SecondFactorPolicy::Offered,
        created_at: crate::testing::START,
    }
}
