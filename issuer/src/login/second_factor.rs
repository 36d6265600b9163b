//! The second proof of who a person is: when it is asked for, the pages that ask for it, and those that set one up.
//!
//! - [`demand`] decides whether a sign-in, or a session, still lacks something. The sign-in asks it in
//!   [`completion`](super::completion), the authorization endpoint in its decision.
//! - [`ongoing`] finds who answers: somebody who has shown their first proof and has no session yet, or somebody in a session.
//! - [`challenge`] is the page `/login/mfa`, and `answer` judges what is given there.
//! - [`enrol`] is the page on which a factor is chosen to set up; [`enrol_totp`], [`enrol_sms`] and [`enrol_passkey`] set it up, and
//!   `confirmation` ends that.
//! - [`totp`] checks codes of authenticator apps (RFC 6238), `telephone` sends and checks codes; [`devices`] remembers browsers.
//!
//! Whatever can be given once is consumed with the session that comes of it (`Store::complete_sign_in`).

mod answer;
pub mod challenge;
mod confirmation;
pub mod demand;
pub mod devices;
pub mod enrol;
pub mod enrol_passkey;
pub mod enrol_sms;
pub mod enrol_totp;
pub mod ongoing;
pub mod recovery;
mod telephone;
pub mod totp;

use crate::domain::factor::FactorKind;
use crate::domain::message::Channel;
use crate::messages;
use crate::state::AppState;

/// Whether factors of this kind can be set up and used here.
pub fn is_usable(state: &AppState, kind: FactorKind) -> bool {
    match kind {
        FactorKind::Passkey => state.passkeys().are_possible(),
        FactorKind::Totp => true,
        FactorKind::Sms => messages::are_sent(state.config(), Channel::Sms),
    }
}

#[cfg(test)]
mod tests;
