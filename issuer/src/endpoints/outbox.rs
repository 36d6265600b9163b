//! `/dev/outbox`: the mail and short messages that development shows instead of sending them. The route is not there otherwise.
//!
//! Programs get `{"messages": [{"id", "channel", "to", "subject", "text", "html", "at"}]}`, newest first, with `?format=json` or
//! when they accept JSON.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde_json::json;

use crate::domain::instant;
use crate::error::page::PageError;
use crate::messages::Shown;
use crate::state::AppState;
use crate::views::outbox::{OutboxMessage, OutboxPage, pieces};
use crate::views::{FormTargets, page};

/// Shows the messages.
pub async fn get(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let outbox = state.messages().outbox().ok_or(PageError::NotFound)?;
    let messages = outbox.messages();
    let accepts_json = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.trim_start().starts_with("application/json"));
    if accepts_json || query.as_deref() == Some("format=json") {
        let messages: Vec<_> = messages.iter().map(document).collect();
        return Ok(Json(json!({ "messages": messages })).into_response());
    }
    let origin = state.config().server.public_url.as_str();
    let messages: Vec<OutboxMessage<'_>> = messages
        .iter()
        .map(|message| OutboxMessage {
            channel: message.channel.as_str(),
            to: &message.to,
            subject: message.subject.as_deref(),
            at: instant::rfc3339(message.at),
            pieces: pieces(&message.text, origin),
        })
        .collect();
    Ok(page(&OutboxPage { messages: &messages }, &FormTargets::none())?)
}

fn document(message: &Shown) -> serde_json::Value {
    json!({
        "id": message.id,
        "channel": message.channel.as_str(),
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "at": instant::rfc3339(message.at),
    })
}

#[cfg(test)]
mod tests;
