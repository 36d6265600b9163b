//! What kind of token an access token is, by what it asks of whoever presents it (RFC 9449 sections 5 and 6).

use wardgate_shared::claims::{AccessClaims, Binding};

/// `token_type` of an access token that says `claims`: in the token response and in introspection.
pub fn token_type(claims: &AccessClaims) -> &'static str {
    match claims.binding() {
        Binding::Nothing => "Bearer",
        // The issuer binds tokens in no other way.
        Binding::Key(_) | Binding::NotUnderstood => "DPoP",
    }
}
