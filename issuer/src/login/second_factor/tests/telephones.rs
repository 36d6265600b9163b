//! Codes that are sent to telephones: setting one up, signing in by one, and whoever guesses, hurries or sends too many.

use http::StatusCode;

use super::{SESSION, SIGN_IN};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::domain::phone_number::PhoneNumber;
use crate::domain::sent_code::{CODE_SECONDS, MOST_ANSWERS, PAUSE_SECONDS};
use crate::login::second_factor::telephone;
use crate::messages::{Deliveries, Shown};
use crate::store::Insertion;
use crate::web::testing::{Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, form, web_request};

const ENROL: &str = "/login/mfa/enrol/sms";
const PHONE: &str = "+1 555 010 0123";

async fn clinic() -> Clinic {
    Clinic::with_config(|config| {
        config.development.outbox = true;
        config.second_factor.offer = false;
    })
    .await
}

impl Clinic {
    /// The messages that went out, the newest first.
    async fn messages(&self) -> Vec<Shown> {
        let state = &self.issuer.state;
        let mut deliveries = Deliveries::new(state.clone());
        deliveries.deliver_due().await.unwrap();
        state.messages().outbox().unwrap().messages()
    }

    /// The code of the last short message.
    async fn sent_code(&self) -> String {
        let messages = self.messages().await;
        let text = &messages
            .iter()
            .find(|message| message.subject.is_none())
            .unwrap()
            .text;
        text.get(..6).unwrap().into()
    }

    async fn count_of_codes(&self) -> usize {
        let messages = self.messages().await;
        messages
            .iter()
            .filter(|message| message.subject.is_none())
            .count()
    }

    /// Gives the person a telephone.
    async fn add_telephone(&self, email: &str, number: &str) -> String {
        let id = crate::rng::identifier("factor-").unwrap();
        let number = PhoneNumber::parse(number).unwrap();
        let factor = Factor {
            user_id: self.user(email).await.id,
            kind: FactorKind::Sms,
            name: "Ward telephone".into(),
            sealed: Some(telephone::seal(&number, self.issuer.state.sealer(), &id).unwrap()),
            detail: None,
            created_at: self.issuer.now(),
            confirmed_at: Some(self.issuer.now()),
            last_used_at: None,
            last_step: None,
            id: id.clone(),
        };
        let inserted = self.issuer.store().insert_factor(factor, None).await.unwrap();
        assert_eq!(inserted, Insertion::Inserted);
        id
    }
}

impl Browser {
    /// Fills in a form of the page at `page`, and what it carries on.
    async fn fill(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let hidden: Vec<(&str, String)> = ["form_token", "use", "factor", "request", "next"]
            .into_iter()
            .filter(|name| page.body.contains(&format!("name=\"{name}\" value=")))
            .map(|name| (name, page.field(name)))
            .collect();
        let mut all: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        all.extend(fields);
        self.post(action, &all).await
    }

    /// Has a code sent from the page of the second factor; gives the page that asks for it.
    async fn have_code_sent(&self, page: &str) -> Answer {
        let page = self.get(page).await;
        let sent = self.fill(&page, "/login/mfa", &[("send", "yes")]).await;
        let asks = self.get(sent.location()).await;
        assert!(
            asks.body
                .contains("We sent six digits to your telephone •••• 23."),
            "{asks:?}"
        );
        asks
    }
}

