//! The test programs that cargo runs.

use std::process::Command;

use xtask::bundle::Settings;

use super::{Verdict, show_failure};
use crate::{
    command, dev, edge,
    fault::Outcome,
    session::Session,
    tools::{cache::Cache, curl, node, npm::NpmTools, python, test_clients},
    wasm,
};

/// The package with the integration tests.
const INTEGRATION: &str = "wardgate-tests";

/// Unit, property and documentation tests of all crates but the integration tests'.
pub(super) fn unit(session: &Session<'_>) -> Outcome<Verdict> {
    let mut cargo = session.workspace.cargo();
    cargo.args(["test", "--workspace", "--exclude", INTEGRATION, "--no-fail-fast"]);
    run(session, "test-unit", &mut cargo)
}

/// The integration tests.
pub(super) fn integration(session: &Session<'_>) -> Outcome<Verdict> {
    let mut cargo = integration_tests(session)?;
    cargo.arg("--no-fail-fast");
    run(session, "test-integration", &mut cargo)
}

/// `cargo test` of the integration tests, with the paths of the tools and programs that they use in its environment.
pub(crate) fn integration_tests(session: &Session<'_>) -> Outcome<Command> {
    curl::provide(session)?;
    let cache = Cache::of_user()?;
    // Up to date already in a whole run; when only this step was asked for, it may not be.
    let worker = wasm::build(session, false)?;
    let npm = NpmTools::provide(session, &cache)?;
    // The Worker's tests run it from the folder that an administrator gets.
    let bundle = session.workspace.root.join("target/xtask/edge-bundle");
    edge::write(session, &bundle, Some(&Settings::default()), true)?;
    let python = python::provide(session, &cache)?;
    dev::build_programs(session)?;
    let mut cargo = session.workspace.cargo();
    cargo
        .args(["test", "--package", INTEGRATION])
        .env("WARDGATE_WORKER_DIR", worker.folder)
        .env("WARDGATE_EDGE_BUNDLE", bundle)
        .env("WARDGATE_WORKERD", npm.workerd()?)
        .env("WARDGATE_NODE", node::provide(&npm)?)
        .env("WARDGATE_NODE_MODULES", test_clients::provide(session, &cache)?)
        .env("WARDGATE_CHROMIUM", test_clients::browser(session)?)
        .env("WARDGATE_PYTHON", python)
        .env("WARDGATE_ISSUER", session.workspace.program("wardgate"))
        .env("WARDGATE_SAMPLE_FHIR", session.workspace.program("sample-fhir"));
    Ok(cargo)
}

fn run(session: &Session<'_>, name: &str, cargo: &mut Command) -> Outcome<Verdict> {
    // A failed assertion says where it stands; backtraces of the test harness would only bury it.
    cargo.env("RUST_BACKTRACE", "0");
    let finished = command::run(session, name, cargo, None)?;
    let output = finished.output();
    if !finished.success {
        show_failure(session, &finished);
        for line in output
            .lines()
            .filter(|line| line.starts_with("test ") && line.ends_with(" FAILED"))
        {
            session.screen.say(line);
        }
    }
    Ok(Verdict::of_test_output(&output, finished.success))
}
