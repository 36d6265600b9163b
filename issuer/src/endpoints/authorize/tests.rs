//! The authorization endpoint through the real router.

mod flow;
mod prompt;
mod refusals;
