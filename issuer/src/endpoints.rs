//! The protocol's endpoints: one file each, named as in its specification.

pub mod authorize;
pub mod bearer_authentication;
pub mod client_authentication;
pub mod client_request;
pub mod cross_origin;
pub mod device_authorization;
pub mod documentation;
pub mod dpop;
pub mod end_session;
pub mod health;
pub mod introspect;
pub mod landing;
pub mod launches;
pub mod metadata;
pub mod outbox;
pub mod pushed_authorization;
pub mod reference;
pub mod registration;
pub mod resources;
pub mod revoke;
pub mod status_list;
pub mod throttling;
pub mod token;
pub mod userinfo;

#[cfg(test)]
mod tests;
