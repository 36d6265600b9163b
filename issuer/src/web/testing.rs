//! A browser, an API client and a small clinic for tests of the whole web side: real router, real store, real keys.

mod browser;

use axum::Router;
use base64ct::{Base64, Encoding};
use http::StatusCode;
use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims};
use wardgate_shared::jwt::{self, Audiences, Policy, RegisteredClaims, UnverifiedJwt, VerifiedJwt};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::secret::Secret;

use crate::config::Config;
use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::keys::MasterKey;
use crate::testing::{AUDIENCE, ISSUER, TestIssuer, client, full_profile, user};

pub(crate) use browser::{Answer, Browser, form};

pub(crate) const APP: &str = "app";
pub(crate) const APP_REDIRECT: &str = "https://app.example/cb";
pub(crate) const WEB: &str = "web";
pub(crate) const WEB_REDIRECT: &str = "https://web.example/cb";
pub(crate) const WEB_SIGNED_OUT: &str = "https://web.example/signed-out";
pub(crate) const SERVICE: &str = "service";
pub(crate) const PATIENT: &str = "pat@example.org";
pub(crate) const PHYSICIAN: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// What the clients of the clinic are registered for.
pub(crate) const REGISTERED: &str = "openid fhirUser profile email address phone launch/patient patient/*.* user/*.* observation.* \
                                     offline_access online_access";

/// The claims of a signed userinfo answer.
#[derive(serde::Serialize, serde::Deserialize)]
struct UserInfoClaims {
    iss: String,
    aud: Audiences,
    #[serde(flatten)]
    members: serde_json::Map<String, serde_json::Value>,
}

impl RegisteredClaims for UserInfoClaims {
    fn of_members(members: serde_json::Map<String, serde_json::Value>) -> Option<Self> {
        jwt::deserialized(members)
    }

    fn issuer(&self) -> &str {
        &self.iss
    }

    fn audiences(&self) -> &Audiences {
        &self.aud
    }
}

/// An issuer with a public app, a confidential web application, a service, a patient and a physician.
pub(crate) struct Clinic {
    pub(crate) issuer: TestIssuer,
    pub(crate) web_secret: String,
    pub(crate) service_secret: String,
    router: Router,
}

impl Clinic {
    pub(crate) async fn open() -> Self {
        Self::with_config(|_| ()).await
    }