/// Another code than this one.
fn another(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

#[track_caller]
fn says(answer: &Answer, status: StatusCode, words: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(
        answer.body.contains("role=\"alert\"") && answer.body.contains(words),
        "{words}: {answer:?}"
    );
}

#[tokio::test]
async fn a_telephone_is_set_up_by_the_code_that_reaches_it() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let page = browser.get(ENROL).await;
    for wrong in ["", "555 0100", "+49", "+1 555 CALL"] {
        let refused = browser.fill(&page, ENROL, &[("phone", wrong)]).await;
        says(
            &refused,
            StatusCode::BAD_REQUEST,
            "a plus sign and the country code",
        );
    }
    assert_eq!(clinic.count_of_codes().await, 0);
    let sent = browser.fill(&page, ENROL, &[("phone", PHONE)]).await;
    let message = clinic.messages().await.remove(0);
    assert_eq!(message.to, "+15550100123");
    let code = clinic.sent_code().await;
    assert!(
        message.text.ends_with(&format!("\n\n@id.example.org #{code}")),
        "{}",
        message.text
    );

    let asks = browser.get(sent.location()).await;
    assert!(
        !asks.body.contains("5550100"),
        "the number does not show: {asks:?}"
    );
    let wrong = browser
        .fill(&asks, ENROL, &[("code", another(&code)), ("name", "Mine")])
        .await;
    says(&wrong, StatusCode::BAD_REQUEST, "This code is not right.");
    let event = clinic.last_audit().await;
    assert_eq!(
        (
            event.action,
            event.outcome,
            event.method.as_deref(),
            event.reason.as_deref()
        ),
        (
            AuditAction::FactorEnrolment,
            AuditOutcome::Failure,
            Some("sms"),
            Some("wrong_code")
        )
    );
    let user = clinic.user(PATIENT).await;
    assert!(clinic.issuer.store().factors(&user.id).await.unwrap().is_empty());
    let before = browser.cookie(SESSION).unwrap();
    let spaced = format!("{} {}", code.get(..3).unwrap(), code.get(3..).unwrap());
    let done = browser
        .fill(&asks, ENROL, &[("code", &spaced), ("name", "Mine")])
        .await;
    assert!(done.body.contains("Your recovery codes"), "{done:?}");
    assert_ne!(browser.cookie(SESSION).unwrap(), before);
    let factors = clinic.issuer.store().factors(&user.id).await.unwrap();
    assert_eq!(
        (factors[0].kind, factors[0].name.as_str()),
        (FactorKind::Sms, "Mine")
    );
    let stored = factors[0].sealed.clone().unwrap();
    assert!(!String::from_utf8_lossy(&stored).contains("5550100123"), "sealed");
    let events = clinic.issuer.store().audit_events(5).await.unwrap();
    let enrolled = events
        .iter()
        .find(|event| event.action == AuditAction::FactorEnrolment)
        .unwrap();
    assert_eq!(enrolled.method.as_deref(), Some("sms"));
    let news = clinic.messages().await.remove(0);
    assert!(
        news.text.contains("a telephone was added to your account"),
        "{}",
        news.text
    );
}

#[tokio::test]
async fn a_telephone_is_given_as_second_factor_and_says_so() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let browser = clinic.browser();
    let asked = browser
        .get(&format!("/oauth2/authorize?{}", form(&web_request("openid"))))
        .await;
    let answer = browser.sign_in(asked.location(), PATIENT, PASSWORD).await;
    let page = browser.get(answer.location()).await;
    assert!(page.body.contains("a code to your telephone •••• 23"), "{page:?}");
    assert!(
        !page.body.contains("name=\"code\""),
        "none was sent yet: {page:?}"
    );
    assert_eq!(clinic.count_of_codes().await, 0, "showing the page sends nothing");
    let asks = browser.have_code_sent(answer.location()).await;
    browser.get(answer.location()).await;
    assert_eq!(clinic.count_of_codes().await, 1);
    let code = clinic.sent_code().await;
    let done = browser.fill(&asks, "/login/mfa", &[("code", &code)]).await;
    assert!(
        done.location().starts_with("/oauth2/authorize/continue?request="),
        "{done:?}"
    );
    assert_eq!(browser.cookie(SIGN_IN), None);
    assert!(browser.is_signed_in().await);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SignIn, AuditOutcome::Success)
    );
    let secret = browser.cookie(SESSION).unwrap();
    let digest = crate::domain::digest::SecretDigest::of(&secret);
    let (session, _) = clinic
        .issuer
        .store()
        .session(&digest, 3600, clinic.issuer.now())
        .await
        .unwrap()
        .unwrap();
    let methods: Vec<&str> = session.methods.iter().map(|method| method.as_str()).collect();
    assert_eq!(methods, ["pwd", "sms"]);
}

