//! The issuers whose tokens are accepted, each by the APIs that name it.

use super::members::Members;
use super::values::{Faults, Values, objects};
use super::variables;

/// What stands in the place of an address where API keys are not taken.
const NO_API_KEYS: &str = "none";

/// An issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Its URL as `iss` has to say it, character by character.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_url: String,
    /// Where its SMART configuration is.
    pub smart_configuration_url: String,
    /// What the addresses of its status lists begin with; ends with a slash.
    pub status_lists: String,
    /// Where it exchanges API keys for tokens: its token endpoint. None where keys are not taken.
    pub api_keys_url: Option<String>,
}

impl TrustedIssuer {
    fn read(mut members: Members, faults: &mut Faults) -> Self {
        let issuer = members.url("issuer", faults);
        let jwks_url = if members.has("jwks_url") {
            members.url("jwks_url", faults)
        } else {
            well_known(&issuer, "jwks.json")
        };
        let mut status_lists = if members.has("status_lists") {
            members.url("status_lists", faults)
        } else {
            issuer.clone()
        };
        if !status_lists.ends_with('/') {
            status_lists.push('/');
        }
        let api_keys_url = (members.has("api_keys_url") && !members.is("api_keys_url", NO_API_KEYS))
            .then(|| members.url("api_keys_url", faults));
        members.refuse_the_rest(faults);
        Self {
            api_keys_url,
            status_lists,
            smart_configuration_url: well_known(&issuer, "smart-configuration"),
            issuer,
            jwks_url,
        }
    }
}

impl TrustedIssuer {
    /// Whether a status list at this address may be fetched: it lies below the issuer's own, and no program can read the address in
    /// another way.
    pub fn publishes_status_list(&self, uri: &str) -> bool {
        uri.starts_with(&self.status_lists) && super::url::check(uri).is_ok()
    }
}

/// The issuer of the flat variables, when it is described, and those of the list.
pub(super) fn read(values: &Values, faults: &mut Faults) -> Vec<TrustedIssuer> {
    let listed = objects(values, variables::ISSUERS, faults);
    let is_set = |variable: variables::Variable| values.contains_key(variable.name);
    let mut issuers = Vec::new();
    if is_set(variables::ISSUER) || is_set(variables::UPSTREAM) || listed.is_none() {
        let mut members = Members::of_variables(
            values,
            &[
                ("issuer", variables::ISSUER),
                ("api_keys_url", variables::API_KEYS_URL),
            ],
        );
        if is_set(variables::JWKS_URL) {
            members = Members::of_variables(
                values,
                &[
                    ("issuer", variables::ISSUER),
                    ("jwks_url", variables::JWKS_URL),
                    ("api_keys_url", variables::API_KEYS_URL),
                ],
            );
        }
        issuers.push(TrustedIssuer::read(members, faults));
    } else {
        for variable in [variables::JWKS_URL, variables::API_KEYS_URL] {
            if is_set(variable) {
                faults.add(variable.name, "needs WARDGATE_ISSUER, which is not set");
            }
        }
    }
    for members in listed.unwrap_or_default() {
        let place = members.place("issuer");
        let issuer = TrustedIssuer::read(members, faults);
        if !issuer.issuer.is_empty() && issuers.iter().any(|other| other.issuer == issuer.issuer) {
            faults.add(&place, "is trusted already");
        }
        issuers.push(issuer);
    }
    if issuers.is_empty() {
        faults.add(variables::ISSUERS.name, "must name an issuer");
    }
    issuers
}

/// `{issuer}/.well-known/{name}`: after the whole of the issuer's URL, as OpenID Connect Discovery and SMART want it.
fn well_known(issuer: &str, name: &str) -> String {
    format!(
        "{}/.well-known/{name}",
        issuer.strip_suffix('/').unwrap_or(issuer)
    )
}
