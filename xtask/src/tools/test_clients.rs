//! The JavaScript packages that tests run, from `tests/clients/package.json`: client libraries, an identity provider, a
//! browser's remote control. And the browser: the machine's own Chromium, or Debian's.

use std::path::PathBuf;

use crate::{
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
    tools::{cache::Cache, debian, npm},
    workspace::which,
};

/// Names under which Chromium, or a browser of its family, is installed.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The folder with the packages.
pub(crate) fn provide(session: &Session<'_>, cache: &Cache) -> Outcome<PathBuf> {
    npm::install(session, cache, "tests/clients", "the JavaScript client libraries")
}

/// The path of the browser.
pub(crate) fn browser(session: &Session<'_>) -> Outcome<PathBuf> {
    let find = || BROWSERS.into_iter().find_map(which);
    if let Some(browser) = find() {
        return Ok(browser);
    }
    debian::install(session, &["chromium"]).or_fault(|| "find Chromium, which is not on PATH".to_owned())?;
    find().ok_or_else(|| Fault::new("Debian's package chromium brought no browser of a known name"))
}
