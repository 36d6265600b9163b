//! The parameters `claims` and `acr_values` (OpenID Connect Core sections 5.5 and 3.1.2.1).
//!
//! Claims about the person are noted, whether they are essential or not: section 5.5.1 has neither refused when nothing is
//! known. Two claims can refuse a request: `sub`, when it names somebody else, and an essential `acr` that cannot be reached. An
//! `acr` that can be reached is asked for, as `acr_values` is.
//! Values of other claims, claims that are unknown here, and members that are no requests are ignored, as the section says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use wardgate_shared::json;

use crate::domain::authentication_context::RequestedContext;
use crate::domain::person_claim::{AskedClaims, PersonClaim};

/// The longest `claims`, in bytes: all claims of the specification with some values fit several times.
const MAXIMUM_BYTES: usize = 8192;

/// What `claims` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsParameter {
    /// The claims about the person.
    pub asked: AskedClaims,
    /// The one `sub` that may answer.
    pub subject: Option<String>,
    /// How strongly the person is to be authenticated.
    pub context: Option<RequestedContext>,
}

/// Why `claims` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimsError {
    /// It is no JSON object of the form of section 5.5, repeats a member, or is too long.
    Malformed,
    /// It asks for several people at once.
    Subjects,
    /// It insists on an `acr` that cannot be reached here.
    Context,
}

/// One of the two members that ask for claims. A request for a claim is an object, or `null` for nothing special.
type Requests = BTreeMap<String, Option<Requirement>>;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    userinfo: Option<Requests>,
    #[serde(default)]
    id_token: Option<Requests>,
}

#[derive(Default, Deserialize)]
struct Requirement {
    #[serde(default)]
    essential: bool,
    #[serde(default)]
    value: Option<Value>,
    #[serde(default)]
    values: Option<Vec<Value>>,
}

impl Requirement {
    /// The values of which one must be had; none when any will do.
    fn wanted(&self) -> impl Iterator<Item = &Value> {
        self.value.iter().chain(self.values.iter().flatten())
    }
}

impl ClaimsParameter {
    /// Reads the parameter's text.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn parse(text: &str) -> Result<Self, ClaimsError> {
        if text.len() > MAXIMUM_BYTES || json::check_object(text.as_bytes()).is_err() {
            return Err(ClaimsError::Malformed);
        }
        let document: Document = serde_json::from_str(text).map_err(|_| ClaimsError::Malformed)?;
        let (userinfo, id_token) = (
            document.userinfo.unwrap_or_default(),
            document.id_token.unwrap_or_default(),
        );
        let context = match id_token.get("acr") {
            Some(Some(requirement)) => requested_context(requirement)?,
            Some(None) | None => None,
        };
        Ok(Self {
            context,
            subject: only_subject([&userinfo, &id_token])?,
            asked: AskedClaims {
                userinfo: known(&userinfo),
                id_token: known(&id_token),
            },
        })
    }
}

impl ClaimsParameter {
    /// How strongly the person is to be authenticated: what `claims` says of `acr`, else the wish of `acr_values`, else what the
    /// client is registered with. Values that are unknown here are passed over (OIDC-44).
    pub fn context_or(&self, acr_values: Option<&str>, registered: &[String]) -> Option<RequestedContext> {
        self.context.clone().or_else(|| match acr_values {
            Some(values) => RequestedContext::of(values.split(' '), false),
            None => RequestedContext::of(registered.iter().map(String::as_str), false),
        })
    }
}

fn known(requests: &Requests) -> BTreeSet<PersonClaim> {
    requests
        .keys()
        .filter_map(|name| PersonClaim::from_name(name))
        .collect()
}

/// What `acr` wants. One that is essential names at least one of the levels there are (section 5.5.1.1); whether the person can
/// reach it shows when they are known.
fn requested_context(requirement: &Requirement) -> Result<Option<RequestedContext>, ClaimsError> {
    let wanted: Vec<&Value> = requirement.wanted().collect();
    let known = RequestedContext::of(
        wanted.iter().filter_map(|value| value.as_str()),
        requirement.essential,
    );
    if requirement.essential && !wanted.is_empty() && known.is_none() {
        return Err(ClaimsError::Context);
    }
    Ok(known)
}

/// The person whom both members together name. A `sub` that is no text is nobody's.
fn only_subject(members: [&Requests; 2]) -> Result<Option<String>, ClaimsError> {
    let requirements = members
        .into_iter()
        .filter_map(|requests| requests.get("sub")?.as_ref());
    let named: BTreeSet<&str> = requirements
        .flat_map(Requirement::wanted)
        .map(|value| value.as_str().unwrap_or_default())
        .collect();
    let mut named = named.into_iter();
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => Ok(Some(only.into())),
        (Some(_), Some(_)) => Err(ClaimsError::Subjects),
    }
}

#[cfg(test)]
mod tests;
