//! Choosing a patient through the real router, with a FHIR server on this machine that is as good or bad as a test wants.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::user::User;
use crate::testing::user;
use crate::web::testing::{
    APP_REDIRECT, Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, WEB_REDIRECT, app_request, changed,
    form, web_request,
};

const SCOPE: &str = "openid launch/patient patient/*.rs";
const WITH_ENCOUNTER: &str = "openid launch/patient launch/encounter patient/*.rs";

/// How the FHIR server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Broken,
    Garbage,
    Silent,
    Huge,
    /// Answers a read with another patient than the one that was asked for.
    Confused,
}

struct FhirApi {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    mood: Mutex<Mood>,
    asked: Mutex<Vec<(String, HeaderMap)>>,
}

impl FhirApi {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/fhir", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Well),
            asked: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, task }
    }

    fn is(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Paths and queries of the requests so far.
    fn asked(&self) -> Vec<String> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().map(|(path, _)| path.clone()).collect()
    }

    fn last_headers(&self) -> HeaderMap {
        self.shared.asked.lock().unwrap().last().unwrap().1.clone()
    }
}

impl Drop for FhirApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn patient(id: &str, given: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "birthDate": "1980-02-29",
        "name": [{"given": [given], "family": "Doe"}], "identifier": [{"value": format!("MRN-{id}")}],
    })
}

fn encounter(id: &str, patient: &str) -> Value {
    json!({
        "resourceType": "Encounter", "id": id, "status": "in-progress", "class": {"display": "inpatient"},
        "subject": {"reference": format!("Patient/{patient}")}, "period": {"start": "2026-05-01T10:00:00Z"},
    })
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({ "resource": resource }))
        .collect();
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entries})
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    shared
        .asked
        .lock()
        .unwrap()
        .push((path, request.headers().clone()));
    let mood = *shared.mood.lock().unwrap();
    match mood {
        Mood::Well | Mood::Confused => {}
        Mood::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Garbage => return "<html>maintenance</html>".into_response(),
        Mood::Silent => std::future::pending::<()>().await,
        Mood::Huge => return vec![b' '; 3 * 1024 * 1024].into_response(),
    }
    let query = request.uri().query().unwrap_or_default();
    let resource = match request.uri().path().strip_prefix("/fhir/").unwrap() {
        "Patient" if query.contains("Nobody") => bundle(&[]),
        "Patient" => bundle(&[patient("123", "Jane"), patient("124", "John")]),
        "Patient/123" if mood == Mood::Confused => patient("999", "Mallory"),
        "Patient/123" => patient("123", "Jane"),
        "Patient/124" => patient("124", "John"),
        "Encounter" => bundle(&[encounter("e-1", "123"), encounter("e-2", "999")]),
        "Encounter/e-1" => encounter("e-1", "123"),
        "Encounter/e-2" => encounter("e-2", "999"),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    resource.to_string().into_response()
}

async fn open() -> (Clinic, FhirApi) {
    let api = FhirApi::start().await;
    let url = api.url.clone();
    let clinic = Clinic::with_config(|config| {
        config.resources[0].search_url = Some(url);
        config.outbound.allow_loopback_http = true;
    })
    .await;
    // The clinic's apps are registered for no encounters; this one is.
    let mut app = clinic.issuer.store().client("app").await.unwrap().unwrap();
    app.client_id = "encounters".into();
    app.scope = wardgate_shared::scope::ScopeSet::parse(WITH_ENCOUNTER).unwrap();
    clinic.issuer.add_client(app).await;
    (clinic, api)
}

/// A browser in which `email` has signed in, and what the request answers then.
async fn ask(clinic: &Clinic, request: &[(&str, &str)], email: &str) -> (Browser, Answer) {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await;
    let answer = browser.get(&format!("/oauth2/authorize?{}", form(request))).await;
    (browser, answer)
}

#[track_caller]
fn asks_for_a_patient(answer: &Answer) -> String {
    assert!(
        answer.location().starts_with("/select-patient?request="),
        "{answer:?}"
    );
    answer.location().into()
}

async fn follow(browser: &Browser, answer: &Answer) -> String {
    assert!(
        answer.location().starts_with("/oauth2/authorize/continue?"),
        "{answer:?}"
    );
    browser.get(answer.location()).await.location().into()
}

