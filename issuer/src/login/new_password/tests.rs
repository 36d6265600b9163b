use http::StatusCode;
use proptest::prelude::*;

use crate::account_links::{LinkMaker, Made, Way};
use crate::domain::account_link::LinkPurpose;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::messages::Deliveries;
use crate::testing::{ISSUER, user};
use crate::tokens::opaque::OpaqueSecret;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, app_request};

const NEW: &str = "Sturdy-oak-7";

async fn clinic() -> Clinic {
    Clinic::with_config(|config| config.development.outbox = true).await
}

/// The path and query of a new link for this person.
async fn link(clinic: &Clinic, email: &str, purpose: LinkPurpose) -> String {
    let state = &clinic.issuer.state;
    let user = state.store().user_by_email(email).await.unwrap().unwrap();
    let audit = AuditEvent::new(state.now(), AuditAction::Invitation, AuditOutcome::Success);
    let made = LinkMaker::of(state)
        .make(&user, purpose, Way::HandOver, None, audit)
        .await
        .unwrap();
    let Made::ToHandOver { link, .. } = made else {
        panic!("{made:?}");
    };
    link.expose().strip_prefix(ISSUER).unwrap().into()
}

async fn reset_link(clinic: &Clinic) -> String {
    link(clinic, PATIENT, LinkPurpose::Reset).await
}

/// Sends the form of `page`.
async fn send(browser: &Browser, page: &Answer, password: &str) -> Answer {
    let fields = [
        ("form_token", page.field("form_token")),
        ("token", page.field("token")),
        ("new_password", password.into()),
    ];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post("/password/reset", &fields).await
}

async fn set(browser: &Browser, link: &str, password: &str) -> Answer {
    let page = browser.get(link).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    send(browser, &page, password).await
}

async fn subjects_of_mails(clinic: &Clinic) -> Vec<String> {
    let state = &clinic.issuer.state;
    Deliveries::new(state.clone()).deliver_due().await.unwrap();
    let messages = state.messages().outbox().unwrap().messages();
    messages
        .into_iter()
        .filter_map(|message| message.subject)
        .collect()
}

#[tokio::test]
async fn a_link_sets_a_password_once_and_signs_nobody_in() {
    let clinic = clinic().await;
    let link = reset_link(&clinic).await;
    let browser = clinic.browser();
    // Whoever looks at a mail for its person, a scanner say, changes nothing by that.
    clinic.browser().get(&link).await;
    let page = browser.get(&link).await;
    assert!(page.body.contains(PATIENT) && page.body.contains("autocomplete=\"new-password\""));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let answer = send(&browser, &page, NEW).await;
    assert_eq!(answer.location(), "/password/reset/done");
    assert_eq!(
        browser.cookie("__Host-wardgate_session"),
        None,
        "nobody is signed in"
    );
    let done = browser.get("/password/reset/done").await;
    assert!(done.body.contains("signed out"), "{done:?}");
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.method.as_deref()),
        (AuditAction::PasswordChange, AuditOutcome::Success, Some("reset"))
    );

    assert_eq!(
        send(&browser, &page, "Another-oak-8").await.status,
        StatusCode::GONE
    );
    assert_eq!(browser.get(&link).await.status, StatusCode::GONE);
    let old = clinic.browser().sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(old.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.sign_in("/login", PATIENT, NEW).await.location(), "/");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_uses_of_one_link_one_wins() {
    let clinic = clinic().await;
    let link = reset_link(&clinic).await;
    let mut shown = Vec::new();
    for number in 0..6 {
        let browser = clinic.browser();
        let page = browser.get(&link).await;
        shown.push((browser, page, format!("Sturdy-oak-{number}")));
    }
    let mut uses = tokio::task::JoinSet::new();
    for (browser, page, password) in shown {
        uses.spawn(async move {
            let answer = send(&browser, &page, &password).await;
            (answer.status, password)
        });
    }
    let (won, lost): (Vec<_>, Vec<_>) = uses
        .join_all()
        .await
        .into_iter()
        .partition(|(status, _)| *status == StatusCode::SEE_OTHER);
    assert_eq!((won.len(), lost.len()), (1, 5));
    assert!(lost.iter().all(|(status, _)| *status == StatusCode::GONE));
    let answer = clinic.browser().sign_in("/login", PATIENT, &won[0].1).await;
    assert_eq!(answer.location(), "/", "the password is the winner's");
}

