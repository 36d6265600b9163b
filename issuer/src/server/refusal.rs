//! What somebody is told for whom there is no place. It costs little, and nobody is waited for long.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::admission::Refused;

/// How long somebody may take to read why they are refused.
const LEAVE: Duration = Duration::from_secs(1);
/// A fatal alert of TLS, `internal_error` (RFC 8446 section 6), as a record of its own: it needs no handshake.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: 107\r\n\
                        cache-control: no-store\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
                        {\"type\":\"about:blank\",\"title\":\"Too many connections\",\"status\":503,\"detail\":\"There is no place for another\"}";
const TOO_MANY_FROM_THERE: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\ncontent-length: 114\r\n\
                                   cache-control: no-store\r\nretry-after: 5\r\nconnection: close\r\n\r\n\
                                   {\"type\":\"about:blank\",\"title\":\"Too many connections\",\"status\":429,\"detail\":\"There are too many from this address\"}";

/// Says why, and closes. Where there is a `leave`, it first waits a little for the peer to have read it: closing a socket that has
/// unread bytes takes the answer back.
pub(super) async fn refuse(
    mut stream: TcpStream,
    refused: Refused,
    speaks_tls: bool,
    leave: Option<OwnedSemaphorePermit>,
) {
    let said = match (speaks_tls, refused) {
        (true, Refused::Everybody | Refused::Network) => &ALERT[..],
        (false, Refused::Everybody) => TOO_MANY.as_bytes(),
        (false, Refused::Network) => TOO_MANY_FROM_THERE.as_bytes(),
    };
    let until_gone = async {
        stream.write_all(said).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while leave.is_some() && stream.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // Whether the peer went or the time is over: it was told.
    let _ = tokio::time::timeout(LEAVE, until_gone).await;
}

#[cfg(test)]
mod tests {
    use super::{TOO_MANY, TOO_MANY_FROM_THERE};

    #[test]
    fn answers_are_as_long_as_they_say() {
        for answer in [TOO_MANY, TOO_MANY_FROM_THERE] {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(&format!("content-length: {}\r\n", body.len())),
                "{}",
                body.len()
            );
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(head.contains(&problem["status"].to_string()));
        }
    }
}