#[tokio::test]
// SMART-20 SMART-21 SMART-40
async fn a_professional_searches_chooses_and_agrees() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let found = browser
        .choose(
            &page,
            &[("name", "jane doe"), ("birthdate", "1980"), ("identifier", "")],
        )
        .await;
    assert_eq!(found.status, StatusCode::OK, "{found:?}");
    assert_eq!(
        api.asked(),
        ["/fhir/Patient?name=jane&name=doe&birthdate=1980&_count=20"]
    );
    assert!(found.body.contains("2 patients were found"), "{found:?}");
    assert!(found.body.contains("Jane Doe") && found.body.contains("born 1980-02-29, number MRN-123"));
    // What was looked for stays in the fields.
    assert_eq!(found.field("birthdate"), "1980");

    let answer = browser.choose(&page, &[("patient", "123")]).await;
    let consent = follow(&browser, &answer).await;
    let shown = browser.get(&consent).await;
    assert!(
        shown
            .body
            .contains("Patient: <strong>Jane Doe, born 1980-02-29, number MRN-123"),
        "{shown:?}"
    );
    assert!(
        shown.body.contains("in this patient's record")
            || shown.body.contains("in this patient&#39;s record")
    );
    let code = browser.decide(&consent, "allow").await.sent("code").unwrap();
    let tokens = clinic.redeem(&code).await.json();
    assert_eq!(tokens["patient"], "123");
    assert_eq!(tokens["scope"], SCOPE);
    let claims = clinic.access_claims(&tokens["access_token"]).await.into_claims();
    assert_eq!(claims.launch_context.patient_id.as_deref(), Some("123"));
    assert_eq!(claims.launch_context.encounter_id, None);
    let audit = clinic.issuer.store().audit_events(50).await.unwrap();
    assert!(
        audit
            .iter()
            .any(|event| event.action.as_str() == "context_choice")
    );
}

#[tokio::test]
async fn the_issuer_asks_with_a_token_of_its_own_that_only_reads_and_searches() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    browser
        .choose(&asks_for_a_patient(&answer), &[("name", "Jane")])
        .await;
    let headers = api.last_headers();
    assert_eq!(headers["accept"], "application/fhir+json");
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap();
    let verified = clinic.access_claims(&json!(token)).await;
    assert!(verified.expires_at().since(clinic.issuer.now()) <= 300);
    let claims = verified.into_claims();
    assert_eq!(claims.scope, "system/Patient.rs system/Encounter.rs");
    assert_eq!(
        (claims.client_id.as_str(), claims.subject.as_str()),
        ("wardgate-issuer", "wardgate-issuer")
    );
    assert!(claims.launch_context.is_empty());
    assert!(
        claims.status.is_none(),
        "nothing is stored of it, so the list that it would name may never be published"
    );
}

#[tokio::test]
// SMART-20
async fn an_encounter_is_chosen_after_the_patient() {
    let (clinic, _api) = open().await;
    let request = changed(
        app_request(WITH_ENCOUNTER),
        &[("client_id", Some("encounters")), ("prompt", Some("consent"))],
    );
    for (answer_fields, granted, encounter) in [
        (("encounter", "e-1"), WITH_ENCOUNTER, Some("e-1")),
        (("none", "encounter"), "openid launch/patient patient/*.rs", None),
    ] {
        let (browser, answer) = ask(&clinic, &request, PHYSICIAN).await;
        let page = asks_for_a_patient(&answer);
        let answer = browser.choose(&page, &[("patient", "123")]).await;
        assert_eq!(follow(&browser, &answer).await, page);
        let shown = browser.get(&page).await;
        assert!(shown.body.contains("inpatient"), "{shown:?}");
        assert!(
            shown.body.contains("value=\"e-1\"") && !shown.body.contains("value=\"e-2\""),
            "{shown:?}"
        );
        // Another patient's.
        let refused = browser.choose(&page, &[("encounter", "e-2")]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let answer = browser.choose(&page, &[answer_fields]).await;
        let consent = follow(&browser, &answer).await;
        let code = browser.decide(&consent, "allow").await.sent("code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", APP_REDIRECT),
            ("client_id", "encounters"),
            ("code_verifier", crate::web::testing::VERIFIER),
        ];
        let tokens = clinic.token(&fields).await.json();
        assert_eq!(tokens["patient"], "123");
        assert_eq!(tokens["encounter"].as_str(), encounter);
        assert_eq!(tokens["scope"], granted);
    }
}

