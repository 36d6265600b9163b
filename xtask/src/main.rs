//! `cargo xtask`: the project's own commands.
//!
//! Purpose: take a machine that has only rustup, Node and the package registries to a running system (`dev`) and to
//! a full test run (`test`) with no step in between for a person. Each command fetches what is missing, says what it
//! is doing while it does it, and is safe to repeat.
//!
//! Trusts: the developer's own account and the package registries that cargo, npm, pip and apt are set up with.
//! Left out: anything that reaches a server or a deployment; publishing is `wrangler deploy`, by a person.

mod bench;
mod clock;
mod command;
mod deploy;
mod dev;
mod digest;
mod edge;
mod fault;
mod process_group;
mod release;
mod screen;
mod screenshots;
mod session;
mod soak;
mod stop;
mod test;
mod tools;
mod versions;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{
    fault::Outcome, screen::Screen, session::Session, stop::Stop, test::StepName, workspace::Workspace,
};

#[cfg(not(unix))]
compile_error!("cargo xtask runs on Linux and macOS; on Windows use it inside WSL");

const ABOUT: &str =
    "The project's commands. Each installs what it lacks, shows what it does, and is safe to repeat.";

const LONG_ABOUT: &str = "\
The project's commands. Each installs what it lacks, shows what it does, and is safe to repeat.

Start here:
  cargo xtask dev          run everything on this machine and print what to try
  cargo xtask test         check everything; the last line is `N passed, N failed`

What must be there: rustup (or another Rust of the version in Cargo.toml), a C compiler, Node with
npm, and the package registries; Python 3, curl and Chromium (for tests) are installed by apt where
they are missing. Everything else comes into one per-user folder that all clones share: $WARDGATE_CACHE,
or $XDG_CACHE_HOME/wardgate, or ~/.cache/wardgate. Deleting that folder is safe; it is filled again.";

const DEV_ABOUT: &str = "\
Build and run the issuer, the edge Worker (under `wrangler dev`) and a sample FHIR API on this machine.

  issuer       http://localhost:8788   signs people in, hands out tokens
  edge         http://localhost:8787   guards the API; the FHIR base is /fhir
  sample API   http://localhost:8789   what the edge guards here; any FHIR server can take its place

The first run loads dev data (clients, people, signing keys) into target/dev/ and writes every
address and secret of it to target/dev/environment.json. Logs: target/dev/logs/. Ctrl-C stops
everything that was started.";

const TEST_ABOUT: &str = "\
Check everything: format, lints for this machine and for wasm, documentation, unit, property and
integration tests, the built Worker in real workerd, fuzz targets for a few seconds, licences and
advisories.

Every step runs even when an earlier one failed, except those that need its result. A table of the
steps comes at the end, and last the line `N passed, N failed`: every test counts one, and so does
every step that is not a test run. Full output of each step: target/xtask/logs/.";

const WASM_ABOUT: &str = "\
Build the Worker for production into edge/build/ and print its size. Nothing is done when its
sources, the tools and the built files are those of the last run. `wrangler dev` and `wrangler
deploy` call this by themselves.";

const DEPLOY_ABOUT: &str = "\
Build the Worker and put it on Cloudflare with the pinned wrangler. Settings come from wrangler.toml; the account from \
`wrangler login` or from CLOUDFLARE_API_TOKEN in the environment. The last word is wrangler's.";

const SCREENSHOTS_ABOUT: &str = "\
Walk past every page of the issuer in a real Chromium, with scripts off, and keep a picture of each as a phone and as a \
desktop shows it, in docs/screenshots; docs/pages.md shows them all. The same walk is a test, without pictures.";

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = ABOUT, long_about = LONG_ABOUT)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build and run everything on this machine, and print what to try
    #[command(long_about = DEV_ABOUT)]
    Dev(DevArguments),
    /// Check everything; the last line is `N passed, N failed`
    #[command(long_about = TEST_ABOUT)]
    Test(TestArguments),
    /// Build the Worker into edge/build/ and print its size
    #[command(long_about = WASM_ABOUT)]
    Wasm(WasmArguments),
    /// Measure how fast the issuer and the edge are
    #[command(subcommand)]
    Bench(bench::Subject),
    /// Put the issuer, its unit and its licences into one archive
    #[command(long_about = release::ABOUT)]
    Release(release::ReleaseArguments),
    /// Kill the issuer over and over under load, and see that nothing that was answered is lost
    #[command(long_about = soak::ABOUT)]
    Soak(soak::SoakArguments),
    /// Make pictures of every page that people see, into docs/screenshots
    #[command(long_about = SCREENSHOTS_ABOUT)]
    Screenshots,
    /// Run the Worker elsewhere than on Cloudflare
    #[command(subcommand)]
    Edge(edge::EdgeTask),
    /// Put the Worker on Cloudflare
    #[command(long_about = DEPLOY_ABOUT)]
    Deploy(DeployArguments),
}

#[derive(Args)]
struct DevArguments {
    /// Start everything, get a token, call the API with and without it, stop; the exit code tells the result
    #[arg(long)]
    check: bool,
    /// Throw the dev data away first, and load it anew
    #[arg(long)]
    fresh: bool,
}

#[derive(Args)]
struct TestArguments {
    /// Run only this step (repeatable)
    #[arg(long, value_name = "STEP", value_enum)]
    only: Vec<StepName>,
    /// Leave this step out (repeatable)
    #[arg(long, value_name = "STEP", value_enum)]
    skip: Vec<StepName>,
}

#[derive(Args)]
struct WasmArguments {
    /// Build even when nothing has changed
    #[arg(long)]
    force: bool,
}

#[derive(Args)]
struct DeployArguments {
    /// Do everything but the upload; needs no account
    #[arg(long)]
    dry_run: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new();
    match run(&arguments, &screen) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            screen.fault(&fault);
            ExitCode::FAILURE
        }
    }
}

/// Runs the command; `false` is a failure that has been told already.
fn run(arguments: &Arguments, screen: &Screen) -> Outcome<bool> {
    let stop = Stop::listen()?;
    let session = Session::new(Workspace::find()?, screen, &stop)?;
    match &arguments.command {
        Task::Dev(options) => dev::run(&session, options.check, options.fresh),
        Task::Test(options) => test::run(&session, &options.only, &options.skip),
        Task::Bench(subject) => bench::run(&session, subject),
        Task::Release(options) => release::run(&session, options),
        Task::Soak(options) => soak::run(&session, options),
        Task::Screenshots => screenshots::run(&session),
        Task::Edge(task) => edge::run(&session, task),
        Task::Deploy(options) => deploy::run(&session, options.dry_run),
        Task::Wasm(options) => wasm::build(&session, options.force).map(|_| true),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
