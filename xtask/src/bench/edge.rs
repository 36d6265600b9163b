//! `cargo xtask bench edge`: how fast the Worker is under plain `workerd serve`, beside JavaScript Workers that do less.
//!
//! All candidates run at once, each in a process of its own, before the same upstream, which is a few threads of this program that answer at
//! once. Load goes to one after the other in short rounds, so that what else happens on the machine is spread over all;
//! medians over the rounds are printed, and ratios are medians of the ratios within a round. Nothing is judged: the
//! targets are printed beside what was measured.

mod candidate;
mod coordinator;
mod report;
mod upstream;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use clap::Args;

use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{
        cache::Cache,
        node,
        npm::{self, NpmTools},
    },
    wasm,
};

use self::{
    candidate::{Candidate, Running},
    report::{Report, Sample},
    upstream::Upstream,
};
use super::{
    load::{self, Measured},
    wrk,
};

/// Tokens that are new when their turn comes: far more than any cache here keeps.
const NEW_TOKENS: u32 = 20_000;
/// As many as a check needs, which is none.
const NEW_TOKENS_OF_A_CHECK: u32 = 1;
/// How often a candidate is started to see how soon it answers.
const STARTS: usize = 5;

/// The command's arguments.
#[derive(Args, Debug)]
pub(crate) struct EdgeArguments {
    /// How often each candidate has its turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long a turn is
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// One round of one second
    #[arg(long)]
    quick: bool,
    /// Measure nothing: see that every candidate starts, lets a token through, and refuses what it should
    #[arg(long)]
    check: bool,
}

/// Which tokens come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Tokens {
    /// One, over and over.
    Hot,
    /// A hundred of as many subjects, in turn.
    Hundred,
    /// Each one new.
    New,
}

impl Tokens {
    const ALL: [Self; 3] = [Self::Hot, Self::Hundred, Self::New];

    /// The name for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hot => "one hot token",
            Self::Hundred => "100 hot tokens",
            Self::New => "a new token each time",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Hundred => "hundred",
            Self::New => "new",
        }
    }
}

/// What all measurements need.
struct Bench<'run> {
    session: &'run Session<'run>,
    workerd: PathBuf,
    /// The built Worker.
    built: PathBuf,
    /// Everything that is made for this run.
    folder: PathBuf,
    upstream: Upstream,
}

/// Runs the benchmark; the result is the table that is printed.
pub(super) fn run(session: &Session<'_>, arguments: &EdgeArguments) -> Outcome<bool> {
    let (rounds, seconds, starts) = if arguments.quick {
        (1, 1, 1)
    } else {
        (arguments.rounds, arguments.seconds, STARTS)
    };
    if arguments.check {
        return check(session);
    }
    let wrk = wrk()?;
    let bench = prepare(session, NEW_TOKENS)?;
    let mut report = Report::new(rounds, seconds, wasm::sizes(session)?);
    let mut running = start(&bench, starts, &mut report)?;
    for (candidate, server) in &mut running {
        see_that_it_decides(&bench, *candidate, server)?;
        // Coordinators are made here, where they are needed: their storage on disk takes its time once.
        for tokens in [Tokens::Hot, Tokens::Hundred] {
            turn(&bench, &wrk, *candidate, server, tokens, 0, 1)?;
        }
    }
    let mut next_new: BTreeMap<Candidate, u32> = BTreeMap::new();
    for round in 1..=rounds {
        for tokens in Tokens::ALL {
            for (candidate, server) in &mut running {
                if !candidate.is_measured_with(tokens) {
                    continue;
                }
                let what = format!(
                    "round {round} of {rounds}: {}, {}",
                    tokens.name(),
                    candidate.name()
                );
                session.screen.step(&what);
                let begin = next_new.entry(*candidate).or_default();
                let sample = turn(&bench, &wrk, *candidate, server, tokens, *begin, seconds)?;
                if tokens == Tokens::New {
                    *begin = begin.saturating_add(sample.asked()) % NEW_TOKENS;
                }
                report.add(*candidate, tokens, sample);
            }
        }
    }
    drop(running);
    session.screen.step("counting how often the coordinator is asked");
    report.coordinator = Some(coordinator::asked_for_a_thousand(&bench)?);
    session.screen.say(&report.text());
    Ok(true)
}

/// A candidate that no longer starts, or decides otherwise than it is said to, would be worth no measurement.
pub(crate) fn check(session: &Session<'_>) -> Outcome<bool> {
    let bench = prepare(session, NEW_TOKENS_OF_A_CHECK)?;
    for candidate in Candidate::ALL {
        session.screen.step(candidate.name());
        see_that_it_decides(&bench, candidate, &candidate.start(&bench)?)?;
    }
    Ok(true)
}

