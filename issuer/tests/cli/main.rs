//! The binary `wardgate` as people and scripts use it.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod bad_input;
mod commands;
mod master_key;
mod permissions;

mod support;
mod upgrade;
