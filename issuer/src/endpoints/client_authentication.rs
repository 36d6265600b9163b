//! Who calls: client authentication at the token and revocation endpoints (RFC 6749 sections 2.3 and 3.2.1).
//!
//! One step, one outcome: an [`AuthenticatedClient`], which nothing else can make of a client that has to prove who it is.
//! Methods: `client_secret_basic`, `client_secret_post`, `private_key_jwt` (in `assertion`), and `none` for public clients.
//! Exactly one of them may be used. An unknown client gets the same answer as a wrong proof, and with a secret costs the
//! same work.

mod assertion;

use base64ct::{Base64, Encoding};
use http::{HeaderMap, header};
use wardgate_shared::secret::Secret;

use crate::domain::audit_event::AuditEvent;
use crate::domain::client::{Client, ClientAuthentication, GrantType, SecurityProfile};
use crate::domain::digest::SecretDigest;
use crate::error::internal::InternalError;
use crate::extract::Parameters;
use crate::extract::parameters::decode;
use crate::state::AppState;

use assertion::Assertion;
pub use assertion::AssertionFault;

/// The methods by which clients may authenticate in a deployment that is held to `profile`, as metadata lists them.
pub const fn methods(profile: SecurityProfile) -> &'static [&'static str] {
    match profile {
        SecurityProfile::Standard => &METHODS,
        SecurityProfile::Fapi2 => &[PRIVATE_KEY_JWT],
    }
}

/// Names of all methods.
pub const METHODS: [&str; 4] = [BASIC, POST, PRIVATE_KEY_JWT, NONE];
const BASIC: &str = "client_secret_basic";
const POST: &str = "client_secret_post";
const PRIVATE_KEY_JWT: &str = "private_key_jwt";
const NONE: &str = "none";

/// A client that has proved who it is, as far as its kind can.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Client,
    method: &'static str,
}

impl AuthenticatedClient {
    /// The public client that a request is for which names none. Anybody may name a public client, so nothing is proved by it;
    /// none of a client that has to prove who it is, by its registration or its rules.
    pub fn public(state: &AppState, client: Client) -> Option<Self> {
        let may = state
            .rules(&client)
            .accepts_authentication(&client.authentication);
        if client.is_public() && may {
            Some(Self { client, method: NONE })
        } else {
            None
        }
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// How it proved it: one of [`METHODS`].
    pub const fn method(&self) -> &'static str {
        self.method
    }
}

/// Why there is no authenticated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthenticationError {
    /// Two methods at once, or two clients (RFC 6749 section 2.3: one method only).
    SeveralMethods,
    /// Something is repeated.
    Repeated,
    /// Nothing says which client calls.
    NoClient,
    /// `Authorization` is not well-formed Basic.
    Header,
    /// An assertion, and what is wrong with it.
    Assertion(AssertionFault),
    /// The client may not authenticate in the way it is registered for (FAPI 2.0 Security Profile section 5.3.2.1).
    Method,
    /// No such client, a wrong secret, a missing one, or one for a client that has none.
    Refused,
}

impl ClientAuthenticationError {
    /// Whether the request itself is wrong, rather than the proof.
    pub const fn is_malformed_request(self) -> bool {
        match self {
            Self::SeveralMethods | Self::Repeated => true,
            Self::NoClient | Self::Header | Self::Assertion(_) | Self::Method | Self::Refused => false,
        }
    }

    /// The reason for the client's developers.
    pub const fn description(self) -> &'static str {
        match self {
            Self::SeveralMethods => "The client must authenticate by one method only, and as one client",
            Self::Repeated => "A parameter is repeated",
            Self::NoClient => {
                "The client must authenticate, or name itself by client_id if it is a public client"
            }
            Self::Header => "The Authorization header is not HTTP Basic with client_id and client_secret",
            Self::Assertion(fault) => fault.description(),
            Self::Method => "The client is held to FAPI 2.0 and must authenticate by private_key_jwt",
            Self::Refused => "The client is unknown or its secret is wrong",
        }
    }

    /// The reason for the audit trail.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SeveralMethods => "several_client_authentication_methods",
            Self::Repeated => "repeated_parameter",
            Self::NoClient => "no_client_authentication",
            Self::Header => "malformed_authorization_header",
            Self::Assertion(fault) => fault.reason(),
            Self::Method => "client_authentication_method",
            Self::Refused => "client_authentication_failed",
        }
    }
}

