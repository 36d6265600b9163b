//! `wardgate check-config`: everything that is wrong, at once.

use clap::Args;
use wardgate_shared::time::Timestamp;

use crate::config::{Config, ConfigFaults, MasterKeySource, example_file};
use crate::keys::{MasterKey, MasterKeyError};
use crate::server::{TlsError, certificate};

use super::{Failure, output};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// Print a configuration file with every key, its default and its meaning, and check nothing
    #[arg(long)]
    print_example: bool,
}

impl CheckConfig {
    pub(super) fn run(
        &self,
        load: impl FnOnce() -> Result<Config, ConfigFaults>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if self.print_example {
            return output::result(example_file().trim_end());
        }
        let config = load()?;
        match (MasterKey::load(&config.keys.master_key), &config.keys.master_key) {
            (Err(MasterKeyError::Missing(_)), MasterKeySource::File(path))
                if !config.database.path.exists() =>
            {
                output::remark(&format!("note: `wardgate init` will make {}", path.display()));
            }
            (loaded, _) => drop(loaded?),
        }
        if let Some(tls) = &config.tls {
            let public_url = &config.server.public_url;
            let checked = certificate::load(tls, public_url, now).map_err(TlsError::from)?;
            if !checked.names_host {
                output::remark(&format!(
                    "note: the TLS certificate is not for the host {}",
                    public_url.host()
                ));
            }
        }
        output::result("the configuration has no fault")
    }
}
