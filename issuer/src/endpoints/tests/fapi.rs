//! A client that is held to FAPI, from its pushed request to its refreshed tokens.

mod authorization;
mod deployment;
mod tokens;

use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::config::Config;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, GrantType, SecurityProfile};
use crate::testing::{self, ISSUER, Prover, Signer, assertion_claims, key_set};
use crate::web::testing::{Answer, Browser, Clinic, PATIENT, VERIFIER, app_request, changed, form};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN: &str = "/oauth2/token";
const ONE: &str = "fapi-one";
const TWO: &str = "fapi-two";
/// With a query of its own, as conformance suites register it.
const REDIRECT: &str = "https://fapi.example/cb?dummy1=lorem&dummy2=ipsum";
const SCOPE: &str = "openid offline_access patient/*.read";

/// A clinic with two clients that are held to FAPI.
struct Fapi {
    clinic: Clinic,
    one: Signer,
    two: Signer,
    /// The key that both bind their tokens to.
    key: Prover,
}

impl Fapi {
    async fn open() -> Self {
        Self::with_client(|_| ()).await
    }

    /// The configuration was changed by `change`.
    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::build(Clinic::with_config(change).await, |_| ()).await
    }

    /// The first client was changed by `change` before it was registered.
    async fn with_client(change: impl FnOnce(&mut Client)) -> Self {
        Self::build(Clinic::open().await, change).await
    }

    async fn build(clinic: Clinic, change: impl FnOnce(&mut Client)) -> Self {
        let [one, two] = [SignatureAlgorithm::ES256, SignatureAlgorithm::EdDSA]
            .map(|algorithm| Signer::new(algorithm, Some("key")));
        let mut first = fapi_client(ONE, &one);
        change(&mut first);
        clinic.issuer.add_client(first).await;
        clinic.issuer.add_client(fapi_client(TWO, &two)).await;
        Self {
            clinic,
            one,
            two,
            key: Prover::new(),
        }
    }

    /// The claims of a good assertion of `client_id`.
    fn claims(&self, client_id: &str) -> Value {
        let mut claims = assertion_claims(client_id, self.clinic.issuer.now());
        claims["aud"] = ISSUER.into();
        claims
    }

    /// A good assertion of `client_id`.
    fn assertion(&self, client_id: &str) -> String {
        let signer = if client_id == ONE { &self.one } else { &self.two };
        signer.sign(&signer.header(), &self.claims(client_id))
    }

    /// Calls `path` as whoever signed the assertion.
    async fn call(&self, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Answer {
        self.call_with(path, assertion, fields, &[]).await
    }

    /// The same with a fresh DPoP proof of this key.
    async fn prove(&self, path: &str, assertion: &str, key: &Prover, fields: &[(&str, &str)]) -> Answer {
        let proof = key.post(path, self.clinic.issuer.now());
        self.call_with(path, assertion, fields, &[("dpop", &proof)]).await
    }

    async fn call_with(
        &self,
        path: &str,
        assertion: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut all = vec![
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        all.extend_from_slice(fields);
        self.clinic.browser().post_with(path, &all, headers).await
    }

    async fn push(&self, client_id: &str, fields: &[(&str, &str)]) -> Answer {
        self.call("/oauth2/par", &self.assertion(client_id), fields).await
    }

    /// Pushes a request and gives its reference.
    async fn pushed(&self, client_id: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.push(client_id, fields).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["request_uri"].as_str().unwrap().into()
    }

    /// The answer at the first client's redirect URI to a request like [`request`] with these changes.
    async fn authorize(&self, changes: &[(&str, Option<&str>)]) -> Answer {
        let request_uri = self.pushed(ONE, &changed(request(ONE), changes)).await;
        self.clinic
            .browser()
            .authorize(&reference(ONE, &request_uri), PATIENT)
            .await
    }

    async fn code(&self) -> String {
        self.authorize(&[]).await.sent("code").unwrap()
    }

    /// Redeems a code with good bindings, but for these changes.
    async fn redeem(&self, client_id: &str, code: &str, changes: &[(&str, Option<&str>)]) -> Answer {
        let fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.token(client_id, &changed(fields, changes)).await
    }

    async fn refresh(&self, client_id: &str, tokens: &Value) -> Answer {
        self.token(client_id, &refreshing(tokens)).await
    }

    async fn token(&self, client_id: &str, fields: &[(&str, &str)]) -> Answer {
        self.prove(TOKEN, &self.assertion(client_id), &self.key, fields)
            .await
    }

    async fn tokens(&self) -> Value {
        let answer = self.redeem(ONE, &self.code().await, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }
}

/// A client that is held to FAPI and signs with this key.
fn fapi_client(client_id: &str, signer: &Signer) -> Client {
    let mut client = testing::client(
        client_id,
        ClientAuthentication::PrivateKeyJwt {
            keys: ClientKeys::Inline(key_set(&[signer])),
        },
        &[GrantType::AuthorizationCode, GrantType::RefreshToken],
        &[REDIRECT],
        SCOPE,
    );
    client.metadata.profile = SecurityProfile::Fapi2;
    assert_eq!(client.rules(SecurityProfile::Standard).check(&client), Ok(()));
    client
}

/// The refresh of these tokens.
fn refreshing(tokens: &Value) -> [(&str, &str); 2] {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ]
}

/// An authorization request of `client_id`.
fn request(client_id: &str) -> Vec<(&str, &str)> {
    changed(
        app_request(SCOPE),
        &[
            ("client_id", Some(client_id)),
            ("redirect_uri", Some(REDIRECT)),
            ("nonce", Some("n-1")),
        ],
    )
}

fn reference<'a>(client_id: &'a str, request_uri: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("client_id", client_id), ("request_uri", request_uri)]
}

