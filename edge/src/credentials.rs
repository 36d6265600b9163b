//! The credential that a request presents: exactly one, in exactly one place (RFC 6750 section 2).
//!
//! Accepted is `Authorization`, `Bearer` or `DPoP`, or an API key with its secret in two headers of their own where an API takes keys. A
//! token in the query is refused rather than ignored, because it is already in somebody's log (RFC 9700 section 2.4); one in a form
//! body is not looked for, since bodies are not read.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::api_keys::HEADERS;
use crate::request::Incoming;

/// A credential of which nothing is known to be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// A bearer token (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// A token that comes with a proof (RFC 9449 section 7.1).
    Dpop(&'a str),
    /// An API key and its secret, each in its header, neither looked at.
    ApiKey {
        /// `X-API-Key`.
        key: &'a str,
        /// `X-API-Secret`.
        secret: &'a str,
    },
}

/// Why there is not one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// None was presented, or one of a kind that is not accepted here. RFC 6750 section 3.1 wants no error code then.
    #[error("The request needs an access token: Authorization: Bearer")]
    Missing,
    /// More than one `Authorization`, or an API key beside it.
    #[error("The request presents more than one credential")]
    Several,
    /// `Authorization` is not a scheme followed by one token.
    #[error("The Authorization header is malformed")]
    Malformed,
    /// `access_token` in the query.
    #[error("An access token must not be sent in the URL")]
    InQuery,
    /// One of the headers of an API key without the other.
    #[error("X-API-Key and X-API-Secret belong together")]
    Half,
}

/// Finds the one credential of a request. Where API keys are not taken, one counts as none; beside a token it makes the
/// request ambiguous everywhere.
///
/// # Errors
/// [`CredentialError`].
pub fn present<'a>(request: &Incoming<'a>, takes_api_keys: bool) -> Result<Credential<'a>, CredentialError> {
    refuse_in_query(request.query)?;
    let Some(value) = request.headers.get("authorization") else {
        return if takes_api_keys {
            api_key(request)
        } else {
            Err(CredentialError::Missing)
        };
    };
    if holds_several(value) || HEADERS.iter().any(|name| request.headers.get(name).is_some()) {
        return Err(CredentialError::Several);
    }
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.is_empty()
        || !scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(CredentialError::Malformed);
    }
    let is_dpop = scheme.eq_ignore_ascii_case("DPoP");
    if !is_dpop && !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(CredentialError::Missing);
    }
    let token = token.trim_matches(' ');
    if !is_b64token(token) {
        return Err(CredentialError::Malformed);
    }
    Ok(if is_dpop {
        Credential::Dpop(token)
    } else {
        Credential::Bearer(token)
    })
}

/// Whether a request presents, or means to present, a token with a proof.
pub fn is_dpop(request: &Incoming<'_>) -> bool {
    let scheme = request
        .headers
        .get("authorization")
        .and_then(|value| value.split(' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("DPoP"))
}

/// The API key of a request and its secret. Neither has a comma in it: two headers of a name reach us joined by one.
fn api_key<'a>(request: &Incoming<'a>) -> Result<Credential<'a>, CredentialError> {
    let [key, secret] = HEADERS.map(|name| request.headers.get(name));
    let holds_several = |half: Option<&str>| half.is_some_and(|half| half.contains(','));
    if holds_several(key) || holds_several(secret) {
        return Err(CredentialError::Several);
    }
    match (key, secret) {
        (Some(key), Some(secret)) => Ok(Credential::ApiKey { key, secret }),
        (None, None) => Err(CredentialError::Missing),
        (Some(_), None) | (None, Some(_)) => Err(CredentialError::Half),
    }
}

/// Whether an `Authorization` holds more than one credential: two headers of this name reach us joined by a comma.
///
/// No token contains a comma. Other schemes have lists of parameters (RFC 9110 section 11.4), of which each has
/// an equals sign after its name; what has none is the scheme of another credential.
fn holds_several(value: &str) -> bool {
    let is_token = value
        .split([' ', ','])
        .next()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("DPoP"));
    if is_token {
        return value.contains(',');
    }
    let mut in_quotes = false;
    let parts = value.split(|character| {
        in_quotes ^= character == '"';
        character == ',' && !in_quotes
    });
    parts.skip(1).map(str::trim).any(|part| {
        let name = part.find([' ', '=', '"']).unwrap_or(part.len());
        let rest = part.get(name..).unwrap_or_default().trim_start();
        !part.is_empty() && !rest.starts_with('=')
    })
}

