use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::Value;
use wardgate_shared::secret::Secret;

use super::{Deliveries, Mail, MailError, Messages, sealed_sms, send_mail, send_sms};
use crate::config::{Config, MailConfig, MailTls, SmsConfig, SmsSender};
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::phone_number::PhoneNumber;
use crate::testing::{LogoutReceiver, MailSink, TestIssuer};

/// How long a message of these tests is good for, in seconds.
const LIFETIME: i64 = 600;
const TOKEN: &str = "token-of-the-account";

fn to_sink(sink: &MailSink) -> impl FnOnce(&mut Config) {
    let port = sink.port;
    move |config| config.mail = Some(mail_config(port))
}

fn mail_config(port: u16) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".into(),
        port,
        tls: MailTls::None,
        ca_certificate: None,
        credentials: None,
        from: "Clinic <no-reply@clinic.example>".parse().unwrap(),
        reply_to: None,
        timeout: Duration::from_secs(5),
    }
}

fn twilio(url: &str) -> SmsConfig {
    SmsConfig::Twilio {
        url: url.into(),
        account_sid: "AC1".into(),
        auth_token: Secret::new(TOKEN.into()),
        sender: SmsSender::From("+15550100".into()),
    }
}

async fn with_sms(sms: SmsConfig) -> TestIssuer {
    TestIssuer::with_config(|config| {
        config.outbound.allow_loopback_http = true;
        config.sms = Some(sms);
    })
    .await
}

fn mail(name: &str, subject: &str) -> Mail {
    Mail::new(
        "pat@example.org",
        name,
        subject.into(),
        "Der Schlüssel: https://id.example.org/x\n.a line with a dot\n".into(),
        "<p>Der Schlüssel</p>".into(),
    )
    .unwrap()
}

async fn queue_mail(issuer: &TestIssuer, mail: Mail) {
    let expires_at = issuer.now().plus(LIFETIME);
    send_mail(&issuer.state, mail, "user-1", expires_at)
        .await
        .unwrap();
}

async fn queue_sms(issuer: &TestIssuer, text: &str) {
    let to = PhoneNumber::parse("+15550177").unwrap();
    let expires_at = issuer.now().plus(LIFETIME);
    send_sms(&issuer.state, &to, text, "user-1", expires_at)
        .await
        .unwrap();
}

async fn deliver(issuer: &TestIssuer) {
    Deliveries::new(issuer.state.clone()).deliver_due().await.unwrap();
}

/// What became of messages, newest first.
async fn outcomes(issuer: &TestIssuer) -> Vec<AuditEvent> {
    let mut events = issuer.store().audit_events(100).await.unwrap();
    events.retain(|event| event.action == AuditAction::Message);
    events
}

async fn only_outcome(issuer: &TestIssuer) -> (AuditOutcome, Option<String>) {
    let outcomes = outcomes(issuer).await;
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert_eq!(outcomes[0].user_id.as_deref(), Some("user-1"));
    (
        outcomes[0].outcome,
        outcomes[0].reason.as_deref().map(String::from),
    )
}