/// What a request presents.
enum Presented<'a> {
    Secret(PresentedSecret),
    Assertion(Box<Assertion<'a>>),
}

/// A name and a secret, or a name alone.
struct PresentedSecret {
    method: &'static str,
    /// What the identifier may be: as decoded, and as sent.
    client_ids: Vec<String>,
    /// What the secret may be, in the same way; empty for a public client.
    secrets: Vec<Secret<String>>,
}

/// Authenticates the client of a request.
///
/// # Errors
/// Inside the `Ok`: [`ClientAuthenticationError`]. Outside: what the store could not answer.
pub async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Result<AuthenticatedClient, ClientAuthenticationError>, InternalError> {
    let presented = match present(headers, parameters) {
        Ok(Presented::Secret(presented)) => presented,
        Ok(Presented::Assertion(assertion)) => {
            let outcome = assertion::verify(state, &assertion, state.now()).await?;
            return Ok(outcome
                .map_err(ClientAuthenticationError::Assertion)
                .map(|client| AuthenticatedClient {
                    client,
                    method: PRIVATE_KEY_JWT,
                }));
        }
        Err(error) => return Ok(Err(error)),
    };
    let mut client = None;
    for client_id in &presented.client_ids {
        client = match client {
            None => state.store().client(client_id).await?,
            found => found,
        };
    }
    let proved = prove(client, &presented).ok_or(ClientAuthenticationError::Refused);
    Ok(proved.and_then(|proved| {
        let rules = state.rules(&proved.client);
        if rules.accepts_authentication(&proved.client.authentication) {
            Ok(proved)
        } else {
            Err(ClientAuthenticationError::Method)
        }
    }))
}

/// The public client that holds the refresh token of a request which names no client at all. A public client proves nothing
/// by its name, the token says whose it is, and naming oneself is optional there (RFC 6749 sections 3.2.1 and 6); apps by
/// fhirclient, HL7's own library, do not.
///
/// # Errors
/// What the store could not answer.
pub async fn holder_of_refresh_token(
    state: &AppState,
    parameters: &Parameters,
) -> Result<Option<AuthenticatedClient>, InternalError> {
    let (Ok(Some(grant_type)), Ok(Some(token))) = (
        parameters.single("grant_type"),
        parameters.single("refresh_token"),
    ) else {
        return Ok(None);
    };
    if grant_type != GrantType::RefreshToken.as_str() {
        return Ok(None);
    }
    let store = state.store();
    let Some((_, grant)) = store.refresh_token(&SecretDigest::of(token)).await? else {
        return Ok(None);
    };
    let client = store.client(&grant.client_id).await?;
    Ok(client.and_then(|client| AuthenticatedClient::public(state, client)))
}

/// Which known client a request that failed to authenticate named, and by which method it tried, for the audit trail.
///
/// # Errors
/// What the store could not answer.
pub async fn named_client(
    state: &AppState,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Option<NamedClient>, InternalError> {
    let (client_ids, method) = match present(headers, parameters) {
        Ok(Presented::Secret(presented)) => (presented.client_ids, Some(presented.method)),
        Ok(Presented::Assertion(assertion)) => {
            (vec![assertion.claimed_client_id().into()], Some(PRIVATE_KEY_JWT))
        }
        Err(_) => {
            let client_id = parameters.single("client_id").ok().flatten();
            (client_id.map(String::from).into_iter().collect(), None)
        }
    };
    for client_id in client_ids {
        if state.store().client(&client_id).await?.is_some() {
            return Ok(Some(NamedClient { client_id, method }));
        }
    }
    Ok(None)
}

/// The client that a request claims to come from; nothing is looked up or verified. None when that cannot be read.
pub fn claimed_client(headers: &HeaderMap, parameters: &Parameters) -> Option<ClaimedClient> {
    match present(headers, parameters).ok()? {
        Presented::Secret(presented) => Some(ClaimedClient {
            has_proof: presented.method != NONE,
            client_id: presented.client_ids.into_iter().next()?,
        }),
        Presented::Assertion(assertion) => Some(ClaimedClient {
            has_proof: true,
            client_id: assertion.claimed_client_id().into(),
        }),
    }
}

/// Whom a request claims to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedClient {
    /// The identifier.
    pub client_id: String,
    /// Whether the request has something that is to prove it.
    pub has_proof: bool,
}

/// A client that a request names, with or without proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedClient {
    /// Its identifier.
    pub client_id: String,
    /// One of [`METHODS`], when the request uses one.
    pub method: Option<&'static str>,
}

