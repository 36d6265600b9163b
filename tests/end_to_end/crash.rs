//! An issuer that is killed under load: the short form of `cargo xtask soak`.

use std::path::Path;
use std::time::Duration;

use wardgate_tests::crash::{self, Plan};
use wardgate_tests::worker::from_environment;

const DATABASE: [&str; 2] = ["wardgate.db", "wardgate.db-wal"];

fn plan(kills: u32) -> Plan {
    let now = u64::try_from(wardgate_tests::clock::now()).expect("after 1970");
    let seed = std::env::var("WARDGATE_SEED").map_or(now, |seed| seed.parse().expect("a seed"));
    // Shown where the test fails.
    println!("WARDGATE_SEED={seed}");
    Plan {
        kills,
        longest: Duration::from_millis(1200),
        seed,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_answered_is_lost_when_the_issuer_is_killed_under_load() {
    let report = crash::run(from_environment("WARDGATE_ISSUER"), plan(5), |_| ()).await;
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.kills, 5);
    for counts in [&report.answered, &report.confirmed] {
        assert_eq!(counts.len(), 6, "{report:?}");
        assert!(
            counts.values().all(|count| *count > 0),
            "everybody was at work: {report:?}"
        );
    }
}

/// What the test above would see of an issuer that answers before it commits.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_a_database_has_forgotten_are_found() {
    let copy = tempfile::tempdir().expect("a folder");
    let put = |from: &Path, to: &Path| {
        for file in DATABASE {
            if from.join(file).exists() {
                std::fs::copy(from.join(file), to.join(file)).expect("a copy");
            }
        }
    };
    let meanwhile = |kill: u32, folder: &Path| match kill {
        1 => put(folder, copy.path()),
        _ => put(copy.path(), folder),
    };
    let program = from_environment("WARDGATE_ISSUER");
    let report = crash::run_with(program, plan(2), meanwhile, |_| ()).await;
    let found = report.problems.join("\n");
    for kind in [
        "code and refresh: ",
        "registration: ",
        "API keys: ",
        "administration: ",
        "password change: ",
    ] {
        assert!(found.contains(kind), "{kind} in {found}");
    }
}
