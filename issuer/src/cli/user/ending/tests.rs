use clap::Parser;

use super::ResetFactors;
use crate::cli::Failure;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::factor::{Factor, FactorKind};
use crate::store::{Insertion, Store};
use crate::testing::{self, START, config, user};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    reset: ResetFactors,
}

fn reset(arguments: &[&str]) -> ResetFactors {
    Line::try_parse_from([&[""], arguments].concat()).unwrap().reset
}

#[tokio::test]
async fn the_operator_resets_somebodys_second_factors_and_the_trail_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    let person = user("ada@example.org");
    let audit = AuditEvent::new(START, AuditAction::UserCreation, AuditOutcome::Success);
    let inserted = store.insert_user(person.clone(), audit).await;
    assert_eq!(inserted, Ok(Insertion::Inserted));
    for id in ["factor-1", "factor-2"] {
        let factor = Factor {
            id: id.into(),
            user_id: person.id.clone(),
            kind: FactorKind::Totp,
            name: "Telephone".into(),
            sealed: Some(vec![7; 40]),
            detail: None,
            created_at: START,
            confirmed_at: Some(START),
            last_used_at: None,
            last_step: None,
        };
        let _ = store.insert_factor(factor, None).await.unwrap();
    }
    store.close().await;

    let command = reset(&["--email", "Ada@Example.org"]);
    command.run(&config, START.plus(1)).await.unwrap();
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    assert_eq!(store.factors(&person.id).await.unwrap(), []);
    let line = store.audit_events(1).await.unwrap().remove(0);
    assert_eq!(
        (line.action, line.method.as_deref(), line.user_id),
        (AuditAction::FactorReset, Some("cli"), Some(person.id))
    );
    store.close().await;
    let unknown = reset(&["--email", "nobody@example.org"])
        .run(&config, START)
        .await;
    assert!(matches!(unknown, Err(Failure::NotFound(_))), "{unknown:?}");
}
