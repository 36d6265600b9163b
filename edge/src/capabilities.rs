//! The FHIR server's CapabilityStatement, with the addresses of the issuer written into it (SMART App Launch 1.0 "Using
//! CapabilityStatement", SMART-06, SMART-07).
//!
//! Clients of SMART App Launch 1.0 look for the authorization server there, and must find the addresses that the SMART
//! configuration gives. So they are taken from that document: what it leaves out is left out here, and whatever the FHIR
//! server says of an authorization server of its own is replaced. Its own base, in `implementation`, gives way to the one
//! that clients reach. Everything else passes byte for byte.
//!
//! Trusted on entry: the issuer's document. Not trusted: the statement, which may be anything. Left out on purpose: a
//! statement in XML, which passes as it is.

use wardgate_shared::json::Members;

/// The largest statement that is read, in bytes. Those of servers that know every resource type and its search parameters
/// have about 1 MB.
pub const MAXIMUM_STATEMENT_BYTES: u32 = 4 * 1024 * 1024;

const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
const SECURITY_SERVICE: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";
const SMART_ON_FHIR: &str = "SMART-on-FHIR";

/// The parts of the extension, and the members of a SMART configuration that they repeat.
const ADDRESSES: [(&str, &str); 6] = [
    ("authorize", "authorization_endpoint"),
    ("token", "token_endpoint"),
    ("introspect", "introspection_endpoint"),
    ("manage", "management_endpoint"),
    ("register", "registration_endpoint"),
    ("revoke", "revocation_endpoint"),
];

/// The extension that names the issuer's addresses, in JSON.
#[derive(Debug, Default)]
pub struct SmartEndpoints(Option<String>);

impl SmartEndpoints {
    /// The addresses in the issuer's SMART configuration; none when it has none.
    pub fn of_document(document: &str) -> Self {
        let Some(document) = Members::of(document) else {
            return Self::default();
        };
        let named: Vec<String> = ADDRESSES
            .iter()
            .filter_map(|(name, member)| {
                // A text in JSON is a text in JSON here as well.
                let address = document.get(member).filter(|value| value.starts_with('"'))?;
                Some(format!(r#"{{"url":"{name}","valueUri":{address}}}"#))
            })
            .collect();
        if named.is_empty() {
            return Self::default();
        }
        let named = named.join(",");
        Self(Some(format!(r#"{{"url":"{OAUTH_URIS}","extension":[{named}]}}"#)))
    }
}

/// The statement with the issuer's addresses, or `None` when `statement` is no CapabilityStatement in JSON, such as the
/// TerminologyCapabilities of the same address: that passes unchanged. `upstream` and `resource` are the bases of the
/// FHIR server and of this Worker.
pub fn with_security(
    statement: &[u8],
    endpoints: &SmartEndpoints,
    upstream: &str,
    resource: &str,
) -> Option<String> {
    let mut document = Members::of(std::str::from_utf8(statement).ok()?)?;
    if document.text("resourceType")? != "CapabilityStatement" {
        return None;
    }
    let implementation = document
        .get("implementation")
        .and_then(|implementation| relocated(implementation, upstream, resource));
    if let Some(implementation) = implementation {
        document.set("implementation", implementation);
    }
    let rest = match document.get("rest") {
        Some(_) => document.items("rest")?,
        None => Vec::new(),
    };
    let rest = secured_rest(&rest, endpoints)?;
    document.set_items("rest", &rest);
    document.into_json()
}

/// `implementation` with the base that clients reach in the place of the FHIR server's own.
fn relocated(implementation: &str, upstream: &str, resource: &str) -> Option<String> {
    let mut members = Members::of(implementation)?;
    let url = members.text("url")?;
    let below = url.strip_prefix(upstream)?;
    if !(below.is_empty() || below.starts_with('/')) {
        return None;
    }
    let moved = serde_json::to_string(&format!("{resource}{below}")).ok()?;
    members.set("url", moved);
    members.into_json()
}

/// Every part of `rest` that describes the server, secured; one of its own when there is none.
fn secured_rest(rest: &[&str], endpoints: &SmartEndpoints) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut describes_server = false;
    for part in rest {
        let mut members = Members::of(part)?;
        if members.text("mode").as_deref() == Some("server") {
            describes_server = true;
            let security = secured(members.get("security").unwrap_or("{}"), endpoints)?;
            members.set("security", security);
        }
        parts.push(members.into_json()?);
    }
    if !describes_server {
        let security = secured("{}", endpoints)?;
        parts.push(format!(r#"{{"mode":"server","security":{security}}}"#));
    }
    Some(parts)
}

/// `security` with the issuer's addresses, and the service's code beside them.
fn secured(security: &str, endpoints: &SmartEndpoints) -> Option<String> {
    let mut members = Members::of(security)?;
    let list = |name| -> Vec<String> {
        let items = members.items(name).unwrap_or_default();
        items.into_iter().map(String::from).collect()
    };
    let (mut extensions, mut services) = (list("extension"), list("service"));
    extensions.retain(|extension| !has_text(extension, "url", OAUTH_URIS));
    extensions.extend(endpoints.0.clone());
    if !services.iter().any(|service| is_smart_on_fhir(service)) {
        services.push(format!(
            r#"{{"coding":[{{"system":"{SECURITY_SERVICE}","code":"{SMART_ON_FHIR}"}}]}}"#
        ));
    }
    members.set_items("extension", &extensions);
    members.set_items("service", &services);
    members.into_json()
}

fn is_smart_on_fhir(service: &str) -> bool {
    Members::of(service).is_some_and(|service| {
        let codings = service.items("coding").unwrap_or_default();
        codings
            .iter()
            .any(|coding| has_text(coding, "code", SMART_ON_FHIR))
    })
}

fn has_text(object: &str, name: &str, text: &str) -> bool {
    Members::of(object).is_some_and(|object| object.text(name).as_deref() == Some(text))
}

#[cfg(test)]
mod tests;
