use http::StatusCode;

use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::web::testing::{
    APP, Answer, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, app_request, form, web_request,
};

const SESSION: &str = "__Host-wardgate_session";
const PAGES: [&str; 3] = ["/account", "/account/sessions", "/account/apps"];
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// A browser of `clinic` in which this person has signed in.
async fn signed_in(clinic: &Clinic, email: &str) -> Browser {
    let browser = clinic.browser();
    browser.sign_in("/login", email, PASSWORD).await;
    browser
}

/// The same, in a browser that says what it is.
async fn signed_in_as(clinic: &Clinic, email: &str, user_agent: &str) -> Browser {
    let browser = clinic.browser();
    let token = browser.get("/login").await.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("email", email),
        ("password", PASSWORD),
    ];
    let headers = [("user-agent", user_agent)];
    assert_eq!(
        browser.post_with("/login", &fields, &headers).await.location(),
        "/"
    );
    browser
}

/// A browser in which the patient has signed in and allowed the web application something.
async fn with_web_app(clinic: &Clinic) -> Browser {
    let browser = clinic.browser();
    let answer = browser.authorize(&web_request("openid"), PATIENT).await;
    assert!(answer.sent("code").is_some());
    browser
}

/// The ids of the sessions that a page offers to end.
fn offered(page: &Answer) -> Vec<String> {
    let marker = "name=\"session\" value=\"";
    let parts = page.body.split(marker).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap().into()).collect()
}

async fn press(browser: &Browser, path: &str, name: &str, value: &str) -> Answer {
    let token = browser.get(path).await.field("form_token");
    browser.post(path, &[("form_token", &token), (name, value)]).await
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == StatusCode::OK
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_first_and_comes_back() {
    let clinic = Clinic::open().await;
    for path in PAGES {
        let browser = clinic.browser();
        let answer = browser.get(path).await;
        let next = path.strip_prefix('/').unwrap();
        assert_eq!(answer.sent("next").as_deref(), Some(next));
        let page = browser.get(answer.location()).await;
        let (token, carried) = (page.field("form_token"), page.field("next"));
        let fields = [
            ("form_token", token.as_str()),
            ("next", &carried),
            ("email", PATIENT),
            ("password", PASSWORD),
        ];
        assert_eq!(browser.post("/login", &fields).await.location(), path);
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body.contains("Pat Patient") && page.body.contains(PATIENT),
            "{page:?}"
        );
        assert!(
            page.body
                .contains(&format!("<a href=\"{path}\" aria-current=\"page\">"))
        );
        assert!(page.body.contains("<a class=\"skip\" href=\"#main\">"));
    }
}

