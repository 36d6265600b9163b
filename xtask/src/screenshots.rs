//! `cargo xtask screenshots`: pictures of every page that people see, into `docs/screenshots`, and the page that shows them.
//!
//! The walk past the pages is a test (`tests/browser/pages.rs`), which this runs with a folder for the pictures.

use std::fs;

use crate::{
    command,
    fault::{OrFault as _, Outcome},
    session::Session,
    test::suites,
};

/// Makes the pictures anew; those of pages that are gone go.
pub(crate) fn run(session: &Session<'_>) -> Outcome<bool> {
    let docs = session.workspace.root.join("docs");
    let folder = docs.join("screenshots");
    let mut cargo = suites::integration_tests(session)?;
    cargo
        .args(["--test", "browser", "--", "pages::"])
        .env("WARDGATE_SCREENSHOTS", &folder);
    if folder.exists() {
        fs::remove_dir_all(&folder).or_fault(|| format!("empty {}", folder.display()))?;
    }
    session.screen.step("walking past every page");
    command::run(session, "screenshots", &mut cargo, None)?.or_fault("a page is not as it should be")?;
    session
        .screen
        .say("docs/pages.md shows every page; look at them before you commit");
    Ok(true)
}
