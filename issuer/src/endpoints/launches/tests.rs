//! EHR launches through the real router, from the EHR's call to the app's tokens.

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::domain::client::{ClientAuthentication, GrantType};
use crate::extract::Parameters;
use crate::testing::{AUDIENCE, client};
use crate::web::testing::{
    APP, APP_REDIRECT, Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, VERIFIER, WEB, WEB_REDIRECT,
    app_request, basic, changed, form, web_request,
};

const LAUNCHED: &str = "launched";
const LAUNCH_URI: &str = "https://app.example/launch?version=2";
const SCOPE: &str = "launch openid fhirUser patient/*.rs launch/encounter launch/imagingstudy offline_access";

/// A clinic with an EHR and an app that it launches.
struct Ward {
    clinic: Clinic,
    token: String,
}

impl Ward {
    async fn open() -> Self {
        let clinic = Clinic::open().await;
        let mut app = client(
            LAUNCHED,
            ClientAuthentication::Public,
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            &[APP_REDIRECT],
            &format!("{SCOPE} launch/patient user/*.rs"),
        );
        app.metadata.launch_uri = Some(LAUNCH_URI.into());
        clinic.issuer.add_client(app).await;
        let (_, secret) = clinic
            .issuer
            .add_service_client("ehr", "__launches system/*.rs")
            .await;
        let token = service_token(&clinic, "ehr", &secret, "__launches").await;
        Self { clinic, token }
    }

    async fn post(&self, body: &Value) -> Answer {
        self.post_as(&format!("Bearer {}", self.token), body).await
    }

    async fn post_as(&self, authorization: &str, body: &Value) -> Answer {
        let request = Browser::request(Method::POST, "/v1/launches")
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.clinic.browser().send(request).await
    }

    /// The value of a launch with these members besides `client_id`.
    async fn launch(&self, members: Value) -> String {
        let answer = self.post(&launch_of(LAUNCHED, members)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["launch"].as_str().unwrap().into()
    }

    /// The tokens of an app that comes back with a launch.
    async fn tokens(&self, launch: &str, email: &str) -> Value {
        let answer = self.clinic.browser().authorize(&request(launch), email).await;
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
            ("client_id", LAUNCHED),
            ("code_verifier", VERIFIER),
        ];
        self.clinic.token(&fields).await
    }

    /// The answer of the authorization endpoint, before anybody signs in.
    async fn ask(&self, request: &[(&str, &str)]) -> Answer {
        let path = format!("/oauth2/authorize?{}", form(request));
        self.clinic.browser().get(&path).await
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

#[expect(clippy::needless_pass_by_value, reason = "callers write the members in place")]
fn launch_of(client_id: &str, members: Value) -> Value {
    let mut body = json!({ "client_id": client_id });
    body.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    body
}

/// The request of an app that was launched.
fn request(launch: &str) -> Vec<(&str, &str)> {
    changed(
        app_request(SCOPE),
        &[
            ("client_id", Some(LAUNCHED)),
            ("launch", Some(launch)),
            ("aud", Some(AUDIENCE)),
        ],
    )
}

#[track_caller]
fn is_problem(answer: &Answer, status: StatusCode) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["status"], status.as_u16());
    assert_eq!(body["type"], "about:blank");
    body["detail"].as_str().unwrap_or_default().into()
}

