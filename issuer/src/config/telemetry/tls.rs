//! What of the section `telemetry` is about TLS: whom the issuer believes to be its collector, and what it shows there of itself.
//!
//! Files are checked when they are read, so that a wrong one stops the start and not the traces. Trusts whoever wrote them. Left out:
//! reading them again while the issuer runs.

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use wardgate_shared::secret::Secret;

use crate::config::messages::read_file;
use crate::config::reader::Reader;

/// How the collector and the issuer know each other. Where nothing is set: the authorities of the machine, and no certificate of ours.
#[derive(Clone, Debug, Default)]
pub struct CollectorTls {
    /// The only authorities that are trusted; empty for those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The issuer's certificate for this, those between it and its authority, and its key: PEM.
    pub identity: Option<Secret<String>>,
}

const AUTHORITIES: &str = "telemetry.ca_file";
const CERTIFICATE: &str = "telemetry.client_certificate";
const KEY: &str = "telemetry.client_key";

/// The keys; `None` after a fault.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<CollectorTls> {
    let (authorities, identity) = (authorities(reader), identity(reader));
    Some(CollectorTls {
        authorities: authorities?,
        identity: identity?,
    })
}

fn authorities(reader: &mut Reader<'_>) -> Option<Vec<CertificateDer<'static>>> {
    if reader.optional(AUTHORITIES).is_none() {
        return Some(Vec::new());
    }
    let pem = file(reader, AUTHORITIES)?;
    let certificates = certificates(pem.expose());
    let mut store = RootCertStore::empty();
    let is_good = |found: &Vec<CertificateDer<'static>>| {
        let mut each = found.iter();
        !found.is_empty() && each.all(|certificate| store.add(certificate.clone()).is_ok())
    };
    let certificates = certificates.filter(is_good);
    if certificates.is_none() {
        reader.fault(AUTHORITIES, "must hold certificates in PEM form");
    }
    certificates
}

/// `Some(None)` where there is none.
#[expect(
    clippy::option_option,
    reason = "outside is whether it was read, inside whether there is one"
)]
fn identity(reader: &mut Reader<'_>) -> Option<Option<Secret<String>>> {
    match [CERTIFICATE, KEY].map(|key| reader.optional(key).is_some()) {
        [false, false] => return Some(None),
        [true, true] => {}
        [is_certificate, _] => {
            let (given, missing) = if is_certificate {
                (CERTIFICATE, KEY)
            } else {
                (KEY, CERTIFICATE)
            };
            reader.fault(missing, format!("must be set together with {given}"));
            return None;
        }
    }
    let (certificate, key) = (file(reader, CERTIFICATE), file(reader, KEY));
    let (certificate, key) = (certificate?, key?);
    let chain = certificates(certificate.expose()).filter(|chain| !chain.is_empty());
    let Some(chain) = chain else {
        reader.fault(CERTIFICATE, "must hold a certificate in PEM form");
        return None;
    };
    let Ok(private) = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()) else {
        reader.fault(KEY, "must hold a private key in PEM form, without a passphrase");
        return None;
    };
    if CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).is_err() {
        reader.fault(
            KEY,
            "must be the key of telemetry.client_certificate, of a kind that TLS takes",
        );
        return None;
    }
    let pem = format!("{}\n{}", certificate.expose(), key.expose());
    Some(Some(Secret::new(pem)))
}

fn file(reader: &mut Reader<'_>, key: &str) -> Option<Secret<String>> {
    let path = reader.path(key)?;
    read_file(reader, key, path).map(|text| Secret::new(text.as_str().into()))
}

/// The certificates in a text; `None` when one is damaged.
fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .ok()
}
