//! The developer's Rust: rustup's components and targets, fetched the ordinary way.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    command,
    fault::{Fault, Outcome},
    session::Session,
    workspace::which,
};

/// A target's standard library is some 25 MB; where it has not come by then, the fallback is quicker.
const LIMIT: Duration = Duration::from_secs(150);

/// `WARDGATE_TARGETS=debian` takes the fallback for targets at once, for those who work on it.
const CHOICE: &str = "WARDGATE_TARGETS";

/// True unless the developer has asked for the fallback.
pub(crate) fn ordinary_way_is_wanted() -> bool {
    env::var_os(CHOICE).is_none_or(|choice| choice != "debian")
}

/// True when `rustc` (in the project's folder) has the standard library of `target`.
pub(crate) fn has_target(session: &Session<'_>, target: &str) -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(&session.workspace.root)
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && holds_core(Path::new(folder.trim()))
    })
}

fn holds_core(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

/// Asks rustup for `target`; false where there is no rustup or it cannot fetch it.
pub(crate) fn add_target(session: &Session<'_>, target: &str) -> Outcome<bool> {
    if which("rustup").is_none() {
        return Ok(false);
    }
    session.screen.step(&format!("rustup target add {target}"));
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add", target])
        .current_dir(&session.workspace.root);
    let finished = command::run(session, &format!("rustup-{target}"), &mut rustup, Some(LIMIT))?;
    Ok(finished.success && has_target(session, target))
}

/// Makes sure that `cargo fmt` or `cargo clippy` is there, which a minimal rustup profile leaves out.
pub(crate) fn provide_component(session: &Session<'_>, component: &str) -> Outcome<()> {
    let subcommand = if component == "rustfmt" { "fmt" } else { component };
    let present = || {
        session
            .workspace
            .cargo()
            .args([subcommand, "--version"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if present() {
        return Ok(());
    }
    session.screen.step(&format!("rustup component add {component}"));
    let mut rustup = Command::new("rustup");
    rustup
        .args(["component", "add", component])
        .current_dir(&session.workspace.root);
    command::run(session, &format!("rustup-{component}"), &mut rustup, Some(LIMIT))?.or_fault(&format!(
        "`rustup component add {component}` failed, and `cargo {subcommand}` is not there: install it by hand"
    ))?;
    if present() {
        Ok(())
    } else {
        Err(Fault::new(format!("`cargo {subcommand}` does not run")))
    }
}

/// The release and commit that `rustc -vV` of this compiler names.
#[derive(Clone, Debug)]
pub(crate) struct Compiler {
    /// For instance `1.95.0`.
    pub(crate) release: String,
    /// The commit it was built from, or `unknown`.
    pub(crate) commit: String,
}

impl Compiler {
    /// Asks `rustc`.
    pub(crate) fn of(rustc: &Path, folder: &Path) -> Outcome<Self> {
        let output = Command::new(rustc).arg("-vV").current_dir(folder).output();
        let text = output
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|value| value.trim().to_owned())
        };
        match field("release:") {
            Some(release) => Ok(Self {
                release,
                commit: field("commit-hash:").unwrap_or_else(|| "unknown".to_owned()),
            }),
            None => Err(Fault::new(format!(
                "{} does not tell its version",
                rustc.display()
            ))),
        }
    }

    /// Major and minor number of the release.
    pub(crate) fn version(&self) -> (u32, u32) {
        let mut numbers = self.release.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

/// rustup's nightly cargo, where a nightly toolchain is installed.
pub(crate) fn nightly_cargo() -> Option<PathBuf> {
    let output = Command::new("rustup")
        .args(["which", "--toolchain", "nightly", "cargo"])
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    (output.status.success() && path.is_file()).then_some(path)
}
