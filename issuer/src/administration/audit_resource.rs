//! A line of the audit trail as a FHIR R4 AuditEvent.
//!
//! People and clients are named by their identifiers here; they need not be FHIR resources. Types are DICOM's (PS3.16, context group 400),
//! as the resource's binding wants; the subtype is the action's own name.

use serde_json::{Map, Value, json};

use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
use crate::domain::audit_search::RecordedEvent;
use crate::domain::instant;

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";

/// The AuditEvent of a line. `issuer` is the issuer's URL, which stands as the observer.
pub fn audit_event_resource(recorded: &RecordedEvent, issuer: &str) -> Value {
    let event = &recorded.event;
    let (code, display) = kind(event.action);
    let mut resource = json!({
        "resourceType": "AuditEvent",
        "id": recorded.id.to_string(),
        "type": { "system": DICOM, "code": code, "display": display },
        "subtype": [{ "system": format!("{issuer}/audit-actions"), "code": event.action.as_str() }],
        "action": letter(event.action),
        "recorded": instant::rfc3339(event.at),
        "outcome": match event.outcome {
            AuditOutcome::Success => "0",
            AuditOutcome::Failure => "4",
        },
        "agent": agents(event),
        "source": { "observer": { "display": issuer } },
    });
    if let Some(members) = resource.as_object_mut() {
        if let Some(reason) = &event.reason {
            members.insert("outcomeDesc".into(), Value::from(reason.as_ref()));
        }
        let entities = entities(recorded);
        if !entities.is_empty() {
            members.insert("entity".into(), Value::Array(entities));
        }
    }
    resource
}

/// DICOM's code for what happened, and its name.
const fn kind(action: AuditAction) -> (&'static str, &'static str) {
    match action {
        AuditAction::PatientSearch | AuditAction::ContextChoice => ("110112", "Query"),
        AuditAction::Replay | AuditAction::OutsideChange => ("110113", "Security Alert"),
        AuditAction::RoleCreation | AuditAction::RoleChange | AuditAction::RoleDeletion => {
            ("110136", "Security Roles Changed")
        }
        AuditAction::UserCreation
        | AuditAction::UserChange
        | AuditAction::UserDeactivation
        | AuditAction::UserReactivation
        | AuditAction::Invitation
        | AuditAction::PasswordResetRequest
        | AuditAction::PasswordChange
        | AuditAction::FactorCode
        | AuditAction::FactorEnrolment
        | AuditAction::FactorChange
        | AuditAction::FactorRemoval
        | AuditAction::FactorReset
        | AuditAction::RecoveryCodes
        | AuditAction::DeviceRemoval
        | AuditAction::SsoLink => ("110137", "User Security Attributes Changed"),
        AuditAction::ClientRegistration
        | AuditAction::ClientUpdate
        | AuditAction::ClientDeletion
        | AuditAction::ClientSecretRotation
        | AuditAction::ApiKeyCreation
        | AuditAction::ApiKeyRotation
        | AuditAction::ApiKeyRevocation
        | AuditAction::RegistrationTokenCreation
        | AuditAction::RegistrationTokenRevocation
        | AuditAction::OrganizationCreation
        | AuditAction::OrganizationChange
        | AuditAction::OrganizationDeletion
        | AuditAction::Administration
        | AuditAction::KeyRotation
        | AuditAction::KeyRevocation
        | AuditAction::MasterKeyRotation
        | AuditAction::Denial
        | AuditAction::SsoConnectionCreation
        | AuditAction::SsoConnectionChange
        | AuditAction::SsoConnectionDeletion
        | AuditAction::SsoDomainChange => ("110129", "Security Configuration"),
        AuditAction::AuditRetention
        | AuditAction::Upkeep
        | AuditAction::Backup
        | AuditAction::Restoration => ("110100", "Application Activity"),
        AuditAction::SignIn
        | AuditAction::SignOut
        | AuditAction::SessionRevocation
        | AuditAction::BackchannelLogout
        | AuditAction::Consent
        | AuditAction::ConsentWithdrawal
        | AuditAction::Authorization
        | AuditAction::PushedAuthorization
        | AuditAction::DeviceAuthorization
        | AuditAction::Launch
        | AuditAction::TokenRequest
        | AuditAction::TokenRevocation
        | AuditAction::TokenIntrospection
        | AuditAction::SecondFactor
        | AuditAction::Message => ("110114", "User Authentication"),
    }
}

/// FHIR's letter for what was done: by the end of the action's name.
fn letter(action: AuditAction) -> &'static str {
    let name = action.as_str();
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    if ends(&["_creation", "_registration", "_enrolment"]) {
        "C"
    } else if ends(&["_change", "_update", "_rotation", "_reset"]) {
        "U"
    } else if ends(&["_deletion", "_removal", "_revocation"]) {
        "D"
    } else if ends(&["_search"]) {
        "R"
    } else {
        "E"
    }
}

