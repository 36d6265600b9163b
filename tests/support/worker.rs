//! The built Worker in the real `workerd`, one process a test.
//!
//! `workerd` picks a free port itself and reports it on its standard output; nothing races for it. What the Worker logs
//! is kept and shown when the test fails.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::clock::eventually;
use crate::http::{exchange, raw_request};

/// The modules that worker-build leaves behind; the first is the entry.
const MODULES: [(&str, &str); 2] = [("index.js", "esModule"), ("index_bg.wasm", "wasm")];

/// Text bindings: name and value.
pub type Settings = Vec<(String, String)>;

/// What answers when the Worker asks a coordinator of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinators {
    /// The Worker's own Durable Objects.
    Own,
    /// Nothing: there is no such binding.
    Absent,
    /// Durable Objects that never answer.
    Silent,
    /// Durable Objects that break when they are asked.
    Broken,
    /// Durable Objects that answer 500.
    Failing,
    /// Durable Objects whose answers make no sense.
    Nonsense,
    /// Durable Objects whose answers have eight megabytes.
    Huge,
    /// Durable Objects that redirect, to themselves.
    Redirecting,
}

impl Coordinators {
    /// The body of the method `fetch` of Durable Objects that take the place of the Worker's own. It stands between double
    /// quotes in the configuration, so that it has none itself.
    const fn program(self) -> Option<&'static str> {
        match self {
            Self::Own | Self::Absent => None,
            // A minute is longer than any test takes.
            Self::Silent => Some("return new Promise((resolve) => setTimeout(resolve, 60000));"),
            Self::Broken => Some("throw new Error('broken');"),
            Self::Failing => Some("return new Response('a fault', { status: 500 });"),
            Self::Nonsense => Some("return new Response('nonsense');"),
            Self::Huge => Some("return new Response(new Uint8Array(8 << 20));"),
            Self::Redirecting => Some("return Response.redirect('https://elsewhere.example/', 302);"),
        }
    }
}

/// Bindings of the platform's that every Worker of the tests has, and uses where its settings name them: their names and the
/// bodies of the functions that make them. They stand between double quotes, so that they have none themselves.
const PLATFORM: [(&str, &str); 6] = [
    // Admits three of each key, ever.
    (
        "THREE_EACH",
        "const asked = {}; \
         return { limit: async ({ key }) => ({ success: (asked[key] = (asked[key] ?? 0) + 1) <= 3 }) };",
    ),
    (
        "BROKEN_LIMIT",
        "return { limit: async () => { throw new Error('broken'); } };",
    ),
    (
        "NONSENSE_LIMIT",
        "return { limit: async () => ({ nonsense: 'nonsense' }) };",
    ),
    (
        "SILENT_LIMIT",
        "return { limit: () => new Promise((resolve) => setTimeout(resolve, 60000)) };",
    ),
    (
        "BROKEN_DATASET",
        "return { writeDataPoint: () => { throw new Error('broken'); } };",
    ),
    // Says each data point in the log.
    (
        "DATASET",
        "return { writeDataPoint: (point) => console.log(JSON.stringify({ event: 'data_point', ...point })) };",
    ),
];

/// A running Worker. Its process ends when it is dropped.
pub struct Worker {
    /// Where it listens, as `host:port`.
    pub address: String,
    process: Child,
    log: Arc<Mutex<String>>,
    // Removed after the process that reads it.
    directory: tempfile::TempDir,
}

impl Worker {
    /// Starts the Worker with these settings and waits until it answers `/health`, with whatever status.
    ///
    /// # Panics
    /// When `WARDGATE_WORKERD` or `WARDGATE_WORKER_DIR` is not set, or the Worker does not come up.
    pub async fn start(settings: &Settings) -> Self {
        Self::start_with(settings, Coordinators::Own).await
    }

    /// The same with other coordinators.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub async fn start_with(settings: &Settings, coordinators: Coordinators) -> Self {
        let build = from_environment("WARDGATE_WORKER_DIR");
        let directory = tempfile::tempdir().expect("a temporary folder");
        for (module, _) in MODULES {
            let copied = std::fs::copy(build.join(module), directory.path().join(module));
            assert!(
                copied.is_ok(),
                "no {module} in WARDGATE_WORKER_DIR: run `cargo xtask test`"
            );
        }
        let config = directory.path().join("worker.capnp");
        let storage = directory.path().join("storage");
        std::fs::create_dir(&storage).expect("a folder for Durable Objects");
        let text = capnp(settings, coordinators, &storage);
        std::fs::write(&config, text).expect("the configuration is written");
        Self::run(directory).await
    }

    /// Ends the process without a warning and starts another one on the same storage, elsewhere.
    ///
    /// # Panics
    /// When the Worker does not come up.
    pub async fn restart(self) -> Self {
        let mut stopped = self;
        stopped.process.kill().expect("it runs");
        let _status = stopped.process.wait();
        let directory = tempfile::tempdir().expect("a temporary folder");
        let directory = std::mem::replace(&mut stopped.directory, directory);
        Self::run(directory).await
    }

    /// Runs what lies in the folder.
    async fn run(directory: tempfile::TempDir) -> Self {
        let program = from_environment("WARDGATE_WORKERD");
        let config = directory.path().join("worker.capnp");
        let mut process = Command::new(program)
            .args(["serve", "--control-fd=1"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("workerd starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (send_port, port) = mpsc::channel();
        follow(
            process.stdout.take().expect("piped"),
            Arc::clone(&log),
            Some(send_port),
        );
        follow(process.stderr.take().expect("piped"), Arc::clone(&log), None);

        // From here on a panic ends the process, since the value is dropped.
        let mut worker = Self {
            address: String::new(),
            process,
            log,
            directory,
        };
        let port = port.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| {
            panic!("workerd did not come up; it said: {}", worker.log());
        });
        worker.address = format!("127.0.0.1:{port}");
        let health = raw_request("GET", "/health", &[]);
        eventually("the Worker answers", async || {
            exchange(&worker.address, &health).await.is_some()
        })
        .await;
        worker
    }

    /// The Worker's URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the Worker and `workerd` have written so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("not poisoned").clone()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _killed = self.process.kill();
        let _status = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- the Worker's log ---\n{}", self.log());
        }
    }
}

