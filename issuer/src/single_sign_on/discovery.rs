//! What a provider says of itself: fetched and checked before anybody is sent there (OpenID Connect Discovery 1.0
//! section 4).

use serde::Deserialize;
use wardgate_shared::json;
use wardgate_shared::jwt::SignatureAlgorithm;

use crate::config::OutboundConfig;
use crate::domain::single_sign_on::{ConnectionSettings, PresetError, ProviderMetadata};
use crate::outbound::{FetchError, Outbound, UrlRefusal, check_url};

/// Where the document is, under the issuer's URL (section 4).
const PATH: &str = "/.well-known/openid-configuration";

/// Why a provider cannot be used. Texts are for administrators: they say what to change.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryFault {
    /// The issuer is not one of the preset's.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The issuer's URL is never fetched.
    #[error("the issuer {0}")]
    Issuer(UrlRefusal),
    /// The document could not be fetched.
    #[error("the document at {url} could not be fetched: {error}")]
    Fetch {
        /// Its address.
        url: String,
        /// Why not.
        error: FetchError,
    },
    /// It is no such document.
    #[error("the document at {0} is no provider metadata of OpenID Connect Discovery")]
    Malformed(String),
    /// It is another issuer's (section 4.3).
    #[error("the document's issuer is {0}, and has to be the same to the character")]
    AnotherIssuer(String),
    /// An endpoint's URL cannot be used.
    #[error("its {0} {1}")]
    Endpoint(&'static str, UrlRefusal),
    /// It does not give codes.
    #[error("it does not support the response type code")]
    ResponseType,
    /// It lists methods of PKCE, and S256 is not among them.
    #[error("it does not support PKCE with S256")]
    Pkce,
    /// It does not let clients authenticate in the way that is set.
    #[error("it does not support {0} at its token endpoint, but {1}")]
    ClientAuthentication(&'static str, String),
    /// It signs ID tokens with algorithms that are not accepted here only.
    #[error("it signs ID tokens with {0} only, and none of them is accepted here")]
    Algorithm(String),
}

impl DiscoveryFault {
    /// Whether the provider did not answer, so that the same may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Fetch { .. })
    }
}

/// The members that count (section 3).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Fetches and checks what the provider of `settings` says of itself.
///
/// # Errors
/// [`DiscoveryFault`].
pub async fn discover(
    outbound: &Outbound,
    config: &OutboundConfig,
    settings: &ConnectionSettings,
) -> Result<ProviderMetadata, DiscoveryFault> {
    let issuer = settings.issuer.as_str();
    check_url(issuer, config).map_err(DiscoveryFault::Issuer)?;
    let url = format!("{}{PATH}", issuer.strip_suffix('/').unwrap_or(issuer));
    let fetched = match outbound.fetch_json(&url).await {
        Ok(fetched) => fetched,
        Err(error) => return Err(DiscoveryFault::Fetch { url, error }),
    };
    let document = json::check_object(&fetched.body)
        .ok()
        .and_then(|()| serde_json::from_slice::<Document>(&fetched.body).ok());
    let document = document.ok_or(DiscoveryFault::Malformed(url))?;
    if document.issuer != issuer {
        return Err(DiscoveryFault::AnotherIssuer(shown(&document.issuer)));
    }
    check(&document, config, settings)?;
    Ok(ProviderMetadata {
        authorization_endpoint: document.authorization_endpoint,
        token_endpoint: document.token_endpoint,
        jwks_uri: document.jwks_uri,
        end_session_endpoint: document.end_session_endpoint,
        names_itself: document.authorization_response_iss_parameter_supported,
    })
}

fn check(
    document: &Document,
    config: &OutboundConfig,
    settings: &ConnectionSettings,
) -> Result<(), DiscoveryFault> {
    let endpoints = [
        ("authorization_endpoint", Some(&document.authorization_endpoint)),
        ("token_endpoint", Some(&document.token_endpoint)),
        ("jwks_uri", Some(&document.jwks_uri)),
        ("end_session_endpoint", document.end_session_endpoint.as_ref()),
    ];
    for (name, url) in endpoints {
        if let Some(url) = url {
            check_url(url, config).map_err(|refusal| DiscoveryFault::Endpoint(name, refusal))?;
        }
    }
    let lacks = |list: &Option<Vec<String>>, value: &str| {
        list.as_ref()
            .is_some_and(|list| !list.iter().any(|one| one == value))
    };
    if lacks(&document.response_types_supported, "code") {
        return Err(DiscoveryFault::ResponseType);
    }
    if lacks(&document.code_challenge_methods_supported, "S256") {
        return Err(DiscoveryFault::Pkce);
    }
    let method = settings.credential.method();
    if let Some(methods) = &document.token_endpoint_auth_methods_supported
        && lacks(&document.token_endpoint_auth_methods_supported, method)
    {
        return Err(DiscoveryFault::ClientAuthentication(
            method,
            shown(&methods.join(", ")),
        ));
    }
    match &document.id_token_signing_alg_values_supported {
        Some(algorithms)
            if !algorithms
                .iter()
                .any(|name| SignatureAlgorithm::from_name(name).is_some()) =>
        {
            Err(DiscoveryFault::Algorithm(shown(&algorithms.join(", "))))
        }
        Some(_) | None => Ok(()),
    }
}

/// What another wrote, for a terminal or a log: short, and in visible ASCII.
fn shown(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|one| {
            if one.is_ascii_graphic() || one == ' ' {
                one
            } else {
                '?'
            }
        })
        .collect()
}
