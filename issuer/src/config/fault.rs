//! What is wrong with a configuration, all of it.

use std::fmt;

/// One fault. It names the key and where the value came from, and never repeats the value: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, as `section.key`.
    pub key: String,
    /// The file or the environment variable that set it; none when nothing did.
    pub origin: Option<String>,
    /// What is wrong, as the second half of a sentence that starts with the key.
    pub problem: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key)?;
        if let Some(origin) = &self.origin {
            write!(formatter, " (in {origin})")?;
        }
        write!(formatter, " {}", self.problem)
    }
}

/// Every fault of a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(formatter, "the configuration has a fault: {only}"),
            all => {
                write!(formatter, "the configuration has {} faults:", all.len())?;
                all.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
            }
        }
    }
}

impl std::error::Error for ConfigFaults {}
