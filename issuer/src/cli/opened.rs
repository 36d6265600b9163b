//! The store and the keys of an issuer that was initialised before.

use std::sync::Arc;

use wardgate_shared::time::Timestamp;

use crate::clock::ManualClock;
use crate::config::Config;
use crate::keys::{KeyRing, MasterKey};
use crate::state::AppState;
use crate::store::Store;

use super::Failure;

/// Opens the database, which must exist: a mistyped path should not make a new one.
///
/// # Errors
/// [`Failure::NoDatabase`], [`Failure::MasterKey`] or [`Failure::Open`].
pub(super) fn store(config: &Config, now: Timestamp) -> Result<Store, Failure> {
    if !config.database.path.exists() {
        return Err(Failure::NoDatabase(config.database.path.clone()));
    }
    let master_key = MasterKey::load(&config.keys.master_key)?;
    Ok(Store::open(&config.database, &master_key.sealer(), now)?)
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