#[tokio::test]
// SMART-18
async fn an_ehr_gets_the_address_that_opens_the_app() {
    let ward = Ward::open().await;
    let answer = ward.post(&launch_of(LAUNCHED, json!({"patient": "123"}))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let (address, query) = body["launch_url"].as_str().unwrap().split_once('?').unwrap();
    assert_eq!(address, "https://app.example/launch");
    let query = Parameters::parse(query.as_bytes()).unwrap();
    assert_eq!(query.single("version").unwrap(), Some("2"));
    assert_eq!(query.single("iss").unwrap(), Some(AUDIENCE));
    assert_eq!(query.single("launch").unwrap(), body["launch"].as_str());
    assert_eq!(body["expires_at"], "2027-01-15T08:10:00Z");
    let audit = ward.clinic.last_audit().await;
    assert_eq!(
        (audit.action.as_str(), audit.client_id.as_deref()),
        ("launch", Some("ehr"))
    );
}

#[tokio::test]
// SMART-19 SMART-40 SMART-41
async fn a_launched_app_gets_the_context_with_its_token() {
    let ward = Ward::open().await;
    let context = json!([{"reference": "ImagingStudy/1"}, {"reference": "Practitioner/9", "role": "https://ehr.example/r"}]);
    let launch = ward
        .launch(json!({
            "patient": "123", "encounter": "e-9", "fhirContext": context, "intent": "order-review",
            "need_patient_banner": false, "smart_style_url": "https://ehr.example/style.json", "tenant": "ward-7",
        }))
        .await;
    let tokens = ward.tokens(&launch, PHYSICIAN).await;
    assert_eq!(tokens["scope"], SCOPE);
    assert_eq!(tokens["patient"], "123");
    assert_eq!(tokens["encounter"], "e-9");
    assert_eq!(tokens["fhirContext"], context);
    assert_eq!(tokens["intent"], "order-review");
    assert_eq!(tokens["need_patient_banner"], false);
    assert_eq!(tokens["smart_style_url"], "https://ehr.example/style.json");
    assert_eq!(tokens["tenant"], "ward-7");
    let claims = ward
        .clinic
        .access_claims(&tokens["access_token"])
        .await
        .into_claims();
    assert_eq!(claims.launch_context.patient_id.as_deref(), Some("123"));
    assert_eq!(claims.launch_context.encounter_id.as_deref(), Some("e-9"));
}

#[tokio::test]
// SMART-38 SMART-68 SMART-69 SMART-70
async fn refresh_and_introspection_say_the_same_as_the_first_answer() {
    let ward = Ward::open().await;
    let web_secret = ward.clinic.web_secret.clone();
    // A confidential app, which may ask about its own tokens.
    let mut app = client(
        "confidential",
        ClientAuthentication::Secret(crate::domain::digest::SecretDigest::of(&web_secret)),
        &[GrantType::AuthorizationCode, GrantType::RefreshToken],
        &[WEB_REDIRECT],
        SCOPE,
    );
    app.metadata.launch_uri = Some(LAUNCH_URI.into());
    app.pkce_required = false;
    ward.clinic.issuer.add_client(app).await;
    let members = json!({
        "patient": "123", "encounter": "e-9", "intent": "x", "need_patient_banner": true,
        "fhirContext": [{"reference": "ImagingStudy/1"}], "tenant": "t", "smart_style_url": "https://ehr.example/s",
    });
    let answer = ward.post(&launch_of("confidential", members)).await.json();
    let launch = answer["launch"].as_str().unwrap();
    let request = changed(
        web_request(SCOPE),
        &[("client_id", Some("confidential")), ("launch", Some(launch))],
    );
    let code = ward
        .clinic
        .browser()
        .authorize(&request, PHYSICIAN)
        .await
        .sent("code")
        .unwrap();
    let client = [
        ("client_id", "confidential"),
        ("client_secret", web_secret.as_str()),
    ];
    let exchange = async |fields: &[(&str, &str)]| {
        let answer = ward.clinic.token(&[fields, &client].concat()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    };
    let first = exchange(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", WEB_REDIRECT),
    ])
    .await;
    let refresh_token = first["refresh_token"].as_str().unwrap();
    let second = exchange(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await;
    let authorization = basic("confidential", &web_secret);
    for tokens in [&first, &second] {
        for name in ["access_token", "refresh_token"] {
            // The exchanged refresh token is dead.
            if tokens == &first && name == "refresh_token" {
                continue;
            }
            let token = tokens[name].as_str().unwrap();
            let headers = [("authorization", authorization.as_str())];
            let browser = ward.clinic.browser();
            let told = browser
                .post_with("/oauth2/introspect", &[("token", token)], &headers)
                .await
                .json();
            assert_eq!(told["active"], true, "{told}");
            for member in [
                "scope",
                "patient",
                "encounter",
                "fhirContext",
                "intent",
                "need_patient_banner",
                "smart_style_url",
                "tenant",
            ] {
                assert!(!first[member].is_null(), "{member}: {first}");
                assert_eq!(told[member], first[member], "{member} of {name}");
                assert_eq!(second[member], first[member], "{member}");
            }
        }
    }
    let id = ward
        .clinic
        .id_claims(&first["id_token"], "confidential")
        .await
        .into_claims();
    let headers = [("authorization", authorization.as_str())];
    let token = second["access_token"].as_str().unwrap();
    let browser = ward.clinic.browser();
    let told = browser
        .post_with("/oauth2/introspect", &[("token", token)], &headers)
        .await
        .json();
    assert_eq!(told["iss"], id.issuer);
    assert_eq!(told["sub"], id.subject);
    assert_eq!(told["fhirUser"].as_str(), id.fhir_user.as_deref());
    assert_eq!(told["client_id"], "confidential");
}

#[tokio::test]
// SMART-19
async fn a_launch_is_good_for_one_authorization() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    ward.tokens(&launch, PHYSICIAN).await;
    let again = ward.ask(&request(&launch)).await;
    again.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
}

#[tokio::test(flavor = "multi_thread")]
// SMART-19
async fn of_many_requests_with_one_launch_exactly_one_is_approved() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    let mut answers = Vec::new();
    // Each waits at its consent page before any is answered.
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let browser = ward.clinic.browser();
        browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
        let page = browser
            .get(&format!("/oauth2/authorize?{}", form(&request(&launch))))
            .await;
        waiting.push((browser, String::from(page.location())));
    }
    let decisions = waiting
        .into_iter()
        .map(|(browser, page)| tokio::spawn(async move { browser.decide(&page, "allow").await }));
    for decision in decisions.collect::<Vec<_>>() {
        answers.push(decision.await.unwrap());
    }
    let approved = answers
        .iter()
        .filter(|answer| answer.sent("code").is_some())
        .count();
    assert_eq!(approved, 1, "{answers:?}");
    for refused in answers.iter().filter(|answer| answer.sent("code").is_none()) {
        refused.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    }
    let audit = ward.clinic.issuer.store().audit_events(100).await.unwrap();
    let replays = audit
        .iter()
        .filter(|event| event.reason.as_deref() == Some("launch_replayed"));
    assert!(replays.count() >= 7);
}

