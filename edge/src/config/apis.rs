//! The APIs that are guarded, each with a prefix, a server behind it, and who may use it.

use super::issuers::TrustedIssuer;
use super::limits::{self, DEFAULT_LIMIT, LimitPolicy};
use super::members::Members;
use super::rules::Rules;
use super::url;
use super::values::{Faults, Values, objects};
use super::variables::{self, Variable};
use crate::routes;
use wardgate_shared::claims::ACCESS_TOKEN_TYPE;

/// A guarded API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Its name: lower case letters, digits and hyphens. It is the realm in challenges, and stands in the log.
    pub name: String,
    /// Its path here: begins with a slash, ends without one, never empty.
    pub prefix: String,
    /// Base URL of the server behind, without a slash at the end.
    pub upstream: String,
    /// What decides whether a token permits a request.
    pub kind: ApiKind,
    /// The issuers that it trusts, by `iss`; at least one. The first one's SMART configuration is shown.
    pub issuers: Vec<String>,
    /// Accepted audiences; at least one.
    pub audiences: Vec<String>,
    /// Accepted values of `typ`; at least one.
    pub token_types: Vec<String>,
    /// The limits it is held to, by name.
    pub limits: Vec<String>,
    /// How long the server may take until its answer begins, in milliseconds.
    pub upstream_timeout_milliseconds: u32,
    /// Who holds `patient/` scopes to the patient's compartment.
    pub patient_compartment: PatientCompartment,
    /// The protected resource's identifier (RFC 9728 section 1.2): the API's base as clients know it.
    pub resource: String,
    /// Where the protected resource's metadata is (RFC 9728 section 3.1): the well-known part stands between host and
    /// path.
    pub resource_metadata_url: String,
}

/// What decides whether a token permits a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// The SMART scopes of the token ([`wardgate_shared::scope`]).
    Fhir,
    /// Rules of its own.
    Plain(Rules),
}

/// Who holds requests that `patient/` scopes alone permit to the compartment of the patient in context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatientCompartment {
    /// This Worker ([`crate::compartment`]).
    Enforced,
    /// The server behind, which is told the patient.
    Server,
}

/// What an API is read against.
pub(super) struct Context<'a> {
    pub(super) issuers: &'a [TrustedIssuer],
    pub(super) limits: &'a [LimitPolicy],
    pub(super) public_url: &'a str,
    pub(super) upstream_timeout_milliseconds: u32,
}

/// The variables that describe one FHIR API; `name`, `kind` and `issuers` follow from that.
const FLAT: [(&str, Variable); 5] = [
    ("audiences", variables::AUDIENCES),
    ("upstream", variables::UPSTREAM),
    ("prefix", variables::PREFIX),
    ("limits", variables::LIMITED_BY),
    ("patient_compartment", variables::PATIENT_COMPARTMENT),
];

/// The API of the flat variables, when it is described, and those of the list; the longest prefix comes first.
pub(super) fn read(values: &Values, context: &Context<'_>, faults: &mut Faults) -> Vec<Api> {
    let listed = objects(values, variables::APIS, faults);
    let mut apis: Vec<Api> = Vec::new();
    if values.contains_key(variables::UPSTREAM.name) || listed.is_none() {
        let members = Members::of_variables(values, &FLAT)
            .with("name", "fhir".into())
            .with("kind", "fhir".into());
        // The issuer of the variables is the first one.
        apis.push(Api::read(members, context, context.issuers.first(), faults));
    } else {
        for (_, variable) in FLAT {
            if values.contains_key(variable.name) {
                faults.add(variable.name, "needs WARDGATE_UPSTREAM, which is not set");
            }
        }
    }
    let only_issuer = context.issuers.first().filter(|_| context.issuers.len() == 1);
    for members in listed.unwrap_or_default() {
        let (name, prefix) = (members.place("name"), members.place("prefix"));
        let api = Api::read(members, context, only_issuer, faults);
        // What is empty has its fault already.
        if apis
            .iter()
            .any(|other| other.name == api.name && !api.name.is_empty())
        {
            faults.add(&name, "is the name of another API");
        }
        if apis
            .iter()
            .any(|other| other.prefix == api.prefix && !api.prefix.is_empty())
        {
            faults.add(&prefix, "is the prefix of another API");
        }
        let shorter = |other: &Api| other.prefix.len() < api.prefix.len();
        let position = apis.iter().position(shorter).unwrap_or(apis.len());
        apis.insert(position, api);
    }
    if apis.is_empty() {
        faults.add(variables::APIS.name, "must name an API");
    }
    for (index, limit) in context.limits.iter().enumerate() {
        if limit.name != DEFAULT_LIMIT && apis.iter().all(|api| !api.limits.contains(&limit.name)) {
            faults.add(
                &format!("{}[{index}]", variables::LIMITS.name),
                "is named by no API",
            );
        }
    }
    apis
}

