//! Every route, then every layer, in order.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::account;
use crate::account_links;
use crate::api;
use crate::consent;
use crate::console;
use crate::device;
use crate::endpoints::{
    authorize, cross_origin, device_authorization, documentation, dpop, end_session, health, introspect,
    landing, launches, metadata, outbox, pushed_authorization, reference, registration, revoke, status_list,
    throttling, token, userinfo,
};
use crate::layers;
use crate::login::{forgotten_password, new_password, passkey, second_factor, sign_in, sign_out};
use crate::openapi;
use crate::select_patient;
use crate::single_sign_on;
use crate::state::AppState;
use crate::web::Web;

/// The whole web side of the issuer over `state`.
pub fn router(state: AppState) -> Router {
    // Called by programs, from anywhere; by browser apps from registered origins.
    let protocol = Router::new()
        .route("/oauth2/token", token_route())
        .route("/oauth/token", token_route())
        .route(
            "/auth/token",
            axum::routing::post(token::post_form_or_json).fallback(token::other_method),
        )
        .route(
            "/oauth2/revoke",
            axum::routing::post(revoke::post).fallback(revoke::other_method),
        )
        .route(
            "/oauth2/par",
            axum::routing::post(pushed_authorization::post).fallback(pushed_authorization::other_method),
        )
        .route(
            "/oauth2/device_authorization",
            axum::routing::post(device_authorization::post).fallback(device_authorization::other_method),
        )
        .route(
            "/oauth2/userinfo",
            get(userinfo::get)
                .post(userinfo::post)
                .fallback(userinfo::other_method),
        )
        .route_layer(from_fn_with_state(state.clone(), throttling::throttle))
        .layer(from_fn_with_state(state.clone(), dpop::nonce::give))
        .layer(from_fn_with_state(
            state.clone(),
            cross_origin::registered_origins,
        ));

    // Called by servers alone: no browser app may, from whatever origin.
    let servers = Router::new()
        .route(
            "/oauth2/introspect",
            axum::routing::post(introspect::post).fallback(introspect::other_method),
        )
        .merge(registration_routes())
        .merge(api::routes())
        .route(
            "/v1/launches",
            axum::routing::post(launches::post).fallback(launches::other_method),
        )
        .route_layer(from_fn_with_state(state.clone(), throttling::throttle))
        .layer(from_fn_with_state(state.clone(), dpop::nonce::give));

    // Read by anybody.
    let documents = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(metadata::authorization_server),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata::authorization_server),
        )
        .route(
            "/.well-known/smart-configuration",
            get(metadata::smart_configuration),
        )
        .route("/.well-known/jwks.json", get(metadata::keys))
        .route("/oauth2/status", get(status_list::all))
        .route("/oauth2/status/{list}", get(status_list::get))
        .route(openapi::PATH, get(openapi::get))
        .route(reference::PATH, get(reference::get))
        .route(reference::SCRIPT_PATH, get(reference::script))
        .route(documentation::ERRORS_PATH, get(documentation::errors))
        .route("/docs/errors/{code}", get(documentation::error))
        .route("/static/wardgate.css", get(landing::stylesheet))
        .route("/static/passkeys.js", get(landing::passkey_script))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready));

    // Layers from the innermost to the outermost: a request meets the last one first.
    let https = state.config().server.public_url.is_https();
    let https_only = from_fn_with_state(state.clone(), layers::https_only);
    Router::new()
        .merge(documents)
        .merge(pages())
        .merge(console::routes(&state))
        .merge(development_routes(&state))
        .method_not_allowed_fallback(landing::other_method)
        .merge(protocol)
        .merge(servers)
        .fallback(landing::not_found)
        .with_state(Web::new(state))
        .layer(DefaultBodyLimit::max(layers::MAXIMUM_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            layers::LONGEST_ANSWER,
        ))
        .layer(CatchPanicLayer::custom(layers::answer_to_panic))
        .layer(TraceLayer::new_for_http().make_span_with(layers::request_span))
        .layer(from_fn(layers::request_id))
        .layer(from_fn(layers::no_store))
        .layer(from_fn_with_state(https, layers::security_headers))
        .layer(https_only)
}

