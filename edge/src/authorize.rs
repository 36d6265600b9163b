//! Whether the holder of a token may do what the request asks: denied by default.
//!
//! For a FHIR API SMART scopes decide. The decision is [`wardgate_shared::scope`]'s; here its inputs are gathered from the
//! token and its outcome is turned into what the FHIR server is told, or into a refusal that names the scope that would
//! have been enough. For other APIs the rule that was found for the request decides ([`plain`]).

use wardgate_shared::claims::AccessClaims;
use wardgate_shared::scope::bundle::{EntryError, EntryRequest};
use wardgate_shared::scope::interaction::OperationTarget;
use wardgate_shared::scope::operations::{OperationLevel, Touches};
use wardgate_shared::scope::permits::{Ground, permits, permits_together};
use wardgate_shared::scope::{
    Decision, Denied, FhirRequest, FhirUser, GrantedScopes, Holder, Interaction, Level, OperationRule,
    Operations, Permissions, ResourceSelector, ResourceType, ScopeSet,
};

use crate::authenticate;
use crate::body::Body;
use crate::config::{Api, PatientCompartment};
use crate::error::Refusal;
use crate::headers;
use crate::request::Incoming;
use crate::routes::{Asked, search_by_form};

mod plain;

/// FHIR's operation for all that there is of a patient, without its `$`.
const EVERYTHING: &str = "everything";

/// What an allowed request is to be sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// `patient`, `user`, `system` or `own-resource`: to what the FHIR server has to confine the request. `rule` for an API
    /// that is not FHIR.
    pub access_level: &'static str,
    /// The scopes that allowed it, as a header's value.
    pub authorized_by: String,
    /// Whether the FHIR server must refuse search parameters that it does not know, because a scope depends on one.
    pub strict_search: bool,
}

/// Decides a request to `api`, with what was read of its body, if that matters.
///
/// # Errors
/// [`Refusal::Scope`] or [`Refusal::Rule`]; for an entry of a batch [`Refusal::Entry`]; for a search form what may be said
/// of a query.
pub fn authorize(
    api: &Api,
    holder: &authenticate::Holder,
    asked: &Asked<'_>,
    request: &Incoming<'_>,
    body: Option<&Body>,
) -> Result<Permit, Refusal> {
    let claims = holder.claims();
    match (asked, body) {
        (Asked::Fhir(fhir), None) => by_scopes(api, claims, fhir),
        (Asked::Fhir(_), Some(Body::Form(form))) => {
            by_scopes(api, claims, &search_by_form(api, request, form)?)
        }
        (Asked::Fhir(_), Some(Body::Entries { entries, .. })) => by_entries(&api.resource, claims, entries),
        (Asked::Plain(rule), _) => plain::by_rule(rule, &claims.scope, holder.values()),
    }
}

/// Decides a FHIR request by SMART scopes.
fn by_scopes(api: &Api, claims: &AccessClaims, request: &FhirRequest<'_>) -> Result<Permit, Refusal> {
    // A token without scopes, or with scopes that are none, grants nothing.
    let scopes = ScopeSet::parse(&claims.scope).unwrap_or_default();
    let mut granted = GrantedScopes::compile(&scopes);
    // Operations are denied, but for the one whose answer is judged where the patient's own scopes permit it.
    let mut operations = Operations::none();
    if api.patient_compartment == PatientCompartment::Enforced && asks_for_everything(claims, request) {
        let own: Vec<&str> = claims
            .scope
            .split(' ')
            .filter(|scope| scope.starts_with("patient/"))
            .collect();
        granted = GrantedScopes::compile(&ScopeSet::parse(&own.join(" ")).unwrap_or_default());
        operations = everything();
    }
    match permits(request, &granted, &holder(claims, &api.resource), &operations) {
        Decision::Allow(allowed) => {
            let (access_level, authorized_by) = match allowed.ground {
                Ground::Open => ("open", String::new()),
                Ground::Scopes { level, by } => (level_name(level), by.iter().collect::<Vec<_>>().join(" ")),
                Ground::OwnResource { scope } => ("own-resource", scope.to_owned()),
            };
            let authorized_by = headers::list(&authorized_by);
            Ok(Permit {
                access_level,
                authorized_by,
                strict_search: allowed.strict_search,
            })
        }
        Decision::Deny(denied) => Err(refusal(denied)),
    }
}

