//! Every route of the API. What stands here is walked by a test that asserts that nobody but administrators gets in.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post};

use crate::web::Web;

use super::call::other_method;
use super::{
    api_keys, audit_events, clients, factors, organizations, roles, sessions, signing_keys,
    sso_connections as sso, users,
};

/// A route: its path, and what answers there.
pub(super) struct Route {
    pub(super) path: &'static str,
    answers: fn() -> MethodRouter<Web>,
}

impl Route {
    const fn new(path: &'static str, answers: fn() -> MethodRouter<Web>) -> Self {
        Self { path, answers }
    }
}

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    Route::new(users::PATH, || get(users::list).post(users::create)),
    Route::new("/auth/users/{id}", || get(users::get).patch(users::change)),
    Route::new("/auth/users/{id}/deactivate", || post(users::deactivate)),
    Route::new("/auth/users/{id}/reactivate", || post(users::reactivate)),
    Route::new("/auth/users/{id}/invite", || post(users::invite)),
    Route::new("/auth/users/{id}/factors", || {
        get(factors::list).delete(factors::reset)
    }),
    Route::new(roles::PATH, || get(roles::list).post(roles::create)),
    Route::new("/auth/roles/{id}", || {
        get(roles::get).patch(roles::change).delete(roles::remove)
    }),
    Route::new(organizations::PATH, || {
        get(organizations::list).post(organizations::create)
    }),
    Route::new("/auth/organizations/{id}", || {
        get(organizations::get)
            .patch(organizations::change)
            .delete(organizations::remove)
    }),
    Route::new(sso::PATH, || get(sso::list).post(sso::create)),
    Route::new("/auth/sso-connections/{id}", || {
        get(sso::get).patch(sso::change).delete(sso::remove)
    }),
    Route::new("/auth/sso-connections/{id}/attest-mfa", || post(sso::attest_mfa)),
    Route::new("/auth/sso-connections/{id}/enable", || post(sso::enable)),
    Route::new("/auth/sso-connections/{id}/disable", || post(sso::disable)),
    Route::new("/auth/sso-connections/{id}/domains", || post(sso::domains::add)),
    Route::new("/auth/sso-connections/{id}/domains/{domain}", || {
        delete(sso::domains::remove)
    }),
    Route::new("/auth/sso-connections/{id}/domains/{domain}/verify", || {
        post(sso::domains::verify)
    }),
    Route::new("/auth/sso-connections/{id}/domains/{domain}/override", || {
        post(sso::domains::take_word_for)
    }),
    Route::new("/auth/sso-connections/{id}/links/{userId}", || {
        delete(sso::unlink)
    }),
    Route::new("/auth/sso/explain", || get(sso::explain)),
    Route::new("/v1/audit-events", || get(audit_events::list)),
    Route::new(clients::PATH, || get(clients::list).post(clients::create)),
    Route::new("/v1/clients/{id}", || {
        get(clients::get).patch(clients::change).delete(clients::remove)
    }),
    Route::new("/v1/clients/{id}/secret", || post(clients::rotate_secret)),
    Route::new(api_keys::PATH, || get(api_keys::list).post(api_keys::create)),
    Route::new("/v1/api-keys/{id}", || {
        get(api_keys::get).delete(api_keys::revoke)
    }),
    Route::new("/v1/api-keys/{id}/rotate", || post(api_keys::rotate)),
    Route::new("/v1/sessions", || {
        get(sessions::list).delete(sessions::remove_all)
    }),
    Route::new("/v1/sessions/{id}", || delete(sessions::remove)),
    Route::new(signing_keys::PATH, || {
        get(signing_keys::list).post(signing_keys::rotate)
    }),
    Route::new("/v1/signing-keys/{id}", || {
        get(signing_keys::get).delete(signing_keys::revoke)
    }),
];

/// The routes, for the router.
pub fn routes() -> Router<Web> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        router.route(route.path, (route.answers)().fallback(other_method))
    })
}
