//! A certificate and its private key, from their PEM files, checked before anybody sees them.
//!
//! What is checked here is what makes every client refuse the server, or the key worthless: that the two belong together, the time of
//! the certificate, the name that it is for, who may read the key. Whether its authority is trusted is for clients to say.

use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use wardgate_shared::time::Timestamp;
use zeroize::Zeroizing;

use crate::config::{PublicUrl, TlsConfig};
use crate::domain::instant;

/// The bytes of both files.
pub(super) struct Files {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
}

/// A pair that may be used.
#[derive(Debug)]
pub struct Checked {
    /// The pair.
    pub key: CertifiedKey,
    /// When the certificate ends.
    pub not_after: Timestamp,
    /// Whether it names the host of `server.public_url`.
    pub names_host: bool,
}

/// Why a pair is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{} cannot be read: {problem}", .file.display(), problem = .problem)]
    File {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: std::io::ErrorKind,
    },
    /// Every user of the machine may read the private key.
    #[error("{} can be read by every user of this machine: only the issuer may, as by chmod 600", .0.display())]
    Exposed(PathBuf),
    /// There is no certificate in the file.
    #[error("{} holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    #[error("{} holds no private key in PEM form, or one with a passphrase", .0.display())]
    NoKey(PathBuf),
    /// The certificate is damaged, or none that TLS takes.
    #[error("{} holds a certificate that cannot be used", .0.display())]
    BadCertificate(PathBuf),
    /// The key is damaged or of a kind that TLS does not take.
    #[error("{} holds a private key that cannot be used: RSA from 2048 bits, ECDSA (P-256, P-384, P-521) and Ed25519 are", .0.display())]
    BadKey(PathBuf),
    /// Certificate and key do not belong together.
    #[error("{} is not the private key of the certificate in {}", .private_key.display(), .certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        private_key: PathBuf,
    },
    /// The certificate is over.
    #[error("the certificate in {} expired at {at}", .file.display(), at = instant::rfc3339(*.at))]
    Expired {
        /// The file.
        file: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// The certificate is not valid yet.
    #[error("the certificate in {} is not valid before {at}", .file.display(), at = instant::rfc3339(*.at))]
    NotYet {
        /// The file.
        file: PathBuf,
        /// From when.
        at: Timestamp,
    },
}

/// Reads and checks the pair that the configuration names.
///
/// # Errors
/// [`CertificateError`].
pub fn load(config: &TlsConfig, public_url: &PublicUrl, now: Timestamp) -> Result<Checked, CertificateError> {
    let files = Files::read(config)?;
    check(&files, config, public_url, now)
}

impl Files {
    /// Reads both.
    pub(super) fn read(config: &TlsConfig) -> Result<Self, CertificateError> {
        if is_exposed(&config.private_key) {
            return Err(CertificateError::Exposed(config.private_key.clone()));
        }
        Ok(Self {
            certificate: read(&config.certificate)?,
            private_key: Zeroizing::new(read(&config.private_key)?),
        })
    }

    /// A number that changes when a file does.
    pub(super) fn digest(&self) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        digest.update(&self.certificate);
        // The key is long and random: its digest gives nothing away.
        digest.update(self.private_key.as_slice());
        digest.finalize().into()
    }
}

/// Checks what was read.
pub(super) fn check(
    files: &Files,
    config: &TlsConfig,
    public_url: &PublicUrl,
    now: Timestamp,
) -> Result<Checked, CertificateError> {
    let certificate_file = || config.certificate.clone();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&files.certificate)
        .collect::<Result<_, pem::Error>>()
        .map_err(|_| CertificateError::BadCertificate(certificate_file()))?;
    let own = chain
        .first()
        .ok_or_else(|| CertificateError::NoCertificate(certificate_file()))?;
    let (not_before, not_after) =
        validity(own).ok_or_else(|| CertificateError::BadCertificate(certificate_file()))?;
    let names_host = {
        let parsed = ParsedCertificate::try_from(own)
            .map_err(|_| CertificateError::BadCertificate(certificate_file()))?;
        ServerName::try_from(public_url.host())
            .is_ok_and(|host| rustls::client::verify_server_name(&parsed, &host).is_ok())
    };
    let key_file = || config.private_key.clone();
    let key =
        PrivateKeyDer::from_pem_slice(&files.private_key).map_err(|_| CertificateError::NoKey(key_file()))?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|_| CertificateError::BadKey(key_file()))?;
    let key = CertifiedKey::new(chain, key);
    if key.keys_match().is_err() {
        return Err(CertificateError::Mismatch {
            certificate: certificate_file(),
            private_key: key_file(),
        });
    }
    if now >= not_after {
        return Err(CertificateError::Expired {
            file: certificate_file(),
            at: not_after,
        });
    }
    if now < not_before {
        return Err(CertificateError::NotYet {
            file: certificate_file(),
            at: not_before,
        });
    }
    Ok(Checked {
        key,
        not_after,
        names_host,
    })
}

/// From when until when a certificate is valid (RFC 5280 section 4.1.2.5).
fn validity(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    Some((
        Timestamp::from_seconds(validity.not_before.timestamp()),
        // It is valid in that second too.
        Timestamp::from_seconds(validity.not_after.timestamp().saturating_add(1)),
    ))
}

fn read(file: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(file).map_err(|error| CertificateError::File {
        file: file.into(),
        problem: error.kind(),
    })
}

/// Whether others than the owner and the group may read a file. One that cannot be looked at cannot be read either; reading it says
/// why.
#[cfg(unix)]
pub(crate) fn is_exposed(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_exposed(_: &Path) -> bool {
    false
}