#[tokio::test]
async fn a_mail_reaches_the_server_as_text_and_html() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    queue_mail(&issuer, mail("Pat Ünal", "Ihr Schlüssel")).await;
    assert!(sink.received().is_empty(), "whoever queues waits for nobody");
    deliver(&issuer).await;

    let received = sink.received();
    assert_eq!(received.len(), 1);
    let mail = &received[0];
    assert_eq!(
        (mail.from.as_str(), mail.to.as_str()),
        ("no-reply@clinic.example", "pat@example.org")
    );
    assert_eq!(mail.header("From"), "Clinic <no-reply@clinic.example>");
    assert!(mail.header("To").ends_with(" <pat@example.org>"), "{mail:?}");
    assert_eq!(mail.header("Subject"), "Ihr =?utf-8?b?U2NobMO8c3NlbA==?=");
    assert_eq!(mail.header("Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
    let id = mail.header("Message-ID");
    assert!(
        id.starts_with("<message-") && id.ends_with("@id.example.org>"),
        "{id}"
    );
    let kind = mail.header("Content-Type");
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    let (text, html) = (mail.data.find("text/plain"), mail.data.find("text/html"));
    assert!(text.unwrap() < html.unwrap(), "the preferred form comes last");
    assert!(sink.commands().contains(&String::from("EHLO id.example.org")));
    let outcome = outcomes(&issuer).await.remove(0);
    assert_eq!(outcome.outcome, AuditOutcome::Success);
    assert_eq!(outcome.method.as_deref(), Some("mail"));
    deliver(&issuer).await;
    assert_eq!(sink.received().len(), 1, "what was sent is off the queue");
}

#[tokio::test]
async fn nobody_writes_headers_of_a_mail_by_their_name() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    let attacks = [
        "Pat\r\nBcc: all@evil.example",
        "Pat\nBcc: all@evil.example\n\n<script>",
        "Pat <all@evil.example>, \"x",
        "\u{2028}Pat\u{0}\r\n.\r\nMAIL FROM:<x@evil.example>",
        "=?utf-8?q?=0D=0ABcc:_all@evil.example?=",
    ];
    for attack in attacks {
        queue_mail(&issuer, mail(attack, attack)).await;
    }
    deliver(&issuer).await;
    let received = sink.received();
    assert_eq!(received.len(), attacks.len());
    for mail in received {
        assert_eq!(mail.to, "pat@example.org");
        let names: Vec<String> = mail
            .headers()
            .iter()
            .map(|line| line.split(':').next().unwrap().into())
            .collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(
            sorted,
            [
                "Content-Type",
                "Date",
                "From",
                "MIME-Version",
                "Message-ID",
                "Subject",
                "To"
            ],
            "{mail:?}"
        );
    }
    let commands = sink.commands();
    assert!(!commands.iter().any(|line| line.contains("evil")), "{commands:?}");
}

#[test]
fn an_address_that_is_none_is_no_recipient() {
    for address in [
        "",
        "pat",
        "pat@",
        "@example.org",
        "pat@example.org\r\nRCPT TO:<x@evil.example>",
        "pat@example.org, x@evil.example",
        "Pat <pat@example.org>",
        "pat@exa mple.org",
    ] {
        let made = Mail::new(address, "Pat", String::new(), String::new(), String::new());
        assert_eq!(made.err(), Some(MailError::Address), "{address}");
    }
}

#[tokio::test]
async fn a_mail_waits_for_a_server_that_is_down() {
    let sink = MailSink::start().await;
    let port = sink.port;
    drop(sink);
    let issuer = TestIssuer::with_config(|config| config.mail = Some(mail_config(port))).await;
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    deliver(&issuer).await;
    assert!(outcomes(&issuer).await.is_empty(), "nothing is decided yet");
    let claimed = issuer.store().claim_messages(8, issuer.now()).await.unwrap();
    assert!(claimed.is_empty(), "it is not tried again at once");
    issuer.advance(60);
    let claimed = issuer.store().claim_messages(8, issuer.now()).await.unwrap();
    assert_eq!(claimed[0].attempts, 2);
}

#[tokio::test]
async fn what_fails_for_now_goes_out_later() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    for (command, answer) in [
        ("RCPT", "450 greylisted"),
        ("RCPT", "451 pat@example.org is unknown for now"),
        (".", "452 no room"),
        ("MAIL", "530 sign in first"),
    ] {
        sink.answer(command, answer);
        queue_mail(&issuer, mail("Pat", answer)).await;
        deliver(&issuer).await;
        assert!(outcomes(&issuer).await.is_empty(), "{answer}");
        sink.answer(command, if command == "." { "250 taken" } else { "250 yes" });
        let before = sink.received().len();
        issuer.advance(60);
        deliver(&issuer).await;
        assert_eq!(sink.received().len(), before + 1, "{answer}");
        issuer.advance(LIFETIME);
        let sent = outcomes(&issuer).await.len();
        assert_eq!(sent, 1);
        return_to_start(&issuer).await;
    }
}

/// Forgets what became of messages, as far as [`outcomes`] goes.
async fn return_to_start(issuer: &TestIssuer) {
    for _ in 0..100 {
        let audit = AuditEvent::new(issuer.now(), AuditAction::SignIn, AuditOutcome::Success);
        issuer.store().record(audit).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_that_the_server_refuses_is_given_up() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    sink.answer("RCPT", "550 no such person");
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    deliver(&issuer).await;
    assert_eq!(
        only_outcome(&issuer).await,
        (AuditOutcome::Failure, Some("refused".into()))
    );
    issuer.advance(3600);
    deliver(&issuer).await;
    assert_eq!(outcomes(&issuer).await.len(), 1);
}

#[tokio::test]
async fn what_has_expired_is_dropped_and_recorded() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    sink.answer("MAIL", "421 later");
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    deliver(&issuer).await;
    issuer.advance(LIFETIME);
    sink.answer("MAIL", "250 yes");
    deliver(&issuer).await;
    assert!(sink.received().is_empty());
    assert_eq!(
        only_outcome(&issuer).await,
        (AuditOutcome::Failure, Some("expired".into()))
    );
}

