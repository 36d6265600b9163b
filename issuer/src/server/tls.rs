//! TLS 1.2 and 1.3 (RFC 5246 with RFC 9325, RFC 8446), with a certificate that can be replaced while connections go on.
//!
//! rustls offers nothing below: no older version, no suite without forward secrecy and authenticated encryption, no compression,
//! no renegotiation. Early data (0-RTT) is off: it can be replayed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use wardgate_shared::time::Timestamp;

use crate::config::{PublicUrl, TlsConfig};
use crate::domain::instant;

use super::certificate::{CertificateError, Checked, Files, check};

/// The protocols above TLS, the better one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// How long before its end a certificate is spoken of at each look.
const ENDS_SOON_SECONDS: i64 = 14 * 86_400;

/// TLS for one socket. Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    pair: Arc<Pair>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}

/// What came of a look at the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// They are as they were at the last look.
    Unchanged,
    /// The new pair is used from now on.
    Replaced {
        /// When its certificate ends.
        not_after: Timestamp,
    },
    /// The new pair is not used; the old one stays.
    Refused(CertificateError),
}

impl Tls {
    /// Loads the pair that the configuration names.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(config: TlsConfig, public_url: PublicUrl, now: Timestamp) -> Result<Self, TlsError> {
        let files = Files::read(&config)?;
        let checked = check(&files, &config, &public_url, now)?;
        say_what_is_odd(&checked, &public_url, now);
        let pair = Arc::new(Pair {
            current: RwLock::new(Arc::new(checked.key)),
            looked: Mutex::new(Looked {
                digest: Some(files.digest()),
                not_after: checked.not_after,
            }),
            config,
            public_url,
        });
        let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(pair.clone());
        server.alpn_protocols = PROTOCOLS.map(Vec::from).to_vec();
        server.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            pair,
        })
    }

    /// The handshake.
    pub(super) fn accept(&self, stream: TcpStream) -> tokio_rustls::Accept<TcpStream> {
        self.acceptor.accept(stream)
    }

    /// When the certificate in use ends.
    pub fn ends_at(&self) -> Timestamp {
        self.pair
            .looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .not_after
    }

    /// How often to look at the files.
    pub fn cadence(&self) -> Duration {
        self.pair.config.reload
    }

    /// Looks at the files, and says in the log what came of it. A pair that was refused is not spoken of again before it changes.
    pub async fn reload(&self, now: Timestamp) {
        let pair = self.pair.clone();
        let Ok(reload) = tokio::task::spawn_blocking(move || pair.reload(now)).await else {
            return;
        };
        match reload {
            Reload::Unchanged => {}
            Reload::Replaced { not_after } => {
                tracing::info!(until = %instant::rfc3339(not_after), "the TLS certificate was replaced");
            }
            Reload::Refused(error) => {
                tracing::error!(%error, "the new TLS certificate is not used, the old one stays");
            }
        }
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The pair cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The library refuses.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// The pair that handshakes get.
#[derive(Debug)]
struct Pair {
    current: RwLock<Arc<CertifiedKey>>,
    looked: Mutex<Looked>,
    config: TlsConfig,
    public_url: PublicUrl,
}

/// What was seen at the last look.
#[derive(Debug)]
struct Looked {
    /// Of the files; none when they could not be read.
    digest: Option<[u8; 32]>,
    /// When the certificate in use ends.
    not_after: Timestamp,
}

impl Pair {
    fn reload(&self, now: Timestamp) -> Reload {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match Files::read(&self.config) {
            Ok(files) => files,
            // Said once, until they can be read again.
            Err(_) if looked.digest.is_none() => return Reload::Unchanged,
            Err(error) => {
                looked.digest = None;
                return Reload::Refused(error);
            }
        };
        let digest = files.digest();
        if looked.digest == Some(digest) {
            say_what_ends(looked.not_after, now);
            return Reload::Unchanged;
        }
        looked.digest = Some(digest);
        match check(&files, &self.config, &self.public_url, now) {
            Ok(checked) => {
                say_what_is_odd(&checked, &self.public_url, now);
                looked.not_after = checked.not_after;
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(checked.key);
                Reload::Replaced {
                    not_after: looked.not_after,
                }
            }
            Err(error) => Reload::Refused(error),
        }
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(
            self.current
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }
}

/// Behind a proxy that has the public certificate, ours may be for another name: said, not refused.
fn say_what_is_odd(checked: &Checked, public_url: &PublicUrl, now: Timestamp) {
    if !checked.names_host {
        let host = public_url.host();
        tracing::warn!(
            host,
            "the TLS certificate is not for the host of server.public_url"
        );
    }
    say_what_ends(checked.not_after, now);
}

fn say_what_ends(not_after: Timestamp, now: Timestamp) {
    if not_after.since(now) < ENDS_SOON_SECONDS {
        tracing::warn!(until = %instant::rfc3339(not_after), "the TLS certificate ends soon, or is over");
    }
}
