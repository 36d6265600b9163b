//! What a FHIR path addresses, read from the bytes as received.
//!
//! A path is decided on exactly as it will be forwarded, and the server behind may decode, fold or trim it in its own
//! way. So everything that two readers might read differently is refused instead of normalised: percent-encoding (no
//! FHIR type, id or operation needs any), dot segments, empty segments, a trailing slash, `;` parameters, backslashes,
//! control characters, anything beyond ASCII. Names are case-sensitive, as FHIR has them.
//!
//! Governing text: FHIR R4/R5 "RESTful API". The base itself may be addressed with or without its final slash.

use super::resource_type::ResourceType;
use super::smart::ResourceSelector;

/// Longest path in bytes, counted after the FHIR base; every addressable path is shorter.
pub const MAXIMUM_PATH_LENGTH: usize = 512;

/// Longest resource id, version id or operation name (FHIR `id`: 1 to 64 characters).
pub const MAXIMUM_ID_LENGTH: usize = 64;

/// Types that FHIR defines a compartment for (R4 and R5).
const COMPARTMENTS: &[&str] = &[
    "Device",
    "Encounter",
    "EpisodeOfCare",
    "Patient",
    "Practitioner",
    "RelatedPerson",
];

/// Why a path addresses nothing that could be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than [`MAXIMUM_PATH_LENGTH`].
    #[error("the path is too long")]
    TooLong,
    /// What follows the FHIR base does not begin with `/`.
    #[error("the path does not continue the FHIR base")]
    NotBelowBase,
    /// A percent-encoded character.
    #[error("the path must not be percent-encoded")]
    PercentEncoding,
    /// A backslash.
    #[error("the path must not contain a backslash")]
    Backslash,
    /// A `;`, which starts path parameters for some servers.
    #[error("the path must not contain a semicolon")]
    Semicolon,
    /// A control character or a space.
    #[error("the path must not contain control characters or spaces")]
    ControlCharacter,
    /// A character beyond ASCII.
    #[error("the path must be ASCII")]
    NotAscii,
    /// Another character that no FHIR path has.
    #[error("the path contains a character that no FHIR path has")]
    ForbiddenCharacter,
    /// Two slashes in a row.
    #[error("the path must not contain an empty segment")]
    EmptySegment,
    /// A slash at the end, except for the base itself.
    #[error("the path must not end in a slash")]
    TrailingSlash,
    /// A segment `.` or `..`.
    #[error("the path must not contain dot segments")]
    DotSegment,
    /// A segment where a resource type belongs, in another spelling than FHIR's or unknown.
    #[error("the path names no FHIR resource type")]
    UnknownResourceType,
    /// A resource id outside FHIR's grammar.
    #[error("the path holds no valid resource id")]
    InvalidId,
    /// A version id outside FHIR's grammar.
    #[error("the path holds no valid version id")]
    InvalidVersionId,
    /// A `$` that no operation name follows.
    #[error("the path holds no valid operation name")]
    InvalidOperation,
    /// A search below an instance of a type that has no compartment.
    #[error("the resource type has no compartment")]
    NotACompartment,
    /// A shape that FHIR does not define.
    #[error("the path addresses nothing in the FHIR API")]
    UnknownShape,
}

