//! A browser, an API client and a small clinic for tests of the whole web side: real router, real store, real keys.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use base64ct::{Base64, Encoding};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;
use wardgate_shared::claims::{ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims};
use wardgate_shared::jwt::{self, Policy, RegisteredClaims, UnverifiedJwt, VerifiedJwt};
use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::secret::Secret;

use crate::config::Config;
use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{ClientAuthentication, GrantType};
use crate::domain::digest::SecretDigest;
use crate::domain::user::User;
use crate::extract::Parameters;
use crate::testing::{AUDIENCE, ISSUER, TestIssuer, client, user};

pub(crate) const APP: &str = "app";
pub(crate) const APP_REDIRECT: &str = "https://app.example/cb";
pub(crate) const WEB: &str = "web";
pub(crate) const WEB_REDIRECT: &str = "https://web.example/cb";
pub(crate) const SERVICE: &str = "service";
pub(crate) const PATIENT: &str = "pat@example.org";
pub(crate) const PHYSICIAN: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// What the clients of the clinic are registered for.
pub(crate) const REGISTERED: &str = "openid fhirUser profile email launch/patient patient/*.* user/*.* observation.* \
                                     offline_access online_access";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Where the browser is sent.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        self.header("location").unwrap()
    }

    /// A parameter of the query of [`Answer::location`].
    #[track_caller]
    pub(crate) fn sent(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?').unwrap();
        Parameters::parse(query.as_bytes()).unwrap().single(name).unwrap().map(String::from)
    }

    /// The value of a hidden field of a page.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&marker).unwrap_or_else(|| panic!("no field {name}: {self:?}"));
        rest.split_once('"').unwrap().0.into()
    }

    /// Asserts the form of an error of RFC 6749 section 5.2 and gives its description.
    #[track_caller]
    pub(crate) fn is_oauth_error(&self, status: StatusCode, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["error"], code, "{self:?}");
        assert_eq!(body["error_uri"], format!("{ISSUER}/docs/errors#{code}"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(is_description(description), "{description}");
        description.into()
    }

    /// Asserts that the client is told of an error by redirect, with `state` and `iss`.
    #[track_caller]
    pub(crate) fn is_error_redirect(&self, redirect_uri: &str, code: &str, state: Option<&str>) {
        assert!(self.location().starts_with(&format!("{redirect_uri}?")), "{self:?}");
        assert_eq!(self.sent("error").as_deref(), Some(code), "{self:?}");
        assert_eq!(self.sent("state").as_deref(), state);
        assert_eq!(self.sent("iss").as_deref(), Some(ISSUER));
        assert_eq!(self.sent("code"), None);
        assert_eq!(self.sent("error_uri"), Some(format!("{ISSUER}/docs/errors#{code}")));
        assert!(is_description(&self.sent("error_description").unwrap()));
    }

    /// Asserts that a person sees an error page and is sent nowhere.
    #[track_caller]
    pub(crate) fn is_error_page(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("location"), None);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(self.body.contains("This did not work"), "{self:?}");
    }
}

/// The characters of OIDC-28.
fn is_description(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// Fields as a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Something that sends requests and keeps cookies.
pub(crate) struct Browser {
    router: Router,
    cookies: Mutex<HashMap<String, String>>,
}

impl Browser {
    /// A request for `path`, to be completed.
    pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path)
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match value.is_empty() {
                true => self.cookies.lock().unwrap().remove(name),
                false => self.cookies.lock().unwrap().insert(name.into(), value.into()),
            };
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Self::request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[]).await
    }

    pub(crate) async fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let mut request = Self::request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form(fields)))
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        self.send(request).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    /// Signs in on the page; the answer is what follows.
    pub(crate) async fn sign_in(&self, page: &str, email: &str, password: &str) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let token = page.field("form_token");
        let mut fields = vec![("form_token", token.as_str()), ("email", email), ("password", password)];
        let request = page.body.contains("name=\"request\"").then(|| page.field("request"));
        fields.extend(request.as_deref().map(|request| ("request", request)));
        self.post("/login", &fields).await
    }

    /// Answers the consent page.
    pub(crate) async fn decide(&self, page: &str, decision: &str) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let (token, request) = (page.field("form_token"), page.field("request"));
        self.post("/consent", &[("form_token", &token), ("request", &request), ("decision", decision)]).await
    }

    /// Goes through whatever pages an authorization request shows, as `email`, allowing all; gives the last redirect.
    pub(crate) async fn authorize(&self, query: &[(&str, &str)], email: &str) -> Answer {
        let mut answer = self.get(&format!("/oauth2/authorize?{}", form(query))).await;
        for _ in 0..5 {
            let location = String::from(answer.location());
            answer = match location.split('?').next().unwrap() {
                "/login" => self.sign_in(&location, email, PASSWORD).await,
                "/consent" => self.decide(&location, "allow").await,
                "/oauth2/authorize/continue" => self.get(&location).await,
                _ => return answer,
            };
        }
        panic!("the pages go round in circles: {answer:?}");
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
        issuer.add_client(web).await;
        let (_, service_secret) = issuer.add_service_client(SERVICE, "system/*.* observation.read openid").await;
        issuer.add_user(PHYSICIAN, PASSWORD).await;
        let password_hash = issuer.state.passwords().hash(Secret::new(PASSWORD.into())).await.unwrap();
        let patient = User {
            name: "Pat Patient".into(),
            password_hash: Some(password_hash),
            fhir_user: Some("Patient/7".into()),
            practitioner_id: None,
            ..user(PATIENT)
        };
        issuer.insert_user(patient).await;
        let router = crate::app(issuer.state.clone());
        Self { issuer, web_secret, service_secret, router }
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: Mutex::default() }
    }

    /// The code that the public app gets for `scope`.
    pub(crate) async fn code(&self, scope: &str, email: &str) -> String {
        let answer = self.browser().authorize(&app_request(scope), email).await;
        answer.sent("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
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
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", APP)];
        self.token(&fields).await
    }

    /// Verifies an access token with the published keys.
    pub(crate) async fn access_claims(&self, token: &serde_json::Value) -> VerifiedJwt<AccessClaims> {
        self.verify(token, ACCESS_TOKEN_TYPE, AUDIENCE).await
    }

    /// Verifies an ID token with the published keys.
    pub(crate) async fn id_claims(&self, token: &serde_json::Value, client_id: &str) -> VerifiedJwt<IdClaims> {
        self.verify(token, ID_TOKEN_TYPE, client_id).await
    }

    async fn verify<C: RegisteredClaims>(&self, token: &serde_json::Value, typ: &str, audience: &str) -> VerifiedJwt<C> {
        let unverified = UnverifiedJwt::parse(token.as_str().unwrap(), 8192).unwrap();
        let now = self.issuer.now();
        let (kid, algorithm) = (unverified.key_id().unwrap(), unverified.algorithm());
        let key = self.issuer.state.keys().verifying_key(kid, algorithm, now).unwrap();
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
        self.issuer.store().is_access_token_live(&token_id, self.issuer.now()).await.unwrap()
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
    format!("Basic {}", Base64::encode_string(format!("{client_id}:{secret}").as_bytes()))
}

#[test]
fn the_challenge_of_the_requests_belongs_to_the_verifier() {
    let challenge = CodeChallenge::of(VERIFIER).unwrap().encoded();
    assert!(app_request("x").contains(&("code_challenge", challenge.as_str())));
}
