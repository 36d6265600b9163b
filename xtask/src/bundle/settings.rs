//! What an administrator decides, read from the form of `wrangler.toml`, so that one file serves both ways of running the
//! Worker. What the variables mean is the Worker's to say; here only their form is read.

use std::{fmt, net::IpAddr};

use toml::{Table, Value};

/// Settings of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the Worker listens, as `host:port`.
    pub address: String,
    /// What it may reach.
    pub networks: Vec<Network>,
    /// The Worker's variables, by name.
    pub variables: Vec<(String, Variable)>,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// This text.
    Text(String),
    /// This document in JSON.
    Json(String),
    /// The variable of the same name in the environment of the process: for secrets.
    Environment,
}

/// What the Worker may reach, as `workerd` names it: `public`, `private`, `local`, or a range such as `10.1.2.0/24`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network(String);

/// The version of the runtime's behaviour that the Worker was built for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// `compatibility_date`.
    pub date: String,
    /// `compatibility_flags`.
    pub flags: Vec<String>,
}

/// Why settings cannot be used, in a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingsFault(String);

impl fmt::Display for SettingsFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingsFault {}

impl Default for Settings {
    /// No variables, on this machine only, and what is public within reach.
    fn default() -> Self {
        Self {
            address: "127.0.0.1:8787".to_owned(),
            networks: vec![Network("public".to_owned())],
            variables: Vec::new(),
        }
    }
}

impl Network {
    /// The network of this name or range.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, SettingsFault> {
        let is_range = || {
            let (address, bits) = text.split_once('/')?;
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some(())
        };
        if ["public", "private", "local"].contains(&text) || is_range().is_some() {
            return Ok(Self(text.to_owned()));
        }
        Err(SettingsFault(format!(
            "{text:?} is no network: say public, private, local, or a range such as 10.1.2.0/24"
        )))
    }

    /// As `workerd` names it.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Settings {
    /// Settings with the variables of the section `[vars]` of this text, and with those of `secrets`, whose values come from
    /// the environment. When a variable speaks of a server on this machine, that one is within reach too.
    ///
    /// # Errors
    /// When it is no TOML, has no such section, or a variable is neither text nor a list.
    pub fn parse(text: &str, secrets: &[String]) -> Result<Self, SettingsFault> {
        let table = parse(text)?;
        let Some(Value::Table(vars)) = table.get("vars") else {
            return Err(SettingsFault("there is no section [vars]".to_owned()));
        };
        let mut settings = Self::default();
        for (name, value) in vars {
            if secrets.contains(name) {
                let problem = format!("{name} is to come from the environment, and stands in the file");
                return Err(SettingsFault(problem));
            }
            let variable = match value {
                Value::String(text) => Variable::Text(text.clone()),
                Value::Array(_) => Variable::Json(json(value, name)?.to_string()),
                Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Table(_) => {
                    return Err(SettingsFault(format!("{name} is neither a text nor a list")));
                }
            };
            settings.variables.push((name.clone(), variable));
        }
        let of_environment = |name: &String| (name.clone(), Variable::Environment);
        settings.variables.extend(secrets.iter().map(of_environment));
        if settings.speak_of_this_machine() {
            settings.networks.push(Network("local".to_owned()));
        }
        Ok(settings)
    }

    fn speak_of_this_machine(&self) -> bool {
        let hosts = [
            "http://localhost",
            "http://127.",
            "http://[::1]",
            "https://localhost",
        ];
        self.variables.iter().any(|(name, variable)| match variable {
            Variable::Text(text) | Variable::Json(text) => {
                // What clients call the Worker is nothing that it calls itself.
                !["WARDGATE_PUBLIC_URL", "WARDGATE_AUDIENCES"].contains(&name.as_str())
                    && hosts.iter().any(|host| text.contains(host))
            }
            Variable::Environment => false,
        })
    }
}

impl Compatibility {
    /// That of this `wrangler.toml`.
    ///
    /// # Errors
    /// When it is no TOML, or says none.
    pub fn parse(text: &str) -> Result<Self, SettingsFault> {
        let table = parse(text)?;
        let date = table.get("compatibility_date").and_then(Value::as_str);
        let date = date.ok_or_else(|| SettingsFault("there is no compatibility_date".to_owned()))?;
        let flags = table.get("compatibility_flags").and_then(Value::as_array);
        let flags = flags.into_iter().flatten().filter_map(Value::as_str);
        Ok(Self {
            date: date.to_owned(),
            flags: flags.map(str::to_owned).collect(),
        })
    }
}

