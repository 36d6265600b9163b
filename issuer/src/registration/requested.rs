//! From a document of client metadata to a client, with the defaults of the specifications (RFC 7591 section 2, OpenID
//! Connect Dynamic Client Registration section 2).
//!
//! What is not understood is ignored. What is understood and never done is refused where a client that is not told would
//! rely on it, such as encrypted ID tokens. Request objects are no such case: every request with one is refused.

use serde_json::Value;
use wardgate_shared::jwk::JwkSet;
use wardgate_shared::jwt::SignatureAlgorithm;
use wardgate_shared::redirect_uri::{RedirectUriError, RegisteredRedirectUri};
use wardgate_shared::scope::ScopeSet;
use wardgate_shared::time::Timestamp;

use crate::domain::client::{
    ApplicationType, Client, ClientAuthentication, ClientKeys, ClientMetadata, GrantType, SecretMethod,
    SecurityProfile, SubjectType,
};
use crate::domain::digest::SecretDigest;
use crate::domain::registration::Ceiling;

use super::{Document, MetadataFault};

/// Members that ask for what is never done here.
const NEVER_DONE: [&str; 8] = [
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
];
/// Flags that do, when they are true.
const NEVER_TRUE: [&str; 2] = [
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
];

/// How a client wants to prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    None,
    Secret(SecretMethod),
    PrivateKeyJwt(ClientKeys),
}

/// What a client asks to be registered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedClient {
    name: Option<String>,
    proof: Proof,
    grant_types: Vec<GrantType>,
    redirect_uris: Vec<RegisteredRedirectUri>,
    post_logout_redirect_uris: Vec<RegisteredRedirectUri>,
    scope: Option<ScopeSet>,
    push_required: bool,
    metadata: ClientMetadata,
}