impl Api {
    /// Reads an API that trusts `default_issuer` when it does not say whom.
    fn read(
        mut members: Members,
        context: &Context<'_>,
        default_issuer: Option<&TrustedIssuer>,
        faults: &mut Faults,
    ) -> Self {
        let name = limits::name(&mut members, faults);
        let audiences = members.some_words("audiences", None, faults);
        let upstream = members.url("upstream", faults);
        let upstream = upstream.strip_suffix('/').unwrap_or(&upstream).to_owned();
        let prefix = prefix(&mut members, faults);
        let mut patient_compartment = PatientCompartment::Enforced;
        let kind = if members.choice("kind", &["fhir", "plain"], 0, faults) == 0 {
            if members.choice("patient_compartment", &["enforced", "server"], 0, faults) == 1 {
                patient_compartment = PatientCompartment::Server;
            }
            ApiKind::Fhir
        } else {
            ApiKind::Plain(Rules::read(&mut members, faults))
        };
        let default_issuer = default_issuer.map(|issuer| issuer.issuer.as_str());
        let issuers = members.some_words("issuers", default_issuer, faults);
        if issuers
            .iter()
            .any(|name| context.issuers.iter().all(|issuer| issuer.issuer != *name))
        {
            members.fault("issuers", "must be issuers that are trusted", faults);
        }
        let token_types = members.some_words("token_types", Some(ACCESS_TOKEN_TYPE), faults);
        let limits = if members.has("limits") {
            limit_names(&mut members, context, faults)
        } else {
            vec![DEFAULT_LIMIT.to_owned()]
        };
        let patience = Some(context.upstream_timeout_milliseconds);
        let upstream_timeout_milliseconds = members.number(
            "upstream_timeout_milliseconds",
            variables::UPSTREAM_TIMEOUT,
            patience,
            faults,
        );
        members.refuse_the_rest(faults);
        let public_url = context.public_url;
        Self {
            resource: format!("{public_url}{prefix}"),
            resource_metadata_url: format!("{public_url}{}{prefix}", routes::PROTECTED_RESOURCE),
            name,
            prefix,
            upstream,
            kind,
            issuers,
            audiences,
            token_types,
            limits,
            upstream_timeout_milliseconds,
            patient_compartment,
        }
    }

    /// Whether this is a FHIR API.
    pub const fn is_fhir(&self) -> bool {
        matches!(self.kind, ApiKind::Fhir)
    }
}

fn prefix(members: &mut Members, faults: &mut Faults) -> String {
    let text = members.checked("prefix", url::check_path, faults);
    let prefix = text.strip_suffix('/').unwrap_or(&text);
    if prefix.is_empty() && !text.is_empty() {
        members.fault("prefix", "must name a path below '/'", faults);
    }
    if prefix == routes::HEALTH || prefix.starts_with("/.well-known") {
        let problem = "must not hide the health check or the well-known documents";
        members.fault("prefix", problem, faults);
    }
    prefix.to_owned()
}

/// The member `limits`: names of limits. The variable says `none` for an empty list.
fn limit_names(members: &mut Members, context: &Context<'_>, faults: &mut Faults) -> Vec<String> {
    let mut names = members.words("limits", faults).unwrap_or_default();
    if names == ["none"] {
        names.clear();
    }
    let mut earlier: Vec<&String> = Vec::new();
    for name in &names {
        if context.limits.iter().all(|limit| limit.name != *name) {
            members.fault("limits", "must be names of limits that there are", faults);
        } else if earlier.contains(&name) {
            members.fault("limits", "must not name a limit twice", faults);
        }
        earlier.push(name);
    }
    names
}