#[tokio::test]
async fn of_many_deliverers_one_sends_a_message() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    for _ in 0..3 {
        queue_mail(&issuer, mail("Pat", "Hello")).await;
    }
    let mut deliverers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let state = issuer.state.clone();
        deliverers.spawn(async move { Deliveries::new(state).deliver_due().await.unwrap() });
    }
    deliverers.join_all().await;
    let mut ids: Vec<String> = sink
        .received()
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((sink.received().len(), ids.len()), (3, 3));
}

/// The task as `serve` runs it.
#[tokio::test]
async fn a_queued_message_goes_out_at_once_and_a_stop_waits_for_it() {
    let sink = MailSink::start().await;
    sink.hold(true);
    let issuer = TestIssuer::with_config(to_sink(&sink)).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(Deliveries::new(issuer.state.clone()).run(async {
        stopped.await.unwrap();
    }));
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    sink.is_used().await;
    stop.send(()).unwrap();
    sink.hold(false);
    running.await.unwrap();
    assert_eq!(only_outcome(&issuer).await.0, AuditOutcome::Success);
}

#[tokio::test]
async fn without_starttls_neither_mail_nor_password_leaves() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(|config| {
        config.mail = Some(MailConfig {
            tls: MailTls::StartTls,
            credentials: Some(("clinic".into(), Secret::new("open sesame".into()))),
            ..mail_config(sink.port)
        });
    })
    .await;
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    deliver(&issuer).await;
    let commands = sink.commands();
    assert!(
        commands
            .iter()
            .all(|line| line.starts_with("EHLO") || line == "QUIT"),
        "{commands:?}"
    );
    assert!(sink.received().is_empty());
    assert!(outcomes(&issuer).await.is_empty(), "the server may learn it");
}

#[tokio::test]
async fn signs_in_to_the_server_where_it_is_told_to() {
    let sink = MailSink::start().await;
    let issuer = TestIssuer::with_config(|config| {
        config.mail = Some(MailConfig {
            credentials: Some(("clinic".into(), Secret::new("open sesame".into()))),
            reply_to: Some("help@clinic.example".parse().unwrap()),
            ..mail_config(sink.port)
        });
    })
    .await;
    queue_mail(&issuer, mail("Pat", "Hello")).await;
    deliver(&issuer).await;
    let expected = Base64::encode_string(b"\0clinic\0open sesame");
    assert!(sink.commands().contains(&format!("AUTH PLAIN {expected}")));
    assert_eq!(sink.received()[0].header("Reply-To"), "help@clinic.example");
}

#[tokio::test]
async fn messages_are_sealed_at_rest_each_for_its_own_row() {
    let issuer = TestIssuer::new().await;
    let sealer = issuer.state.sealer();
    let to = PhoneNumber::parse("+15550177").unwrap();
    let seal = |text| sealed_sms(sealer, &to, text, "user-1", issuer.now(), issuer.now().plus(60)).unwrap();
    let message = seal("Your code is 123456");
    for secret in [&b"123456"[..], b"15550177"] {
        assert!(
            !message
                .sealed
                .windows(secret.len())
                .any(|window| window == secret)
        );
    }
    // A row whose content was exchanged for another's says nothing.
    let mut swapped = seal("Your code is 654321");
    swapped.sealed = message.sealed;
    issuer.store().queue_message(swapped).await.unwrap();
    deliver(&issuer).await;
    assert_eq!(
        only_outcome(&issuer).await,
        (AuditOutcome::Failure, Some("unreadable".into()))
    );
}

