//! What `cargo xtask soak` runs: an issuer that is killed over and over under load (`support/crash.rs`).
//!
//! ```text
//! soak PROGRAM KILLS SECONDS SEED
//! ```
//!
//! A line after each kill; a table and the problems at the end; exit code 1 when there are any.

use std::process::ExitCode;
use std::time::Duration;

use wardgate_tests::crash::{self, Plan, Report};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, kills, seconds, seed] = arguments.as_slice() else {
        panic!("arguments as the head of this file says");
    };
    let plan = Plan {
        kills: kills.parse().expect("a number of kills"),
        longest: Duration::from_secs_f64(seconds.parse().expect("seconds")),
        seed: seed.parse().expect("a seed"),
    };
    println!("seed {seed}: {kills} kills, each after at most {seconds} s of load");
    let report = crash::run(program.into(), plan, |report| {
        let sum = |counts: &std::collections::BTreeMap<_, u64>| counts.values().sum::<u64>();
        println!(
            "kill {} of {kills}: {} requests answered, {} things as they were told, {} problems",
            report.kills,
            sum(&report.answered),
            sum(&report.confirmed),
            report.problems.len(),
        );
    });
    let report = report.await;
    println!("{}", table(&report));
    for problem in &report.problems {
        println!("PROBLEM {problem}");
    }
    if report.problems.is_empty() {
        println!("nothing that was answered was lost, and nothing is damaged");
        ExitCode::SUCCESS
    } else {
        println!("{} problems; again with --seed {seed}", report.problems.len());
        ExitCode::FAILURE
    }
}

fn table(report: &Report) -> String {
    let mut lines = vec![format!(
        "{:<20} {:>10} {:>14} {:>18}",
        "", "answered", "under way", "as told afterwards"
    )];
    for (kind, answered) in &report.answered {
        let of = |counts: &std::collections::BTreeMap<&str, u64>| counts.get(kind).copied().unwrap_or(0);
        lines.push(format!(
            "{kind:<20} {answered:>10} {:>14} {:>18}",
            of(&report.interrupted),
            of(&report.confirmed)
        ));
    }
    lines.push(format!(
        "{} kills; {} backups that were whole; {} lines of the audit trail, all as they were recorded",
        report.kills, report.backups, report.audit_lines
    ));
    lines.join("\n")
}
