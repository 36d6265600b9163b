//! `/docs/errors`: what each error code means. Every `error_uri` points here unless configured otherwise.

use axum::response::Response;
use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::error::page::PageError;
use crate::views::{ErrorCodeEntry, ErrorCodesPage, FormTargets, page};

/// Every code that the issuer or the edge answers, in the order of the page.
const CODES: [OAuthErrorCode; 28] = [
    OAuthErrorCode::InvalidRequest,
    OAuthErrorCode::InvalidClient,
    OAuthErrorCode::InvalidGrant,
    OAuthErrorCode::UnauthorizedClient,
    OAuthErrorCode::UnsupportedGrantType,
    OAuthErrorCode::InvalidScope,
    OAuthErrorCode::InvalidTarget,
    OAuthErrorCode::AccessDenied,
    OAuthErrorCode::UnsupportedResponseType,
    OAuthErrorCode::LoginRequired,
    OAuthErrorCode::ConsentRequired,
    OAuthErrorCode::InteractionRequired,
    OAuthErrorCode::UnmetAuthenticationRequirements,
    OAuthErrorCode::RequestNotSupported,
    OAuthErrorCode::RequestUriNotSupported,
    OAuthErrorCode::AuthorizationPending,
    OAuthErrorCode::SlowDown,
    OAuthErrorCode::ExpiredToken,
    OAuthErrorCode::InvalidDpopProof,
    OAuthErrorCode::UseDpopNonce,
    OAuthErrorCode::UnsupportedTokenType,
    OAuthErrorCode::InvalidToken,
    OAuthErrorCode::InsufficientScope,
    OAuthErrorCode::InvalidRedirectUri,
    OAuthErrorCode::InvalidClientMetadata,
    OAuthErrorCode::UnapprovedSoftwareStatement,
    OAuthErrorCode::ServerError,
    OAuthErrorCode::TemporarilyUnavailable,
];

/// Shows the page.
pub async fn errors() -> Result<Response, PageError> {
    let entries = CODES.map(explain);
    Ok(page(&ErrorCodesPage { entries: &entries }, &FormTargets::none())?)
}

