//! `/admin`: the pages on which administrators work. Plain forms and lists, without scripts.
//!
//! Every page stands in [`PAGES`], and [`access`] stands before them all: it lets in whose present role is an
//! administrator's and who signed in lately, and takes forms only of this site. What a page does, it does by
//! [`crate::administration`], as the JSON API does, so it is checked and recorded there. A form carries a token that fits
//! its session and its address; [`Submission`] checks that.
//!
//! What is refused is recorded as the API records it. Left out on purpose: everything that the API has not.

mod access;
mod api_keys;
mod audit;
mod clients;
mod connections;
mod faults;
mod instant;
mod listing;
mod organizations;
mod overview;
mod roles;
mod sessions;
mod submission;
mod users;

use askama::Template;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};

use crate::error::page::PageError;
use crate::error::redirect;
use crate::path_segment::encode as segment;
use crate::state::AppState;
use crate::views::console::PageLinks;
use crate::views::{FormTargets, page};
use crate::web::Web;

pub use access::Administrator;
pub(crate) use clients::form::field_of;
pub use submission::Submission;

/// Lines of a list on one page.
const PAGE_SIZE: usize = 50;

/// A page: its path, and what answers there.
struct Page {
    path: &'static str,
    answers: fn() -> MethodRouter<Web>,
}

/// Every page of the console.
const PAGES: &[Page] = &[
    Page {
        path: "/admin",
        answers: || get(overview::get),
    },
    Page {
        path: "/admin/users",
        answers: || get(users::list),
    },
    Page {
        path: "/admin/new-user",
        answers: || get(users::form::new).post(users::form::create),
    },
    Page {
        path: "/admin/users/{id}",
        answers: || get(users::get),
    },
    Page {
        path: "/admin/users/{id}/change",
        answers: || get(users::form::edit).post(users::form::change),
    },
    Page {
        path: "/admin/users/{id}/deactivate",
        answers: || get(users::ask_deactivate).post(users::deactivate),
    },
    Page {
        path: "/admin/users/{id}/reactivate",
        answers: || get(users::ask_reactivate).post(users::reactivate),
    },
    Page {
        path: "/admin/users/{id}/invite",
        answers: || get(users::ask_invite).post(users::invite),
    },
    Page {
        path: "/admin/users/{id}/sign-out",
        answers: || get(users::ask_end_sessions).post(users::end_sessions),
    },
    Page {
        path: "/admin/users/{id}/reset-factors",
        answers: || get(users::ask_reset_factors).post(users::reset_factors),
    },
    Page {
        path: "/admin/roles",
        answers: || get(roles::list),
    },
    Page {
        path: "/admin/new-role",
        answers: || get(roles::new).post(roles::create),
    },
    Page {
        path: "/admin/roles/{id}/change",
        answers: || get(roles::edit).post(roles::change),
    },
    Page {
        path: "/admin/roles/{id}/remove",
        answers: || get(roles::ask_remove).post(roles::remove),
    },
    Page {
        path: "/admin/organizations",
        answers: || get(organizations::list),
    },
    Page {
        path: "/admin/new-organization",
        answers: || get(organizations::new).post(organizations::create),
    },
    Page {
        path: "/admin/organizations/{id}/change",
        answers: || get(organizations::edit).post(organizations::change),
    },
    Page {
        path: "/admin/organizations/{id}/remove",
        answers: || get(organizations::ask_remove).post(organizations::remove),
    },
    Page {
        path: "/admin/connections",
        answers: || get(connections::list),
    },
    Page {
        path: "/admin/new-connection",
        answers: || get(connections::form::new).post(connections::form::create),
    },
    Page {
        path: "/admin/explain-sign-in",
        answers: || get(connections::explain::get),
    },
    Page {
        path: "/admin/connections/{id}",
        answers: || get(connections::get),
    },
    Page {
        path: "/admin/connections/{id}/change",
        answers: || get(connections::form::edit).post(connections::form::change),
    },
    Page {
        path: "/admin/connections/{id}/attest",
        answers: || get(connections::ask_attest).post(connections::attest),
    },
    Page {
        path: "/admin/connections/{id}/enable",
        answers: || get(connections::ask_enable).post(connections::enable),
    },
    Page {
        path: "/admin/connections/{id}/disable",
        answers: || get(connections::ask_disable).post(connections::disable),
    },
    Page {
        path: "/admin/connections/{id}/unlink",
        answers: || get(connections::ask_unlink).post(connections::unlink),
    },
    Page {
        path: "/admin/connections/{id}/remove",
        answers: || get(connections::ask_remove).post(connections::remove),
    },
    Page {
        path: "/admin/connections/{id}/domains",
        answers: || post(connections::domains::add),
    },
    Page {
        path: "/admin/connections/{id}/domains/{domain}",
        answers: || get(connections::domains::get),
    },
    Page {
        path: "/admin/connections/{id}/domains/{domain}/verify",
        answers: || post(connections::domains::verify),
    },
    Page {
        path: "/admin/connections/{id}/domains/{domain}/override",
        answers: || get(connections::domains::ask_override).post(connections::domains::take_word_for),
    },
    Page {
        path: "/admin/connections/{id}/domains/{domain}/remove",
        answers: || get(connections::domains::ask_remove).post(connections::domains::remove),
    },
    Page {
        path: "/admin/sessions",
        answers: || get(sessions::list),
    },
    Page {
        path: "/admin/sessions/{id}/end",
        answers: || get(sessions::ask_end).post(sessions::end),
    },
    Page {
        path: "/admin/audit",
        answers: || get(audit::get),
    },
    Page {
        path: "/admin/clients",
        answers: || get(clients::list),
    },
    Page {
        path: "/admin/new-client",
        answers: || get(clients::form::new).post(clients::form::create),
    },
    Page {
        path: "/admin/clients/{id}",
        answers: || get(clients::get),
    },
    Page {
        path: "/admin/clients/{id}/change",
        answers: || get(clients::form::edit).post(clients::form::change),
    },
    Page {
        path: "/admin/clients/{id}/secret",
        answers: || get(clients::ask_rotate).post(clients::rotate),
    },
    Page {
        path: "/admin/clients/{id}/remove",
        answers: || get(clients::ask_remove).post(clients::remove),
    },
    Page {
        path: "/admin/api-keys",
        answers: || get(api_keys::list),
    },
    Page {
        path: "/admin/new-api-key",
        answers: || get(api_keys::new).post(api_keys::create),
    },
    Page {
        path: "/admin/api-keys/{id}",
        answers: || get(api_keys::get),
    },
    Page {
        path: "/admin/api-keys/{id}/rotate",
        answers: || post(api_keys::rotate),
    },
    Page {
        path: "/admin/api-keys/{id}/revoke",
        answers: || get(api_keys::ask_revoke).post(api_keys::revoke),
    },
];

