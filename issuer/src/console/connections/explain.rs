//! What would happen if somebody typed an address. Nothing is changed, and no provider is asked.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::administration::sso_connections as service;
use crate::console::listing::Listing;
use crate::error::page::PageError;
use crate::state::AppState;
use crate::views::console::{ExplainPage, FormState};

use super::{Administrator, missing, path_of, show};

/// Shows the form, and the answer to what it asks.
pub(in crate::console) async fn get(
    State(state): State<AppState>,
    administrator: Administrator,
    query: RawQuery,
) -> Result<Response, PageError> {
    let listing = Listing::read(query)?;
    let email = listing.filter("email")?;
    let explanation = match email {
        "" => None,
        email => Some(service::explain(state.store(), email).await.map_err(missing)?),
    };
    let connection = explanation
        .as_ref()
        .and_then(|said| said.connection_id.as_deref());
    show(&ExplainPage {
        frame: administrator.frame(),
        form: &FormState::default().with("email", email),
        explanation: explanation.as_ref(),
        connection_path: connection.map(path_of),
    })
}