    pub(crate) async fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(change, |_| ()).await
    }

    /// A clinic whose confidential web application was changed by `change` before it was registered.
    pub(crate) async fn with_web_client(change: impl FnOnce(&mut Client)) -> Self {
        Self::build(|_| (), change).await
    }

    async fn build(change: impl FnOnce(&mut Config), change_web: impl FnOnce(&mut Client)) -> Self {
        let issuer = TestIssuer::with_config(change).await;
        issuer.add_public_client(APP, APP_REDIRECT, REGISTERED).await;
        let web_secret = String::from("web-secret-with-256-random-bits");
        let mut web = client(
            WEB,
            ClientAuthentication::Secret(SecretDigest::of(&web_secret)),
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            &[WEB_REDIRECT],
            REGISTERED,
        );
        web.pkce_required = false;
        web.post_logout_redirect_uris = vec![RegisteredRedirectUri::parse(WEB_SIGNED_OUT).unwrap()];
        change_web(&mut web);
        issuer.add_client(web).await;
        let (_, service_secret) = issuer
            .add_service_client(SERVICE, "system/*.* observation.read openid")
            .await;
        issuer.add_user(PHYSICIAN, PASSWORD).await;
        let password_hash = issuer
            .state
            .passwords()
            .hash(Secret::new(PASSWORD.into()))
            .await
            .unwrap();
        let patient = User {
            name: "Pat Patient".into(),
            password_hash: Some(password_hash),
            fhir_user: Some("Patient/7".into()),
            practitioner_id: None,
            profile: serde_json::from_value(full_profile()).unwrap(),
            ..user(PATIENT)
        };
        issuer.insert_user(patient).await;
        let router = crate::app(issuer.state.clone());
        Self {
            issuer,
            web_secret,
            service_secret,
            router,
        }
    }

    /// A browser without cookies.
    /// The same clinic after its issuer was stopped, given another master key, and started.
    pub(crate) async fn under_master_key(self, new: MasterKey) -> Self {
        let Self { issuer, router, .. } = self;
        drop(router);
        let issuer = issuer.under_master_key(new).await;
        let router = crate::app(issuer.state.clone());
        Self {
            issuer,
            router,
            web_secret: self.web_secret,
            service_secret: self.service_secret,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// The code that the public app gets for `scope`.
    pub(crate) async fn code(&self, scope: &str, email: &str) -> String {
        let answer = self.browser().authorize(&app_request(scope), email).await;
        answer
            .sent("code")
            .unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    /// Calls the token endpoint as nobody in particular.
    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.browser().post("/oauth2/token", fields).await
    }

    /// Redeems a code as the public app.
    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", APP_REDIRECT),
            ("client_id", APP),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// Tokens of the public app for `scope`.
    pub(crate) async fn tokens(&self, scope: &str, email: &str) -> serde_json::Value {
        let answer = self.redeem(&self.code(scope, email).await).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// Refreshes as the public app.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", APP),
        ];
        self.token(&fields).await
    }

    /// Verifies an access token with the published keys.
    pub(crate) async fn access_claims(&self, token: &serde_json::Value) -> VerifiedJwt<AccessClaims> {
        self.verify(token, ACCESS_TOKEN_TYPE, AUDIENCE).await
    }

    /// Verifies an ID token with the published keys.
    pub(crate) async fn id_claims(
        &self,
        token: &serde_json::Value,
        client_id: &str,
    ) -> VerifiedJwt<IdClaims> {
        self.verify(token, ID_TOKEN_TYPE, client_id).await
    }

    /// Verifies a signed userinfo answer with the published keys, and gives its claims without times.
    pub(crate) async fn user_info_claims(&self, jwt: &str, client_id: &str) -> serde_json::Value {
        let verified: VerifiedJwt<UserInfoClaims> = self.verify(&jwt.into(), "userinfo+jwt", client_id).await;
        serde_json::to_value(verified.into_claims()).unwrap()
    }

    async fn verify<C: RegisteredClaims>(
        &self,
        token: &serde_json::Value,
        typ: &str,
        audience: &str,
    ) -> VerifiedJwt<C> {
        let unverified = UnverifiedJwt::parse(token.as_str().unwrap(), 8192).unwrap();
        let now = self.issuer.now();
        let (kid, algorithm) = (unverified.key_id().unwrap(), unverified.algorithm());
        let key = self
            .issuer
            .state
            .keys()
            .verifying_key(kid, algorithm, now)
            .unwrap();
        let audiences = [String::from(audience)];
        let policy = Policy {
            token_type: Some(typ.into()),
            issuer: ISSUER.into(),
            audiences: audiences.as_slice().into(),
            skew_seconds: 0,
            maximum_lifetime_seconds: None,
        };
        jwt::verify(&unverified, &key, &policy, now).await.unwrap()
    }

    /// Whether the access token of an answer is still good.
    pub(crate) async fn is_live(&self, token: &serde_json::Value) -> bool {
        let token_id = self.access_claims(token).await.into_claims().token_id;
        self.issuer
            .store()
            .is_access_token_live(&token_id, self.issuer.now())
            .await
            .unwrap()
    }

    /// The newest line of the audit trail.
    pub(crate) async fn last_audit(&self) -> AuditEvent {
        self.issuer.store().audit_events(1).await.unwrap().remove(0)
    }
}

/// The parameters of the public app's authorization request.
pub(crate) fn app_request(scope: &str) -> Vec<(&str, &str)> {
    // The challenge of VERIFIER: RFC 7636 appendix B.
    vec![
        ("response_type", "code"),
        ("client_id", APP),
        ("redirect_uri", APP_REDIRECT),
        ("scope", scope),
        ("state", "xyz123"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]
}

/// The parameters of the confidential client's request, which uses no PKCE.
pub(crate) fn web_request(scope: &str) -> Vec<(&str, &str)> {
    vec![
        ("response_type", "code"),
        ("client_id", WEB),
        ("redirect_uri", WEB_REDIRECT),
        ("scope", scope),
        ("state", "xyz123"),
    ]
}

/// A list of parameters with some changed: a value replaces, `None` removes, a new name is added.
pub(crate) fn changed<'a>(
    mut parameters: Vec<(&'a str, &'a str)>,
    changes: &[(&'a str, Option<&'a str>)],
) -> Vec<(&'a str, &'a str)> {
    for (name, value) in changes {
        parameters.retain(|(own, _)| own != name);
        parameters.extend(value.map(|value| (*name, value)));
    }
    parameters
}

/// An `Authorization: Basic` value made of `id:secret` as it is.
pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        Base64::encode_string(format!("{client_id}:{secret}").as_bytes())
    )
}

#[test]
fn the_challenge_of_the_requests_belongs_to_the_verifier() {
    let challenge = CodeChallenge::of(VERIFIER).unwrap().encoded();
    assert!(app_request("x").contains(&("code_challenge", challenge.as_str())));
}