#[expect(clippy::too_many_lines, reason = "one table, better read in one piece")]
fn explain(code: OAuthErrorCode) -> ErrorCodeEntry {
    let (meaning, advice, specification) = match code {
        OAuthErrorCode::InvalidRequest => (
            "A parameter is missing, repeated, malformed or does not fit another one.",
            "Correct the request; error_description names the parameter.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::InvalidClient => (
            "The client could not be authenticated.",
            "Check client_id and client_secret, and send the secret in one place only: in the Authorization header or in \
             the body. A client assertion needs \
             iss and sub equal to the client_id, the token endpoint or the issuer as aud, an exp at most 5 minutes ahead, \
             a jti of its own, and the kid of a registered key.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::InvalidGrant => (
            "The authorization code or refresh token is unknown, expired, used, revoked or bound to something else: \
             another client, redirect_uri or code_verifier. Or another issuer's token is not good, or opens no account.",
            "Start a new authorization. A code lives for one minute and works once; a refresh token works once, so store \
             the new one from each answer.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::UnauthorizedClient => (
            "The client is not registered for this grant type.",
            "Register it for the grant type, or use another one.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::UnsupportedGrantType => (
            "There is no such grant type here.",
            "Use one of grant_types_supported in the server's metadata.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::InvalidScope => (
            "The scope is malformed, or none of it can be granted, or a refresh asks for more than was granted.",
            "Compare the requested scopes with those the client is registered for. patient/ scopes need a patient in \
             context.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-5.2",
        ),
        OAuthErrorCode::InvalidTarget => (
            "resource or audience names no API that this server issues tokens for, or one that the grant does not cover.",
            "Leave the parameter out, or use the API's identifier.",
            "https://www.rfc-editor.org/rfc/rfc8707#section-2",
        ),
        OAuthErrorCode::AccessDenied => (
            "The person did not allow the access.",
            "Tell them what the access is for, and ask again only when they want to go on.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1",
        ),
        OAuthErrorCode::UnsupportedResponseType => (
            "response_type is not code.",
            "Use the authorization code flow with PKCE.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1",
        ),
        OAuthErrorCode::LoginRequired => (
            "prompt=none was sent, and nobody is signed in, or not recently enough.",
            "Send the person through an authorization request without prompt=none.",
            "https://openid.net/specs/openid-connect-core-1_0.html#AuthError",
        ),
        OAuthErrorCode::ConsentRequired => (
            "prompt=none was sent, and the person would have to be asked.",
            "Send the person through an authorization request without prompt=none.",
            "https://openid.net/specs/openid-connect-core-1_0.html#AuthError",
        ),
        OAuthErrorCode::InteractionRequired => (
            "prompt=none was sent, and the person would have to do something.",
            "Send the person through an authorization request without prompt=none.",
            "https://openid.net/specs/openid-connect-core-1_0.html#AuthError",
        ),
        OAuthErrorCode::UnmetAuthenticationRequirements => (
            "The request insists on a way of signing in (an essential acr) that is not offered here.",
            "Ask for one of acr_values_supported in the server's metadata, or do not make it essential.",
            "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html",
        ),
        OAuthErrorCode::RequestNotSupported => (
            "Request objects are not supported.",
            "Send the parameters themselves.",
            "https://openid.net/specs/openid-connect-core-1_0.html#AuthError",
        ),
        OAuthErrorCode::RequestUriNotSupported => (
            "request_uri is not one of this server's own.",
            "Push the request first and use the request_uri of the answer, or send the parameters themselves.",
            "https://openid.net/specs/openid-connect-core-1_0.html#AuthError",
        ),
        OAuthErrorCode::AuthorizationPending => (
            "The person has not answered yet.",
            "Ask again after the interval that the device authorization named.",
            "https://www.rfc-editor.org/rfc/rfc8628#section-3.5",
        ),
        OAuthErrorCode::SlowDown => (
            "The person has not answered yet, and the device asks too often.",
            "Wait five seconds longer between two requests from now on; with status 429, at least as long as Retry-After says.",
            "https://www.rfc-editor.org/rfc/rfc8628#section-3.5",
        ),
        OAuthErrorCode::ExpiredToken => (
            "The device code has expired before the person answered, or before the device fetched its tokens.",
            "Start a new device authorization if the person still wants to go on.",
            "https://www.rfc-editor.org/rfc/rfc8628#section-3.5",
        ),
        OAuthErrorCode::InvalidDpopProof => (
            "The DPoP proof is missing, malformed, made for another request, too old, or was used before.",
            "Make a proof for each request: typ dpop+jwt, the public key in jwk, the request's method and URL in htm and htu, a \
             new jti, the present time in iat, and ath where an access token is sent. error_description names what is wrong.",
            "https://www.rfc-editor.org/rfc/rfc9449#section-5",
        ),
        OAuthErrorCode::UseDpopNonce => (
            "The DPoP proof holds no nonce of this server, or an old one.",
            "Make a new proof with the value of the answer's DPoP-Nonce header in nonce, and send the request again.",
            "https://www.rfc-editor.org/rfc/rfc9449#section-8",
        ),
        OAuthErrorCode::UnsupportedTokenType => (
            "Tokens of this type cannot be revoked.",
            "Revoke the refresh token instead.",
            "https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1",
        ),
        OAuthErrorCode::InvalidToken => (
            "The access token is malformed, expired, revoked, or meant for another API.",
            "Get a new one, with the refresh token if there is one.",
            "https://www.rfc-editor.org/rfc/rfc6750#section-3.1",
        ),
        OAuthErrorCode::InsufficientScope => (
            "The access token does not permit this request.",
            "Ask for the scope that the answer names.",
            "https://www.rfc-editor.org/rfc/rfc6750#section-3.1",
        ),
        OAuthErrorCode::InvalidRedirectUri => (
            "A redirect URI cannot be registered: it is missing, has a fragment or user information, or its scheme does not \
             fit the application.",
            "Use https, or for an app on a person's device a scheme of its own or http on localhost; error_description says \
             what is wrong.",
            "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2",
        ),
        OAuthErrorCode::InvalidClientMetadata => (
            "A client cannot be registered with these members, or not with all of them together.",
            "Correct the member that error_description names.",
            "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2",
        ),
        OAuthErrorCode::UnapprovedSoftwareStatement => (
            "The server trusts no issuer of software statements.",
            "Register without software_statement.",
            "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2",
        ),
        OAuthErrorCode::ServerError => (
            "The server met an unexpected condition.",
            "Try again; if it persists, tell the operator the x-request-id of the answer.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1",
        ),
        OAuthErrorCode::TemporarilyUnavailable => (
            "The server cannot answer at the moment, or, with status 429, there were too many requests of this client, or too many \
             failed ones from its network.",
            "Try again after the time that Retry-After names. Keep tokens until they expire instead of asking for new ones.",
            "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1",
        ),
    };
    ErrorCodeEntry {
        code: code.as_str(),
        meaning,
        advice,
        specification,
    }
}
