//! In which form a refusal is said: OperationOutcome for FHIR clients, a problem document (RFC 9457) for others.

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// FHIR's OperationOutcome, `application/fhir+json`.
    OperationOutcome,
    /// A problem document, `application/problem+json`.
    Problem,
}

/// Chooses by the `Accept` header and by whether the path is one of the FHIR API's.
///
/// A client that names any FHIR media type gets an OperationOutcome. On FHIR paths so does everyone else, except a
/// client that names plain JSON or problem documents. XML is not written: FHIR lets a server answer in JSON.
pub fn body_form(accept: Option<&str>, is_fhir_path: bool) -> BodyForm {
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    let mut wants_problem = !is_fhir_path;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let excluded = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|weight| weight.bytes().all(|byte| matches!(byte, b'0' | b'.')))
        });
        if excluded {
            continue;
        }
        if media_type.contains("fhir") {
            return BodyForm::OperationOutcome;
        }
        wants_problem |= matches!(media_type, "application/json" | "application/problem+json");
    }
    if wants_problem {
        BodyForm::Problem
    } else {
        BodyForm::OperationOutcome
    }
}

#[cfg(test)]
mod tests {
    use super::{BodyForm, body_form};

    #[test]
    fn fhir_paths_answer_fhir_unless_plain_json_is_named() {
        for accept in [
            None,
            Some(""),
            Some("*/*"),
            Some("text/html,*/*;q=0.8"),
            Some("application/json;q=0"),
        ] {
            assert_eq!(body_form(accept, true), BodyForm::OperationOutcome, "{accept:?}");
        }
        for accept in [
            "application/json",
            "Application/Problem+JSON",
            "text/html, application/json;q=0.5",
        ] {
            assert_eq!(body_form(Some(accept), true), BodyForm::Problem, "{accept}");
        }
    }

    #[test]
    fn whoever_names_fhir_gets_fhir() {
        for accept in [
            "application/fhir+json",
            "application/json, application/fhir+json",
            "application/fhir+xml",
        ] {
            assert_eq!(
                body_form(Some(accept), true),
                BodyForm::OperationOutcome,
                "{accept}"
            );
            assert_eq!(
                body_form(Some(accept), false),
                BodyForm::OperationOutcome,
                "{accept}"
            );
        }
    }

    #[test]
    fn other_paths_answer_problem_documents() {
        for accept in [None, Some("*/*"), Some("text/html")] {
            assert_eq!(body_form(accept, false), BodyForm::Problem, "{accept:?}");
        }
    }
}