/// Tokens, programs, the upstream: all but the candidates. `new` is how many new tokens there are to be.
fn prepare<'run>(session: &'run Session<'run>, new: u32) -> Outcome<Bench<'run>> {
    let worker = wasm::build(session, false)?;
    let cache = Cache::of_user()?;
    let tools = NpmTools::provide(session, &cache)?;
    let modules = npm::install(session, &cache, "tests/bench", "jose and hono")?;
    let folder = session.workspace.root.join("target/xtask/bench-edge");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).or_fault(|| format!("create {}", folder.display()))?;
    let upstream = Upstream::listen()?;
    session.screen.step("signing the tokens");
    let mut sign = Command::new(node::provide(&tools)?);
    sign.arg(session.workspace.root.join("tests/bench/edge/tokens.mjs"))
        .args([&upstream.url(), candidate::AUDIENCE, &new.to_string()])
        .arg(&folder);
    command::run(session, "bench-tokens", &mut sign, None)?.or_fault("the tokens could not be made")?;
    upstream.publish(read(&folder.join("jwks.json"))?, read(&folder.join("status"))?);
    candidate::bundle_scripts(session, &tools.esbuild()?, &modules, &folder)?;
    Ok(Bench {
        session,
        workerd: tools.workerd()?,
        built: worker.folder,
        folder,
        upstream,
    })
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    fs::read(file).or_fault(|| format!("read {}", file.display()))
}

/// All candidates, started one after the other, some of them several times to see how soon they answer.
fn start(bench: &Bench<'_>, starts: usize, report: &mut Report) -> Outcome<Vec<(Candidate, Running)>> {
    let mut running = Vec::new();
    for candidate in Candidate::ALL {
        bench
            .session
            .screen
            .step(&format!("starting {}", candidate.name()));
        let mut times: Vec<Duration> = Vec::new();
        let mut last = None;
        for _ in 0..if candidate.is_started_often() { starts } else { 1 } {
            drop(last.take());
            let server = candidate.start(bench)?;
            times.push(server.first_answer);
            last = Some(server);
        }
        times.sort_unstable();
        if let (true, Some(middle)) = (candidate.is_started_often(), times.get(times.len() / 2)) {
            report.first_answers.push((candidate, *middle));
        }
        running.extend(last.map(|server| (candidate, server)));
    }
    Ok(running)
}

/// A candidate that lets a request without a token through, or refuses one with a token, is not the one that is meant.
fn see_that_it_decides(bench: &Bench<'_>, candidate: Candidate, server: &Running) -> Outcome<()> {
    let expected = if candidate.checks() { 401 } else { 200 };
    let without = upstream::status_of(server.port, candidate.path(), None)?;
    let token = fs::read_to_string(token_file(bench, candidate, Tokens::Hot))
        .or_fault(|| "read a token".to_owned())?;
    let with = upstream::status_of(server.port, candidate.path(), Some(token.trim()))?;
    if (without, with) != (expected, 200) {
        return Err(Fault::new(format!(
            "{} answers {without} without a token and {with} with one, not {expected} and 200",
            candidate.name()
        )));
    }
    Ok(())
}

fn token_file(bench: &Bench<'_>, candidate: Candidate, tokens: Tokens) -> PathBuf {
    let name = if candidate.has_tokens_without_status() {
        "plain"
    } else {
        tokens.file()
    };
    bench.folder.join(name)
}

/// One turn of one candidate.
fn turn(
    bench: &Bench<'_>,
    wrk: &Path,
    candidate: Candidate,
    server: &mut Running,
    tokens: Tokens,
    begin: u32,
    seconds: u32,
) -> Outcome<Sample> {
    let url = format!("http://127.0.0.1:{}{}", server.port, candidate.path());
    let script = bench.session.workspace.root.join("tests/bench/bearer.lua");
    let mut wrk = load::wrk(wrk, seconds, &script, &url);
    wrk.arg(token_file(bench, candidate, tokens))
        .arg(begin.to_string());
    let before = server.processor_time();
    let measured: Measured = load::finish(bench.session, &mut wrk, seconds)?;
    server.see_that_it_lives()?;
    let worked = server.processor_time().zip(before);
    Ok(Sample {
        measured,
        processor_time: worked.map(|(after, before)| after.saturating_sub(before)),
    })
}