#[tokio::test]
async fn a_short_message_is_posted_as_twilios_api_wants_it() {
    let receiver = LogoutReceiver::start().await;
    receiver.answer(201);
    let issuer = with_sms(twilio(&receiver.url)).await;
    queue_sms(&issuer, "Your code is 123456 & nothing else").await;
    deliver(&issuer).await;
    let request = receiver.received().remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, "/logout/2010-04-01/Accounts/AC1/Messages.json");
    let expected = format!(
        "Basic {}",
        Base64::encode_string(format!("AC1:{TOKEN}").as_bytes())
    );
    assert_eq!(request.headers["authorization"], *expected);
    let pair = |name: &str, value: &str| (String::from(name), String::from(value));
    assert_eq!(
        request.fields,
        [
            pair("To", "+15550177"),
            pair("From", "+15550100"),
            pair("Body", "Your code is 123456 & nothing else"),
        ]
    );
    assert_eq!(only_outcome(&issuer).await.0, AuditOutcome::Success);
}

#[tokio::test]
async fn a_messaging_service_takes_the_place_of_the_sender() {
    let receiver = LogoutReceiver::start().await;
    let mut config = twilio(&receiver.url);
    if let SmsConfig::Twilio { sender, .. } = &mut config {
        *sender = SmsSender::MessagingService("MG1".into());
    }
    let issuer = with_sms(config).await;
    queue_sms(&issuer, "Hello").await;
    deliver(&issuer).await;
    let fields = receiver.received().remove(0).fields;
    assert!(fields.contains(&("MessagingServiceSid".into(), "MG1".into())));
    assert!(!fields.iter().any(|(name, _)| name == "From"));
}

#[tokio::test]
async fn what_the_provider_will_never_take_is_given_up_and_else_tried_again() {
    let receiver = LogoutReceiver::start().await;
    let issuer = with_sms(twilio(&receiver.url)).await;
    for temporary in [401, 403, 429, 500, 503, 302] {
        receiver.answer(temporary);
        queue_sms(&issuer, "Hello").await;
        deliver(&issuer).await;
        assert!(outcomes(&issuer).await.is_empty(), "{temporary}");
        issuer.advance(LIFETIME);
        deliver(&issuer).await;
        assert_eq!(only_outcome(&issuer).await.1.as_deref(), Some("expired"));
        return_to_start(&issuer).await;
    }
    receiver.answer(400);
    queue_sms(&issuer, "Hello").await;
    deliver(&issuer).await;
    assert_eq!(only_outcome(&issuer).await.1.as_deref(), Some("refused"));
}

#[tokio::test]
async fn a_webhook_gets_a_signed_document_under_one_id() {
    let receiver = LogoutReceiver::start().await;
    let secret = Secret::new(String::from("a secret of the webhook"));
    let issuer = with_sms(SmsConfig::Webhook {
        url: receiver.url.clone(),
        secret: secret.clone(),
    })
    .await;
    receiver.answer(503);
    queue_sms(&issuer, "Your code is 123456").await;
    deliver(&issuer).await;
    receiver.answer(202);
    issuer.advance(10);
    deliver(&issuer).await;
    let requests = receiver.received();
    assert_eq!(requests.len(), 2);
    let documents: Vec<Value> = requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(documents[0], documents[1]);
    assert_eq!(documents[0]["to"], "+15550177");
    assert_eq!(documents[0]["text"], "Your code is 123456");
    assert!(documents[0]["id"].as_str().unwrap().starts_with("message-"));
    let last = &requests[1];
    assert_eq!(last.headers["content-type"], "application/json");
    // The signature as a webhook checks it: over the time in the header, a dot and the body.
    let header = last.headers["wardgate-signature"].to_str().unwrap();
    let (time, signature) = header.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    assert_eq!(time, issuer.now().seconds().to_string());
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signed = [time.as_bytes(), b".", &last.body].concat();
    let tag: Vec<u8> = signature
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert!(aws_lc_rs::hmac::verify(&key, &signed, &tag).is_ok());
    assert_ne!(requests[0].headers["wardgate-signature"], header);
}

#[tokio::test]
async fn a_provider_is_reached_only_where_outbound_lets_it() {
    let receiver = LogoutReceiver::start().await;
    let issuer = TestIssuer::with_config(|config| config.sms = Some(twilio(&receiver.url))).await;
    queue_sms(&issuer, "Hello").await;
    deliver(&issuer).await;
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn no_debug_output_tells_a_secret() {
    let issuer = with_sms(twilio("http://127.0.0.1:1")).await;
    let printed = format!("{:?}", issuer.state.messages());
    assert!(!printed.contains(TOKEN), "{printed}");
    let outbox = format!(
        "{:?}",
        Messages::new(issuer.state.config(), issuer.state.outbound())
    );
    assert!(!outbox.contains(TOKEN), "{outbox}");
}
