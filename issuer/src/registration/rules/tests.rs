//! Rules for clients of the operator; those for clients that register themselves are tested with their documents.

use std::path::Path;

use wardgate_shared::jwt::SignatureAlgorithm;

use super::*;
use crate::domain::client::{SecretMethod, SubjectType};
use crate::domain::digest::SecretDigest;
use crate::testing;

fn config() -> Config {
    testing::config(Path::new(""))
}

fn app() -> Client {
    testing::client(
        "app",
        ClientAuthentication::Public,
        &[GrantType::AuthorizationCode],
        &["https://app.example/cb"],
        "openid",
    )
}

#[track_caller]
fn is_refused(change: impl FnOnce(&mut Client), fault: MetadataFault) {
    let mut client = app();
    change(&mut client);
    assert_eq!(check(&client, &config()), Err(fault));
}

// SMART-16
#[test]
fn an_operator_registers_http_on_this_machine_without_saying_what_the_application_is() {
    let mut client = app();
    client.redirect_uris =
        vec![RegisteredRedirectUri::parse("http://localhost:4567/custom/smart/redirect").unwrap()];
    client.metadata.launch_uri = Some("http://localhost:4567/custom/smart/launch".into());
    assert_eq!(check(&client, &config()), Ok(()));
}

#[test]
fn a_public_client_has_neither_secret_nor_keys_nor_a_way_without_pkce() {
    is_refused(
        |client| client.pkce_required = false,
        MetadataFault::PublicWithoutPkce,
    );
    is_refused(
        |client| client.metadata.token_endpoint_auth_method = Some(SecretMethod::Post),
        MetadataFault::NoSecret,
    );
    is_refused(
        |client| client.metadata.token_endpoint_auth_signing_alg = Some(SignatureAlgorithm::ES256),
        MetadataFault::AlgorithmWithoutKeys,
    );
}

#[test]
fn the_scopes_for_refresh_tokens_need_the_grant() {
    is_refused(
        |client| client.scope = wardgate_shared::scope::ScopeSet::parse("openid offline_access").unwrap(),
        MetadataFault::RefreshScopeWithoutGrant,
    );
}

#[test]
fn a_name_looks_like_what_it_is() {
    let named = |name: &str| {
        let mut client = app();
        client.name = name.into();
        check(&client, &config())
    };
    assert_eq!(named("Klinik-App für Ärzte"), Ok(()));
    for name in [
        "\u{200b}",
        "Ward\u{2060}gate",
        "Ward\u{feff}gate",
        "\u{202e}etagdraW",
        "A\u{2028}B",
    ] {
        assert_eq!(named(name), Err(MetadataFault::Name), "{name:?}");
    }
}

#[test]
fn pairwise_subjects_need_one_host() {
    let pairwise = |uris: &[&str]| {
        let mut client = app();
        client.metadata.subject_type = SubjectType::Pairwise;
        client.authentication = ClientAuthentication::Secret(SecretDigest::of("s"));
        client.redirect_uris = uris
            .iter()
            .map(|uri| RegisteredRedirectUri::parse(uri).unwrap())
            .collect();
        check(&client, &config())
    };
    assert_eq!(
        pairwise(&["https://app.example/a", "https://APP.example:8443/b"]),
        Ok(())
    );
    assert_eq!(
        pairwise(&[
            "https://app.example/a",
            "https://other.example/b",
            "https://app.example/c"
        ]),
        Err(MetadataFault::NoSector)
    );
    assert_eq!(
        pairwise(&["http://localhost:4567/cb"]),
        Err(MetadataFault::NoSector),
        "every native app is there"
    );
}

#[test]
fn urls_that_are_called_may_be_on_this_machine_where_that_is_allowed() {
    let mut client = app();
    client.metadata.backchannel_logout_uri = Some("http://127.0.0.1:1/logout".into());
    let mut development = config();
    development.outbound.allow_loopback_http = true;
    assert_eq!(check(&client, &development), Ok(()));
    assert_eq!(
        check(&client, &config()),
        Err(MetadataFault::CalledUrl("backchannel_logout_uri"))
    );
}
