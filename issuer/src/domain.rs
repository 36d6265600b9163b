//! The things the issuer keeps and what may become of them. No I/O, no SQL, no HTTP.
//!
//! A [`grant::Grant`] is the root of everything a client holds in somebody's name: its refresh tokens and access tokens
//! end with it. Secrets appear here as [`digest::SecretDigest`] only.

pub mod account_link;
pub mod api_key;
pub mod audit_chain;
pub mod audit_event;
pub mod audit_search;
pub mod authentication_context;
pub mod authorization_code;
pub mod authorization_request;
pub mod client;
pub mod connected_app;
pub mod consent;
pub mod denial;
pub mod device_authorization;
pub mod digest;
pub mod factor;
pub mod fhir_reference;
pub mod grant;
pub mod instant;
pub mod launch;
pub mod logout_notification;
pub mod message;
pub mod organization;
pub mod page;
pub mod passkey;
pub mod person_claim;
pub mod phone_number;
pub mod proof_use;
pub mod recovery_code;
pub mod registration;
pub mod remembered_device;
pub mod role;
pub mod sent_code;
pub mod session;
pub mod sign_in;
pub mod signing_key;
pub mod single_sign_on;
pub mod status_list;
pub mod user;
pub mod user_agent;
