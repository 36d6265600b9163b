//! Debian's compiler with a standard library for wasm, where rustup's servers are out of reach.
//!
//! Debian packages a recent compiler (for browsers) with its sources but without the wasm library. That library is
//! built once from the sources into the cache, in the shape of a sysroot: the host's part are links to Debian's own.
//! A small `rustc` script beside it names that sysroot, so that `RUSTC` or `PATH` is all a build needs. Nothing
//! outside the cache is written but by apt. The folder's name holds the compiler's version: after an upgrade by apt
//! the next run builds a new one.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, debian, rust::Compiler, wasm_target::WASM},
    versions::{DEBIAN_WASM_PACKAGES, OLDEST_RUST},
};

/// Where Debian's packages put the compiler, and where its libraries are.
const RUSTC: &str = "/usr/bin/rustc";
const RUSTLIB: &str = "/usr/lib/rustlib";
const CARGO_CLIPPY: &str = "/usr/bin/cargo-clippy";
/// A link to the linker of the one LLVM version that fits the compiler; the package bears the program's name.
const LINKER: &str = "/usr/bin/rust-lld";

const EMPTY_CRATE: &str =
    "[package]\nname = \"std-only\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
const EMPTY_CRATE_LIBRARY: &str = "libstd_only";

/// Debian's compiler and the sysroot in the cache.
#[derive(Debug)]
pub(crate) struct DebianWasm {
    sysroot: PathBuf,
}

/// The finished fallback, when there is one for the compiler that is installed now.
pub(crate) fn present(cache: &Cache) -> Option<DebianWasm> {
    if !Path::new(CARGO_CLIPPY).is_file() || !debian::is_installed("rustc-web") {
        return None;
    }
    let compiler = Compiler::of(Path::new(RUSTC), Path::new("/")).ok()?;
    let sysroot = cache.place(&folder_name(&compiler));
    sysroot.is_dir().then_some(DebianWasm { sysroot })
}

/// Installs Debian's packages and builds the standard library, each unless it is there.
pub(crate) fn provide(session: &Session<'_>, cache: &Cache) -> Outcome<DebianWasm> {
    if let Some(present) = present(cache) {
        return Ok(present);
    }
    let compiler = install_compiler(session)?;
    let name = folder_name(&compiler);
    let final_place = cache.place(&name);
    let sysroot = cache.provide(session, &name, |partial| {
        build_sysroot(session, partial, &final_place)
    })?;
    Ok(DebianWasm { sysroot })
}

/// Installs the compiler with its sources, linker and lints, and sees that it is new enough.
pub(crate) fn install_compiler(session: &Session<'_>) -> Outcome<Compiler> {
    debian::install(session, &DEBIAN_WASM_PACKAGES)?;
    let linker = fs::read_link(LINKER).or_fault(|| format!("find the linker {LINKER}"))?;
    let linker = linker.file_name().and_then(OsStr::to_str).unwrap_or_default();
    debian::install(session, &[linker])?;
    let mut compiler = Compiler::of(Path::new(RUSTC), Path::new("/"))?;
    if compiler.version() < OLDEST_RUST {
        debian::upgrade(session, &DEBIAN_WASM_PACKAGES)?;
        compiler = Compiler::of(Path::new(RUSTC), Path::new("/"))?;
    }
    if compiler.version() < OLDEST_RUST {
        return Err(Fault::new(format!(
            "Debian's rustc-web is {}, too old for this project, which wants {}.{}",
            compiler.release, OLDEST_RUST.0, OLDEST_RUST.1
        )));
    }
    Ok(compiler)
}

fn folder_name(compiler: &Compiler) -> String {
    let commit: String = compiler.commit.chars().take(9).collect();
    format!("wasm32-debian-{}-{commit}", compiler.release)
}

fn build_sysroot(session: &Session<'_>, partial: &Path, final_place: &Path) -> Outcome<()> {
    session
        .screen
        .step("building the standard library for wasm (some 1 min on two cores)");
    let source = partial.join("build");
    let write =
        |path: PathBuf, text: &str| fs::write(&path, text).or_fault(|| format!("write {}", path.display()));
    let create = |path: &Path| fs::create_dir_all(path).or_fault(|| format!("create {}", path.display()));
    create(&source.join("src"))?;
    write(source.join("Cargo.toml"), EMPTY_CRATE)?;
    write(source.join("src/lib.rs"), "")?;
    let mut cargo = session.workspace.cargo();
    cargo
        .current_dir(&source)
        .args(["build", "--release", "--target", WASM])
        .arg("-Zbuild-std=std,panic_abort,panic_unwind,proc_macro,test")
        .arg("--target-dir")
        .arg(source.join("target"))
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        // Without the bitcode inside, a later build with link-time optimisation finds nothing to optimise.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command::run(session, "wasm-std", &mut cargo, None)?
        .or_fault("the standard library for wasm could not be built from Debian's sources")?;

    let rustlib = partial.join("lib/rustlib");
    let library = rustlib.join(WASM).join("lib");
    create(&library)?;
    let built = source.join("target").join(WASM).join("release/deps");
    for entry in fs::read_dir(&built)
        .or_fault(|| format!("read {}", built.display()))?
        .flatten()
    {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with(EMPTY_CRATE_LIBRARY) {
            fs::copy(entry.path(), library.join(&name)).or_fault(|| format!("copy {text}"))?;
        }
    }
    fs::remove_dir_all(&source).or_fault(|| format!("remove {}", source.display()))?;
    for entry in fs::read_dir(RUSTLIB)
        .or_fault(|| format!("read {RUSTLIB}"))?
        .flatten()
    {
        if entry.file_name() != WASM {
            let link = rustlib.join(entry.file_name());
            symlink(entry.path(), &link).or_fault(|| format!("link {}", link.display()))?;
        }
    }
    let programs = partial.join("bin");
    create(&programs)?;
    let script = programs.join("rustc");
    let quoted = final_place.display().to_string().replace('\'', r"'\''");
    write(
        script.clone(),
        &format!("#!/bin/sh\nexec {RUSTC} --sysroot '{quoted}' \"$@\"\n"),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
        .or_fault(|| format!("make {} executable", script.display()))
}

impl DebianWasm {
    /// The folder with the `rustc` script.
    pub(crate) fn programs(&self) -> PathBuf {
        self.sysroot.join("bin")
    }

    /// Makes `command` build with this compiler and sysroot.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env("RUSTC", self.programs().join("rustc"));
    }

    /// Debian's `cargo clippy`, which calls the clippy that fits this compiler.
    pub(crate) fn clippy(&self, folder: &Path) -> Command {
        let mut clippy = Command::new(CARGO_CLIPPY);
        clippy
            .arg("clippy")
            .current_dir(folder)
            .env("SYSROOT", &self.sysroot);
        self.apply(&mut clippy);
        clippy
    }
}
