//! Every variable the Worker reads: its name, its default, its meaning. A test holds docs/edge-configuration.md to it.
//!
//! Variables are set in the section `[vars]` of `wrangler.toml`; one of them is a secret. A variable that begins with
//! `WARDGATE_` and is not in this list is a fault, since it is most likely a misspelt one.

/// What all variables begin with.
pub const NAMESPACE: &str = "WARDGATE_";

/// One variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// The value when it is not set, or `None` when it has to be set.
    pub default: Option<&'static str>,
    /// What it says, in a sentence or two. It is for the documentation, and not in the Worker.
    #[cfg(test)]
    pub meaning: &'static str,
}

#[cfg_attr(
    not(test),
    expect(
        unused_variables,
        reason = "the meaning is held to the documentation by a test"
    )
)]
const fn variable(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Variable {
    Variable {
        name,
        default,
        #[cfg(test)]
        meaning,
    }
}

/// The shortest and the longest patience with a server behind, in milliseconds.
pub const UPSTREAM_TIMEOUT: (u32, u32) = (10, 600_000);

/// The issuer.
pub const ISSUER: Variable = variable(
    "WARDGATE_ISSUER",
    None,
    "URL of the issuer. The `iss` claim of a token must be this text, character by character.",
);
/// Where the issuer's keys are.
pub const JWKS_URL: Variable = variable(
    "WARDGATE_JWKS_URL",
    Some("{WARDGATE_ISSUER}/.well-known/jwks.json"),
    "URL of the issuer's public keys.",
);
/// Where API keys are exchanged.
pub const API_KEYS_URL: Variable = variable(
    "WARDGATE_API_KEYS_URL",
    Some("none"),
    "URL at which the issuer exchanges API keys for tokens, its token endpoint: requests may then present a key instead of a \
     token. `none` takes no keys.",
);
/// How long a token from an exchange is used.
pub const API_KEY_SECONDS: Variable = variable(
    "WARDGATE_API_KEY_SECONDS",
    Some("300"),
    "How long a token is used at most that an API key was exchanged for, before the key is exchanged anew; never longer than the \
     token lives.",
);
/// Accepted audiences.
pub const AUDIENCES: Variable = variable(
    "WARDGATE_AUDIENCES",
    None,
    "Accepted values of the `aud` claim, separated by spaces. A token must name at least one of them.",
);
/// The FHIR server.
pub const UPSTREAM: Variable = variable(
    "WARDGATE_UPSTREAM",
    None,
    "Base URL of the FHIR server. It takes the place of the public URL and the prefix in a forwarded request.",
);
/// The guarded path.
pub const PREFIX: Variable = variable(
    "WARDGATE_PREFIX",
    Some("/fhir"),
    "Path under which the FHIR API is served here. Paths outside of it are not forwarded.",
);
/// The Worker's own URL.
pub const PUBLIC_URL: Variable = variable(
    "WARDGATE_PUBLIC_URL",
    None,
    "Origin under which clients reach this Worker: a URL without a path. It stands in metadata and challenges, and in \
     Location headers instead of the FHIR server's own.",
);
/// Tolerated clock difference.
pub const CLOCK_SKEW_SECONDS: Variable = variable(
    "WARDGATE_CLOCK_SKEW_SECONDS",
    Some("30"),
    "Clock difference tolerated for `exp`, `nbf` and `iat`, at most 60.",
);
/// Longest lifetime of a token.
pub const MAXIMUM_TOKEN_LIFETIME_SECONDS: Variable = variable(
    "WARDGATE_MAXIMUM_TOKEN_LIFETIME_SECONDS",
    Some("86400"),
    "Longest accepted time between `iat` and `exp`.",
);
/// How long keys are fresh.
pub const JWKS_FRESH_SECONDS: Variable = variable(
    "WARDGATE_JWKS_FRESH_SECONDS",
    Some("300"),
    "How long fetched keys are used without asking again. Afterwards they are used once more while a fetch runs beside.",
);
/// How long stale keys may serve.
pub const JWKS_STALE_SECONDS: Variable = variable(
    "WARDGATE_JWKS_STALE_SECONDS",
    Some("3600"),
    "How much longer keys are used while the issuer cannot be reached. Then requests are answered 503.",
);
/// Rest between fetches.
pub const JWKS_COOLDOWN_SECONDS: Variable = variable(
    "WARDGATE_JWKS_COOLDOWN_SECONDS",
    Some("30"),
    "Shortest time between two fetches that are caused by unknown keys or follow a failure.",
);
/// How old a status list may become.
pub const STATUS_FRESH_SECONDS: Variable = variable(
    "WARDGATE_STATUS_FRESH_SECONDS",
    Some("30"),
    "How long it can take at most until a revoked token is refused here, while its issuer can be reached: no status list is used longer \
     without fetching it anew, nor longer than its own `ttl` says.",
);
/// How old it may become while the issuer is away.
pub const STATUS_MAXIMUM_AGE_SECONDS: Variable = variable(
    "WARDGATE_STATUS_MAXIMUM_AGE_SECONDS",
    Some("300"),
    "How old a status list may become while its issuer cannot be reached. Then requests are answered 503.",
);
/// Patience with the issuer.
pub const JWKS_TIMEOUT_MILLISECONDS: Variable = variable(
    "WARDGATE_JWKS_TIMEOUT_MILLISECONDS",
    Some("3000"),
    "How long a fetch from the issuer may take as a whole.",
);
/// Patience with the FHIR server.
pub const UPSTREAM_TIMEOUT_MILLISECONDS: Variable = variable(
    "WARDGATE_UPSTREAM_TIMEOUT_MILLISECONDS",
    Some("30000"),
    "How long the FHIR server may take until its answer begins, the sending of the request included.",
);
/// Explain mode.
pub const EXPLAIN: Variable = variable(
    "WARDGATE_EXPLAIN",
    Some("off"),
    "Whether a request with the header `X-Wardgate-Explain: 1` is answered with how it would be decided: `off`; `on`, for a \
     public URL on this machine alone; or `on-public`, for any, which tells everybody how this Worker is set up.",
);
/// The platform's limit for requests of which nothing is known.
pub const UNVERIFIED_LIMIT: Variable = variable(
    "WARDGATE_UNVERIFIED_LIMIT",
    Some("none"),
    "Name of a rate limit binding of the platform's, or `none`. It is asked, by network, about requests without a token that was \
     verified a moment ago, before anything of them is verified; it needs `WARDGATE_CLIENT_ADDRESS`.",
);
/// The dataset for data points.
pub const METRICS: Variable = variable(
    "WARDGATE_METRICS",
    Some("none"),
    "Name of an Analytics Engine binding to which each decision is written, or `none`.",
);
/// The page with counters.
pub const COUNTERS: Variable = variable(
    "WARDGATE_COUNTERS",
    Some("off"),
    "Path of a page with the decisions of one isolate, counted, for tests; `off`, or a path for a public URL on this machine alone.",
);
/// The limits of the FHIR API.
pub const LIMITED_BY: Variable = variable(
    "WARDGATE_LIMITED_BY",
    Some("default"),
    "Names of the limits that the FHIR API is held to, separated by spaces, or `none`.",
);
/// The patient compartment of the FHIR API.
pub const PATIENT_COMPARTMENT: Variable = variable(
    "WARDGATE_PATIENT_COMPARTMENT",
    Some("enforced"),
    "Who holds `patient/` scopes to the records of the patient in context: `enforced`, this Worker; `server`, the FHIR server, \
     which is told the patient ([authorization.md](authorization.md#one-patient)).",
);
/// More issuers.
pub const ISSUERS: Variable = variable(
    "WARDGATE_ISSUERS",
    Some("[]"),
    "More issuers, as a list in JSON: see below.",
);
/// More APIs.
pub const APIS: Variable = variable(
    "WARDGATE_APIS",
    Some("[]"),
    "More APIs, as a list in JSON: see below.",
);
/// Limits.
pub const LIMITS: Variable = variable(
    "WARDGATE_LIMITS",
    Some("[]"),
    "Limits beside or instead of the default one, as a list in JSON: see below.",
);
/// The largest body that is read.
pub const MAXIMUM_BODY_BYTES: Variable = variable(
    "WARDGATE_MAXIMUM_BODY_BYTES",
    Some("1048576"),
    "The largest batch, transaction, search form, or resource that is written on behalf of a patient, in bytes, at most 8388608. \
     Those are read to be decided on; other bodies pass unread and are not limited here.",
);
/// Who says which address a client has.
pub const CLIENT_ADDRESS: Variable = variable(
    "WARDGATE_CLIENT_ADDRESS",
    Some("none"),
    "Where a client's address comes from: `cloudflare` takes it from `CF-Connecting-IP`, which only Cloudflare's network \
     makes true; `none` from nowhere. The FHIR server is told it in `X-Forwarded-For`, and limits of networks count by it, \
     which cannot be had with `none`.",
);
/// Whether the platform caches.
pub const PLATFORM_CACHE: Variable = variable(
    "WARDGATE_PLATFORM_CACHE",
    Some("bypassed"),
    "Whether the platform keeps a cache between this Worker and the servers behind: `bypassed`, it does, and is asked with each \
     request to keep nothing; `absent`, it does not, as plain `workerd`, where asking takes a tenth of a request's time. Caches \
     further on the way are asked by headers in any case.",
);
/// Whether tokens have to be bound.
pub const DPOP: Variable = variable(
    "WARDGATE_DPOP",
    Some("accepted"),
    "Whether tokens for the FHIR API have to be bound to a key of their holder and come with a DPoP proof: `accepted` takes \
     bearer tokens too, `required` none.",
);
/// Whether proofs need a nonce.
pub const DPOP_NONCE: Variable = variable(
    "WARDGATE_DPOP_NONCE",
    Some("off"),
    "Whether DPoP proofs for the FHIR API need a nonce of this Worker's: `off` or `required`.",
);
/// How old a proof may be.
pub const DPOP_SECONDS: Variable = variable(
    "WARDGATE_DPOP_SECONDS",
    Some("120"),
    "How long after its `iat` a DPoP proof is accepted, from 10 to 300 seconds.",
);
/// What happens while nobody knows which proofs were used.
pub const DPOP_ON_FAILURE: Variable = variable(
    "WARDGATE_DPOP_ON_FAILURE",
    Some("closed"),
    "While the coordinator that remembers used DPoP proofs cannot be asked: `closed` answers 503; `local` goes by what each \
     isolate has seen itself, so that a proof could pass once in each.",
);
/// What nonces are made with.
pub const DPOP_NONCE_SECRET: Variable = variable(
    "WARDGATE_DPOP_NONCE_SECRET",
    Some("none"),
    "What nonces are made with: 32 random characters or more, the same wherever the Worker runs, or `none`. It is a secret: set \
     it with `wrangler secret put`.",
);
/// Origins of browser applications.
pub const CORS_ORIGINS: Variable = variable(
    "WARDGATE_CORS_ORIGINS",
    Some("*"),
    "Origins whose pages may call this API, separated by spaces, or `*` for any.",
);
/// Documentation of error codes.
pub const ERROR_URI: Variable = variable(
    "WARDGATE_ERROR_URI",
    Some("{WARDGATE_ISSUER}/docs/errors"),
    "Where `error_uri` of a refusal points; the error code follows after a `#`, unless it has a fragment of its own.",
);

/// All variables, in the order of the README's table.
pub const ALL: [Variable; 36] = [
    ISSUER,
    JWKS_URL,
    API_KEYS_URL,
    API_KEY_SECONDS,
    AUDIENCES,
    UPSTREAM,
    PREFIX,
    PUBLIC_URL,
    CLOCK_SKEW_SECONDS,
    MAXIMUM_TOKEN_LIFETIME_SECONDS,
    JWKS_FRESH_SECONDS,
    JWKS_STALE_SECONDS,
    JWKS_COOLDOWN_SECONDS,
    JWKS_TIMEOUT_MILLISECONDS,
    STATUS_FRESH_SECONDS,
    STATUS_MAXIMUM_AGE_SECONDS,
    UPSTREAM_TIMEOUT_MILLISECONDS,
    MAXIMUM_BODY_BYTES,
    CLIENT_ADDRESS,
    PLATFORM_CACHE,
    DPOP,
    DPOP_NONCE,
    DPOP_SECONDS,
    DPOP_ON_FAILURE,
    DPOP_NONCE_SECRET,
    CORS_ORIGINS,
    ERROR_URI,
    EXPLAIN,
    UNVERIFIED_LIMIT,
    METRICS,
    COUNTERS,
    LIMITED_BY,
    PATIENT_COMPARTMENT,
    ISSUERS,
    APIS,
    LIMITS,
];