#[tokio::test]
// SMART-19
async fn refuses_unknown_expired_and_foreign_launches() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    for unknown in ["123", "wgl_x", &format!("wgl_{}", "A".repeat(43))] {
        let answer = ward.ask(&request(unknown)).await;
        answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    }
    // Another client's.
    let foreign = changed(app_request("launch openid"), &[("launch", Some(launch.as_str()))]);
    let answer = ward.ask(&foreign).await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    ward.clinic.issuer.advance(600);
    let answer = ward.ask(&request(&launch)).await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
}

#[tokio::test]
async fn a_launch_holds_for_its_fhir_base_alone() {
    let clinic = Clinic::with_config(|config| {
        let mut other = config.resources[0].clone();
        other.identifier = "https://other.example/fhir".into();
        other.aliases = Vec::new();
        config.resources.push(other);
    })
    .await;
    let mut app = client(
        LAUNCHED,
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &[APP_REDIRECT],
        "launch openid",
    );
    app.metadata.launch_uri = Some("https://app.example/launch".into());
    clinic.issuer.add_client(app).await;
    let (_, secret) = clinic.issuer.add_service_client("ehr", "__launches").await;
    let token = service_token(&clinic, "ehr", &secret, "__launches").await;
    let ward = Ward { clinic, token };
    let body = json!({"client_id": LAUNCHED, "aud": "https://other.example/fhir/"});
    let answer = ward.post(&body).await.json();
    let url = answer["launch_url"].as_str().unwrap();
    assert!(url.contains("iss=https%3A%2F%2Fother.example%2Ffhir&"), "{url}");
    let launch = answer["launch"].as_str().unwrap();
    let at = |aud| {
        changed(
            app_request("launch openid"),
            &[
                ("client_id", Some(LAUNCHED)),
                ("launch", Some(launch)),
                ("aud", Some(aud)),
            ],
        )
    };
    let wrong = ward.ask(&at(AUDIENCE)).await;
    wrong.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    let right = ward.ask(&at("https://other.example/fhir")).await;
    assert!(right.location().starts_with("/login?"), "{right:?}");
    is_problem(
        &ward
            .post(&json!({"client_id": LAUNCHED, "aud": "https://elsewhere.example/fhir"}))
            .await,
        StatusCode::UNPROCESSABLE_ENTITY,
    );
}

#[tokio::test]
// SMART-19
async fn launch_and_its_scope_come_together_or_not_at_all() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    let without_scope = changed(request(&launch), &[("scope", Some("openid patient/*.rs"))]);
    let answer = ward.ask(&without_scope).await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_request", Some("xyz123"));
    let without_launch = changed(
        request(&launch),
        &[("launch", None), ("scope", Some("launch openid"))],
    );
    let answer = ward.clinic.browser().authorize(&without_launch, PATIENT).await;
    let tokens = ward.redeem(&answer.sent("code").unwrap()).await.json();
    assert_eq!(tokens["scope"], "openid");
    assert!(tokens.get("patient").is_none());
    let alone = changed(request(&launch), &[("launch", None), ("scope", Some("launch"))]);
    let answer = ward.ask(&alone).await;
    answer.is_error_redirect(APP_REDIRECT, "invalid_scope", Some("xyz123"));
}

