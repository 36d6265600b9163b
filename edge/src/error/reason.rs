//! Each refusal in one word, for the log.

use wardgate_shared::jwt::JwtError;
use wardgate_shared::scope::{DenialReason, EntryError, RequestError};

use crate::authenticate::TokenError;
use crate::body::BodyError;
use crate::credentials::CredentialError;

use super::{Lack, Refusal, UpstreamFailure};

impl Refusal {
    /// The reason in one word of a fixed list.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Credential(error) => match error {
                CredentialError::Missing => "credential_missing",
                CredentialError::Several => "credential_several",
                CredentialError::Malformed => "credential_malformed",
                CredentialError::InQuery => "credential_in_query",
                CredentialError::Half => "credential_half",
            },
            Self::Token(TokenError::Bound) => "token_bound",
            Self::Token(TokenError::Unproved) => "token_unproved",
            Self::Token(TokenError::OtherKey) => "token_other_key",
            Self::Token(TokenError::NotBound) => "token_not_bound",
            Self::Proof(fault) => fault.reason(),
            Self::Token(TokenError::ApiKeyMistyped) => "api_key_mistyped",
            Self::Token(TokenError::ApiKeyRefused) => "api_key_refused",
            Self::Token(TokenError::Revoked) => "token_revoked",
            Self::Token(TokenError::Status) => "token_status",
            Self::Token(TokenError::Jwt(error)) => token_reason(*error),
            Self::Scope { reason, .. } => scope_reason(*reason),
            Self::Rule { lack, .. } => match lack {
                Lack::Scope => "rule_scope",
                Lack::Claim => "rule_claim",
            },
            Self::AmbiguousPath => "request_path",
            Self::Request(error) | Self::EntryRequest(EntryError::Request(error)) => request_reason(*error),
            Self::EntryRequest(EntryError::NoRequest | EntryError::Capitals | EntryError::OtherType) => {
                "request_entry"
            }
            Self::Entry { refusal, .. } => refusal.reason(),
            Self::Body(error) => match error {
                BodyError::MediaType(_) => "body_media_type",
                BodyError::TooLarge => "body_too_large",
                BodyError::TooSlow => "body_too_slow",
                BodyError::Unreadable => "body_unreadable",
                BodyError::Bundle(_) => "body_bundle",
            },
            Self::Compartment(error) => super::compartment::reason(*error),
            Self::Withheld(withheld) => withheld.reason(),
            Self::Method { .. } => "request_method",
            Self::EffectOfHeader => "request_override",
            Self::NotFound => "not_found",
            Self::Undecided { .. } => "undecided",
            Self::LimitReached => "limit_reached",
            Self::TooManyUnverified => "limit_unverified",
            Self::NotCounted { .. } => "limit_unknown",
            Self::Misconfigured(_) => "misconfigured",
            Self::Upstream(failure) => match failure {
                UpstreamFailure::Unreachable => "upstream_unreachable",
                UpstreamFailure::Timeout => "upstream_timeout",
                UpstreamFailure::Redirect => "upstream_redirect",
                UpstreamFailure::Unreadable => "upstream_unreadable",
                UpstreamFailure::Unauthorized => "upstream_unauthorized",
            },
            Self::Internal => "internal",
        }
    }
}

const fn request_reason(error: RequestError) -> &'static str {
    match error {
        RequestError::Method(_) => "request_method",
        RequestError::Path(_) => "request_path",
        RequestError::Query(_) => "request_query",
        RequestError::IfNoneExist(_) => "request_condition",
        RequestError::SearchForm(_) => "request_form",
        RequestError::MissingCriteria => "request_criteria",
    }
}

const fn token_reason(error: JwtError) -> &'static str {
    match error {
        JwtError::TooLong => "token_too_long",
        JwtError::Malformed => "token_malformed",
        JwtError::DuplicateMember => "token_duplicate_member",
        JwtError::UnsupportedAlgorithm => "token_algorithm",
        JwtError::CriticalHeader => "token_critical_header",
        JwtError::WrongType => "token_type",
        JwtError::UnknownKey => "token_unknown_key",
        JwtError::AlgorithmMismatch => "token_algorithm_mismatch",
        JwtError::InvalidSignature => "token_signature",
        JwtError::WrongIssuer => "token_issuer",
        JwtError::WrongAudience => "token_audience",
        JwtError::NoExpiry => "token_no_expiry",
        JwtError::NoIssueTime => "token_no_issue_time",
        JwtError::Expired => "token_expired",
        JwtError::NotYetValid => "token_not_yet_valid",
        JwtError::IssuedInFuture => "token_issued_in_future",
        JwtError::LivesTooLong => "token_lives_too_long",
    }
}

const fn scope_reason(reason: DenialReason) -> &'static str {
    match reason {
        DenialReason::InsufficientScope => "scope_insufficient",
        DenialReason::ReachesOtherTypes => "scope_reaches_other_types",
        DenialReason::UnseenSearchForm => "scope_unseen_form",
        DenialReason::OutsideRestriction => "scope_restriction",
        DenialReason::OtherPatient => "scope_other_patient",
        DenialReason::NoPatientInContext => "scope_no_patient",
        DenialReason::LevelNotHeld => "scope_level",
        DenialReason::Batch => "scope_batch",
        DenialReason::NotTogether => "scope_not_together",
        DenialReason::OperationNotListed => "scope_operation",
    }
}
