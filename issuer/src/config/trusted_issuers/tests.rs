//! The tables of trusted issuers.

use std::path::Path;

use super::{AccountMatch, TrustedIssuer};
use crate::config::Config;

const REST: &str = "keys.master_key_file = \"master.key\"\nresources = [{ identifier = \"https://api.example.org/fhir\" }]\n";

/// The trusted issuers of a configuration with these tables, or its faults.
fn read(tables: &str) -> Result<Vec<TrustedIssuer>, Vec<String>> {
    let text = format!("{REST}{tables}");
    Config::from_sources(Some((Path::new("wardgate.toml"), &text)), [])
        .map(|config| config.trusted_issuers)
        .map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
}

#[test]
fn nobody_is_trusted_unless_they_are_named() {
    assert_eq!(read(""), Ok(Vec::new()));
}

#[test]
fn the_least_table_trusts_id_tokens_and_verified_addresses() {
    let issuers = read("[[trusted_issuers]]\nissuer = \"https://idp.example\"\naudiences = [\"us\"]\n");
    assert_eq!(
        issuers,
        Ok(vec![TrustedIssuer {
            issuer: "https://idp.example".into(),
            id_tokens: true,
            assertions: false,
            audiences: vec!["us".into()],
            jwks_uri: None,
            match_by: AccountMatch::Email,
            email_domains: Vec::new(),
            client_id: None,
            longest_age_seconds: 300,
        }])
    );
}

#[test]
fn every_member_is_read() {
    let issuers = read(
        "[[trusted_issuers]]\nissuer = \"https://idp.example\"\nuses = [\"jwt-bearer\"]\n\
         jwks_uri = \"https://keys.example/jwks\"\nmatch_by = \"subject_user_id\"\nemail_domains = [\"Example.ORG\"]\n\
         client_id = \"zus\"\nlongest_age_seconds = 60\n",
    );
    let issuer = issuers.unwrap().remove(0);
    assert!(!issuer.id_tokens && issuer.assertions && issuer.audiences.is_empty());
    assert_eq!(issuer.jwks_uri.as_deref(), Some("https://keys.example/jwks"));
    assert_eq!(issuer.match_by, AccountMatch::SubjectUserId);
    assert_eq!(issuer.email_domains, ["example.org"]);
    assert_eq!(issuer.client_id.as_deref(), Some("zus"));
    assert_eq!(issuer.longest_age_seconds, 60);
}

#[test]
fn the_environment_may_name_them_too() {
    let environment = [(
        "WARDGATE_TRUSTED_ISSUERS",
        "[{issuer=\"https://idp.example\", audiences=[\"us\"], longest_age_seconds=90}]",
    )]
    .map(|(name, value)| (String::from(name), String::from(value)));
    let config = Config::from_sources(Some((Path::new("wardgate.toml"), REST)), environment).unwrap();
    assert_eq!(config.trusted_issuers.len(), 1);
    assert_eq!(config.trusted_issuers[0].longest_age_seconds, 90);
    assert!(config.trusted_issuer("https://idp.example").is_some());
    assert!(config.trusted_issuer("https://idp.example/").is_none());
}

#[test]
fn every_fault_names_its_member() {
    let lawful = [("issuer", "\"https://idp.example\""), ("audiences", "[\"us\"]")];
    for (member, value) in [
        ("issuer", "5"),
        ("issuer", "\"idp.example\""),
        ("issuer", "\"http://idp.example\""),
        ("issuer", "\"https://127.0.0.1\""),
        ("issuer", "\"https://user@idp.example\""),
        ("uses", "[]"),
        ("uses", "[\"saml\"]"),
        ("uses", "\"id_token\""),
        ("audiences", "[]"),
        ("audiences", "[\"a b\"]"),
        ("jwks_uri", "\"http://idp.example/jwks\""),
        ("match_by", "\"name\""),
        ("email_domains", "[\"@example.org\"]"),
        ("client_id", "\"\""),
        ("longest_age_seconds", "59"),
        ("longest_age_seconds", "\"soon\""),
        ("isuer", "1"),
    ] {
        let others = lawful.iter().filter(|(own, _)| *own != member);
        let lines: Vec<String> = others
            .chain([&(member, value)])
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let table = format!("[[trusted_issuers]]\n{}\n", lines.join("\n"));
        let faults = read(&table).unwrap_err();
        assert_eq!(faults.len(), 1, "{member} = {value}: {faults:?}");
        assert!(
            faults[0].starts_with(&format!("trusted_issuers[0].{member} ")),
            "{faults:?}"
        );
    }
    for (tables, fault) in [
        ("trusted_issuers = 5\n", "trusted_issuers "),
        ("trusted_issuers = [5]\n", "trusted_issuers[0] "),
        (
            "[[trusted_issuers]]\naudiences = [\"us\"]\n",
            "trusted_issuers[0].issuer ",
        ),
        (
            "[[trusted_issuers]]\nissuer = \"https://a.example\"\naudiences = [\"a\"]\n\
             [[trusted_issuers]]\nissuer = \"https://a.example\"\naudiences = [\"b\"]\n",
            "trusted_issuers ",
        ),
    ] {
        let faults = read(tables).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(fault), "{faults:?}");
    }
}
