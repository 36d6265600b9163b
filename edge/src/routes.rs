//! What a request addresses: one of the open documents, or something in one of the APIs.
//!
//! The path is read as the bytes that the runtime received and that are forwarded. Everything that a second reader
//! could read differently is refused here, before any credential is looked at: the answer then does not depend on who
//! asks. Paths outside of every prefix are not forwarded, whatever they are.

use wardgate_shared::scope::interaction::Method;
use wardgate_shared::scope::{FhirRequest, Interaction, RawRequest, RequestError};

use crate::config::rules::{Rule, Rules, Ruling};
use crate::config::{Api, ApiKind, Config};
use crate::cors;
use crate::credentials;
use crate::error::Refusal;
use crate::proxy::sanitize::EFFECTS;
use crate::request::Incoming;

mod path;

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Route<'a> {
    /// A browser asks whether it may ask.
    Preflight,
    /// `/health`.
    Health,
    /// The counters of this isolate, where the configuration has a path for them.
    Counters,
    /// `/.well-known/oauth-protected-resource` and the resource's path; without the path when there is one API only.
    ProtectedResourceMetadata(&'a Api),
    /// `.well-known/smart-configuration` below a FHIR base.
    SmartConfiguration(&'a Api),
    /// `metadata` below a FHIR base: open, and the FHIR server's to answer.
    Capabilities(&'a Api),
    /// What the rules of an API leave open.
    Open(&'a Api),
    /// Everything else in an API.
    Guarded(&'a Api, Asked<'a>),
}

/// What is asked of an API, as far as permission depends on it.
#[derive(Clone, Debug)]
pub enum Asked<'a> {
    /// A FHIR interaction.
    Fhir(FhirRequest<'a>),
    /// Something to which this rule applies.
    Plain(&'a Rule),
}

impl Asked<'_> {
    /// What decides about it, in a word: SMART scopes or the place of a rule.
    pub fn rule_name(&self) -> &str {
        match self {
            Self::Fhir(_) => "smart",
            Self::Plain(rule) => &rule.name,
        }
    }
}

impl Route<'_> {
    /// The route in one word, for the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Health => "health",
            Self::Counters => "counters",
            Self::ProtectedResourceMetadata(_) => "protected_resource_metadata",
            Self::SmartConfiguration(_) => "smart_configuration",
            Self::Capabilities(_) => "capabilities",
            Self::Open(_) => "open",
            Self::Guarded(_, Asked::Fhir(_)) => "fhir",
            Self::Guarded(_, Asked::Plain(_)) => "plain",
        }
    }
}

/// The path of the health check; it has an answer of its own when the configuration is wrong.
pub const HEALTH: &str = "/health";

/// The path of the protected resource's metadata (RFC 9728 section 3).
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Finds the route of a request.
///
/// # Errors
/// [`Refusal`]: nothing there, an ambiguous path, an unknown method, a token in the query.
pub fn route<'a>(config: &'a Config, request: &Incoming<'a>) -> Result<Route<'a>, Refusal> {
    if cors::is_preflight(request) {
        return Ok(Route::Preflight);
    }
    if let Some(api) = config.api_of(request.path) {
        let below = below_prefix(&api.prefix, request.path).ok_or(Refusal::Internal)?;
        credentials::refuse_in_query(request.query)?;
        if EFFECTS.iter().any(|name| request.headers.get(name).is_some()) {
            return Err(Refusal::EffectOfHeader);
        }
        return match &api.kind {
            ApiKind::Fhir => fhir_route(api, request, below),
            ApiKind::Plain(rules) => plain_route(api, rules, request.method, below),
        };
    }
    let route = if request.path == HEALTH {
        Route::Health
    } else if config.counters.as_deref() == Some(request.path) {
        Route::Counters
    } else if let Some(api) = described_by(config, request.path) {
        Route::ProtectedResourceMetadata(api)
    } else {
        return Err(Refusal::NotFound);
    };
    only_get(request).map(|()| route)
}

fn fhir_route<'a>(api: &'a Api, request: &Incoming<'a>, below: &'a str) -> Result<Route<'a>, Refusal> {
    if below == "/.well-known/smart-configuration" {
        return only_get(request).map(|()| Route::SmartConfiguration(api));
    }
    let fhir = fhir_request(request, below, None)?;
    Ok(match fhir.interaction() {
        Interaction::Capabilities => Route::Capabilities(api),
        _ => Route::Guarded(api, Asked::Fhir(fhir)),
    })
}

/// The FHIR interaction that a request asks for; `form` is the body of a search by POST, once it has been read.
fn fhir_request<'a>(
    request: &Incoming<'a>,
    below: &'a str,
    form: Option<&'a str>,
) -> Result<FhirRequest<'a>, RequestError> {
    FhirRequest::parse(&RawRequest {
        method: request.method,
        path: below,
        query: request.query,
        if_none_exist: request.headers.get("if-none-exist"),
        search_form: form,
    })
}

/// A search by POST with its form, which can carry whatever a query can.
///
/// # Errors
/// [`Refusal`]: a malformed form, a token in it.
pub fn search_by_form<'a>(
    api: &Api,
    request: &Incoming<'a>,
    form: &'a str,
) -> Result<FhirRequest<'a>, Refusal> {
    credentials::refuse_in_query(Some(form))?;
    let below = below_prefix(&api.prefix, request.path).ok_or(Refusal::Internal)?;
    Ok(fhir_request(request, below, Some(form))?)
}

