//! Section `tls`: the issuer's own certificate, where no proxy has one in its place.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::ServerConfig;
use super::reader::Reader;

/// TLS on `server.listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The PEM file with the certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The PEM file with the certificate's private key.
    pub private_key: PathBuf,
    /// How often it is looked whether the files have changed.
    pub reload: Duration,
    /// Where requests by http are sent on to https.
    pub redirect_listen: Option<SocketAddr>,
    /// The folder into which an ACME client puts what proves the name, to be fetched by http.
    pub acme_webroot: Option<PathBuf>,
}

/// The section; `Some(None)` where it is not there.
#[expect(
    clippy::option_option,
    reason = "outside is whether it was read, inside whether there is one"
)]
pub(super) fn read(reader: &mut Reader<'_>, server: Option<&ServerConfig>) -> Option<Option<TlsConfig>> {
    let reload = reader.number("tls.reload_seconds", 1..=86_400, "seconds");
    let files = [
        ("tls.certificate", "tls.private_key"),
        ("tls.private_key", "tls.certificate"),
    ];
    let mut is_whole = true;
    for (given, other) in files {
        if reader.optional(given).is_some() && reader.optional(other).is_none() {
            reader.fault(other, format!("must be set together with {given}"));
            is_whole = false;
        }
    }
    let is_on = is_given(reader);
    let redirect_listen = match reader.optional("tls.redirect_listen") {
        None => Some(None),
        Some(_) if !is_on => {
            reader.fault("tls.redirect_listen", "must not be set without tls.certificate");
            None
        }
        Some(_) => reader
            .parsed("tls.redirect_listen", |text| {
                text.parse()
                    .map_err(|_| "must be an IP address and a port, such as 0.0.0.0:80")
            })
            .map(Some),
    };
    let acme_webroot = match reader.optional("tls.acme_webroot") {
        None => Some(None),
        Some(_) if reader.optional("tls.redirect_listen").is_none() => {
            reader.fault("tls.acme_webroot", "must not be set without tls.redirect_listen");
            None
        }
        Some(_) => reader.path("tls.acme_webroot").map(Some),
    };
    if !is_on {
        return (is_whole && redirect_listen.is_some() && acme_webroot.is_some()).then_some(None);
    }
    let certificate = reader.path("tls.certificate");
    let private_key = reader.path("tls.private_key");
    if let Some(server) = server {
        if !server.public_url.is_https() {
            reader.fault("server.public_url", "must be https, since tls.certificate is set");
        }
        if redirect_listen == Some(Some(server.listen)) && server.listen.port() != 0 {
            reader.fault("tls.redirect_listen", "must not be server.listen");
        }
    }
    Some(Some(TlsConfig {
        certificate: certificate?,
        private_key: private_key?,
        reload: Duration::from_secs(reload?.try_into().ok()?),
        redirect_listen: redirect_listen?,
        acme_webroot: acme_webroot?,
    }))
}

/// Whether the issuer has a certificate of its own.
pub(super) fn is_given(reader: &Reader<'_>) -> bool {
    ["tls.certificate", "tls.private_key"]
        .into_iter()
        .all(|key| reader.optional(key).is_some())
}

#[cfg(test)]
mod tests;
