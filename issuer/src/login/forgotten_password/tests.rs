use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::user::User;
use crate::messages::{Deliveries, Shown};
use crate::testing::{ISSUER, START, user};
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT};

async fn clinic() -> Clinic {
    Clinic::with_config(|config| config.development.outbox = true).await
}

async fn ask(browser: &Browser, email: &str) -> Answer {
    let token = browser.get("/password/forgot").await.field("form_token");
    let fields = [("form_token", token.as_str()), ("email", email)];
    browser.post("/password/forgot", &fields).await
}

/// Everything that was sent, newest first, once all work is done.
async fn mails(clinic: &Clinic) -> Vec<Shown> {
    let state = &clinic.issuer.state;
    state.background().finish().await;
    Deliveries::new(state.clone()).deliver_due().await.unwrap();
    state.messages().outbox().unwrap().messages()
}

/// What became of wishes for a new password, newest first.
async fn wishes(clinic: &Clinic) -> Vec<AuditEvent> {
    let mut events = clinic.issuer.store().audit_events(100).await.unwrap();
    events.retain(|event| event.action == AuditAction::PasswordResetRequest);
    events
}

#[tokio::test]
async fn whoever_forgot_a_password_gets_a_link_that_works() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    let page = browser.get("/login").await;
    let fields = [("form_token", &*page.field("form_token")), ("email", PATIENT)];
    let password_step = browser.post("/login", &fields).await;
    assert!(
        password_step
            .body
            .contains("<a href=\"/password/forgot\">Forgot password?</a>")
    );
    assert_eq!(
        ask(&browser, " PAT@example.org ").await.location(),
        "/password/forgot?sent"
    );
    assert!(
        browser
            .get("/password/forgot?sent")
            .await
            .body
            .contains("Look into your mail")
    );
    let mails = mails(&clinic).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, PATIENT);
    let link = mails[0]
        .text
        .split_whitespace()
        .find_map(|word| word.strip_prefix(ISSUER).filter(|path| path.contains("token=")))
        .unwrap();
    assert!(mails[0].html.as_ref().unwrap().contains(link));
    assert_eq!(browser.get(link).await.status, StatusCode::OK);
    let wishes = wishes(&clinic).await;
    assert_eq!(wishes[0].outcome, AuditOutcome::Success);
    assert!(wishes[0].user_id.is_some());
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(answer.location(), "/", "asking alone changes nothing");
}

#[tokio::test]
async fn no_answer_tells_whether_there_is_an_account_in_text_or_in_work() {
    let clinic = clinic().await;
    let gone = User {
        deactivated_at: Some(START),
        ..user("gone@example.org")
    };
    clinic.issuer.insert_user(gone).await;
    let store = clinic.issuer.store();
    let mut seen = Vec::new();
    for (email, reason) in [
        (PATIENT, None),
        ("nobody@example.org", Some("unknown_account")),
        ("gone@example.org", Some("deactivated_account")),
        ("no address at all", Some("unknown_account")),
    ] {
        let browser = clinic.browser();
        let token = browser.get("/password/forgot").await.field("form_token");
        let before = store.commits();
        let fields = [("form_token", token.as_str()), ("email", email)];
        let answer = browser.post("/password/forgot", &fields).await;
        let for_the_answer = store.commits() - before;
        clinic.issuer.state.background().finish().await;
        let in_all = store.commits() - before;
        let page = browser.get(answer.location()).await;
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        seen.push((
            answer.status,
            String::from(answer.location()),
            headers,
            page.body,
            for_the_answer,
            in_all,
        ));
        let wish = wishes(&clinic).await.remove(0);
        assert_eq!(wish.reason.as_deref(), reason, "{email}");
    }
    assert_eq!(
        (seen[0].4, seen[0].5),
        (0, 1),
        "all work is done after the answer"
    );
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let mails = mails(&clinic).await;
    assert_eq!(mails.len(), 1, "and one of them was sent something");
}

#[tokio::test]
async fn nobody_is_flooded_with_links() {
    let clinic = clinic().await;
    for number in 1..=7 {
        let answer = ask(&clinic.browser(), PATIENT).await;
        assert_eq!(answer.location(), "/password/forgot?sent", "{number}");
        // Longer than whoever asks has to wait.
        clinic.issuer.advance(61);
        mails(&clinic).await;
    }
    assert_eq!(mails(&clinic).await.len(), 5);
    assert_eq!(wishes(&clinic).await[0].reason.as_deref(), Some("throttled"));
    clinic.issuer.advance(3600);
    ask(&clinic.browser(), PATIENT).await;
    assert_eq!(mails(&clinic).await.len(), 6);
}

#[tokio::test]
async fn who_asks_often_is_slowed_down_account_or_not() {
    let clinic = clinic().await;
    for email in [PATIENT, "nobody@example.org"] {
        for _ in 0..5 {
            assert_eq!(ask(&clinic.browser(), email).await.status, StatusCode::SEE_OTHER);
        }
        let answer = ask(&clinic.browser(), email).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{email}");
        assert!(answer.header("retry-after").is_some() && answer.body.contains("<title>Error: "));
    }
    assert_eq!(
        clinic
            .browser()
            .sign_in("/login", PATIENT, PASSWORD)
            .await
            .location(),
        "/",
        "asking keeps nobody from signing in"
    );
}

#[tokio::test]
async fn a_form_without_its_token_or_address_sends_nothing() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    let fields = [("email", PATIENT)];
    browser
        .post("/password/forgot", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let sign_in = browser.get("/login").await.field("form_token");
    let fields = [("form_token", sign_in.as_str()), ("email", PATIENT)];
    browser
        .post("/password/forgot", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    let answer = ask(&browser, "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("role=\"alert\""));
    assert!(mails(&clinic).await.is_empty());
}

#[tokio::test]
async fn without_mail_people_are_told_whom_to_ask() {
    let clinic = Clinic::open().await;
    let page = clinic.browser().get("/password/forgot").await;
    assert!(page.body.contains("ask your administrator") && !page.body.contains("<form"));
}
