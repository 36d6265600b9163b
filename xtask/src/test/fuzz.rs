//! The fuzz targets of `shared/fuzz`: all of them over their seeds, then each for a few seconds on new inputs.
//!
//! The seeds need nothing special. libFuzzer needs a nightly compiler; where none is installed the search for new
//! inputs is left out, and said to be.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Verdict, show_failure};
use crate::{
    command,
    fault::{OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, cargo_tool::CARGO_FUZZ_TOOL, rust},
    workspace::path_with_first,
};

const SECONDS_EACH: u32 = 5;
const SEED: u32 = 1;
const CRATE: &str = "shared/fuzz";

/// Counts the tests over the seeds, and each target that ran on new inputs as one.
pub(super) fn smoke(session: &Session<'_>) -> Outcome<Verdict> {
    let target_folder = session.workspace.target.join("fuzz");
    let seeds = over_seeds(session, &target_folder)?;
    let Some(nightly) = rust::nightly_cargo() else {
        session.screen.step(
            "no nightly toolchain, which libFuzzer needs: targets ran over their seeds only \
             (`rustup toolchain install nightly` brings the rest)",
        );
        return Ok(seeds);
    };
    let fuzzer = Fuzzer {
        program: CARGO_FUZZ_TOOL.provide(session, &Cache::of_user()?)?,
        nightly,
        target_folder,
    };
    session.screen.step("building the fuzz targets");
    let mut build = fuzzer.command(session, "build");
    command::run(session, "test-fuzz-build", &mut build, None)?.or_fault("the fuzz targets do not build")?;
    let (mut passed, mut failed) = (0, 0);
    for target in targets(session)? {
        session
            .screen
            .step(&format!("fuzzing {target} for {SECONDS_EACH} s"));
        if fuzzer.run(session, &target)? {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    Ok(seeds.and(&Verdict::Counted { passed, failed }))
}

/// The crate's own tests, which run every target's body over its seeds on the ordinary compiler.
fn over_seeds(session: &Session<'_>, target_folder: &Path) -> Outcome<Verdict> {
    let mut cargo = session.workspace.cargo();
    cargo
        .args([
            "test",
            "--manifest-path",
            &format!("{CRATE}/Cargo.toml"),
            "--target-dir",
        ])
        .arg(target_folder);
    let finished = command::run(session, "test-fuzz-seeds", &mut cargo, None)?;
    if !finished.success {
        show_failure(session, &finished);
    }
    Ok(Verdict::of_test_output(&finished.output(), finished.success))
}

/// The names of the targets, in order.
fn targets(session: &Session<'_>) -> Outcome<Vec<String>> {
    let folder = session.workspace.root.join(CRATE).join("fuzz_targets");
    let entries = fs::read_dir(&folder).or_fault(|| format!("read {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("rs")))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// cargo-fuzz on the nightly toolchain.
struct Fuzzer {
    program: PathBuf,
    nightly: PathBuf,
    target_folder: PathBuf,
}

impl Fuzzer {
    fn command(&self, session: &Session<'_>, action: &str) -> Command {
        let mut fuzz = Command::new(&self.program);
        fuzz.args([
            action,
            "--features",
            "engine",
            "--fuzz-dir",
            CRATE,
            "--target-dir",
        ])
        .arg(&self.target_folder)
        // The crate forbids unsafe code, so the address sanitizer would find nothing and cost time.
        .args(["--sanitizer", "none"])
        .current_dir(&session.workspace.root)
        .env("CARGO", &self.nightly)
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env(
            "PATH",
            path_with_first(&self.nightly.parent().into_iter().collect::<Vec<_>>()),
        )
        .env_remove("RUSTC");
        fuzz
    }

    /// Runs one target; true when no input broke it. New inputs go to a folder of the build, not into the sources.
    fn run(&self, session: &Session<'_>, target: &str) -> Outcome<bool> {
        let corpus = self.target_folder.join("corpus").join(target);
        fs::create_dir_all(&corpus).or_fault(|| format!("create {}", corpus.display()))?;
        let seeds = session.workspace.root.join(CRATE).join("seeds").join(target);
        let mut fuzz = self.command(session, "run");
        fuzz.arg(target).arg(&corpus);
        if seeds.is_dir() {
            fuzz.arg(seeds);
        }
        fuzz.arg("--")
            .args([format!("-max_total_time={SECONDS_EACH}"), format!("-seed={SEED}")]);
        let finished = command::run(session, &format!("test-fuzz-{target}"), &mut fuzz, None)?;
        if !finished.success {
            show_failure(session, &finished);
        }
        Ok(finished.success)
    }
}
