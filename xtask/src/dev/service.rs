//! One running service: its process group, its log, and how it shows that it is ready.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    addresses::{EDGE, EDGE_PORT, ISSUER, SAMPLE_PORT, UPSTREAM},
    data, http, with_log,
};
use crate::{
    clock::{Stopwatch, readable},
    command::last_lines,
    fault::{OrFault as _, Outcome},
    process_group::ProcessGroup,
    session::Session,
    workspace::path_with_first,
};

const READY_LIMIT: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(150);

/// A started service. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Service {
    what: &'static str,
    health: String,
    log: PathBuf,
    group: ProcessGroup,
}

/// Starts the sample FHIR API.
pub(super) fn sample_fhir(session: &Session<'_>) -> Outcome<Service> {
    let mut command = Command::new(session.workspace.program("sample-fhir"));
    command.args(["--listen", &format!("127.0.0.1:{SAMPLE_PORT}")]);
    Service::start(
        session,
        ("sample FHIR API", "sample-fhir"),
        format!("{UPSTREAM}/metadata"),
        command,
    )
}

/// Starts the issuer.
pub(super) fn issuer(session: &Session<'_>) -> Outcome<Service> {
    let mut command = Command::new(session.workspace.program("wardgate"));
    command
        .arg("--config")
        .arg(data::config_file(session))
        .arg("serve");
    Service::start(
        session,
        ("issuer", "issuer"),
        format!("{ISSUER}/health/ready"),
        command,
    )
}

/// Starts the edge under `wrangler dev`, on the Worker that has just been built: wrangler asks for it again by its
/// own build command, which then finds it up to date, and rebuilds it when its sources change.
pub(super) fn edge(session: &Session<'_>, node: &Path, wrangler: &Path) -> Outcome<Service> {
    let mut command = Command::new(node);
    command
        .arg(wrangler)
        .args([
            "dev",
            "--local",
            "--ip",
            "127.0.0.1",
            "--port",
            &EDGE_PORT.to_string(),
        ])
        .arg("--show-interactive-dev-session=false")
        .arg("--persist-to")
        .arg(session.workspace.dev().join("edge"))
        .env(
            "PATH",
            path_with_first(&node.parent().into_iter().collect::<Vec<_>>()),
        )
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_LOG_PATH", session.workspace.dev().join("logs/wrangler"))
        // Wrangler keeps a register of running Workers in the user's configuration; this one is nobody else's affair.
        .env("XDG_CONFIG_HOME", session.workspace.dev().join("config"))
        // Wrangler would ask the network about itself and about this machine's place in the world.
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
    Service::start(session, ("edge", "edge"), format!("{EDGE}/health"), command)
}

impl Service {
    fn start(
        session: &Session<'_>,
        (what, name): (&'static str, &str),
        health: String,
        mut command: Command,
    ) -> Outcome<Self> {
        session.screen.step(&format!("starting the {what}"));
        let log = session.workspace.dev().join("logs").join(format!("{name}.log"));
        let output = File::create(&log).or_fault(|| format!("write {}", log.display()))?;
        let errors = output
            .try_clone()
            .or_fault(|| format!("write {}", log.display()))?;
        command
            .current_dir(&session.workspace.root)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let group = ProcessGroup::start(&mut command).or_fault(|| format!("start the {what}"))?;
        Ok(Self {
            what,
            health,
            log,
            group,
        })
    }

    /// Waits for a 200 from the service's health address.
    pub(super) fn wait_until_healthy(&mut self, session: &Session<'_>) -> Outcome<()> {
        let watch = Stopwatch::start();
        loop {
            session.stop.check()?;
            self.see_that_it_lives()?;
            let last = match http::get(&self.health, None) {
                Ok(answer) if answer.status == 200 => {
                    session
                        .screen
                        .step(&format!("the {} is ready: {}", self.what, self.health));
                    return Ok(());
                }
                Ok(answer) => format!("it answers {}", answer.status),
                Err(error) => error,
            };
            if watch.elapsed() >= READY_LIMIT {
                let sentence = format!(
                    "the {} was not ready after {}: {} gave no 200 ({last})",
                    self.what,
                    readable(READY_LIMIT),
                    self.health
                );
                return Err(with_log(&sentence, &self.log));
            }
            session.screen.hint(&format!(
                "waiting for the {}: {}",
                self.what,
                last_lines(&self.log, 1)
            ));
            thread::sleep(POLL);
        }
    }

    /// A fault that names the service and quotes its log when it has ended.
    pub(super) fn see_that_it_lives(&mut self) -> Outcome<()> {
        match self.group.poll()? {
            None => Ok(()),
            Some(status) => Err(with_log(
                &format!("the {} has ended by itself ({status})", self.what),
                &self.log,
            )),
        }
    }
}
