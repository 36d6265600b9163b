//! A server under load: its port, its memory, its end.

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
