//! `/admin`: how many there are of everything, and what was refused last.

use axum::extract::State;
use axum::response::Response;

use crate::administration;
use crate::domain::audit_event::AuditOutcome;
use crate::domain::audit_search::AuditFilter;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::console::{AuditLine, Count, Counted, OverviewPage};

use super::{Administrator, show};

/// How many refusals are shown.
const REFUSALS: usize = 10;

/// Shows the page.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let numbers = administration::overview::count(&state).await?;
    let failures = AuditFilter {
        outcome: Some(AuditOutcome::Failure),
        ..AuditFilter::default()
    };
    let found = administration::audit::search(&state, failures, None, REFUSALS).await?;
    let lines: Vec<AuditLine<'_>> = found.events.iter().map(AuditLine::of).collect();
    let count = |what, number, path| Count { what, number, path };
    show(&OverviewPage {
        frame: administrator.frame(),
        counts: &[
            count(Counted::ActiveUsers, numbers.active_users, "/admin/users"),
            count(
                Counted::DeactivatedUsers,
                numbers.deactivated_users,
                "/admin/users",
            ),
            count(Counted::Sessions, numbers.sessions, "/admin/sessions"),
            count(Counted::Clients, numbers.clients, "/admin/clients"),
            count(Counted::ApiKeys, numbers.api_keys, "/admin/api-keys"),
        ],
        failures: &lines,
    })
}
