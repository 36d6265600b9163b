//! A refusal as an answer: its headers, the challenge (RFC 6750 section 3, RFC 9728 section 5.1) and the body.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use wardgate_shared::dpop;
use wardgate_shared::error_uri::error_uri;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::operation_outcome::{FHIR_MEDIA_TYPE, OperationOutcome};
use wardgate_shared::problem::{PROBLEM_MEDIA_TYPE, Problem};

use super::Refusal;
use super::status::title;
use crate::answer::OwnAnswer;
use crate::config::{Api, Config};
use crate::credentials;
use crate::dpop::{ProofFault, used};
use crate::negotiation::{BodyForm, body_form};
use crate::request::Incoming;
use crate::unverified;
use crate::well_known::MISCONFIGURED_RETRY_AFTER;

impl Refusal {
    /// The whole answer. Without a configuration, which is itself a refusal, nothing that depends on it is said.
    pub fn answer(&self, config: Option<&Config>, request: &Incoming<'_>) -> OwnAnswer {
        let api = config.and_then(|config| config.api_of(request.path));
        let is_fhir_path = api.is_some_and(Api::is_fhir);
        let status = self.status();
        let mut answer = OwnAnswer::new(status)
            .with("cache-control", "no-store")
            .with("vary", "Accept");
        if let Some(api) = api
            && (status == 401 || self.code().is_some())
        {
            let mut challenge = self.challenge(api, request);
            if status == 401 && config.is_some_and(|config| config.takes_api_keys(api)) {
                challenge.push_str(", ApiKey realm=\"");
                challenge.push_str(&api.name);
                challenge.push('"');
            }
            answer = answer.with("www-authenticate", challenge);
        }
        if let Some(allow) = self.allow() {
            answer = answer.with("allow", allow.to_owned());
        }
        if let Self::Undecided { retry_after_seconds } | Self::NotCounted { retry_after_seconds } = self {
            answer = answer.with("retry-after", retry_after_seconds.max(&1).to_string());
        }
        if let Self::Proof(ProofFault::Unknown) = self {
            answer = answer.with("retry-after", used::RETRY_AFTER);
        }
        if let Self::TooManyUnverified = self {
            answer = answer.with("retry-after", unverified::RETRY_AFTER);
        }
        if let Self::Misconfigured(_) = self {
            answer = answer.with("retry-after", MISCONFIGURED_RETRY_AFTER);
        }
        match body_form(request.headers.get("accept"), is_fhir_path) {
            BodyForm::OperationOutcome => {
                let outcome = OperationOutcome::error(self.issue_type(), self.detail());
                answer.with_body(FHIR_MEDIA_TYPE, to_json(&outcome))
            }
            BodyForm::Problem => answer.with_body(PROBLEM_MEDIA_TYPE, to_json(&self.problem(config))),
        }
    }

    fn problem(&self, config: Option<&Config>) -> ProblemWithCode {
        let detail = self.detail();
        let code = self.code();
        ProblemWithCode {
            error: code,
            error_description: code.map(|_| detail.clone()),
            error_uri: code
                .zip(config)
                .map(|(code, config)| error_uri(&config.error_uri, code.as_str())),
            problem: Problem {
                kind: "about:blank".into(),
                title: title(self.status()).into(),
                status: self.status(),
                detail: Some(detail),
            },
        }
    }

    /// `WWW-Authenticate`: a challenge of each scheme that may be used, the first time that a client asks and when its token is
    /// refused (RFC 9449 section 7.2); otherwise of the one that it used. What is wrong stands with that one. Values are quoted
    /// strings: none of the texts holds a quote or a backslash, since error texts and scopes are free of them (RFC 6749 appendix A)
    /// and the URL is one of the configuration.
    fn challenge(&self, api: &Api, request: &Incoming<'_>) -> String {
        let is_dpop = api.requires_dpop || credentials::is_dpop(request);
        let both = self.status() == 401;
        let mut challenge = String::new();
        if !is_dpop || (both && !api.requires_dpop) {
            self.put_challenge(&mut challenge, "Bearer", api, !is_dpop);
        }
        if is_dpop || both {
            if !challenge.is_empty() {
                challenge.push_str(", ");
            }
            self.put_challenge(&mut challenge, "DPoP", api, is_dpop);
            challenge.push_str(", algs=\"");
            for (place, algorithm) in dpop::ALGORITHMS.iter().enumerate() {
                if place > 0 {
                    challenge.push(' ');
                }
                challenge.push_str(algorithm.name());
            }
            challenge.push('"');
        }
        challenge
    }

    fn put_challenge(&self, challenge: &mut String, scheme: &str, api: &Api, says_why: bool) {
        let mut put = |start: &str, name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(challenge, "{start}{name}=\"{value}\"");
        };
        put(scheme, " realm", &api.name);
        if says_why {
            if let Some(code) = self.code() {
                put(", ", "error", code.as_str());
                put(", ", "error_description", &self.detail());
            }
            if let Some(needed) = self.needed_scope() {
                put(", ", "scope", needed);
            }
        }
        put(", ", "resource_metadata", &api.resource_metadata_url);
    }
}

/// A problem document with the members of an OAuth error beside its own.
#[derive(Serialize)]
struct ProblemWithCode {
    #[serde(flatten)]
    problem: Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<OAuthErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<String>,
}

fn to_json(value: &impl Serialize) -> String {
    // Strings and numbers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
