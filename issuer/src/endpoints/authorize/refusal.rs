//! Why an authorization request is refused, and where the refusal goes.

use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::pkce::PkceError;
use wardgate_shared::redirect_uri::RedirectTarget;

use crate::domain::authorization_request::ResponseMode;
use crate::extract::ParametersError;

use super::claims_parameter::ClaimsError;

/// A refused request, and where the refusal goes.
#[derive(Debug)]
pub enum Refusal {
    /// To a page of ours.
    Page {
        /// Why.
        error: UntrustedRequest,
        /// The client, when there is one of that name.
        client_id: Option<String>,
    },
    /// To the client.
    Redirect {
        /// Where to.
        target: RedirectTarget,
        /// By what means.
        mode: ResponseMode,
        /// `state`, as it came.
        state: Option<String>,
        /// The client.
        client_id: String,
        /// Why.
        error: AuthorizationError,
    },
}

impl Refusal {
    /// The refusal of a request whose parameters cannot even be read.
    pub const fn malformed(error: ParametersError) -> Self {
        Self::Page {
            error: UntrustedRequest::Malformed(error),
            client_id: None,
        }
    }

    /// The client, as far as it is known.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Page { client_id, .. } => client_id.as_deref(),
            Self::Redirect { client_id, .. } => Some(client_id),
        }
    }

    /// Code and reason for a client that asks itself rather than through the browser (RFC 9126 section 2.3).
    pub const fn for_client(&self) -> (OAuthErrorCode, &'static str) {
        match self {
            Self::Page { error, .. } => (OAuthErrorCode::InvalidRequest, error.description()),
            Self::Redirect { error, .. } => (error.code(), error.description()),
        }
    }

    /// The reason for the audit trail.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Page { error, .. } => error.reason(),
            Self::Redirect { error, .. } => error.code().as_str(),
        }
    }
}

/// Why nothing may be sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrustedRequest {
    /// The parameters cannot be read.
    Malformed(ParametersError),
    /// `client_id` is absent or repeated.
    NoClient,
    /// No client of that name is registered.
    UnknownClient,
    /// `redirect_uri` is repeated, or absent where the client has several.
    NoRedirectUri,
    /// `redirect_uri` is not registered for the client.
    UnregisteredRedirectUri,
    /// `redirect_uri` is registered and not https, which the client must use.
    InsecureRedirectUri,
    /// `request_uri` is repeated, unknown, another client's, too old, or its request was answered.
    PushedRequestGone,
}

impl UntrustedRequest {
    const fn reason(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_request",
            Self::NoClient => "no_client",
            Self::UnknownClient => "unknown_client",
            Self::NoRedirectUri => "no_redirect_uri",
            Self::UnregisteredRedirectUri => "unregistered_redirect_uri",
            Self::InsecureRedirectUri => "insecure_redirect_uri",
            Self::PushedRequestGone => "invalid_request_uri",
        }
    }

    /// The reason for the person who sees the page.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Malformed(_) => "The app sent a request that cannot be read.",
            Self::NoClient => "The app did not say which app it is (client_id).",
            Self::UnknownClient => "No app of this name (client_id) is registered here.",
            Self::NoRedirectUri => "The app did not say where its answer should go (redirect_uri).",
            Self::UnregisteredRedirectUri => {
                "The address to which the app wants its answer (redirect_uri) is not registered for it."
            }
            Self::InsecureRedirectUri => {
                "The address to which the app wants its answer (redirect_uri) is not https, as it must be."
            }
            Self::PushedRequestGone => {
                "The app's request (request_uri) is unknown, took too long, or has been answered already."
            }
        }
    }
}

/// Why the client is told that its request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationError {
    /// A parameter is repeated.
    Repeated,
    /// `request` (OpenID Connect Core section 6.1) is not supported.
    RequestObject,
    /// `request_uri` (OpenID Connect Core section 6.2) names nothing that was pushed here.
    RequestUri,
    /// The client must push its requests (RFC 9126 section 6, FAPI-09).
    NotPushed,
    /// The client is not registered for the code grant.
    GrantNotAllowed,
    /// `response_type` is absent.
    NoResponseType,
    /// `response_type` is not `code`.
    UnsupportedResponseType,
    /// `response_mode` is neither `query` nor `form_post`.
    UnsupportedResponseMode,
    /// `scope` is absent.
    NoScope,
    /// `scope` is not a list of scopes.
    MalformedScope,
    /// The client may have none of the scopes.
    NothingToGrant,
    /// More scopes than a token has room for.
    ScopeTooLong,
    /// The client must send a `code_challenge`.
    NoChallenge,
    /// The challenge is not a lawful S256 one.
    Challenge(PkceError),
    /// `dpop_jkt` is no thumbprint.
    Thumbprint,
    /// `aud` names no FHIR base of ours.
    UnknownFhirBase,
    /// `resource` or `audience` names no resource of ours.
    UnknownTarget,
    /// There is no such EHR launch for this client and FHIR base, or it is over.
    UnknownLaunch,
    /// A launch came without the scope `launch`.
    LaunchWithoutScope,
    /// `prompt` combines `none` with something else, or has an unknown value.
    Prompt,
    /// `max_age` is not a number of seconds.
    MaxAge,
    /// `id_token_hint` is no ID token of ours for this client.
    IdTokenHint,
    /// `claims` cannot be read, or asks for what cannot be had.
    Claims(ClaimsError),
    /// `state` or `nonce` is too long or has control characters.
    OpaqueValue,
}