#[tokio::test]
// SMART-37
async fn context_scopes_without_context_are_dropped() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    let tokens = ward.tokens(&launch, PHYSICIAN).await;
    assert_eq!(
        tokens["scope"],
        "launch openid fhirUser patient/*.rs offline_access"
    );
    for member in [
        "encounter",
        "fhirContext",
        "intent",
        "need_patient_banner",
        "smart_style_url",
        "tenant",
    ] {
        assert!(tokens.get(member).is_none(), "{member}: {tokens}");
    }
}

#[tokio::test]
async fn a_launch_opens_no_other_patients_record_for_a_patient() {
    let ward = Ward::open().await;
    // A launch address that a professional forwarded, or that was taken from them.
    let foreign = ward.launch(json!({"patient": "123"})).await;
    let answer = ward.clinic.browser().authorize(&request(&foreign), PATIENT).await;
    answer.is_error_redirect(APP_REDIRECT, "access_denied", Some("xyz123"));
    // Their own record is theirs.
    let own = ward.launch(json!({"patient": "7"})).await;
    assert_eq!(ward.tokens(&own, PATIENT).await["patient"], "7");
    // And one that the EHR opens for them by name, such as their child's.
    let named = ward.launch(json!({"patient": "123", "user": PATIENT})).await;
    assert_eq!(ward.tokens(&named, PATIENT).await["patient"], "123");
}

#[tokio::test]
async fn a_launch_for_one_person_is_nobody_else_s() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123", "user": PATIENT})).await;
    let browser = ward.clinic.browser();
    let page = browser
        .get(&format!("/oauth2/authorize?{}", form(&request(&launch))))
        .await;
    // Whoever was signed in before may sign in as the right person; who signs in as another now is not asked again.
    ward.clinic.issuer.advance(1);
    let signed_in = browser.sign_in(page.location(), PHYSICIAN, PASSWORD).await;
    let answer = browser.get(signed_in.location()).await;
    answer.is_error_redirect(APP_REDIRECT, "login_required", Some("xyz123"));
}