#[tokio::test]
// SMART-21 SMART-37
async fn without_a_patient_what_needs_one_is_left_out() {
    let (clinic, _api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let answer = browser
        .choose(&asks_for_a_patient(&answer), &[("none", "patient")])
        .await;
    let consent = follow(&browser, &answer).await;
    let code = browser.decide(&consent, "allow").await.sent("code").unwrap();
    let tokens = clinic.redeem(&code).await.json();
    assert_eq!(tokens["scope"], "openid");
    assert!(tokens.get("patient").is_none());
}

#[tokio::test]
async fn a_fhir_server_in_trouble_costs_nothing_but_another_try() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    for mood in [Mood::Broken, Mood::Garbage, Mood::Huge, Mood::Silent] {
        api.is(mood);
        let answer = browser.choose(&page, &[("name", "Jane")]).await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{mood:?} {answer:?}"
        );
        assert!(answer.body.contains("does not answer"), "{mood:?} {answer:?}");
        assert!(answer.body.contains("value=\"Jane\""), "{mood:?} {answer:?}");
    }
    api.is(Mood::Broken);
    let answer = browser
        .choose(&page, &[("patient", "123"), ("name", "Jane")])
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("value=\"Jane\""));
    api.is(Mood::Well);
    let answer = browser.choose(&page, &[("patient", "123")]).await;
    follow(&browser, &answer).await;
}

#[tokio::test]
async fn a_choice_counts_only_when_the_fhir_server_has_that_patient() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let unknown = browser.choose(&page, &[("patient", "555")]).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{unknown:?}");
    for unlawful in ["..", "../Patient/123", "123?_elements=id", "Patient/123", "a b"] {
        browser
            .choose(&page, &[("patient", unlawful)])
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
    api.is(Mood::Confused);
    let other = browser.choose(&page, &[("patient", "123")]).await;
    assert_eq!(other.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        api.asked().iter().all(|path| path.starts_with("/fhir/Patient/")),
        "{:?}",
        api.asked()
    );
    // Still to be chosen.
    assert_eq!(browser.get(&page).await.status, StatusCode::OK);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_search() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let long = "x".repeat(101);
    for (fields, says) in [
        (vec![("name", " ")], "Please type a name"),
        (vec![("birthdate", "29.02.1980")], "must be a year"),
        (vec![("name", long.as_str())], "at most 100 characters"),
    ] {
        let answer = browser.choose(&page, &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains(says), "{answer:?}");
    }
    assert!(api.asked().is_empty());
    let nobody = browser.choose(&page, &[("name", "Nobody")]).await;
    assert!(nobody.body.contains("Nobody was found"), "{nobody:?}");
}

