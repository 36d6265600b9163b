//! Wrong, old, foreign and repeated answers.

use http::StatusCode;
use tokio::task::JoinSet;

use super::{DEVICE, SESSION, SIGN_IN, wrong_code};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::sign_in::{MOST_TRIES, SIGN_IN_SECONDS};
use crate::web::testing::{Clinic, PASSWORD, PATIENT, PHYSICIAN};

#[tokio::test]
async fn a_wrong_code_signs_nobody_in_and_is_recorded() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    for code in [
        wrong_code(&clinic, &seed).as_str(),
        "12345",
        "1234567",
        "abcdef",
        "-00001",
    ] {
        let answer = browser.give(&page, code, true).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{code}");
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("<title>Error: "));
        assert!(answer.headers.get("set-cookie").is_none(), "{answer:?}");
        let event = clinic.last_audit().await;
        assert_eq!(
            (event.action, event.outcome),
            (AuditAction::SecondFactor, AuditOutcome::Failure)
        );
        assert_eq!(event.reason.as_deref(), Some("wrong_code"));
        clinic.issuer.advance(1);
    }
    let empty = browser.give(&page, "", true).await;
    assert!(empty.body.contains("fill in the code"), "{empty:?}");
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_code_of_two_steps_ago_or_ahead_is_refused_and_of_one_is_taken() {
    for (off, taken) in [(-60, false), (-30, true), (30, true), (60, false)] {
        let clinic = Clinic::open().await;
        let seed = clinic.add_app(PATIENT).await;
        let (browser, page) = clinic.half_way(PATIENT).await;
        let code = seed.code(clinic.issuer.now().plus(off));
        let answer = browser.give(&page, &code, false).await;
        assert_eq!(answer.status == StatusCode::SEE_OTHER, taken, "{off}");
    }
}

