//! `cargo xtask wasm`: the Worker as it is deployed, in `edge/build/`.
//!
//! cargo compiles it, wasm-bindgen writes the JavaScript that goes with the module, esbuild puts that and ours
//! (`edge/src/platform/*.js`) into one file, and wasm-opt makes the module smaller. The result is kept for as long as nothing that goes
//! into it changes (`wasm/stamp`). worker-build, which does about the same, would wrap each request in proxies and promises of its own.

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
    tools::{cache::Cache, cargo_tool::WASM_BINDGEN_TOOL, node, npm::NpmTools, wasm_target::WasmToolchain},
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

    fn script(&self) -> PathBuf {
        self.folder.join("index.js")
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

/// The files of ours that the generated JavaScript imports, or that import it; the last is the Worker's module.
const SCRIPTS: [&str; 3] = ["bridge.js", "tasks.js", "entry.js"];

fn compile(session: &Session<'_>, cache: &Cache, toolchain: &WasmToolchain) -> Outcome<()> {
    let npm = NpmTools::provide(session, cache)?;
    let wasm_bindgen = WASM_BINDGEN_TOOL.provide(session, cache)?;
    let (root, target) = (&session.workspace.root, &session.workspace.target);
    session.screen.step("building the Worker");
    let mut cargo = session.workspace.cargo();
    cargo.args(["build", "-p", "wardgate-edge", "--lib", "--profile", "worker"]);
    cargo.args(["--target", "wasm32-unknown-unknown"]);
    if let Some(first) = toolchain.first_on_path() {
        cargo.env("PATH", path_with_first(&[&first]));
    }
    toolchain.apply(&mut cargo);
    command::run(session, "worker-compile", &mut cargo, None)?.or_fault("the Worker does not compile")?;

    let folder = root.join("target/xtask/worker");
    drop(fs::remove_dir_all(&folder));
    let mut bind = Command::new(wasm_bindgen);
    bind.args(["--target", "module", "--no-typescript", "--out-name", "index"])
        // A module that has trapped can be made anew.
        .arg("--experimental-reset-state-function")
        .arg("--out-dir")
        .arg(&folder)
        .arg(target.join("wasm32-unknown-unknown/worker/wardgate_edge.wasm"));
    command::run(session, "worker-bind", &mut bind, None)?
        .or_fault("wasm-bindgen could not write the Worker's JavaScript")?;
    for script in SCRIPTS {
        let of_ours = root.join("edge/src/platform").join(script);
        fs::copy(&of_ours, folder.join(script)).or_fault(|| format!("copy {}", of_ours.display()))?;
    }

    let built = Worker::of(session);
    drop(fs::remove_dir_all(&built.folder));
    fs::create_dir_all(&built.folder).or_fault(|| format!("create {}", built.folder.display()))?;
    let mut bundle = Command::new(npm.esbuild()?);
    bundle
        .args(["entry.js", "--bundle", "--minify", "--format=esm"])
        .args(["--external:./index_bg.wasm", "--log-level=warning"])
        .arg(format!("--outfile={}", built.script().display()))
        .current_dir(&folder);
    command::run(session, "worker-bundle", &mut bundle, None)?
        .or_fault("the Worker's JavaScript could not be put into one file")?;
    import_as_workers_do(&built.script())?;

    let mut optimize = wasm_opt(session, &npm)?;
    optimize
        .arg("--debuginfo")
        .arg(folder.join("index_bg.wasm"))
        .arg("-o")
        .arg(built.wasm());
    command::run(session, "wasm-opt", &mut optimize, None)?
        .or_fault("the Worker could not be made smaller")
        .map(drop)
}

/// Workers get a compiled module from an ordinary import, where wasm-bindgen writes one of a source phase.
fn import_as_workers_do(script: &Path) -> Outcome<()> {
    let text = fs::read_to_string(script).or_fault(|| format!("read {}", script.display()))?;
    let text = text.replacen("import source ", "import ", 1);
    fs::write(script, text).or_fault(|| format!("write {}", script.display()))
}

/// wasm-opt, with what the runtime is known to take: not all that a later one may write.
fn wasm_opt(session: &Session<'_>, npm: &NpmTools) -> Outcome<Command> {
    let mut command = Command::new(node::provide(npm)?);
    command.arg(npm.wasm_opt()).arg("-O").args([
        "--enable-mutable-globals",
        "--enable-sign-ext",
        "--enable-nontrapping-float-to-int",
        "--enable-bulk-memory",
        "--enable-multivalue",
        "--enable-reference-types",
    ]);
    command.current_dir(&session.workspace.root);
    Ok(command)
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
    let mut command = wasm_opt(session, &npm)?;
    command
        .arg("--remove-unused-module-elements")
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
