//! Why a client cannot be registered, as the specifications' error codes and a sentence each.

use std::borrow::Cow;
use std::fmt;

use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::redirect_uri::RedirectUriError;

use crate::domain::client::ProfileFault;

/// Why a client cannot be registered. Names in it are those of members of RFC 7591 and OpenID Connect Dynamic Client
/// Registration; nothing in it repeats what a request brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFault {
    /// The body is no JSON object, or repeats a member.
    NotAnObject,
    /// This member is not of the type it must have.
    Type(&'static str),
    /// This member has more elements, or longer ones, than are kept.
    TooLong(&'static str),
    /// This member's value is none of those that are supported.
    Unsupported(&'static str),
    /// This member asks for what is never done here, and a client that is not told would rely on it.
    NeverDone(&'static str),
    /// `software_statement`: nobody is trusted to vouch for software.
    SoftwareStatement,
    /// A redirect URI cannot be one.
    RedirectUri(RedirectUriError),
    /// `authorization_code` without a redirect URI.
    NoRedirectUri,
    /// A web application with a redirect URI that is not https.
    InsecureWebApplication,
    /// Redirect URIs without `authorization_code`.
    RedirectUriWithoutCode,
    /// A post-logout redirect URI cannot be one.
    PostLogoutRedirectUri(RedirectUriError),
    /// Post-logout redirect URIs without `authorization_code`.
    PostLogoutWithoutCode,
    /// No grant type.
    NoGrantType,
    /// A grant type that this client may not be registered for.
    GrantTypeNotAllowed,
    /// `response_types` and `grant_types` contradict one another (RFC 7591 section 2.1).
    ResponseTypes,
    /// `scope` is malformed.
    MalformedScope,
    /// Nothing of the scope may be registered.
    NothingOfScope,
    /// The name is empty, too long, or has characters that change how others are shown.
    Name,
    /// This member is no URL of a page.
    PageUrl(&'static str),
    /// This member is no URL that this server can call.
    CalledUrl(&'static str),
    /// Both `jwks` and `jwks_uri`.
    TwoKeySets,
    /// `private_key_jwt` without keys, or with keys that verify nothing here.
    NoKeys,
    /// `jwks` is no set of public keys that can be trusted.
    Keys,
    /// `token_endpoint_auth_signing_alg` without `private_key_jwt`.
    AlgorithmWithoutKeys,
    /// A client with a way to present its secret and without a secret.
    NoSecret,
    /// A public client with `client_credentials` (RFC 6749 section 4.4).
    PublicWithClientCredentials,
    /// A public client that would do without PKCE.
    PublicWithoutPkce,
    /// It cannot keep the rules that hold for it.
    Profile(ProfileFault),
    /// Pushed requests without `authorization_code`.
    PushWithoutCode,
    /// `refresh_token` without a grant type that a person answers.
    RefreshWithoutPerson,
    /// `offline_access` or `online_access` without `refresh_token`.
    RefreshScopeWithoutGrant,
    /// Back-channel logout asks for `sid` and has no URL.
    LogoutSessionWithoutUrl,
    /// Pairwise subjects without one sector (OpenID Connect Core section 8.1).
    NoSector,
    /// The document at `sector_identifier_uri` cannot be had.
    SectorUnavailable,
    /// The document at `sector_identifier_uri` does not list every redirect URI.
    SectorMismatch,
}

impl MetadataFault {
    /// The error code (RFC 7591 section 3.2.2).
    pub const fn code(self) -> OAuthErrorCode {
        match self {
            Self::RedirectUri(_)
            | Self::NoRedirectUri
            | Self::InsecureWebApplication
            | Self::Profile(ProfileFault::InsecureRedirectUri) => OAuthErrorCode::InvalidRedirectUri,
            Self::SoftwareStatement => OAuthErrorCode::UnapprovedSoftwareStatement,
            Self::NotAnObject
            | Self::Type(_)
            | Self::TooLong(_)
            | Self::Unsupported(_)
            | Self::NeverDone(_)
            | Self::RedirectUriWithoutCode
            | Self::PostLogoutRedirectUri(_)
            | Self::PostLogoutWithoutCode
            | Self::NoGrantType
            | Self::GrantTypeNotAllowed
            | Self::ResponseTypes
            | Self::MalformedScope
            | Self::NothingOfScope
            | Self::Name
            | Self::PageUrl(_)
            | Self::CalledUrl(_)
            | Self::TwoKeySets
            | Self::NoKeys
            | Self::Keys
            | Self::AlgorithmWithoutKeys
            | Self::NoSecret
            | Self::PublicWithClientCredentials
            | Self::PublicWithoutPkce
            | Self::Profile(
                ProfileFault::GraceOfPublicClient
                | ProfileFault::NoPrivateKey
                | ProfileFault::NoUsableKey
                | ProfileFault::Algorithm(_),
            )
            | Self::PushWithoutCode
            | Self::RefreshWithoutPerson
            | Self::RefreshScopeWithoutGrant
            | Self::LogoutSessionWithoutUrl
            | Self::NoSector
            | Self::SectorUnavailable
            | Self::SectorMismatch => OAuthErrorCode::InvalidClientMetadata,
        }
    }

    /// The reason for the client's developers, in the characters of RFC 6749 section 5.2.
    pub fn description(self) -> Cow<'static, str> {
        let fixed = match self {
            Self::NotAnObject => "The body must be one JSON object in which no member is repeated",
            Self::Type(member) => {
                return format!("{member} is not of the JSON type that it must have").into();
            }
            Self::TooLong(member) => return format!("{member} is too long, or holds too much").into(),
            Self::Unsupported(member) => {
                return format!("{member} has a value that is not supported: see the server's metadata")
                    .into();
            }
            Self::NeverDone(member) => {
                return format!("{member} asks for something that this server never does").into();
            }
            Self::SoftwareStatement => "No issuer of software statements is trusted here",
            Self::RedirectUri(error) => return format!("redirect_uris: {error}").into(),
            Self::NoRedirectUri => "authorization_code needs at least one of redirect_uris",
            Self::InsecureWebApplication => {
                "redirect_uris of a web application must be https; an app on a person's device is \
                 application_type native"
            }
            Self::RedirectUriWithoutCode => "redirect_uris are of use only with authorization_code",
            Self::PostLogoutRedirectUri(error) => {
                return format!("post_logout_redirect_uris: {error}").into();
            }
            Self::PostLogoutWithoutCode => {
                "post_logout_redirect_uris are of use only with authorization_code"
            }
            Self::NoGrantType => "grant_types must not be empty",
            Self::GrantTypeNotAllowed => "grant_types holds one that this client may not be registered for",
            Self::ResponseTypes => "response_types must be code with authorization_code, and empty without",
            Self::MalformedScope => "scope is not a list of scopes separated by single spaces",
            Self::NothingOfScope => "Nothing of the scope may be registered for this client",
            Self::Name => {
                "client_name must be 1 to 200 bytes of text, without control characters and without those that have no \
                 width or change the direction of writing"
            }
            Self::PageUrl(member) => {
                return format!(
                    "{member} must be an https URL, or http on localhost, without user information"
                )
                .into();
            }
            Self::CalledUrl(member) => {
                return format!(
                    "{member} must be an https URL of a public host, without user information and fragment"
                )
                .into();
            }
            Self::TwoKeySets => "Either jwks or jwks_uri may be given, not both",
            Self::NoKeys => "private_key_jwt needs the client's public keys in jwks, or at jwks_uri",
            Self::Keys => "jwks is not a set of public keys of sufficient strength with different kid values",
            Self::AlgorithmWithoutKeys => {
                "token_endpoint_auth_signing_alg is of use only with private_key_jwt"
            }
            Self::NoSecret => "client_secret_basic and client_secret_post are for clients with a secret",
            Self::PublicWithClientCredentials => {
                "A public client cannot use client_credentials: it has no secret (RFC 6749 section 4.4)"
            }
            Self::PublicWithoutPkce => "A public client must use PKCE",
            Self::Profile(fault) => return fault.to_string().into(),
            Self::PushWithoutCode => {
                "require_pushed_authorization_requests is of use only with authorization_code"
            }
            Self::RefreshWithoutPerson => {
                "refresh_token is of use only with authorization_code, or the grants device_code, token-exchange or jwt-bearer"
            }
            Self::RefreshScopeWithoutGrant => {
                "The scopes offline_access and online_access are of use only with refresh_token"
            }
            Self::LogoutSessionWithoutUrl => {
                "backchannel_logout_session_required is of use only with backchannel_logout_uri"
            }
            Self::NoSector => {
                "subject_type pairwise needs a sector_identifier_uri unless all redirect_uris have one and the same host"
            }
            Self::SectorUnavailable => "sector_identifier_uri does not answer a JSON array of URLs",
            Self::SectorMismatch => "sector_identifier_uri does not list every one of redirect_uris",
        };
        Cow::Borrowed(fixed)
    }
}

impl fmt::Display for MetadataFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.description())
    }
}

impl std::error::Error for MetadataFault {}
