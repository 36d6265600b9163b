//! From sources to a [`Config`], or to the list of everything that is wrong with them.

use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::fault::{ConfigFault, ConfigFaults};
use super::options::{defaults, options};
use super::reader::Reader;
use super::{Config, sections, telemetry};

/// What names of environment variables start with.
pub(super) const PREFIX: &str = "WARDGATE_";
/// The source's name for the defaults.
pub(super) const DEFAULTS: &str = "the defaults";
/// The source's name for the variables of OpenTelemetry.
pub(super) const OPEN_TELEMETRY: &str = "the environment's OTEL_ variables";
/// The source's name for the environment.
pub(super) const ENVIRONMENT: &str = "the environment";

impl Config {
    /// Reads the configuration from `file`, if there is one, and the process's environment.
    ///
    /// # Errors
    /// [`ConfigFaults`], with every fault.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigFaults> {
        // A variable that is not UTF-8 cannot be one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let Some(path) = file else {
            return Self::from_sources(None, environment);
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            let problem = match error.kind() {
                std::io::ErrorKind::NotFound => String::from("does not exist"),
                kind => format!("cannot be read: {kind}"),
            };
            ConfigFaults(vec![ConfigFault {
                key: path.display().to_string(),
                origin: None,
                problem,
            }])
        })?;
        Self::from_sources(Some((path, &text)), environment)
    }

    /// Reads the configuration from a file's path and text, and from environment variables.
    ///
    /// # Errors
    /// [`ConfigFaults`], with every fault.
    pub fn from_sources(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        let environment: Vec<(String, String)> = environment.into_iter().collect();
        let mut figment = Figment::from(Source {
            name: DEFAULTS.into(),
            values: parse_toml(DEFAULTS, &defaults())?,
        });
        figment = figment.merge(Source {
            name: OPEN_TELEMETRY.into(),
            values: telemetry::variables(&environment),
        });
        if let Some((path, text)) = file {
            let name = path.display().to_string();
            let values = parse_toml(&name, text)?;
            figment = figment.merge(Source { name, values });
        }
        figment = figment.merge(Source {
            name: ENVIRONMENT.into(),
            values: read_environment(environment),
        });

        let folder = file.and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
        let mut reader = Reader {
            figment: &figment,
            folder,
            faults: Vec::new(),
        };
        let config = sections::read(&mut reader);
        reader.refuse_unknown(
            |key| options().any(|option| option.key == key),
            |name| {
                options().any(|option| {
                    option
                        .key
                        .split_once('.')
                        .is_some_and(|(section, _)| section == name)
                })
            },
        );
        match config {
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => Err(ConfigFaults(reader.faults)),
        }
    }
}

/// One source under a name that faults can show.
struct Source {
    name: String,
    values: Dict,
}

impl Provider for Source {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn parse_toml(name: &str, text: &str) -> Result<Dict, ConfigFaults> {
    let profiles = Toml::string(text).data().map_err(|error| {
        // The parser's message quotes the line at fault, which may hold a secret; what stands after a bar is left out.
        let is_quotation = |line: &str| {
            line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
                .starts_with('|')
        };
        let said = error.kind.to_string();
        let lines: Vec<&str> = said
            .lines()
            .filter(|line| !is_quotation(line))
            .map(str::trim)
            .collect();
        let problem = format!("is not TOML: {}", lines.join("; "));
        ConfigFaults(vec![ConfigFault {
            key: name.into(),
            origin: None,
            problem,
        }])
    })?;
    Ok(profiles.into_values().next().unwrap_or_default())
}

/// The variables that name a section and a key. Others that happen to share the prefix are somebody else's.
fn read_environment(environment: impl IntoIterator<Item = (String, String)>) -> Dict {
    let mut values = Dict::new();
    for (name, text) in environment {
        let Some(name) = name.strip_prefix(PREFIX).map(str::to_lowercase) else {
            continue;
        };
        let Ok(value) = text.parse::<Value>();
        match name.split_once("__") {
            Some((section, key)) => {
                let slot = values
                    .entry(section.into())
                    .or_insert_with(|| Value::from(Dict::new()));
                if let Value::Dict(_, members) = slot {
                    members.insert(key.into(), value);
                }
            }
            None if options().any(|option| option.key == name) => {
                values.insert(name, value);
            }
            None => {}
        }
    }
    values
}
