//! The server behind the candidates and the issuer they trust: a thread for each connection, that answers at once. And the
//! one request that is sent without a load generator.
//!
//! Trusts: those it talks to, which this program has started. Only requests without a body are understood.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, RwLock},
    thread,
    time::Duration,
};

use crate::fault::{OrFault as _, Outcome};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","active":true,"name":[{"family":"Rahman","given":["Amina"]}],"gender":"female","birthDate":"1985-02-28"}"#;
const PATIENCE: Duration = Duration::from_secs(10);

/// A listening upstream. Its threads end with the program.
pub(super) struct Upstream {
    port: u16,
    documents: Arc<RwLock<Documents>>,
}

#[derive(Default)]
struct Documents {
    keys: Vec<u8>,
    statuses: Vec<u8>,
}

impl Upstream {
    /// Listens on a free port of this machine.
    pub(super) fn listen() -> Outcome<Self> {
        let what = || "listen as the upstream".to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").or_fault(what)?;
        let port = listener.local_addr().or_fault(what)?.port();
        let documents = Arc::new(RwLock::new(Documents::default()));
        let served = Arc::clone(&documents);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let documents = Arc::clone(&served);
                // A connection that breaks is the candidate's loss, and shows as such.
                thread::spawn(move || drop(serve(&stream, &documents)));
            }
        });
        Ok(Self { port, documents })
    }

    /// Its URL, which is the issuer's too.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on it serves these documents as an issuer.
    pub(super) fn publish(&self, keys: Vec<u8>, statuses: Vec<u8>) {
        if let Ok(mut documents) = self.documents.write() {
            *documents = Documents { keys, statuses };
        }
    }
}

fn serve(stream: &TcpStream, documents: &RwLock<Documents>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let is_for = |path: &[u8]| line.get(4..).is_some_and(|rest| rest.starts_with(path));
        let (media_type, body) = match documents.read() {
            Ok(documents) if is_for(b"/jwks.json") => ("application/json", documents.keys.clone()),
            Ok(documents) if is_for(b"/statuses/") => {
                ("application/statuslist+jwt", documents.statuses.clone())
            }
            _ => ("application/fhir+json", PATIENT.as_bytes().to_vec()),
        };
        // The rest of the head; an empty line ends it.
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? <= 2 {
                break;
            }
        }
        let length = body.len();
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\nETag: W/\"1\"\r\n\r\n"
        )
        .into_bytes();
        answer.extend(body);
        reader.get_mut().write_all(&answer)?;
    }
}

/// The status of the answer to one GET on a connection of its own.
pub(super) fn status_of(port: u16, path: &str, token: Option<&str>) -> Outcome<u16> {
    let what = || format!("ask for {path} on port {port}");
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let credential = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{credential}Connection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().or_fault(what)?;
    let status = answer.get(9..12).map(String::from_utf8_lossy).unwrap_or_default();
    status.parse().or_fault(what)
}
