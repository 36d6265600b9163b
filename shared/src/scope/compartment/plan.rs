//! What has to be done with a request so that it stays with the patient.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::answer::Expected;
use super::search::{Criterion, check_reading, is_clear};
use super::table::Kind;
use super::{CompartmentError, Patient};
use crate::scope::interaction::{Interaction, OperationTarget};
use crate::scope::request::FhirRequest;
use crate::scope::resource_type::ResourceType;
use crate::scope::smart::ResourceSelector;

/// How a request is held to the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What has to be looked at.
    pub task: Task,
    /// What is added to the search.
    pub criterion: Option<Criterion>,
    /// Whether the server must refuse search parameters that it does not know: what it then counted would be other people's
    /// records.
    pub strict_search: bool,
}

/// What has to be looked at so that a request stays with the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Nothing: it can be about nobody else.
    Nothing,
    /// The answer.
    Answer(Expected),
    /// The resource that is sent, which becomes a new one of this type.
    Create(ResourceType),
    /// The resource that is sent; and, unless it is the patient's own, the one that is there.
    Update(ResourceType, String),
    /// The patch; and, unless it is the patient's own, the resource that is there.
    Patch(ResourceType, String),
    /// The resource that is there.
    Delete(ResourceType, String),
}

impl From<Task> for Plan {
    fn from(task: Task) -> Self {
        Self {
            task,
            criterion: None,
            strict_search: false,
        }
    }
}