/// Who did it: the person or the client that asked, from where; a resource has one at least.
fn agents(event: &AuditEvent) -> Vec<Value> {
    let mut agents = Vec::new();
    let mut network = event
        .ip_address
        .map(|address| json!({ "address": address.to_string(), "type": "2" }));
    let mut add = |who: Value, kind: Option<(&str, &str)>| {
        let mut agent = Map::new();
        if let Some((code, display)) = kind {
            let coding = json!([{ "system": DICOM, "code": code, "display": display }]);
            agent.insert("type".into(), json!({ "coding": coding }));
        }
        agent.insert("who".into(), who);
        // Whoever is named first asked.
        agent.insert("requestor".into(), Value::Bool(agents.is_empty()));
        if let Some(network) = network.take() {
            agent.insert("network".into(), network);
        }
        agents.push(Value::Object(agent));
    };
    if let Some(person) = event.actor_id.as_ref().or(event.user_id.as_ref()) {
        add(named(person), None);
    }
    if let Some(client_id) = &event.client_id {
        add(named(client_id), Some(("110150", "Application")));
    }
    if agents.is_empty() {
        let mut add_unknown = |display: &str| {
            let mut agent = json!({ "who": { "display": display }, "requestor": true });
            if let (Some(network), Some(members)) = (network.take(), agent.as_object_mut()) {
                members.insert("network".into(), network);
            }
            agents.push(agent);
        };
        match event.method.as_deref() {
            Some("cli") => add_unknown("operator"),
            Some(_) | None => add_unknown("not known"),
        }
    }
    agents
}

/// What it was about: the person, where another one did it; the thing; and what was changed.
fn entities(recorded: &RecordedEvent) -> Vec<Value> {
    let event = &recorded.event;
    let mut entities = Vec::new();
    if let (Some(_), Some(user_id)) = (&event.actor_id, &event.user_id) {
        entities.push(json!({
            "what": named(user_id),
            "type": { "system": ENTITY_TYPE, "code": "1", "display": "Person" },
        }));
    }
    let mut details = Vec::new();
    for (name, value) in [
        ("changes", recorded.changes.as_ref().map(ToString::to_string)),
        ("method", event.method.as_deref().map(String::from)),
        ("digest", recorded.digest.map(|digest| digest.to_string())),
    ] {
        if let Some(value) = value {
            details.push(json!({ "type": name, "valueString": value }));
        }
    }
    if event.object_id.is_some() || !details.is_empty() {
        let mut entity = Map::new();
        if let Some(object_id) = &event.object_id {
            entity.insert("what".into(), named(object_id));
        }
        let kind = json!({ "system": ENTITY_TYPE, "code": "2", "display": "System Object" });
        entity.insert("type".into(), kind);
        if !details.is_empty() {
            entity.insert("detail".into(), Value::Array(details));
        }
        entities.push(Value::Object(entity));
    }
    entities
}

fn named(id: &str) -> Value {
    json!({ "identifier": { "value": id } })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use serde_json::json;

    use super::audit_event_resource;
    use crate::domain::audit_chain::AuditDigest;
    use crate::domain::audit_event::{AuditAction, AuditEvent, AuditOutcome};
    use crate::domain::audit_search::RecordedEvent;
    use crate::testing::START;

    fn recorded(event: AuditEvent) -> RecordedEvent {
        RecordedEvent {
            id: 7,
            event,
            changes: None,
            digest: None,
        }
    }

    #[test]
    fn a_change_by_an_administrator_names_both_people_and_what_was_changed() {
        let event = AuditEvent::new(START, AuditAction::UserChange, AuditOutcome::Success)
            .with_user("user-1")
            .with_actor(Some("admin-1".into()))
            .with_client("portal")
            .with_ip_address(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)))
            .with_method("api");
        let recorded = RecordedEvent {
            changes: Some(json!([{"kind": "user"}])),
            digest: Some(AuditDigest::from_bytes([0; 32])),
            ..recorded(event)
        };
        let resource = audit_event_resource(&recorded, "https://id.example.org");
        assert_eq!(resource["action"], "U");
        assert_eq!(resource["outcome"], "0");
        assert_eq!(resource["recorded"], "2027-01-15T08:00:00Z");
        assert_eq!(resource["agent"][0]["who"]["identifier"]["value"], "admin-1");
        assert_eq!(resource["agent"][0]["network"]["address"], "127.0.0.1");
        assert_eq!(resource["agent"][1]["who"]["identifier"]["value"], "portal");
        assert_eq!(resource["agent"][1]["requestor"], false);
        assert_eq!(resource["entity"][0]["what"]["identifier"]["value"], "user-1");
        assert_eq!(
            resource["entity"][1]["detail"][0]["valueString"],
            "[{\"kind\":\"user\"}]"
        );
    }

    #[test]
    fn what_nobody_is_known_to_have_done_has_an_agent_too() {
        let event = AuditEvent::new(START, AuditAction::SignIn, AuditOutcome::Failure)
            .with_reason("unknown_user")
            .with_ip_address(Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let resource = audit_event_resource(&recorded(event), "https://id.example.org");
        assert_eq!(resource["outcome"], "4");
        assert_eq!(resource["outcomeDesc"], "unknown_user");
        assert_eq!(
            resource["agent"],
            json!([{
                "who": {"display": "not known"}, "requestor": true, "network": {"address": "127.0.0.1", "type": "2"},
            }])
        );
        assert!(resource.get("entity").is_none());
    }
}
