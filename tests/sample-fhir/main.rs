//! A small FHIR R4 API in memory: what the edge guards in `cargo xtask dev` and in the tests.
//!
//! Purpose: something true to FHIR's RESTful API (HL7 FHIR R4, "RESTful API" and "Search") behind the edge: read,
//! vread, history, search, create, update, patch, delete, with the right content type, ETag, Location and
//! OperationOutcome. Any other FHIR server can take its place.
//!
//! Trusts: **everybody who reaches it.** It checks no token, since the edge has done so; it listens on this machine
//! only, and must never be reachable past the edge. It writes the identity headers that the edge adds
//! (`x-wardgate-*`) to its log, and no other header, so that one can see who the edge says is calling.
//!
//! Left out: profiles and validation beyond the resource type, search parameters other than those in `search`,
//! transactions, XML. What is written is gone when it ends.

mod answer;
mod api;
mod resources;
mod search;
mod store;

use std::{env, net::SocketAddr, process::ExitCode};

use tokio::net::TcpListener;

const USAGE: &str = "\
sample-fhir: a FHIR R4 API in memory, without any access control (that is the edge's work)

  --listen ADDRESS   where to listen (default 127.0.0.1:8789)
  --base URL         the FHIR base as clients see it, through the edge (default http://localhost:8787/fhir)
  --help             this text";

/// What the command line asks for.
#[derive(Debug, Eq, PartialEq)]
struct Options {
    listen: SocketAddr,
    base: String,
}

/// Reads the arguments; the error is what to print instead of starting.
fn options(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 8789)),
        base: "http://localhost:8787/fhir".to_owned(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--listen", Some(value)) => {
                options.listen = value
                    .parse()
                    .map_err(|_| format!("--listen {value}: not an address and port"))?;
            }
            ("--base", Some(value)) => value.trim_end_matches('/').clone_into(&mut options.base),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let served = async {
        let listener = TcpListener::bind(options.listen).await?;
        println!("sample-fhir listens on http://{}/fhir", listener.local_addr()?);
        axum::serve(listener, api::router(options.base)).await
    };
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sample-fhir could not listen on {}: {error}", options.listen);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{USAGE, options};

    #[test]
    fn takes_address_and_base() {
        let given = [
            "--listen",
            "127.0.0.1:0",
            "--base",
            "https://api.example.org/fhir/",
        ]
        .map(str::to_owned);
        let options = options(given.into_iter()).unwrap();
        assert_eq!(options.listen.port(), 0);
        assert_eq!(options.base, "https://api.example.org/fhir");
    }

    #[test]
    fn anything_else_gets_the_usage() {
        assert_eq!(
            options(["--port".to_owned(), "1".to_owned()].into_iter()).unwrap_err(),
            USAGE
        );
        assert!(options(["--listen".to_owned(), "here".to_owned()].into_iter()).is_err());
    }
}
