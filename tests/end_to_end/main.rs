//! Issuer, edge and FHIR API together, as the apps that use them see them: the whole path of a token, the examples that
//! the system's first users were given, and client libraries that know nothing of Wardgate.

mod api_keys;
mod audit;
mod backup;
mod client_libraries;
mod crash;
mod disk;
mod documentation;
mod examples;
mod identity_provider;
mod journey;
mod logout;
mod openid_client;
mod passkeys;
mod readme;
mod revocation;
mod seed_examples;
mod smart_app;
mod sso;
mod stop;
mod token_exchange;
