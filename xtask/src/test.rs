//! `cargo xtask test`: every check there is, in one order, and one line at the end that tells the result.
//!
//! A step that fails does not keep the others from running, except those that need what it makes. A step that finds
//! nothing to run on (no nightly toolchain, no network for advisories) says so; it is neither passed nor failed.

mod builds;
mod dependencies;
mod fuzz;
mod lints;
pub(crate) mod suites;
mod tally;

use clap::ValueEnum;

use crate::{
    clock::{Stopwatch, readable},
    command::{Finished, last_lines},
    fault::Outcome,
    session::Session,
};

use self::tally::{Tally, Verdict};

/// Lines of a failed step's output that are shown.
const SHOWN_LINES: usize = 60;

/// A step of the test run, in the order of running.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum StepName {
    /// The sources are formatted
    Fmt,
    /// Clippy on everything, for this machine, warnings are errors
    Clippy,
    /// Clippy on the edge and the shared crate, for wasm32
    ClippyWasm,
    /// The shared crate compiles for a target without a standard library
    NoStd,
    /// The documentation builds without warnings
    Doc,
    /// The Worker builds for production and is small enough
    Wasm,
    /// The issuer builds as it is released, and says its version
    Release,
    /// Everything of a deployment but the upload
    Deploy,
    /// Unit, property and documentation tests of the crates
    Unit,
    /// Integration tests: the issuer's binary, the built Worker in workerd, client libraries
    Integration,
    /// `cargo xtask dev --check`
    DevCheck,
    /// `cargo xtask bench edge --check`: what is measured beside the Worker still works
    BenchEdge,
    /// Each fuzz target for a few seconds
    Fuzz,
    /// Licences, bans, sources and known advisories of all dependencies
    Deny,
}

impl StepName {
    fn text(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    /// The steps whose result this one runs on.
    fn needs(self) -> &'static [Self] {
        match self {
            Self::Integration | Self::DevCheck | Self::Deploy | Self::BenchEdge => &[Self::Wasm],
            Self::Fmt
            | Self::Clippy
            | Self::ClippyWasm
            | Self::NoStd
            | Self::Doc
            | Self::Wasm
            | Self::Release
            | Self::Unit
            | Self::Fuzz
            | Self::Deny => &[],
        }
    }

    fn run(self, session: &Session<'_>) -> Outcome<Verdict> {
        match self {
            Self::Fmt => lints::format(session),
            Self::Clippy => lints::clippy(session),
            Self::ClippyWasm => lints::clippy_for_wasm(session),
            Self::NoStd => builds::without_std(session),
            Self::Doc => builds::documentation(session),
            Self::Wasm => builds::worker(session),
            Self::Release => builds::release(session),
            Self::Deploy => builds::deploy(session),
            Self::Unit => suites::unit(session),
            Self::Integration => suites::integration(session),
            Self::DevCheck => builds::dev_check(session),
            Self::BenchEdge => builds::bench_edge(session),
            Self::Fuzz => fuzz::smoke(session),
            Self::Deny => dependencies::check(session),
        }
    }
}

/// Runs the chosen steps; true when nothing failed. `only` empty means all.
pub(crate) fn run(session: &Session<'_>, only: &[StepName], skip: &[StepName]) -> Outcome<bool> {
    let mut tally = Tally::default();
    for &name in StepName::value_variants() {
        let text = name.text();
        if (!only.is_empty() && !only.contains(&name)) || skip.contains(&name) {
            tally.leave_out(name, "not asked for");
            continue;
        }
        if let Some(needed) = name.needs().iter().find(|needed| tally.has_failed(**needed)) {
            tally.leave_out(name, &format!("needs `{}`, which failed", needed.text()));
            continue;
        }
        session.screen.step(&format!("── {text}"));
        let watch = Stopwatch::start();
        let verdict = name.run(session).unwrap_or_else(|fault| {
            session.screen.fault(&fault);
            Verdict::failed()
        });
        session.stop.check()?;
        session
            .screen
            .step(&format!("── {text}: {verdict}, {}", readable(watch.elapsed())));
        tally.add(name, verdict, watch.elapsed());
    }
    session.screen.say(&tally.table());
    // Scripts read this line: it stays last and plain.
    session.screen.say(&tally.last_line());
    Ok(tally.failed() == 0)
}

/// One passed or failed step, with the end of its output where it failed.
fn verdict_of(session: &Session<'_>, finished: &Finished) -> Verdict {
    if finished.success {
        return Verdict::passed();
    }
    show_failure(session, finished);
    Verdict::failed()
}

fn show_failure(session: &Session<'_>, finished: &Finished) {
    session.screen.say(&last_lines(&finished.log, SHOWN_LINES));
    session
        .screen
        .say(&format!("(the full output: {})", finished.log.display()));
}