/// The path in this variable.
///
/// # Panics
/// When the variable is not set, saying how the tests are meant to be run.
pub fn from_environment(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(value) => PathBuf::from(value),
        None => panic!("{variable} is not set: run `cargo xtask test`"),
    }
}

/// Copies the stream into the log, line by line, and sends the port as soon as a line reports it.
fn follow(stream: impl Read + Send + 'static, log: Arc<Mutex<String>>, port: Option<mpsc::Sender<u64>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            let event: Option<Value> = serde_json::from_str(&line).ok();
            let reported = event.as_ref().filter(|event| event["event"] == "listen");
            if let (Some(send), Some(port)) = (&port, reported.and_then(|event| event["port"].as_u64())) {
                // Nobody listens any more when the start was given up.
                let _sent = send.send(port);
            }
            let mut log = log.lock().expect("not poisoned");
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// The configuration for `workerd serve`.
fn capnp(settings: &Settings, coordinators: Coordinators, storage: &Path) -> String {
    let (date, flags) = compatibility();
    let mut modules = String::new();
    for (name, kind) in MODULES {
        write!(modules, "(name = {name:?}, {kind} = embed {name:?}), ").expect("a string grows");
    }
    let mut bindings = String::new();
    for (name, value) in settings {
        // JSON's escapes are among those of Cap'n Proto's text literals, as long as the text is ASCII.
        assert!(value.is_ascii(), "the value of {name} is ASCII");
        let (name, value) = (Value::from(name.as_str()), Value::from(value.as_str()));
        write!(bindings, "(name = {name}, text = {value}), ").expect("a string grows");
    }
    let program = coordinators.program();
    let namespace = match (coordinators, program) {
        (Coordinators::Absent, _) => "",
        (_, None) => r#"(name = "RATE_LIMITS", durableObjectNamespace = "RateLimits"), "#,
        (_, Some(_)) => {
            r#"(name = "RATE_LIMITS", durableObjectNamespace = (className = "RateLimits", serviceName = "other")), "#
        }
    };
    bindings.push_str(namespace);
    let mut modules_of_platform = String::new();
    for (name, body) in PLATFORM {
        let module = format!("test:{name}");
        write!(
            bindings,
            "(name = {name:?}, wrapped = (moduleName = {module:?})), "
        )
        .expect("a string grows");
        let program = format!("export default (env) => {{ {body} }};");
        write!(
            modules_of_platform,
            "(name = {module:?}, internal = true, esModule = {program:?}), "
        )
        .expect("a string grows");
    }
    let program = program.unwrap_or_default();
    let flags: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "other", worker = .other),
    (name = "disk", disk = (path = {storage:?}, writable = true)),
    (name = "network", network = (allow = ["local", "private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")],
  extensions = [(modules = [{modules_of_platform}])],
);
const edge :Workerd.Worker = (
  modules = [{modules}],
  compatibilityDate = {date:?},
  compatibilityFlags = [{flags}],
  bindings = [{bindings}],
  globalOutbound = "network",
  durableObjectNamespaces = [(className = "RateLimits", uniqueKey = "rate-limits", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
const other :Workerd.Worker = (
  modules = [(name = "other.js", esModule = "export class RateLimits {{ fetch() {{ {program} }} }} export default {{}};")],
  compatibilityDate = {date:?},
  durableObjectNamespaces = [(className = "RateLimits", uniqueKey = "other")],
  durableObjectStorage = (inMemory = void),
);
"#,
        flags = flags.join(", ")
    )
}

/// `compatibility_date` and `compatibility_flags` as `wrangler.toml` has them, so that the tests run what is deployed.
fn compatibility() -> (String, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wrangler.toml");
    let text = std::fs::read_to_string(path).expect("wrangler.toml lies beside the workspace's Cargo.toml");
    let value_of = |key: &str| {
        text.lines().find_map(|line| {
            Some(
                line.strip_prefix(key)?
                    .trim_start()
                    .strip_prefix('=')?
                    .trim()
                    .to_owned(),
            )
        })
    };
    let date = value_of("compatibility_date").expect("wrangler.toml has a compatibility_date");
    let flags = value_of("compatibility_flags").unwrap_or_else(|| "[]".to_owned());
    let flags: Vec<String> =
        serde_json::from_str(&flags).expect("compatibility_flags is a list of strings on one line");
    (date.trim_matches('"').to_owned(), flags)
}
