use proptest::prelude::*;
use serde_json::json;

use super::{ClaimsError, ClaimsParameter, MAXIMUM_BYTES};
use crate::domain::authentication_context::AuthenticationContext;
use crate::domain::person_claim::PersonClaim;

const PASSWORD: &str = AuthenticationContext::Password.as_str();

#[test]
fn the_example_of_the_specification_is_read() {
    // OpenID Connect Core section 5.5.
    let claims = json!({
        "userinfo": {
            "given_name": {"essential": true},
            "nickname": null,
            "email": {"essential": true},
            "email_verified": {"essential": true},
            "picture": null,
            "http://example.info/claims/groups": null
        },
        "id_token": {
            "auth_time": {"essential": true},
            "acr": {"values": ["urn:mace:incommon:iap:silver"]}
        }
    });
    let read = ClaimsParameter::parse(&claims.to_string()).unwrap();
    let userinfo = [
        PersonClaim::GivenName,
        PersonClaim::Nickname,
        PersonClaim::Picture,
        PersonClaim::Email,
        PersonClaim::EmailVerified,
    ];
    assert_eq!(read.asked.userinfo, userinfo.into());
    assert!(read.asked.id_token.is_empty());
    assert_eq!(read.subject, None);
}

#[test]
fn what_is_not_understood_is_ignored() {
    for text in [
        "{}",
        r#"{"userinfo": null, "id_token": null, "verified_claims": [1]}"#,
        r#"{"userinfo": {"name#ja": null, "unknown": {"essential": true, "odd": 1}}}"#,
        r#"{"id_token": {"sub": null, "acr": null}}"#,
    ] {
        assert_eq!(
            ClaimsParameter::parse(text),
            Ok(ClaimsParameter::default()),
            "{text}"
        );
    }
    let read = ClaimsParameter::parse(r#"{"id_token": {"email": {"value": "other@example.org"}}}"#).unwrap();
    assert_eq!(read.asked.id_token, [PersonClaim::Email].into());
}

#[test]
fn another_form_a_repeated_member_and_too_much_are_refused() {
    let long = format!(r#"{{"userinfo":{{"{}":null}}}}"#, "x".repeat(MAXIMUM_BYTES));
    for text in [
        "",
        "name",
        "[]",
        "null",
        r#"{"userinfo": ["name"]}"#,
        r#"{"userinfo": {"name": true}}"#,
        r#"{"userinfo": {"name": {"essential": "yes"}}}"#,
        r#"{"userinfo": {"name": {"values": "x"}}}"#,
        r#"{"userinfo": {"name": null, "name": null}}"#,
        r#"{"userinfo": {}, "userinfo": {}}"#,
        &long,
    ] {
        assert_eq!(
            ClaimsParameter::parse(text),
            Err(ClaimsError::Malformed),
            "{text}"
        );
    }
}

#[test]
fn one_person_can_be_named_and_not_two() {
    let parse =
        |value: serde_json::Value| ClaimsParameter::parse(&value.to_string()).map(|read| read.subject);
    assert_eq!(
        parse(json!({"id_token": {"sub": {"value": "a"}}})),
        Ok(Some("a".into()))
    );
    assert_eq!(
        parse(json!({"userinfo": {"sub": {"values": ["a"]}}})),
        Ok(Some("a".into()))
    );
    let both = json!({"userinfo": {"sub": {"value": "a"}}, "id_token": {"sub": {"value": "a"}}});
    assert_eq!(parse(both), Ok(Some("a".into())));
    assert_eq!(
        parse(json!({"id_token": {"sub": {"value": 1}}})),
        Ok(Some(String::new()))
    );
    for several in [
        json!({"id_token": {"sub": {"values": ["a", "b"]}}}),
        json!({"userinfo": {"sub": {"value": "a"}}, "id_token": {"sub": {"value": "b"}}}),
    ] {
        assert_eq!(parse(several), Err(ClaimsError::Subjects));
    }
}

#[test]
fn an_essential_context_must_be_one_that_can_be_reached() {
    let parse =
        |acr: serde_json::Value| ClaimsParameter::parse(&json!({"id_token": {"acr": acr}}).to_string());
    for fine in [
        json!({"essential": true}),
        json!({"essential": true, "value": PASSWORD}),
        json!({"essential": true, "values": ["phrh", PASSWORD]}),
        json!({"values": ["phrh"]}),
    ] {
        assert!(parse(fine.clone()).is_ok(), "{fine}");
    }
    for unreachable in [
        json!({"essential": true, "value": "phrh"}),
        json!({"essential": true, "values": ["phrh", 1]}),
    ] {
        assert_eq!(parse(unreachable), Err(ClaimsError::Context));
    }
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(text in ".{0,200}") {
        drop(ClaimsParameter::parse(&text));
    }

    #[test]
    fn whatever_names_are_asked_for_only_known_ones_are_noted(names in proptest::collection::btree_set("[a-z_]{1,12}|name|email", 0..8)) {
        let members: serde_json::Map<_, _> =
            names.iter().map(|name| (name.clone(), serde_json::Value::Null)).collect();
        let read = ClaimsParameter::parse(&json!({"userinfo": members}).to_string()).unwrap();
        let noted: Vec<&str> = read.asked.userinfo.iter().map(|claim| claim.as_str()).collect();
        prop_assert!(noted.iter().all(|name| names.contains(*name)));
        prop_assert_eq!(noted.contains(&"name"), names.contains("name"));
    }
}
