//! What the system says of this process. Linux tells it in files; elsewhere there is nothing to tell.

use std::fs;

/// What is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    /// Memory in use, in bytes.
    pub(super) resident_bytes: Option<u64>,
    /// Open files and connections.
    pub(super) open_files: Option<u64>,
    /// How many there may be.
    pub(super) most_open_files: Option<u64>,
    /// Processor time used, in seconds.
    pub(super) cpu_seconds: Option<f64>,
}

/// Asks the system.
pub(super) fn look() -> Process {
    Process {
        resident_bytes: resident_bytes(),
        open_files: fs::read_dir("/proc/self/fd")
            .ok()
            // The folder that is read is open itself.
            .and_then(|entries| u64::try_from(entries.count().saturating_sub(1)).ok()),
        most_open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        cpu_seconds: cpu_seconds(),
    }
}

/// `/proc/self/statm`: the second number is the resident set, in pages.
fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages.saturating_mul(u64::try_from(rustix::param::page_size()).ok()?))
}

/// `/proc/self/stat`: fields 14 and 15 are the time used by the program and for it, in ticks. The second field is in brackets and may
/// hold anything.
#[expect(clippy::cast_precision_loss, reason = "2^53 ticks are millions of years")]
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (own, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let ticks = own.saturating_add(system);
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
