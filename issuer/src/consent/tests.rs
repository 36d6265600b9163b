use http::StatusCode;

use crate::web::testing::{APP_REDIRECT, Browser, Clinic, PASSWORD, PATIENT, PHYSICIAN, app_request, form};

/// Signs in and asks for something; gives the address of the consent page.
async fn consent_page(browser: &Browser, email: &str) -> String {
    let answer = browser
        .get(&format!("/oauth2/authorize?{}", form(&app_request("openid"))))
        .await;
    let answer = browser.sign_in(answer.location(), email, PASSWORD).await;
    let answer = browser.get(answer.location()).await;
    assert!(answer.location().starts_with("/consent?request="), "{answer:?}");
    answer.location().into()
}

#[tokio::test]
async fn an_answer_counts_once() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    let (token, request) = (page.field("form_token"), page.field("request"));
    let fields = [
        ("form_token", token.as_str()),
        ("request", request.as_str()),
        ("decision", "allow"),
    ];
    let answer = browser.post("/consent", &fields).await;
    assert!(answer.sent("code").is_some());
    for decision in ["allow", "deny"] {
        let fields = [
            ("form_token", token.as_str()),
            ("request", request.as_str()),
            ("decision", decision),
        ];
        browser
            .post("/consent", &fields)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn of_many_answers_at_once_one_counts() {
    let clinic = Clinic::open().await;
    let browser = std::sync::Arc::new(clinic.browser());
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    let (token, request) = (page.field("form_token"), page.field("request"));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (browser, token, request) = (browser.clone(), token.clone(), request.clone());
            tokio::spawn(async move {
                let fields = [
                    ("form_token", token.as_str()),
                    ("request", request.as_str()),
                    ("decision", "allow"),
                ];
                browser.post("/consent", &fields).await
            })
        })
        .collect();
    let mut codes = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            StatusCode::SEE_OTHER => codes += 1,
            _ => answer.is_error_page(StatusCode::BAD_REQUEST),
        }
    }
    assert_eq!(codes, 1);
}

#[tokio::test]
async fn a_form_of_another_session_request_or_site_is_refused() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    let (token, request) = (page.field("form_token"), page.field("request"));
    let other = clinic.browser();
    let other_path = consent_page(&other, PHYSICIAN).await;
    let other_page = other.get(&other_path).await;
    let (other_token, other_request) = (other_page.field("form_token"), other_page.field("request"));
    let bad = StatusCode::BAD_REQUEST;
    for (token, request) in [
        ("", request.as_str()),
        ("x", &request),
        (&other_token, &request),
        (&token, &other_request),
        (&other_token, &other_request),
        (&token, ""),
    ] {
        let fields = [("form_token", token), ("request", request), ("decision", "allow")];
        browser.post("/consent", &fields).await.is_error_page(bad);
    }
    let fields = [
        ("form_token", token.as_str()),
        ("request", request.as_str()),
        ("decision", "allow"),
    ];
    clinic
        .browser()
        .post("/consent", &fields)
        .await
        .is_error_page(bad);
    for headers in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://app.example"),
    ] {
        browser
            .post_with("/consent", &fields, &[headers])
            .await
            .is_error_page(StatusCode::FORBIDDEN);
    }
    assert!(
        browser.post("/consent", &fields).await.sent("code").is_some(),
        "none of this used the request up"
    );
}

#[tokio::test]
async fn the_answer_is_that_of_whoever_was_asked() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    let (token, request) = (page.field("form_token"), page.field("request"));
    // In another tab somebody else signs in.
    browser.sign_in("/login", PHYSICIAN, PASSWORD).await;
    let fields = [
        ("form_token", token.as_str()),
        ("request", request.as_str()),
        ("decision", "allow"),
    ];
    browser
        .post("/consent", &fields)
        .await
        .is_error_page(StatusCode::BAD_REQUEST);
    assert!(browser.get(&path).await.body.contains("Ada Physician"));
}

#[tokio::test]
async fn a_decision_that_is_none_changes_nothing() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    let (token, request) = (page.field("form_token"), page.field("request"));
    for decision in ["", "ALLOW", "yes"] {
        let fields = [
            ("form_token", token.as_str()),
            ("request", request.as_str()),
            ("decision", decision),
        ];
        browser
            .post("/consent", &fields)
            .await
            .is_error_page(StatusCode::BAD_REQUEST);
    }
    assert!(
        browser
            .decide(&path, "allow")
            .await
            .location()
            .starts_with(APP_REDIRECT)
    );
}

#[tokio::test]
async fn nobody_signed_in_goes_to_the_sign_in_page() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let answer = clinic.browser().get(&path).await;
    assert_eq!(answer.location(), path.replace("/consent", "/login"));
}

#[tokio::test]
async fn the_page_may_lead_to_the_app_and_nowhere_else() {
    let clinic = Clinic::open().await;
    let browser = clinic.browser();
    let path = consent_page(&browser, PATIENT).await;
    let page = browser.get(&path).await;
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'none'; style-src 'self'; form-action 'self' https://app.example; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    );
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(page.body.contains(APP_REDIRECT));
}