#[tokio::test]
async fn only_professionals_choose() {
    let (clinic, api) = open().await;
    let hash = clinic
        .issuer
        .state
        .passwords()
        .hash(wardgate_shared::secret::Secret::new(PASSWORD.into()));
    let hash = hash.await.unwrap();
    for (email, fhir_user) in [
        ("rita@example.org", Some("RelatedPerson/5")),
        ("nemo@example.org", None),
    ] {
        let person = User {
            password_hash: Some(hash.clone()),
            fhir_user: fhir_user.map(String::from),
            practitioner_id: None,
            ..user(email)
        };
        clinic.issuer.insert_user(person).await;
        let (browser, answer) = ask(&clinic, &app_request(SCOPE), email).await;
        assert!(answer.location().starts_with("/consent?"), "{answer:?}");
        // Nor by a form that they make themselves: the token is only on the page that they are not shown.
        let page = answer.location().replace("/consent", "/select-patient");
        let answer = browser.get(&page).await;
        assert!(
            answer.location().starts_with("/oauth2/authorize/continue?"),
            "{answer:?}"
        );
    }
    // A patient's own record is chosen already.
    let (_, answer) = ask(&clinic, &app_request(SCOPE), PATIENT).await;
    assert!(answer.location().starts_with("/consent?"), "{answer:?}");
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn a_choice_is_its_person_s_alone() {
    let (clinic, _api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    browser.choose(&page, &[("patient", "123")]).await;
    // Somebody else signs in for the same request.
    let login = page.replace("/select-patient", "/login");
    clinic.issuer.advance(1);
    let answer = browser.sign_in(&login, PATIENT, PASSWORD).await;
    let consent = follow(&browser, &answer).await;
    let code = browser.decide(&consent, "allow").await.sent("code").unwrap();
    assert_eq!(clinic.redeem(&code).await.json()["patient"], "7");
}

#[tokio::test]
async fn a_question_about_one_patient_is_not_answered_for_another() {
    let (clinic, _api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let answer = browser.choose(&page, &[("patient", "123")]).await;
    let consent = follow(&browser, &answer).await;
    let first_tab = browser.get(&consent).await;
    // In another tab another patient is chosen.
    browser
        .choose(&format!("{page}&again=1"), &[("patient", "124")])
        .await;
    let (token, request) = (first_tab.field("form_token"), first_tab.field("request"));
    let fields = [
        ("form_token", token.as_str()),
        ("request", request.as_str()),
        ("decision", "allow"),
    ];
    browser
        .post("/consent", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let shown = browser.get(&consent).await;
    assert!(shown.body.contains("John Doe"), "{shown:?}");
}

#[tokio::test]
async fn forms_of_other_sites_sessions_and_requests_are_refused() {
    let (clinic, _api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let shown = browser.get(&page).await;
    let (token, request) = (shown.field("form_token"), shown.field("request"));
    let fields = |token| {
        [
            ("form_token", token),
            ("request", request.as_str()),
            ("patient", "123"),
        ]
    };
    let foreign = [("origin", "https://evil.example")];
    let answer = browser
        .post_with("/select-patient", &fields(&token), &foreign)
        .await;
    answer.is_error_page(StatusCode::FORBIDDEN);
    browser
        .post("/select-patient", &fields("x"))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let (other, _) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    other
        .post("/select-patient", &fields(&token))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    clinic
        .browser()
        .post("/select-patient", &fields(&token))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    clinic.issuer.advance(600);
    browser
        .post("/select-patient", &fields(&token))
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn prompt_none_does_not_choose() {
    let (clinic, _api) = open().await;
    let request = changed(web_request(SCOPE), &[("prompt", Some("none"))]);
    let (_, answer) = ask(&clinic, &request, PHYSICIAN).await;
    answer.is_error_redirect(WEB_REDIRECT, "interaction_required", Some("xyz123"));
}

#[tokio::test]
async fn without_a_fhir_base_nobody_is_asked() {
    let clinic = Clinic::with_config(|config| {
        config.resources[0].identifier = "api:clinic".into();
        config.resources[0].aliases = Vec::new();
    })
    .await;
    let (_, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    assert!(answer.location().starts_with("/consent?"), "{answer:?}");
}

#[tokio::test]
async fn who_looked_for_patients_stands_in_the_audit_trail() {
    let (clinic, api) = open().await;
    let (browser, answer) = ask(&clinic, &app_request(SCOPE), PHYSICIAN).await;
    let page = asks_for_a_patient(&answer);
    let physician = clinic
        .issuer
        .store()
        .user_by_email(PHYSICIAN)
        .await
        .unwrap()
        .unwrap();
    for (mood, outcome, reason) in [
        (Mood::Well, AuditOutcome::Success, None),
        (
            Mood::Broken,
            AuditOutcome::Failure,
            Some("fhir_server_unavailable"),
        ),
    ] {
        api.is(mood);
        browser.choose(&page, &[("name", "jane")]).await;
        let line = clinic.last_audit().await;
        assert_eq!((line.action, line.outcome), (AuditAction::PatientSearch, outcome));
        assert_eq!(line.reason.as_deref(), reason);
        assert_eq!(line.user_id.as_deref(), Some(&*physician.id));
        assert_eq!(line.client_id.as_deref(), Some("app"));
    }
}
