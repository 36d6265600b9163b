//! `wardgate init`: makes what is missing and leaves alone what is there.

mod first_administrator;

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::config::{Config, MasterKeySource};
use crate::keys::{KeyRing, MasterKey};
use crate::store::Store;

use super::{Failure, migrate, output};

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The address of the first administrator; prints a link by which they set their password
    #[arg(long, value_name = "ADDRESS")]
    admin_email: Option<String>,
}

/// Makes the master key file (if one is configured and absent), the database, the signing keys and the first administrator.
///
/// # Errors
/// [`Failure`].
pub(super) async fn init(command: &Init, config: &Config, now: Timestamp) -> Result<(), Failure> {
    let email = command.admin_email.as_deref();
    if let Some(email) = email {
        first_administrator::check(email)?;
    }
    if let MasterKeySource::File(path) = &config.keys.master_key
        && !path.exists()
    {
        let database = &config.database.path;
        if database.exists() {
            return Err(Failure::LostMasterKey {
                master_key: path.clone(),
                database: database.clone(),
            });
        }
        MasterKey::create(path)?;
        output::result(&format!(
            "made the master key {}; keep a copy of it in a safe place",
            path.display()
        ))?;
    }
    let master_key = MasterKey::load(&config.keys.master_key)?;
    let existed = config.database.path.exists();
    if existed {
        migrate::before_opening(config, now)?;
    }
    let store = Store::open(&config.database, &master_key.sealer(), now)?;
    let keys = KeyRing::load(&store, master_key, config).await?;
    let path = config.database.path.display();
    output::result(&if existed {
        format!("the database {path} is there")
    } else {
        format!("made the database {path}")
    })?;

    let made = keys.ensure_keys(&store, now).await?;
    for life in keys.lives().iter().filter(|life| made.contains(&life.key_id)) {
        output::result(&format!(
            "made the {} signing key {}",
            life.algorithm, life.key_id
        ))?;
    }
    if made.is_empty() {
        output::result("the signing keys are there")?;
    }
    first_administrator::provide(&store, config, &keys.sealer(), email, now).await?;
    store.close().await;
    Ok(())
}
