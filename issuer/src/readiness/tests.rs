use http::StatusCode;

use crate::metrics::listener;
use crate::testing::START;
use crate::web::testing::{Answer, Browser, Clinic};

async fn in_detail(clinic: &Clinic) -> (StatusCode, serde_json::Value) {
    let answer = Browser::new(listener::router(clinic.issuer.state.clone()))
        .get("/health/ready")
        .await;
    assert_eq!(answer.header("content-type"), Some("application/health+json"));
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

async fn ready(clinic: &Clinic) -> Answer {
    clinic.browser().get("/health/ready").await
}

/// Asserts that nothing but this check fails, in detail as outside.
async fn only_fails(clinic: &Clinic, check: &str) {
    let (status, document) = in_detail(clinic).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{document}");
    assert_eq!(document["status"], "fail");
    for (name, outcomes) in document["checks"].as_object().unwrap() {
        let wanted = if name == check { "fail" } else { "pass" };
        assert_eq!(outcomes[0]["status"], wanted, "{name} in {document}");
        assert_eq!(outcomes[0]["output"].is_string(), name == check, "{document}");
    }
    assert!(document["checks"][check].is_array(), "{document}");
    // The world is told no more than that.
    let answer = ready(clinic).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json().as_object().unwrap().len(), 1);
    let live = clinic.browser().get("/health/live").await;
    assert_eq!(live.status, StatusCode::OK);
}

#[tokio::test]
async fn who_can_answer_is_ready_and_every_check_is_told() {
    let clinic = Clinic::open().await;
    assert_eq!(ready(&clinic).await.status, StatusCode::OK);
    let (status, document) = in_detail(&clinic).await;
    assert_eq!((status, &document["status"]), (StatusCode::OK, &"pass".into()));
    let names: Vec<&String> = document["checks"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "argon2:queue",
            "database:schema",
            "database:write",
            "disk:free",
            "keys:signing",
            "process:stopping",
            "writer:queue"
        ]
    );
    assert_eq!(
        document["checks"]["database:write"][0]["time"],
        "2027-01-15T08:00:00Z"
    );
    assert!(
        document["checks"]["disk:free"][0]["observedValue"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_not_ready() {
    let clinic = Clinic::open().await;
    clinic.issuer.store().refuse_writes().await;
    only_fails(&clinic, "database:write").await;
}

#[tokio::test]
async fn a_database_that_another_holds_is_not_ready_until_it_is_let_go() {
    let clinic = Clinic::open().await;
    let other = clinic.issuer.store().held_by_another();
    // The two seconds that a write may take are not waited for.
    tokio::time::pause();
    only_fails(&clinic, "database:write").await;
    tokio::time::resume();
    drop(other);
    // As long as the second lasts, the outcome is the one of before.
    assert_eq!(ready(&clinic).await.status, StatusCode::SERVICE_UNAVAILABLE);
    clinic.issuer.advance(1);
    assert_eq!(ready(&clinic).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stopped_writer_is_not_ready() {
    let clinic = Clinic::open().await;
    clinic.issuer.store().close().await;
    only_fails(&clinic, "database:write").await;
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_not_ready() {
    let clinic = Clinic::with_config(|config| config.health.minimum_free_bytes = u64::MAX).await;
    only_fails(&clinic, "disk:free").await;
}

#[tokio::test]
async fn who_was_told_to_stop_is_not_ready_at_once() {
    let clinic = Clinic::open().await;
    assert_eq!(ready(&clinic).await.status, StatusCode::OK);
    clinic.issuer.state.begin_stopping();
    only_fails(&clinic, "process:stopping").await;
}

#[tokio::test]
async fn keys_that_may_not_sign_yet_are_not_ready() {
    let clinic = Clinic::open().await;
    clinic.issuer.advance(-1);
    assert!(clinic.issuer.now() < START);
    only_fails(&clinic, "keys:signing").await;
}

#[tokio::test]
async fn a_schema_of_another_version_is_not_ready() {
    let clinic = Clinic::open().await;
    clinic.issuer.store().set_schema_version(9999).await;
    only_fails(&clinic, "database:schema").await;
}

#[tokio::test]
async fn passwords_that_wait_in_crowds_are_not_ready() {
    let clinic = Clinic::with_config(|config| config.passwords.concurrency = 1).await;
    let waiting = &clinic.issuer.state.passwords().instruments().waiting;
    waiting.set(63);
    assert_eq!(ready(&clinic).await.status, StatusCode::OK);
    clinic.issuer.advance(1);
    waiting.set(64);
    only_fails(&clinic, "argon2:queue").await;
}

#[tokio::test]
async fn many_probes_cost_one_write() {
    let clinic = Clinic::open().await;
    let before = clinic.issuer.store().commits();
    let probes: Vec<_> = (0..50)
        .map(|_| {
            let browser = clinic.browser();
            tokio::spawn(async move { browser.get("/health/ready").await.status })
        })
        .collect();
    for probe in probes {
        assert_eq!(probe.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(clinic.issuer.store().commits(), before + 1);
    clinic.issuer.advance(1);
    ready(&clinic).await;
    assert_eq!(clinic.issuer.store().commits(), before + 2);
}

#[tokio::test]
async fn the_write_of_the_check_reaches_the_disk() {
    let clinic = Clinic::open().await;
    let mut log = clinic
        .issuer
        .state
        .config()
        .database
        .path
        .clone()
        .into_os_string();
    log.push("-wal");
    let size = || std::fs::metadata(&log).unwrap().len();
    let before = size();
    ready(&clinic).await;
    assert!(size() > before, "{} is not more than {before}", size());
}