/// What is there in development only.
fn development_routes(state: &AppState) -> Router<Web> {
    match state.messages().outbox() {
        Some(_) => Router::new().route("/dev/outbox", get(outbox::get)),
        None => Router::new(),
    }
}

/// Where clients register themselves, and manage that.
fn registration_routes() -> Router<Web> {
    Router::new()
        .route(
            "/oauth2/register",
            axum::routing::post(registration::post).fallback(registration::other_method),
        )
        .route(
            "/oauth2/register/{client_id}",
            get(registration::management::get)
                .put(registration::management::put)
                .delete(registration::management::delete)
                .fallback(registration::management::other_method),
        )
}

/// Visited by people.
fn pages() -> Router<Web> {
    Router::new()
        .route("/oauth2/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/oauth2/authorize/continue", get(authorize::resume))
        .route("/oauth2/logout", get(end_session::get).post(end_session::post))
        .route(
            "/oauth2/logout/confirm",
            axum::routing::post(end_session::confirm),
        )
        .route("/login", get(sign_in::get).post(sign_in::post))
        .merge(second_factor_routes())
        .route(
            forgotten_password::PATH,
            get(forgotten_password::get).post(forgotten_password::post),
        )
        .route(
            account_links::PATH,
            get(new_password::get).post(new_password::post),
        )
        .route(new_password::DONE_PATH, get(new_password::done))
        .route(passkey::PATH, axum::routing::post(passkey::post))
        .route(single_sign_on::CALLBACK_PATH, get(single_sign_on::callback::get))
        .route("/consent", get(consent::get).post(consent::post))
        .route(
            "/select-patient",
            get(select_patient::get).post(select_patient::post),
        )
        .route("/device", get(device::get).post(device::post))
        .route("/logout", get(sign_out::get).post(sign_out::post))
        .route(
            "/logout/provider",
            axum::routing::post(single_sign_on::sign_out::post),
        )
        .merge(account_routes())
        .route("/", get(landing::get))
}

/// The second step of a sign-in.
fn second_factor_routes() -> Router<Web> {
    Router::new()
        .route(
            second_factor::challenge::PATH,
            get(second_factor::challenge::get).post(second_factor::challenge::post),
        )
        .route(
            second_factor::enrol::PATH,
            get(second_factor::enrol::get).post(second_factor::enrol::post),
        )
        .route(
            second_factor::enrol_totp::PATH,
            get(second_factor::enrol_totp::get).post(second_factor::enrol_totp::post),
        )
        .route(
            second_factor::enrol_sms::PATH,
            get(second_factor::enrol_sms::get).post(second_factor::enrol_sms::post),
        )
        .route(
            second_factor::enrol_passkey::PATH,
            get(second_factor::enrol_passkey::get).post(second_factor::enrol_passkey::post),
        )
}

/// Where people look after their own account.
fn account_routes() -> Router<Web> {
    Router::new()
        .route(account::overview::PATH, get(account::overview::get))
        .route(
            account::password::PATH,
            get(account::password::get).post(account::password::post),
        )
        .route(
            account::sessions::PATH,
            get(account::sessions::get).post(account::sessions::post),
        )
        .route(
            account::factors::PATH,
            get(account::factors::get).post(account::factors::post),
        )
        .route(
            account::devices::PATH,
            get(account::devices::get).post(account::devices::post),
        )
        .route(
            account::apps::PATH,
            get(account::apps::get).post(account::apps::post),
        )
}

fn token_route() -> axum::routing::MethodRouter<Web> {
    axum::routing::post(token::post).fallback(token::other_method)
}

#[cfg(test)]
mod tests;
