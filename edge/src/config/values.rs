//! Variables as they come, and the faults found in them.

use std::collections::BTreeMap;

use serde_json::Value;
use wardgate_shared::json::{self, JsonError};

use super::members::Members;
use super::variables::Variable;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A text.
    Text(String),
    /// A list that is no text, written in JSON: what an array in `wrangler.toml` becomes.
    List(String),
    /// Anything else: a table, a number, another service.
    Other,
}

/// Variables by name.
pub type Values = BTreeMap<String, Given>;

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The variable's name and, where it holds more than one thing, the place in it: `WARDGATE_APIS[1].prefix`.
    pub place: String,
    /// What is wrong, without the value.
    pub problem: String,
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<ConfigFault>);

impl Faults {
    /// Notes one more.
    pub(super) fn add(&mut self, place: &str, problem: &str) {
        self.0.push(ConfigFault {
            place: place.to_owned(),
            problem: problem.to_owned(),
        });
    }
}

/// The value of a variable that holds one text, or its default; empty, with a fault, when there is neither.
pub(super) fn text(values: &Values, variable: Variable, faults: &mut Faults) -> String {
    let problem = match (values.get(variable.name), variable.default) {
        (Some(Given::Text(text)), _) if !text.trim().is_empty() => return text.trim().to_owned(),
        (None, Some(default)) => return default.to_owned(),
        (Some(Given::Text(_)), _) => "must not be empty",
        (Some(Given::List(_) | Given::Other), _) => "must be text",
        (None, None) => "is not set",
    };
    faults.add(variable.name, problem);
    String::new()
}

/// The value of a variable that holds a whole number within these bounds; 0, with a fault, when it does not.
pub(super) fn number(
    values: &Values,
    variable: Variable,
    (least, most): (u32, u32),
    faults: &mut Faults,
) -> u32 {
    let text = text(values, variable, faults);
    match text.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => number,
        Ok(_) | Err(_) => {
            // An empty text has its fault already.
            if !text.is_empty() {
                faults.add(variable.name, &number_fault(least, most));
            }
            0
        }
    }
}

/// What is said of a number outside of its bounds.
pub(super) fn number_fault(least: u32, most: u32) -> String {
    format!("must be a whole number from {least} to {most}")
}

/// The objects of a variable that holds a list of them, each with its place; `None` when the variable is not set.
pub(super) fn objects(values: &Values, variable: Variable, faults: &mut Faults) -> Option<Vec<Members>> {
    let json = match values.get(variable.name)? {
        Given::Text(json) | Given::List(json) => json.as_bytes(),
        Given::Other => b"",
    };
    let list = match json::parse(json) {
        Ok(value) => Some(value),
        Err(JsonError::DuplicateMember) => {
            faults.add(variable.name, "must not repeat a member's name");
            return Some(Vec::new());
        }
        Err(JsonError::Malformed | JsonError::NotAnObject) => None,
    };
    let Some(Value::Array(list)) = list else {
        faults.add(variable.name, "must be a list of objects, in JSON");
        return Some(Vec::new());
    };
    let mut objects = Vec::new();
    for (index, value) in list.into_iter().enumerate() {
        objects.extend(Members::of(value, format!("{}[{index}]", variable.name), faults));
    }
    Some(objects)
}
