//! `wardgate check-config`: everything that is wrong, at once.

use clap::Args;

use crate::config::{Config, ConfigFaults, MasterKeySource, example_file};
use crate::keys::{MasterKey, MasterKeyError};

use super::{Failure, output};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// Print a configuration file with every key, its default and its meaning, and check nothing
    #[arg(long)]
    print_example: bool,
}

impl CheckConfig {
    pub(super) fn run(&self, load: impl FnOnce() -> Result<Config, ConfigFaults>) -> Result<(), Failure> {
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
        output::result("the configuration has no fault")
    }
}
