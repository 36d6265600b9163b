//! A child process with everything it starts: a process group of its own, ended as a whole and by its own id only.
//!
//! Wrangler, npm and cargo start children; a signal to the one process would leave them behind. The group's id is
//! that of the child started here, and it is signalled only while that child has not been waited for, or in the very
//! moment it has, so that the id cannot have passed to someone else's process.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    clock::Stopwatch,
    fault::{OrFault as _, Outcome},
};

/// How long a child may take to end in good order before it is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// A running child, the leader of its own process group. Dropping it ends the group.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Child,
    ended: Option<ExitStatus>,
}

impl ProcessGroup {
    /// Starts `command` in a new group. Its input and output are as the caller has set them.
    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        let leader = command
            .process_group(0)
            .spawn()
            .or_fault(|| format!("start {}", command.get_program().to_string_lossy()))?;
        Ok(Self { leader, ended: None })
    }

    /// The process id of the leader.
    pub(crate) fn id(&self) -> u32 {
        self.leader.id()
    }

    /// How the leader ended, or `None` while it runs. What it left running is killed when its end is seen.
    pub(crate) fn poll(&mut self) -> Outcome<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self
                .leader
                .try_wait()
                .or_fault(|| "look after a child process".to_owned())?;
            if self.ended.is_some() {
                self.signal(Signal::KILL);
            }
        }
        Ok(self.ended)
    }

    /// Ends the whole group: asks first, kills what has not gone after a few seconds. Safe to repeat.
    pub(crate) fn end(&mut self) {
        if !matches!(self.poll(), Ok(None)) {
            return;
        }
        self.signal(Signal::TERM);
        let watch = Stopwatch::start();
        while watch.elapsed() < GRACE {
            if !matches!(self.poll(), Ok(None)) {
                return;
            }
            thread::sleep(POLL);
        }
        self.signal(Signal::KILL);
        self.ended = self.leader.wait().ok();
    }

    fn signal(&self, signal: Signal) {
        let leader = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = leader {
            // The one possible failure is that nobody is left in the group, which is what was wanted.
            let _gone = kill_process_group(group, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Command, Stdio},
    };

    use super::ProcessGroup;

    #[test]
    fn ending_a_group_ends_its_grandchildren() {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "sleep 600 & echo started; wait"])
            .stdout(Stdio::piped());
        let mut group = ProcessGroup::start(&mut shell).unwrap();
        let mut lines = BufReader::new(group.leader.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "started");
        group.end();
        // The pipe reads as ended only when the last holder of its other side, the grandchild, has gone.
        assert!(lines.next().is_none());
    }

    #[test]
    fn tells_how_the_leader_ended() {
        let mut group = ProcessGroup::start(Command::new("sh").args(["-c", "exit 7"])).unwrap();
        let status = loop {
            if let Some(status) = group.poll().unwrap() {
                break status;
            }
        };
        assert_eq!(status.code(), Some(7));
    }
}
