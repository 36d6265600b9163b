//! The second proof of who a person is: when it is asked for, the pages that ask for it, and those that set one up.
//!
//! - [`demand`] decides whether a sign-in, or a session, still lacks something. The sign-in asks it in
//!   [`completion`](super::completion), the authorization endpoint in its decision.
//! - [`ongoing`] finds who answers: somebody who has shown their first proof and has no session yet, or somebody in a session.
//! - [`challenge`] is the page `/login/mfa`; [`enrol`] and [`enrol_totp`] set a factor up.
//! - [`totp`] checks codes of authenticator apps (RFC 6238); [`devices`] remembers browsers.
//!
//! Whatever can be given once is consumed with the session that comes of it (`Store::complete_sign_in`).

pub mod challenge;
pub mod demand;
pub mod devices;
pub mod enrol;
pub mod enrol_totp;
pub mod ongoing;
pub mod recovery;
pub mod totp;

#[cfg(test)]
mod tests;
