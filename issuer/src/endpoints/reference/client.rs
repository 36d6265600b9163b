//! The client of the API reference: public, with PKCE, at home at the page's own address.
//!
//! It is there while `documentation.try_it` is on, and gone with all that it was granted once that is off. People are asked before
//! it gets anything, and it gets no more than their role allows.

use wardgate_shared::redirect_uri::RegisteredRedirectUri;
use wardgate_shared::scope::ScopeSet;

use crate::config::Config;
use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata, GrantType, SecurityProfile};
use crate::error::internal::InternalError;
use crate::state::AppState;

/// Its `client_id`. Nobody else can register it.
pub const ID: &str = "wardgate-reference";
/// What it may ask for: what the issuer's own endpoints take.
pub const SCOPE: &str = "openid profile email fhirUser __administration.read __administration.write";

/// Whether people can sign in on the page. FAPI 2.0 knows no public clients.
pub fn is_on(config: &Config) -> bool {
    config.documentation.try_it && config.security.profile != SecurityProfile::Fapi2
}

/// Brings the store in step with the configuration, when the issuer starts.
///
/// # Errors
/// When the store fails.
pub async fn bring_in_step(state: &AppState) -> Result<(), InternalError> {
    let (store, now) = (state.store(), state.now());
    let audit = |action| {
        AuditEvent::new(now, action, AuditOutcome::Success)
            .with_client(ID)
            .with_method("configuration")
    };
    let found = store.client(ID).await?;
    if !is_on(state.config()) {
        if found.is_some() {
            store
                .delete_client(ID, audit(AuditAction::ClientDeletion))
                .await?;
        }
        return Ok(());
    }
    let Some(wanted) = wanted(state) else {
        return Ok(());
    };
    match found {
        None => {
            let _ = store
                .insert_client(wanted, audit(AuditAction::ClientRegistration))
                .await?;
        }
        Some(found) => {
            let wanted = Client {
                created_at: found.created_at,
                ..wanted
            };
            if found != wanted {
                // Another process that starts too brings it to the same.
                let _ = store
                    .update_client(found, wanted, audit(AuditAction::ClientUpdate))
                    .await?;
            }
        }
    }
    Ok(())
}

/// The client as it has to be. An issuer's own URL always makes a redirect URI.
fn wanted(state: &AppState) -> Option<Client> {
    let page = state.config().server.public_url.join(super::PATH);
    Some(Client {
        client_id: ID.into(),
        name: "API reference".into(),
        authentication: ClientAuthentication::Public,
        grant_types: vec![GrantType::AuthorizationCode],
        redirect_uris: vec![RegisteredRedirectUri::parse(&page).ok()?],
        post_logout_redirect_uris: Vec::new(),
        scope: ScopeSet::parse(SCOPE).ok()?,
        pkce_required: true,
        push_required: false,
        metadata: ClientMetadata::default(),
        registered_itself: false,
        created_at: state.now(),
    })
}
