//! Reads typed values out of merged sources and collects what is wrong instead of stopping at it.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::value::{Dict, Value};

use super::fault::ConfigFault;

/// A reader over merged sources. Its functions give `None` after noting a fault, so that reading goes on.
pub(super) struct Reader<'a> {
    pub(super) figment: &'a Figment,
    /// Where relative paths count from, unless the environment gave them.
    pub(super) folder: &'a Path,
    /// What was wrong so far.
    pub(super) faults: Vec<ConfigFault>,
}

impl Reader<'_> {
    /// Notes that the value of `key` is wrong.
    pub(super) fn fault(&mut self, key: &str, problem: impl Into<String>) {
        let origin = self.origin(key);
        self.faults.push(ConfigFault {
            key: key.into(),
            origin,
            problem: problem.into(),
        });
    }

    /// The value of `key`, when something sets it.
    pub(super) fn optional(&self, key: &str) -> Option<Value> {
        self.figment.find_value(key).ok()
    }

    /// Whether a file or the environment sets `key`, rather than the defaults alone.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.origin(key).is_some()
    }

    /// Whether a variable of OpenTelemetry sets `key`. Such a value stands back where a source of ours says the same by another key.
    pub(super) fn is_of_open_telemetry(&self, key: &str) -> bool {
        self.origin(key).as_deref() == Some(super::load::OPEN_TELEMETRY)
    }

    fn required(&mut self, key: &str) -> Option<Value> {
        let value = self.optional(key);
        if value.is_none() {
            self.fault(key, "must be set");
        }
        value
    }

    /// A whole number of `unit` within `range`.
    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<i64>, unit: &str) -> Option<i64> {
        let value = self.required(key)?;
        // TOML gives signed numbers, the environment unsigned ones.
        let signed = value.to_i128().and_then(|number| i64::try_from(number).ok());
        let number = signed.or_else(|| value.to_u128().and_then(|number| i64::try_from(number).ok()));
        let lawful = number.filter(|number| range.contains(number));
        if lawful.is_none() {
            let (least, most) = range.into_inner();
            self.fault(
                key,
                format!("must be a whole number of {unit} from {least} to {most}"),
            );
        }
        lawful
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let flag = self.required(key)?.to_bool();
        if flag.is_none() {
            self.fault(key, "must be true or false");
        }
        flag
    }

    /// A text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.required(key)?;
        self.text_of(key, &value)
    }

    fn text_of(&mut self, key: &str, value: &Value) -> Option<String> {
        let text = match value {
            Value::String(_, text) => Some(text.clone()),
            Value::Char(_, character) => Some(character.to_string()),
            Value::Bool(..) | Value::Num(..) | Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
        };
        if text.as_ref().is_none_or(String::is_empty) {
            self.fault(key, "must be a text that is not empty");
            return None;
        }
        text
    }

    /// A text that `parse` turns into a value.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error.to_string());
                None
            }
        }
    }

    /// A list of texts, each turned into a value by `parse`.
    pub(super) fn list<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let value = self.required(key)?;
        let Value::Array(_, values) = value else {
            self.fault(key, "must be a list");
            return None;
        };
        let mut parsed = Vec::with_capacity(values.len());
        for (position, value) in values.iter().enumerate() {
            let element = format!("{key}[{position}]");
            match value.as_str().map(&parse) {
                Some(Ok(value)) => parsed.push(value),
                Some(Err(error)) => self.fault(&element, error.to_string()),
                None => self.fault(&element, "must be a text"),
            }
        }
        Some(parsed)
    }

    /// A path, made absolute or relative to the working folder.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.text(key)?;
        let from_environment = self
            .origin(key)
            .is_some_and(|origin| origin.starts_with(super::load::PREFIX));
        if from_environment || self.is_of_open_telemetry(key) {
            Some(text.into())
        } else {
            Some(self.folder.join(text))
        }
    }

    /// Notes every key that nobody knows: `known` says whether a full key is one, `is_section` whether it starts one.
    pub(super) fn refuse_unknown(&mut self, known: impl Fn(&str) -> bool, is_section: impl Fn(&str) -> bool) {
        let Ok(Value::Dict(_, root)) = self.figment.find_value("") else {
            return;
        };
        for (name, value) in root {
            match value {
                _ if known(&name) => {}
                Value::Dict(_, section) if is_section(&name) => {
                    for key in section
                        .keys()
                        .map(|key| format!("{name}.{key}"))
                        .filter(|key| !known(key))
                    {
                        self.fault(&key, "is not a key of the configuration");
                    }
                }
                _ if is_section(&name) => self.fault(&name, "must be a section with keys"),
                _ => self.fault(&name, "is not a key or section of the configuration"),
            }
        }
    }

    /// Notes the members of `table`, found at `key`, that are not in `known`.
    pub(super) fn refuse_unknown_members(&mut self, key: &str, table: &Dict, known: &[&str]) {
        for member in table.keys().filter(|member| !known.contains(&member.as_str())) {
            self.fault(&format!("{key}.{member}"), "is not a key of the configuration");
        }
    }

    /// Who set `key`: the name of the nearest source, none for defaults.
    fn origin(&self, key: &str) -> Option<String> {
        let whole = key.split_once('[').map_or(key, |(list, _)| list);
        let metadata = self.figment.find_metadata(whole)?;
        match metadata.name.as_ref() {
            super::load::DEFAULTS => None,
            super::load::ENVIRONMENT => Some(format!(
                "{}{}",
                super::load::PREFIX,
                whole.to_uppercase().replace('.', "__")
            )),
            file => Some(file.into()),
        }
    }
}
