//! The path of a token from its request to data or the right refusal.

use serde_json::Value;
use wardgate_shared::pkce::CodeChallenge;
use wardgate_tests::browser::{Browser, Decision};
use wardgate_tests::pair::{AUDIENCE, CALLBACK, PASSWORD, PATIENT_EMAIL, Pair};

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) fn authorization_url(client_id: &str, scope: &str, extra: &str) -> String {
    let challenge = CodeChallenge::of(VERIFIER).unwrap().encoded();
    let scope = scope.replace(' ', "%20").replace('/', "%2F");
    format!(
        "/oauth2/authorize?response_type=code&client_id={client_id}&redirect_uri={CALLBACK}&scope={scope}\
         &state=a%20state&code_challenge={challenge}&code_challenge_method=S256{extra}"
    )
}

/// The value of a query parameter of a callback URL.
pub(crate) fn parameter(callback: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(callback).unwrap();
    url.query_pairs()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn claims_of(token: &str) -> Value {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_reads_what_its_scope_covers_and_no_more() {
    let pair = Pair::start().await;
    let secret = pair.add_service("reader", "system/Patient.rs");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "reader"),
        ("client_secret", secret.as_str()),
        ("scope", "system/Patient.rs"),
    ];
    let answer = pair.token(&form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let claims = claims_of(&token);
    assert_eq!(claims["sub"], "reader");
    assert_eq!(claims["aud"], serde_json::json!([AUDIENCE]));

    let patients = pair.call("/fhir/Patient", &token).await;
    assert_eq!(patients.status, 200, "{}", patients.text());
    assert_eq!(patients.json()["resourceType"], "Bundle");
    let refused = pair.call("/fhir/Observation", &token).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("insufficient_scope")
    );
    let garbled = pair.call("/fhir/Patient", &format!("{token}x")).await;
    assert_eq!(garbled.status, 401);
}

// SMART-54
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_agrees_and_their_app_reads_their_record() {
    let pair = Pair::start().await;
    let scope = "openid fhirUser launch/patient offline_access patient/*.rs";
    pair.add_app("app", scope);
    let mut browser = Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD);
    let callback = browser
        .open(&authorization_url("app", scope, "&nonce=n-1"), Decision::Allow)
        .await;
    let pages: Vec<&str> = browser
        .pages
        .iter()
        .filter_map(|title| title.strip_suffix(" · Wardgate"))
        .collect();
    assert_eq!(pages, ["Sign in", "Sign in", "Second factor", "Allow access"]);
    assert_eq!(parameter(&callback, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&callback, "iss"), Some(pair.issuer.clone()));
    let code = parameter(&callback, "code").unwrap();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let answer = pair.token(&exchange).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tokens = answer.json();
    assert_eq!(tokens["patient"], "patient-11111");
    assert_eq!(claims_of(tokens["id_token"].as_str().unwrap())["nonce"], "n-1");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims_of(access)["launch_context"]["patient_id"], "patient-11111");

    assert_eq!(pair.call("/fhir/Patient/patient-11111", access).await.status, 200);
    assert_eq!(
        pair.call("/fhir/Observation?patient=patient-11111", access)
            .await
            .status,
        200
    );
    let foreign = pair.call("/fhir/Patient/patient-22222", access).await;
    assert_eq!(
        foreign.status,
        403,
        "another patient's record: {}",
        foreign.text()
    );

    // The next token of the family, then the end of the family.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renew = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", refresh),
    ];
    let renewed = pair.token(&renew).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert_eq!(
        pair.call(
            "/fhir/Patient/patient-11111",
            renewed.json()["access_token"].as_str().unwrap()
        )
        .await
        .status,
        200
    );
    let next = renewed.json()["refresh_token"].as_str().unwrap().to_owned();
    let revoked = pair
        .post(
            "/oauth2/revoke",
            &[("token", next.as_str()), ("client_id", "app")],
        )
        .await;
    assert_eq!(revoked.status, 200);
    let renew = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", next.as_str()),
    ];
    let dead = pair.token(&renew).await;
    assert_eq!(
        (dead.status, dead.json()["error"].as_str()),
        (400, Some("invalid_grant"))
    );

    // Consent was remembered: the second time there is a sign-in page at most.
    browser.pages.clear();
    let again = browser
        .open(&authorization_url("app", scope, ""), Decision::Deny)
        .await;
    assert!(parameter(&again, "code").is_some(), "{again}");
    assert!(browser.pages.is_empty(), "{:?}", browser.pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_or_a_refresh_token_opens_nothing_at_the_edge() {
    let pair = Pair::start().await;
    let scope = "openid offline_access patient/*.rs";
    pair.add_app("app", scope);
    let mut browser = Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD);
    let callback = browser
        .open(&authorization_url("app", scope, ""), Decision::Allow)
        .await;
    let code = parameter(&callback, "code").unwrap();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code.as_str()),
    ];
    let tokens = pair.token(&exchange).await.json();
    for name in ["id_token", "refresh_token"] {
        let refused = pair
            .call("/fhir/Patient/patient-11111", tokens[name].as_str().unwrap())
            .await;
        assert_eq!(refused.status, 401, "{name}");
        assert!(
            refused
                .header("www-authenticate")
                .unwrap()
                .contains("invalid_token"),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_declines_sends_the_app_away_with_access_denied() {
    let pair = Pair::start().await;
    pair.add_app("app", "patient/*.rs");
    let mut browser = Browser::new(&pair.issuer, PATIENT_EMAIL, PASSWORD);
    let callback = browser
        .open(&authorization_url("app", "patient/*.rs", ""), Decision::Deny)
        .await;
    assert_eq!(parameter(&callback, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&callback, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&callback, "iss"), Some(pair.issuer.clone()));
    assert_eq!(parameter(&callback, "code"), None);
}

// OIDC-95
#[tokio::test(flavor = "multi_thread")]
async fn keys_made_while_the_edge_runs_are_accepted_by_it() {
    let pair = Pair::start().await;
    let secret = pair.add_service("reader", "system/*.rs");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "reader"),
        ("client_secret", secret.as_str()),
    ];
    let before = pair.token(&form).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(pair.call("/fhir/Patient", &before).await.status, 200);
    let keys = pair.get("/.well-known/jwks.json").await.json()["keys"]
        .as_array()
        .unwrap()
        .len();
    pair.wardgate_ok(&["keys", "rotate"], "");
    let listed = pair.wardgate_ok(&["keys", "list"], "");
    assert!(listed.lines().count() > keys, "{listed}");
    // The new key is published before it signs; tokens of the old one stay good.
    assert_eq!(pair.call("/fhir/Patient", &before).await.status, 200);
}

// SMART-07
#[tokio::test(flavor = "multi_thread")]
async fn the_capabilities_name_the_addresses_of_the_smart_configuration() {
    let pair = Pair::start().await;
    let get = async |path| {
        let answer = pair.call_openly(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    };
    let configuration = get("/fhir/.well-known/smart-configuration").await;
    let statement = get("/fhir/metadata").await;
    let security = &statement["rest"][0]["security"];
    let extension = security["extension"][0]["extension"].as_array().unwrap();
    for (name, member) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("manage", "management_endpoint"),
        ("register", "registration_endpoint"),
        ("revoke", "revocation_endpoint"),
    ] {
        let named = extension
            .iter()
            .find(|part| part["url"] == name)
            .map(|part| &part["valueUri"]);
        assert_eq!(named, configuration.get(member), "{name}");
    }
    assert!(extension.len() >= 4, "{extension:?}");
}
