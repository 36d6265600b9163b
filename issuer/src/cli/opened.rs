//! The store and the keys of an issuer that was initialised before.

use std::sync::Arc;

use wardgate_shared::time::Timestamp;

use crate::clock::ManualClock;
use crate::config::Config;
use crate::keys::{KeyRing, MasterKey};
use crate::state::AppState;
use crate::store::{OpenError, Store};

use super::{Failure, migrate};

/// Opens the database, which must exist: a mistyped path should not make a new one. One of an older program is brought up to
/// date first, and kept as it was.
///
/// # Errors
/// [`Failure::NoDatabase`], [`Failure::MasterKey`], [`Failure::Open`] or [`Failure::Backup`].
pub(super) fn store(config: &Config, now: Timestamp) -> Result<Store, Failure> {
    see_that_there_is_a_database(config)?;
    let master_key = MasterKey::load(&config.keys.master_key)?;
    migrate::before_opening(config, now)?;
    Ok(Store::open(&config.database, &master_key.sealer(), now)?)
}

/// Whether there is a file with something in it. An `init` that was interrupted leaves an empty one.
///
/// # Errors
/// [`Failure::NoDatabase`], or [`Failure::Open`] when it cannot be told.
pub(super) fn see_that_there_is_a_database(config: &Config) -> Result<(), Failure> {
    let path = &config.database.path;
    match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => {
            Err(OpenError::File(path.clone(), std::io::ErrorKind::IsADirectory).into())
        }
        Ok(file) if file.len() > 0 => Ok(()),
        Ok(_) => Err(Failure::NoDatabase(path.clone())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::NoDatabase(path.clone())),
        Err(error) => Err(OpenError::File(path.clone(), error.kind()).into()),
    }
}

/// Opens the database and unseals the signing keys.
///
/// # Errors
/// As [`store`]; [`Failure::MasterKey`] or [`Failure::Keys`].
pub(super) async fn store_and_keys(config: &Config, now: Timestamp) -> Result<(Store, KeyRing), Failure> {
    let store = store(config, now)?;
    let master_key = MasterKey::load(&config.keys.master_key)?;
    let keys = KeyRing::load(&store, master_key, config).await?;
    Ok((store, keys))
}

/// The whole issuer at the instant `now`, for commands that do what its API does. The clock stands: a command happens at once.
///
/// # Errors
/// As [`store_and_keys`]; [`Failure::Other`] when a part cannot be set up.
pub(super) async fn state(config: &Config, now: Timestamp) -> Result<AppState, Failure> {
    let (store, keys) = store_and_keys(config, now).await?;
    Ok(AppState::build(
        config.clone(),
        store,
        keys,
        Arc::new(ManualClock::new(now)),
    )?)
}
