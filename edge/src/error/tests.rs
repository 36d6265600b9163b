//! The table of refusals, row by row.

use serde_json::{Value, json};
use wardgate_shared::dpop::ProofError;
use wardgate_shared::jwt::JwtError;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::scope::interaction::MethodError;
use wardgate_shared::scope::path::PathError;
use wardgate_shared::scope::{BundleError, CompartmentError, DenialReason, EntryError, RequestError};

use super::{Lack, Refusal, UpstreamFailure};
use crate::answer::OwnAnswer;
use crate::authenticate::TokenError;
use crate::body::{BodyError, Kind};
use crate::compartment::Withheld;
use crate::config::ConfigFault;
use crate::credentials::CredentialError;
use crate::dpop::ProofFault;
use crate::testing::{config, incoming};

const METADATA: &str = "resource_metadata=\"https://edge.example/.well-known/oauth-protected-resource/fhir\"";

/// What stands behind the challenge for a bearer token, for clients that can prove to hold a key.
const DPOP: &str = "DPoP realm=\"fhir\", resource_metadata=\"https://edge.example/.well-known/oauth-protected-resource/fhir\", \
                    algs=\"PS256 ES256 ES384 EdDSA\"";

/// The answer to a FHIR client.
fn answer(refusal: &Refusal) -> OwnAnswer {
    refusal.answer(Some(&config()), &incoming("GET", "/fhir/Patient", &[]))
}

/// The body that a client of plain JSON gets.
fn problem(refusal: &Refusal) -> Value {
    let request = incoming("GET", "/fhir/Patient", &[("accept", "application/json")]);
    let answer = refusal.answer(Some(&config()), &request);
    assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
    serde_json::from_str(&answer.body).unwrap()
}

fn header<'a>(answer: &'a OwnAnswer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(own, _)| *own == name)
        .map(|(_, value)| value.as_str())
}

/// What is wrong with the credential itself.
fn credential_rows() -> Vec<(Refusal, u16, Option<&'static str>)> {
    vec![
        (CredentialError::Missing.into(), 401, None),
        (CredentialError::Several.into(), 400, Some("invalid_request")),
        (CredentialError::Malformed.into(), 400, Some("invalid_request")),
        (CredentialError::InQuery.into(), 400, Some("invalid_request")),
        (CredentialError::Half.into(), 400, Some("invalid_request")),
        (
            TokenError::Jwt(JwtError::Expired).into(),
            401,
            Some("invalid_token"),
        ),
        (
            TokenError::Jwt(JwtError::InvalidSignature).into(),
            401,
            Some("invalid_token"),
        ),
        (TokenError::Bound.into(), 401, Some("invalid_token")),
        (TokenError::Unproved.into(), 401, Some("invalid_token")),
        (TokenError::OtherKey.into(), 401, Some("invalid_token")),
        (TokenError::NotBound.into(), 401, Some("invalid_token")),
        (ProofFault::Missing.into(), 401, Some("invalid_dpop_proof")),
        (ProofFault::Several.into(), 401, Some("invalid_dpop_proof")),
        (ProofError::Target.into(), 401, Some("invalid_dpop_proof")),
        (ProofFault::Used.into(), 401, Some("invalid_dpop_proof")),
        (ProofFault::Nonce.into(), 401, Some("use_dpop_nonce")),
        (ProofFault::Unknown.into(), 503, None),
        (TokenError::ApiKeyMistyped.into(), 401, Some("invalid_token")),
        (TokenError::ApiKeyRefused.into(), 401, Some("invalid_token")),
    ]
}

