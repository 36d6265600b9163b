//! Signing in and out: the pages, their defence against forged forms, and the brake on guessing.
//!
//! A browser that shows the sign-in form gets a cookie with a random value; the form's token is bound to it. A session
//! gets a new secret at every sign-in and replaces the one the browser had, so that nobody can plant a session on
//! somebody else. Where a sign-in leads is never an address that somebody else wrote: see [`destination`].

pub mod completion;
pub mod destination;
pub mod form_token;
pub mod passkey;
pub mod reauthentication;
pub mod second_factor;
pub mod sign_in;
pub mod sign_out;
pub mod throttle;
