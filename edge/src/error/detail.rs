//! What the author of a client is told of a refusal, in words: fixed texts, and nothing of causes inside.

use std::borrow::Cow;

use wardgate_shared::jwt::JwtError;

use super::{Lack, Refusal, UpstreamFailure};
use crate::authenticate::TokenError;

impl Refusal {
    /// What the client's author is told.
    pub(super) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Credential(error) => error.to_string().into(),
            Self::Token(TokenError::Jwt(JwtError::Expired)) => "The access token expired".into(),
            Self::Token(error) => error.to_string().into(),
            Self::Scope { reason, .. } => sentence(reason.to_string()).into(),
            Self::Rule { lack, .. } => match lack {
                Lack::Scope => "The token does not have the scopes that this needs",
                Lack::Claim => "The claims of the token do not permit this",
            }
            .into(),
            Self::Request(error) => sentence(error.to_string()).into(),
            Self::Body(error) => sentence(error.to_string()).into(),
            Self::EntryRequest(error) => sentence(error.to_string()).into(),
            Self::Entry { index, refusal } => format!("Bundle.entry[{index}]: {}", refusal.detail()).into(),
            Self::Compartment(error) => sentence(error.to_string()).into(),
            Self::Withheld(withheld) => withheld.detail().into(),
            Self::AmbiguousPath => "The path can be read in more than one way".into(),
            Self::Method { allow } => format!("The method does not apply here; allowed: {allow}").into(),
            Self::EffectOfHeader => {
                "A header must not change what the method and the path of the request say".into()
            }
            Self::NotFound => "Nothing is served at this path".into(),
            Self::LimitReached | Self::TooManyUnverified => "Too many requests; try again later".into(),
            Self::Undecided { .. } | Self::NotCounted { .. } => {
                "The request cannot be decided now; try again later".into()
            }
            Self::Misconfigured(faults) => {
                let faults: Vec<String> = faults
                    .iter()
                    .map(|fault| format!("{} {}", fault.place, fault.problem))
                    .collect();
                format!("The gateway's configuration is wrong: {}", faults.join("; ")).into()
            }
            Self::Upstream(UpstreamFailure::Unreachable) => {
                "The server behind the gateway cannot be reached".into()
            }
            Self::Upstream(UpstreamFailure::Timeout) => {
                "The server behind the gateway did not answer in time".into()
            }
            Self::Upstream(UpstreamFailure::Redirect) => {
                "The server behind the gateway answered with a redirect, which is not followed".into()
            }
            Self::Upstream(UpstreamFailure::Unreadable) => {
                "The answer of the server behind the gateway cannot be read".into()
            }
            Self::Upstream(UpstreamFailure::Unauthorized) => {
                "The server behind the gateway refused the gateway".into()
            }
            Self::Internal => "The gateway failed".into(),
        }
    }
}

/// The same text with a capital letter at its start. The texts begin in ASCII; capitals of all other letters would be
/// a table of 11 kB in the Worker.
fn sentence(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
