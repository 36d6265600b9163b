//! The one place that prints. Nothing here panics when nobody reads any more.

use std::io::Write;
use std::process::ExitCode;

use super::Failure;

/// Prints a result.
///
/// # Errors
/// [`Failure::Other`], when standard output is closed: a secret shown once would be lost silently.
pub(super) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let printed = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    printed.map_err(|error| {
        Failure::Other(format!(
            "the result could not be printed ({error}); what the command changed stays changed"
        ))
    })
}

/// Prints a result as a JSON document.
///
/// # Errors
/// As [`result`].
pub(super) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    result(&format!("{value:#}"))
}

/// Prints a remark or a question to standard error. Nothing depends on its being read.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a question, to be answered on the same line.
pub(super) fn question(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Prints why a command failed, and gives the exit code.
pub(super) fn failure(failure: &Failure) -> ExitCode {
    remark(&format!("wardgate: {failure}"));
    ExitCode::from(failure.exit_code())
}
