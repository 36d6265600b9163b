//! A Python environment with the client libraries of `tests/clients/requirements.txt`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    command, digest,
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, debian},
    workspace::which,
};

/// The path of a `python` that has the libraries.
pub(crate) fn provide(session: &Session<'_>, cache: &Cache) -> Outcome<PathBuf> {
    let requirements = session.workspace.root.join("tests/clients/requirements.txt");
    let text = fs::read(&requirements).or_fault(|| format!("read {}", requirements.display()))?;
    if which("python3").is_none() {
        debian::install(session, &["python3", "python3-venv"])
            .or_fault(|| "find python3, which is not on PATH".to_owned())?;
    }
    let version = Command::new("python3")
        .args(["-c", "import sys; print(sys.version, sys.executable)"])
        .output()
        .or_fault(|| "run python3".to_owned())?;
    let name = format!("python-{}", digest::short(&[&text, &version.stdout]));
    let folder = cache.provide(session, &name, |partial| {
        session.screen.step("installing the Python client libraries");
        create_environment(session, partial)?;
        let mut install = Command::new(partial.join("bin/python"));
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--requirement"])
            .arg(&requirements)
            .env("PIP_CACHE_DIR", cache.place("pip-downloads"));
        command::run(session, "pip-install", &mut install, None)?
            .or_fault("`pip install` failed: is the Python package registry within reach? Then run this command again")
            .map(drop)
    })?;
    Ok(folder.join("bin/python"))
}

/// Debian leaves the module `venv` out of its Python; there it comes by apt.
fn create_environment(session: &Session<'_>, folder: &Path) -> Outcome<()> {
    let make = || {
        let mut python = Command::new("python3");
        python.args(["-m", "venv", "--clear"]).arg(folder);
        command::run(session, "python-venv", &mut python, None)
    };
    if make()?.success {
        return Ok(());
    }
    if which("apt-get").is_none() {
        return Err(Fault::new(
            "python3 has no working module `venv`: install it, then run this command again",
        ));
    }
    debian::install(session, &["python3-venv"])?;
    make()?.or_fault("`python3 -m venv` failed").map(drop)
}
