//! Signing in at the identity provider of one's organization: OpenID Connect Core 1.0 section 3.1 from the client's side,
//! with PKCE (RFC 7636) and the defences of RFC 9700 sections 2.1 and 4.4.
//!
//! The domain of an e-mail address decides where its person signs in ([`home_realm`]); nobody's account is looked at for
//! that. The browser is sent off ([`departure`]) with a state that works once, in this browser, for this connection, and comes
//! back to one address for all connections ([`callback`]). The code is redeemed ([`code`]), the ID token held to every rule
//! ([`id_token`]), and an account found or made ([`account`]); then the sign-in goes on as any other.
//!
//! Trusted: that a provider speaks truly about the people of the domains that were verified for its connection. Left out on
//! purpose: the provider's userinfo endpoint and access token (what counts stands in the ID token), SAML, and back-channel
//! logout by providers.

pub mod account;
pub mod callback;
pub mod code;
pub mod departure;
pub mod discovery;
pub mod fault;
pub mod home_realm;
pub mod id_token;
pub mod sign_out;

/// Where providers send browsers back to, below the public URL.
pub const CALLBACK_PATH: &str = "/login/sso/callback";

#[cfg(test)]
pub(crate) mod tests;
