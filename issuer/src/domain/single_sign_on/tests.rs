use serde_json::{Map, Value, json};

use super::{ClientCredential, ConnectionSettings, Preset, RoleRule, UnknownPeople, claim_holds};

fn settings() -> ConnectionSettings {
    ConnectionSettings {
        name: "Clinic".into(),
        preset: Preset::Generic,
        issuer: "https://idp.example".into(),
        client_id: "wardgate".into(),
        credential: ClientCredential::None,
        scopes: vec!["openid".into()],
        required_amr: Vec::new(),
        required_acr: Vec::new(),
        unknown_people: UnknownPeople::Refuse,
        default_role: None,
        role_rules: Vec::new(),
        grants_administration: false,
    }
}

fn claims(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_requirement_is_met_by_one_of_its_values() {
    let amr = |values: &[&str]| {
        values
            .iter()
            .map(|value| String::from(*value))
            .collect::<Vec<_>>()
    };
    assert!(settings().is_satisfied_by(&[], None));
    let strict = ConnectionSettings {
        required_amr: amr(&["mfa", "hwk"]),
        required_acr: amr(&["gold"]),
        ..settings()
    };
    assert!(strict.is_satisfied_by(&amr(&["pwd", "mfa"]), None));
    assert!(strict.is_satisfied_by(&[], Some("gold")));
    for (methods, acr) in [
        (&["pwd"][..], None),
        (&[], Some("Gold")),
        (&["MFA"], Some("silver")),
    ] {
        assert!(!strict.is_satisfied_by(&amr(methods), acr), "{methods:?} {acr:?}");
    }
}

#[test]
fn the_first_rule_that_fits_gives_the_role() {
    let rule = |claim: &str, value: &str, role: &str| RoleRule {
        claim: claim.into(),
        value: value.into(),
        role: role.into(),
    };
    let ruled = ConnectionSettings {
        default_role: Some("patient".into()),
        role_rules: vec![
            rule("groups", "physicians", "physician"),
            rule("department", "Billing", "clerk"),
        ],
        ..settings()
    };
    let both = claims(&json!({ "groups": ["staff", "physicians"], "department": "Billing" }));
    assert_eq!(ruled.role_for(&both), Some("physician"));
    assert_eq!(
        ruled.role_for(&claims(&json!({ "department": "Billing" }))),
        Some("clerk")
    );
    assert_eq!(
        ruled.role_for(&claims(&json!({ "department": "billing" }))),
        Some("patient")
    );
    let without_rules = ConnectionSettings {
        default_role: Some("patient".into()),
        ..settings()
    };
    assert_eq!(
        without_rules.role_for(&both),
        None,
        "nobody's role is changed where there are no rules"
    );
}

#[test]
fn a_claim_holds_itself_and_what_is_in_its_list() {
    assert!(claim_holds(&json!("a"), "a"));
    assert!(claim_holds(&json!(["b", "a"]), "a"));
    assert!(claim_holds(&json!(true), "true"));
    assert!(claim_holds(&json!(7), "7"));
    for claim in [
        json!("ab"),
        json!(["ab"]),
        json!([["a"]]),
        json!({ "a": "a" }),
        json!(null),
        json!([]),
    ] {
        assert!(!claim_holds(&claim, "a"), "{claim}");
    }
}
