//! Who calls, and what a call is checked against.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::Value;

use crate::config::{AccountMatch, RegistrationMode, TrustedIssuer};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::openapi::{Access, Answer as Described, Content, Description, Operation, Place, description};
use crate::testing::{FakeProvider, client};
use crate::web::testing::{APP_REDIRECT, Answer, Browser, Clinic, form};

use super::super::checker::faults;

/// In the place of parameters: none in the query but those that are needed.
pub(super) const WITHOUT_QUERY: [(&str, &str); 1] = [("*", "")];
/// What the provider knows us by.
pub(super) const OUR_ID_THERE: &str = "0oa1wardgate";
/// The app that an EHR launches.
pub(super) const LAUNCHED: &str = "launched";
const ADMINISTRATION: &str = "__administration.read __administration.write __launches introspect system/*.rs observation.write \
                              openid patient/*.rs";

/// A clinic with everything that the examples name, and tokens for it.
pub(super) struct Caller {
    pub(super) clinic: Clinic,
    pub(super) provider: FakeProvider,
    /// A program that may do everything, its id and secret.
    pub(super) admin: (String, String),
    pub(super) admin_token: String,
    pub(super) service: (String, String),
    pub(super) persons_token: String,
    pub(super) registration_token: String,
    /// The operations that have been called.
    pub(super) called: BTreeSet<&'static str>,
    description: Description,
}

impl Caller {
    pub(super) async fn open() -> Self {
        let provider = FakeProvider::start().await;
        let trusted = TrustedIssuer {
            issuer: provider.issuer.clone(),
            id_tokens: true,
            assertions: true,
            audiences: vec![OUR_ID_THERE.into()],
            jwks_uri: None,
            match_by: AccountMatch::Email,
            email_domains: Vec::new(),
            client_id: None,
            longest_age_seconds: 300,
        };
        let clinic = Clinic::with_config(|config| {
            config.outbound.allow_loopback_http = true;
            config.development.outbox = true;
            config.registration.mode = RegistrationMode::Open;
            config.trusted_issuers = vec![trusted];
            // The examples name the API of the test environment.
            config.resources[0]
                .aliases
                .push("http://localhost:8787/fhir".into());
        })
        .await;
        let own = |id, grants: &[GrantType], scope| {
            client(id, ClientAuthentication::Public, grants, &[APP_REDIRECT], scope)
        };
        let partner = [GrantType::TokenExchange, GrantType::JwtBearer];
        let mut launched = own(
            LAUNCHED,
            &[GrantType::AuthorizationCode],
            "openid launch patient/*.rs",
        );
        launched.metadata.launch_uri = Some("https://app.example/launch".into());
        for client in [
            own("bedside-monitor", &[GrantType::DeviceCode], "openid patient/*.rs"),
            own("my-partner", &partner, "openid user/*.read"),
            launched,
        ] {
            clinic.issuer.add_client(client).await;
        }
        let (_, secret) = clinic.issuer.add_service_client("admin", ADMINISTRATION).await;
        let service = (crate::web::testing::SERVICE.into(), clinic.service_secret.clone());
        let mut caller = Self {
            clinic,
            provider,
            admin: ("admin".into(), secret),
            admin_token: String::new(),
            service,
            persons_token: String::new(),
            registration_token: String::new(),
            called: BTreeSet::new(),
            description: description(),
        };
        caller.admin_token = caller.fresh_admin_token().await;
        caller
    }

