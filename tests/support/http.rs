//! Two ways to speak HTTP: reqwest for requests as a client library makes them, and raw bytes over TCP for what no
//! library would send.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long any exchange may take. Far beyond every time limit that tests configure.
const PATIENCE: Duration = Duration::from_secs(20);

/// Header fields in order of arrival: names in lower case, values as bytes.
#[derive(Clone, Default)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// The only value of this header, as text.
    ///
    /// # Panics
    /// When it came more than once, or is no text.
    #[track_caller]
    pub fn one(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() <= 1, "{name} came {} times", values.len());
        values
            .first()
            .map(|value| std::str::from_utf8(value).expect("text"))
    }

    /// All values of this header.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.0
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_slice())
            .collect()
    }

    /// The names, each once.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl From<&HeaderMap> for Headers {
    fn from(map: &HeaderMap) -> Self {
        Self(
            map.iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.escape_ascii()));
        formatter.debug_list().entries(fields).finish()
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The whole body, transfer coding taken off.
    pub body: Vec<u8>,
}

impl Answer {
    /// The only value of this header, as text; see [`Headers::one`].
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.one(name)
    }

    /// All values of this header.
    pub fn header_values(&self, name: &str) -> Vec<&[u8]> {
        self.headers.all(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("a JSON body, not: {}", self.text()))
    }
}

/// A client that follows no redirect, knows no proxy and sets no header of its own beyond the necessary ones.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

/// Sends the request and reads the whole response.
///
/// # Panics
/// When no response comes.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    try_send(request).await.expect("a whole response")
}

/// Sends the request and reads the whole response, if one comes.
pub async fn try_send(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let headers = Headers::from(response.headers());
    let body = response.bytes().await.ok()?.to_vec();
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// A request as bytes: the request line, `Host`, `Connection: close` and the given header lines, no body.
pub fn raw_request(method: &str, target: &str, header_lines: &[&[u8]]) -> Vec<u8> {
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n").into_bytes();
    for line in header_lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Sends these bytes to `address` (`host:port`) on a connection of their own and reads one response; `None` when the
/// server closes the connection without one.
///
/// # Panics
/// When the server accepts no connection, or is silent for too long.
pub async fn exchange(address: &str, request: &[u8]) -> Option<Answer> {
    let whole = async {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // The server may refuse and close while the request is still being written; what it said counts.
        let _sent = stream.write_all(request).await;
        let mut received = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            if let Some(answer) = parse(&received, false) {
                return Some(answer);
            }
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return parse(&received, true),
                Ok(count) => received.extend_from_slice(&chunk[..count]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, whole)
        .await
        .expect("an answer in time")
}

/// The response in `bytes`, if it is whole. `closed` says that no more will come.
fn parse(bytes: &[u8], closed: bool) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut lines = bytes[..head_end]
        .split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_end());
    let status_line = std::str::from_utf8(lines.next()?).ok()?;
    let status: u16 = status_line.split(' ').nth(1)?.parse().ok()?;
    let fields = lines
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').expect("a header line");
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            (name, line[colon + 1..].trim_ascii().to_vec())
        })
        .collect();
    let headers = Headers(fields);
    let rest = &bytes[head_end + 4..];
    if (100..200).contains(&status) {
        return parse(rest, closed);
    }
    let find = |name: &str| headers.all(name).first().copied();
    let body = if find("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case(b"chunked")) {
        dechunk(rest)?
    } else if let Some(length) = find("content-length") {
        let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
        if rest.len() < length && !closed {
            return None;
        }
        rest[..length.min(rest.len())].to_vec()
    } else if closed || status == 204 || status == 304 {
        rest.to_vec()
    } else {
        return None;
    };
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// The chunked body in `bytes`, if its last chunk has come (RFC 9112 section 7.1).
fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..line_end])
            .ok()?
            .split(';')
            .next()?
            .trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        bytes = &bytes[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}
