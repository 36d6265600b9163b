use clap::Parser;

use super::AuditCommand;
use crate::cli::Failure;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::store::{Store, alter_audit_event};
use crate::testing::{self, START, config};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: AuditCommand,
}

fn command(arguments: &[&str]) -> AuditCommand {
    Line::try_parse_from([&[""], arguments].concat()).unwrap().command
}

#[tokio::test]
async fn a_trail_that_was_altered_ends_the_check_with_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let store = Store::open(&config.database, &testing::sealer(), START).unwrap();
    for second in 0..3 {
        let event = AuditEvent::new(START.plus(second), AuditAction::SignIn, AuditOutcome::Success);
        store.record(event).await.unwrap();
    }
    let head = store.audit_head().await.unwrap().unwrap();
    store.close().await;
    let verify = command(&["verify", "--expect", &head.to_string()]);
    verify.run(&config, START).await.unwrap();

    alter_audit_event(&config.database, 2);
    let failure = verify.run(&config, START).await.unwrap_err();
    assert!(matches!(failure, Failure::Damaged(_)), "{failure}");
    assert_eq!(failure.exit_code(), 7);
    assert!(
        failure.to_string().contains("line 2 is not what was recorded"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_head_or_an_instant_that_is_none_is_a_fault_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let failure = command(&["verify", "--expect", "7"]).run(&config, START).await;
    assert!(matches!(failure, Err(Failure::Usage(_))), "{failure:?}");
    assert!(Line::try_parse_from(["", "export", "--from", "yesterday"]).is_err());
    assert!(Line::try_parse_from(["", "export", "--format", "xml"]).is_err());
}
