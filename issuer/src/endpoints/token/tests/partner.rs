//! A clinic that trusts an identity provider, for tests of tokens that others signed.

use http::{Method, StatusCode, header};
use serde_json::Value;

use axum::body::Body;

use crate::config::{AccountMatch, Config, Resource, TrustedIssuer};
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::testing::{FakeProvider, client};
use crate::web::testing::{Answer, Browser, Clinic, basic};

/// The client id that the provider knows us by.
pub(super) const OUR_ID_THERE: &str = "0oa1wardgate";
/// A public client of ours, which requests without a client are for.
pub(super) const ZUS: &str = "zus-app";
pub(super) const ZUS_REDIRECT: &str = "https://zus.example/cb";
/// A client that authenticates.
pub(super) const AGENT: &str = "agent";
pub(super) const AGENT_SECRET: &str = "agent-secret-with-256-random-bits";
pub(super) const SECOND_RESOURCE: &str = "https://billing.example.org";
pub(super) const SCOPE: &str =
    "openid profile email fhirUser launch/patient patient/*.rs user/*.rs offline_access";
/// What the seed's examples name.
pub(super) const SEED_AUDIENCE: &str = "https://api.sandbox.zusapi.com";

pub(super) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(super) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) struct Partner {
    pub(super) clinic: Clinic,
    pub(super) provider: FakeProvider,
}

impl Partner {
    /// A clinic that trusts the provider for everything.
    pub(super) async fn open() -> Self {
        Self::with(|_| ()).await
    }

    /// The same with other words about the provider in the configuration.
    pub(super) async fn with(change: impl FnOnce(&mut TrustedIssuer)) -> Self {
        let provider = FakeProvider::start().await;
        let mut trusted = TrustedIssuer {
            issuer: provider.issuer.clone(),
            id_tokens: true,
            assertions: true,
            audiences: vec![OUR_ID_THERE.into(), "second-id".into()],
            jwks_uri: None,
            match_by: AccountMatch::Email,
            email_domains: Vec::new(),
            client_id: Some(ZUS.into()),
            longest_age_seconds: 300,
        };
        change(&mut trusted);
        let clinic = Clinic::with_config(|config: &mut Config| {
            config.outbound.allow_loopback_http = true;
            config.resources[0].aliases.push(SEED_AUDIENCE.into());
            config.resources.push(Resource {
                identifier: SECOND_RESOURCE.into(),
                aliases: Vec::new(),
                fhir: false,
                search_url: None,
            });
            config.trusted_issuers = vec![trusted];
        })
        .await;
        let grants = [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::TokenExchange,
            GrantType::JwtBearer,
        ];
        let public = client(ZUS, ClientAuthentication::Public, &grants, &[ZUS_REDIRECT], SCOPE);
        clinic.issuer.add_client(public).await;
        let secret = ClientAuthentication::Secret(SecretDigest::of(AGENT_SECRET));
        let agent = client(
            AGENT,
            secret,
            &[GrantType::TokenExchange, GrantType::JwtBearer],
            &[],
            "openid patient/*.rs user/*.rs",
        );
        clinic.issuer.add_client(agent).await;
        Self { clinic, provider }
    }

    /// The claims of a good ID token about the holder of this address.
    pub(super) fn claims(&self, email: &str) -> Value {
        self.provider
            .id_claims(OUR_ID_THERE, email, self.clinic.issuer.now())
    }

    /// A good ID token.
    pub(super) fn id_token(&self, email: &str) -> String {
        self.provider.sign(&self.claims(email))
    }

    /// Exchanges an ID token as the public client.
    pub(super) async fn exchange(&self, id_token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", id_token),
            ("subject_token_type", ID_TOKEN),
            ("client_id", ZUS),
        ];
        fields.extend_from_slice(more);
        self.clinic.token(&fields).await
    }

    /// Calls the token endpoint as the client that authenticates.
    pub(super) async fn as_agent(&self, fields: &[(&str, &str)]) -> Answer {
        let browser = self.clinic.browser();
        let authorization = basic(AGENT, AGENT_SECRET);
        browser
            .post_with(
                "/oauth2/token",
                fields,
                &[("authorization", authorization.as_str())],
            )
            .await
    }

    /// Sends a body to the alias that takes JSON.
    pub(super) async fn send(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Browser::request(Method::POST, "/auth/token");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.clinic
            .browser()
            .send(request.body(body.into()).unwrap())
            .await
    }

    /// Sends JSON there.
    pub(super) async fn send_json(&self, body: impl Into<Body>) -> Answer {
        self.send(&[(header::CONTENT_TYPE.as_str(), "application/json")], body)
            .await
    }

    /// Asserts that a request was refused with this code, and recorded with this reason. Gives the description.
    pub(super) async fn is_refused(&self, answer: &Answer, code: &str, reason: &str) -> String {
        let description = answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
        let event = self.clinic.last_audit().await;
        assert_eq!(event.reason.as_deref(), Some(reason), "{description}");
        description
    }
}
