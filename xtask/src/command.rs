//! Running one command of a step: full output to a log file, its last line as the moving hint, a time limit, and an
//! end when the person asks for one.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    clock::{Stopwatch, readable},
    fault::{Fault, OrFault as _, Outcome},
    process_group::ProcessGroup,
    session::Session,
};

const POLL: Duration = Duration::from_millis(40);
const HINT_EVERY: Duration = Duration::from_millis(400);
/// The last bytes of a log that are read for its last lines.
const TAIL: u64 = 32 * 1024;

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it ended with exit code 0, within its time.
    pub(crate) success: bool,
    /// Whether its time was over.
    pub(crate) timed_out: bool,
    /// Its full output, standard output and standard error as they came.
    pub(crate) log: PathBuf,
}

impl Finished {
    /// The whole output.
    pub(crate) fn output(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// A fault with `sentence` and the last lines of the output, when the command failed.
    pub(crate) fn or_fault(self, sentence: &str) -> Outcome<Self> {
        if self.success {
            return Ok(self);
        }
        let why = if self.timed_out {
            " (its time was over)"
        } else {
            ""
        };
        Err(Fault::new(format!(
            "{sentence}{why}. The last lines of {}:\n{}",
            self.log.display(),
            last_lines(&self.log, 15)
        )))
    }
}

/// Runs `command` to its end. `name` names the log; `limit` is the longest it may take.
pub(crate) fn run(
    session: &Session<'_>,
    name: &str,
    command: &mut Command,
    limit: Option<Duration>,
) -> Outcome<Finished> {
    let log = session.log(name);
    let output = File::create(&log).or_fault(|| format!("write {}", log.display()))?;
    let errors = output
        .try_clone()
        .or_fault(|| format!("write {}", log.display()))?;
    let mut group = ProcessGroup::start(command.stdin(Stdio::null()).stdout(output).stderr(errors))?;
    let watch = Stopwatch::start();
    let mut hinted = Duration::ZERO;
    loop {
        if let Some(status) = group.poll()? {
            return Ok(Finished {
                success: status.success(),
                timed_out: false,
                log,
            });
        }
        session.stop.check()?;
        if limit.is_some_and(|limit| watch.elapsed() >= limit) {
            return Ok(Finished {
                success: false,
                timed_out: true,
                log,
            });
        }
        if watch.elapsed().saturating_sub(hinted) >= HINT_EVERY {
            hinted = watch.elapsed();
            session
                .screen
                .hint(&format!("{}: {}", readable(hinted), last_lines(&log, 1)));
        }
        thread::sleep(POLL);
    }
}

/// The last `count` lines of a file that have something in them; empty when it cannot be read.
pub(crate) fn last_lines(file: &Path, count: usize) -> String {
    let tail = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = tail()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let mut lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .rev()
        .take(count)
        .collect();
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn last_lines_come_in_order_without_empty_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        std::fs::write(&file, "one\ntwo\n\nthree\n\n").unwrap();
        assert_eq!(last_lines(&file, 2), "two\nthree");
        assert_eq!(last_lines(&folder.path().join("none"), 2), "");
    }
}
