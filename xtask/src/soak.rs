//! `cargo xtask soak`: the issuer, as it is released, killed over and over while many work with it.
//!
//! The work is done by a program of the test suite (`tests/soak`); this builds both, shows how far it is, and repeats its table.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    process::Command,
    time::Duration,
};

use clap::Args;

use crate::{
    command,
    fault::{Fault, Outcome},
    session::Session,
};

/// What `cargo xtask soak --help` says.
pub(crate) const ABOUT: &str = "\
Run the issuer, built as it is released, while many kinds of clients work with it, and kill it with SIGKILL at random moments. After \
each restart everything that was answered must still be so, whatever was under way must have happened whole or not at all, \
the database and every backup must be sound, and the audit trail as it was recorded.

The seed of the random numbers is printed. Given again with --seed, clients do the same things and the kills come at the same times; the \
machine's scheduling is its own. Needs ports and a temporary folder; about four minutes for a hundred kills of two seconds.";

/// The arguments of `soak`.
#[derive(Args, Debug)]
pub(crate) struct SoakArguments {
    /// How often the issuer is killed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    kills: u32,
    /// How long there is load before each kill, at most
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Where the random numbers begin; a new place each time, without
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Beyond the load: a start, and everything that is looked at.
const SECONDS_A_KILL: u64 = 60;

/// Kills the issuer as often as asked; false when something was lost or damaged.
pub(crate) fn run(session: &Session<'_>, arguments: &SoakArguments) -> Outcome<bool> {
    session.screen.step("building the issuer as it is released");
    let mut build = session.workspace.cargo();
    build.args(["build", "--release", "--bin", "wardgate", "--bin", "soak"]);
    build.args(["--package", "wardgate-issuer", "--package", "wardgate-tests"]);
    command::run(session, "soak-build", &mut build, None)?.or_fault("the issuer does not compile")?;
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    session.screen.step(&format!("seed {seed}"));
    let mut soak = Command::new(session.workspace.released_program("soak"));
    soak.arg(session.workspace.released_program("wardgate"))
        .args([
            arguments.kills.to_string(),
            arguments.seconds.to_string(),
            seed.to_string(),
        ])
        .env("NO_PROXY", "*");
    let each = u64::from(arguments.seconds).saturating_add(SECONDS_A_KILL);
    let limit = Duration::from_secs(u64::from(arguments.kills).saturating_mul(each));
    let finished = command::run(session, "soak", &mut soak, Some(limit))?;
    if finished.timed_out {
        return Err(Fault::new(format!(
            "the time for {} kills was over; see {}",
            arguments.kills,
            finished.log.display()
        )));
    }
    let output = finished.output();
    let kills = |line: &&str| !line.starts_with("kill ");
    let end: Vec<&str> = output.lines().filter(kills).collect();
    session.screen.say(&end.join("\n"));
    Ok(finished.success)
}

/// A number that differs from run to run, short enough to be typed.
fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 40
}