#[tokio::test]
async fn a_code_counts_once_even_in_a_race() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let asks = browser.have_code_sent(&page).await;
    let code = clinic.sent_code().await;
    let fields = [("code", code.as_str())];
    let (first, second, third) = tokio::join!(
        browser.fill(&asks, "/login/mfa", &fields),
        browser.fill(&asks, "/login/mfa", &fields),
        browser.fill(&asks, "/login/mfa", &fields),
    );
    let won = [&first, &second, &third]
        .iter()
        .filter(|answer| answer.header("location") == Some("/"))
        .count();
    assert_eq!(won, 1, "{first:?} {second:?} {third:?}");
    let events = clinic.issuer.store().audit_events(20).await.unwrap();
    let sign_ins = events
        .iter()
        .filter(|event| event.action == AuditAction::SignIn && event.outcome == AuditOutcome::Success);
    assert_eq!(sign_ins.count(), 1);
}

#[tokio::test]
async fn a_code_stands_few_answers_and_no_right_one_after_them() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let asks = browser.have_code_sent(&page).await;
    let code = clinic.sent_code().await;
    for _ in 0..MOST_ANSWERS {
        let wrong = browser
            .fill(&asks, "/login/mfa", &[("code", another(&code))])
            .await;
        says(&wrong, StatusCode::BAD_REQUEST, "This code is not right.");
        // The throttle of the second factor counts each of them, too.
        clinic.issuer.advance(30);
    }
    let late = browser.fill(&asks, "/login/mfa", &[("code", &code)]).await;
    says(&late, StatusCode::BAD_REQUEST, "Please have a new one sent.");
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("code_gone"));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_code_expires() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let browser = clinic.browser();
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let page = browser.get(ENROL).await;
    let sent = browser.fill(&page, ENROL, &[("phone", PHONE)]).await;
    let asks = browser.get(sent.location()).await;
    let code = clinic.sent_code().await;
    clinic.issuer.advance(CODE_SECONDS);
    let late = browser
        .fill(&asks, ENROL, &[("code", &code), ("name", "Mine")])
        .await;
    says(&late, StatusCode::BAD_REQUEST, "Please have a new one sent.");
    let user = clinic.user(PHYSICIAN).await;
    assert!(clinic.issuer.store().factors(&user.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_opens_no_other_sign_in_and_no_other_account() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    clinic.add_telephone(PHYSICIAN, PHONE).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    browser.have_code_sent(&page).await;
    let code = clinic.sent_code().await;
    // The same person in another browser, and another person with the same telephone.
    for email in [PATIENT, PHYSICIAN] {
        let (other, page) = clinic.half_way(email).await;
        let asks = other.get(&page).await;
        let answer = other.fill(&asks, "/login/mfa", &[("code", &code)]).await;
        says(&answer, StatusCode::BAD_REQUEST, "Please have a new one sent.");
        let asks = other.have_code_sent(&page).await;
        let answer = other.fill(&asks, "/login/mfa", &[("code", &code)]).await;
        let newer = clinic.sent_code().await;
        assert!(
            newer == code || answer.status == StatusCode::BAD_REQUEST,
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_new_code_ends_the_old_and_comes_no_sooner_than_after_a_minute() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let asks = browser.have_code_sent(&page).await;
    let old = clinic.sent_code().await;
    clinic.issuer.advance(PAUSE_SECONDS - 1);
    let soon = browser.fill(&asks, "/login/mfa", &[("send", "yes")]).await;
    says(&soon, StatusCode::TOO_MANY_REQUESTS, "in 1 seconds");
    assert_eq!(soon.header("retry-after"), Some("1"));
    assert_eq!(clinic.count_of_codes().await, 1);
    clinic.issuer.advance(1);
    let asks = browser.have_code_sent(&page).await;
    assert_eq!(clinic.count_of_codes().await, 2);
    let new = clinic.sent_code().await;
    if new != old {
        let answer = browser.fill(&asks, "/login/mfa", &[("code", &old)]).await;
        says(&answer, StatusCode::BAD_REQUEST, "This code is not right.");
    }
    let answer = browser.fill(&asks, "/login/mfa", &[("code", &new)]).await;
    assert_eq!(answer.location(), "/");
}

#[tokio::test]
async fn so_many_codes_an_hour_go_to_a_person_and_to_a_number() {
    let clinic = Clinic::with_config(|config| {
        config.development.outbox = true;
        config.second_factor.offer = false;
        config.second_factor.messages_per_hour = 3;
    })
    .await;
    clinic.add_telephone(PATIENT, PHONE).await;
    clinic.add_telephone(PHYSICIAN, PHONE).await;
    for _ in 0..2 {
        let (browser, page) = clinic.half_way(PATIENT).await;
        browser.have_code_sent(&page).await;
    }
    assert_eq!(clinic.count_of_codes().await, 2);
    clinic.issuer.advance(600);
    let (other, page) = clinic.half_way(PHYSICIAN).await;
    other.have_code_sent(&page).await;
    assert_eq!(clinic.count_of_codes().await, 3);
    // The number has its three: of another person with the same one, and of the person themselves.
    for email in [PATIENT, PHYSICIAN] {
        let (browser, page) = clinic.half_way(email).await;
        let page = browser.get(&page).await;
        let many = browser.fill(&page, "/login/mfa", &[("send", "yes")]).await;
        says(&many, StatusCode::TOO_MANY_REQUESTS, "in 50 minutes");
        assert_eq!(many.header("retry-after"), Some("3000"));
    }
    assert_eq!(clinic.count_of_codes().await, 3);
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome, event.reason.as_deref()),
        (
            AuditAction::FactorCode,
            AuditOutcome::Failure,
            Some("too_many_codes")
        )
    );
    clinic.issuer.advance(3000);
    let (browser, page) = clinic.half_way(PATIENT).await;
    browser.have_code_sent(&page).await;
}

#[tokio::test]
async fn somebody_who_sets_up_telephones_sends_no_more_than_others() {
    let clinic = Clinic::with_config(|config| {
        config.development.outbox = true;
        config.second_factor.offer = false;
        config.second_factor.messages_per_hour = 3;
    })
    .await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let page = browser.get(ENROL).await;
    let mut answers = Vec::new();
    for number in ["+15550100124", "+15550100125", "+15550100126", "+15550100127"] {
        answers.push(browser.fill(&page, ENROL, &[("phone", number)]).await);
        if answers.len() < 4 {
            // The code that was sent counts on; the number that came too soon does not take its place.
            let soon = browser.fill(&page, ENROL, &[("phone", "+15550100199")]).await;
            says(
                &soon,
                StatusCode::TOO_MANY_REQUESTS,
                "A code was sent a moment ago.",
            );
            let asks = browser.get(answers.last().unwrap().location()).await;
            assert!(asks.body.contains("We sent six digits"), "{asks:?}");
        }
        assert_eq!(clinic.count_of_codes().await, answers.len().min(3));
        clinic.issuer.advance(PAUSE_SECONDS);
    }
    for sent in answers.iter().take(3) {
        assert!(sent.location().starts_with(ENROL), "{sent:?}");
    }
    says(
        &answers[3],
        StatusCode::TOO_MANY_REQUESTS,
        "Too many codes were sent.",
    );
    // The number that was named last is the one that counts.
    let old = browser.get(answers[0].location()).await;
    assert!(old.body.contains("name=\"phone\""), "{old:?}");
}

#[tokio::test]
async fn without_a_provider_telephones_are_neither_offered_nor_asked() {
    let clinic = Clinic::open().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let page = browser.get(&page).await;
    assert!(page.body.contains("None of the second factors"), "{page:?}");
    let other = clinic.browser();
    other.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let choice = other.get("/login/mfa/enrol").await;
    assert!(!choice.body.contains("value=\"sms\""), "{choice:?}");
    let token = choice.field("form_token");
    let refused = other
        .post("/login/mfa/enrol", &[("form_token", &token), ("kind", "sms")])
        .await;
    refused.is_error_page(StatusCode::BAD_REQUEST);
    assert_eq!(other.get(ENROL).await.location(), "/login/mfa/enrol");
}

#[tokio::test]
async fn forms_of_other_sign_ins_send_nothing() {
    let clinic = clinic().await;
    clinic.add_telephone(PATIENT, PHONE).await;
    let (one, page) = clinic.half_way(PATIENT).await;
    let (other, _) = clinic.half_way(PATIENT).await;
    let foreign = one.get(&page).await;
    let answer = other.fill(&foreign, "/login/mfa", &[("send", "yes")]).await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    let nobody = clinic.browser();
    let answer = nobody.fill(&foreign, "/login/mfa", &[("send", "yes")]).await;
    assert_eq!(answer.location(), "/login");
    assert_eq!(clinic.count_of_codes().await, 0);
}
