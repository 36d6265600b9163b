//! Where the services of `cargo xtask dev` listen. They are fixed, since clients are registered with them.

use std::{io::ErrorKind, net::TcpListener};

use crate::fault::{Fault, Outcome};

/// The edge's port.
pub(super) const EDGE_PORT: u16 = 8787;
/// The issuer's port.
pub(super) const ISSUER_PORT: u16 = 8788;
/// The sample FHIR API's port.
pub(super) const SAMPLE_PORT: u16 = 8789;

/// The edge.
pub(super) const EDGE: &str = "http://localhost:8787";
/// The FHIR base at the edge: what clients call, and the audience of their tokens.
pub(super) const FHIR: &str = "http://localhost:8787/fhir";
/// The issuer.
pub(super) const ISSUER: &str = "http://localhost:8788";
/// The API that the edge guards.
pub(super) const UPSTREAM: &str = "http://localhost:8789/fhir";

/// Names every port that another program holds, before anything is started.
pub(super) fn refuse_taken_ports() -> Outcome<()> {
    let uses = [
        (EDGE_PORT, "the edge"),
        (ISSUER_PORT, "the issuer"),
        (SAMPLE_PORT, "the sample FHIR API"),
    ];
    let taken: Vec<String> = uses
        .into_iter()
        .filter(|&(port, _)| is_taken(port))
        .map(|(port, user)| format!("port {port}, which {user} needs, is taken by another program"))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    Err(Fault::new(format!(
        "{}. Is another `cargo xtask dev` running? Stop it with Ctrl-C; otherwise `lsof -i :PORT` or `ss -ltnp` \
         names the program",
        taken.join("; ")
    )))
}

fn is_taken(port: u16) -> bool {
    let in_use =
        |host: &str| TcpListener::bind((host, port)).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
    in_use("127.0.0.1") || in_use("::1")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::is_taken;

    #[test]
    fn sees_a_port_that_someone_listens_on() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_taken(port));
        drop(listener);
        assert!(!is_taken(port));
    }
}
