//! curl, which the guide's lines and some tests call: the machine's own, or Debian's.

use crate::{fault::Outcome, session::Session, tools::debian, workspace::which};

/// Sees that `curl` is on PATH.
pub(crate) fn provide(session: &Session<'_>) -> Outcome<()> {
    if which("curl").is_some() {
        return Ok(());
    }
    debian::install(session, &["curl"])
}