/// Whether the request is for everything that there is of the patient in context.
fn asks_for_everything(claims: &AccessClaims, request: &FhirRequest<'_>) -> bool {
    match *request.interaction() {
        Interaction::Operation {
            on: OperationTarget::Instance(ResourceType::PATIENT, id),
            name: EVERYTHING,
        } => !claims.is_client_itself() && patient_in_context(claims) == Some(id),
        _ => false,
    }
}

/// The operation `$everything` of a Patient, which reads and finds whatever there is.
fn everything() -> Operations {
    let on = OperationLevel::Instance(ResourceSelector::Type(ResourceType::PATIENT));
    let rule = OperationRule::new(EVERYTHING, on, Permissions::READ_AND_SEARCH, Touches::AllTypes);
    rule.into_iter().collect()
}

/// Decides a batch or transaction by what its entries ask for: all of them, or none.
fn by_entries(
    base: &str,
    claims: &AccessClaims,
    entries: &[Result<EntryRequest, EntryError>],
) -> Result<Permit, Refusal> {
    let requests = entry_requests(entries)?;
    let scopes = ScopeSet::parse(&claims.scope).unwrap_or_default();
    let granted = GrantedScopes::compile(&scopes);
    match permits_together(&requests, &granted, &holder(claims, base), &Operations::none()) {
        Ok(allowed) => Ok(Permit {
            access_level: allowed.level.map_or("open", level_name),
            authorized_by: headers::list(&allowed.by.join(" ")),
            strict_search: false,
        }),
        Err((index, denied)) => Err(in_entry(index, refusal(denied))),
    }
}

/// What the entries of a batch or transaction ask for.
///
/// # Errors
/// [`Refusal::Entry`], naming the first that could be nobody's.
pub fn entry_requests(entries: &[Result<EntryRequest, EntryError>]) -> Result<Vec<FhirRequest<'_>>, Refusal> {
    let mut requests = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let request = entry.as_ref().map_err(|error| *error);
        match request.and_then(EntryRequest::request) {
            Ok(request) => requests.push(request),
            Err(error) => return Err(in_entry(index, Refusal::EntryRequest(error))),
        }
    }
    Ok(requests)
}

fn in_entry(index: usize, refusal: Refusal) -> Refusal {
    Refusal::Entry {
        index,
        refusal: Box::new(refusal),
    }
}

fn refusal(denied: Denied) -> Refusal {
    Refusal::Scope {
        reason: denied.reason,
        needed: denied.needed.map(|needed| needed.to_string()),
    }
}

/// The patient in context. An id that FHIR does not know (FHIR R4 section 2.24.0.1, `id`) names nobody: no resource can
/// have it, and servers may read more than one id out of it.
pub fn patient_in_context(claims: &AccessClaims) -> Option<&str> {
    let is_id = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    claims.launch_context.patient_id.as_deref().filter(is_id)
}

/// Who holds the token, as far as scopes depend on it.
fn holder<'a>(claims: &'a AccessClaims, base: &str) -> Holder<'a> {
    if claims.is_client_itself() {
        return Holder::Client;
    }
    Holder::User {
        patient: patient_in_context(claims),
        fhir_user: claims
            .fhir_user
            .as_deref()
            .and_then(|claim| FhirUser::from_claim(claim, base)),
    }
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Patient => "patient",
        Level::System => "system",
        // A decision names the level that the short form stood for, so `Holder` is never its ground.
        Level::User | Level::Holder => "user",
    }
}

#[cfg(test)]
mod tests {
    use wardgate_shared::scope::{DenialReason, FhirRequest, RawRequest};

    use super::{Permit, by_scopes};
    use crate::error::Refusal;
    use crate::testing::{claims, config};

    fn decide(
        method: &str,
        path: &str,
        scope: &str,
        change: impl FnOnce(&mut wardgate_shared::claims::AccessClaims),
    ) -> Result<Permit, Refusal> {
        let mut claims = claims();
        claims.scope = scope.into();
        change(&mut claims);
        let request = FhirRequest::parse(&RawRequest::new(method, path)).unwrap();
        by_scopes(&config().apis[0], &claims, &request)
    }

    fn person(claims: &mut wardgate_shared::claims::AccessClaims) {
        claims.subject = "person".into();
    }

    #[test]
    fn a_client_s_own_token_counts_system_scopes() {
        let permit = decide("GET", "/Patient", "system/*.read", |_| {}).unwrap();
        assert_eq!(
            (permit.access_level, permit.authorized_by.as_str()),
            ("system", "system/*.read")
        );
        assert!(decide("GET", "/Patient", "user/*.read", |_| {}).is_err());
    }

