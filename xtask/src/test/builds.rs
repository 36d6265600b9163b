//! Steps that pass when something builds or starts.

use super::{Verdict, verdict_of};
use std::process::Command;

use crate::{bench, command, deploy, dev, fault::Outcome, session::Session, tools::bare_metal, wasm};

/// The shared crate for a target that has no standard library: the compiler's proof that it needs none.
pub(super) fn without_std(session: &Session<'_>) -> Outcome<Verdict> {
    let mut cargo = bare_metal::cargo_build(session)?;
    cargo.args(["--package", "wardgate-shared", "--lib"]);
    // The target has no vector registers, which sha2's fast code for this processor takes for granted.
    cargo.args(["--features", "sha2/force-soft"]);
    Ok(verdict_of(
        session,
        &command::run(session, "test-no-std", &mut cargo, None)?,
    ))
}

/// The documentation, with warnings as errors.
pub(super) fn documentation(session: &Session<'_>) -> Outcome<Verdict> {
    let mut cargo = session.workspace.cargo();
    cargo
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    Ok(verdict_of(
        session,
        &command::run(session, "test-doc", &mut cargo, None)?,
    ))
}

/// The Worker as it is deployed, and its size.
pub(super) fn worker(session: &Session<'_>) -> Outcome<Verdict> {
    wasm::build(session, false).map(|_| Verdict::passed())
}

/// The issuer with the command that the README gives, and a sign of life from it.
pub(super) fn release(session: &Session<'_>) -> Outcome<Verdict> {
    let mut cargo = session.workspace.cargo();
    cargo.args(["build", "--release", "--package", "wardgate-issuer"]);
    let built = command::run(session, "test-release", &mut cargo, None)?;
    if !built.success {
        return Ok(verdict_of(session, &built));
    }
    let mut program = Command::new(session.workspace.released_program("wardgate"));
    program.arg("--version");
    Ok(verdict_of(
        session,
        &command::run(session, "test-release-version", &mut program, None)?,
    ))
}

/// Everything of a deployment but the upload.
pub(super) fn deploy(session: &Session<'_>) -> Outcome<Verdict> {
    deploy::run(session, true).map(|passed| {
        if passed {
            Verdict::passed()
        } else {
            Verdict::failed()
        }
    })
}

/// The system started as a whole, and called as the guide says.
pub(super) fn dev_check(session: &Session<'_>) -> Outcome<Verdict> {
    dev::run(session, true, false).map(|passed| {
        if passed {
            Verdict::passed()
        } else {
            Verdict::failed()
        }
    })
}

/// The candidates of the edge's benchmark, which nobody else starts.
pub(super) fn bench_edge(session: &Session<'_>) -> Outcome<Verdict> {
    bench::edge::check(session).map(|_| Verdict::passed())
}
