//! Whether what is written on behalf of the patient belongs to the patient.
//!
//! Governing texts: FHIR R4 "create", "update" and "patch"; RFC 6902 (JSON Patch), RFC 7396 (JSON Merge Patch). A patch is
//! not carried out here: it is enough that it leaves alone every element that says whose the resource is.

use alloc::string::String;

use serde_json::{Map, Value};

use super::resource::type_of;
use super::table::{Kind, first_step, words};
use super::{CompartmentError, Patient};
use crate::json::{parse, parse_object};
use crate::scope::resource_type::ResourceType;

/// Members that no patch may touch, beside those that say whose the resource is.
const FIXED: [&str; 4] = ["resourceType", "id", "subject", "patient"];

impl Patient<'_> {
    /// Judges a resource that is sent: of this type, with this id if it replaces one, and the patient's.
    ///
    /// # Errors
    /// [`CompartmentError::Body`] or [`CompartmentError::Resource`].
    pub fn judge_sent(
        &self,
        body: &[u8],
        resource_type: ResourceType,
        id: Option<&str>,
    ) -> Result<(), CompartmentError> {
        let resource = parse_object(body).map_err(|_| CompartmentError::Body)?;
        if type_of(&resource) != Some(resource_type.as_str()) {
            return Err(CompartmentError::Body);
        }
        if id.is_some_and(|id| resource.get("id").and_then(Value::as_str) != Some(id)) {
            return Err(CompartmentError::Body);
        }
        if self.owns(&resource) {
            Ok(())
        } else {
            Err(CompartmentError::Resource)
        }
    }

    /// Judges the entries of a batch or transaction, in which these are created.
    ///
    /// # Errors
    /// The place of the first resource that is not the patient's.
    pub fn judge_sent_together(
        &self,
        body: &[u8],
        created: &[ResourceType],
    ) -> Result<(), (usize, CompartmentError)> {
        let bundle = parse_object(body).map_err(|_| (0, CompartmentError::Body))?;
        let entries = bundle.get("entry").and_then(Value::as_array);
        for (place, resource_type) in created.iter().enumerate() {
            let resource = entries
                .and_then(|entries| entries.get(place)?.get("resource")?.as_object())
                .filter(|resource| type_of(resource) == Some(resource_type.as_str()))
                .ok_or((place, CompartmentError::Body))?;
            if !self.owns(resource) {
                return Err((place, CompartmentError::Resource));
            }
        }
        Ok(())
    }
}

/// Judges a patch of a resource of this type, in the form that its media type says (without parameters, in lower case).
///
/// # Errors
/// [`CompartmentError::Patch`].
pub fn judge_patch(
    body: &[u8],
    media_type: &str,
    resource_type: ResourceType,
) -> Result<(), CompartmentError> {
    let kind = Kind::of(resource_type);
    let is_harmless = match media_type {
        "application/json-patch+json" => match parse(body) {
            Ok(Value::Array(steps)) => steps
                .iter()
                .all(|step| step.as_object().is_some_and(|step| leaves_alone(step, kind))),
            _ => false,
        },
        "application/merge-patch+json" => {
            parse_object(body).is_ok_and(|members| members.keys().all(|name| is_free(name, kind)))
        }
        _ => false,
    };
    if is_harmless {
        Ok(())
    } else {
        Err(CompartmentError::Patch)
    }
}

/// Whether one step of a JSON Patch touches nothing that says whose the resource is.
fn leaves_alone(step: &Map<String, Value>, kind: Kind) -> bool {
    let is_free_pointer = |pointer: &Value| {
        let path = pointer.as_str().and_then(|pointer| pointer.strip_prefix('/'));
        path.and_then(|path| path.split('/').next())
            // An escape could spell a name that is not compared.
            .is_some_and(|name| !name.contains('~') && is_free(name, kind))
    };
    step.get("path").is_some_and(is_free_pointer) && step.get("from").is_none_or(is_free_pointer)
}

/// Whether a member of a resource says nothing of whose it is.
fn is_free(name: &str, kind: Kind) -> bool {
    let says_whose = |paths| {
        let words = words(paths);
        words
            .into_iter()
            .any(|path| first_step(path).eq_ignore_ascii_case(name))
    };
    let is_fixed = FIXED.iter().any(|fixed| fixed.eq_ignore_ascii_case(name));
    match kind {
        Kind::Patient => !is_fixed,
        Kind::Member(member) => !is_fixed && !says_whose(member.subject) && !says_whose(member.others),
        Kind::Shared | Kind::Other => false,
    }
}

#[cfg(test)]
mod tests;