#[tokio::test]
async fn idle_and_absolute_limits_hold_on_every_page() {
    let clinic = Clinic::open().await;
    let sessions = clinic.issuer.state.config().sessions.clone();
    let browser = signed_in(&clinic, PATIENT).await;
    clinic.issuer.advance(sessions.idle_seconds + 1);
    for path in PAGES {
        assert!(
            browser.get(path).await.location().starts_with("/login?next="),
            "{path}"
        );
    }
    let browser = signed_in(&clinic, PATIENT).await;
    let step = sessions.idle_seconds / 2;
    for _ in 0..sessions.absolute_seconds / step {
        assert!(is_signed_in(&browser).await, "whoever is there stays");
        clinic.issuer.advance(step);
    }
    clinic.issuer.advance(step);
    for path in PAGES {
        assert!(
            browser.get(path).await.location().starts_with("/login?next="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_secret_from_before_a_sign_in_opens_nothing_after_it() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    let before = browser.cookie(SESSION).unwrap();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    assert_ne!(browser.cookie(SESSION).unwrap(), before);
    assert!(is_signed_in(&browser).await);
    let thief = clinic.browser();
    thief.set_cookie(SESSION, &before);
    for path in PAGES {
        assert!(
            thief.get(path).await.location().starts_with("/login?next="),
            "{path}"
        );
    }
    let page = browser.get("/account/sessions").await;
    assert!(offered(&page).is_empty(), "one browser is one session: {page:?}");
}

#[tokio::test]
async fn sessions_are_listed_with_browser_address_and_method() {
    let clinic = Clinic::open().await;
    let browser = signed_in_as(&clinic, PATIENT, FIREFOX).await;
    let _other = signed_in_as(&clinic, PATIENT, "<b>what\tis this").await;
    let _foreign = signed_in(&clinic, PHYSICIAN).await;
    let page = browser.get("/account/sessions").await;
    assert_eq!(page.body.matches("<li>\n<h2>").count(), 2, "{page:?}");
    for text in [
        "Firefox on Linux <strong class=\"mark\">this one</strong>",
        "An unknown browser",
        "192.0.2.7",
        "by password",
        "15 January 2027, 08:00 UTC",
        "&#60;b&#62;whatis this",
    ] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    assert_eq!(offered(&page).len(), 1, "this one has no button: {page:?}");
}

#[tokio::test]
async fn a_session_is_ended_from_another_browser_with_what_lives_with_it() {
    let clinic = Clinic::open().await;
    let lost = clinic.browser();
    let answer = lost.authorize(&app_request("openid patient/*.rs"), PATIENT).await;
    let tokens = clinic.redeem(&answer.sent("code").unwrap()).await.json();
    let browser = signed_in(&clinic, PATIENT).await;
    let ids = offered(&browser.get("/account/sessions").await);
    assert!(clinic.is_live(&tokens["access_token"]).await);
    let answer = press(&browser, "/account/sessions", "session", &ids[0]).await;
    assert_eq!(answer.location(), "/account/sessions?done=ended");
    assert!(
        browser
            .get(answer.location())
            .await
            .body
            .contains("<p class=\"done\" role=\"status\">That browser is signed out.</p>")
    );
    assert!(!is_signed_in(&lost).await && is_signed_in(&browser).await);
    assert!(
        !clinic.is_live(&tokens["access_token"]).await,
        "it lived with the session"
    );
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.outcome),
        (AuditAction::SessionRevocation, AuditOutcome::Success)
    );
    assert_eq!(event.object_id.as_deref(), Some(&*ids[0]));
    assert_eq!(event.ip_address, Some("192.0.2.7".parse().unwrap()));
}

#[tokio::test]
async fn somebody_elses_session_is_as_unknown_as_one_that_never_was() {
    let clinic = Clinic::open().await;
    let ada = signed_in(&clinic, PHYSICIAN).await;
    let _second = signed_in(&clinic, PHYSICIAN).await;
    let foreign = offered(&ada.get("/account/sessions").await).remove(0);
    let pat = signed_in(&clinic, PATIENT).await;
    let _elsewhere = signed_in(&clinic, PATIENT).await;
    let mut answers = Vec::new();
    for id in [foreign.as_str(), "session-of-nobody"] {
        let answer = press(&pat, "/account/sessions", "session", id).await;
        answers.push((answer.status, String::from(answer.location()), answer.body));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].1, "/account/sessions?done=over");
    assert_eq!(offered(&ada.get("/account/sessions").await), [foreign]);
    assert_eq!(
        clinic.last_audit().await.action,
        AuditAction::SignIn,
        "nothing was done"
    );
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let clinic = Clinic::open().await;
    let (first, second) = (
        signed_in(&clinic, PATIENT).await,
        signed_in(&clinic, PATIENT).await,
    );
    let foreign = signed_in(&clinic, PHYSICIAN).await;
    let browser = signed_in(&clinic, PATIENT).await;
    let answer = press(&browser, "/account/sessions", "end", "others").await;
    assert_eq!(answer.location(), "/account/sessions?done=others");
    assert!(!is_signed_in(&first).await && !is_signed_in(&second).await);
    assert!(is_signed_in(&browser).await && is_signed_in(&foreign).await);
    assert!(offered(&browser.get("/account/sessions").await).is_empty());
}

#[tokio::test]
async fn refuses_forms_of_other_sites_browsers_and_pages() {
    let clinic = Clinic::open().await;
    let (browser, other) = (with_web_app(&clinic).await, with_web_app(&clinic).await);
    for (path, field) in [
        ("/account/sessions", ("end", "others")),
        ("/account/apps", ("client", APP)),
    ] {
        let foreign = other.get(path).await.field("form_token");
        let elsewhere = browser.get("/logout").await.field("form_token");
        for token in ["", "x", &foreign, &elsewhere] {
            let fields = [("form_token", token), field];
            let answer = browser.post(path, &fields).await;
            answer.is_error_page(StatusCode::BAD_REQUEST);
        }
        let own = browser.get(path).await.field("form_token");
        let fields = [("form_token", own.as_str()), field];
        let site = [("sec-fetch-site", "cross-site")];
        let answer = browser.post_with(path, &fields, &site).await;
        answer.is_error_page(StatusCode::FORBIDDEN);
        let nobody = clinic.browser().post(path, &fields).await;
        nobody.is_error_page(StatusCode::BAD_REQUEST);
        // Neither a field that is missing nor two that say different things.
        let incomplete = browser.post(path, &[("form_token", &own)]).await;
        incomplete.is_error_page(StatusCode::BAD_REQUEST);
        let repeated = browser.post(path, &[("form_token", &own), field, field]).await;
        repeated.is_error_page(StatusCode::BAD_REQUEST);
    }
    let own = browser.get("/account/sessions").await.field("form_token");
    let both = [("form_token", own.as_str()), ("end", "others"), ("session", "x")];
    let answer = browser.post("/account/sessions", &both).await;
    answer.is_error_page(StatusCode::BAD_REQUEST);
    assert!(is_signed_in(&other).await);
}

