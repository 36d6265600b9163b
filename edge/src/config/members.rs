//! One object of the configuration, read member by member.
//!
//! Where a member stands says its fault: `WARDGATE_APIS[1].prefix` in a list in JSON, or the variable that stands for the
//! member when the object was put together from variables. So what is described in either way is read by the same code.
//! A member is taken as it is read; what is left at the end is known to nobody.

use serde_json::{Map, Value};

use super::url::{self, UrlFault};
use super::values::{Faults, Given, Values, number_fault};
use super::variables::Variable;

/// The members of an object, and where it stands.
#[derive(Debug)]
pub(super) struct Members {
    place: String,
    /// Members that a variable stands for.
    variables: &'static [(&'static str, Variable)],
    values: Map<String, Value>,
    /// The names of those that were read.
    known: Vec<&'static str>,
}

impl Members {
    /// The members of `value`, which stands at `place`; `None`, with a fault, when it is no object.
    pub(super) fn of(value: Value, place: String, faults: &mut Faults) -> Option<Self> {
        let Value::Object(values) = value else {
            faults.add(&place, "must be an object");
            return None;
        };
        Some(Self {
            place,
            variables: &[],
            values,
            known: Vec::new(),
        })
    }

    /// An object put together from those of these variables that are set.
    pub(super) fn of_variables(values: &Values, variables: &'static [(&'static str, Variable)]) -> Self {
        let mut members = Self {
            place: String::new(),
            variables,
            values: Map::new(),
            known: Vec::new(),
        };
        for (member, variable) in variables {
            let value = match (values.get(variable.name), variable.default) {
                (Some(Given::Text(text)), _) => Value::from(text.trim()),
                // What is no text here is none of what the member may be.
                (Some(Given::List(_) | Given::Other), _) => Value::Null,
                (None, Some(default)) => Value::from(default),
                (None, None) => continue,
            };
            members = members.with(member, value);
        }
        members
    }

    /// The same with this member.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Where a member stands, or would.
    pub(super) fn place(&self, name: &str) -> String {
        match self.variables.iter().find(|(member, _)| *member == name) {
            Some((_, variable)) => variable.name.to_owned(),
            None => format!("{}.{name}", self.place),
        }
    }

    /// Notes a fault of a member.
    pub(super) fn fault(&self, name: &str, problem: &str, faults: &mut Faults) {
        faults.add(&self.place(name), problem);
    }

    /// Whether there is this member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether this member is this text. It is read by it if so.
    pub(super) fn is(&mut self, name: &'static str, text: &str) -> bool {
        let is = self.values.get(name).is_some_and(|value| value == text);
        if is {
            self.known.push(name);
        }
        is
    }

    /// Any value.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.values.get_mut(name).map(Value::take)
    }

    /// A text that is not empty; `None`, with a fault, when it is none. It may be left out.
    pub(super) fn optional_text(&mut self, name: &'static str, faults: &mut Faults) -> Option<String> {
        let problem = match self.take(name)? {
            Value::String(text) if text.trim().is_empty() => "must not be empty",
            Value::String(text) => return Some(text.trim().to_owned()),
            _ => "must be text",
        };
        self.fault(name, problem, faults);
        None
    }

    /// The same of a member that has to be there; empty when it is not right.
    pub(super) fn text(&mut self, name: &'static str, faults: &mut Faults) -> String {
        if !self.has(name) {
            self.fault(name, "is not set", faults);
        }
        self.optional_text(name, faults).unwrap_or_default()
    }

    /// A text that passes `check`.
    pub(super) fn checked(
        &mut self,
        name: &'static str,
        check: fn(&str) -> Result<(), UrlFault>,
        faults: &mut Faults,
    ) -> String {
        let text = self.text(name, faults);
        if !text.is_empty()
            && let Err(fault) = check(&text)
        {
            self.fault(name, &fault.to_string(), faults);
        }
        text
    }

    /// A URL in its normal form.
    pub(super) fn url(&mut self, name: &'static str, faults: &mut Faults) -> String {
        self.checked(name, |text| url::check(text).map(|_| ()), faults)
    }

    /// One of these words: its position among them.
    pub(super) fn choice(
        &mut self,
        name: &'static str,
        words: &[&str],
        default: usize,
        faults: &mut Faults,
    ) -> usize {
        let Some(value) = self.take(name) else {
            return default;
        };
        let chosen = words.iter().position(|word| value.as_str() == Some(word));
        chosen.unwrap_or_else(|| {
            let problem = if value.is_string() || self.variables.is_empty() {
                format!("must be '{}'", words.join("' or '"))
            } else {
                "must be text".to_owned()
            };
            self.fault(name, &problem, faults);
            default
        })
    }

    /// A whole number within these bounds.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        (least, most): (u32, u32),
        default: Option<u32>,
        faults: &mut Faults,
    ) -> u32 {
        let value = self.take(name);
        match (&value, default) {
            (None, Some(default)) => return default,
            (None, None) => self.fault(name, "is not set", faults),
            (Some(value), _) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                match number.filter(|number| (least..=most).contains(number)) {
                    Some(number) => return number,
                    None => self.fault(name, &number_fault(least, most), faults),
                }
            }
        }
        least
    }

    /// A list of texts, none of them empty. A variable holds them in one text, separated by spaces. It may be left out.
    pub(super) fn words(&mut self, name: &'static str, faults: &mut Faults) -> Option<Vec<String>> {
        let words: Option<Vec<String>> = match self.take(name)? {
            Value::String(text) if !self.variables.is_empty() => {
                Some(text.split_ascii_whitespace().map(str::to_owned).collect())
            }
            Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) if !text.trim().is_empty() => Some(text),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        if words.is_none() {
            let is_variable = !self.variables.is_empty();
            let problem = if is_variable {
                "must be text"
            } else {
                "must be a list of texts"
            };
            self.fault(name, problem, faults);
        }
        words
    }

    /// The same of a list that has to be there and to name something.
    pub(super) fn some_words(
        &mut self,
        name: &'static str,
        default: Option<&str>,
        faults: &mut Faults,
    ) -> Vec<String> {
        match (self.has(name), default) {
            (false, Some(default)) => return vec![default.to_owned()],
            (false, None) => self.fault(name, "is not set", faults),
            (true, _) => {
                let words = self.words(name, faults);
                if words.as_ref().is_some_and(Vec::is_empty) {
                    self.fault(name, "must not be empty", faults);
                }
                return words.unwrap_or_default();
            }
        }
        Vec::new()
    }

    /// The objects of a list, each with its place. It may be left out.
    pub(super) fn objects(&mut self, name: &'static str, faults: &mut Faults) -> Vec<Self> {
        let place = self.place(name);
        match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .filter_map(|(index, item)| Self::of(item, format!("{place}[{index}]"), faults))
                .collect(),
            Some(_) => {
                faults.add(&place, "must be a list of objects");
                Vec::new()
            }
        }
    }

    /// Notes every member that nobody has read.
    pub(super) fn refuse_the_rest(self, faults: &mut Faults) {
        for name in self.values.keys() {
            if self.known.contains(&name.as_str()) {
                continue;
            }
            // A name is the operator's own word, but it could be a value in the wrong place.
            let known =
                name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let place = if known {
                self.place(name)
            } else {
                self.place.clone()
            };
            faults.add(
                &place,
                if known {
                    "is not known"
                } else {
                    "has a member that is not known"
                },
            );
        }
    }
}
