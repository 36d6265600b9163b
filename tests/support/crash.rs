//! An issuer that is killed at random moments while many work with it, and what must be true after each restart.
//!
//! Every actor keeps a ledger of what it was told: tokens that were issued, revoked, objects made, passwords changed. After SIGKILL and a
//! restart each actor holds its ledger against the issuer. What was answered must be there; what was under way when the
//! process died may have happened or not, and must be one or the other, whole. Then the database is checked page by page and reference by
//! reference, the audit trail line by line, and every backup that has its name.
//!
//! The random numbers come from a seed that is printed, so a run can be repeated as far as the machine's scheduling allows.

mod actor;
mod administrator;
mod app;
mod checks;
mod dice;
mod keeper;
mod password;
mod registrar;
mod service;
mod site;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::Deadline;

use actor::{Actor, Trouble};
pub use dice::Dice;
pub use site::Site;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often the issuer is killed.
    pub kills: u32,
    /// How long there is load before a kill, at most.
    pub longest: Duration,
    /// Where the random numbers begin.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the issuer was killed and came back.
    pub kills: u32,
    /// Answered requests, by the kind of actor.
    pub answered: BTreeMap<&'static str, u64>,
    /// Things that were found as they had been told, by the kind of actor.
    pub confirmed: BTreeMap<&'static str, u64>,
    /// Requests that were under way at a kill, by the kind of actor.
    pub interrupted: BTreeMap<&'static str, u64>,
    /// Backups that were whole.
    pub backups: u64,
    /// Lines of the audit trail at the end.
    pub audit_lines: u64,
    /// What was not as it must be. Empty, when all is well.
    pub problems: Vec<String>,
}

/// How many problems are enough to stop.
const ENOUGH: usize = 10;

/// Runs the plan on an issuer of the program `program`, and tells `progress` after each kill.
///
/// # Panics
/// When the issuer does not come back at all; its log is shown.
pub async fn run(program: PathBuf, plan: Plan, progress: impl FnMut(&Report)) -> Report {
    run_with(program, plan, |_, _| (), progress).await
}

/// The same, where `meanwhile` gets at the issuer's folder between each kill, whose number it is told, and the start after it.
///
/// # Panics
/// As [`run`].
pub async fn run_with(
    program: PathBuf,
    plan: Plan,
    mut meanwhile: impl FnMut(u32, &Path),
    mut progress: impl FnMut(&Report),
) -> Report {
    let mut dice = Dice::new(plan.seed);
    let mut site = Site::prepare(program);
    let mut report = Report::default();
    site.serve().await;
    let mut actors = Actor::company(&site, &mut dice).await;
    for round in 0..plan.kills {
        let shortest = Duration::from_millis(150);
        let spread = plan.longest.saturating_sub(shortest);
        let load = shortest + spread.mul_f64(dice.fraction());
        actors = work(&mut site, actors, load, &mut dice, &mut report).await;
        report.kills += 1;
        meanwhile(report.kills, site.folder());
        site.serve().await;
        settle(&site, &mut actors, &mut report).await;
        for problem in checks::all(&site, &mut report) {
            report
                .problems
                .push(format!("after kill {}: {problem}", round + 1));
        }
        progress(&report);
        if report.problems.len() >= ENOUGH {
            break;
        }
    }
    report
}

/// Lets everybody work until the issuer is killed after `load`.
async fn work(
    site: &mut Site,
    actors: Vec<Actor>,
    load: Duration,
    dice: &mut Dice,
    report: &mut Report,
) -> Vec<Actor> {
    let mut tasks = JoinSet::new();
    for mut actor in actors {
        let (address, mut dice) = (site.address(), dice.branch());
        tasks.spawn(async move {
            let mut answered = 0_u64;
            let end = loop {
                match actor.act(&address, &mut dice).await {
                    Ok(()) => answered += 1,
                    Err(trouble) => break trouble,
                }
            };
            (actor, answered, end)
        });
    }
    let backups = site.start_backups(dice.roll());
    let deadline = Deadline::after(load);
    tokio::time::sleep(deadline.left()).await;
    site.kill();
    drop(backups);
    let mut back = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (actor, answered, end) = done.expect("an actor does not panic");
        *report.answered.entry(actor.kind()).or_default() += answered;
        match end {
            Trouble::Lost => *report.interrupted.entry(actor.kind()).or_default() += 1,
            Trouble::Wrong(what) => report
                .problems
                .push(format!("{} under load: {what}", actor.kind())),
        }
        back.push(actor);
    }
    // They come back in the order of their ends, which is nobody's choice.
    back.sort_by_key(Actor::number);
    back
}

/// Holds every ledger against the issuer.
async fn settle(site: &Site, actors: &mut [Actor], report: &mut Report) {
    let address = site.address();
    for actor in actors {
        match actor.settle(&address).await {
            Ok(confirmed) => *report.confirmed.entry(actor.kind()).or_default() += confirmed,
            Err(Trouble::Lost) => report
                .problems
                .push(format!("{}: no answer after the restart", actor.kind())),
            Err(Trouble::Wrong(what)) => report.problems.push(format!("{}: {what}", actor.kind())),
        }
    }
}