#[tokio::test]
async fn apps_are_listed_with_what_they_may_do_in_words() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    browser.sign_in("/login", PATIENT, PASSWORD).await;
    let page = browser.get("/account/apps").await;
    assert!(
        page.body.contains("No app has access to your account."),
        "{page:?}"
    );
    let scope = "openid patient/Observation.rs offline_access";
    let answer = browser.authorize(&app_request(scope), PATIENT).await;
    let page = browser.get("/account/apps").await;
    assert!(page.body.contains("It holds no access at the moment"), "{page:?}");
    clinic.redeem(&answer.sent("code").unwrap()).await;
    let page = browser.get("/account/apps").await;
    for text in [
        "The app app",
        "read and search Observation data in your health record <code>patient/Observation.rs</code>",
        "You last allowed it something on <time datetime=\"2027-01-15T08:00:00Z\">",
        "It can act for you now, also while you are away.",
    ] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    let other = signed_in(&clinic, PHYSICIAN).await;
    assert!(!other.get("/account/apps").await.body.contains("The app app"));
}

#[tokio::test]
async fn an_app_whose_access_is_taken_back_holds_nothing_and_has_to_ask_again() {
    let clinic = Clinic::open().await;
    let scope = "openid patient/*.rs offline_access";
    let browser = clinic.browser();
    let first = browser.authorize(&app_request(scope), PATIENT).await;
    let tokens = clinic.redeem(&first.sent("code").unwrap()).await.json();
    // A code that waits to be redeemed, the grant of another app, and one of another person.
    let waiting = browser.authorize(&app_request(scope), PATIENT).await;
    let kept = browser
        .authorize(&web_request("openid offline_access"), PATIENT)
        .await;
    assert!(kept.sent("code").is_some());
    let foreign = clinic.tokens(scope, PHYSICIAN).await;

    let answer = press(&browser, "/account/apps", "client", APP).await;
    assert_eq!(answer.location(), "/account/apps?done=withdrawn");
    let event = clinic.last_audit().await;
    assert_eq!(
        (event.action, event.client_id.as_deref()),
        (AuditAction::ConsentWithdrawal, Some(APP))
    );
    assert!(!clinic.is_live(&tokens["access_token"]).await);
    let refreshed = clinic.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    refreshed.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");
    let redeemed = clinic.redeem(&waiting.sent("code").unwrap()).await;
    redeemed.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_grant");

    assert!(
        clinic.is_live(&foreign["access_token"]).await,
        "another person's stays"
    );
    let page = browser.get("/account/apps").await;
    assert!(
        !page.body.contains("The app app") && page.body.contains("The app web"),
        "{page:?}"
    );
    let query = form(&app_request(scope));
    let asked = browser.get(&format!("/oauth2/authorize?{query}")).await;
    assert!(
        asked.location().starts_with("/consent?"),
        "they are asked again: {asked:?}"
    );
}

#[tokio::test]
async fn an_app_that_has_nothing_is_as_unknown_as_one_that_never_was() {
    let clinic = Clinic::open().await;
    let foreign = clinic
        .tokens("openid patient/*.rs offline_access", PHYSICIAN)
        .await;
    let browser = with_web_app(&clinic).await;
    for client_id in [APP, "nothing-of-this-name"] {
        let answer = press(&browser, "/account/apps", "client", client_id).await;
        assert_eq!(answer.location(), "/account/apps?done=none");
    }
    assert!(clinic.is_live(&foreign["access_token"]).await);
    assert_eq!(
        clinic.last_audit().await.action,
        AuditAction::Authorization,
        "nothing was done"
    );
}

#[tokio::test]
async fn what_a_page_says_was_done_is_its_own_words() {
    let clinic = Clinic::open().await;
    let browser = signed_in(&clinic, PATIENT).await;
    for path in ["/account/sessions", "/account/apps"] {
        let page = browser.get(&format!("{path}?done=Call+0800+1234")).await;
        assert!(!page.body.contains("0800") && !page.body.contains("role=\"status\""));
        let twice = browser.get(&format!("{path}?done=ended&done=ended")).await;
        twice.is_error_page(StatusCode::BAD_REQUEST);
    }
}
