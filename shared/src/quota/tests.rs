//! The limit by example, by property, and against a hostile world.

mod coordinator;
mod headers;
mod holder;
mod model;
mod unavailable;
mod wire;

use super::{HolderId, Policy};

fn policy(limit: u32, window_seconds: u32) -> Policy {
    Policy::new(limit, window_seconds).expect("a policy")
}

/// An isolate's identity.
fn isolate(number: u8) -> HolderId {
    HolderId([number; 16])
}
