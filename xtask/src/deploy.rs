//! `cargo xtask deploy`: the pinned wrangler, on a Node that it runs on, puts the built Worker on Cloudflare.
//!
//! Trusts: wrangler's own sign-in (`wrangler login`, or `CLOUDFLARE_API_TOKEN` in the environment) and `wrangler.toml`.

use std::process::{Command, Stdio};

use crate::{
    fault::{OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, node, npm::NpmTools},
    wasm,
    workspace::path_with_first,
};

/// Deploys the Worker, or does everything but the upload. Wrangler speaks for itself; false when it failed.
pub(crate) fn run(session: &Session<'_>, dry_run: bool) -> Outcome<bool> {
    wasm::build(session, false)?;
    let npm = NpmTools::provide(session, &Cache::of_user()?)?;
    let node = node::provide(&npm)?;
    let mut wrangler = Command::new(&node);
    wrangler.arg(npm.wrangler()).arg("deploy");
    if dry_run {
        wrangler
            .args(["--dry-run", "--outdir"])
            .arg(session.workspace.root.join("target/xtask/deploy"));
    }
    let first: Vec<_> = node.parent().into_iter().collect();
    let status = wrangler
        .current_dir(&session.workspace.root)
        .env("PATH", path_with_first(&first))
        .env("WRANGLER_SEND_METRICS", "false")
        .stdin(if dry_run { Stdio::null() } else { Stdio::inherit() })
        .status()
        .or_fault(|| "start wrangler".to_owned())?;
    Ok(status.success())
}
