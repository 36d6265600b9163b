use axum::body::Body;
use http::{Method, StatusCode};

use crate::config::PublicUrl;
use crate::domain::phone_number::PhoneNumber;
use crate::messages::{Deliveries, Mail, send_mail, send_sms};
use crate::web::testing::{Browser, Clinic};

async fn clinic() -> Clinic {
    Clinic::with_config(|config| {
        config.server.public_url = PublicUrl::parse("http://localhost:8788").unwrap();
        config.development.outbox = true;
    })
    .await
}

async fn send(clinic: &Clinic, code: &str) {
    let (state, to) = (&clinic.issuer.state, PhoneNumber::parse("+15550177").unwrap());
    let expires_at = clinic.issuer.now().plus(600);
    send_sms(state, &to, code, "user-1", expires_at).await.unwrap();
    let mut deliveries = Deliveries::new(state.clone());
    deliveries.deliver_due().await.unwrap();
}

#[tokio::test]
async fn there_is_no_outbox_outside_development() {
    let clinic = Clinic::open().await;
    let answer = clinic.browser().get("/dev/outbox").await;
    answer.is_error_page(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn shows_what_would_have_been_sent_with_links_to_follow() {
    let clinic = clinic().await;
    let browser = clinic.browser();
    assert!(browser.get("/dev/outbox").await.body.contains("Nothing yet"));
    let mail = Mail::new(
        "pat@example.org",
        "Pat",
        "Your <invitation>".into(),
        "Open http://localhost:8788/password/reset?token=x now. <script>".into(),
        "<p>Open it</p>".into(),
    )
    .unwrap();
    let expires_at = clinic.issuer.now().plus(600);
    send_mail(&clinic.issuer.state, mail, "user-1", expires_at)
        .await
        .unwrap();
    send(&clinic, "Your code is 123456").await;
    let page = browser.get("/dev/outbox").await;
    assert_eq!(page.status, StatusCode::OK);
    let link = "<a href=\"http://localhost:8788/password/reset?token=x\">";
    for shown in [
        link,
        "Your &#60;invitation&#62;",
        "Your code is 123456",
        "+15550177",
    ] {
        assert!(page.body.contains(shown), "{shown}: {page:?}");
    }
    assert!(!page.body.contains("<script>"));
}

#[tokio::test]
async fn tells_programs_in_json_newest_first_and_keeps_no_more_than_it_may() {
    let clinic = clinic().await;
    for number in 0..201 {
        send(&clinic, &format!("code {number}")).await;
    }
    let answer = clinic.browser().get("/dev/outbox?format=json").await;
    let told = answer.json();
    let messages = told["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 200);
    assert_eq!(
        (&messages[0]["text"], &messages[0]["channel"]),
        (&"code 200".into(), &"sms".into())
    );
    assert_eq!(messages[199]["text"], "code 1");
    let request = Browser::request(Method::GET, "/dev/outbox").header("accept", "application/json");
    let accepted = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(accepted.json(), told);
}
