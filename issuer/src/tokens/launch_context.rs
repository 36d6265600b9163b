//! Which clinical context a person's answer to one request has: their own record, what an EHR launch says, or what they
//! have chosen (SMART App Launch 2.2 "Launch context"; SMART-19 to SMART-21).
//!
//! Decided here, where the specification leaves a choice:
//! - What the launch says comes first; then the person's own record; then what they choose.
//! - Health professionals may choose any patient, see [`User::may_choose_patients`]. Nobody else is asked: without a record
//!   of their own, what needs a patient is dropped.
//! - A launch that names a patient counts for health professionals, for that patient, and for the person whom the EHR
//!   names in it. For anybody else it is not theirs, and the request is refused: a launch address can be forwarded.
//! - In a launch with a patient, `launch/patient` and `launch/encounter` are hints and nobody is asked.

use wardgate_shared::claims::LaunchContext;
use wardgate_shared::scope::{Level, ResourceType, Scope, ScopeSet, ScopeToken};

use crate::domain::launch::{Choice, ChosenContext, LaunchParameters, RequestContext};
use crate::domain::user::User;

/// A context that is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownContext {
    /// Patient and encounter.
    pub launch_context: LaunchContext,
    /// What else the launch says.
    pub parameters: LaunchParameters,
    /// Whether an EHR launch came with the request.
    pub launched: bool,
}

/// How far the context of a request is settled for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextState {
    /// Wholly.
    Known(KnownContext),
    /// They have to choose a patient.
    PatientWanted,
    /// They have to choose an encounter of this patient.
    EncounterWanted {
        /// The patient's id.
        patient_id: String,
    },
    /// The launch is for somebody else.
    NotTheirs,
}

impl KnownContext {
    /// The context of a person to whom nothing was launched and who chooses nothing.
    pub fn own(user: &User) -> Self {
        Self {
            launch_context: user.own_launch_context(),
            ..Self::default()
        }
    }

    /// Whether it has what `scope` asks for, as far as it asks for context at all.
    pub fn satisfies(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Launch => self.launched,
            Scope::LaunchContext {
                resource_type,
                role: None,
            } if *resource_type == ResourceType::PATIENT => self.launch_context.patient_id.is_some(),
            Scope::LaunchContext {
                resource_type,
                role: None,
            } if resource_type.as_str() == "Encounter" => self.launch_context.encounter_id.is_some(),
            Scope::LaunchContext { resource_type, role } => {
                let mut items = self.parameters.fhir_context.iter();
                items.any(|item| item.is_asked_for_by(*resource_type, role.as_deref()))
            }
            Scope::Smart(smart) if smart.level() == Level::Patient => {
                self.launch_context.patient_id.is_some()
            }
            Scope::Smart(_)
            | Scope::OpenId
            | Scope::FhirUser
            | Scope::Profile
            | Scope::Email
            | Scope::Address
            | Scope::Phone
            | Scope::OfflineAccess
            | Scope::OnlineAccess
            | Scope::Other(_) => true,
        }
    }
}

/// How far the context of a request for `requested` is settled for `user`. `searchable` says whether there is a FHIR
/// server at which they could choose.
pub fn resolve(
    requested: &ScopeSet,
    context: &RequestContext,
    user: &User,
    searchable: bool,
) -> ContextState {
    let requested = &user.allowed(requested, false);
    let own = user.own_launch_context();
    let mut known = KnownContext::default();
    if let Some(launched) = &context.launched {
        let is_theirs = launched.patient_id.is_none()
            || user.may_choose_patients()
            || launched.patient_id == own.patient_id
            || launched.user_id.as_ref() == Some(&user.id);
        if !is_theirs {
            return ContextState::NotTheirs;
        }
        known.launched = true;
        known.parameters.clone_from(&launched.parameters);
        known.launch_context = LaunchContext {
            patient_id: launched.patient_id.clone(),
            encounter_id: launched.encounter_id.clone(),
        };
        if launched.patient_id.is_some() {
            return ContextState::Known(known);
        }
    }
    let chosen = context.chosen.as_ref().filter(|chosen| chosen.user_id == user.id);
    known.launch_context.patient_id = match own.patient_id {
        Some(own) => Some(own),
        None if !(searchable && user.may_choose_patients()) => None,
        None => match chosen.and_then(|chosen| chosen.patient.as_ref()) {
            Some(choice) => choice.id().map(String::from),
            None if requested.iter().any(wants_patient) => {
                return ContextState::PatientWanted;
            }
            None => None,
        },
    };
    if let Some(patient_id) = &known.launch_context.patient_id
        && searchable
        && requested.contains("launch/encounter")
    {
        match encounter(chosen) {
            Some(choice) => known.launch_context.encounter_id = choice.id().map(String::from),
            None => {
                return ContextState::EncounterWanted {
                    patient_id: patient_id.clone(),
                };
            }
        }
    }
    ContextState::Known(known)
}

fn encounter(chosen: Option<&ChosenContext>) -> Option<&Choice> {
    chosen?.encounter.as_ref()
}

/// Whether a scope makes no sense without a patient. An encounter is one of a patient's.
fn wants_patient(token: &ScopeToken) -> bool {
    match Scope::parse(token) {
        Ok(Scope::Smart(smart)) => smart.level() == Level::Patient,
        Ok(Scope::LaunchContext {
            resource_type,
            role: None,
        }) => matches!(resource_type.as_str(), "Patient" | "Encounter"),
        Ok(_) | Err(_) => false,
    }
}
