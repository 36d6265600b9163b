//! The token endpoint through the real router, grant by grant.

mod api_key;
mod authorization_code;
mod border;
mod client_authentication;
mod client_credentials;
mod id_token_algorithms;
mod jwt_bearer;
mod own_token_exchange;
mod partner;
mod refresh_token;
mod token_exchange;
