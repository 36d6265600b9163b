//! Which headers do not pass, and which are rewritten on the way.
//!
//! From a request are removed: what belongs to one connection (RFC 9110 section 7.6.1, with whatever `Connection`
//! names), every credential, everything by which a proxy vouches for a client, and what could make the FHIR server see
//! another request than the one that was judged; trace context that is malformed too ([`crate::trace_context`]). Names with an underscore never pass: servers that hand headers over as
//! variables (CGI, RFC 3875 section 4.1.18) take `X_Forwarded_For` for `X-Forwarded-For`.

use crate::headers::IDENTITY_PREFIX;
use crate::request::Headers;
use crate::trace_context;

/// Headers of one connection. They end here, in either direction.
pub const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Credentials and cookies: what convinces Wardgate is not the FHIR server's.
const CREDENTIALS: [&str; 6] = [
    "authorization",
    "cookie",
    "dpop",
    "x-api-key",
    "x-api-secret",
    "x-authorization",
];

/// What proxies say about a client, its address or its name. Only Wardgate says it behind Wardgate.
const VOUCHED: [&str; 9] = [
    "forwarded",
    "via",
    "true-client-ip",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "remote-user",
    "x-user",
    "x-client-cert",
];

/// The same, as families of names: Wardgate's own, those of proxies, Cloudflare's, and those by which proxies that
/// authenticate say whom.
const VOUCHED_FAMILIES: [&str; 8] = [
    IDENTITY_PREFIX,
    "x-forwarded-",
    "x-original-",
    "cf-",
    "x-remote-",
    "x-auth-",
    "x-authenticated-",
    "x-ssl-",
];

/// The length of a body is the runtime's to say: it knows what it sends.
const FRAMING: [&str; 1] = ["content-length"];

/// Headers by which some servers take another method or another path than the request line says, or do more than it
/// says. None of that would be what was judged, so a request that has one is refused, as one with a query parameter of
/// the same effect is ([`crate::routes`]).
pub const EFFECTS: [&str; 8] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    // FHIR's way to write a Provenance resource beside another interaction, which no scope was asked for.
    "x-provenance",
    // Deletes what refers to a resource with it, and rewrites what is history.
    "x-cascade",
    "x-rewrite-history",
];

/// Headers of an answer that do not pass, beside [`HOP_BY_HOP`]: the FHIR server sets no cookies here, does not speak
/// for Wardgate about credentials, and whose pages may read an answer is decided in [`crate::cors`].
pub const ANSWER_REMOVED: [&str; 11] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "x-request-id",
];

/// The names, among those that the request has, that are not forwarded.
pub fn removed_from_request<'a>(headers: &Headers<'a>) -> Vec<&'a str> {
    let named = headers.get("connection").unwrap_or_default();
    headers
        .names()
        .filter(|name| {
            let lower = name.to_ascii_lowercase();
            lower.contains('_')
                || VOUCHED_FAMILIES.iter().any(|family| lower.starts_with(family))
                || [&HOP_BY_HOP[..], &CREDENTIALS, &VOUCHED, &FRAMING, &EFFECTS]
                    .iter()
                    .any(|list| list.contains(&lower.as_str()))
                || trace_context::drops(headers, &lower)
                || named.split(',').any(|one| one.trim().eq_ignore_ascii_case(name))
        })
        .collect()
}

/// `Prefer` with `handling=strict` in the place of whatever the client said about handling (RFC 7240 section 4.4).
pub fn strict_prefer(prefer: Option<&str>) -> String {
    let mut preferences = vec!["handling=strict"];
    let own = prefer
        .into_iter()
        .flat_map(|prefer| prefer.split(','))
        .map(str::trim);
    preferences.extend(own.filter(|preference| {
        let name = preference.split(['=', ';']).next().unwrap_or_default().trim();
        !preference.is_empty()
            && !name.eq_ignore_ascii_case("handling")
            && preference.bytes().all(|byte| (0x20..0x7F).contains(&byte))
    }));
    preferences.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{removed_from_request, strict_prefer};
    use crate::request::Headers;

    fn removed(headers: &[(&'static str, &'static str)]) -> Vec<&'static str> {
        removed_from_request(&Headers::new(headers.to_vec()))
    }

    #[test]
    fn identity_headers_are_removed_in_every_spelling() {
        let names = [
            "x-wardgate-subject",
            "X-Wardgate-Subject",
            "x_wardgate_subject",
            "x-wardgate_new",
            "X_WARDGATE-A",
        ];
        let headers: Vec<_> = names.iter().map(|name| (*name, "root")).collect();
        assert_eq!(removed(&headers), names);
    }

    #[test]
    fn credentials_and_forwarding_claims_are_removed() {
        for name in [
            "authorization",
            "cookie",
            "dpop",
            "x-api-key",
            "x_api_secret",
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_host",
            "x-real-ip",
            "x-http-method-override",
            "x_http_method_override",
            "x-provenance",
            "x-cascade",
            "x-original-url",
            "x-original-forwarded-for",
            "x-forwarded-anything",
            "x-forwarded-user",
            "cf-connecting-ip",
            "CF-Access-Authenticated-User-Email",
            "true-client-ip",
            "remote-user",
            "x-remote-user",
            "x-auth-request-user",
            "x-authenticated-userid",
            "x-authorization",
            "content-length",
        ] {
            assert_eq!(removed(&[(name, "v")]), [name], "{name}");
        }
    }

    #[test]
    fn no_name_with_an_underscore_passes() {
        for name in ["x_kept", "if_match", "content_type", "accept_", "_"] {
            assert_eq!(removed(&[(name, "v")]), [name], "{name}");
        }
    }

    #[test]
    fn headers_of_the_connection_are_removed_with_those_it_names() {
        assert_eq!(
            removed(&[
                ("connection", "keep-alive, X-Secret ,x-other"),
                ("keep-alive", "5"),
                ("upgrade", "websocket"),
                ("x-secret", "1"),
                ("x-other", "2"),
                ("x-kept", "3"),
            ]),
            ["connection", "keep-alive", "upgrade", "x-secret", "x-other"]
        );
    }

    #[test]
    fn headers_of_fhir_pass() {
        assert_eq!(
            removed(&[
                ("accept", "*/*"),
                ("content-type", "application/fhir+json"),
                ("if-match", "W/\"1\""),
                ("if-none-exist", "identifier=1"),
                ("prefer", "return=minimal"),
                (
                    "traceparent",
                    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                ),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn a_trace_that_is_none_is_removed() {
        let removed = removed(&[("traceparent", "00-1-2-01"), ("tracestate", "a=1")]);
        assert_eq!(removed, ["traceparent", "tracestate"]);
    }

    #[test]
    fn strict_handling_replaces_the_client_s_own() {
        assert_eq!(strict_prefer(None), "handling=strict");
        assert_eq!(
            strict_prefer(Some("return=minimal")),
            "handling=strict, return=minimal"
        );
        assert_eq!(
            strict_prefer(Some(
                "handling=lenient, Handling = lenient, return=minimal,,respond-async"
            )),
            "handling=strict, return=minimal, respond-async"
        );
        assert_eq!(strict_prefer(Some("a=\u{e9}")), "handling=strict");
    }
}
