//! The one table of error codes: what happened, why that can be, what to do next. Every code that the issuer or the edge can
//! answer is a variant of [`OAuthErrorCode`], so that a code without a page does not compile.

use wardgate_shared::oauth_error::OAuthErrorCode;

use crate::views::documentation::ErrorExplanation;

/// Every code, in the order of the list.
pub(super) const CODES: [OAuthErrorCode; 28] = [
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

const RFC6749: &str = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2";
const AUTHORIZATION: &str = "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1";
const RFC6750: &str = "https://www.rfc-editor.org/rfc/rfc6750#section-3.1";
const RFC7591: &str = "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2";
const RFC8628: &str = "https://www.rfc-editor.org/rfc/rfc8628#section-3.5";
const OPENID: &str = "https://openid.net/specs/openid-connect-core-1_0.html#AuthError";
const WITH_PAGES: &[&str] = &["Send the person through an authorization request without prompt=none."];

/// The explanation of `code`.
#[expect(clippy::too_many_lines, reason = "one table, better read in one piece")]
pub(super) const fn explain(code: OAuthErrorCode) -> ErrorExplanation {
    type Texts = &'static [&'static str];
    let (happened, why, next, specification): (&str, Texts, Texts, &str) = match code {
        OAuthErrorCode::InvalidRequest => (
            "The request cannot be understood.",
            &[
                "A parameter is missing, repeated, malformed, or does not fit another one.",
                "The method or the media type of the body is not one that the endpoint takes.",
                "Several credentials came together.",
            ],
            &["Correct the request: error_description names the parameter."],
            RFC6749,
        ),
        OAuthErrorCode::InvalidClient => (
            "The client has not proved who it is.",
            &[
                "The client_id is unknown, or the secret is not its secret any more.",
                "The secret came twice: in the Authorization header and in the body.",
                "A signed assertion names another client or audience, is too old or good for too long, was used before, or was made with \
                 a key that is not registered.",
                "An API key or its secret is mistyped, expired or revoked.",
            ],
            &[
                "Check client_id and client_secret, and send the secret in one place only: in the Authorization header or in the body.",
                "A client assertion needs iss and sub equal to the client_id, the token endpoint or the issuer as aud, an exp at \
                 most 5 minutes ahead, a jti of its own, and the kid of a registered key.",
            ],
            RFC6749,
        ),
        OAuthErrorCode::InvalidGrant => (
            "What was offered for the tokens is not good.",
            &[
                "The authorization code is older than a minute, or was redeemed before (then what came of it is revoked too).",
                "The code or refresh token is bound to another client, redirect_uri, code_verifier or key.",
                "The refresh token was used before, has expired, or was revoked: by the person, by an administrator, or because the \
                 account was closed.",
                "Another issuer's token is not good, or opens no account.",
            ],
            &[
                "Start a new authorization.",
                "A refresh token works once, so store the new one from each answer.",
                "Send the redirect_uri and the code_verifier of the very request that the code came from.",
            ],
            RFC6749,
        ),
        OAuthErrorCode::UnauthorizedClient => (
            "The client is not registered for this grant type.",
            &["A client may ask for tokens in the ways that it was registered for, and in no others."],
            &["Have it registered for the grant type, or use another one."],
            RFC6749,
        ),
        OAuthErrorCode::UnsupportedGrantType => (
            "There is no such grant type here.",
            &[
                "grant_type is misspelled, or is one that this server leaves out on purpose, such as password.",
            ],
            &["Use one of grant_types_supported in the server's metadata."],
            RFC6749,
        ),
        OAuthErrorCode::InvalidScope => (
            "The scope is malformed, or none of it can be granted.",
            &[
                "The client is registered for none of it, or the person's role allows none of it.",
                "patient/ scopes need a patient in context; system/ scopes need a client that acts for itself.",
                "A refresh asks for more than was granted.",
            ],
            &[
                "Compare the requested scopes with those that the client is registered for.",
                "Separate scopes by single spaces, and percent-encode the value.",
            ],
            RFC6749,
        ),
        OAuthErrorCode::InvalidTarget => (
            "The request names an API for which there is no token.",
            &[
                "resource, audience or aud names no API that this server issues tokens for.",
                "It names one that the grant does not cover.",
            ],
            &["Leave the parameter out, or use the API's identifier."],
            "https://www.rfc-editor.org/rfc/rfc8707#section-2",
        ),
        OAuthErrorCode::AccessDenied => (
            "The person did not allow the access.",
            &["They chose to deny it, on the page that names the app and what it would get."],
            &["Tell them what the access is for, and ask again only when they want to go on."],
            AUTHORIZATION,
        ),
        OAuthErrorCode::UnsupportedResponseType => (
            "response_type is not code.",
            &["The app uses the implicit or the hybrid flow, which this server leaves out on purpose."],
            &["Use the authorization code flow with PKCE."],
            AUTHORIZATION,
        ),
        OAuthErrorCode::LoginRequired => (
            "prompt=none was sent, and nobody is signed in, or not recently enough.",
            &[
                "The session is over, or was never there.",
                "max_age asks for a sign-in that is more recent.",
            ],
            WITH_PAGES,
            OPENID,
        ),
        OAuthErrorCode::ConsentRequired => (
            "prompt=none was sent, and the person would have to be asked.",
            &["They have not allowed this app these scopes, or have withdrawn what they had allowed."],
            WITH_PAGES,
            OPENID,
        ),
        OAuthErrorCode::InteractionRequired => (
            "prompt=none was sent, and the person would have to do something.",
            &["They would have to choose a patient, or to set up or show a second factor."],
            WITH_PAGES,
            OPENID,
        ),
        OAuthErrorCode::UnmetAuthenticationRequirements => (
            "The request insists on a way of signing in that is not offered here.",
            &["It makes an acr essential that this server does not know."],
            &["Ask for one of acr_values_supported in the server's metadata, or do not make it essential."],
            "https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html",
        ),
        OAuthErrorCode::RequestNotSupported => (
            "Request objects are not supported.",
            &["The authorization request came with the parameter request."],
            &["Send the parameters themselves, or push them first."],
            OPENID,
        ),
        OAuthErrorCode::RequestUriNotSupported => (
            "request_uri is not one of this server's own.",
            &["It names a document elsewhere, which this server does not fetch."],
            &[
                "Push the request first and use the request_uri of the answer, or send the parameters themselves.",
            ],
            OPENID,
        ),
        OAuthErrorCode::AuthorizationPending => (
            "The person has not answered yet.",
            &["They have not opened the page, or not typed the code there."],
            &["Ask again after the interval that the device authorization named."],
            RFC8628,
        ),
        OAuthErrorCode::SlowDown => (
            "The person has not answered yet, and the device asks too often.",
            &["Less than interval seconds lie between two token requests."],
            &[
                "Wait five seconds longer between two requests from now on.",
                "With status 429, wait at least as long as Retry-After says.",
            ],
            RFC8628,
        ),
        OAuthErrorCode::ExpiredToken => (
            "The device code has expired.",
            &["The person did not answer in time, or the device did not fetch its tokens in time."],
            &["Start a new device authorization if the person still wants to go on."],
            RFC8628,
        ),
        OAuthErrorCode::InvalidDpopProof => (
            "The DPoP proof is missing, or is not good.",
            &[
                "It was made for another method or URL, is too old, or was used before.",
                "The access token is bound to another key than the proof's.",
            ],
            &[
                "Make a proof for each request: typ dpop+jwt, the public key in jwk, the request's method and URL in htm and htu, a new \
                 jti, the present time in iat, and ath where an access token is sent.",
                "error_description names what is wrong; check the clock of the machine.",
            ],
            "https://www.rfc-editor.org/rfc/rfc9449#section-5",
        ),
        OAuthErrorCode::UseDpopNonce => (
            "The DPoP proof holds no nonce of this server, or an old one.",
            &["The server asks for a value of its own in each proof, so that none can be made ahead."],
            &[
                "Make a new proof with the value of the answer's DPoP-Nonce header in nonce, and send the request again.",
                "Keep the newest value for the next request.",
            ],
            "https://www.rfc-editor.org/rfc/rfc9449#section-8",
        ),
        OAuthErrorCode::UnsupportedTokenType => (
            "Tokens of this type cannot be revoked.",
            &["The token is of a kind that this server keeps no record of."],
            &["Revoke the refresh token instead."],
            "https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1",
        ),
        OAuthErrorCode::InvalidToken => (
            "The access token is not good here.",
            &[
                "It is malformed, cut off, or signed by nobody whom the API trusts.",
                "It has expired, or was revoked.",
                "It is meant for another API, or is an ID token or a refresh token.",
            ],
            &[
                "Get a new access token, with the refresh token if there is one.",
                "Ask for it with the identifier of this API in resource, audience or aud.",
            ],
            RFC6750,
        ),
        OAuthErrorCode::InsufficientScope => (
            "The access token does not permit this request.",
            &[
                "The scope that it needs was not asked for, or not granted.",
                "The request goes beyond the patient in context.",
            ],
            &["Ask for the scope that the answer names, and for no more than the app needs."],
            RFC6750,
        ),
        OAuthErrorCode::InvalidRedirectUri => (
            "A redirect URI cannot be registered.",
            &[
                "It is missing, has a fragment or user information, or its scheme does not fit the application.",
            ],
            &[
                "Use https; for an app on a person's device a scheme of its own, or http on localhost.",
                "error_description says what is wrong.",
            ],
            RFC7591,
        ),
        OAuthErrorCode::InvalidClientMetadata => (
            "A client cannot be registered with these members, or not with all of them together.",
            &["A member has a value that is not known or not allowed here, or does not fit another one."],
            &["Correct the member that error_description names."],
            RFC7591,
        ),
        OAuthErrorCode::UnapprovedSoftwareStatement => (
            "The server trusts no issuer of software statements.",
            &["The registration came with software_statement."],
            &["Register without it."],
            RFC7591,
        ),
        OAuthErrorCode::ServerError => (
            "The server met an unexpected condition.",
            &["Something is wrong with the server, and not with the request."],
            &["Try again; if it persists, tell the operator the x-request-id of the answer."],
            AUTHORIZATION,
        ),
        OAuthErrorCode::TemporarilyUnavailable => (
            "The server cannot answer at the moment.",
            &[
                "It is starting, overloaded, or cannot reach something that it depends on.",
                "With status 429: there were too many requests of this client, or too many failed ones from its network.",
            ],
            &[
                "Try again after the time that Retry-After names.",
                "Keep tokens until they expire instead of asking for new ones.",
            ],
            AUTHORIZATION,
        ),
    };
    ErrorExplanation {
        code: code.as_str(),
        happened,
        why,
        next,
        specification,
    }
}
