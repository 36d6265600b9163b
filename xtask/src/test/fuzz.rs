//! Each fuzz target of `shared/fuzz` for a few seconds, with a fixed seed.
//!
//! libFuzzer needs a nightly compiler; where none is installed the step is left out. The same properties run in the
//! unit tests, so what is lost is the search for new inputs.

use std::{ffi::OsStr, fs, process::Command};

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
const TARGETS: &str = "shared/fuzz/fuzz_targets";

/// Counts each target as one check.
pub(super) fn smoke(session: &Session<'_>) -> Outcome<Verdict> {
    let folder = session.workspace.root.join(TARGETS);
    if !folder.is_dir() {
        return Ok(Verdict::Skipped(format!("there are no targets in {TARGETS}")));
    }
    let Some(nightly) = rust::nightly_cargo() else {
        return Ok(Verdict::Skipped(
            "libFuzzer needs a nightly toolchain (`rustup toolchain install nightly`); the unit tests run the same \
             properties on fixed inputs"
                .to_owned(),
        ));
    };
    let cargo_fuzz = CARGO_FUZZ_TOOL.provide(session, &Cache::of_user()?)?;
    let entries = fs::read_dir(&folder).or_fault(|| format!("read {}", folder.display()))?;
    let mut targets: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("rs")))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    let (mut passed, mut failed) = (0, 0);
    for target in targets {
        session
            .screen
            .step(&format!("fuzzing {target} for {SECONDS_EACH} s"));
        let mut fuzz = Command::new(&cargo_fuzz);
        fuzz.args(["run", "--fuzz-dir", "shared/fuzz", &target, "--"])
            .args([format!("-max_total_time={SECONDS_EACH}"), format!("-seed={SEED}")])
            .current_dir(&session.workspace.root)
            .env("CARGO", &nightly)
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .env(
                "PATH",
                path_with_first(&nightly.parent().into_iter().collect::<Vec<_>>()),
            )
            .env_remove("RUSTC");
        let finished = command::run(session, &format!("test-fuzz-{target}"), &mut fuzz, None)?;
        if finished.success {
            passed += 1;
        } else {
            show_failure(session, &finished);
            failed += 1;
        }
    }
    Ok(Verdict::Counted { passed, failed })
}