fn plain_route<'a>(api: &'a Api, rules: &'a Rules, method: &str, below: &str) -> Result<Route<'a>, Refusal> {
    Method::parse(method).map_err(RequestError::Method)?;
    if !path::is_unambiguous(below) {
        return Err(Refusal::AmbiguousPath);
    }
    match rules.find(method, below) {
        Ruling::Open => Ok(Route::Open(api)),
        Ruling::Guarded(rule) => Ok(Route::Guarded(api, Asked::Plain(rule))),
        Ruling::Unknown => Err(Refusal::NotFound),
        Ruling::OtherMethods(methods) => Err(Refusal::Method {
            allow: methods.join(", ").into(),
        }),
    }
}

/// What follows the prefix: empty, or beginning with a slash. `None` for a path that is not below it.
pub fn below_prefix<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(prefix)
        .filter(|below| below.is_empty() || below.starts_with('/'))
}

/// The API whose metadata lies at `path`.
fn described_by<'a>(config: &'a Config, path: &str) -> Option<&'a Api> {
    let below = path.strip_prefix(PROTECTED_RESOURCE)?;
    match config.apis.as_slice() {
        [only] if below.is_empty() => Some(only),
        apis => apis.iter().find(|api| api.prefix == below),
    }
}

fn only_get(request: &Incoming<'_>) -> Result<(), Refusal> {
    match request.method {
        "GET" | "HEAD" => Ok(()),
        _ => Err(Refusal::Method {
            allow: "GET, HEAD".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Route, below_prefix, route};
    use crate::error::Refusal;
    use crate::testing::{config, incoming};

    fn name(method: &'static str, path: &str) -> Result<&'static str, Refusal> {
        route(&config(), &incoming(method, path, &[])).map(|route| route.name())
    }

    #[test]
    fn open_documents_have_their_routes() {
        for (path, expected) in [
            ("/health", "health"),
            (
                "/.well-known/oauth-protected-resource",
                "protected_resource_metadata",
            ),
            (
                "/.well-known/oauth-protected-resource/fhir",
                "protected_resource_metadata",
            ),
            ("/fhir/.well-known/smart-configuration", "smart_configuration"),
            ("/fhir/metadata", "capabilities"),
            ("/fhir/metadata?mode=terminology", "capabilities"),
        ] {
            for method in ["GET", "HEAD"] {
                assert_eq!(name(method, path), Ok(expected), "{method} {path}");
            }
            assert_eq!(name("POST", path).unwrap_err().status(), 405, "POST {path}");
        }
    }

    #[test]
    fn everything_else_below_the_prefix_is_guarded() {
        for path in [
            "/fhir",
            "/fhir/",
            "/fhir?_type=Patient",
            "/fhir/Patient",
            "/fhir/Patient/1/_history/2",
            "/fhir/Patient/$match",
            "/fhir/_history",
        ] {
            assert!(
                matches!(
                    route(&config(), &incoming("GET", path, &[])),
                    Ok(Route::Guarded(_, Asked::Fhir(_)))
                ),
                "{path}"
            );
        }
    }

    #[test]
    fn nothing_outside_the_prefix_is_served() {
        for path in [
            "",
            "/",
            "/FHIR/Patient",
            "/fhirx/Patient",
            "/fhir%2FPatient",
            "//fhir/Patient",
            "/./fhir/Patient",
            "/x/../fhir/Patient",
            "/health/",
            "/metadata",
            "/.well-known/smart-configuration",
            "/.well-known/oauth-protected-resource/other",
            "/.well-known/oauth-protected-resource/",
        ] {
            assert_eq!(name("GET", path), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn ambiguous_paths_are_refused_before_any_credential() {
        for path in [
            "/fhir/../admin",
            "/fhir/./Patient",
            "/fhir//Patient",
            "/fhir/Patient/",
            "/fhir/%50atient",
            "/fhir/Patient%2F1",
            "/fhir/Patient;x=1",
            "/fhir/Patient\\1",
            "/fhir/Patient#x",
            "/fhir/metadata/",
            "/fhir/.well-known/smart-configuration/",
            "/fhir/.well-known//smart-configuration",
        ] {
            assert_eq!(name("GET", path).unwrap_err().status(), 400, "{path}");
        }
    }

    #[test]
    fn paths_that_fhir_does_not_define_are_not_found() {
        for path in [
            "/fhir/Foo",
            "/fhir/patient",
            "/fhir/Patient/a_b",
            "/fhir/.well-known",
            "/fhir/Patient/1/2/3/4",
        ] {
            assert_eq!(name("GET", path).unwrap_err().status(), 404, "{path}");
        }
    }

    #[test]
    fn unknown_methods_are_not_taken_for_another() {
        for method in ["PURGE", "get", "OPTIONS", "TRACE", "CONNECT", "GETX"] {
            assert_eq!(
                name(method, "/fhir/Patient").unwrap_err().status(),
                405,
                "{method}"
            );
            assert_eq!(name(method, "/health").unwrap_err().status(), 405, "{method}");
        }
    }

    #[test]
    fn refuses_headers_that_change_what_a_request_does() {
        for header in super::EFFECTS {
            let config = config();
            let found = route(&config, &incoming("POST", "/fhir/Patient", &[(header, "DELETE")]));
            assert_eq!(found.unwrap_err(), Refusal::EffectOfHeader, "{header}");
        }
    }

    #[test]
    fn the_prefix_ends_at_a_segment() {
        assert_eq!(below_prefix("/fhir", "/fhir"), Some(""));
        assert_eq!(below_prefix("/fhir", "/fhir/Patient"), Some("/Patient"));
        assert_eq!(below_prefix("/fhir", "/fhirs"), None);
    }
}
