//! Whether a resource belongs to the patient.

use alloc::string::String;

use serde_json::{Map, Value};

use super::reference::Names;
use super::table::{Member, words};
use super::{Kind, Patient};

/// What was found at elements that hold references.
#[derive(Debug, Default)]
struct Found {
    anything: bool,
    the_patient: bool,
    /// Another patient, or something that cannot be read.
    another: bool,
}

impl Patient<'_> {
    /// Whether a resource belongs to the patient, or holds nobody's records.
    pub(super) fn may_see(&self, resource: &Map<String, Value>) -> bool {
        match type_of(resource).map_or(Kind::Other, Kind::of_name) {
            Kind::Shared => true,
            Kind::Patient | Kind::Member(_) => self.owns(resource),
            Kind::Other => false,
        }
    }

    /// Whether a resource belongs to the patient: it is the Patient itself, or it is about the patient (or about nobody, and
    /// the patient takes part) and names no other patient.
    pub(super) fn owns(&self, resource: &Map<String, Value>) -> bool {
        if has_alike(resource, "id") {
            return false;
        }
        match type_of(resource).map_or(Kind::Other, Kind::of_name) {
            Kind::Patient => resource.get("id").and_then(Value::as_str) == Some(self.id),
            Kind::Member(member) => self.owns_member(member, resource),
            Kind::Shared | Kind::Other => false,
        }
    }

    fn owns_member(&self, member: &Member, resource: &Map<String, Value>) -> bool {
        let (mut subject, mut others) = (Found::default(), Found::default());
        for (elements, found) in [(member.subject, &mut subject), (member.others, &mut others)] {
            for path in words(elements) {
                self.look_in(resource, path, found);
            }
        }
        // Later releases, and some servers, say it there of types that the definition has no such element for.
        let mut elsewhere = Found::default();
        for name in ["subject", "patient"] {
            self.look_in(resource, name, &mut elsewhere);
        }
        let is_named = if subject.anything {
            subject.the_patient
        } else {
            others.the_patient
        };
        is_named && !subject.another && !others.another && !elsewhere.another
    }

    fn look_in(&self, object: &Map<String, Value>, path: &str, found: &mut Found) {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        found.another |= has_alike(object, name);
        if let Some(value) = object.get(name) {
            self.look_at(value, rest, found);
        }
    }

    fn look_at(&self, value: &Value, path: &str, found: &mut Found) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look_at(item, path, found)),
            Value::Object(object) if path.is_empty() => {
                found.anything = true;
                found.another |= has_alike(object, "reference");
                match object.get("reference") {
                    Some(Value::String(reference)) => match self.named_by(reference) {
                        Names::This => found.the_patient = true,
                        Names::Another => found.another = true,
                        Names::None => {}
                    },
                    // By an identifier or in words, which name nobody here.
                    None => {}
                    Some(_) => found.another = true,
                }
            }
            Value::Object(object) => self.look_in(object, path, found),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.another = true,
        }
    }
}

/// The type that a resource says; `None` when it says none, or two readers could read two.
pub(super) fn type_of(resource: &Map<String, Value>) -> Option<&str> {
    if has_alike(resource, "resourceType") {
        return None;
    }
    resource.get("resourceType").and_then(Value::as_str)
}

/// Whether a member has this name in other capitals, which some readers take for the same name.
pub(super) fn has_alike(object: &Map<String, Value>, name: &str) -> bool {
    object
        .keys()
        .any(|own| own != name && own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
