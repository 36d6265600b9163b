//! A target that has no standard library at all, for the proof that `wardgate-shared` needs none.

use std::{path::Path, process::Command};

use crate::{
    fault::Outcome,
    session::Session,
    tools::{debian, debian_wasm, rust},
};

/// The target's name.
pub(crate) const BARE_METAL: &str = "x86_64-unknown-none";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A cargo command that builds for the bare target, up to the subcommand's own options: with rustup's target, or,
/// where that cannot be fetched, with `core` and `alloc` built from Debian's sources.
pub(crate) fn cargo_build(session: &Session<'_>) -> Outcome<Command> {
    let mut cargo = session.workspace.cargo();
    cargo.args(["build", "--target", BARE_METAL]);
    if rust::ordinary_way_is_wanted() && is_ordinary(session)? {
        return Ok(cargo);
    }
    debian_wasm::install_compiler(session)?;
    cargo
        .arg("-Zbuild-std=core,alloc,compiler_builtins")
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1");
    Ok(cargo)
}

/// True when the developer's toolchain has the target, or rustup can fetch it. Where the fallback stands already,
/// rustup has failed before and is not waited for again.
fn is_ordinary(session: &Session<'_>) -> Outcome<bool> {
    let fallback_stands = Path::new(DEBIAN_RUSTC).is_file() && debian::is_installed("rust-web-src");
    Ok(rust::has_target(session, BARE_METAL) || (!fallback_stands && rust::add_target(session, BARE_METAL)?))
}
