//! A running server, and clients that misbehave on purpose.

use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The name in certificates and in `server.public_url`.
pub(crate) const HOST: &str = "id.example.test";
/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A request that any visitor may make.
pub(crate) const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: id.example.test\r\n\r\n";

/// A folder with a configuration and everything that `init` makes.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With `more` in the configuration.
    pub(crate) fn new(more: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.configure(more);
        assert!(folder.command(&["init"]).status().unwrap().success());
        folder
    }

    /// Writes the configuration, with `more` at its end.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "server.listen = \"127.0.0.1:0\"\nkeys.master_key_file = \"master.key\"\nkeys.algorithm = \"ES256\"\n\
             passwords.memory_kib = 8192\npasswords.iterations = 1\nlogging.filter = \"info,wardgate_issuer=debug\"\n\
             resources = [{{ identifier = \"https://api.example.org/fhir\" }}]\n{more}\n"
        );
        std::fs::write(self.path("wardgate.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command over this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardgate"));
        command
            .env_clear()
            .arg("--config")
            .arg(self.path("wardgate.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The exit code of a command that fails, and its sentence.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        // The log may stand before it.
        let sentence = said.lines().find(|line| line.starts_with("wardgate: "));
        (output.status.code().unwrap(), sentence.unwrap_or(&said).into())
    }

    /// Starts the server.
    pub(crate) fn serve(self) -> Running {
        let command = self.command(&["serve"]);
        Running::start(self, command)
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) folder: Folder,
    pub(crate) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Running {
    pub(crate) fn start(folder: Folder, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut stderr, writer) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut bytes) {
                writer
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        let address = first.split(" on ").nth(1).and_then(|rest| rest.split(';').next());
        let Some(address) = address else {
            panic!("{first} {}", log.lock().unwrap());
        };
        Self {
            folder,
            address: address.parse().unwrap(),
            child,
            log,
        }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has `said`.
    pub(crate) async fn logs(&self, said: &str) {
        until(|| async { self.log().contains(said) }).await;
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the process is over.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let mut status = None;
        for _ in 0..PATIENCE.as_millis() / 20 {
            status = self.child.try_wait().unwrap();
            if status.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (status.expect("the process did not end"), self.log())
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects from another address of this machine.
    pub(crate) async fn connect_from(&self, address: &str) -> TcpStream {
        connect_from(address.parse().unwrap(), self.address).await
    }

    /// Whether a newcomer is answered.
    pub(crate) async fn answers(&self, from: &str) -> bool {
        let mut stream = self.connect_from(from).await;
        stream.write_all(LIVE.as_bytes()).await.unwrap();
        read_head(&mut stream).await.starts_with("HTTP/1.1 200")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) async fn connect_from(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    socket.connect(to).await.unwrap()
}

/// Waits until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come about");
}

/// The status line and headers of an answer.
pub(crate) async fn read_head<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    let read = async {
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    String::from_utf8(head).unwrap()
}

/// Everything until the other side closes.
pub(crate) async fn read_all<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    // Whether it closes politely or not.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    String::from_utf8_lossy(&bytes).into()
}

/// An authority that signs certificates.
pub(crate) struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = parameters.self_signed(&key).unwrap();
        let der = own.der().clone();
        Self(Issuer::new(parameters, key), der)
    }

    /// A certificate and its key in PEM form, changed by `change`.
    pub(crate) fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.into()]).unwrap();
        change(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes a good pair into the folder.
    pub(crate) fn install(&self, folder: &Folder) {
        let (certificate, key) = self.issue(HOST, |_| ());
        write_pair(folder, &certificate, &key);
    }

    pub(crate) fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&[u8]],
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.1.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }

    /// A connection under TLS, of the newest version and HTTP/1.1.
    pub(crate) async fn connect(&self, server: &Running) -> TlsStream<TcpStream> {
        let connector = self.client(rustls::ALL_VERSIONS, &[b"http/1.1"]);
        connector
            .connect(server_name(), server.connect().await)
            .await
            .unwrap()
    }
}

pub(crate) fn server_name() -> ServerName<'static> {
    ServerName::try_from(HOST).unwrap()
}

/// Writes a pair where [`TLS`] has it.
pub(crate) fn write_pair(folder: &Folder, certificate: &str, key: &str) {
    write_file(&folder.path("certificate.pem"), certificate, 0o644);
    write_file(&folder.path("key.pem"), key, 0o600);
}

pub(crate) fn write_file(path: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The configuration for TLS.
pub(crate) const TLS: &str = "server.public_url = \"https://id.example.test\"\ntls.certificate = \"certificate.pem\"\n\
                              tls.private_key = \"key.pem\"";
