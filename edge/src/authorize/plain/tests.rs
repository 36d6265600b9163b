//! Rules against claims.

use serde_json::{Value, json};

use super::by_rule;
use crate::config::rules::{ClaimRule, Rule};
use crate::error::{Lack, Refusal};

fn rule(scopes: &[&str], claims: &[(&str, Value)]) -> Rule {
    Rule {
        name: "require[0]".into(),
        methods: vec!["GET"],
        path: "/reports".into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        claims: claims
            .iter()
            .map(|(claim, value)| ClaimRule {
                claim: (*claim).to_owned(),
                value: value.clone(),
            })
            .collect(),
    }
}

fn lack(rule: &Rule, scope: &str, claims: &Value) -> Option<Lack> {
    match by_rule(rule, scope, claims.as_object().unwrap()) {
        Ok(_) => None,
        Err(Refusal::Rule { lack, .. }) => Some(lack),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn all_scopes_are_needed_and_named() {
    let rule = rule(&["reports.read", "reports.list"], &[]);
    assert_eq!(lack(&rule, "openid reports.list reports.read", &json!({})), None);
    for scope in [
        "",
        "reports.read",
        "reports.read  reports.list",
        "reports.list reports.reader",
    ] {
        assert_eq!(
            by_rule(&rule, scope, json!({}).as_object().unwrap()),
            Err(Refusal::Rule {
                lack: Lack::Scope,
                needed: "reports.read reports.list".into()
            }),
            "{scope:?}"
        );
    }
}

#[test]
fn a_claim_equals_the_value_or_has_it_as_an_item() {
    let rule = rule(&[], &[("tenant", json!("a"))]);
    for claims in [json!({"tenant": "a"}), json!({"tenant": ["b", "a"]})] {
        assert_eq!(lack(&rule, "", &claims), None, "{claims}");
    }
    for claims in [
        json!({}),
        json!({"tenant": "A"}),
        json!({"tenant": "ab"}),
        json!({"tenant": ["ab"]}),
        json!({"tenant": [["a"]]}),
        json!({"tenant": {"a": true}}),
        json!({"tenant": null}),
        json!({"other": "a"}),
    ] {
        assert_eq!(lack(&rule, "", &claims), Some(Lack::Claim), "{claims}");
    }
}

#[test]
fn numbers_and_booleans_are_not_their_texts() {
    let rule = rule(&[], &[("level", json!(2)), ("active", json!(true))]);
    assert_eq!(lack(&rule, "", &json!({"level": 2, "active": true})), None);
    for claims in [
        json!({"level": "2", "active": true}),
        json!({"level": 2, "active": "true"}),
        json!({"level": 2}),
    ] {
        assert_eq!(lack(&rule, "", &claims), Some(Lack::Claim), "{claims}");
    }
}

#[test]
fn names_after_slashes_lead_into_a_claim() {
    let rule = rule(&[], &[("/realm_access/roles", json!("auditor"))]);
    assert_eq!(
        lack(&rule, "", &json!({"realm_access": {"roles": ["auditor"]}})),
        None
    );
    for claims in [
        json!({"/realm_access/roles": "auditor"}),
        json!({"realm_access": {"roles": ["other"]}}),
        json!({"realm_access": "auditor"}),
    ] {
        assert_eq!(lack(&rule, "", &claims), Some(Lack::Claim), "{claims}");
    }
    let named = self::rule(&[], &[("https://a.example/roles", json!("x"))]);
    assert_eq!(lack(&named, "", &json!({"https://a.example/roles": ["x"]})), None);
}