fn parse(text: &str) -> Result<Table, SettingsFault> {
    text.parse().map_err(|error: toml::de::Error| {
        // In one sentence: the error's own text draws the place below.
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let (line, problem) = (before.lines().count().max(1), error.message().replace('\n', ", "));
        SettingsFault(format!("it is no TOML, in line {line}: {problem}"))
    })
}

/// The same value in JSON.
fn json(value: &Value, name: &str) -> Result<serde_json::Value, SettingsFault> {
    Ok(match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::Array(values) => {
            let values: Result<Vec<_>, _> = values.iter().map(|value| json(value, name)).collect();
            values?.into()
        }
        Value::Table(table) => {
            let members = table
                .iter()
                .map(|(member, value)| Ok((member.clone(), json(value, name)?)));
            serde_json::Value::Object(members.collect::<Result<_, _>>()?)
        }
        Value::Float(_) | Value::Datetime(_) => {
            return Err(SettingsFault(format!(
                "{name} holds a fraction or a date, which it has no use for"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Compatibility, Network, Settings, Variable};

    const TEXT: &str = r#"
        compatibility_date = "2026-10-01"
        compatibility_flags = ["one", "two"]
        [vars]
        WARDGATE_ISSUER = "https://issuer.example"
        WARDGATE_PUBLIC_URL = "http://localhost:8787"
        WARDGATE_LIMITS = [{ name = "default", limit = 5, by = ["subject"], on = true }]
    "#;

    fn names(settings: &Settings) -> Vec<&str> {
        settings.networks.iter().map(Network::name).collect()
    }

    #[test]
    fn variables_are_texts_and_lists() {
        let settings = Settings::parse(TEXT, &[]).unwrap();
        assert_eq!(names(&settings), ["public"]);
        let of = |wanted: &str| {
            let mut found = settings.variables.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, variable)| variable.clone())
        };
        assert_eq!(
            of("WARDGATE_ISSUER"),
            Some(Variable::Text("https://issuer.example".to_owned()))
        );
        let json = r#"[{"by":["subject"],"limit":5,"name":"default","on":true}]"#;
        assert_eq!(of("WARDGATE_LIMITS"), Some(Variable::Json(json.to_owned())));
    }

    #[test]
    fn servers_on_this_machine_are_within_reach_when_a_variable_names_one() {
        let text = format!("{TEXT}WARDGATE_UPSTREAM = \"http://127.0.0.1:8080/fhir\"\n");
        let settings = Settings::parse(&text, &[]).unwrap();
        assert_eq!(names(&settings), ["public", "local"]);
    }

    #[test]
    fn secrets_come_from_the_environment_and_not_from_the_file() {
        let secrets = ["WARDGATE_SECRET".to_owned()];
        let settings = Settings::parse(TEXT, &secrets).unwrap();
        let last = settings.variables.last().unwrap();
        assert_eq!(last, &("WARDGATE_SECRET".to_owned(), Variable::Environment));
        let text = format!("{TEXT}WARDGATE_SECRET = \"written down\"\n");
        let fault = Settings::parse(&text, &secrets).unwrap_err().to_string();
        assert!(fault.contains("WARDGATE_SECRET") && !fault.contains("written down"));
    }

    #[test]
    fn settings_of_another_form_are_refused() {
        for (text, expected) in [
            ("[vars", "no TOML"),
            ("name = 1", "no section [vars]"),
            ("[vars]\nWARDGATE_PREFIX = 1", "WARDGATE_PREFIX is neither"),
            (
                "[vars]\nWARDGATE_LIMITS = [1.5]",
                "WARDGATE_LIMITS holds a fraction",
            ),
        ] {
            let fault = Settings::parse(text, &[]).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn networks_are_names_and_ranges() {
        for text in ["public", "private", "local", "10.0.0.0/8", "fd00::/8"] {
            assert_eq!(Network::parse(text).unwrap().name(), text);
        }
        for text in ["", "all", "10.0.0.0", "10.0.0.0/33", "host/8"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn compatibility_is_that_of_the_deployment() {
        let compatibility = Compatibility::parse(TEXT).unwrap();
        assert_eq!(compatibility.date, "2026-10-01");
        assert_eq!(compatibility.flags, ["one", "two"]);
        assert!(Compatibility::parse("").is_err());
    }
}
