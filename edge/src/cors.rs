//! Cross-origin requests (WHATWG Fetch, "CORS protocol"): browsers may call the API from the configured origins.
//!
//! Credentials in the protocol's sense (cookies) are never allowed; the token travels in a header that the page sets.
//! Whatever the FHIR server says about origins is dropped, so that there is one `Access-Control-Allow-Origin` only.

use crate::answer::OwnAnswer;
use crate::config::CorsOrigins;
use crate::request::Incoming;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Accept, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, \
                               If-None-Match, Prefer, Traceparent, Tracestate, X-API-Key, X-API-Secret, X-Request-Id";
const EXPOSED_HEADERS: &str = "Allow, Content-Location, DPoP-Nonce, ETag, Last-Modified, Link, Location, RateLimit, \
                               RateLimit-Policy, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
                               X-RateLimit-Reset, X-Request-Id";
/// How long a browser may remember a preflight: ten minutes, so that a narrowed list takes effect soon.
const MAXIMUM_AGE_SECONDS: &str = "600";

/// Whether the request asks for permission only.
pub fn is_preflight(request: &Incoming<'_>) -> bool {
    request.method == "OPTIONS"
        && request.headers.get("origin").is_some()
        && request.headers.get("access-control-request-method").is_some()
}

/// The answer to a preflight. It needs no token, since browsers send none.
pub fn preflight() -> OwnAnswer {
    OwnAnswer::new(204)
        .with("access-control-allow-methods", METHODS)
        .with("access-control-allow-headers", REQUEST_HEADERS)
        .with("access-control-max-age", MAXIMUM_AGE_SECONDS)
        .with("cache-control", "no-store")
}

/// The headers that every answer carries, refusals included.
pub fn headers(origins: &CorsOrigins, request: &Incoming<'_>) -> Vec<(&'static str, String)> {
    let exposed = ("access-control-expose-headers", EXPOSED_HEADERS.to_owned());
    match origins {
        CorsOrigins::Any => vec![("access-control-allow-origin", "*".to_owned()), exposed],
        CorsOrigins::Listed(listed) => {
            let vary = ("vary", "Origin".to_owned());
            let origin = request.headers.get("origin");
            match listed.iter().find(|allowed| Some(allowed.as_str()) == origin) {
                Some(origin) => vec![("access-control-allow-origin", origin.clone()), exposed, vary],
                None => vec![vary],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{headers, is_preflight, preflight};
    use crate::config::CorsOrigins;
    use crate::testing::incoming;

    fn value<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
        headers
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn any_origin_is_said_by_a_star() {
        let found = headers(
            &CorsOrigins::Any,
            &incoming("GET", "/fhir", &[("origin", "https://a.example")]),
        );
        assert_eq!(value(&found, "access-control-allow-origin"), Some("*"));
        assert_eq!(value(&found, "vary"), None);
        assert!(
            value(&found, "access-control-expose-headers")
                .unwrap()
                .contains("WWW-Authenticate")
        );
    }

    #[test]
    fn a_listed_origin_is_echoed_and_another_gets_nothing() {
        let origins = CorsOrigins::Listed(vec!["https://a.example".into()]);
        let found = headers(
            &origins,
            &incoming("GET", "/fhir", &[("origin", "https://a.example")]),
        );
        assert_eq!(
            value(&found, "access-control-allow-origin"),
            Some("https://a.example")
        );
        assert_eq!(value(&found, "vary"), Some("Origin"));
        for origin in ["https://b.example", "https://a.example.evil", "null"] {
            let headers_of = [("origin", origin)];
            let found = headers(&origins, &incoming("GET", "/fhir", &headers_of));
            assert_eq!(found, [("vary", "Origin".to_owned())], "{origin}");
        }
    }

    #[test]
    fn only_options_with_origin_and_method_is_a_preflight() {
        let both = [
            ("origin", "https://a.example"),
            ("access-control-request-method", "GET"),
        ];
        assert!(is_preflight(&incoming("OPTIONS", "/fhir", &both)));
        assert!(!is_preflight(&incoming("GET", "/fhir", &both)));
        assert!(!is_preflight(&incoming("OPTIONS", "/fhir", &both[..1])));
        assert!(!is_preflight(&incoming("OPTIONS", "/fhir", &both[1..])));
    }

    #[test]
    fn a_preflight_allows_what_fhir_clients_send() {
        let answer = preflight();
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        let allowed = value(&answer.headers, "access-control-allow-headers").unwrap();
        for name in [
            "Authorization",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "If-None-Exist",
            "Prefer",
        ] {
            assert!(allowed.contains(name), "{name}");
        }
        assert_eq!(
            value(&answer.headers, "access-control-allow-methods"),
            Some(super::METHODS)
        );
    }
}