/// The routes, each behind [`access::guard`].
pub fn routes(state: &AppState) -> Router<Web> {
    let pages = PAGES.iter().fold(Router::new(), |router, page| {
        router.route(page.path, (page.answers)())
    });
    pages.route_layer(from_fn_with_state(state.clone(), access::guard))
}

/// A page as an answer.
fn show(template: &impl Template) -> Result<Response, PageError> {
    Ok(page(template, &FormTargets::own())?)
}

/// Sends the browser on to `path`, where `done`, a word of [`access::DONE`], says what happened.
fn done(path: &str, done: &str) -> Result<Response, PageError> {
    Ok(redirect::to_own_page(&format!("{path}?done={done}"))?)
}

/// The links of a list at `path` that was asked for with `query` after the place `after`, and goes on after `next`.
fn links(path: &str, query: &[(&str, &str)], after: Option<&str>, next: Option<&str>) -> PageLinks {
    let link = |place: Option<&str>| {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
        encoded.extend_pairs(place.map(|place| ("after", place)));
        match encoded.finish() {
            query if query.is_empty() => String::from(path),
            query => format!("{path}?{query}"),
        }
    };
    PageLinks {
        first: after.map(|_| link(None)),
        next: next.map(|next| link(Some(next))),
    }
}

#[cfg(test)]
mod tests;
