//! A request as it goes to the FHIR server, and what is done to the answer on its way back.

use wardgate_shared::claims::AccessClaims;

use crate::authorize::Permit;
use crate::config::{Api, Config, url};
use crate::error::UpstreamFailure;
use crate::headers;
use crate::request::Incoming;

use super::sanitize;

/// Everything the platform needs to forward a request in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// Where to: its own normal form, so that the runtime has nothing to change in it.
    pub url: String,
    /// The method, where it is not the client's; the request's body then does not go with it.
    pub method: Option<&'static str>,
    /// Whether the client asked by `HEAD`.
    pub is_head: bool,
    /// What is put before the form that was read, if anything.
    pub form: Option<String>,
    /// How long the answer may take to begin, in milliseconds.
    pub timeout_milliseconds: u32,
    /// Request headers that do not pass.
    pub remove: Vec<&'a str>,
    /// Request headers that are added, or replace what the client sent. Values are visible ASCII and spaces.
    pub set: Vec<(&'static str, String)>,
    /// Answer headers that are set; `vary` is added to what is there.
    pub set_on_answer: Vec<(&'static str, String)>,
    /// `Location` and `Content-Location` of an answer that lie below this ...
    pub location_from: String,
    /// ... lie below this instead, so that clients are not sent past Wardgate.
    pub location_to: String,
}

/// By these a client asks for an answer other than the whole one of now, whose bytes it would take for the FHIR server's.
pub(super) const CONDITIONS: [&str; 5] = [
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "range",
];

impl Forward<'_> {
    /// The same, for an answer that is changed on its way: as a whole, and in plain bytes.
    #[must_use]
    pub fn without_conditions(mut self) -> Self {
        self.remove.extend(CONDITIONS);
        self.set.push(("accept-encoding", "identity".to_owned()));
        self
    }
}

/// Whose request it is, and why it is permitted; `None` for a request that needs neither.
pub type Authority<'a> = Option<(&'a AccessClaims, &'a Permit)>;

/// Prepares a request for the FHIR server. `below` is its path after the prefix, as it was judged.
///
/// The query is as it was judged too, but for four characters that the runtime would encode (WHATWG URL, "special-query
/// percent-encode set"). They are encoded here, so that the URL is its own normal form and the platform can insist on
/// sending exactly this one.
pub fn prepare<'a>(
    config: &Config,
    api: &Api,
    request: &Incoming<'a>,
    below: &str,
    authority: Authority<'_>,
    request_id: &str,
    set_on_answer: Vec<(&'static str, String)>,
) -> Forward<'a> {
    let mut url = format!("{}{below}", api.upstream);
    if below.is_empty() && url::check(&api.upstream).is_ok_and(|path| path.0 == api.upstream.len()) {
        // A URL without any path has one in its normal form.
        url.push('/');
    }
    if let Some(query) = request.query {
        url.push('?');
        query.chars().for_each(|character| match character {
            '"' => url.push_str("%22"),
            '\'' => url.push_str("%27"),
            '<' => url.push_str("%3C"),
            '>' => url.push_str("%3E"),
            other => url.push(other),
        });
    }
    let mut set = vec![
        (headers::REQUEST_ID, request_id.to_owned()),
        ("x-forwarded-proto", request.scheme.to_owned()),
        ("x-forwarded-host", headers::word(request.host)),
    ];
    if let Some(address) = headers::client_address(config.client_address, request) {
        set.push(("x-forwarded-for", headers::word(address)));
    }
    if !config.bypasses_cache {
        // What the runtime sends for `no-store`: caches between here and the server are asked for nothing that they kept.
        set.push(("pragma", "no-cache".to_owned()));
        if request.headers.get("cache-control").is_none() {
            set.push(("cache-control", "no-cache".to_owned()));
        }
    }
    if let Some((claims, permit)) = authority {
        set.extend(headers::identity(claims));
        set.push(("x-wardgate-access-level", permit.access_level.to_owned()));
        set.push(("x-wardgate-authorized-by", permit.authorized_by.clone()));
        if permit.strict_search {
            set.push(("prefer", sanitize::strict_prefer(request.headers.get("prefer"))));
        }
    }
    Forward {
        url,
        method: None,
        is_head: request.method == "HEAD",
        form: None,
        timeout_milliseconds: api.upstream_timeout_milliseconds,
        remove: sanitize::removed_from_request(&request.headers),
        set,
        set_on_answer,
        location_from: api.upstream.clone(),
        location_to: api.resource.clone(),
    }
}

