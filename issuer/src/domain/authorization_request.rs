//! An authorization request that was checked and waits for its person (RFC 6749 section 4.1.1).

use wardgate_shared::pkce::CodeChallenge;
use wardgate_shared::redirect_uri::RedirectTarget;
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use super::authentication_context::RequestedContext;
use super::digest::SecretDigest;
use super::launch::RequestContext;
use super::person_claim::AskedClaims;

/// How long a person has to sign in and decide, in seconds.
pub const REQUEST_LIFETIME_SECONDS: i64 = 600;

/// How long the `request_uri` of a pushed request may be used, in seconds (RFC 9126 section 2.2, FAPI-15).
pub const PUSHED_LIFETIME_SECONDS: i64 = 60;

/// How the answer travels to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirect (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1).
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode section 2).
    FormPost,
}

impl ResponseMode {
    /// Every mode, in the order in which metadata lists them.
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    /// The value of `response_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    /// The mode of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A checked request. Its identifier travels through the sign-in and consent pages; the store knows the digest.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The digest of the identifier.
    pub digest: SecretDigest,
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes: a registered URI, as the request named it.
    pub redirect_target: RedirectTarget,
    /// How it gets there.
    pub response_mode: ResponseMode,
    /// Whether the request named its `redirect_uri`, so that the token request must too (RFC 6749 section 4.1.3).
    pub redirect_uri_given: bool,
    /// What is asked for, cut to what the client may have.
    pub scope: ScopeSet,
    /// `state`, given back as it came.
    pub state: Option<String>,
    /// `nonce`, given back in the ID token.
    pub nonce: Option<String>,
    /// The PKCE challenge.
    pub challenge: Option<CodeChallenge>,
    /// The thumbprint of the key that the code will be bound to (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// The resources the access token will name in `aud`.
    pub audiences: Vec<String>,
    /// `prompt=login`, or `max_age`: sessions authenticated before this instant do not count.
    pub authenticated_after: Option<Timestamp>,
    /// `prompt=consent`: ask even if the person agreed before.
    pub consent_forced: bool,
    /// `prompt=none`: answer without showing a page, or refuse.
    pub prompt_none: bool,
    /// `login_hint`, shown in the sign-in form.
    pub login_hint: Option<String>,
    /// Until when the `request_uri` of a pushed request may be used (RFC 9126); none for one that came through the browser.
    pub pushed_until: Option<Timestamp>,
    /// The claims that are asked for one by one.
    pub claims: AskedClaims,
    /// Whom `id_token_hint` or the claim `sub` names: nobody else may answer the request. Empty when that is nobody.
    pub hinted_user_id: Option<String>,
    /// How strongly it wants its person authenticated.
    pub requested_context: Option<RequestedContext>,
    /// The EHR launch that it came with; spent when the request is approved.
    pub launch: Option<SecretDigest>,
    /// The clinical context, as far as it is known.
    pub context: RequestContext,
    /// When the request dies.
    pub expires_at: Timestamp,
}
