//! The whole of Wardgate, running: the issuer's own binary with a database of its own, the built Worker in `workerd`, and
//! the sample FHIR API behind it. Set up with the commands that the README shows.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::clock::eventually;
use crate::http::{Answer, client, send};
use crate::worker::{Settings, Worker, from_environment};

/// The FHIR API's name in tokens.
pub const AUDIENCE: &str = "https://edge.example/fhir";

/// The password of everybody in the tests. A test value, worth nothing elsewhere.
pub const PASSWORD: &str = "Correct-Horse-7-Battery";

/// The person of the tests: a patient of the sample data.
pub const PATIENT_EMAIL: &str = "ada@clinic.example";

/// Where a callback goes in the tests; nothing listens there, since the scripted browser stops before it.
pub const CALLBACK: &str = "https://app.example/callback";

/// A process that ends when it is dropped.
struct Service {
    process: Child,
    log: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _killed = self.process.kill();
        let _status = self.process.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- {} ---\n{log}", self.log.display());
        }
    }
}

/// Issuer, edge and API, connected.
pub struct Pair {
    /// The issuer's URL.
    pub issuer: String,
    /// The Worker.
    pub worker: Worker,
    client: reqwest::Client,
    /// The issuer's program.
    program: PathBuf,
    directory: tempfile::TempDir,
    _services: Vec<Service>,
}

impl Pair {
    /// Starts everything, with one signed-up patient ([`PATIENT_EMAIL`]) and no client.
    ///
    /// # Panics
    /// When something does not start; the processes' logs are shown.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with `more` at the end of the issuer's configuration.
    ///
    /// # Panics
    /// When something does not start; the processes' logs are shown.
    pub async fn start_with(more: &str) -> Self {
        Self::start_program(from_environment("WARDGATE_ISSUER"), more).await
    }

    /// The same with `program`, the issuer on a clock that [`Pair::move_clock`] moves: the path of `wardgate-moved-clock`.
    ///
    /// # Panics
    /// When something does not start; the processes' logs are shown.
    pub async fn start_with_clock(program: &str, more: &str) -> Self {
        Self::start_program(program.into(), more).await
    }

