//! `cargo xtask dev --check`: does what the guide tells people to do, with the same lines, and says what it saw.

use std::process::Command;

use serde_json::Value;

use super::{
    addresses::FHIR,
    data::DevData,
    guide::{api_key_command, call_command, launch_command, token_command},
    http::{self, Answer},
};
use crate::{fault::Outcome, session::Session};

/// Calls the API with the guide's own lines, with a token and without one; true when both answers are as they should
/// be.
pub(super) fn run(session: &Session<'_>, dev: &DevData) -> Outcome<bool> {
    let mut passed = true;
    let mut tell = |right: bool, what: &str| {
        passed &= right;
        session
            .screen
            .step(&format!("{} {what}", if right { "ok  " } else { "FAIL" }));
    };

    let answer = shell(&call_command(&dev.service_secret));
    let status = answer.lines().next().unwrap_or("no answer").to_owned();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    tell(
        status.contains(" 200") && is_bundle_of_patients(body),
        &format!("the guide's curl line, with a token: {status}, {}", summary(body)),
    );
    let remaining = header(&answer, "x-ratelimit-remaining");
    tell(
        remaining.is_some_and(|value| value.parse::<u32>().is_ok()),
        &format!(
            "the limit's headers on its answer: {} more requests",
            remaining.unwrap_or("nothing about")
        ),
    );

    let token = shell(&token_command(&dev.service_secret));
    let token = token.trim();
    tell(
        token.matches('.').count() == 2,
        &format!("a token for the service: {} characters", token.len()),
    );
    match http::get(&format!("{FHIR}/Patient"), Some(token)) {
        Ok(Answer {
            status,
            content_type,
            body,
        }) => tell(
            status == 200
                && content_type.starts_with("application/fhir+json")
                && is_bundle_of_patients(&body),
            &format!(
                "GET {FHIR}/Patient with it: {status}, {content_type}, {}",
                summary(&body)
            ),
        ),
        Err(error) => tell(false, &format!("GET {FHIR}/Patient with it: {error}")),
    }
    match http::get(&format!("{FHIR}/Patient"), None) {
        Ok(Answer { status, body, .. }) => tell(
            status == 401 && !is_bundle_of_patients(&body),
            &format!("GET {FHIR}/Patient without a token: {status}, {}", summary(&body)),
        ),
        Err(error) => tell(false, &format!("GET {FHIR}/Patient without a token: {error}")),
    }
    let answer = shell(&api_key_command(&dev.api_key));
    let status = answer.lines().next().unwrap_or("no answer").to_owned();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    tell(
        status.contains(" 200") && is_bundle_of_patients(body),
        &format!(
            "the guide's curl line, with an API key: {status}, {}",
            summary(body)
        ),
    );
    let launch = shell(&launch_command(&dev.ehr_secret));
    tell(
        launch_url(&launch).is_some_and(|url| url.contains("iss=") && url.contains("launch=")),
        &format!("the guide's launch by an EHR: {}", summary(&launch)),
    );
    session.stop.check()?;
    Ok(passed)
}

/// The standard output of a line, as a person's shell would run it; what curl says on failure comes with it.
fn shell(line: &str) -> String {
    match Command::new("sh")
        .args(["-c", &format!("{{ {line}; }} 2>&1")])
        .output()
    {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// A header of an answer as `curl -i` shows it, by its name in lower case.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Where the browser is sent by the answer to a launch.
fn launch_url(answer: &str) -> Option<String> {
    let document: Value = serde_json::from_str(answer).ok()?;
    document.get("launch_url")?.as_str().map(str::to_owned)
}

fn is_bundle_of_patients(body: &str) -> bool {
    let Ok(bundle) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let is_patient =
        |entry: &Value| entry.pointer("/resource/resourceType").and_then(Value::as_str) == Some("Patient");
    bundle.get("resourceType").and_then(Value::as_str) == Some("Bundle")
        && bundle
            .get("entry")
            .and_then(Value::as_array)
            .is_some_and(|entries| !entries.is_empty() && entries.iter().all(is_patient))
}

/// What a body is, in a few words; a refusal's text in full, since it is the news.
fn summary(body: &str) -> String {
    let Ok(json) = serde_json::from_str::<Value>(body) else {
        return format!(
            "a body that is no JSON: {}",
            body.chars().take(200).collect::<String>().trim()
        );
    };
    let name = json.get("resourceType").and_then(Value::as_str).unwrap_or("JSON");
    match json.get("entry").and_then(Value::as_array) {
        Some(entries) => format!("{name} with {} entries", entries.len()),
        None => format!("{name}: {}", body.chars().take(300).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::{header, is_bundle_of_patients, shell, summary};

    #[test]
    fn knows_a_bundle_of_patients_from_a_refusal() {
        let bundle = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}]}"#;
        assert!(is_bundle_of_patients(bundle));
        assert_eq!(summary(bundle), "Bundle with 1 entries");
        assert!(!is_bundle_of_patients(r#"{"resourceType":"OperationOutcome"}"#));
        assert!(!is_bundle_of_patients(r#"{"resourceType":"Bundle","entry":[]}"#));
        assert!(!is_bundle_of_patients("<html>"));
    }

    #[test]
    fn finds_a_header_before_the_body_alone() {
        let answer = "HTTP/1.1 200 OK\r\nX-RateLimit-Remaining: 999\r\n\r\nx-other: 1\r\n\r\n";
        assert_eq!(header(answer, "x-ratelimit-remaining"), Some("999"));
        assert_eq!(header(answer, "x-other"), None);
        assert_eq!(header("no answer", "x-other"), None);
    }

    #[test]
    fn a_failing_line_gives_what_it_said() {
        assert_eq!(shell("echo one; echo two >&2").lines().count(), 2);
    }
}
