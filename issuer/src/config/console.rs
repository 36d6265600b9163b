//! Section `console`: the pages on which administrators work.

use super::reader::Reader;

/// The console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// How long after a sign-in the console is open, in seconds; then it asks to sign in again.
    pub reauthenticate_seconds: i64,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<ConsoleConfig> {
    let reauthenticate_seconds = reader.number("console.reauthenticate_seconds", 60..=2_592_000, "seconds");
    Some(ConsoleConfig {
        reauthenticate_seconds: reauthenticate_seconds?,
    })
}
