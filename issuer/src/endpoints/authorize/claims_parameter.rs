//! The parameters `claims` and `acr_values` (OpenID Connect Core sections 5.5 and 3.1.2.1).
//!
//! Claims about the person are noted, whether they are essential or not: section 5.5.1 has neither refused when nothing is
//! known. Two claims can refuse a request: `sub`, when it names somebody else, and an essential `acr` that cannot be reached.
//! Values of other claims, claims that are unknown here, and members that are no requests are ignored, as the section says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use wardgate_shared::json;

use crate::domain::authentication_context::AuthenticationContext;
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
        if let Some(Some(context)) = id_token.get("acr") {
            check_context(context)?;
        }
        Ok(Self {
            subject: only_subject([&userinfo, &id_token])?,
            asked: AskedClaims {
                userinfo: known(&userinfo),
                id_token: known(&id_token),
            },
        })
    }
}

fn known(requests: &Requests) -> BTreeSet<PersonClaim> {
    requests
        .keys()
        .filter_map(|name| PersonClaim::from_name(name))
        .collect()
}

/// An essential `acr` is one of those that people can be authenticated by here (section 5.5.1.1). Every sign-in reaches all
/// the levels there are, so asking people to sign in again would change nothing.
fn check_context(requirement: &Requirement) -> Result<(), ClaimsError> {
    let is_reachable = |value: &Value| {
        value
            .as_str()
            .and_then(AuthenticationContext::from_name)
            .is_some()
    };
    let mut wanted = requirement.wanted().peekable();
    if !requirement.essential || wanted.peek().is_none() || wanted.any(is_reachable) {
        Ok(())
    } else {
        Err(ClaimsError::Context)
    }
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
