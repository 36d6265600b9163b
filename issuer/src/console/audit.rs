//! `/admin/audit`: the search of the audit trail.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::administration;
use crate::domain::audit_event::{AuditAction, AuditOutcome};
use crate::domain::audit_search::{AuditFilter, AuditFindings, AuditPlace};
use crate::domain::user::normalize_email;
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::extract::{FormError, Parameters};
use crate::state::AppState;
use crate::views::console::{AuditLine, AuditPage, Choice, FieldFault, FormState};

use super::instant::{self, NO_INSTANT};
use super::{Administrator, PAGE_SIZE, links, show};

const ANY: &str = "any";
const NO_PERSON: &str = "There is nobody with this e-mail address.";
const NO_ADDRESS: &str = "This is no IP address.";
const NO_CHOICE: &str = "This is none of the choices.";

/// The fields of the form.
const FIELDS: [&str; 9] = [
    "user", "client", "action", "outcome", "from", "until", "ip", "object", "reason",
];

/// Shows what was found.
pub(super) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes()).map_err(FormError::from)?;
    let field = |name| {
        let value = query.single(name).map_err(|_| PageError::Field)?;
        Ok::<_, PageError>(value.unwrap_or_default().trim())
    };
    let mut form = FormState::default();
    let mut asked = Vec::new();
    for name in FIELDS {
        form = form.with(name, field(name)?);
        asked.push((name, field(name)?));
    }
    let (filter, faults) = filter(&state, &form).await?;
    let after = field("after")?;
    let place = match after {
        "" => None,
        text => Some(AuditPlace::parse(text).ok_or(PageError::Field)?),
    };
    let found = if faults.is_empty() {
        administration::audit::search(&state, filter, place, PAGE_SIZE).await?
    } else {
        AuditFindings {
            events: Vec::new(),
            next: None,
        }
    };
    let lines: Vec<AuditLine<'_>> = found.events.iter().map(AuditLine::of).collect();
    let next = found.next.map(|place| place.to_string());
    let after = place.map(|_| after);
    show(&AuditPage {
        frame: administrator.frame(),
        form: &form.with_faults(faults),
        actions: &choices(AuditAction::ALL.map(AuditAction::as_str)),
        outcomes: &choices([AuditOutcome::Success, AuditOutcome::Failure].map(AuditOutcome::as_str)),
        events: &lines,
        pages: links("/admin/audit", &asked, after, next.as_deref()),
    })
}

/// The names, and before them one for any.
fn choices<const N: usize>(names: [&str; N]) -> Vec<Choice> {
    let any = std::iter::once(Choice::new("", ANY));
    any.chain(names.map(|name| Choice::new(name, name))).collect()
}

/// What the form asks for, and what is wrong with it.
async fn filter(state: &AppState, form: &FormState) -> Result<(AuditFilter, Vec<FieldFault>), PageError> {
    let mut faults = Vec::new();
    let text = |name: &str| Some(form.value(name)).filter(|value| !value.is_empty());
    let owned = |name: &str| text(name).map(String::from);
    let mut read = |name: &str, wrong: &str, is_right: bool| {
        if text(name).is_some() && !is_right {
            faults.push(FieldFault {
                field: name.into(),
                text: wrong.into(),
            });
        }
    };
    let action = text("action").and_then(AuditAction::from_name);
    read("action", NO_CHOICE, action.is_some());
    let outcome = text("outcome").and_then(AuditOutcome::from_name);
    read("outcome", NO_CHOICE, outcome.is_some());
    let from = text("from").and_then(instant::parse);
    read("from", NO_INSTANT, from.is_some());
    let until = text("until").and_then(instant::parse);
    read("until", NO_INSTANT, until.is_some());
    let ip_address = text("ip").and_then(|text| text.parse().ok());
    read("ip", NO_ADDRESS, ip_address.is_some());
    let user_id = match text("user") {
        Some(email) if email.contains('@') => {
            let user = state.store().user_by_email(&normalize_email(email)).await;
            let user = user.map_err(InternalError::from)?;
            read("user", NO_PERSON, user.is_some());
            user.map(|user| user.id)
        }
        other => other.map(String::from),
    };
    let filter = AuditFilter {
        user_id,
        client_id: owned("client"),
        action,
        outcome,
        from,
        until,
        ip_address,
        object_id: owned("object"),
        reason: owned("reason"),
    };
    Ok((filter, faults))
}
