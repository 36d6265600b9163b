//! What comes from outside: licences, bans, sources, and known advisories where their database is within reach.

use std::{process::Command, time::Duration};

use super::{Verdict, show_failure, verdict_of};
use crate::{
    command,
    fault::Outcome,
    session::Session,
    tools::{cache::Cache, cargo_tool::CARGO_DENY_TOOL},
};

/// The advisory database is a git repository of a few megabytes.
const FETCH_LIMIT: Duration = Duration::from_secs(90);

/// Runs cargo-deny in two parts, since only the second needs the network.
pub(super) fn check(session: &Session<'_>) -> Outcome<Verdict> {
    let program = CARGO_DENY_TOOL.provide(session, &Cache::of_user()?)?;
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(&session.workspace.root);
        command
    };
    let mut offline = deny(&["check", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
    let verdict = verdict_of(session, &command::run(session, "test-deny", &mut offline, None)?);

    let mut fetch = deny(&["fetch", "db"]);
    if !command::run(session, "test-deny-fetch", &mut fetch, Some(FETCH_LIMIT))?.success {
        session
            .screen
            .step("advisories were NOT checked: their database is out of reach");
        return Ok(verdict);
    }
    let mut advisories = deny(&["check", "--disable-fetch", "advisories"]);
    let finished = command::run(session, "test-deny-advisories", &mut advisories, None)?;
    if finished.success {
        session.screen.step("advisories were checked");
        return Ok(verdict);
    }
    show_failure(session, &finished);
    Ok(Verdict::failed())
}
