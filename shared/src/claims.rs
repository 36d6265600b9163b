//! What tokens say, member by member. Times (`exp`, `nbf`, `iat`) are kept by [`crate::jwt`] itself.

mod access;
mod actor;
mod confirmation;
mod id;
mod launch_context;
mod logout;
mod status_list;

pub use access::{ACCESS_TOKEN_TYPE, AccessClaims};
pub use actor::Actor;
pub use confirmation::{Binding, bound_to};
pub use id::{ID_TOKEN_TYPE, IdClaims, access_token_hash};
pub use launch_context::LaunchContext;
pub use logout::{LOGOUT_TOKEN_TYPE, LogoutClaims, LogoutEvents};
pub use status_list::{
    STATUS_LIST_MEDIA_TYPE, STATUS_LIST_TYPE, Status, StatusListClaims, StatusListReference,
};
