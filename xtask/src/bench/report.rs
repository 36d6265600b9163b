//! The table.

use std::{fmt::Write as _, fs, thread, time::Duration};

use super::{
    Algorithm,
    load::{Measured, Scenario},
};

/// One scenario against one server.
pub(super) struct Row {
    pub(super) who: &'static str,
    pub(super) scenario: Scenario,
    pub(super) algorithm: Algorithm,
    pub(super) measured: Measured,
    /// How long processors worked for the server.
    pub(super) processor_time: Option<Duration>,
    /// What one core signs a second.
    pub(super) raw: f64,
    pub(super) peak_kib: Option<u64>,
}

/// Everything that was measured.
#[derive(Default)]
pub(super) struct Report {
    pub(super) rows: Vec<Row>,
    pub(super) first_answer: Option<Duration>,
}

impl Report {
    /// The table as text. `seconds` is the length of each scenario.
    pub(super) fn text(&self, seconds: u32, connections: u32) -> String {
        let mut text = format!(
            "\n{:<20} {:<6} {:<14} {:>9} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8}\n",
            "scenario",
            "sign",
            "server",
            "req/s",
            "p50 ms",
            "p99 ms",
            "CPU us",
            "peak MB",
            "x peer",
            "of raw"
        );
        for row in &self.rows {
            let peak = row
                .peak_kib
                .map_or_else(|| "unknown".to_owned(), |kib| format!("{:.1}", megabytes(kib)));
            let processor = row.processor_time.map_or_else(
                || "unknown".to_owned(),
                |time| format!("{:.0}", time.as_secs_f64() * 1e6 / row.measured.requests),
            );
            let ratio = self.peer_of(row).map_or_else(
                || "-".to_owned(),
                |peer| format!("{:.2}", row.measured.rate / peer),
            );
            put(
                &mut text,
                format_args!(
                    "{:<20} {:<6} {:<14} {:>9.0} {:>8.2} {:>8.2} {processor:>8} {peak:>9} {ratio:>9} {:>7.0}%\n",
                    row.scenario.name(),
                    row.algorithm.name(),
                    row.who,
                    row.measured.rate,
                    row.measured.p50,
                    row.measured.p99,
                    row.measured.rate / row.raw * 100.0,
                ),
            );
        }
        for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
            let raw = self
                .rows
                .iter()
                .find(|row| row.algorithm.name() == algorithm.name());
            if let Some(row) = raw {
                let name = algorithm.name();
                put(
                    &mut text,
                    format_args!("\nOne core signs {:.0} times a second with {name}.", row.raw),
                );
            }
        }
        if let Some(time) = self.first_answer {
            let milliseconds = time.as_secs_f64() * 1e3;
            put(
                &mut text,
                format_args!("\nFirst answer {milliseconds:.0} ms after the start of the process."),
            );
        }
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        put(
            &mut text,
            format_args!(
                "\n{seconds} s each, {connections} connections, one load generator thread. Load generator and server share \
                 {cores} cores: on an idle machine of its own a server is faster.{}\n\
                 CPU us: processor time of the server alone for each answer, in its own code and the system's, in microseconds; \
                 other work on the machine changes it little. x peer: requests a second, ours by the peer's. of raw: requests \
                 a second by the signatures a second of one core.\n",
                load_average()
            ),
        );
        text
    }

    /// The peer's rate in the same scenario, for a row that is not the peer's.
    fn peer_of(&self, row: &Row) -> Option<f64> {
        self.rows
            .iter()
            .filter(|other| other.who != row.who && row.who == "wardgate")
            .find(|other| other.scenario == row.scenario && other.algorithm.name() == row.algorithm.name())
            .map(|other| other.measured.rate)
    }
}

/// How busy the machine was, where it says; other work makes the numbers smaller.
pub(super) fn load_average() -> String {
    fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| {
            Some(format!(
                " Load average of the last minute: {}.",
                text.split(' ').next()?
            ))
        })
        .unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a size for people to read")]
fn megabytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Writing to a `String` cannot fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}