/// What a path addresses, before the method is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The FHIR base.
    System,
    /// `_history`.
    SystemHistory,
    /// `_search`.
    SystemSearch,
    /// `metadata`.
    Metadata,
    /// `$name`.
    SystemOperation(&'a str),
    /// `[type]`.
    Type(ResourceType),
    /// `[type]/_history`.
    TypeHistory(ResourceType),
    /// `[type]/_search`.
    TypeSearch(ResourceType),
    /// `[type]/$name`.
    TypeOperation(ResourceType, &'a str),
    /// `[type]/[id]`.
    Instance(ResourceType, &'a str),
    /// `[type]/[id]/_history`.
    InstanceHistory(ResourceType, &'a str),
    /// `[type]/[id]/_history/[vid]`.
    Version(ResourceType, &'a str, &'a str),
    /// `[type]/[id]/$name`.
    InstanceOperation(ResourceType, &'a str, &'a str),
    /// `[compartment]/[id]/[type]` or `[compartment]/[id]/*`.
    Compartment(ResourceType, &'a str, ResourceSelector),
    /// `[compartment]/[id]/[type]/_search` or `[compartment]/[id]/_search`.
    CompartmentSearch(ResourceType, &'a str, ResourceSelector),
}

impl<'a> Target<'a> {
    /// Reads the rest of a path after the FHIR base: empty, `/`, or beginning with `/`.
    pub(super) fn parse(path: &'a str) -> Result<Self, PathError> {
        check_characters(path)?;
        if path.is_empty() || path == "/" {
            return Ok(Self::System);
        }
        let relative = path.strip_prefix('/').ok_or(PathError::NotBelowBase)?;
        check_segments(relative)?;
        let mut segments = relative.split('/');
        let four = [segments.next(), segments.next(), segments.next(), segments.next()];
        if segments.next().is_some() {
            return Err(PathError::UnknownShape);
        }
        let [first, second, third, fourth] = four;
        match (first.unwrap_or_default(), second, third, fourth) {
            (first, None, ..) => Self::parse_one(first),
            (first, Some(second), None, _) => Self::parse_two(resource_type(first)?, second),
            (first, Some(second), Some(third), None) => {
                Self::parse_three(resource_type(first)?, resource_id(second)?, third)
            }
            (first, Some(second), Some(third), Some(fourth)) => {
                Self::parse_four(resource_type(first)?, resource_id(second)?, third, fourth)
            }
        }
    }

    fn parse_one(segment: &'a str) -> Result<Self, PathError> {
        match segment {
            "metadata" => Ok(Self::Metadata),
            "_history" => Ok(Self::SystemHistory),
            "_search" => Ok(Self::SystemSearch),
            _ => match operation_name(segment) {
                Some(name) => name.map(Self::SystemOperation),
                None => resource_type(segment).map(Self::Type),
            },
        }
    }

    fn parse_two(resource: ResourceType, segment: &'a str) -> Result<Self, PathError> {
        match segment {
            "_history" => Ok(Self::TypeHistory(resource)),
            "_search" => Ok(Self::TypeSearch(resource)),
            _ => match operation_name(segment) {
                Some(name) => name.map(|name| Self::TypeOperation(resource, name)),
                None => resource_id(segment).map(|id| Self::Instance(resource, id)),
            },
        }
    }

    fn parse_three(resource: ResourceType, id: &'a str, segment: &'a str) -> Result<Self, PathError> {
        match segment {
            "_history" => return Ok(Self::InstanceHistory(resource, id)),
            "_search" => {
                return compartment(resource)
                    .map(|compartment| Self::CompartmentSearch(compartment, id, ResourceSelector::Any));
            }
            _ => {}
        }
        if let Some(name) = operation_name(segment) {
            return name.map(|name| Self::InstanceOperation(resource, id, name));
        }
        let selector = selector(segment)?;
        compartment(resource).map(|compartment| Self::Compartment(compartment, id, selector))
    }

    fn parse_four(
        resource: ResourceType,
        id: &'a str,
        third: &'a str,
        fourth: &'a str,
    ) -> Result<Self, PathError> {
        match (third, fourth) {
            ("_history", version) if is_id(version) => Ok(Self::Version(resource, id, version)),
            ("_history", _) => Err(PathError::InvalidVersionId),
            (third, "_search") => {
                // `*/_search` would be another spelling of `_search`, and FHIR has no such path.
                let selected = ResourceSelector::Type(resource_type(third)?);
                compartment(resource).map(|compartment| Self::CompartmentSearch(compartment, id, selected))
            }
            (_, _) => Err(PathError::UnknownShape),
        }
    }
}

/// Refuses the first byte that FHIR paths don't have, saying of which kind it is.
fn check_characters(path: &str) -> Result<(), PathError> {
    if path.len() > MAXIMUM_PATH_LENGTH {
        return Err(PathError::TooLong);
    }
    path.bytes().try_for_each(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'$' | b'*' | b'/' => Ok(()),
        b'%' => Err(PathError::PercentEncoding),
        b'\\' => Err(PathError::Backslash),
        b';' => Err(PathError::Semicolon),
        0x00..=0x20 | 0x7F => Err(PathError::ControlCharacter),
        0x80..=0xFF => Err(PathError::NotAscii),
        _ => Err(PathError::ForbiddenCharacter),
    })
}

/// Refuses segments that other readers would drop or resolve. Takes the path without its first slash, not empty.
fn check_segments(relative: &str) -> Result<(), PathError> {
    if relative.starts_with('/') || relative.contains("//") {
        return Err(PathError::EmptySegment);
    }
    if relative.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(PathError::DotSegment);
    }
    if relative.ends_with('/') {
        return Err(PathError::TrailingSlash);
    }
    Ok(())
}

fn resource_type(segment: &str) -> Result<ResourceType, PathError> {
    ResourceType::from_name(segment).ok_or(PathError::UnknownResourceType)
}

fn resource_id(segment: &str) -> Result<&str, PathError> {
    if is_id(segment) {
        Ok(segment)
    } else {
        Err(PathError::InvalidId)
    }
}

fn selector(segment: &str) -> Result<ResourceSelector, PathError> {
    match segment {
        "*" => Ok(ResourceSelector::Any),
        _ => resource_type(segment).map(ResourceSelector::Type),
    }
}

fn compartment(resource: ResourceType) -> Result<ResourceType, PathError> {
    if COMPARTMENTS.contains(&resource.as_str()) {
        Ok(resource)
    } else {
        Err(PathError::NotACompartment)
    }
}

/// FHIR `id`: `[A-Za-z0-9\-\.]{1,64}`. Narrower in one point: an id must not end in a dot, because file systems and
/// some servers drop it there and would open another resource.
pub(super) fn is_id(text: &str) -> bool {
    (1..=MAXIMUM_ID_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        && !text.ends_with('.')
}

/// The name of an operation without its `$`: a letter, then letters, digits, `-` and `_`.
pub(super) fn is_operation_name(text: &str) -> bool {
    text.len() <= MAXIMUM_ID_LENGTH
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The operation a segment names; `None` if it does not begin with `$`.
fn operation_name(segment: &str) -> Option<Result<&str, PathError>> {
    let name = segment.strip_prefix('$')?;
    Some(if is_operation_name(name) {
        Ok(name)
    } else {
        Err(PathError::InvalidOperation)
    })
}

#[cfg(test)]
mod tests;
