//! What a client's registration means.

use super::{Client, ClientAuthentication, SecurityProfile};
use crate::domain::digest::SecretDigest;
use crate::testing;

fn client(authentication: ClientAuthentication, grace: u32, profile: SecurityProfile) -> Client {
    let mut client = testing::client("app", authentication, &[], &[], "openid");
    client.metadata.refresh_token_grace_seconds = grace;
    client.metadata.profile = profile;
    client
}

#[test]
fn a_public_client_has_no_grace_whatever_it_is_registered_with() {
    for profile in [SecurityProfile::Standard, SecurityProfile::Fapi2] {
        let client = client(ClientAuthentication::Public, 60, profile);
        assert_eq!(client.refresh_token_grace_seconds(), 0);
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
        let secret = ClientAuthentication::Secret(SecretDigest::of("secret"));
        let client = client(secret, registered, profile);
        assert_eq!(client.refresh_token_grace_seconds(), grace);
    }
}
