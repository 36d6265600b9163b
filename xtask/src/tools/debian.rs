//! Debian's packages, installed by apt: the fallback where the ordinary source of a tool is out of reach.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    command,
    fault::{Fault, Outcome},
    session::Session,
    workspace::which,
};

/// apt waits this many seconds for another apt to finish.
const LOCK_SECONDS: u32 = 300;
const LIMIT: Duration = Duration::from_mins(15);

/// True when the package is installed.
pub(crate) fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// Installs what is missing of `packages`, as root or by sudo where that asks for no password. Nothing that is
/// installed is ever removed for them.
pub(crate) fn install(session: &Session<'_>, packages: &[&str]) -> Outcome<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if which("apt-get").is_none() {
        return Err(Fault::new(format!(
            "this machine has no apt-get to install {list} with"
        )));
    }
    session
        .screen
        .step(&format!("installing Debian packages: {list}"));
    if apt_get(session, "install", &missing)? {
        return Ok(());
    }
    session.screen.step("refreshing Debian's package lists");
    apt_get(session, "update", &[])?;
    if apt_get(session, "install", &missing)? {
        return Ok(());
    }
    Err(Fault::new(format!(
        "apt-get could not install {list} (log: {}): run `apt-get update && apt-get install \
         --no-install-recommends {list}` as root, then this command again",
        session.log("apt-install").display()
    )))
}

/// Brings packages that are installed to the newest version that Debian has.
pub(crate) fn upgrade(session: &Session<'_>, packages: &[&str]) -> Outcome<()> {
    session
        .screen
        .step(&format!("upgrading Debian packages: {}", packages.join(" ")));
    apt_get(session, "update", &[])?;
    apt_get(session, "install", packages).map(drop)
}

fn apt_get(session: &Session<'_>, action: &str, packages: &[&str]) -> Outcome<bool> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    };
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir(Path::new("/"));
    command.args(["-o", &format!("DPkg::Lock::Timeout={LOCK_SECONDS}"), action]);
    if action == "install" {
        command
            .args(["--yes", "--no-install-recommends", "--no-remove"])
            .args(packages);
    }
    match command::run(session, &format!("apt-{action}"), &mut command, Some(LIMIT)) {
        Ok(finished) => Ok(finished.success),
        Err(fault) => {
            session.stop.check()?;
            Err(Fault::new(format!(
                "{fault}: apt-get needs root, or sudo without a password"
            )))
        }
    }
}
