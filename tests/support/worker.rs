//! The built Worker in the real `workerd`, one process a test, from such a folder as `cargo xtask edge bundle` writes.
//!
//! `workerd` picks a free port itself and reports it on its standard output; nothing races for it. What the Worker logs
//! is kept and shown when the test fails.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use xtask::bundle::{self, Compatibility, MODULES, Network, Variable};

use crate::clock::eventually;
use crate::http::{exchange, raw_request};

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
        let texts = settings
            .iter()
            .map(|(name, value)| (name.clone(), Variable::Text(value.clone())));
        Self::start_from(texts.collect(), coordinators).await
    }

    /// The same with variables that need not be text.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub async fn start_from(variables: Vec<(String, Variable)>, coordinators: Coordinators) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        install(directory.path(), variables, coordinators);
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
        let mut process = Command::new(workerd())
            .args(["serve", "--control-fd=1", bundle::CONFIG])
            .current_dir(directory.path())
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

/// Writes the folder that the Worker runs from: as `cargo xtask edge bundle` does, from the Worker in `WARDGATE_WORKER_DIR`,
/// or from the folder that it has written, in `WARDGATE_EDGE_BUNDLE`. Settings and coordinators are the test's.
fn install(folder: &Path, variables: Vec<(String, Variable)>, coordinators: Coordinators) {
    let network = |name| Network::parse(name).expect("a network");
    let settings = bundle::Settings {
        address: "127.0.0.1:0".to_owned(),
        networks: ["local", "private", "public"].map(network).to_vec(),
        variables,
    };
    if let Some(made) = made_bundle() {
        std::fs::create_dir(folder.join(bundle::WORKER)).expect("a folder");
        std::fs::create_dir(folder.join(bundle::STORAGE)).expect("a folder");
        let modules = MODULES.map(|(name, _)| format!("{}/{name}", bundle::WORKER));
        for file in modules.iter().map(String::as_str).chain([bundle::CONFIG]) {
            let copied = std::fs::copy(made.join(file), folder.join(file));
            assert!(copied.is_ok(), "no {file} in WARDGATE_EDGE_BUNDLE");
        }
        bundle::write_settings(folder, &settings).expect("settings are written");
    } else {
        let built = from_environment("WARDGATE_WORKER_DIR");
        let written = bundle::write(folder, &built, &compatibility(), Some(&settings));
        written.unwrap_or_else(|error| {
            panic!("no Worker in WARDGATE_WORKER_DIR: run `cargo xtask test` ({error})")
        });
    }
    let (config, settings) = (folder.join(bundle::CONFIG), folder.join(bundle::SETTINGS));
    let mut bindings = match coordinators.program() {
        None if coordinators == Coordinators::Own => bundle::COORDINATOR_BINDING.to_owned(),
        None => String::new(),
        Some(program) => {
            change(
                &config,
                "  services = [\n",
                &other_service(program, &compatibility().date),
            );
            r#"(name = "RATE_LIMITS", durableObjectNamespace = (className = "RateLimits", serviceName = "other")),"#.to_owned()
        }
    };
    let mut modules = String::new();
    for (name, body) in PLATFORM {
        let module = format!("test:{name}");
        bindings += &format!("(name = {name:?}, wrapped = (moduleName = {module:?})), ");
        let program = format!("export default (env) => {{ {body} }};");
        modules += &format!("(name = {module:?}, internal = true, esModule = {program:?}), ");
    }
    change(&settings, bundle::COORDINATOR_BINDING, &bindings);
    let extensions = format!("  extensions = [(modules = [{modules}])],\n  sockets = ");
    change(&config, "  sockets = ", &extensions);
}

/// The list of services, begun with one whose Durable Objects answer as this program does.
fn other_service(program: &str, date: &str) -> String {
    format!(
        r#"  services = [
    (name = "other", worker = (
      modules = [
        (name = "other.js", esModule = "export class RateLimits {{ fetch() {{ {program} }} }} export default {{}};"),
      ],
      compatibilityDate = {date:?},
      durableObjectNamespaces = [(className = "RateLimits", uniqueKey = "other")],
      durableObjectStorage = (inMemory = void),
    )),
"#
    )
}

/// Puts `new` in the place of `old`, which is there once.
fn change(file: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(file).expect("a configuration");
    assert_eq!(text.matches(old).count(), 1, "{old:?} stands once in {text}");
    std::fs::write(file, text.replace(old, new)).expect("the configuration is written");
}

/// What `wrangler.toml` says, so that the tests run what is deployed.
pub fn compatibility() -> Compatibility {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wrangler.toml");
    let text = std::fs::read_to_string(path).expect("wrangler.toml lies beside the workspace's Cargo.toml");
    Compatibility::parse(&text).expect("compatibility_date is in wrangler.toml")
}

/// The folder that `cargo xtask edge bundle` has written, if the tests are to run what is in it.
fn made_bundle() -> Option<PathBuf> {
    std::env::var_os("WARDGATE_EDGE_BUNDLE").map(PathBuf::from)
}

/// The `workerd` that runs the Worker: the folder's own, where it has one.
pub fn workerd() -> PathBuf {
    made_bundle()
        .map(|folder| folder.join(bundle::WORKERD))
        .filter(|program| program.is_file())
        .unwrap_or_else(|| from_environment("WARDGATE_WORKERD"))
}
