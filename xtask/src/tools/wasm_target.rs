//! The compiler and standard library for `wasm32-unknown-unknown`, which the Worker is built for.
//!
//! The ordinary way is the developer's own toolchain with rustup's target. Where rustup cannot fetch that, Debian's
//! compiler with a standard library built from its sources takes its place (`debian_wasm`).

use std::{path::PathBuf, process::Command};

use crate::{
    fault::{Fault, Outcome},
    session::Session,
    tools::{
        cache::Cache,
        debian_wasm::{self, DebianWasm},
        rust::{self, Compiler},
    },
};

/// The target's name.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Which compiler builds for wasm.
#[derive(Debug)]
pub(crate) enum WasmToolchain {
    /// The developer's own.
    Ordinary,
    /// Debian's.
    Debian(DebianWasm),
}

impl WasmToolchain {
    /// Finds or installs one.
    pub(crate) fn provide(session: &Session<'_>, cache: &Cache) -> Outcome<Self> {
        if rust::ordinary_way_is_wanted() {
            if rust::has_target(session, WASM) {
                return Ok(Self::Ordinary);
            }
            // Where the fallback stands already, rustup has failed before: don't wait for it again.
            if let Some(debian) = debian_wasm::present(cache) {
                return Ok(Self::Debian(debian));
            }
            if rust::add_target(session, WASM)? {
                return Ok(Self::Ordinary);
            }
            session
                .screen
                .step("rustup could not fetch the wasm target: taking Debian's compiler instead");
        }
        debian_wasm::provide(session, cache).map(Self::Debian).map_err(|fault| {
            Fault::new(format!(
                "no way to the {WASM} target. `rustup target add {WASM}` failed (log: {}); Debian's packages \
                 instead: {fault}",
                session.log(&format!("rustup-{WASM}")).display()
            ))
        })
    }

    /// Makes `command` (cargo, or a tool that calls it) build with this toolchain.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Debian(debian) = self {
            debian.apply(command);
        }
    }

    /// The folder that must come first on `PATH` for tools that call `rustc` by name.
    pub(crate) fn first_on_path(&self) -> Option<PathBuf> {
        match self {
            Self::Ordinary => None,
            Self::Debian(debian) => Some(debian.programs()),
        }
    }

    /// `cargo clippy` for this toolchain, up to the subcommand.
    pub(crate) fn clippy(&self, session: &Session<'_>) -> Command {
        match self {
            Self::Ordinary => {
                let mut cargo = session.workspace.cargo();
                cargo.arg("clippy");
                cargo
            }
            Self::Debian(debian) => debian.clippy(&session.workspace.root),
        }
    }

    /// The compiler's version.
    pub(crate) fn compiler(&self, session: &Session<'_>) -> Outcome<Compiler> {
        let rustc = match self {
            Self::Ordinary => PathBuf::from("rustc"),
            Self::Debian(debian) => debian.programs().join("rustc"),
        };
        Compiler::of(&rustc, &session.workspace.root)
    }
}
