//! What a person sees: a line for every step with the time since the start, and under it a moving hint.
//!
//! Where nobody reads any more (`| head`), what a command does goes on: its exit code still tells the result.

use std::{
    cell::Cell,
    io::{IsTerminal as _, Write as _, stderr, stdout},
    time::Duration,
};

use crate::{
    clock::{Stopwatch, readable},
    fault::Fault,
};

/// Without a terminal the hint cannot move, so it becomes a line of its own, this seldom.
const QUIET_HINT_EVERY: Duration = Duration::from_secs(20);
const HINT_WIDTH: usize = 100;

/// The tool's standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    watch: Stopwatch,
    terminal: bool,
    hint_shown: Cell<bool>,
    last_quiet_hint: Cell<Duration>,
}

impl Screen {
    /// A screen whose clock starts now.
    pub(crate) fn new() -> Self {
        Self {
            watch: Stopwatch::start(),
            terminal: stdout().is_terminal(),
            hint_shown: Cell::new(false),
            last_quiet_hint: Cell::new(Duration::ZERO),
        }
    }

    /// A step begins or ends: one line with the time since the tool started.
    pub(crate) fn step(&self, line: &str) {
        self.clear_hint();
        print(&format!("[{:>13}] {line}\n", readable(self.watch.elapsed())));
        self.last_quiet_hint.set(self.watch.elapsed());
    }

    /// Text as it is.
    pub(crate) fn say(&self, text: &str) {
        self.clear_hint();
        print(&format!("{text}\n"));
    }

    /// The sentence of a fault, to standard error.
    pub(crate) fn fault(&self, fault: &Fault) {
        self.clear_hint();
        drop(writeln!(stderr(), "error: {fault}"));
    }

    /// What a long step is at: on a terminal a line that the next one overwrites, else a line now and then.
    pub(crate) fn hint(&self, text: &str) {
        let now = self.watch.elapsed();
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_control())
            .take(HINT_WIDTH)
            .collect();
        if self.terminal {
            print(&format!("\r\x1b[2K[{:>13}]   {text}", readable(now)));
            self.hint_shown.set(true);
        } else if now.saturating_sub(self.last_quiet_hint.get()) >= QUIET_HINT_EVERY {
            print(&format!("[{:>13}]   … {text}\n", readable(now)));
            self.last_quiet_hint.set(now);
        }
    }

    fn clear_hint(&self) {
        if self.hint_shown.replace(false) {
            print("\r\x1b[2K");
        }
    }
}

/// Prints, if there is somebody to read it.
fn print(text: &str) {
    let mut out = stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
