//! The authorization endpoint through the real router.

mod flow;
mod form_post;
mod openid;
mod prompt;
mod refusals;
