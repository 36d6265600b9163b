//! Ids and references of FHIR R4, as far as the issuer has to tell a lawful one from another text (FHIR R4 sections
//! 2.24.0.1 `id` and 2.3.0 "References").

use wardgate_shared::scope::ResourceType;

/// The longest id, in characters.
const MAXIMUM_ID_CHARACTERS: usize = 64;

/// Whether `text` is a resource's id: 1 to 64 letters, digits, dashes and dots.
pub fn is_fhir_id(text: &str) -> bool {
    let is_permitted = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    // Lawful as ids, and no segments of a path.
    let is_dots = matches!(text, "." | "..");
    (1..=MAXIMUM_ID_CHARACTERS).contains(&text.len()) && text.bytes().all(is_permitted) && !is_dots
}

/// The type of the relative reference `text` (`Observation/123`), or `None` when it is none.
pub fn relative_reference_type(text: &str) -> Option<ResourceType> {
    let (name, id) = text.split_once('/')?;
    ResourceType::from_name(name).filter(|_| is_fhir_id(id))
}

/// The type of the canonical URL `text` (`https://example.org/Questionnaire/phq-9|1.0`): its last segment but one.
/// `None` when it is no http URL or the segment names no type.
pub fn canonical_type(text: &str) -> Option<ResourceType> {
    let path = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let path = path.split(['|', '#']).next()?;
    let mut segments = path.rsplit('/');
    let id = segments.next()?;
    let name = segments.next()?;
    // What stands before the type is the host at least.
    segments.next().filter(|host| !host.is_empty())?;
    ResourceType::from_name(name).filter(|_| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use wardgate_shared::scope::ResourceType;

    use super::{canonical_type, is_fhir_id, relative_reference_type};

    #[test]
    fn ids_have_the_characters_of_fhir() {
        for id in ["1", "a-b.C", &"x".repeat(64)] {
            assert!(is_fhir_id(id), "{id}");
        }
        for id in ["", ".", "..", "a b", "a/b", "ä", "a?b", "a%20b", &"x".repeat(65)] {
            assert!(!is_fhir_id(id), "{id}");
        }
    }

    #[test]
    fn references_name_a_type_and_an_id() {
        assert_eq!(
            relative_reference_type("ImagingStudy/123").map(ResourceType::as_str),
            Some("ImagingStudy")
        );
        for text in [
            "",
            "ImagingStudy",
            "ImagingStudy/",
            "imagingstudy/1",
            "Nothing/1",
            "ImagingStudy/1/_history/2",
            "https://fhir.example/ImagingStudy/1",
        ] {
            assert_eq!(relative_reference_type(text), None, "{text}");
        }
    }

    #[test]
    fn canonical_urls_name_a_type_before_their_last_segment() {
        for text in [
            "https://fhir.example/Questionnaire/phq-9",
            "http://fhir.example/r4/Questionnaire/phq-9|1.0",
        ] {
            assert_eq!(
                canonical_type(text).map(ResourceType::as_str),
                Some("Questionnaire"),
                "{text}"
            );
        }
        for text in [
            "",
            "Questionnaire/phq-9",
            "https://Questionnaire/phq-9",
            "https://fhir.example/Questionnaire/",
            "https://fhir.example/phq-9",
            "urn:uuid:1",
            "https://fhir.example/Questionnaire/a b",
        ] {
            assert_eq!(canonical_type(text), None, "{text}");
        }
    }
}
