//! Which rules come of which registration, and which registrations make no sense.

use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use super::{ProfileFault, Rules};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, SecurityProfile};
use crate::domain::digest::SecretDigest;
use crate::testing::{self, Signer, key_set};

fn by_secret() -> ClientAuthentication {
    ClientAuthentication::Secret(SecretDigest::of("secret"))
}

fn by_keys(keys: JwkSet) -> ClientAuthentication {
    ClientAuthentication::PrivateKeyJwt {
        keys: ClientKeys::Inline(keys),
    }
}

fn key(algorithm: SignatureAlgorithm) -> JwkSet {
    key_set(&[&Signer::new(algorithm, Some("key"))])
}

fn client(authentication: ClientAuthentication) -> Client {
    testing::client("app", authentication, &[], &["https://app.example/cb"], "openid")
}

/// Its rules where nothing holds for all clients.
fn rules(client: &Client) -> Rules {
    client.rules(SecurityProfile::Standard)
}

// OIDC-01, SMART-24
#[test]
fn pkce_is_optional_for_a_confidential_client_and_for_nobody_else() {
    for (authentication, registered, required) in [
        (ClientAuthentication::Public, true, true),
        (ClientAuthentication::Public, false, true),
        (by_secret(), true, true),
        (by_secret(), false, false),
    ] {
        let mut client = client(authentication);
        client.pkce_required = registered;
        assert_eq!(rules(&client).requires_pkce, required);
        client.metadata.profile = SecurityProfile::Fapi2;
        assert!(rules(&client).requires_pkce);
    }
}

#[test]
fn the_stricter_profile_of_client_and_deployment_counts() {
    let mut client = client(by_keys(key(SignatureAlgorithm::ES256)));
    let relaxed = rules(&client);
    assert!(!relaxed.requires_push && !relaxed.requires_sender_constraint);
    let strict = client.rules(SecurityProfile::Fapi2);
    assert!(strict.requires_push && strict.requires_sender_constraint && strict.requires_issuer_as_audience);
    client.metadata.profile = SecurityProfile::Fapi2;
    for deployment in [SecurityProfile::Standard, SecurityProfile::Fapi2] {
        assert_eq!(client.rules(deployment), strict);
    }
}

#[test]
fn a_client_may_be_held_to_single_rules() {
    let mut client = client(by_secret());
    client.push_required = true;
    client.metadata.dpop_bound_access_tokens = true;
    let rules = rules(&client);
    assert!(rules.requires_push && rules.requires_sender_constraint);
    assert!(!rules.requires_private_key_jwt && rules.accepts_redirect("http://127.0.0.1/cb"));
}

// OIDC-03, OIDC-63
#[test]
fn id_tokens_are_signed_as_registered_within_the_profile() {
    use SignatureAlgorithm::{ES256, PS256, RS256};
    for (profile, registered, expected) in [
        (SecurityProfile::Standard, None, RS256),
        (SecurityProfile::Standard, Some(ES256), ES256),
        (SecurityProfile::Fapi2, None, PS256),
        (SecurityProfile::Fapi2, Some(ES256), ES256),
        (SecurityProfile::Fapi2, Some(RS256), PS256),
    ] {
        let mut client = client(by_secret());
        client.metadata.id_token_signed_response_alg = registered;
        assert_eq!(client.rules(profile).id_token_algorithm, expected);
    }
}

// FAPI-32
#[test]
fn assertions_are_signed_as_registered_within_the_profile() {
    use SignatureAlgorithm::{ES256, PS256, RS256};
    for (profile, registered, algorithm, accepted) in [
        (SecurityProfile::Standard, None, RS256, true),
        (SecurityProfile::Standard, Some(ES256), RS256, false),
        (SecurityProfile::Fapi2, None, RS256, false),
        (SecurityProfile::Fapi2, None, PS256, true),
        (SecurityProfile::Fapi2, Some(ES256), PS256, false),
        (SecurityProfile::Fapi2, Some(RS256), RS256, false),
    ] {
        let mut client = client(by_secret());
        client.metadata.token_endpoint_auth_signing_alg = registered;
        assert_eq!(client.rules(profile).accepts_assertion_by(algorithm), accepted);
    }
}

#[test]
fn a_public_client_has_no_grace_whatever_it_is_registered_with() {
    let mut client = client(ClientAuthentication::Public);
    client.metadata.refresh_token_grace_seconds = 60;
    for profile in [SecurityProfile::Standard, SecurityProfile::Fapi2] {
        assert_eq!(client.rules(profile).refresh_token_grace_seconds, 0);
    }
}

// FAPI-41
#[test]
fn a_confidential_client_has_the_grace_it_is_registered_with_and_fapi_a_minute() {
    for (registered, profile, grace) in [
        (0, SecurityProfile::Standard, 0),
        (5, SecurityProfile::Standard, 5),
        (0, SecurityProfile::Fapi2, 60),
        (90, SecurityProfile::Fapi2, 90),
    ] {
        let mut client = client(by_secret());
        client.metadata.refresh_token_grace_seconds = registered;
        assert_eq!(client.rules(profile).refresh_token_grace_seconds, grace);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    type Change = fn(&mut Client);
    let cases: [(Change, ProfileFault); 8] = [
        (
            |client| client.authentication = ClientAuthentication::Public,
            ProfileFault::NoPrivateKey,
        ),
        (
            |client| client.authentication = by_secret(),
            ProfileFault::NoPrivateKey,
        ),
        (
            |client| client.authentication = by_keys(key(SignatureAlgorithm::ES384)),
            ProfileFault::NoUsableKey,
        ),
        (
            |client| {
                let uri = RegisteredRedirectUri::parse("http://127.0.0.1:3000/cb").unwrap();
                client.redirect_uris.push(uri);
            },
            ProfileFault::InsecureRedirectUri,
        ),
        (
            |client| client.metadata.id_token_signed_response_alg = Some(SignatureAlgorithm::RS256),
            ProfileFault::Algorithm("id_token_signed_response_alg"),
        ),
        (
            |client| client.metadata.userinfo_signed_response_alg = Some(SignatureAlgorithm::RS384),
            ProfileFault::Algorithm("userinfo_signed_response_alg"),
        ),
        (
            |client| client.metadata.token_endpoint_auth_signing_alg = Some(SignatureAlgorithm::PS256),
            ProfileFault::NoUsableKey,
        ),
        (
            |client| {
                client.authentication = ClientAuthentication::Public;
                client.metadata.refresh_token_grace_seconds = 1;
            },
            ProfileFault::GraceOfPublicClient,
        ),
    ];
    for (change, fault) in cases {
        let mut client = client(by_keys(key(SignatureAlgorithm::ES256)));
        client.metadata.profile = SecurityProfile::Fapi2;
        assert_eq!(rules(&client).check(&client), Ok(()));
        change(&mut client);
        assert_eq!(rules(&client).check(&client), Err(fault));
        assert!(!fault.to_string().is_empty());
    }
}

#[test]
fn a_standard_client_may_be_anything() {
    for authentication in [
        ClientAuthentication::Public,
        by_secret(),
        by_keys(key(SignatureAlgorithm::ES384)),
    ] {
        let mut client = client(authentication);
        client.pkce_required = false;
        client.metadata.id_token_signed_response_alg = Some(SignatureAlgorithm::RS256);
        assert_eq!(rules(&client).check(&client), Ok(()));
    }
}