    pub(super) async fn fresh_admin_token(&self) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", self.admin.0.as_str()),
            ("client_secret", self.admin.1.as_str()),
        ];
        let answer = self.clinic.token(&fields).await;
        answer.json()["access_token"].as_str().unwrap().into()
    }

    /// Calls an operation with its example, changed by `change`; parameters get these values, or those of their examples. Gives
    /// the JSON of the answer, whose status must be `status`.
    pub(super) async fn call(
        &mut self,
        id: &str,
        parameters: &[(&str, &str)],
        change: impl Fn(&mut Value),
        status: StatusCode,
    ) -> Value {
        let answer = self.answer(id, parameters, change).await;
        assert_eq!(answer.status, status, "{id}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// The same, whatever comes back.
    pub(super) async fn answer(
        &mut self,
        id: &str,
        parameters: &[(&str, &str)],
        change: impl Fn(&mut Value),
    ) -> Answer {
        self.send(id, parameters, None, false, change).await
    }

    /// The same as somebody who has no credentials but the token, if any.
    pub(super) async fn answer_without_client(&mut self, id: &str) -> Answer {
        let bare = |body: &mut Value| {
            for name in ["client_id", "client_secret", "access_token"] {
                body.as_object_mut().map(|members| members.remove(name));
            }
        };
        self.send(id, &[], None, false, bare).await
    }

    /// Sends the example of this name, as a form; it must succeed.
    pub(super) async fn named(&mut self, id: &str, example: &str, change: impl Fn(&mut Value)) -> Value {
        let answer = self.answer_named(id, example, change).await;
        assert_eq!(answer.status, StatusCode::OK, "{id} {example}: {answer:?}");
        answer.json()
    }

    /// The same, whatever comes back.
    pub(super) async fn answer_named(
        &mut self,
        id: &str,
        example: &str,
        change: impl Fn(&mut Value),
    ) -> Answer {
        self.send(id, &[], Some(example), false, change).await
    }

    /// Sends the example of this name as JSON; it must succeed.
    pub(super) async fn named_json(&mut self, id: &str, example: &str, change: impl Fn(&mut Value)) -> Value {
        let answer = self.send(id, &[], Some(example), true, change).await;
        assert_eq!(answer.status, StatusCode::OK, "{id} {example}: {answer:?}");
        answer.json()
    }

    async fn send(
        &mut self,
        id: &str,
        parameters: &[(&str, &str)],
        example: Option<&str>,
        as_json: bool,
        change: impl Fn(&mut Value),
    ) -> Answer {
        let operation = self
            .description
            .operations
            .iter()
            .find(|operation| operation.id == id);
        let operation = operation.unwrap_or_else(|| panic!("no operation {id}"));
        self.called.insert(operation.id);
        let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
        let mut request = Browser::request(method, &address(operation, parameters));
        if let Some(token) = self.token_for(operation).filter(|token| !token.is_empty()) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match &operation.body {
            None => Body::empty(),
            Some(described) => {
                let found = match example {
                    Some(name) => described.examples.iter().find(|(own, _)| *own == name),
                    None => described.examples.first(),
                };
                let mut body = found.unwrap().1.clone();
                change(&mut body);
                let media_type = if as_json {
                    "application/json"
                } else {
                    described.media_types[0]
                };
                request = request.header(header::CONTENT_TYPE, media_type);
                match media_type {
                    "application/json" => Body::from(body.to_string()),
                    _ => Body::from(as_form(&body)),
                }
            }
        };
        let answer = self.clinic.browser().send(request.body(body).unwrap()).await;
        is_as_described(operation, &answer, &self.description);
        answer
    }

    fn token_for(&self, operation: &Operation) -> Option<String> {
        match operation.access {
            // What a client proves is in the form.
            Access::Open | Access::Client | Access::ClientOrToken(_) => None,
            Access::Token("openid") => Some(self.persons_token.clone()),
            Access::Token(_) => Some(self.admin_token.clone()),
            Access::RegistrationToken => Some(self.registration_token.clone()),
        }
    }
}

/// The address of a call: parameters that are given, and the examples of all others. `time` is left out: with it a status
/// list gives nothing; so are the parameters of an authorization that only go with something else.
fn address(operation: &Operation, given: &[(&str, &str)]) -> String {
    let mut path = String::from(operation.path);
    let mut query = Vec::new();
    for parameter in &operation.parameters {
        let own = given.iter().find(|(name, _)| *name == parameter.name);
        let example = &parameter.schema["examples"][0];
        let example = example.as_str().map_or_else(|| example.to_string(), String::from);
        let value = own.map_or(example, |(_, value)| (*value).into());
        let is_bare = given == WITHOUT_QUERY && !parameter.required;
        let listed = operation.path.starts_with("/auth/") || operation.path.starts_with("/v1/");
        match parameter.place {
            Place::Path => path = path.replace(&format!("{{{}}}", parameter.name), &value),
            Place::Query if !is_bare && (own.is_some() || listed) => query.push((parameter.name, value)),
            Place::Query | Place::Header => {}
        }
    }
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    if query.is_empty() {
        path
    } else {
        format!("{path}?{}", form(&query))
    }
}

fn as_form(body: &Value) -> String {
    let members = body.as_object().unwrap().iter();
    let fields: Vec<(String, String)> = members
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), String::from);
            (name.clone(), value)
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    form(&fields)
}

/// Asserts that `answer` is one of those that `operation` names.
#[track_caller]
fn is_as_described(operation: &Operation, answer: &Answer, all: &Description) {
    let answers: Vec<Described> = operation.all_answers().collect();
    let status = answer.status.as_u16();
    let own = answers.iter().find(|described| described.status == Some(status));
    let other = answers.iter().find(|described| described.status.is_none());
    let described = own.or(other).unwrap();
    assert!(
        own.is_some() || status >= 400,
        "{} never says {status}: {answer:?}",
        operation.id
    );
    let kind = answer.header("content-type").unwrap_or_default();
    let schema = match &described.content {
        Content::Nothing => {
            assert_eq!(answer.body, "", "{}: {answer:?}", operation.id);
            return;
        }
        Content::Page => {
            assert!(kind.starts_with("text/html"), "{}: {answer:?}", operation.id);
            return;
        }
        Content::Text(media_type) => {
            assert_eq!(kind, *media_type, "{}", operation.id);
            return;
        }
        Content::Json(schema) => schema.clone(),
        Content::Problem => {
            assert_eq!(kind, "application/problem+json", "{}: {answer:?}", operation.id);
            crate::openapi::schema::named("Problem")
        }
        // RFC 6750 section 3.1: without a token there is nothing to say but the challenge.
        Content::OAuthError if status == 401 && answer.body.is_empty() => {
            assert!(answer.header("www-authenticate").is_some(), "{}", operation.id);
            return;
        }
        Content::OAuthError => crate::openapi::schema::named("OAuthError"),
    };
    if !matches!(described.content, Content::Problem) {
        assert_eq!(kind, "application/json", "{}: {answer:?}", operation.id);
    }
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let faults = faults(&body, &schema, &all.schemas);
    assert!(faults.is_empty(), "{}: {faults:#?} in {body:#}", operation.id);
}
