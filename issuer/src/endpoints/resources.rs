//! Which resources a token is asked for: `resource` (RFC 8707), `audience` (the same under the name other servers use) and
//! SMART's `aud`.

use crate::config::{Config, Resource};
use crate::extract::Parameters;

/// Parameters that may be repeated (RFC 8707 section 2).
pub const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// A request names a resource that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownResource {
    /// By `aud`, which must name a FHIR base (SMART-17).
    #[error("aud names no FHIR base of this server")]
    FhirBase,
    /// By `resource` or `audience`.
    #[error("resource or audience names no resource of this server")]
    Target,
}

/// The identifiers of the resources that a request names, or the default one when it names none.
///
/// # Errors
/// [`UnknownResource`].
pub fn requested(config: &Config, parameters: &Parameters) -> Result<Vec<String>, UnknownResource> {
    let named = named(config, parameters)?;
    Ok(if named.is_empty() {
        vec![config.default_audience().into()]
    } else {
        named
    })
}

/// The resources of `granted` that a token request names, or all of them when it names none (RFC 8707 section 2.2).
///
/// # Errors
/// [`UnknownResource`], also for a resource that was not granted.
pub fn narrowed(
    config: &Config,
    parameters: &Parameters,
    granted: &[String],
) -> Result<Vec<String>, UnknownResource> {
    let named = named(config, parameters)?;
    if named.is_empty() {
        return Ok(granted.to_vec());
    }
    let all_granted = named.iter().all(|name| granted.contains(name));
    if all_granted {
        Ok(named)
    } else {
        Err(UnknownResource::Target)
    }
}

fn named(config: &Config, parameters: &Parameters) -> Result<Vec<String>, UnknownResource> {
    let mut identifiers: Vec<String> = Vec::new();
    let mut add = |resource: &Resource| {
        if !identifiers.contains(&resource.identifier) {
            identifiers.push(resource.identifier.clone());
        }
    };
    for name in parameters.all("aud") {
        add(find(config, name)
            .filter(|resource| resource.fhir)
            .ok_or(UnknownResource::FhirBase)?);
    }
    for name in REPEATABLE.iter().flat_map(|parameter| parameters.all(parameter)) {
        add(find(config, name).ok_or(UnknownResource::Target)?);
    }
    Ok(identifiers)
}

/// The resource that goes by `name`; one slash at the end makes no difference (SMART-17).
pub fn find<'a>(config: &'a Config, name: &str) -> Option<&'a Resource> {
    find_with_name(config, name).map(|(resource, _)| resource)
}

/// The same, with `name` as the configuration spells it.
pub fn find_with_name<'a>(config: &'a Config, name: &str) -> Option<(&'a Resource, &'a str)> {
    fn without_slash(name: &str) -> &str {
        name.strip_suffix('/').unwrap_or(name)
    }
    config.resources.iter().find_map(|resource| {
        let spelt = resource
            .names()
            .find(|own| without_slash(own) == without_slash(name))?;
        Some((resource, spelt))
    })
}
