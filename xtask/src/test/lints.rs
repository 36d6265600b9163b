//! Formatting and lints.

use super::{Verdict, verdict_of};
use crate::{
    command,
    fault::Outcome,
    session::Session,
    tools::{
        cache::Cache,
        rust,
        wasm_target::{WASM, WasmToolchain},
    },
};

/// `cargo fmt --check`.
pub(super) fn format(session: &Session<'_>) -> Outcome<Verdict> {
    rust::provide_component(session, "rustfmt")?;
    let mut cargo = session.workspace.cargo();
    cargo.args(["fmt", "--all", "--check", "--", "--color", "never"]);
    let finished = command::run(session, "test-fmt", &mut cargo, None)?;
    let verdict = verdict_of(session, &finished);
    if !finished.success {
        session.screen.say("`cargo fmt --all` puts it right");
    }
    Ok(verdict)
}

/// Clippy on all crates and all their targets, for this machine.
pub(super) fn clippy(session: &Session<'_>) -> Outcome<Verdict> {
    rust::provide_component(session, "clippy")?;
    let mut cargo = session.workspace.cargo();
    cargo.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    Ok(verdict_of(
        session,
        &command::run(session, "test-clippy", &mut cargo, None)?,
    ))
}

/// Clippy for wasm on what runs there, which sees the code that other targets leave out.
pub(super) fn clippy_for_wasm(session: &Session<'_>) -> Outcome<Verdict> {
    rust::provide_component(session, "clippy")?;
    let toolchain = WasmToolchain::provide(session, &Cache::of_user()?)?;
    let mut clippy = toolchain.clippy(session);
    clippy.args(["--package", "wardgate-edge", "--package", "wardgate-shared"]);
    clippy.args(["--target", WASM, "--", "-D", "warnings"]);
    Ok(verdict_of(
        session,
        &command::run(session, "test-clippy-wasm", &mut clippy, None)?,
    ))
}
