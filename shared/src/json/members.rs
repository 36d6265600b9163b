//! A JSON object whose members keep their order and, until one is set, their bytes.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use crate::json;

/// The members of an object: names, and values in JSON.
#[derive(Debug)]
pub struct Members<'a>(Vec<(String, Cow<'a, str>)>);

impl<'a> Members<'a> {
    /// The members of the object that `json` is; `None` when it is none.
    pub fn of(json: &'a str) -> Option<Self> {
        let members = json::written_members(json)?;
        let borrowed = members
            .into_iter()
            .map(|(name, value)| (name, Cow::Borrowed(value)));
        Some(Self(borrowed.collect()))
    }

    /// The value of a member, in JSON: of the first, if it is repeated.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| &**value)
    }

    /// The value of a member that is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        match json::parse(self.get(name)?.as_bytes()) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The items of a member that is a list, in JSON; none when it is no list.
    pub fn items(&self, name: &str) -> Option<Vec<&str>> {
        json::written_items(self.get(name)?)
    }

    /// Whether a member has this name in other capitals, which some readers take for the same name.
    pub fn has_alike(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|(own, _)| own != name && own.eq_ignore_ascii_case(name))
    }

    /// Sets a member to a value in JSON: in its place, or after the others. A repeated member is set once.
    pub fn set(&mut self, name: &str, json: String) {
        let mut json = Some(Cow::Owned(json));
        self.0.retain_mut(|(own, held)| {
            if own != name {
                return true;
            }
            json.take().map(|json| *held = json).is_some()
        });
        if let Some(json) = json {
            self.0.push((name.to_owned(), json));
        }
    }

    /// Sets a member to a list, or takes it away if the list is empty: FHIR has no empty lists.
    pub fn set_items(&mut self, name: &str, items: &[String]) {
        if items.is_empty() {
            self.0.retain(|(own, _)| own != name);
        } else {
            self.set(name, format!("[{}]", items.join(",")));
        }
    }

    /// The object in JSON; `None` when a name cannot be written.
    pub fn into_json(self) -> Option<String> {
        let mut json = String::from("{");
        for (position, (name, value)) in self.0.iter().enumerate() {
            if position > 0 {
                json.push(',');
            }
            json.push_str(&serde_json::to_string(name).ok()?);
            json.push(':');
            json.push_str(value);
        }
        json.push('}');
        Some(json)
    }
}