async fn visit(browser: &Browser, query: &[(&str, &str)]) -> Answer {
    browser.get(&format!("/oauth2/authorize?{}", form(query))).await
}

#[track_caller]
fn is_invalid_client(answer: &Answer) -> String {
    answer.is_oauth_error(StatusCode::UNAUTHORIZED, "invalid_client")
}

#[track_caller]
fn is_invalid_grant(answer: &Answer) {
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
}

// FAPI-30, FAPI-31, FAPI-32, FAPI-33, FAPI-34
#[tokio::test]
async fn an_assertion_names_the_issuer_alone_and_is_signed_with_an_allowed_algorithm() {
    let fapi = Fapi::open().await;
    let now = fapi.clinic.issuer.now().seconds();
    let code = request(ONE);
    for (member, value, lawful) in [
        ("aud", json!(ISSUER), true),
        ("aud", json!([ISSUER]), false),
        ("aud", json!([ISSUER, "https://elsewhere.example"]), false),
        ("aud", json!(format!("{ISSUER}/")), false),
        ("aud", json!(format!("{ISSUER}/oauth2/par")), false),
        ("aud", json!(format!("{ISSUER}/oauth2/token")), false),
        ("aud", json!("https://elsewhere.example"), false),
        ("sub", Value::Null, false),
        ("exp", json!(now - 300), false),
        ("nbf", json!(now + 8), true),
        ("iat", json!(now + 8), true),
        ("nbf", json!(now + 61), false),
        ("iat", json!(now + 61), false),
    ] {
        for path in ["/oauth2/par", "/oauth2/token"] {
            let mut claims = fapi.claims(ONE);
            claims[member] = value.clone();
            let assertion = fapi.one.sign(&fapi.one.header(), &claims);
            let answer = fapi.call(path, &assertion, &code).await;
            let expected = match (lawful, path) {
                (false, _) => StatusCode::UNAUTHORIZED,
                (true, "/oauth2/par") => StatusCode::CREATED,
                // It gets past the client, to a request that is none.
                (true, _) => StatusCode::BAD_REQUEST,
            };
            assert_eq!(answer.status, expected, "{member} {value} at {path}: {answer:?}");
            if !lawful {
                is_invalid_client(&answer);
            }
        }
    }
    let described = fapi.call("/oauth2/par", "", &code).await;
    is_invalid_client(&described);
}

// FAPI-32
#[tokio::test]
async fn an_rsa_key_signs_with_ps256_and_not_with_rs256() {
    let weak = Signer::new(SignatureAlgorithm::RS256, None);
    let strong = Signer::new(SignatureAlgorithm::PS256, None);
    let fapi = Fapi::with_client(|client| {
        client.authentication = ClientAuthentication::PrivateKeyJwt {
            keys: ClientKeys::Inline(key_set(&[&weak, &strong])),
        };
    })
    .await;
    let refused = weak.sign(&weak.header(), &fapi.claims(ONE));
    let description = is_invalid_client(&fapi.call("/oauth2/par", &refused, &request(ONE)).await);
    assert!(description.contains("another algorithm"), "{description}");
    let accepted = strong.sign(&strong.header(), &fapi.claims(ONE));
    let answer = fapi.call("/oauth2/par", &accepted, &request(ONE)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}
