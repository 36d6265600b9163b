//! Which role follows from what a provider says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A rule: whose claim holds the value gets the role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim's name, such as `groups`, `roles` or `cognito:groups`.
    pub claim: String,
    /// The value: the claim itself, or one of its list. To the character.
    pub value: String,
    /// The role.
    pub role: String,
}

impl RoleRule {
    /// Whether it fits these claims.
    pub fn fits(&self, claims: &Map<String, Value>) -> bool {
        claims
            .get(&self.claim)
            .is_some_and(|claim| claim_holds(claim, &self.value))
    }
}

/// Whether a claim is `value`, or a list in which it stands. Truth values count as `true` and `false`, numbers as they are
/// written.
pub fn claim_holds(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Bool(truth) => value == if *truth { "true" } else { "false" },
        Value::Number(number) => number.to_string() == value,
        Value::Array(values) => values
            .iter()
            .any(|one| !one.is_array() && claim_holds(one, value)),
        Value::Null | Value::Object(_) => false,
    }
}
