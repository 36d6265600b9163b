//! Requests that `patient/` scopes alone permit, held to the compartment of the patient in context.
//!
//! What has to be looked at is [`wardgate_shared::scope::compartment`]'s to say; here it is looked at as far as the request
//! itself tells, and what remains for the FHIR server's answers is carried along as a [`Confinement`]. An API whose
//! configuration leaves the compartment to the FHIR server has none.
//!
//! Governing text: SMART App Launch 2.2 "Scopes and Launch Context" (patient-specific scopes). Trusted on entry: the claims,
//! which are verified, and the permit. Not trusted: the request, its body and the FHIR server's answers.

use wardgate_shared::claims::AccessClaims;
use wardgate_shared::scope::compartment::{AnswerError, BatchEntry, Expected, Patient, Task, judge_patch};
use wardgate_shared::scope::{CompartmentError, FhirRequest, ResourceType};

use crate::authorize::{Permit, entry_requests, patient_in_context};
use crate::body::{self, Body, Kind};
use crate::config::{Api, Config, PatientCompartment};
use crate::error::Refusal;
use crate::outside::Outside;
use crate::proxy::Forward;
use crate::request::Incoming;
use crate::routes::{Asked, search_by_form};

/// The largest answer that is read to be judged, in bytes: that of a whole page of large records.
pub const MAXIMUM_ANSWER_BYTES: u32 = 4 * 1024 * 1024;

/// What remains to be done so that a request stays with the patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    patient: String,
    bases: [String; 2],
    /// What remains to be looked at.
    pub work: Work,
}

/// What has to be looked at beside the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing more.
    Nothing,
    /// The answer, before it is given away.
    Answer(Expected),
    /// The resource of this type that is there, before it is changed.
    Existing(ResourceType),
}

/// Why an answer, or what is there, is not given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The resource is not there.
    NotThere,
    /// It is there, and is not the patient's. Clients are told the same as of one that is not there.
    NotThePatients,
    /// A search found what is not the patient's.
    Found,
    /// An entry of a batch found nothing, or nothing of the patient's.
    NothingFound,
    /// The answer is not JSON, or not what was asked for.
    Unreadable,
    /// What is there has no version by which it could be held while it is changed.
    NoVersion,
    /// What is there is not of the version that the client names.
    OtherVersion,
}

impl Confinement {
    fn patient(&self) -> Patient<'_> {
        let [own, upstream] = &self.bases;
        Patient::new(&self.patient, [own, upstream])
    }

    /// Judges an answer.
    ///
    /// # Errors
    /// [`Refusal::Withheld`].
    pub fn judge(&self, body: &[u8], expected: &Expected) -> Result<(), Refusal> {
        self.patient().judge(body, expected).map_err(|error| {
            Refusal::Withheld(match (error, expected) {
                (AnswerError::Unreadable, _) => Withheld::Unreadable,
                (AnswerError::NothingFound, _) => Withheld::NothingFound,
                (AnswerError::NotThePatients, Expected::Resource(_) | Expected::History(_)) => {
                    Withheld::NotThePatients
                }
                (AnswerError::NotThePatients, Expected::Found(_) | Expected::Responses(_)) => Withheld::Found,
            })
        })
    }

    /// What remains to be looked at, in a word, for explanations.
    pub const fn name(&self) -> &'static str {
        match self.work {
            Work::Nothing => "request",
            Work::Answer(_) => "answer",
            Work::Existing(_) => "existing",
        }
    }
}

/// A request that is to be held to a patient, and all that decides about it.
#[derive(Clone, Copy, Debug)]
pub struct Confined<'r, 'a> {
    /// The settings.
    pub config: &'a Config,
    /// The API that is addressed.
    pub api: &'a Api,
    /// The verified claims.
    pub claims: &'r AccessClaims,
    /// What permitted it.
    pub permit: &'r Permit,
    /// What is asked.
    pub asked: &'r Asked<'a>,
    /// The request.
    pub request: &'r Incoming<'a>,
    /// What was read of its body before.
    pub body: Option<&'r Body>,
}