/// What the server gives a client that registers itself, whatever it asks for.
#[derive(Clone, Debug)]
pub struct Standing {
    /// `client_id`.
    pub client_id: String,
    /// The digest of its secret, should it have one.
    pub secret: SecretDigest,
    /// Whether it must use PKCE though it can prove who it is.
    pub pkce_required: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl RequestedClient {
    /// Reads what a document asks for. What it says is well-formed then, and not yet checked for sense: see
    /// [`check`](super::check).
    ///
    /// # Errors
    /// [`MetadataFault`].
    pub fn read(document: &Document) -> Result<Self, MetadataFault> {
        refuse_what_is_never_done(document)?;
        let grant_types = grant_types(document)?;
        check_response_types(document, &grant_types)?;
        let redirect_uris = uris(document, "redirect_uris", MetadataFault::RedirectUri)?;
        let application_type = application_type(document, &redirect_uris)?;
        let scope = match document.text("scope")? {
            Some(text) => Some(ScopeSet::parse(text).map_err(|_| MetadataFault::MalformedScope)?),
            None => None,
        };
        let proof = proof(document)?;
        let mut metadata = metadata(document)?;
        metadata.application_type = Some(application_type);
        metadata.token_endpoint_auth_method = match &proof {
            Proof::Secret(method) => Some(*method),
            Proof::None | Proof::PrivateKeyJwt(_) => None,
        };
        Ok(Self {
            name: document.owned_text("client_name")?,
            proof,
            grant_types,
            redirect_uris,
            post_logout_redirect_uris: uris(
                document,
                "post_logout_redirect_uris",
                MetadataFault::PostLogoutRedirectUri,
            )?,
            scope,
            push_required: document.flag("require_pushed_authorization_requests")?,
            metadata,
        })
    }

    /// The client, within `ceiling`.
    ///
    /// # Errors
    /// [`MetadataFault::GrantTypeNotAllowed`] or [`MetadataFault::NothingOfScope`].
    pub fn into_client(self, standing: Standing, ceiling: &Ceiling) -> Result<Client, MetadataFault> {
        let mut wanted = self.grant_types.iter();
        if !wanted.all(|grant_type| ceiling.grant_types.contains(grant_type)) {
            return Err(MetadataFault::GrantTypeNotAllowed);
        }
        let scope = ceiling.scope_for(self.scope.as_ref(), &self.grant_types);
        if scope.is_empty() {
            return Err(MetadataFault::NothingOfScope);
        }
        let authentication = match self.proof {
            Proof::None => ClientAuthentication::Public,
            Proof::Secret(_) => ClientAuthentication::Secret(standing.secret),
            Proof::PrivateKeyJwt(keys) => ClientAuthentication::PrivateKeyJwt { keys },
        };
        Ok(Client {
            pkce_required: standing.pkce_required || authentication == ClientAuthentication::Public,
            name: self
                .name
                .map_or_else(|| standing.client_id.clone(), |name| String::from(name.trim())),
            client_id: standing.client_id,
            authentication,
            grant_types: self.grant_types,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            scope,
            push_required: self.push_required,
            metadata: self.metadata,
            registered_itself: true,
            created_at: standing.created_at,
        })
    }
}

fn refuse_what_is_never_done(document: &Document) -> Result<(), MetadataFault> {
    if document.member("software_statement").is_some() {
        return Err(MetadataFault::SoftwareStatement);
    }
    for name in NEVER_DONE {
        if document.text(name)?.is_some() {
            return Err(MetadataFault::NeverDone(name));
        }
    }
    for name in NEVER_TRUE {
        if document.flag(name)? {
            return Err(MetadataFault::NeverDone(name));
        }
    }
    Ok(())
}

fn grant_types(document: &Document) -> Result<Vec<GrantType>, MetadataFault> {
    let Some(names) = document.texts("grant_types")? else {
        return Ok(vec![GrantType::AuthorizationCode]);
    };
    let mut grant_types = Vec::new();
    for name in names {
        let grant_type = GrantType::from_name(name).ok_or(MetadataFault::Unsupported("grant_types"))?;
        if !grant_types.contains(&grant_type) {
            grant_types.push(grant_type);
        }
    }
    Ok(grant_types)
}

/// `code` goes with `authorization_code`, and is the only response type there is.
fn check_response_types(document: &Document, grant_types: &[GrantType]) -> Result<(), MetadataFault> {
    let Some(names) = document.texts("response_types")? else {
        return Ok(());
    };
    if names.iter().any(|name| *name != "code") {
        Err(MetadataFault::Unsupported("response_types"))
    } else if names.is_empty() == grant_types.contains(&GrantType::AuthorizationCode) {
        Err(MetadataFault::ResponseTypes)
    } else {
        Ok(())
    }
}

/// The URIs of a list, each once.
fn uris(
    document: &Document,
    name: &'static str,
    fault: impl Fn(RedirectUriError) -> MetadataFault,
) -> Result<Vec<RegisteredRedirectUri>, MetadataFault> {
    let mut uris = Vec::new();
    for text in document.texts(name)?.unwrap_or_default() {
        let uri = RegisteredRedirectUri::parse(text).map_err(&fault)?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

/// What the client says; else what its redirect URIs say. The specification's default is `web`, which apps that were
/// written for RFC 7591 alone do not know of.
fn application_type(
    document: &Document,
    redirect_uris: &[RegisteredRedirectUri],
) -> Result<ApplicationType, MetadataFault> {
    match document.text("application_type")? {
        Some("web") => Ok(ApplicationType::Web),
        Some("native") => Ok(ApplicationType::Native),
        Some(_) => Err(MetadataFault::Unsupported("application_type")),
        None if redirect_uris.iter().all(|uri| uri.as_str().starts_with("https:")) => {
            Ok(ApplicationType::Web)
        }
        None => Ok(ApplicationType::Native),
    }
}

/// Keys are read from every client that gives some, and kept of those that sign with them.
fn proof(document: &Document) -> Result<Proof, MetadataFault> {
    let inline = match document.member("jwks") {
        Some(keys @ Value::Object(_)) => {
            Some(JwkSet::parse(keys.to_string().as_bytes()).map_err(|_| MetadataFault::Keys)?)
        }
        Some(_) => return Err(MetadataFault::Type("jwks")),
        None => None,
    };
    let url = document.owned_text("jwks_uri")?;
    let keys = match (inline, url) {
        (Some(_), Some(_)) => return Err(MetadataFault::TwoKeySets),
        (Some(keys), None) => Some(ClientKeys::Inline(keys)),
        (None, Some(url)) => Some(ClientKeys::Url(url)),
        (None, None) => None,
    };
    match document.text("token_endpoint_auth_method")? {
        Some("none") => Ok(Proof::None),
        Some("client_secret_basic") | None => Ok(Proof::Secret(SecretMethod::Basic)),
        Some("client_secret_post") => Ok(Proof::Secret(SecretMethod::Post)),
        Some("private_key_jwt") => keys.map(Proof::PrivateKeyJwt).ok_or(MetadataFault::NoKeys),
        Some(_) => Err(MetadataFault::Unsupported("token_endpoint_auth_method")),
    }
}

fn metadata(document: &Document) -> Result<ClientMetadata, MetadataFault> {
    let texts = |name| -> Result<Vec<String>, MetadataFault> {
        let texts = document.texts(name)?.unwrap_or_default();
        Ok(texts.into_iter().map(String::from).collect())
    };
    Ok(ClientMetadata {
        profile: match document.text("profile")? {
            None | Some("standard") => SecurityProfile::Standard,
            Some("fapi2") => SecurityProfile::Fapi2,
            Some(_) => return Err(MetadataFault::Unsupported("profile")),
        },
        // Only the operator makes a client's rules laxer.
        refresh_token_grace_seconds: 0,
        launch_uri: document.owned_text("launch_uri")?,
        application_type: None,
        token_endpoint_auth_method: None,
        dpop_bound_access_tokens: document.flag("dpop_bound_access_tokens")?,
        id_token_signed_response_alg: algorithm(document, "id_token_signed_response_alg")?,
        userinfo_signed_response_alg: algorithm(document, "userinfo_signed_response_alg")?,
        token_endpoint_auth_signing_alg: algorithm(document, "token_endpoint_auth_signing_alg")?,
        subject_type: match document.text("subject_type")? {
            None | Some("public") => SubjectType::Public,
            Some("pairwise") => SubjectType::Pairwise,
            Some(_) => return Err(MetadataFault::Unsupported("subject_type")),
        },
        sector_identifier_uri: document.owned_text("sector_identifier_uri")?,
        backchannel_logout_uri: document.owned_text("backchannel_logout_uri")?,
        backchannel_logout_session_required: document.flag("backchannel_logout_session_required")?,
        default_max_age: document.seconds("default_max_age")?,
        require_auth_time: document.flag("require_auth_time")?,
        default_acr_values: texts("default_acr_values")?,
        initiate_login_uri: document.owned_text("initiate_login_uri")?,
        logo_uri: document.owned_text("logo_uri")?,
        client_uri: document.owned_text("client_uri")?,
        policy_uri: document.owned_text("policy_uri")?,
        tos_uri: document.owned_text("tos_uri")?,
        contacts: texts("contacts")?,
        software_id: document.owned_text("software_id")?,
        software_version: document.owned_text("software_version")?,
    })
}

fn algorithm(document: &Document, name: &'static str) -> Result<Option<SignatureAlgorithm>, MetadataFault> {
    let Some(text) = document.text(name)? else {
        return Ok(None);
    };
    SignatureAlgorithm::from_name(text)
        .map(Some)
        .ok_or(MetadataFault::Unsupported(name))
}

#[cfg(test)]
mod tests;