impl NamedClient {
    /// Adds the client and the method to an audit event.
    #[must_use]
    pub fn name_in(self, event: AuditEvent) -> AuditEvent {
        let event = event.with_client(self.client_id);
        match self.method {
            Some(method) => event.with_method(method),
            None => event,
        }
    }
}

/// Makes an [`AuthenticatedClient`] of a name and a secret, or of a public client's name.
fn prove(client: Option<Client>, presented: &PresentedSecret) -> Option<AuthenticatedClient> {
    // Digests are compared in constant time. Without a client, or without a secret, the comparison is with a digest that
    // no text has as far as anybody knows.
    let expected = match client.as_ref().map(|client| &client.authentication) {
        Some(ClientAuthentication::Secret(digest)) => *digest,
        Some(ClientAuthentication::Public | ClientAuthentication::PrivateKeyJwt { .. }) | None => {
            SecretDigest::from_bytes([0; 32])
        }
    };
    let secret_holds = presented.secrets.iter().fold(false, |holds, secret| {
        holds | (SecretDigest::of(secret.expose()) == expected)
    });
    let client = client?;
    let proved = match client.authentication {
        ClientAuthentication::Public => presented.method == NONE,
        ClientAuthentication::Secret(_) => secret_holds,
        ClientAuthentication::PrivateKeyJwt { .. } => false,
    };
    proved.then_some(AuthenticatedClient {
        client,
        method: presented.method,
    })
}

fn present<'a>(
    headers: &HeaderMap,
    parameters: &'a Parameters,
) -> Result<Presented<'a>, ClientAuthenticationError> {
    let parameter = |name| {
        parameters
            .single(name)
            .map_err(|_| ClientAuthenticationError::Repeated)
    };
    let (client_id, secret) = (parameter("client_id")?, parameter("client_secret")?);
    let (assertion, assertion_type) = (
        parameter("client_assertion")?,
        parameter("client_assertion_type")?,
    );
    let asserts = assertion.is_some() || assertion_type.is_some();
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = authorizations.next();
    if authorizations.next().is_some() {
        return Err(ClientAuthenticationError::SeveralMethods);
    }
    let methods = [authorization.is_some(), secret.is_some(), asserts];
    if methods.into_iter().filter(|used| *used).count() > 1 {
        return Err(ClientAuthenticationError::SeveralMethods);
    }
    if asserts {
        return Assertion::read(assertion_type, assertion, client_id)
            .map(|assertion| Presented::Assertion(Box::new(assertion)))
            .map_err(ClientAuthenticationError::Assertion);
    }
    if let Some(authorization) = authorization {
        let text = authorization
            .to_str()
            .map_err(|_| ClientAuthenticationError::Header)?;
        let basic = read_basic(text).ok_or(ClientAuthenticationError::Header)?;
        return match client_id {
            // Many clients name themselves twice; that is harmless as long as it is the same name.
            Some(named) if basic.client_ids.iter().all(|own| own != named) => {
                Err(ClientAuthenticationError::SeveralMethods)
            }
            Some(_) | None => Ok(Presented::Secret(basic)),
        };
    }
    let client_id = client_id.ok_or(ClientAuthenticationError::NoClient)?;
    Ok(Presented::Secret(PresentedSecret {
        method: if secret.is_some() { POST } else { NONE },
        client_ids: vec![client_id.into()],
        secrets: secret
            .map(|secret| Secret::new(secret.into()))
            .into_iter()
            .collect(),
    }))
}

/// Reads `Basic` (RFC 7617). RFC 6749 section 2.3.1 has identifier and secret form-encoded first; clients that leave this
/// out are common (SMART-29), so both readings are tried.
fn read_basic(header: &str) -> Option<PresentedSecret> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair =
        Secret::new(String::from_utf8(Base64::decode_vec(encoded.trim_start_matches(' ')).ok()?).ok()?);
    let (client_id, secret) = pair.expose().split_once(':')?;
    if client_id.is_empty() || secret.is_empty() {
        return None;
    }
    let readings = |raw: &str| {
        let mut readings: Vec<String> = decode(raw.as_bytes()).into_iter().collect();
        if readings.iter().all(|decoded| decoded != raw) {
            readings.push(raw.into());
        }
        readings
    };
    Some(PresentedSecret {
        method: BASIC,
        client_ids: readings(client_id),
        secrets: readings(secret).into_iter().map(Secret::new).collect(),
    })
}