#[tokio::test]
// SMART-13
async fn a_launched_app_may_post_its_request_from_its_own_site() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    let browser = ward.clinic.browser();
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    // Without cookies, as a browser sends it across sites.
    let headers = [
        ("origin", "https://app.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = ward
        .clinic
        .browser()
        .post_with("/oauth2/authorize", &request(&launch), &headers)
        .await;
    assert!(
        answer.location().starts_with("/oauth2/authorize/continue?"),
        "{answer:?}"
    );
    let page = browser.get(answer.location()).await;
    let done = browser.decide(page.location(), "allow").await;
    let tokens = ward.redeem(&done.sent("code").unwrap()).await.json();
    assert_eq!(tokens["patient"], "123");
}

#[tokio::test]
async fn a_launch_survives_a_pushed_request() {
    let ward = Ward::open().await;
    let launch = ward.launch(json!({"patient": "123"})).await;
    let pushed = ward.clinic.browser().post("/oauth2/par", &request(&launch)).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
    let request_uri = String::from(pushed.json()["request_uri"].as_str().unwrap());
    let query = [("client_id", LAUNCHED), ("request_uri", request_uri.as_str())];
    let answer = ward.clinic.browser().authorize(&query, PHYSICIAN).await;
    let tokens = ward.redeem(&answer.sent("code").unwrap()).await.json();
    assert_eq!(tokens["patient"], "123");
}

#[tokio::test]
async fn only_an_ehr_may_launch() {
    let ward = Ward::open().await;
    let body = launch_of(LAUNCHED, json!({"patient": "123"}));
    let nobody = ward.clinic.browser();
    let request = Browser::request(Method::POST, "/v1/launches")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = nobody.send(request).await;
    is_problem(&answer, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    is_problem(&ward.post_as("Bearer x", &body).await, StatusCode::UNAUTHORIZED);
    // A token without the scope.
    let secret = ward.clinic.service_secret.clone();
    let other = service_token(&ward.clinic, "service", &secret, "system/*.*").await;
    let answer = ward.post_as(&format!("Bearer {other}"), &body).await;
    is_problem(&answer, StatusCode::FORBIDDEN);
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .contains("scope=\"__launches\"")
    );
    assert_eq!(
        ward.clinic.last_audit().await.reason.as_deref(),
        Some("insufficient_scope")
    );
}

#[tokio::test]
async fn a_person_s_token_launches_nothing() {
    let ward = Ward::open().await;
    let app = client(
        "portal",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &[APP_REDIRECT],
        "openid __launches",
    );
    ward.clinic.issuer.add_client(app).await;
    let request = changed(app_request("openid __launches"), &[("client_id", Some("portal"))]);
    let code = ward
        .clinic
        .browser()
        .authorize(&request, PATIENT)
        .await
        .sent("code")
        .unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", APP_REDIRECT),
        ("client_id", "portal"),
        ("code_verifier", VERIFIER),
    ];
    let tokens = ward.clinic.token(&fields).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let body = launch_of(LAUNCHED, json!({"patient": "123", "user": PATIENT}));
    let answer = ward.post_as(&format!("Bearer {token}"), &body).await;
    is_problem(&answer, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_launch() {
    let ward = Ward::open().await;
    for (body, says) in [
        (launch_of("nobody", json!({})), "client_id"),
        (launch_of("service", json!({})), "client_id"),
        (launch_of(APP, json!({})), "launch_uri"),
        (launch_of(WEB, json!({})), "launch_uri"),
        (
            launch_of(LAUNCHED, json!({"patient": "Patient/1"})),
            "patient must be",
        ),
        (
            launch_of(LAUNCHED, json!({"patient": "1", "encounter": "a b"})),
            "encounter must be",
        ),
        (
            launch_of(LAUNCHED, json!({"encounter": "1"})),
            "encounter needs patient",
        ),
        (
            launch_of(LAUNCHED, json!({"user": "nobody@example.org"})),
            "user must be",
        ),
        (launch_of(LAUNCHED, json!({"intent": ""})), "intent must be"),
        (launch_of(LAUNCHED, json!({"tenant": "a\nb"})), "tenant must be"),
        (
            launch_of(LAUNCHED, json!({"smart_style_url": "javascript:alert(1)"})),
            "smart_style_url",
        ),
        (
            launch_of(LAUNCHED, json!({"smart_style_url": "http://ehr.example/s"})),
            "smart_style_url",
        ),
        (
            launch_of(LAUNCHED, json!({"aud": "https://elsewhere.example"})),
            "aud must be",
        ),
        (
            launch_of(
                LAUNCHED,
                json!({"fhirContext": [{"reference": "ImagingStudy/1"}, {"reference": "x"}]}),
            ),
            "fhirContext[1]: reference",
        ),
        (
            launch_of(
                LAUNCHED,
                json!({"fhirContext": vec![json!({"reference": "ImagingStudy/1"}); 21]}),
            ),
            "too much",
        ),
        (
            launch_of(
                LAUNCHED,
                json!({"fhirContext": [{"identifier": {"value": "x".repeat(9000)}}]}),
            ),
            "too much",
        ),
    ] {
        let answer = ward.post(&body).await;
        let detail = is_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(detail.contains(says), "{body}: {detail}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_a_body() {
    let ward = Ward::open().await;
    for body in [
        json!({}),
        json!([]),
        json!({"client_id": 7}),
        json!({"client_id": LAUNCHED, "pateint": "1"}),
        // SMART-41: the shape of older versions.
        json!({"client_id": LAUNCHED, "fhirContext": ["ImagingStudy/1"]}),
        json!({"client_id": LAUNCHED, "need_patient_banner": "true"}),
    ] {
        is_problem(&ward.post(&body).await, StatusCode::BAD_REQUEST);
    }
    let send = async |content_type: &str, body: String| {
        let request = Browser::request(Method::POST, "/v1/launches")
            .header(header::AUTHORIZATION, format!("Bearer {}", ward.token))
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body))
            .unwrap();
        ward.clinic.browser().send(request).await
    };
    is_problem(
        &send("application/x-www-form-urlencoded", "client_id=app".into()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    );
    is_problem(
        &send("application/json", "{".into()).await,
        StatusCode::BAD_REQUEST,
    );
    is_problem(
        &send("application/json", " ".repeat(100_000)).await,
        StatusCode::PAYLOAD_TOO_LARGE,
    );
    let answer = ward.clinic.browser().get("/v1/launches").await;
    is_problem(&answer, StatusCode::METHOD_NOT_ALLOWED);
}
