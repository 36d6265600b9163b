//! `cargo xtask wasm`: the Worker as it is deployed, in `edge/build/`.
//!
//! worker-build calls cargo, wasm-bindgen, esbuild and wasm-opt; it would download the last three, so it is given the
//! pinned ones. The result is kept for as long as nothing that goes into it changes (`wasm/stamp`).

mod exports;
mod names;
mod stamp;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, write::GzEncoder};

use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{
        cache::Cache,
        cargo_tool::{WASM_BINDGEN_TOOL, WORKER_BUILD_TOOL},
        node,
        npm::NpmTools,
        wasm_target::WasmToolchain,
    },
    versions::LARGEST_WORKER_GZIPPED,
    wasm::stamp::Stamp,
    workspace::path_with_first,
};

/// A built Worker.
#[derive(Debug)]
pub(crate) struct Worker {
    /// The folder with `index.js` and `index_bg.wasm`.
    pub(crate) folder: PathBuf,
}

impl Worker {
    /// Where the Worker is built, there or not.
    pub(crate) fn of(session: &Session<'_>) -> Self {
        Self {
            folder: session.workspace.root.join("edge/build"),
        }
    }

    fn wasm(&self) -> PathBuf {
        self.folder.join("index_bg.wasm")
    }
}

/// Builds the Worker unless it is there and up to date (or `force`), prints its size, and refuses one that is too
/// large.
pub(crate) fn build(session: &Session<'_>, force: bool) -> Outcome<Worker> {
    let cache = Cache::of_user()?;
    let toolchain = WasmToolchain::provide(session, &cache)?;
    let worker = Worker::of(session);
    let stamp = Stamp::of(session, &toolchain.compiler(session)?, &worker)?;
    if !force && stamp.matches() {
        session.screen.step("the Worker is up to date");
    } else {
        compile(session, &cache, &toolchain)?;
        take_names_out(session, &worker.wasm())?;
        take_unused_out(session, &cache, &worker.wasm())?;
        stamp.write()?;
    }
    tell_size(session)?;
    Ok(worker)
}

fn compile(session: &Session<'_>, cache: &Cache, toolchain: &WasmToolchain) -> Outcome<()> {
    let npm = NpmTools::provide(session, cache)?;
    let node = node::provide(&npm)?;
    let wasm_bindgen = WASM_BINDGEN_TOOL.provide(session, cache)?;
    let worker_build = WORKER_BUILD_TOOL.provide(session, cache)?;
    session.screen.step("building the Worker (worker-build)");
    let programs = toolchain.first_on_path();
    let first: Vec<&Path> = programs.as_deref().into_iter().chain(node.parent()).collect();
    let mut command = Command::new(worker_build);
    command
        .args(["--profile", "worker"])
        .current_dir(session.workspace.root.join("edge"))
        // The last lines of the log are shown on failure: the compiler's, not a backtrace of worker-build.
        .env("RUST_BACKTRACE", "0")
        .env("PATH", path_with_first(&first))
        .env("WASM_BINDGEN_BIN", wasm_bindgen)
        .env("WASM_OPT_BIN", npm.wasm_opt())
        .env("ESBUILD_BIN", npm.esbuild()?);
    toolchain.apply(&mut command);
    command::run(session, "worker-build", &mut command, None)?
        .or_fault("the Worker could not be built")
        .map(drop)
}

/// Names are kept beside the logs, so that a stack trace from production can still be read.
fn take_names_out(session: &Session<'_>, wasm: &Path) -> Outcome<()> {
    let module = fs::read(wasm).or_fault(|| format!("read {}", wasm.display()))?;
    let named = session.workspace.root.join("target/xtask/worker-with-names.wasm");
    fs::write(&named, &module).or_fault(|| format!("write {}", named.display()))?;
    fs::write(wasm, names::without_names(&module)?).or_fault(|| format!("write {}", wasm.display()))
}

/// What only unused exports need goes with them.
fn take_unused_out(session: &Session<'_>, cache: &Cache, wasm: &Path) -> Outcome<()> {
    let npm = NpmTools::provide(session, cache)?;
    let module = fs::read(wasm).or_fault(|| format!("read {}", wasm.display()))?;
    fs::write(wasm, exports::without_unused(&module)?).or_fault(|| format!("write {}", wasm.display()))?;
    let mut command = Command::new(node::provide(&npm)?);
    command
        .arg(npm.wasm_opt())
        .args(["--all-features", "--remove-unused-module-elements"])
        .arg(wasm)
        .arg("-o")
        .arg(wasm);
    command::run(session, "wasm-opt", &mut command, None)?
        .or_fault("what is unused could not be taken out of the Worker")
        .map(drop)
}

/// How large the built Worker is, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// As it is.
    pub(crate) raw: u64,
    /// After gzip, the form in which a Worker's size is limited and loaded.
    pub(crate) gzipped: u64,
}

/// The sizes of the Worker that was built last.
pub(crate) fn sizes(session: &Session<'_>) -> Outcome<Sizes> {
    let wasm = Worker::of(session).wasm();
    let bytes = fs::read(&wasm).or_fault(|| format!("read {}", wasm.display()))?;
    Ok(Sizes {
        raw: bytes.len() as u64,
        gzipped: gzipped(&bytes).or_fault(|| "measure the Worker after gzip".to_owned())?,
    })
}

/// Prints the sizes, and refuses a Worker that is too large.
fn tell_size(session: &Session<'_>) -> Outcome<()> {
    let Sizes { raw, gzipped } = sizes(session)?;
    session.screen.step(&format!(
        "the Worker's wasm: {} raw, {} gzipped (largest allowed: {})",
        kilobytes(raw),
        kilobytes(gzipped),
        kilobytes(LARGEST_WORKER_GZIPPED)
    ));
    if gzipped < LARGEST_WORKER_GZIPPED {
        Ok(())
    } else {
        Err(Fault::new(format!(
            "the Worker is {} after gzip, and less than {} is allowed: see what came into `cargo tree -p \
             wardgate-edge` lately",
            kilobytes(gzipped),
            kilobytes(LARGEST_WORKER_GZIPPED)
        )))
    }
}

fn gzipped(bytes: &[u8]) -> std::io::Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len() as u64)
}

/// In thousands of bytes, for people.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::{gzipped, kilobytes};

    #[test]
    fn sizes_are_told_in_thousands_of_bytes() {
        assert_eq!(kilobytes(148_960), "148.9 kB");
    }

    #[test]
    fn repetition_shrinks() {
        assert!(gzipped(&vec![7; 100_000]).unwrap() < 1_000);
    }
}
