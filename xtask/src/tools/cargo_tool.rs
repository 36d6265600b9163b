//! Tools that cargo builds from crates.io, each in a folder of its own so that versions do not collide.

use std::path::PathBuf;

use crate::{
    command,
    fault::Outcome,
    session::Session,
    tools::cache::Cache,
    versions::{CARGO_DENY, CARGO_FUZZ, WASM_BINDGEN},
};

/// A crate and the program that it brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CargoTool {
    crate_name: &'static str,
    version: &'static str,
    program: &'static str,
    minutes: u32,
}

/// Writes the Worker's JavaScript bindings.
pub(crate) const WASM_BINDGEN_TOOL: CargoTool = CargoTool {
    crate_name: "wasm-bindgen-cli",
    version: WASM_BINDGEN,
    program: "wasm-bindgen",
    minutes: 3,
};
/// Checks dependencies.
pub(crate) const CARGO_DENY_TOOL: CargoTool = CargoTool {
    crate_name: "cargo-deny",
    version: CARGO_DENY,
    program: "cargo-deny",
    minutes: 3,
};
/// Runs fuzz targets.
pub(crate) const CARGO_FUZZ_TOOL: CargoTool = CargoTool {
    crate_name: "cargo-fuzz",
    version: CARGO_FUZZ,
    program: "cargo-fuzz",
    minutes: 1,
};

impl CargoTool {
    /// The program's path, after building it where it is not there.
    pub(crate) fn provide(self, session: &Session<'_>, cache: &Cache) -> Outcome<PathBuf> {
        let name = format!("{}-{}", self.crate_name, self.version);
        let folder = cache.provide(session, &format!("tools/{name}"), |partial| {
            session.screen.step(&format!(
                "building {name} (some {} min on two cores)",
                self.minutes
            ));
            // Built for the machine by the developer's own toolchain, whatever compiler the Worker is built with.
            let mut install = session.workspace.cargo();
            install
                .args(["install", "--locked"])
                .arg(self.crate_name)
                .args(["--version", &format!("={}", self.version), "--root"])
                .arg(partial);
            command::run(session, &format!("install-{name}"), &mut install, None)?
                .or_fault(&format!(
                    "`cargo install {}@{}` failed: is crates.io within reach? Then run this command again",
                    self.crate_name, self.version
                ))
                .map(drop)
        })?;
        Ok(folder.join("bin").join(self.program))
    }
}