impl AuthorizationError {
    /// The code for the client.
    pub const fn code(self) -> OAuthErrorCode {
        match self {
            Self::RequestObject => OAuthErrorCode::RequestNotSupported,
            Self::RequestUri => OAuthErrorCode::RequestUriNotSupported,
            Self::GrantNotAllowed => OAuthErrorCode::UnauthorizedClient,
            Self::UnsupportedResponseType => OAuthErrorCode::UnsupportedResponseType,
            Self::NoScope | Self::MalformedScope | Self::NothingToGrant | Self::ScopeTooLong => {
                OAuthErrorCode::InvalidScope
            }
            Self::UnknownTarget => OAuthErrorCode::InvalidTarget,
            Self::Claims(ClaimsError::Context) => OAuthErrorCode::UnmetAuthenticationRequirements,
            Self::Claims(ClaimsError::Malformed | ClaimsError::Subjects)
            | Self::Repeated
            | Self::NoResponseType
            | Self::UnsupportedResponseMode
            | Self::NotPushed
            | Self::NoChallenge
            | Self::Challenge(_)
            | Self::Thumbprint
            | Self::UnknownFhirBase
            | Self::UnknownLaunch
            | Self::LaunchWithoutScope
            | Self::Prompt
            | Self::MaxAge
            | Self::IdTokenHint
            | Self::OpaqueValue => OAuthErrorCode::InvalidRequest,
        }
    }

    /// The reason for the client's developers.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Repeated => "A parameter is repeated",
            Self::RequestObject => "Request objects are not supported: send the parameters themselves",
            Self::RequestUri => "request_uri must be one that the pushed authorization request endpoint gave",
            Self::NotPushed => "This client must push its authorization requests",
            Self::GrantNotAllowed => "The client is not registered for the authorization_code grant",
            Self::NoResponseType => "response_type is missing",
            Self::UnsupportedResponseType => "response_type must be code",
            Self::UnsupportedResponseMode => "response_mode must be query or form_post",
            Self::NoScope => "scope is missing",
            Self::MalformedScope => "scope must be a list of scopes with one space between two of them",
            Self::NothingToGrant => {
                "The client may have none of the requested scopes in the name of a person"
            }
            Self::ScopeTooLong => "The scopes are too many for a token: ask for fewer, or for broader ones",
            Self::NoChallenge => "code_challenge is missing: this client must use PKCE with S256",
            Self::Challenge(PkceError::MethodNotS256) => "code_challenge_method must be S256",
            Self::Challenge(
                PkceError::MalformedChallenge | PkceError::MalformedVerifier | PkceError::Mismatch,
            ) => {
                "code_challenge must be the base64url form of a SHA-256 digest: 43 characters without padding"
            }
            Self::Thumbprint => {
                "dpop_jkt must be the SHA-256 thumbprint of a key: 43 characters without padding"
            }
            Self::UnknownFhirBase => "aud must be the FHIR base that the client wants to call",
            Self::UnknownTarget => {
                "resource and audience must name a resource that this server issues tokens for"
            }
            Self::UnknownLaunch => "The launch is unknown or over, or it is for another client or FHIR base",
            Self::LaunchWithoutScope => {
                "A launch needs the scope launch, and a client that is registered for it"
            }
            Self::Prompt => "prompt must be none, or one or more of login, consent and select_account",
            Self::MaxAge => "max_age must be a number of seconds",
            Self::IdTokenHint => "id_token_hint must be an ID token that this server issued to the client",
            Self::Claims(ClaimsError::Malformed) => {
                "claims must be a JSON object of at most 8192 bytes with userinfo and id_token, and repeat no member"
            }
            Self::Claims(ClaimsError::Subjects) => "claims asks for more than one sub",
            Self::Claims(ClaimsError::Context) => {
                "claims insists on an acr that is none of acr_values_supported"
            }
            Self::OpaqueValue => "state and nonce must be at most 2048 bytes without control characters",
        }
    }
}
