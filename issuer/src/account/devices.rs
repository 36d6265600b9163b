//! `/account/devices`: the browsers in which a person is not asked for a second factor each time. They can have each of them
//! forgotten, or all.
//!
//! Sessions that live in a forgotten browser stay, and lack their second factor.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::error::internal::InternalError;
use crate::error::page::PageError;
use crate::error::redirect;
use crate::extract::{ClientAddress, Form, FormError, SameOrigin, SignedIn};
use crate::login::form_token::{FormPurpose, form_token};
use crate::state::AppState;
use crate::views::{DeviceEntry, DevicesPage, FormTargets, Moment, page};

use super::{done, form_of, frame, sign_in_first};

/// Where the page is.
pub const PATH: &str = "/account/devices";

const DONE: [(&str, &str); 3] = [
    ("forgotten", "That device is forgotten."),
    ("all", "All devices are forgotten."),
    ("none", "That device was forgotten already."),
];

/// Shows the list.
pub async fn get(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    query: RawQuery,
) -> Result<Response, PageError> {
    let Some(session) = session else {
        return sign_in_first(PATH);
    };
    let devices = state
        .store()
        .remembered_devices(&session.user.id, state.now())
        .await
        .map_err(InternalError::from)?;
    let entries: Vec<DeviceEntry<'_>> = devices
        .iter()
        .map(|device| DeviceEntry {
            id: &device.id,
            label: &device.label,
            is_this: session.session.device_id.as_ref() == Some(&device.id),
            last_factor: Moment::at(device.last_factor_at),
            last_seen: Moment::at(device.last_seen_at),
        })
        .collect();
    let token = form_token(
        state.form_key(),
        session.secret.expose(),
        FormPurpose::AccountDevices,
    );
    let template = DevicesPage {
        frame: frame(&session, PATH),
        done: done(query, &DONE)?,
        devices: &entries,
        form_token: &token,
    };
    Ok(page(&template, &FormTargets::own())?)
}

/// Forgets the browser that the field `device` names, or all of them where `forget` is `all`.
pub async fn post(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: SameOrigin,
    SignedIn(session): SignedIn,
    form: Result<Form, FormError>,
) -> Result<Response, PageError> {
    let Form(parameters) = form?;
    let session = form_of(&state, session, FormPurpose::AccountDevices, &parameters)?;
    let field = |name| parameters.single(name).map_err(|_| PageError::Field);
    let user_id = &*session.user.id;
    let audit = AuditEvent::new(state.now(), AuditAction::DeviceRemoval, AuditOutcome::Success)
        .with_user(user_id)
        .with_ip_address(address);
    let store = state.store();
    let done = match (field("device")?, field("forget")?) {
        (Some(id), None) => {
            let forgotten = store.forget_device(user_id, id, audit.with_object(id)).await;
            if forgotten.map_err(InternalError::from)? {
                "forgotten"
            } else {
                "none"
            }
        }
        (None, Some("all")) => {
            let forgotten = store.forget_devices(user_id, session.session.digest, audit);
            forgotten.await.map_err(InternalError::from)?;
            "all"
        }
        (_, _) => return Err(PageError::Field),
    };
    Ok(redirect::to_own_page(&format!("{PATH}?done={done}"))?)
}
