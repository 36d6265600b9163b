//! Why a command failed: a sentence for people, an exit code for scripts.

use std::path::PathBuf;

use crate::administration::AdministrationError;
use crate::config::ConfigFaults;
use crate::error::internal::InternalError;
use crate::keys::{KeyError, MasterKeyError};
use crate::password::{NewPasswordError, PasswordError};
use crate::rng::NoRandomness;
use crate::server::{SignalError, TlsError};
use crate::store::{BackupError, OpenError, StoreError};

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration has faults.
    #[error(transparent)]
    Config(#[from] ConfigFaults),
    /// There is no database yet.
    #[error("the database {} does not exist: run `wardgate init` first", .0.display())]
    NoDatabase(PathBuf),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was to be made exists already.
    #[error("{0}")]
    AlreadyExists(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// There is no usable master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The database is there and its master key is not: a new one would be of no use.
    #[error(
        "the database {} exists, but its master key {} does not: put the key back, or remove the database to start anew",
        .database.display(), .master_key.display()
    )]
    LostMasterKey {
        /// The master key file.
        master_key: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The signing keys failed.
    #[error(transparent)]
    Keys(KeyError),
    /// The TLS certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on, or the server failed.
    #[error("{0}")]
    Network(String),
    /// A backup could not be made or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// What is stored is not what was recorded.
    #[error("{0}")]
    Damaged(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The exit code, by kind; the help text lists them.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Usage(_) | Self::Config(_) => 2,
            Self::AlreadyExists(_) | Self::NotFound(_) | Self::Backup(BackupError::Exists(_)) => 4,
            Self::MasterKey(_)
            | Self::LostMasterKey { .. }
            | Self::Keys(_)
            | Self::Tls(_)
            | Self::Open(OpenError::MasterKey) => 5,
            Self::Network(_) => 6,
            Self::Damaged(_) | Self::Backup(BackupError::Damaged(..)) => 7,
            Self::NoDatabase(_) | Self::Open(_) | Self::Store(_) | Self::Backup(_) => 3,
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::Store(error),
            other => Self::Keys(other),
        }
    }
}

impl From<PasswordError> for Failure {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooShort | PasswordError::TooLong | PasswordError::Parameters => {
                Self::Usage(error.to_string())
            }
            PasswordError::Busy
            | PasswordError::Damaged
            | PasswordError::Failed
            | PasswordError::NoRandomness(NoRandomness) => Self::Other(error.to_string()),
        }
    }
}

impl From<NewPasswordError> for Failure {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Faults(_) => Self::Usage(error.to_string()),
            NewPasswordError::Password(error) => error.into(),
        }
    }
}

impl From<InternalError> for Failure {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::Store(error) => Self::Store(error),
            InternalError::Keys(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<SignalError> for Failure {
    fn from(error: SignalError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<NoRandomness> for Failure {
    fn from(error: NoRandomness) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<AdministrationError> for Failure {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Invalid(faults) => {
                let said: Vec<String> = faults
                    .iter()
                    .map(|fault| format!("{} {}", flag(&fault.field), fault.detail))
                    .collect();
                Self::Usage(said.join("; "))
            }
            AdministrationError::Taken(field) => {
                Self::AlreadyExists(format!("what {} says is taken already", flag(field)))
            }
            AdministrationError::NotFound => Self::NotFound(error.description().into()),
            AdministrationError::BeyondOwnRole
            | AdministrationError::OwnFactors
            | AdministrationError::LastAdministrator
            | AdministrationError::BuiltIn
            | AdministrationError::InUse
            | AdministrationError::ChangedMeanwhile => Self::Other(error.description().into()),
            AdministrationError::Internal(InternalError::Store(error)) => Self::Store(error),
            AdministrationError::Internal(error) => Self::Other(error.to_string()),
        }
    }
}

/// The flag that says what this member of the API says: `--fhir-user` for `fhirUser`, and `--role` for `roleId`.
fn flag(field: &str) -> String {
    let field = if field == "roleId" { "role" } else { field };
    let words = field.chars().flat_map(|character| {
        let dash = character.is_ascii_uppercase().then_some('-');
        dash.into_iter().chain([character.to_ascii_lowercase()])
    });
    "--".chars().chain(words).collect()
}