/// Each row of the table in the module's header, once.
fn table() -> Vec<(Refusal, u16, Option<&'static str>)> {
    let scope = |reason| Refusal::Scope { reason, needed: None };
    let mut rows = compartment_rows();
    rows.extend(credential_rows());
    rows.extend(vec![
        (
            scope(DenialReason::InsufficientScope),
            403,
            Some("insufficient_scope"),
        ),
        (scope(DenialReason::OtherPatient), 403, Some("insufficient_scope")),
        (scope(DenialReason::Batch), 403, None),
        (scope(DenialReason::NotTogether), 403, None),
        (scope(DenialReason::OperationNotListed), 403, None),
        (Refusal::Body(BodyError::MediaType(Kind::Form)), 415, None),
        (Refusal::Body(BodyError::TooLarge), 413, None),
        (Refusal::Body(BodyError::TooSlow), 408, None),
        (Refusal::Body(BodyError::Unreadable), 400, None),
        (
            Refusal::Body(BodyError::Bundle(BundleError::NoEntries)),
            400,
            None,
        ),
        (Refusal::EntryRequest(EntryError::NoRequest), 400, None),
        (
            Refusal::Entry {
                index: 2,
                refusal: Box::new(scope(DenialReason::InsufficientScope)),
            },
            403,
            Some("insufficient_scope"),
        ),
        (RequestError::Path(PathError::DotSegment).into(), 400, None),
        (
            RequestError::Path(PathError::UnknownResourceType).into(),
            404,
            None,
        ),
        (RequestError::MissingCriteria.into(), 400, None),
        (RequestError::Method(MethodError::Unknown).into(), 405, None),
        (
            Refusal::Method {
                allow: "GET, HEAD".into(),
            },
            405,
            None,
        ),
        (
            Refusal::Rule {
                lack: Lack::Scope,
                needed: "reports.read reports.list".into(),
            },
            403,
            Some("insufficient_scope"),
        ),
        (
            Refusal::Rule {
                lack: Lack::Claim,
                needed: String::new(),
            },
            403,
            Some("insufficient_scope"),
        ),
        (Refusal::AmbiguousPath, 400, None),
        (Refusal::EffectOfHeader, 400, None),
        (Refusal::NotFound, 404, None),
        (Refusal::LimitReached, 429, None),
        (Refusal::TooManyUnverified, 429, None),
        (
            Refusal::Undecided {
                retry_after_seconds: 7,
            },
            503,
            None,
        ),
        (Refusal::Misconfigured(Vec::new()), 503, None),
        (Refusal::Upstream(UpstreamFailure::Unreachable), 502, None),
        (Refusal::Upstream(UpstreamFailure::Redirect), 502, None),
        (Refusal::Upstream(UpstreamFailure::Unreadable), 502, None),
        (Refusal::Upstream(UpstreamFailure::Unauthorized), 502, None),
        (Refusal::Upstream(UpstreamFailure::Timeout), 504, None),
        (Refusal::Internal, 500, None),
    ]);
    rows
}

/// Those of the patient compartment.
fn compartment_rows() -> Vec<(Refusal, u16, Option<&'static str>)> {
    vec![
        (Refusal::Compartment(CompartmentError::Type), 403, None),
        (Refusal::Compartment(CompartmentError::Body), 400, None),
        (Refusal::Compartment(CompartmentError::Format), 406, None),
        (Refusal::Withheld(Withheld::NotThePatients), 404, None),
        (Refusal::Withheld(Withheld::Found), 403, None),
        (Refusal::Withheld(Withheld::OtherVersion), 412, None),
        (Refusal::Withheld(Withheld::Unreadable), 502, None),
    ]
}

#[test]
fn every_refusal_has_its_status_and_code() {
    for (refusal, status, code) in table() {
        let answer = answer(&refusal);
        assert_eq!(answer.status, status, "{refusal:?}");
        assert_eq!(refusal.code().map(OAuthErrorCode::as_str), code, "{refusal:?}");
        assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{refusal:?}");
        assert_eq!(
            header(&answer, "www-authenticate").is_some(),
            code.is_some() || status == 401,
            "{refusal:?}"
        );
        assert_eq!(header(&answer, "allow").is_some(), status == 405, "{refusal:?}");
    }
}

#[test]
fn every_refusal_has_a_body_in_both_forms() {
    for (refusal, status, code) in table() {
        let answer = answer(&refusal);
        assert_eq!(header(&answer, "content-type"), Some("application/fhir+json"));
        let outcome: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        let diagnostics = outcome["issue"][0]["diagnostics"].as_str().unwrap();
        let problem = problem(&refusal);
        assert_eq!(problem["status"], status, "{refusal:?}");
        assert_eq!(problem["detail"], diagnostics, "{refusal:?}");
        assert_eq!(problem.get("error").and_then(Value::as_str), code, "{refusal:?}");
        assert!(
            diagnostics.starts_with(char::is_uppercase),
            "{refusal:?}: {diagnostics}"
        );
    }
}