    /// Moves the issuer's clock to `seconds` after the machine's.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn move_clock(&self, seconds: i64) {
        move_clock(&self.path(CLOCK), seconds);
    }

    async fn start_program(program: PathBuf, more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let (issuer_port, fhir_port) = (free_port(), free_port());
        let issuer = format!("http://localhost:{issuer_port}");
        let fhir = format!("127.0.0.1:{fhir_port}");
        let mut sample = Command::new(from_environment("WARDGATE_SAMPLE_FHIR"));
        sample.args(["--listen", &fhir]);
        let sample = spawn(sample, directory.path().join("sample-fhir.log"));
        let settings: Settings = [
            ("WARDGATE_ISSUER", issuer.as_str()),
            ("WARDGATE_API_KEYS_URL", &format!("{issuer}/oauth2/token")),
            ("WARDGATE_AUDIENCES", AUDIENCE),
            ("WARDGATE_UPSTREAM", &format!("http://{fhir}/fhir")),
            ("WARDGATE_PREFIX", "/fhir"),
            ("WARDGATE_PUBLIC_URL", "https://edge.example"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let worker = Worker::start(&settings).await;
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{issuer_port}\"\npublic_url = \"{issuer}\"\n\
             [database]\npath = \"{folder}/wardgate.db\"\n\
             [keys]\nmaster_key_file = \"{folder}/master.key\"\n\
             [[resources]]\nidentifier = \"{AUDIENCE}\"\naliases = [\"api:zs_his\", \"{edge}/fhir\"]\n\
             search_url = \"{edge}/fhir\"\n\
             [outbound]\nallow_loopback_http = true\n{more}",
            edge = worker.url(),
            folder = directory.path().display(),
        );
        std::fs::write(directory.path().join("wardgate.toml"), config).expect("the configuration is written");
        move_clock(&directory.path().join(CLOCK), 0);

        let mut pair = Self {
            issuer,
            worker,
            client: client(),
            program,
            directory,
            _services: vec![sample],
        };
        pair.wardgate_ok(&["init"], "");
        pair.wardgate_ok(
            &[
                "user",
                "add",
                "--email",
                PATIENT_EMAIL,
                "--name",
                "Ada Example",
                "--fhir-user",
                "Patient/patient-11111",
                "--password-stdin",
            ],
            PASSWORD,
        );
        pair.serve().await;
        pair
    }

    async fn serve(&mut self) {
        let mut serve = self.command();
        serve.arg("serve");
        self._services
            .push(spawn(serve, self.directory.path().join("issuer.log")));
        let ready = format!("{}/health/ready", self.issuer);
        eventually("the issuer is ready", async || {
            self.client
                .get(&ready)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("WARDGATE_TEST_CLOCK", self.path(CLOCK))
            .arg("--config")
            .arg(self.path("wardgate.toml"));
        command
    }

    /// Runs `wardgate` with these arguments on this issuer's configuration.
    pub fn wardgate(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wardgate starts");
        process
            .stdin
            .take()
            .expect("piped")
            .write_all(input.as_bytes())
            .expect("the input is read");
        process.wait_with_output().expect("wardgate ends")
    }

    /// As [`Pair::wardgate`], and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn wardgate_ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.wardgate(arguments, input);
        let (out, error) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "wardgate {arguments:?} failed:\n{out}\n{error}"
        );
        out.into_owned()
    }

    /// Registers a client by `wardgate client add … --json` and gives its secret, if it has one.
    #[track_caller]
    pub fn add_client(&self, client_id: &str, arguments: &[&str]) -> Option<String> {
        let all: Vec<&str> = [
            &[
                "client",
                "add",
                "--client-id",
                client_id,
                "--name",
                client_id,
                "--json",
            ],
            arguments,
        ]
        .concat();
        let printed: Value = serde_json::from_str(&self.wardgate_ok(&all, "")).expect("JSON");
        printed["client_secret"].as_str().map(str::to_owned)
    }

    /// Registers a service that may ask for `scope`, and gives its secret.
    #[track_caller]
    pub fn add_service(&self, client_id: &str, scope: &str) -> String {
        let arguments = [
            "--type",
            "confidential",
            "--grant",
            "client_credentials",
            "--scope",
            scope,
        ];
        self.add_client(client_id, &arguments)
            .expect("a confidential client has a secret")
    }

    /// Registers a public app that may ask for `scope`, with [`CALLBACK`].
    #[track_caller]
    pub fn add_app(&self, client_id: &str, scope: &str) {
        let grants = ["--grant", "authorization_code", "--grant", "refresh_token"];
        let arguments = [
            &["--type", "public", "--redirect-uri", CALLBACK, "--scope", scope][..],
            &grants,
        ]
        .concat();
        self.add_client(client_id, &arguments);
    }

    /// The answer of the token endpoint to this form.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        send(
            self.client
                .post(format!("{}/oauth2/token", self.issuer))
                .form(form),
        )
        .await
    }

    /// The answer of an endpoint of the issuer to this form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.client.post(format!("{}{path}", self.issuer)).form(form)).await
    }

    /// The answer of the issuer to a JSON document from whoever holds this token.
    pub async fn post_json(&self, path: &str, token: &str, document: &Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.issuer));
        send(request.bearer_auth(token).json(document)).await
    }

    /// The answer of the issuer to a GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.client.get(format!("{}{path}", self.issuer))).await
    }

    /// The answer of the edge to a GET without a token.
    pub async fn call_openly(&self, path: &str) -> Answer {
        send(self.client.get(format!("{}{path}", self.worker.url()))).await
    }

    /// The answer of the edge to a GET with this token.
    pub async fn call(&self, path: &str, token: &str) -> Answer {
        send(
            self.client
                .get(format!("{}{path}", self.worker.url()))
                .bearer_auth(token),
        )
        .await
    }

    /// The answer of the edge to a GET with this API key and its secret.
    pub async fn call_with_key(&self, path: &str, key: &str, secret: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.worker.url()));
        send(request.header("X-API-Key", key).header("X-API-Secret", secret)).await
    }

    /// The answer of the issuer to a request without a body from whoever holds this token.
    pub async fn ask(&self, method: &str, path: &str, token: &str) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.issuer));
        send(request.bearer_auth(token)).await
    }

    /// A path in the folder of this pair.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// Where the shift of the clock stands.
const CLOCK: &str = "clock";

/// Renamed into place: whoever reads meanwhile reads a whole number.
fn move_clock(file: &std::path::Path, seconds: i64) {
    let new = file.with_extension("new");
    std::fs::write(&new, seconds.to_string()).expect("the clock is written");
    std::fs::rename(new, file).expect("the clock is moved");
}

fn spawn(mut command: Command, log: PathBuf) -> Service {
    let file = std::fs::File::create(&log).expect("a log file");
    let process = command
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a second handle"))
        .stderr(file)
        .spawn()
        .expect("the program starts");
    Service { process, log }
}

/// A port that was free a moment ago.
/// A port of this machine that nothing listens on at the moment.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
