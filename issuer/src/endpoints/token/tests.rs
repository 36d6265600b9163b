//! The token endpoint through the real router, grant by grant.

mod authorization_code;
mod border;
mod client_authentication;
mod client_credentials;
mod refresh_token;
