//! The lines this Worker writes to its log: one JSON object each, for one decision or one incident.
//!
//! A decision says what was decided about a request and why, in fixed words. It never holds a token, a query, a path
//! or any id of the FHIR API; the subject is there as a hash that joins the lines of one person and is no name. The
//! hash is not keyed: whoever knows all subjects can find them again, so logs remain personal data.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What happened to one request.
#[derive(Clone, Debug, Serialize)]
pub struct Decision<'a> {
    event: &'static str,
    /// The request's name.
    pub request_id: &'a str,
    /// The trace that the client says the request is part of; absent when it says none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<&'a str>,
    /// The route's name; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'static str>,
    /// The name of the API whose guarded part was addressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<&'a str>,
    /// `allow`, `open`, `deny` or `explained`; `undecided` when no decision could be made, `failed` when the FHIR server failed.
    pub outcome: &'static str,
    /// Why, in one word of a fixed list; absent for what was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The status that was answered.
    pub status: u16,
    /// Who asked, as a hash; absent when not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// On whose behalf an allowed request acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_level: Option<&'static str>,
}

impl<'a> Decision<'a> {
    /// A decision of which nothing is known yet.
    pub const fn new(request_id: &'a str) -> Self {
        Self {
            event: "decision",
            request_id,
            trace_id: None,
            route: None,
            api: None,
            outcome: "open",
            reason: None,
            status: 0,
            subject: None,
            access_level: None,
        }
    }

    /// The line.
    pub fn line(&self) -> String {
        to_line(self)
    }
}

/// The name of a subject in the log: 16 characters of a hash over issuer and subject.
pub fn subject_hash(issuer: &str, subject: &str) -> String {
    let digest = Sha256::new()
        .chain_update(issuer)
        .chain_update([0])
        .chain_update(subject)
        .finalize();
    let mut text = Base64UrlUnpadded::encode_string(&digest);
    text.truncate(16);
    text
}

/// Something an operator has to know that belongs to no single request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// The issuer's keys could not be fetched.
    KeysUnreachable(FetchFailure),
    /// What came as the issuer's keys is no acceptable set.
    KeysMalformed,
    /// A key of the set could not be imported.
    KeyImportFailed,
    /// A signature could not be checked.
    SignatureUnchecked,
    /// A status list could not be fetched.
    StatusListUnreachable(FetchFailure),
    /// What came as a status list is none, or not this issuer's.
    StatusListMalformed,
    /// The issuer could not be asked to exchange an API key, or answered what says nothing of the key.
    ApiKeysUnreachable(FetchFailure),
    /// What came as the token for an API key is none.
    ApiKeyAnswerMalformed,
    /// The token that an API key was exchanged for is not acceptable here.
    ApiKeyTokenRefused,
    /// The issuer's SMART configuration could not be fetched.
    SmartConfigurationUnreachable(FetchFailure),
    /// What came as the SMART configuration is no JSON object.
    SmartConfigurationMalformed,
}

/// Why a document of the issuer's did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// No connection, or one that broke.
    Unreachable,
    /// It took too long.
    Timeout,
    /// A status other than 200; redirects are not followed.
    Status(u16),
    /// The body is larger than any such document has reason to be.
    TooLarge,
}

impl Incident {
    /// The line; `issuer` is the one that it happened with.
    pub fn line(self, issuer: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'static str,
            reason: &'static str,
            issuer: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            failure: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<u16>,
        }
        let (reason, failure) = match self {
            Self::KeysUnreachable(failure) => ("keys_unreachable", Some(failure)),
            Self::KeysMalformed => ("keys_malformed", None),
            Self::KeyImportFailed => ("key_import_failed", None),
            Self::SignatureUnchecked => ("signature_unchecked", None),
            Self::StatusListUnreachable(failure) => ("status_list_unreachable", Some(failure)),
            Self::StatusListMalformed => ("status_list_malformed", None),
            Self::ApiKeysUnreachable(failure) => ("api_keys_unreachable", Some(failure)),
            Self::ApiKeyAnswerMalformed => ("api_key_answer_malformed", None),
            Self::ApiKeyTokenRefused => ("api_key_token_refused", None),
            Self::SmartConfigurationUnreachable(failure) => {
                ("smart_configuration_unreachable", Some(failure))
            }
            Self::SmartConfigurationMalformed => ("smart_configuration_malformed", None),
        };
        let status = match failure {
            Some(FetchFailure::Status(status)) => Some(status),
            Some(FetchFailure::Unreachable | FetchFailure::Timeout | FetchFailure::TooLarge) | None => None,
        };
        let failure = failure.map(|failure| match failure {
            FetchFailure::Unreachable => "unreachable",
            FetchFailure::Timeout => "timeout",
            FetchFailure::Status(_) => "status",
            FetchFailure::TooLarge => "too_large",
        });
        to_line(&Line {
            event: "incident",
            reason,
            issuer,
            failure,
            status,
        })
    }
}

fn to_line(value: &impl Serialize) -> String {
    // Strings and numbers always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Decision, FetchFailure, Incident, subject_hash};

    #[test]
    fn a_decision_is_one_json_object_without_what_is_not_known() {
        let mut decision = Decision::new("r-1");
        decision.status = 401;
        decision.outcome = "deny";
        decision.reason = Some("no_credentials");
        assert_eq!(
            decision.line(),
            r#"{"event":"decision","request_id":"r-1","outcome":"deny","reason":"no_credentials","status":401}"#
        );
    }

    #[test]
    fn incidents_say_what_failed_and_how() {
        assert_eq!(
            Incident::KeysUnreachable(FetchFailure::Status(302)).line("https://a.example"),
            r#"{"event":"incident","reason":"keys_unreachable","issuer":"https://a.example","failure":"status","status":302}"#
        );
        assert_eq!(
            Incident::KeysMalformed.line("https://a.example"),
            r#"{"event":"incident","reason":"keys_malformed","issuer":"https://a.example"}"#
        );
    }

    #[test]
    fn a_subject_hash_joins_issuer_and_subject_without_ambiguity() {
        let hash = subject_hash("https://a.example", "alice");
        assert_eq!(hash.len(), 16);
        assert_eq!(hash, subject_hash("https://a.example", "alice"));
        assert_ne!(hash, subject_hash("https://a.example", "bob"));
        assert_ne!(subject_hash("ab", "c"), subject_hash("a", "bc"));
        assert!(!hash.contains("alice"));
    }
}
