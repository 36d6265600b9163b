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
    /// The rule that a person writes as `CLAIM=VALUE:ROLE`, whatever the role is called there: a claim's name may have colons,
    /// such as `cognito:groups`, and a value equals signs.
    pub fn parse(text: &str) -> Option<Self> {
        let (claim, rest) = text.split_once('=')?;
        let (value, role) = rest.rsplit_once(':')?;
        Some(Self {
            claim: claim.into(),
            value: value.into(),
            role: role.into(),
        })
    }

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

#[cfg(test)]
mod tests {
    use super::RoleRule;

    #[test]
    fn a_rule_is_read_from_one_line() {
        let parts = |text| RoleRule::parse(text).map(|rule| [rule.claim, rule.value, rule.role]);
        let whole = ["cognito:groups", "a=b", "Care Team User"].map(String::from);
        assert_eq!(parts("cognito:groups=a=b:Care Team User"), Some(whole));
        assert_eq!(
            parts("groups=x:y:Patient"),
            Some(["groups", "x:y", "Patient"].map(String::from))
        );
        for text in ["", "groups", "groups=x", "groups:x"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
