//! `cargo xtask bench`: how fast the edge is (`edge`), and the issuer.
//!
//! `cargo xtask bench issuer`: how fast the issuer gives tokens, beside npm `oidc-provider` on the same machine in the same
//! run, and beside what one core can sign.
//!
//! Everything is on loopback and on as many cores as the machine has, load generator and server together; the output says
//! how many. The issuer runs as it is released, with a database file, commits that reach the disk before an answer, and the
//! audit trail. The peer keeps everything in memory and promises nothing.

pub(crate) mod edge;
mod load;
mod peer;
mod report;
mod served;
mod subject;

use std::{fs, path::PathBuf, process::Command};

use clap::{Args, Subcommand};

use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, node, npm::NpmTools, test_clients},
    workspace::which,
};

use self::{
    load::{Load, Scenario},
    report::{Report, Row},
    served::Served,
};

const ISSUER_ABOUT: &str = "\
Measure how fast the issuer, built as it is released and with durable commits, gives tokens: client_credentials and \
refresh_token, RS256 and ES256, on loopback, beside npm oidc-provider with everything in memory, and beside the rate at \
which one core signs. Needs wrk. Results depend on the machine and on what else runs on it; nothing is judged.";

const EDGE_ABOUT: &str = "\
Measure how fast the Worker, built as it is deployed, lets requests through under plain `workerd serve`, beside Workers in \
JavaScript that pass on, edit headers, or verify with npm jose and hono, and beside itself with a stage off. Needs wrk; takes \
about five minutes. Targets are printed with what was measured; the exit code does not depend on them.";

/// Connections that ask at once.
const CONNECTIONS: u32 = 16;
/// Refresh tokens: more than connections, so that each request finds one.
const FAMILIES: u32 = 24;
/// How long the raw signing rate is measured, in seconds.
const RAW_SECONDS: u32 = 2;
/// How often the issuer is started to see how soon it answers.
const STARTS: usize = 5;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// The issuer's token endpoint, beside npm oidc-provider
    #[command(long_about = ISSUER_ABOUT)]
    Issuer(IssuerArguments),
    /// The Worker under `workerd serve`, beside JavaScript Workers that do less
    #[command(long_about = EDGE_ABOUT)]
    Edge(edge::EdgeArguments),
}

/// The arguments of `bench issuer`.
#[derive(Args, Debug)]
pub(crate) struct IssuerArguments {
    /// How long each scenario runs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Measure the issuer only
    #[arg(long)]
    without_peer: bool,
}

/// An algorithm that access tokens are signed with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// What all measurements need.
struct Bench<'run> {
    session: &'run Session<'run>,
    wrk: PathBuf,
    /// The Lua scripts and the peer's program.
    scripts: PathBuf,
    /// Databases and configurations of this run.
    folder: PathBuf,
    seconds: u32,
}

/// Runs a benchmark; the result is the table that is printed.
pub(crate) fn run(session: &Session<'_>, subject: &Subject) -> Outcome<bool> {
    match subject {
        Subject::Issuer(arguments) => issuer(session, arguments),
        Subject::Edge(arguments) => edge::run(session, arguments),
    }
}

/// The path of wrk.
fn wrk() -> Outcome<PathBuf> {
    which("wrk").ok_or_else(|| {
        Fault::new("wrk, the load generator, is not on PATH: install it (Debian: `apt-get install wrk`; macOS: `brew install wrk`)")
    })
}

fn issuer(session: &Session<'_>, arguments: &IssuerArguments) -> Outcome<bool> {
    let wrk = wrk()?;
    build(session)?;
    let node = if arguments.without_peer {
        None
    } else {
        let cache = Cache::of_user()?;
        let node = node::provide(&NpmTools::provide(session, &cache)?)?;
        Some((node, test_clients::provide(session, &cache)?))
    };
    let folder = session.workspace.root.join("target/xtask/bench");
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).or_fault(|| format!("create {}", folder.display()))?;
    let bench = Bench {
        session,
        wrk,
        scripts: session.workspace.root.join("tests/bench"),
        folder,
        seconds: arguments.seconds,
    };
    let mut report = Report::default();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        measure(&bench, algorithm, node.as_ref(), &mut report)?;
    }
    report.first_answer = Some(subject::first_answer(&bench, STARTS)?);
    session.screen.say(&report.text(arguments.seconds, CONNECTIONS));
    Ok(true)
}

/// Both programs, one after the other, with one algorithm.
fn measure(
    bench: &Bench<'_>,
    algorithm: Algorithm,
    peer: Option<&(PathBuf, PathBuf)>,
    report: &mut Report,
) -> Outcome<()> {
    let raw = signing_rate(bench, algorithm)?;
    let ours = subject::start(bench, algorithm)?;
    let mut rows = scenarios(bench, algorithm, raw, "wardgate", ours)?;
    if let Some((node, modules)) = peer {
        let theirs = peer::start(bench, algorithm, node, modules)?;
        rows.extend(scenarios(bench, algorithm, raw, "oidc-provider", theirs)?);
    }
    report.rows.extend(rows);
    Ok(())
}

/// All scenarios against one server, which is ended after them.
fn scenarios(
    bench: &Bench<'_>,
    algorithm: Algorithm,
    raw: f64,
    who: &'static str,
    (mut server, load): (Served, Load),
) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in [Scenario::ClientCredentials, Scenario::Refresh] {
        bench.session.screen.step(&format!(
            "{who}: {} {}, {} s",
            scenario.name(),
            algorithm.name(),
            bench.seconds
        ));
        let before = server.processor_time();
        let measured = load.run(bench, scenario, server.port)?;
        server.see_that_it_lives()?;
        let worked = server.processor_time().zip(before);
        rows.push(Row {
            who,
            scenario,
            algorithm,
            measured,
            processor_time: worked.map(|(after, before)| after.saturating_sub(before)),
            raw,
            peak_kib: None,
        });
    }
    let peak = server.peak_kib();
    for row in &mut rows {
        row.peak_kib = peak;
    }
    Ok(rows)
}

fn build(session: &Session<'_>) -> Outcome<()> {
    session.screen.step("building the issuer as it is released");
    let mut build = session.workspace.cargo();
    build.args([
        "build",
        "--release",
        "--bin",
        "wardgate",
        "--bin",
        "bench-support",
    ]);
    build.args(["--package", "wardgate-issuer", "--package", "wardgate-tests"]);
    command::run(session, "bench-build", &mut build, None)?
        .or_fault("the issuer does not compile")
        .map(drop)
}

/// Signatures a second on one core, by the library that the issuer signs with.
fn signing_rate(bench: &Bench<'_>, algorithm: Algorithm) -> Outcome<f64> {
    let name = algorithm.name();
    bench.session.screen.step(&format!("signing alone, {name}"));
    let text = bench.support(&["signing-rate", name, &RAW_SECONDS.to_string()])?;
    text.trim()
        .parse()
        .or_fault(|| format!("read the signing rate from {text:?}"))
}

impl Bench<'_> {
    /// What the helper of the test suite prints.
    fn support(&self, arguments: &[&str]) -> Outcome<String> {
        let mut support = Command::new(self.session.workspace.released_program("bench-support"));
        support.args(arguments).env("NO_PROXY", "*");
        let output = command::run(self.session, "bench-support", &mut support, None)?
            .or_fault("bench-support failed")?;
        Ok(output.output())
    }
}
