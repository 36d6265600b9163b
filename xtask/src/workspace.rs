//! Where the project is and where cargo builds it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::fault::{Fault, OrFault as _, Outcome};

/// The project's folders.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever the developer's settings put it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the project from this tool's own manifest, and asks cargo for its target folder.
    pub(crate) fn find() -> Outcome<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = match manifest.as_deref().and_then(Path::parent) {
            Some(root) => root.to_owned(),
            None => env::current_dir().or_fault(|| "find the current folder".to_owned())?,
        };
        if !root.join("wrangler.toml").is_file() {
            return Err(Fault::new(format!(
                "{} is not the project's folder: call `cargo xtask` inside it",
                root.display()
            )));
        }
        let output = cargo(&root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .or_fault(|| "run cargo".to_owned())?;
        if !output.status.success() {
            return Err(Fault::new(format!(
                "`cargo metadata` failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            )));
        }
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).or_fault(|| "read cargo's metadata".to_owned())?;
        let target = metadata
            .get("target_directory")
            .and_then(serde_json::Value::as_str)
            .map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self { root, target })
    }

    /// Cargo, in the project's folder.
    pub(crate) fn cargo(&self) -> Command {
        cargo(&self.root)
    }

    /// The path of a program of this workspace, built with cargo's `dev` profile.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The path of a program that cargo builds with its `release` profile.
    pub(crate) fn released_program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// The folder of the dev data. It is `target/dev` wherever cargo builds, since people and tests look there.
    pub(crate) fn dev(&self) -> PathBuf {
        self.root.join("target/dev")
    }
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(folder);
    command
}

/// The absolute path of a program that `PATH` offers.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// `PATH` with these folders first.
pub(crate) fn path_with_first(folders: &[&Path]) -> OsString {
    let present = env::var_os("PATH").unwrap_or_default();
    let all = folders
        .iter()
        .map(|folder| (*folder).to_owned())
        .chain(env::split_paths(&present));
    env::join_paths(all).unwrap_or(present)
}