#[test]
fn every_refusal_has_its_own_reason_for_the_log() {
    for (refusal, ..) in table() {
        let reason = refusal.reason();
        assert!(
            reason
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{reason}"
        );
    }
}

#[test]
fn a_request_without_credentials_gets_a_challenge_without_a_code() {
    let refusal = Refusal::from(CredentialError::Missing);
    assert_eq!(
        header(&answer(&refusal), "www-authenticate"),
        Some(format!("Bearer realm=\"fhir\", {METADATA}, {DPOP}").as_str())
    );
}

#[test]
fn an_expired_token_is_said_in_the_words_of_the_api_s_documentation() {
    let refusal = Refusal::from(TokenError::Jwt(JwtError::Expired));
    assert_eq!(
        header(&answer(&refusal), "www-authenticate"),
        Some(
            format!(
                "Bearer realm=\"fhir\", error=\"invalid_token\", error_description=\"The access token expired\", {METADATA}, {DPOP}"
            )
            .as_str()
        )
    );
    assert_eq!(
        problem(&refusal),
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The access token expired",
            "error": "invalid_token",
            "error_description": "The access token expired",
            "error_uri": "https://issuer.example/docs/errors#invalid_token"
        })
    );
}

#[test]
fn insufficient_scope_names_the_scope_that_would_do() {
    let refusal = Refusal::Scope {
        reason: DenialReason::InsufficientScope,
        needed: Some("system/Patient.d".into()),
    };
    let answer = answer(&refusal);
    let challenge = header(&answer, "www-authenticate").unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"system/Patient.d\""), "{challenge}");
}

#[test]
fn no_text_needs_escaping_in_a_challenge() {
    for (refusal, ..) in table() {
        let answer = answer(&refusal);
        let challenge = header(&answer, "www-authenticate").unwrap_or_default();
        assert!(
            challenge
                .bytes()
                .all(|byte| (0x20..0x7F).contains(&byte) && byte != b'\\'),
            "{challenge}"
        );
        assert_eq!(challenge.matches('"').count() % 2, 0, "{challenge}");
        for part in challenge.split("\", ") {
            assert!(part.matches('"').count() <= 2, "{challenge}");
        }
    }
}

#[test]
fn what_cannot_be_decided_says_when_to_try_again() {
    for (seconds, expected) in [(30, "30"), (0, "1"), (-5, "1")] {
        let answer = answer(&Refusal::Undecided {
            retry_after_seconds: seconds,
        });
        assert_eq!(header(&answer, "retry-after"), Some(expected));
        assert_eq!(header(&answer, "www-authenticate"), None);
    }
}

#[test]
fn a_method_that_does_not_apply_is_told_which_do() {
    let unknown = answer(&RequestError::Method(MethodError::Unknown).into());
    assert_eq!(
        header(&unknown, "allow"),
        Some("GET, HEAD, POST, PUT, PATCH, DELETE")
    );
    let elsewhere = answer(&RequestError::Method(MethodError::NotAllowed { allow: "POST" }).into());
    assert_eq!(header(&elsewhere, "allow"), Some("POST"));
}

#[test]
fn a_wrong_configuration_names_its_variables_in_a_problem_document() {
    let fault = |variable: &str, problem: &str| ConfigFault {
        place: variable.into(),
        problem: problem.into(),
    };
    let refusal = Refusal::Misconfigured(vec![
        fault("WARDGATE_ISSUER", "is not set"),
        fault("WARDGATE_PREFIX", "must not be empty"),
    ]);
    let answer = refusal.answer(None, &incoming("GET", "/fhir/Patient", &[]));
    assert_eq!(answer.status, 503);
    assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        body["detail"],
        "The gateway's configuration is wrong: WARDGATE_ISSUER is not set; WARDGATE_PREFIX must not be empty"
    );
}