/// Holds a request to the patient in context, as far as it can be without the FHIR server, and adds to `forward` what
/// the FHIR server has to be told. `None` for a request that needs none of that.
///
/// # Errors
/// [`Refusal::Compartment`], for an entry of a batch in [`Refusal::Entry`]; [`Refusal::Body`].
pub async fn confine<O: Outside>(
    outside: &O,
    confined: Confined<'_, '_>,
    forward: &mut Forward<'_>,
) -> Result<Option<Confinement>, Refusal> {
    let Confined {
        config,
        api,
        claims,
        permit,
        asked,
        request,
        body,
    } = confined;
    let Asked::Fhir(fhir) = asked else {
        return Ok(None);
    };
    if permit.access_level != "patient" || api.patient_compartment == PatientCompartment::Server {
        return Ok(None);
    }
    let mut confinement = Confinement {
        // The level stands on a patient in context, so there is one.
        patient: patient_in_context(claims).ok_or(Refusal::Internal)?.to_owned(),
        bases: [api.resource.clone(), api.upstream.clone()],
        work: Work::Nothing,
    };
    let patient = confinement.patient();
    let task = match body {
        Some(Body::Entries { entries, bytes }) => by_entries(&patient, &entry_requests(entries)?, bytes)?,
        Some(Body::Form(form)) => {
            let search = search_by_form(api, request, form)?;
            // A client that sent no form has its parameters in the URL, and so are those that are added.
            let has_form = request.headers.get("content-type").is_some();
            planned(&patient, &search, request, has_form, forward)?
        }
        None => planned(&patient, fhir, request, false, forward)?,
    };
    if let Task::Answer(_) = task {
        forward.read_in_json();
    }
    let kind = match task {
        Task::Create(_) | Task::Update(..) => Some(Kind::Resource),
        Task::Patch(..) => Some(Kind::Patch),
        Task::Nothing | Task::Answer(_) | Task::Delete(..) => None,
    };
    let sent = match kind {
        Some(kind) => body::read_as(config, outside, api, kind, &request.headers).await?,
        None => Vec::new(),
    };
    let media_type = body::media_type(&request.headers);
    confinement.work = remaining(&patient, task, &sent, &media_type).map_err(Refusal::Compartment)?;
    Ok(Some(confinement))
}

/// Judges what is sent, and says what remains to be looked at.
fn remaining(
    patient: &Patient<'_>,
    task: Task,
    sent: &[u8],
    media_type: &str,
) -> Result<Work, CompartmentError> {
    let (resource_type, id) = match task {
        Task::Nothing => return Ok(Work::Nothing),
        Task::Answer(expected) => return Ok(Work::Answer(expected)),
        Task::Create(resource_type) => {
            patient.judge_sent(sent, resource_type, None)?;
            return Ok(Work::Nothing);
        }
        Task::Update(resource_type, id) => {
            patient.judge_sent(sent, resource_type, Some(&id))?;
            (resource_type, id)
        }
        Task::Patch(resource_type, id) => {
            judge_patch(sent, media_type, resource_type)?;
            (resource_type, id)
        }
        Task::Delete(resource_type, id) => (resource_type, id),
    };
    // The patient's own resource is known by its id.
    Ok(if resource_type == ResourceType::PATIENT && id == patient.id() {
        Work::Nothing
    } else {
        Work::Existing(resource_type)
    })
}

/// What a single request comes down to; what it has to say in addition is added to `forward`.
fn planned(
    patient: &Patient<'_>,
    fhir: &FhirRequest<'_>,
    request: &Incoming<'_>,
    has_form: bool,
    forward: &mut Forward<'_>,
) -> Result<Task, Refusal> {
    let plan = patient.plan(fhir).map_err(Refusal::Compartment)?;
    if let Some(criterion) = plan.criterion {
        forward.add_criterion(criterion.name, &criterion.value, has_form);
    }
    if plan.strict_search {
        forward.search_strictly(request.headers.get("prefer"));
    }
    Ok(plan.task)
}

/// What a batch or transaction comes down to. What it creates is judged here.
fn by_entries(patient: &Patient<'_>, requests: &[FhirRequest<'_>], bytes: &[u8]) -> Result<Task, Refusal> {
    let in_entry = |(index, error): (usize, CompartmentError)| Refusal::Entry {
        index,
        refusal: Box::new(Refusal::Compartment(error)),
    };
    let planned = patient.plan_together(requests).map_err(in_entry)?;
    let (mut created, mut expected) = (Vec::new(), Vec::new());
    for entry in planned {
        match entry {
            BatchEntry::Create(resource_type) => created.push(resource_type),
            BatchEntry::Read(answer) => expected.push(answer),
        }
    }
    patient.judge_sent_together(bytes, &created).map_err(in_entry)?;
    Ok(if expected.iter().any(Option::is_some) {
        Task::Answer(Expected::Responses(expected))
    } else {
        Task::Nothing
    })
}