#[tokio::test]
async fn every_link_that_does_not_work_leads_to_one_page_with_a_way_on() {
    let clinic = clinic().await;
    let replaced = reset_link(&clinic).await;
    let newest = reset_link(&clinic).await;
    let expired = link(&clinic, PHYSICIAN, LinkPurpose::Reset).await;
    let truncated = newest.strip_suffix(|_: char| true).unwrap();
    let unknown = OpaqueSecret::AccountLink.generate().unwrap();
    let foreign = OpaqueSecret::RefreshToken.generate().unwrap();
    let gone = clinic.issuer.insert_user(user("gone@example.org")).await;
    let of_gone = link(&clinic, "gone@example.org", LinkPurpose::Invitation).await;
    let audit = AuditEvent::new(
        clinic.issuer.now(),
        AuditAction::UserDeactivation,
        AuditOutcome::Success,
    );
    assert!(
        clinic
            .issuer
            .store()
            .deactivate_user(&gone.id, None, audit)
            .await
            .unwrap()
            .unwrap()
    );
    assert_eq!(clinic.browser().get(&newest).await.status, StatusCode::OK);
    assert_eq!(clinic.browser().get(&expired).await.status, StatusCode::OK);
    clinic.issuer.advance(3600);
    let mut pages = Vec::new();
    for path in [
        &replaced,
        &newest,
        &expired,
        truncated,
        &of_gone,
        &format!("/password/reset?token={}", unknown.value.expose()),
        &format!("/password/reset?token={}", foreign.value.expose()),
        "/password/reset?token=",
        "/password/reset",
    ] {
        let page = clinic.browser().get(path).await;
        assert_eq!(page.status, StatusCode::GONE, "{path}");
        assert!(page.body.contains("action=\"/password/forgot\""));
        pages.push(page.body.replace(&page.field("form_token"), "TOKEN"));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    let twice = format!("{newest}&token=x");
    clinic
        .browser()
        .get(&twice)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_that_was_not_shown_to_this_browser_sets_nothing() {
    let clinic = clinic().await;
    let link = reset_link(&clinic).await;
    let (browser, other) = (clinic.browser(), clinic.browser());
    let (page, of_other) = (browser.get(&link).await, other.get(&link).await);
    let token = page.field("token");
    let foreign = of_other.field("form_token");
    for form_token in ["", "x", foreign.as_str()] {
        let fields = [
            ("form_token", form_token),
            ("token", token.as_str()),
            ("new_password", NEW),
        ];
        let answer = browser.post("/password/reset", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    let own = page.field("form_token");
    let fields = [
        ("form_token", own.as_str()),
        ("token", token.as_str()),
        ("new_password", NEW),
    ];
    let cross_site = [("sec-fetch-site", "cross-site")];
    browser
        .post_with("/password/reset", &fields, &cross_site)
        .await
        .is_error_page(StatusCode::FORBIDDEN);
    // The token of another form does not fit.
    let forgotten = browser.get("/password/forgot").await.field("form_token");
    let fields = [
        ("form_token", forgotten.as_str()),
        ("token", token.as_str()),
        ("new_password", NEW),
    ];
    browser
        .post("/password/reset", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert_eq!(
        browser.get(&link).await.status,
        StatusCode::OK,
        "the link is unspent"
    );
}

#[tokio::test]
async fn a_new_password_ends_all_that_was_there_before() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    let request = app_request("openid patient/*.rs offline_access launch/patient");
    let code = browser.authorize(&request, PATIENT).await.sent("code").unwrap();
    let tokens = clinic.redeem(&code).await.json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let older = link(&clinic, PATIENT, LinkPurpose::Invitation).await;
    let link = reset_link(&clinic).await;
    set(&clinic.browser(), &link, NEW).await.location();
    assert!(!clinic.is_live(&tokens["access_token"]).await);
    let refused = clinic.refresh(refresh_token).await;
    refused.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    assert_eq!(
        browser.get("/account").await.status,
        StatusCode::SEE_OTHER,
        "signed out"
    );
    assert_eq!(clinic.browser().get(&older).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_weak_password_is_refused_with_every_reason_and_spends_nothing() {
    let clinic = clinic().await;
    let (browser, link) = (clinic.browser(), reset_link(&clinic).await);
    let answer = set(&browser, &link, "secret").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for said in [
        "<title>Error: ",
        "role=\"alert\"",
        "at least 8 characters",
        "of 3 of these kinds",
        "tried first",
        "aria-invalid=\"true\"",
    ] {
        assert!(answer.body.contains(said), "{said}: {answer:?}");
    }
    assert!(
        !answer.body.contains("value=\"secret\""),
        "the password never comes back"
    );
    let empty = send(&browser, &answer, "").await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        send(&browser, &empty, NEW).await.location(),
        "/password/reset/done"
    );
}

#[tokio::test]
async fn people_hear_of_a_changed_password_and_not_of_their_first() {
    let clinic = clinic().await;
    let link_of_reset = reset_link(&clinic).await;
    set(&clinic.browser(), &link_of_reset, NEW).await.location();
    assert_eq!(subjects_of_mails(&clinic).await, ["Your password was changed"]);
    clinic.issuer.insert_user(user("new@example.org")).await;
    let invitation = link(&clinic, "new@example.org", LinkPurpose::Invitation).await;
    let page = clinic.browser().get(&invitation).await;
    assert!(page.body.contains("<h1>Choose a password</h1>"), "{page:?}");
    set(&clinic.browser(), &invitation, "Shady-elm-8")
        .await
        .location();
    assert_eq!(subjects_of_mails(&clinic).await.len(), 1);
    let answer = clinic
        .browser()
        .sign_in("/login", "new@example.org", "Shady-elm-8")
        .await;
    assert_eq!(answer.location(), "/");
}

proptest! {
    #[test]
    fn only_tokens_of_our_own_shape_are_looked_up(text in "(wgu_)?[A-Za-z0-9_-]{40,46}|\\PC{0,60}") {
        let is_token = OpaqueSecret::AccountLink.is_shape_of(&text);
        let expected = text.strip_prefix("wgu_").is_some_and(|rest| {
            rest.len() == 43 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        prop_assert_eq!(is_token, expected);
    }
}
