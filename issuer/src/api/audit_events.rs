//! `/v1/audit-events`: the audit trail, the newest line first. Reading it is not recorded.

mod description;

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use crate::administration::{FieldFault, audit};
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::audit_search::{AuditFilter, AuditPlace};
use crate::domain::instant;
use crate::domain::page::{Cursor, Page};
use crate::state::AppState;

use super::answer;
use super::call::{ApiError, Call};
use super::query::ListQuery;

pub use description::describe;

const FILTERS: [&str; 9] = [
    "filter[userId]",
    "filter[clientId]",
    "filter[action]",
    "filter[outcome]",
    "filter[from]",
    "filter[until]",
    "filter[ipAddress]",
    "filter[objectId]",
    "filter[reason]",
];

/// Lists lines. A page may be empty though `page.next` leads on: one search looks at so many lines only.
pub async fn list(State(state): State<AppState>, call: Call) -> Response {
    let actor = match call.authorize(&state).await {
        Ok(actor) => actor,
        Err(refusal) => return refusal,
    };
    let outcome = async {
        let query = ListQuery::parse(call.query.as_deref(), &FILTERS).map_err(ApiError::Query)?;
        let filter = filter(&query).map_err(ApiError::Query)?;
        let place = place(query.page.after.as_ref()).map_err(ApiError::Query)?;
        let size = query.page.size;
        let found = audit::search(&state, filter, place, size)
            .await
            .map_err(|error| ApiError::Administration(error.into()))?;
        let page = Page {
            entries: found.events,
            next: found.next.map(|place| Cursor {
                at: place.at,
                id: place.id.to_string(),
            }),
        };
        Ok(answer::list::<_, Value>(page, size))
    };
    call.finish(&state, &actor, outcome.await).await
}

fn place(cursor: Option<&Cursor>) -> Result<Option<AuditPlace>, Vec<FieldFault>> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let detail = "must be what page.next of the page before says";
    let id = cursor.id.parse();
    let id = id.map_err(|_| vec![FieldFault::of_unknown("page[after]", detail)])?;
    Ok(Some(AuditPlace { at: cursor.at, id }))
}

/// What the query asks for, or everything that is wrong with it.
fn filter(query: &ListQuery) -> Result<AuditFilter, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let filter = AuditFilter {
        user_id: query.filter("filter[userId]"),
        client_id: query.filter("filter[clientId]"),
        action: read(
            query,
            "filter[action]",
            "must be an action of the audit trail",
            &mut faults,
            AuditAction::from_name,
        ),
        outcome: read(
            query,
            "filter[outcome]",
            "must be success or failure",
            &mut faults,
            AuditOutcome::from_name,
        ),
        from: read(query, "filter[from]", INSTANT, &mut faults, instant::parse),
        until: read(query, "filter[until]", INSTANT, &mut faults, instant::parse),
        ip_address: read(
            query,
            "filter[ipAddress]",
            "must be an IP address",
            &mut faults,
            |text| text.parse().ok(),
        ),
        object_id: query.filter("filter[objectId]"),
        reason: query.filter("filter[reason]"),
    };
    if faults.is_empty() {
        Ok(filter)
    } else {
        Err(faults)
    }
}

/// What an instant must be.
pub(super) const INSTANT: &str = "must be an instant as RFC 3339 writes it: 2027-01-15T08:00:00Z";

fn read<T>(
    query: &ListQuery,
    name: &'static str,
    detail: &'static str,
    faults: &mut Vec<FieldFault>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = query.filter(name)?;
    let value = parse(&text);
    if value.is_none() {
        faults.push(FieldFault::of_unknown(name, detail));
    }
    value
}