/// Judges the status of an answer.
///
/// # Errors
/// [`UpstreamFailure`] for a status that is not the FHIR server's to give: a redirect, unless it is 304, which is the
/// answer to a conditional request, and a demand for credentials.
pub const fn judge(status: u16) -> Result<(), UpstreamFailure> {
    match status {
        304 => Ok(()),
        300..=399 => Err(UpstreamFailure::Redirect),
        401 | 407 => Err(UpstreamFailure::Unauthorized),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, Forward, judge, prepare};
    use crate::authorize::Permit;
    use crate::config::{ClientAddress, Config};
    use crate::error::UpstreamFailure;
    use crate::request::Incoming;
    use crate::testing::{claims, config, incoming};

    fn prepare_of<'a>(
        config: &Config,
        request: &Incoming<'a>,
        below: &str,
        authority: Authority<'_>,
        request_id: &str,
        set_on_answer: Vec<(&'static str, String)>,
    ) -> Forward<'a> {
        prepare(
            config,
            &config.apis[0],
            request,
            below,
            authority,
            request_id,
            set_on_answer,
        )
    }

    fn permit(strict_search: bool) -> Permit {
        Permit {
            access_level: "system",
            authorized_by: "system/*.read".into(),
            strict_search,
        }
    }

    #[test]
    fn the_upstream_takes_the_place_of_the_prefix_and_nothing_else_changes() {
        let request = incoming("GET", "/fhir/Patient?name=a%20b&x={|}\\^`[]%27", &[]);
        let forward = prepare_of(&config(), &request, "/Patient", None, "r-1", Vec::new());
        assert_eq!(
            forward.url,
            "https://fhir.example/r4/Patient?name=a%20b&x={|}\\^`[]%27"
        );
        let base = incoming("GET", "/fhir?", &[]);
        assert_eq!(
            prepare_of(&config(), &base, "", None, "r-1", Vec::new()).url,
            "https://fhir.example/r4?"
        );
    }

    #[test]
    fn a_fhir_server_at_the_root_of_its_host_is_asked_there() {
        let mut config = config();
        config.apis[0].upstream = "https://fhir.example".into();
        for (target, below, url) in [
            ("/fhir?_id=1", "", "https://fhir.example/?_id=1"),
            ("/fhir/?_id=1", "/", "https://fhir.example/?_id=1"),
            ("/fhir/Patient", "/Patient", "https://fhir.example/Patient"),
        ] {
            let forward = prepare_of(
                &config,
                &incoming("GET", target, &[]),
                below,
                None,
                "r-1",
                Vec::new(),
            );
            assert_eq!(forward.url, url);
        }
    }

    #[test]
    fn what_the_runtime_would_encode_is_encoded_before() {
        let request = incoming("GET", "/fhir/Patient?name=O'Brien<\">", &[]);
        let forward = prepare_of(&config(), &request, "/Patient", None, "r-1", Vec::new());
        assert_eq!(
            forward.url,
            "https://fhir.example/r4/Patient?name=O%27Brien%3C%22%3E"
        );
    }

    #[test]
    fn an_open_request_carries_no_identity() {
        let request = incoming(
            "GET",
            "/fhir/metadata",
            &[("authorization", "Bearer a"), ("x-wardgate-subject", "x")],
        );
        let forward = prepare_of(&config(), &request, "/metadata", None, "r-1", Vec::new());
        assert_eq!(forward.remove, ["authorization", "x-wardgate-subject"]);
        assert!(
            forward
                .set
                .iter()
                .all(|(name, _)| !name.starts_with("x-wardgate-"))
        );
    }

    #[test]
    fn a_permitted_request_carries_identity_level_and_scopes() {
        let request = incoming(
            "GET",
            "/fhir/Patient",
            &[("cf-connecting-ip", "192.0.2.1"), ("x-forwarded-for", "::1")],
        );
        let claims = claims();
        let mut config = config();
        config.client_address = ClientAddress::Cloudflare;
        let forward = prepare_of(
            &config,
            &request,
            "/Patient",
            Some((&claims, &permit(false))),
            "r-1",
            Vec::new(),
        );
        let get = |name| {
            forward
                .set
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(get("x-wardgate-subject"), Some("service"));
        assert_eq!(get("x-wardgate-access-level"), Some("system"));
        assert_eq!(get("x-wardgate-authorized-by"), Some("system/*.read"));
        assert_eq!(get("x-forwarded-for"), Some("192.0.2.1"));
        assert_eq!(get("x-forwarded-host"), Some("edge.example"));
        assert_eq!(get("x-forwarded-proto"), Some("https"));
        assert_eq!(get("x-request-id"), Some("r-1"));
        assert_eq!(get("prefer"), None);
        assert_eq!(forward.remove, ["cf-connecting-ip", "x-forwarded-for"]);
    }

    #[test]
    fn an_address_that_nobody_vouches_for_is_not_told() {
        let request = incoming("GET", "/fhir/metadata", &[("cf-connecting-ip", "192.0.2.1")]);
        let forward = prepare_of(&config(), &request, "/metadata", None, "r-1", Vec::new());
        assert!(forward.set.iter().all(|(name, _)| *name != "x-forwarded-for"));
        assert_eq!(forward.remove, ["cf-connecting-ip"]);
    }

    #[test]
    fn caches_on_the_way_are_asked_in_headers_where_the_runtime_does_not_do_it() {
        let plain = incoming("GET", "/fhir/metadata", &[]);
        let own = incoming("GET", "/fhir/metadata", &[("cache-control", "max-age=0")]);
        let asked = |config: &Config, request| {
            let forward = prepare_of(config, request, "/metadata", None, "r-1", Vec::new());
            let of_caches = |(name, _): &&(&'static str, String)| ["pragma", "cache-control"].contains(name);
            let names = forward.set.iter().filter(of_caches).map(|(name, _)| *name);
            names.collect::<Vec<_>>()
        };
        let mut config = config();
        assert!(asked(&config, &plain).is_empty(), "the runtime does it");
        config.bypasses_cache = false;
        assert_eq!(asked(&config, &plain), ["pragma", "cache-control"]);
        assert_eq!(asked(&config, &own), ["pragma"], "the client's own word passes");
    }

    #[test]
    fn a_restricted_scope_makes_the_search_strict() {
        let request = incoming(
            "GET",
            "/fhir/Observation?category=a",
            &[("prefer", "handling=lenient")],
        );
        let claims = claims();
        let forward = prepare_of(
            &config(),
            &request,
            "/Observation",
            Some((&claims, &permit(true))),
            "r-1",
            Vec::new(),
        );
        assert!(forward.set.contains(&("prefer", "handling=strict".into())));
    }

    #[test]
    fn redirects_and_demands_for_credentials_are_failures() {
        for status in [
            200, 201, 204, 304, 400, 403, 404, 409, 410, 412, 422, 429, 500, 503,
        ] {
            assert_eq!(judge(status), Ok(()), "{status}");
        }
        for status in [300, 301, 302, 303, 305, 307, 308] {
            assert_eq!(judge(status), Err(UpstreamFailure::Redirect), "{status}");
        }
        for status in [401, 407] {
            assert_eq!(judge(status), Err(UpstreamFailure::Unauthorized), "{status}");
        }
    }
}