#[tokio::test]
async fn a_code_is_taken_once_in_whatever_browser() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let code = seed.code(clinic.issuer.now());
    let (first, page) = clinic.half_way(PATIENT).await;
    assert_eq!(first.give(&page, &code, false).await.location(), "/");
    let (second, page) = clinic.half_way(PATIENT).await;
    let again = second.give(&page, &code, false).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("used already"), "{again:?}");
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("code_used"));
    let before = second
        .give(&page, &seed.code(clinic.issuer.now().minus(30)), false)
        .await;
    assert_eq!(before.status, StatusCode::BAD_REQUEST, "nor does one from before");
    clinic.issuer.advance(30);
    let next = seed.code(clinic.issuer.now());
    assert_eq!(second.give(&page, &next, false).await.location(), "/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_browsers_with_one_code_one_is_signed_in() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let code = seed.code(clinic.issuer.now());
    let mut racers = JoinSet::new();
    // As many as the brake on guessing lets in at once.
    for _ in 0..5 {
        let (browser, page) = clinic.half_way(PATIENT).await;
        let shown = browser.get(&page).await;
        let code = code.clone();
        racers.spawn(async move { browser.give_on(&shown, &code, false).await.status });
    }
    let answers = racers.join_all().await;
    let signed_in = answers.iter().filter(|status| **status == StatusCode::SEE_OTHER);
    assert_eq!(signed_in.count(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_recovery_code_is_taken_once_and_only_from_its_person() {
    let clinic = Clinic::open().await;
    clinic.add_app(PATIENT).await;
    clinic.add_app(PHYSICIAN).await;
    let code = clinic.add_recovery_code(PATIENT).await;
    let (thief, page) = clinic.half_way(PHYSICIAN).await;
    let shown = thief.get(&page).await;
    assert!(!shown.body.contains("recovery code"), "they have none");
    let token = shown.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("use", "recovery"),
        ("code", &code),
    ];
    assert_eq!(
        thief.post("/login/mfa", &fields).await.status,
        StatusCode::BAD_REQUEST
    );

    let way = "/login/mfa?use=recovery";
    let (browser, _) = clinic.half_way(PATIENT).await;
    let typed = code.to_uppercase().replace('-', " ");
    assert_eq!(browser.give(way, &typed, false).await.location(), "/");
    let event = clinic.last_audit().await;
    assert_eq!(event.method.as_deref(), Some("recovery_code"));
    let (again, page) = clinic.half_way(PATIENT).await;
    assert!(
        !again.get(&page).await.body.contains("recovery code"),
        "none is left"
    );
}

#[tokio::test]
async fn a_sign_in_in_progress_dies_in_time_and_by_too_many_wrong_answers() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    let (late, page) = clinic.half_way(PATIENT).await;
    let shown = late.get(&page).await;
    clinic.issuer.advance(SIGN_IN_SECONDS);
    let code = seed.code(clinic.issuer.now());
    assert_eq!(late.give_on(&shown, &code, false).await.location(), "/login");

    let (guesser, page) = clinic.half_way(PATIENT).await;
    let shown = guesser.get(&page).await;
    let mut answers = 0;
    for _ in 0..MOST_TRIES {
        clinic.issuer.advance(60);
        let answer = guesser.give_on(&shown, &wrong_code(&clinic, &seed), false).await;
        if answer.status == StatusCode::SEE_OTHER {
            break;
        }
        answers += 1;
    }
    assert!(answers <= MOST_TRIES);
    clinic.issuer.advance(900);
    let code = seed.code(clinic.issuer.now());
    assert_eq!(guesser.give_on(&shown, &code, false).await.location(), "/login");
    assert!(!guesser.is_signed_in().await);
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_a_right_password_does_not_help() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    for _ in 0..5 {
        let (browser, page) = clinic.half_way(PATIENT).await;
        let answer = browser.give(&page, &wrong_code(&clinic, &seed), false).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let (browser, page) = clinic.half_way(PATIENT).await;
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(clinic.last_audit().await.reason.as_deref(), Some("throttled"));
    clinic.issuer.advance(1);
    let answer = browser.give(&page, &seed.code(clinic.issuer.now()), false).await;
    assert_eq!(answer.location(), "/", "back-off, not lock-out");
}

#[tokio::test]
async fn a_form_without_its_token_or_with_anothers_is_refused() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    clinic.add_app(PHYSICIAN).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let (other, other_page) = clinic.half_way(PHYSICIAN).await;
    let foreign = other.get(&other_page).await.field("form_token");
    let (way, code) = (
        browser.get(&page).await.field("use"),
        seed.code(clinic.issuer.now()),
    );
    for token in ["", foreign.as_str(), "AAAA"] {
        let fields = [
            ("form_token", token),
            ("use", way.as_str()),
            ("code", code.as_str()),
        ];
        let answer = browser.post("/login/mfa", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    let own = browser.get(&page).await.field("form_token");
    let fields = [
        ("form_token", own.as_str()),
        ("use", way.as_str()),
        ("code", code.as_str()),
    ];
    let cross_site = [("sec-fetch-site", "cross-site")];
    let answer = browser.post_with("/login/mfa", &fields, &cross_site).await;
    answer.is_error_page(StatusCode::FORBIDDEN);
    for fields in [
        vec![("form_token", own.as_str()), ("code", code.as_str())],
        vec![("form_token", &own), ("use", "factor-x"), ("code", &code)],
    ] {
        let answer = browser.post("/login/mfa", &fields).await;
        answer.is_error_page(StatusCode::BAD_REQUEST);
    }
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn another_persons_factor_or_a_made_up_cookie_opens_nothing() {
    let clinic = Clinic::open().await;
    let own = clinic.add_app(PHYSICIAN).await;
    clinic.add_app(PATIENT).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let (other, other_page) = clinic.half_way(PHYSICIAN).await;
    let theirs = other.get(&other_page).await.field("use");
    let token = browser.get(&page).await.field("form_token");
    let code = own.code(clinic.issuer.now());
    let fields = [("form_token", token.as_str()), ("use", &theirs), ("code", &code)];
    browser
        .post("/login/mfa", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    for cookie in ["", "wgp_x", "wgp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let stranger = clinic.browser();
        stranger.set_cookie(SIGN_IN, cookie);
        assert_eq!(stranger.get(&page).await.location(), "/login");
        assert_eq!(stranger.post("/login/mfa", &fields).await.location(), "/login");
    }
}

#[tokio::test]
async fn a_device_cookie_is_worth_nothing_without_the_password_or_to_another_person() {
    let clinic = Clinic::open().await;
    let seed = clinic.add_app(PATIENT).await;
    clinic.add_app(PHYSICIAN).await;
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &seed, true).await;
    let device = browser.cookie(DEVICE).unwrap();
    let thief = clinic.browser();
    thief.set_cookie(DEVICE, &device);
    assert!(!thief.is_signed_in().await);
    let wrong = thief.sign_in("/login", PATIENT, "wrong").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let other = thief.sign_in("/login", PHYSICIAN, PASSWORD).await;
    assert_eq!(
        other.location(),
        "/login/mfa",
        "it is remembered for the patient alone"
    );
    assert_eq!(thief.sign_in("/login", PATIENT, PASSWORD).await.location(), "/");
    assert!(thief.cookie(SESSION).is_some());
}

#[tokio::test]
async fn what_somebody_left_unfinished_is_not_the_next_persons() {
    let clinic = Clinic::with_config(|config| config.second_factor.offer = true).await;
    let seed = clinic.add_app(PHYSICIAN).await;
    // The physician stops half-way on a shared computer, and a patient signs in there.
    let (browser, _) = clinic.half_way(PHYSICIAN).await;
    let answer = browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_eq!(
        answer.location(),
        "/login/mfa/enrol",
        "the offer is the patient's"
    );
    assert_eq!(browser.cookie(SIGN_IN), None);
    let page = browser.get("/login/mfa/enrol").await;
    assert!(
        page.body.contains(PATIENT) && !page.body.contains(PHYSICIAN),
        "{page:?}"
    );
    assert!(browser.is_signed_in().await);
    drop(seed);

    // Whoever has a session already is asked for their own factor, too.
    let theirs = clinic.add_app(PATIENT).await;
    let (half, page) = clinic.half_way(PHYSICIAN).await;
    let left = half.cookie(SIGN_IN).unwrap();
    let browser = clinic.browser();
    browser.sign_in_with(&clinic, &theirs, false).await;
    browser.set_cookie(SIGN_IN, &left);
    clinic.issuer.advance(1000);
    let asked = browser.get("/account/factors").await;
    assert!(asked.location().starts_with("/login"), "{asked:?}");
    assert_eq!(browser.cookie(SIGN_IN), None);
    drop(page);
}

#[tokio::test]
async fn signing_out_gives_up_what_was_left_unfinished() {
    let clinic = Clinic::open().await;
    clinic.add_app(PATIENT).await;
    let (browser, page) = clinic.half_way(PATIENT).await;
    let secret = browser.cookie(SIGN_IN).unwrap();
    let answer = browser.post("/logout", &[]).await;
    assert_eq!(answer.location(), "/logout");
    assert_eq!(browser.cookie(SIGN_IN), None);
    browser.set_cookie(SIGN_IN, &secret);
    assert!(
        browser.get(&page).await.location().starts_with("/login"),
        "it is over"
    );
}