    #[test]
    fn a_person_s_token_counts_patient_scopes_with_a_patient_in_context() {
        let with_patient = |claims: &mut wardgate_shared::claims::AccessClaims| {
            person(claims);
            claims.launch_context.patient_id = Some("p-1".into());
        };
        let permit = decide("GET", "/Patient/p-1", "patient/*.rs", with_patient).unwrap();
        assert_eq!(permit.access_level, "patient");
        assert!(decide("GET", "/Patient/p-2", "patient/*.rs", with_patient).is_err());
        assert!(decide("GET", "/Patient/p-1", "patient/*.rs", person).is_err());
    }

    #[test]
    fn a_patient_that_is_no_fhir_id_is_no_patient_in_context() {
        let with_patient = |id: &str| {
            let id = id.to_owned();
            decide("GET", "/Observation", "patient/*.rs", move |claims| {
                person(claims);
                claims.launch_context.patient_id = Some(id);
            })
        };
        for id in ["p-1", "1", "A.b-9", &"a".repeat(64)] {
            assert!(with_patient(id).is_ok(), "{id:?}");
        }
        for id in [
            "",
            " ",
            "*",
            "p_1",
            "p-1,p-2",
            "Patient/p-1",
            "p\u{e9}",
            &"a".repeat(65),
        ] {
            assert!(with_patient(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn fhir_user_opens_the_holder_s_own_resource() {
        let with_user = |claims: &mut wardgate_shared::claims::AccessClaims| {
            person(claims);
            claims.fhir_user = Some("https://edge.example/fhir/Practitioner/9".into());
        };
        let permit = decide("GET", "/Practitioner/9", "openid fhirUser", with_user).unwrap();
        assert_eq!(
            (permit.access_level, permit.authorized_by.as_str()),
            ("own-resource", "fhirUser")
        );
        assert!(decide("GET", "/Practitioner/8", "openid fhirUser", with_user).is_err());
    }

    #[test]
    fn a_refusal_names_the_scope_that_would_do() {
        assert_eq!(
            decide("DELETE", "/Observation/1", "system/*.read", |_| {}),
            Err(Refusal::Scope {
                reason: DenialReason::InsufficientScope,
                needed: Some("system/Observation.d".into())
            })
        );
    }

    #[test]
    fn no_scope_and_malformed_scopes_grant_nothing() {
        for scope in ["", " ", "system/*.read  system/*.write", "openid", "\u{e9}"] {
            assert!(decide("GET", "/Patient", scope, |_| {}).is_err(), "{scope:?}");
        }
    }

    #[test]
    fn everything_of_the_patient_is_for_the_patient_s_own_scopes() {
        let path = "/Patient/p-1/$everything";
        let with_patient = |claims: &mut wardgate_shared::claims::AccessClaims| {
            person(claims);
            claims.launch_context.patient_id = Some("p-1".into());
        };
        for scope in [
            "patient/*.rs",
            "patient/*.cruds user/*.cruds",
            "openid patient/*.read",
        ] {
            let permit = decide("GET", path, scope, with_patient).unwrap();
            assert_eq!(permit.access_level, "patient", "{scope}");
        }
        for (path, scope) in [
            (path, "user/*.cruds"),
            (path, "patient/*.r"),
            (path, "patient/Patient.rs"),
            ("/Patient/p-2/$everything", "patient/*.cruds user/*.cruds"),
            ("/Patient/p-1/$purge", "patient/*.cruds"),
            ("/Patient/$everything", "patient/*.cruds"),
        ] {
            assert!(
                decide("GET", path, scope, with_patient).is_err(),
                "{path} {scope}"
            );
        }
        assert!(decide("GET", path, "patient/*.rs", person).is_err(), "no patient");
        let as_client = |claims: &mut wardgate_shared::claims::AccessClaims| {
            claims.launch_context.patient_id = Some("p-1".into());
        };
        assert!(decide("GET", path, "system/*.rs patient/*.rs", as_client).is_err());
    }

    #[test]
    fn batches_and_operations_are_denied_whatever_the_scope() {
        for (method, path) in [
            ("POST", ""),
            ("POST", "/"),
            ("GET", "/Patient/1/$everything"),
            ("POST", "/$export"),
        ] {
            let refusal = decide(method, path, "system/*.cruds", |_| {}).unwrap_err();
            assert!(
                matches!(refusal, Refusal::Scope { needed: None, .. }),
                "{method} {path}: {refusal:?}"
            );
        }
    }
}
