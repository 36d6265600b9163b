//! `cargo xtask edge bundle`: the Worker for any Linux server, in a folder that plain `workerd serve` runs.
//!
//! What the folder is made of is in the library of this package (`bundle`), which the tests use as well.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use xtask::bundle::{self, Compatibility, Network, Settings};

use crate::{
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, npm::NpmTools},
    wasm,
};

const BUNDLE_ABOUT: &str = "\
Write a folder that plain `workerd serve` runs on any Linux server: the Worker as it is deployed, its configuration, \
workerd itself, a hardened systemd unit, and a README.txt that says how to run it. docs/deploying-the-edge.md says more.

Settings are the section [vars] of a TOML file. A folder that is there already keeps its settings.capnp and its storage/, \
unless --settings names a file.";

/// The commands of the edge.
#[derive(Debug, Subcommand)]
pub(crate) enum EdgeTask {
    /// Write a folder that `workerd serve` runs on any Linux server
    #[command(long_about = BUNDLE_ABOUT)]
    Bundle(BundleArguments),
}

/// The arguments of `edge bundle`.
#[derive(Args, Debug)]
pub(crate) struct BundleArguments {
    /// The folder [default: target/edge-bundle]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A file whose [vars] become the settings [default: wrangler.toml, for a new folder]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// A variable that is taken from the environment of the process and not written down (repeatable)
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8787")]
    address: String,
    /// What the Worker may reach besides public addresses: private, local, or a range such as 10.1.2.0/24
    /// (repeatable). `local` is there by itself when a setting names a server on this machine
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    network: Vec<Network>,
    /// Leave workerd out
    #[arg(long)]
    without_workerd: bool,
}

fn network(text: &str) -> Result<Network, String> {
    Network::parse(text).map_err(|fault| fault.to_string())
}

/// Runs a command of the edge.
pub(crate) fn run(session: &Session<'_>, task: &EdgeTask) -> Outcome<bool> {
    let EdgeTask::Bundle(arguments) = task;
    let default = || session.workspace.target.join("edge-bundle");
    let folder = arguments.out.clone().unwrap_or_else(default);
    let settings = settings(session, arguments, &folder)?;
    write(session, &folder, settings.as_ref(), !arguments.without_workerd)?;
    session.screen.say(&format!(
        "\n{} is ready: {} says how to run it.",
        folder.display(),
        bundle::README
    ));
    Ok(true)
}

/// The settings to be written, unless those of an earlier folder are to stay.
fn settings(session: &Session<'_>, arguments: &BundleArguments, folder: &Path) -> Outcome<Option<Settings>> {
    if arguments.settings.is_none() && folder.join(bundle::SETTINGS).is_file() {
        let kept = format!("the settings stay as they are ({})", bundle::SETTINGS);
        session.screen.step(&kept);
        return Ok(None);
    }
    let default = session.workspace.root.join("wrangler.toml");
    let file = arguments.settings.as_ref().unwrap_or(&default);
    let text = fs::read_to_string(file).or_fault(|| format!("read {}", file.display()))?;
    let mut settings = Settings::parse(&text, &arguments.secret)
        .or_fault(|| format!("take the settings from {}", file.display()))?;
    settings.address.clone_from(&arguments.address);
    for network in &arguments.network {
        if !settings.networks.contains(network) {
            settings.networks.push(network.clone());
        }
    }
    Ok(Some(settings))
}

/// Builds the Worker and writes the folder. `settings` are written when they are given, and else left as they are there.
pub(crate) fn write(
    session: &Session<'_>,
    folder: &Path,
    settings: Option<&Settings>,
    with_workerd: bool,
) -> Outcome<()> {
    // Seen first: the build takes its time.
    if folder.exists() && !is_ours(folder) {
        return Err(Fault::new(format!(
            "{} is there, and is no folder that this command has written",
            folder.display()
        )));
    }
    let worker = wasm::build(session, false)?;
    let wrangler = session.workspace.root.join("wrangler.toml");
    let text = fs::read_to_string(&wrangler).or_fault(|| format!("read {}", wrangler.display()))?;
    let compatibility = Compatibility::parse(&text).or_fault(|| format!("use {}", wrangler.display()))?;
    let what = || format!("write {}", folder.display());
    bundle::write(folder, &worker.folder, &compatibility, settings).or_fault(what)?;
    if with_workerd {
        let npm = NpmTools::provide(session, &Cache::of_user()?)?;
        bundle::add_program(folder, &npm.workerd()?).or_fault(what)?;
    }
    Ok(())
}

/// Whether the folder is empty, or of an earlier run.
fn is_ours(folder: &Path) -> bool {
    folder.join(bundle::CONFIG).is_file()
        || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
