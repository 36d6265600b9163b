//! The master key: it seals the signing keys at rest, and other secrets of the process are derived from it.
//!
//! Each use has its own key, derived by HMAC-SHA-256 over a label (the expand step of HKDF, RFC 5869, with a key that is
//! uniform already), so that no two uses can be played against each other. Signing keys are sealed (see
//! [`Sealer`]) with their `kid` as context: a sealed key moved to another row does not open.

use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::secret::{Secret, constant_time_eq};
use zeroize::Zeroizing;

use crate::config::{MasterKeySource, parse_master_key};
use crate::rng::{self, NoRandomness};
use crate::server::certificate::is_exposed;

use super::sealer::{SealBroken, Sealer};

/// 32 bytes from which everything secret at rest depends.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file is not there.
    #[error(
        "the master key file {} does not exist: run `wardgate init` to make a new one, or put the key of this database \
         back there", .0.display()
    )]
    Missing(PathBuf),
    /// The file is there already, so it is not written.
    #[error("the master key file {} exists already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("the master key file {} cannot be used: {error}", .0.display(), error = .1)]
    File(PathBuf, std::io::ErrorKind),
    /// Every user of the machine may read the file.
    #[error(
        "the master key file {} can be read by every user of this machine: only the issuer may, as by chmod 600", .0.display()
    )]
    Exposed(PathBuf),
    /// The file's content is not a key.
    #[error("the master key file {} {problem}", .0.display(), problem = .1)]
    Malformed(PathBuf, &'static str),
    /// No key could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl MasterKey {
    /// A master key of these bytes.
    pub const fn new(bytes: Secret<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Reads the key that the configuration names.
    ///
    /// # Errors
    /// [`MasterKeyError`] except `Exists` and `NoRandomness`.
    pub fn load(source: &MasterKeySource) -> Result<Self, MasterKeyError> {
        let path = match source {
            MasterKeySource::Value(key) => return Ok(Self(key.clone())),
            MasterKeySource::File(path) => path,
        };
        // Whoever can read the file can sign tokens.
        if is_exposed(path) {
            return Err(MasterKeyError::Exposed(path.clone()));
        }
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => MasterKeyError::Missing(path.clone()),
                kind => MasterKeyError::File(path.clone(), kind),
            })?;
        parse_master_key(&text)
            .map(Self)
            .map_err(|problem| MasterKeyError::Malformed(path.clone(), problem))
    }

    /// Makes a new key and writes it to `path`, which must not exist; only its owner may read it. Once it is given, it is there also after a
    /// loss of power.
    ///
    /// # Errors
    /// [`MasterKeyError::Exists`], [`MasterKeyError::File`] or [`MasterKeyError::NoRandomness`].
    pub fn create(path: &Path) -> Result<Self, MasterKeyError> {
        let key = Secret::new(rng::bytes::<32>()?);
        let text = Zeroizing::new(format!("{}\n", Base64UrlUnpadded::encode_string(key.expose())));
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => MasterKeyError::Exists(path.into()),
            kind => MasterKeyError::File(path.into(), kind),
        };
        // Under a name of its own until it is whole, and this process's alone: a key of which a part is there would be worse than none.
        let mut partial = path.as_os_str().to_owned();
        let suffix = Base64UrlUnpadded::encode_string(&rng::bytes::<8>()?);
        partial.push(format!(".{suffix}"));
        let partial = PathBuf::from(partial);
        let named = write_private(&partial, text.as_bytes()).and_then(|()| give_name(&partial, path));
        // Gone already where it got its name by moving.
        let _ = std::fs::remove_file(&partial);
        named.and_then(|()| sync_folder_of(path)).map_err(failed)?;
        Ok(Self(key))
    }

    /// Whether the other is the same key.
    pub fn is_same_as(&self, other: &Self) -> bool {
        constant_time_eq(self.0.expose(), other.0.expose())
    }

    /// A key for one purpose, named by `label`.
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let tag = hmac::sign(&key, label.as_bytes());
        let mut derived = [0; 32];
        derived
            .iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        Secret::new(derived)
    }

    /// Seals a signing key, with `associated` as context.
    pub(crate) fn seal(&self, plain: &[u8], associated: &str) -> Result<Vec<u8>, NoRandomness> {
        self.signing_keys().seal(plain, associated)
    }

    /// Opens what [`MasterKey::seal`] sealed with the same `associated`.
    pub(super) fn open(&self, sealed: &[u8], associated: &str) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        self.signing_keys().open(sealed, associated)
    }

    /// What seals signing keys.
    pub(super) fn signing_keys(&self) -> Sealer {
        Sealer::new(self.derive("wardgate signing keys at rest"))
    }

    /// What seals people's secrets: of second factors, of connections.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.derive("wardgate secrets at rest"))
    }
}

/// Writes a new file that only its owner may read, to the disk.
fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Gives a file the name `path`, in one step and unless there is one of that name.
fn give_name(partial: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(partial, path) {
        // Not every file system knows second names.
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists && !path.exists() => {
            std::fs::rename(partial, path)
        }
        linked => linked,
    }
}

/// Makes the name of a file as durable as its content.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
