//! A server under load: its port, its memory, its processor time, its end.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    clock::Stopwatch,
    command::last_lines,
    fault::{Fault, OrFault as _, Outcome},
    process_group::ProcessGroup,
    session::Session,
};

const READY_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(1);

/// A started server. Dropping it ends it.
pub(super) struct Served {
    /// Where it listens, on 127.0.0.1.
    pub(super) port: u16,
    /// From its start to its first answer.
    pub(super) first_answer: Duration,
    /// What it writes.
    pub(super) log: PathBuf,
    group: ProcessGroup,
}

impl Served {
    /// Starts a server and waits until it answers a GET of `path` with 200.
    pub(super) fn start(
        session: &Session<'_>,
        name: &str,
        command: &mut Command,
        port: u16,
        path: &str,
    ) -> Outcome<Self> {
        let log = session.log(name);
        let output = File::create(&log).or_fault(|| format!("write {}", log.display()))?;
        let errors = output
            .try_clone()
            .or_fault(|| format!("write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let watch = Stopwatch::start();
        let group = ProcessGroup::start(command)?;
        let mut served = Self {
            port,
            first_answer: Duration::ZERO,
            log,
            group,
        };
        while !answers(port, path) {
            session.stop.check()?;
            served.see_that_it_lives()?;
            if watch.elapsed() > READY_LIMIT {
                return Err(served.fault("gave no answer"));
            }
            thread::sleep(POLL);
        }
        served.first_answer = watch.elapsed();
        Ok(served)
    }

    /// A fault that quotes the log when it has ended.
    pub(super) fn see_that_it_lives(&mut self) -> Outcome<()> {
        match self.group.poll()? {
            None => Ok(()),
            Some(status) => Err(self.fault(&format!("has ended by itself ({status})"))),
        }
    }

    /// The most memory that was resident at once, in KiB; `None` where the system does not say.
    pub(super) fn peak_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.group.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    /// The time that processors have worked for the server so far, in its own code and in the system's; `None` where the
    /// system does not say.
    pub(super) fn processor_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.group.id())).ok()?;
        let second = rustix::param::clock_ticks_per_second();
        let milliseconds = ticks(&stat)?.checked_mul(1000)?.checked_div(second)?;
        Some(Duration::from_millis(milliseconds))
    }

    fn fault(&self, what: &str) -> Fault {
        Fault::new(format!(
            "the server {what}; the last lines of {}:\n{}",
            self.log.display(),
            last_lines(&self.log, 15)
        ))
    }
}

/// A port that nobody listens on at the moment.
pub(super) fn free_port() -> Outcome<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .or_fault(|| "find a free port".to_owned())
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(READY_LIMIT))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// `utime` and `stime` together, of what proc_pid_stat(5) describes.
fn ticks(stat: &str) -> Option<u64> {
    // The second field, the program's name in parentheses, may hold spaces and parentheses; the third follows it.
    let (_, third_and_on) = stat.rsplit_once(") ")?;
    let mut fields = third_and_on.split(' ').skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn reads_the_processor_time_of_a_program_of_any_name() {
        let rest = "S 1 77 77 0 -1 4194560 2207 0 3 0 410 95 7 8 20 0 6 0 5318 1 1";
        for name in ["(wardgate)", "(node main)", "(a) b) 1 (c)"] {
            assert_eq!(ticks(&format!("77 {name} {rest}\n")), Some(505), "{name}");
        }
        assert_eq!(ticks("77 (wardgate) S 1 77"), None);
        assert_eq!(ticks(""), None);
    }
}
