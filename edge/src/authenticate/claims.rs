//! What a verified token says, for the API it was presented to.
//!
//! A FHIR API takes the claims of RFC 9068 and no less. Other APIs also take tokens of issuers that say the same things
//! otherwise: `azp` for `client_id`, `scp` for `scope`, no `jti`. Their rules may ask for any claim, so all of them are
//! kept.
//!
//! A claim of another type than it has to be refuses the token. Claims on which nothing here depends (`act`, `acr`, `amr`,
//! `auth_time`) are not read.

use serde_json::{Map, Value};
use wardgate_shared::claims::{AccessClaims, LaunchContext, Status, StatusListReference};
use wardgate_shared::jwt::{Audiences, RegisteredClaims};

/// All claims but `exp`, `nbf` and `iat`, as they are.
#[derive(Debug)]
pub(super) struct SignedClaims {
    issuer: String,
    audiences: Audiences,
    values: Map<String, Value>,
}

impl RegisteredClaims for SignedClaims {
    fn of_members(values: Map<String, Value>) -> Option<Self> {
        Some(Self {
            issuer: text_of(values.get("iss"))?,
            audiences: Audiences::of_value(values.get("aud")?)?,
            values,
        })
    }

    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn audiences(&self) -> &Audiences {
        &self.audiences
    }
}

impl SignedClaims {
    /// The claims of RFC 9068; `None` when one is missing or is not what it has to be.
    pub(super) fn of_access_token(mut self) -> Option<AccessClaims> {
        let mut reader = Reader::of(&self.values);
        let (subject, client_id, token_id) = (
            reader.text("sub")?,
            reader.text("client_id")?,
            reader.text("jti")?,
        );
        let scope = reader.text("scope").unwrap_or_default();
        let claims = reader.claims(subject, client_id, token_id, scope)?;
        Some(self.complete(claims))
    }

    /// The same with what other issuers leave out or name otherwise, and all claims.
    pub(super) fn of_any_token(mut self) -> Option<(AccessClaims, Map<String, Value>)> {
        let mut reader = Reader::of(&self.values);
        let client_id = reader.text("client_id").or_else(|| reader.text("azp"));
        let subject = reader.text("sub").or_else(|| client_id.clone())?;
        let token_id = reader.text("jti").unwrap_or_default();
        let scope = match reader.text("scope") {
            Some(scope) => scope,
            None => texts_of(self.values.get("scp")).unwrap_or_default().join(" "),
        };
        let claims = reader.claims(subject, client_id.unwrap_or_default(), token_id, scope)?;
        let claims = self.complete(claims);
        Some((claims, self.values))
    }

    /// With what is moved out of the values.
    fn complete(&mut self, mut claims: AccessClaims) -> AccessClaims {
        claims.issuer = std::mem::take(&mut self.issuer);
        claims.audiences = std::mem::take(&mut self.audiences);
        let confirmation = self.values.get_mut("cnf").map(Value::take);
        claims.confirmation = confirmation.filter(|value| !value.is_null());
        claims
    }
}

/// Reads one member after another, and keeps in mind whether one was of a wrong type.
struct Reader<'a> {
    values: &'a Map<String, Value>,
    is_malformed: bool,
}

impl<'a> Reader<'a> {
    const fn of(values: &'a Map<String, Value>) -> Self {
        Self {
            values,
            is_malformed: false,
        }
    }

    /// A text, if there is one.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        let text = text_of(Some(value));
        self.is_malformed |= text.is_none();
        text
    }

    /// The members of an object; none when it is not there.
    fn object(&mut self, name: &str) -> Option<Self> {
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        let object = value.as_object().map(Self::of);
        self.is_malformed |= object.is_none();
        object
    }

    /// All claims that matter, but those that [`SignedClaims::complete`] moves.
    fn claims(
        mut self,
        subject: String,
        client_id: String,
        token_id: String,
        scope: String,
    ) -> Option<AccessClaims> {
        let mut launch_context = LaunchContext::default();
        if let Some(mut context) = self.object("launch_context") {
            launch_context.patient_id = context.text("patient_id");
            launch_context.encounter_id = context.text("encounter_id");
            self.is_malformed |= context.is_malformed;
        }
        let status = match self.object("status") {
            None => None,
            Some(mut status) => {
                let place = match status.object("status_list") {
                    None => None,
                    Some(mut place) => Some(StatusListReference {
                        index: place.values.get("idx").and_then(Value::as_u64)?,
                        uri: place.text("uri")?,
                    }),
                };
                self.is_malformed |= status.is_malformed;
                Some(Status { status_list: place })
            }
        };
        let claims = AccessClaims {
            issuer: String::new(),
            subject,
            audiences: Audiences::default(),
            token_id,
            client_id,
            scope,
            practitioner_id: self.text("practitioner_id"),
            organization_id: self.text("organization_id"),
            launch_context,
            fhir_user: self.text("fhirUser"),
            confirmation: None,
            actor: None,
            authentication_context: None,
            authentication_methods: Vec::new(),
            authenticated_at: None,
            status,
            api_key_id: self.text("api_key_id"),
        };
        Some(claims).filter(|_| !self.is_malformed)
    }
}

fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// One text, or a list of texts.
fn texts_of(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::Array(items) => items.iter().map(|item| text_of(Some(item))).collect(),
        one => text_of(Some(one)).map(|one| vec![one]),
    }
}
