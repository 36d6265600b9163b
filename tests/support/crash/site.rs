//! The issuer's process with a folder of its own: started, killed, started again.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Deadline;
use crate::http::client;
use crate::pair::{CALLBACK, PASSWORD, free_port};

use super::actor::Address;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);
/// What the tokens are for.
const AUDIENCE: &str = "https://api.example/fhir";
/// The app of the people.
pub(super) const APP: &str = "diary";
/// What it may ask for.
pub(super) const APP_SCOPE: &str = "patient/*.read offline_access";

/// An issuer with a database of its own.
pub struct Site {
    folder: tempfile::TempDir,
    program: PathBuf,
    url: String,
    server: Option<Child>,
    backups: u64,
    is_shielded: bool,
}

impl Site {
    /// An issuer that was initialised and does not run yet.
    ///
    /// # Panics
    /// When a command fails.
    pub fn prepare(program: PathBuf) -> Self {
        Self::prepare_with(program, Path::new("wardgate.db"))
    }

    /// The same, with the database at `database`.
    ///
    /// # Panics
    /// As [`Site::prepare`].
    pub fn prepare_with(program: PathBuf, database: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"{url}\"\n\
             [database]\npath = \"{}\"\n\
             [keys]\nmaster_key_file = \"master.key\"\nalgorithm = \"ES256\"\n\
             [passwords]\nmemory_kib = 8192\niterations = 1\n\
             [limits]\nfailures_per_minute = 0\nclient_requests_per_minute = 0\npublic_client_requests_per_minute = 0\n\
             [registration]\nmode = \"open\"\nunused_limit = 1000000\n\
             [health]\nminimum_free_bytes = 0\n\
             [[resources]]\nidentifier = \"{AUDIENCE}\"\n",
            database.display()
        );
        std::fs::write(folder.path().join("wardgate.toml"), text).expect("the configuration is written");
        std::fs::create_dir(folder.path().join("backups")).expect("a folder");
        let site = Self {
            folder,
            program,
            url,
            server: None,
            backups: 0,
            is_shielded: false,
        };
        site.ok(&["init"], "");
        let app = "client add --name Diary --type public --grant authorization_code --grant refresh_token";
        let mut app: Vec<&str> = app.split(' ').collect();
        app.extend([
            "--client-id",
            APP,
            "--redirect-uri",
            CALLBACK,
            "--scope",
            APP_SCOPE,
        ]);
        site.ok(&app, "");
        site
    }

    /// Registers a service with this scope, and gives its secret.
    ///
    /// # Panics
    /// When the command fails.
    pub fn add_service(&self, client_id: &str, scope: &str) -> String {
        let line = "client add --name Service --type confidential --grant client_credentials --json";
        let mut line: Vec<&str> = line.split(' ').collect();
        line.extend(["--client-id", client_id, "--scope", scope]);
        let made: serde_json::Value = serde_json::from_str(&self.ok(&line, "")).expect("JSON");
        made["client_secret"].as_str().expect("a secret").to_owned()
    }

    /// Makes an account with the password of the tests.
    pub(super) fn add_person(&self, email: &str) {
        let line = [
            "user",
            "add",
            "--email",
            email,
            "--name",
            "Ada Example",
            "--password-stdin",
        ];
        let patient = ["--fhir-user", "Patient/1"];
        self.ok(&[&line[..], &patient].concat(), PASSWORD);
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready; its log is shown.
    pub async fn serve(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path("issuer.log"))
            .expect("a log file");
        let mut command = self.command(&["serve"]);
        if self.is_shielded {
            // A signal that is ignored stays ignored in the program that takes the shell's place.
            let mut shell = Command::new("sh");
            shell
                .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
                .arg(command.get_program());
            shell.args(command.get_args());
            command = shell;
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log);
        self.server = Some(command.spawn().expect("the issuer starts"));
        self.ready().await;
    }

    /// Waits until the server says that it is ready.
    ///
    /// # Panics
    /// When it does not in time, or ends; its log is shown.
    pub async fn ready(&mut self) {
        let (client, ready) = (client(), format!("{}/health/ready", self.url));
        let deadline = Deadline::after(PATIENCE);
        loop {
            if client
                .get(&ready)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return;
            }
            let ended = self
                .server
                .as_mut()
                .and_then(|server| server.try_wait().expect("a child"));
            assert!(ended.is_none(), "the issuer ended by itself:\n{}", self.log_end());
            assert!(
                !deadline.passed(),
                "the issuer does not become ready:\n{}",
                self.log_end()
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets the server live on when a file would outgrow the process's limit, as it does when a disk is full. From the next start on.
    pub fn shield(&mut self) {
        self.is_shielded = true;
    }

    /// Ends the server as a loss of power to the process would: nothing of it runs any more.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("SIGKILL is sent");
            server.wait().expect("a child");
        }
    }

    /// The number of the server's process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn process_id(&self) -> u32 {
        self.server.as_ref().expect("a running server").id()
    }

    /// Asks the server to stop (SIGTERM).
    pub fn terminate(&self) {
        let id = self.process_id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the server's own end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut server = self.server.take().expect("a running server");
        server.wait().expect("a child")
    }

    /// Makes backups one after the other until it is dropped; then the one under way is killed.
    pub(super) fn start_backups(&mut self, first_pause: u64) -> Backups {
        let folder = self.path("backups");
        let (program, config) = (self.program.clone(), self.path("wardgate.toml"));
        self.backups += 1_000;
        let mut number = self.backups;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(first_pause % 200));
            while !told.load(Ordering::Relaxed) {
                number += 1;
                let mut backup = Command::new(&program);
                backup.arg("--config").arg(&config).args(["backup", "--to"]);
                backup.arg(folder.join(format!("{number}.db")));
                let quiet = backup
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                let mut child = quiet.spawn().expect("a backup starts");
                while child.try_wait().expect("a child").is_none() {
                    if told.load(Ordering::Relaxed) {
                        // It may have ended meanwhile.
                        let _ = child.kill();
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        });
        Backups {
            stop,
            thread: Some(thread),
        }
    }

    /// Where the server is, with a client that has no connection to any server of before.
    pub(super) fn address(&self) -> Address {
        Address::new(&self.url)
    }

    /// Runs a command of the issuer.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wardgate starts");
        // A command that refuses its arguments does not read its input.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        child.wait_with_output().expect("wardgate ends")
    }

    /// As [`Site::run`], and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "wardgate {arguments:?} failed: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A command of the issuer on this configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(self.path("wardgate.toml"))
            .args(arguments);
        command
    }

    /// The issuer's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The last lines of the server's log.
    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.path("issuer.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the issuer's log ---\n{}", self.log_end());
        }
    }
}

/// Backups that are being made.
pub(super) struct Backups {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Backups {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread of the backups ends");
        }
    }
}