impl Patient<'_> {
    /// Says how a request is held to the patient, which scopes of the level `patient` have permitted.
    ///
    /// # Errors
    /// [`CompartmentError`], when it cannot be.
    pub fn plan(&self, request: &FhirRequest<'_>) -> Result<Plan, CompartmentError> {
        match *request.interaction() {
            Interaction::Capabilities => Ok(Task::Nothing.into()),
            Interaction::Read { resource_type, id }
            | Interaction::VersionRead {
                resource_type, id, ..
            } => self.plan_reading(request, resource_type, id, Expected::Resource(resource_type)),
            Interaction::HistoryInstance { resource_type, id } => {
                self.plan_reading(request, resource_type, id, Expected::History(resource_type))
            }
            Interaction::SearchType { resource_type } => {
                self.plan_search(request, ResourceSelector::Type(resource_type), false)
            }
            Interaction::SearchCompartment {
                compartment,
                id,
                resource,
            } => {
                let is_own = compartment == ResourceType::PATIENT && id == self.id;
                self.plan_search(request, resource, is_own)
            }
            Interaction::SearchSystem => self.plan_search(request, ResourceSelector::Any, false),
            Interaction::Create { resource_type } => {
                writable(resource_type)?;
                Ok(Task::Create(resource_type).into())
            }
            Interaction::Update { resource_type, id } => {
                writable(resource_type)?;
                Ok(Task::Update(resource_type, id.to_owned()).into())
            }
            Interaction::Patch { resource_type, id } => {
                writable(resource_type)?;
                Ok(Task::Patch(resource_type, id.to_owned()).into())
            }
            Interaction::Delete { resource_type, id } => {
                writable(resource_type)?;
                Ok(Task::Delete(resource_type, id.to_owned()).into())
            }
            Interaction::ConditionalCreate { resource_type }
            | Interaction::ConditionalUpdate { resource_type }
            | Interaction::ConditionalPatch { resource_type }
            | Interaction::ConditionalDelete { resource_type } => {
                writable(resource_type)?;
                Err(CompartmentError::Conditional)
            }
            Interaction::Operation {
                on: OperationTarget::Instance(ResourceType::PATIENT, id),
                name: "everything",
            } if id == self.id && is_clear(request) => {
                check_reading(request, Kind::Patient)?;
                Ok(Task::Answer(Expected::Found(None)).into())
            }
            Interaction::Operation { .. }
            | Interaction::HistoryType { .. }
            | Interaction::HistorySystem
            | Interaction::DeleteHistory { .. }
            | Interaction::Batch => Err(CompartmentError::Interaction),
        }
    }

    /// The same of the entries of a batch or transaction. Nothing is added to an entry, and nothing is read before it.
    ///
    /// # Errors
    /// The place of the first entry that cannot be held to the patient, counted from 0, and why.
    pub fn plan_together(
        &self,
        requests: &[FhirRequest<'_>],
    ) -> Result<Vec<BatchEntry>, (usize, CompartmentError)> {
        let mut planned: Vec<BatchEntry> = Vec::with_capacity(requests.len());
        for (place, request) in requests.iter().enumerate() {
            let entry = self.plan(request).and_then(BatchEntry::of);
            let entry = entry.map_err(|error| (place, error))?;
            let is_create = |entry: &BatchEntry| matches!(entry, BatchEntry::Create(_));
            if planned
                .iter()
                .any(|earlier| is_create(earlier) != is_create(&entry))
            {
                return Err((place, CompartmentError::Mixed));
            }
            planned.push(entry);
        }
        Ok(planned)
    }

    fn plan_reading(
        &self,
        request: &FhirRequest<'_>,
        resource_type: ResourceType,
        id: &str,
        expected: Expected,
    ) -> Result<Plan, CompartmentError> {
        let kind = Kind::of(resource_type);
        match kind {
            Kind::Other => Err(CompartmentError::Type),
            Kind::Patient if id != self.id => Err(CompartmentError::OtherPatient),
            Kind::Patient | Kind::Shared if request.widening_parameter().is_some() => {
                Err(CompartmentError::Parameter)
            }
            Kind::Patient | Kind::Shared => Ok(Task::Nothing.into()),
            Kind::Member(_) => {
                check_reading(request, kind)?;
                Ok(Task::Answer(expected).into())
            }
        }
    }

    /// `is_own` says that the path confines the search to the compartment of the patient.
    fn plan_search(
        &self,
        request: &FhirRequest<'_>,
        resource: ResourceSelector,
        is_own: bool,
    ) -> Result<Plan, CompartmentError> {
        if !is_clear(request) {
            return Err(CompartmentError::Parameter);
        }
        let (kind, only) = match resource {
            ResourceSelector::Type(resource_type) => (Kind::of(resource_type), Some(resource_type)),
            // Only where the path says whose records they are, or a page is turned of what was found before.
            ResourceSelector::Any => (Kind::Other, None),
        };
        if only.is_some() && matches!(kind, Kind::Other) {
            return Err(CompartmentError::Type);
        }
        let searched = self.search(request, kind)?;
        let reaches_out = request.widening_parameter().is_some();
        if only.is_none() && !is_own && !(searched.turns_pages && reaches_out) {
            return Err(CompartmentError::Interaction);
        }
        if matches!(kind, Kind::Shared) && !reaches_out && !is_own {
            return Ok(Task::Nothing.into());
        }
        // What is included is of any type, and so may be what an earlier search found.
        let only = only.filter(|_| !reaches_out);
        Ok(Plan {
            task: Task::Answer(Expected::Found(only)),
            criterion: searched
                .criterion
                .filter(|_| !is_own || matches!(kind, Kind::Patient)),
            strict_search: searched.counts,
        })
    }
}

/// One entry of a batch or transaction that is held to the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchEntry {
    /// Its answer has to be looked at, if there is something to expect.
    Read(Option<Expected>),
    /// Its resource has to be.
    Create(ResourceType),
}

impl BatchEntry {
    fn of(plan: Plan) -> Result<Self, CompartmentError> {
        match plan.task {
            Task::Nothing => Ok(Self::Read(None)),
            Task::Answer(_) if plan.criterion.is_some() || plan.strict_search => {
                Err(CompartmentError::EntrySearch)
            }
            Task::Answer(expected) => Ok(Self::Read(Some(expected))),
            Task::Create(resource_type) => Ok(Self::Create(resource_type)),
            Task::Update(..) | Task::Patch(..) | Task::Delete(..) => Err(CompartmentError::EntryWrites),
        }
    }
}

/// Refuses types that are not written on behalf of a patient.
fn writable(resource_type: ResourceType) -> Result<(), CompartmentError> {
    match Kind::of(resource_type) {
        Kind::Patient | Kind::Member(_) => Ok(()),
        Kind::Shared => Err(CompartmentError::Shared),
        Kind::Other => Err(CompartmentError::Type),
    }
}

#[cfg(test)]
mod tests;
