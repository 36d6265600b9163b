//! How a command fails: one sentence that names what was tried, what came of it, and what to do next.

use std::fmt;

/// A failure, told in a sentence for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Fault(String);

/// The result of a step of the tool.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl Fault {
    /// A fault with this sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Turns any other error into a fault by saying what was being done.
pub(crate) trait OrFault<T> {
    /// `what` completes "could not …".
    fn or_fault(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: fmt::Display> OrFault<T> for Result<T, E> {
    fn or_fault(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Fault(format!("could not {}: {error}", what())))
    }
}