/// `b64token` of RFC 6750 section 2.1.
fn is_b64token(token: &str) -> bool {
    let text = token.trim_end_matches('=');
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// Refuses a query with a parameter `access_token`, or one named as a header of an API key, in any encoding and any case.
///
/// # Errors
/// [`CredentialError::InQuery`].
pub fn refuse_in_query(query: Option<&str>) -> Result<(), CredentialError> {
    let names = query.into_iter().flat_map(|query| query.split(['&', ';']));
    let names = names.map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name));
    let mut decoded = names.map(|name| {
        percent_decode_str(name)
            .decode_utf8()
            .unwrap_or(Cow::Borrowed(name))
    });
    if decoded.any(|name| {
        let name = name.trim();
        name.eq_ignore_ascii_case("access_token") || HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own))
    }) {
        Err(CredentialError::InQuery)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, CredentialError, present};
    use crate::api_keys::HEADERS;
    use crate::testing::incoming;

    fn with(headers: &[(&'static str, &'static str)]) -> Result<Credential<'static>, CredentialError> {
        present(&incoming("GET", "/fhir/Patient", headers), false)
    }

    #[test]
    fn an_api_key_is_two_headers_and_nothing_else_beside() {
        let with = |headers: &[(&'static str, &'static str)]| {
            present(&incoming("GET", "/fhir/Patient", headers), true)
        };
        let (key, secret) = (("x-api-key", "k"), ("x-api-secret", "s"));
        let both = Credential::ApiKey {
            key: "k",
            secret: "s",
        };
        assert_eq!(with(&[key, secret]), Ok(both));
        assert_eq!(with(&[]), Err(CredentialError::Missing));
        for half in [key, secret] {
            assert_eq!(with(&[half]), Err(CredentialError::Half));
            let bearer = ("authorization", "Bearer a");
            assert_eq!(with(&[half, bearer]), Err(CredentialError::Several));
        }
        for twice in [
            [("x-api-key", "k, k"), secret],
            [key, ("x-api-secret", "s, t")],
            [("x-api-key", "k,"), ("x-api-secret", ",s")],
        ] {
            assert_eq!(with(&twice), Err(CredentialError::Several), "{twice:?}");
        }
        let basic = ("authorization", "Basic dXNlcjpwYXNz");
        assert_eq!(with(&[key, secret, basic]), Err(CredentialError::Several));
    }

    #[test]
    fn accepts_one_bearer_token_whatever_the_case_of_its_scheme() {
        for value in [
            "Bearer a.b-c_d~e+f/g==",
            "bearer a.b-c_d~e+f/g==",
            "BEARER  a.b-c_d~e+f/g==",
        ] {
            assert_eq!(
                with(&[("authorization", value)]),
                Ok(Credential::Bearer("a.b-c_d~e+f/g==")),
                "{value}"
            );
        }
    }

    // FAPI-51
    #[test]
    fn accepts_one_token_with_a_proof_whatever_the_case_of_its_scheme() {
        for value in ["DPoP a.b.c", "dpop a.b.c", "DPOP  a.b.c"] {
            let found = with(&[("authorization", value), ("dpop", "not looked at here")]);
            assert_eq!(found, Ok(Credential::Dpop("a.b.c")), "{value}");
        }
    }

    #[test]
    fn nothing_and_kinds_not_accepted_count_as_no_credential() {
        assert_eq!(with(&[]), Err(CredentialError::Missing));
        assert_eq!(with(&[("x-api-key", "k")]), Err(CredentialError::Missing));
        let both = [("x-api-key", "k"), ("x-api-secret", "s")];
        assert_eq!(with(&both), Err(CredentialError::Missing));
        for value in [
            "Basic dXNlcjpwYXNz",
            "Negotiate",
            "Digest a=\"b\", c=\"d\"",
            "Digest a=\"b, Bearer x\",c = d ,",
            "Signature keyId=\"k\",algorithm=\"a\"",
        ] {
            assert_eq!(
                with(&[("authorization", value)]),
                Err(CredentialError::Missing),
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_two_credentials() {
        for value in [
            "Bearer a, Bearer a",
            "Bearer a,Basic b",
            "Bearer a, b=\"c\"",
            "DPoP a, DPoP a",
            "DPoP a, b=\"c\"",
            "DPoP a, Bearer a",
            "Bearer a, DPoP a",
            "Bearer ,a",
            "Basic b, Bearer a",
            "Basic b=, Bearer a==",
            "Digest a=\"b\", c=\"d\", Bearer a",
            "Digest a=\"b\", Negotiate",
        ] {
            assert_eq!(
                with(&[("authorization", value)]),
                Err(CredentialError::Several),
                "{value}"
            );
        }
        for name in HEADERS {
            assert_eq!(
                with(&[("authorization", "Bearer a"), (name, "")]),
                Err(CredentialError::Several),
                "{name}"
            );
        }
    }

    #[test]
    fn refuses_malformed_authorization() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer =",
            "Bearer a b",
            "Bearer a\tb",
            "Bearer a\"",
            "DPoP",
            "DPoP a b",
            "Bearer é",
            "Bearer:a",
            "Be\u{e9}rer a",
            "a.b.c=d e",
        ] {
            assert_eq!(
                with(&[("authorization", value)]),
                Err(CredentialError::Malformed),
                "{value:?}"
            );
        }
    }

    #[test]
    fn refuses_a_token_in_the_query_however_it_is_spelled() {
        for query in [
            "access_token=a",
            "_id=1&access_token=a",
            "access%5Ftoken=a",
            "%61ccess_token",
            "ACCESS_TOKEN=a",
            "x=1;access_token=a",
            "access_token%20=a",
            "x-api-key=k",
            "X-API-Secret=s",
            "x%2Dapi-secret",
        ] {
            let path = format!("/fhir/Patient?{query}");
            let request = incoming("GET", &path, &[("authorization", "Bearer a")]);
            assert_eq!(present(&request, false), Err(CredentialError::InQuery), "{query}");
        }
        let request = incoming(
            "GET",
            "/fhir/Patient?token=access_token&x=%ff",
            &[("authorization", "Bearer a")],
        );
        assert_eq!(present(&request, false), Ok(Credential::Bearer("a")));
    }
}
