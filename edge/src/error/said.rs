//! A refusal as an answer: its headers, the challenge (RFC 6750 section 3, RFC 9728 section 5.1) and the body.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use wardgate_shared::error_uri::error_uri;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::operation_outcome::{FHIR_MEDIA_TYPE, OperationOutcome};
use wardgate_shared::problem::{PROBLEM_MEDIA_TYPE, Problem};

use super::Refusal;
use super::status::title;
use crate::answer::OwnAnswer;
use crate::config::{Api, Config};
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
            let mut challenge = self.challenge(api);
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

    /// `WWW-Authenticate`. Values are quoted strings: none of the texts holds a quote or a backslash, since error texts
    /// and scopes are free of them (RFC 6749 appendix A) and the URL is one of the configuration.
    fn challenge(&self, api: &Api) -> String {
        let mut challenge = format!("Bearer realm=\"{}\"", api.name);
        let mut put = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(challenge, ", {name}=\"{value}\"");
        };
        if let Some(code) = self.code() {
            put("error", code.as_str());
            put("error_description", &self.detail());
        }
        if let Some(needed) = self.needed_scope() {
            put("scope", needed);
        }
        put("resource_metadata", &api.resource_metadata_url);
        challenge
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
