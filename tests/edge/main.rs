//! The built Worker in the real `workerd`, seen from outside.
//!
//! `cargo xtask test` builds the Worker and says where it and `workerd` lie, in `WARDGATE_WORKER_DIR` and
//! `WARDGATE_WORKERD`.

mod expect;
mod refusals;
