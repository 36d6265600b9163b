//! The compartment of one patient: which requests stay inside it, and whether a resource or an answer does.
//!
//! Governing text: FHIR R4 CompartmentDefinition "patient". What it calls the compartment is read more strictly here: a
//! record belongs to the patient whom it is about, and no other patient is named where the definition looks for one. So
//! an Observation of somebody else that this patient performed is not this patient's.
//!
//! A request becomes a [`Plan`]: what its search has to say in addition, and what has to be looked at before it is sent
//! ([`Task`]) or before its answer is given away ([`Expected`]). Everything that cannot be held to the patient in this way
//! is refused with a reason.
//!
//! Trusted on entry: the id of the patient, which came from a verified token. Not trusted: bodies, of clients and of the
//! server behind. Left out: what a record says beside its references (narrative, contained resources, extensions), which
//! is the record's own.

mod answer;
mod plan;
mod reference;
mod resource;
mod search;
mod table;
mod write;

pub use answer::{AnswerError, Expected};
pub use plan::{BatchEntry, Plan, Task};
pub use search::Criterion;
pub use write::judge_patch;

use table::Kind;

/// The patient to whom requests are held, and the addresses under which their server is known.
#[derive(Debug, Clone, Copy)]
pub struct Patient<'a> {
    id: &'a str,
    bases: [&'a str; 2],
}

impl<'a> Patient<'a> {
    /// The patient of this id. `bases` are the FHIR base as clients know it and the server's own, without a slash at the
    /// end; references that begin with one of them are taken for relative ones.
    pub const fn new(id: &'a str, bases: [&'a str; 2]) -> Self {
        Self { id, bases }
    }

    /// The id.
    pub const fn id(&self) -> &'a str {
        self.id
    }
}

/// Why a request, a resource or an answer is not held to the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompartmentError {
    /// The type is neither in the compartment nor one that holds nobody's records.
    #[error("resources of this type cannot be held to the patient in context")]
    Type,
    /// A type that holds nobody's records is only read.
    #[error("the granted scopes do not cover writing what does not belong to the patient in context")]
    Shared,
    /// The interaction is about more than one patient, or about what cannot be seen.
    #[error("this interaction cannot be held to the patient in context")]
    Interaction,
    /// A search parameter chooses by content of other records, or is not known.
    #[error("a search parameter looks into records that may not belong to the patient in context")]
    Parameter,
    /// A search parameter names somebody else, several, or somebody in a way that cannot be compared.
    #[error("the search must name the patient in context, and nobody else")]
    OtherPatient,
    /// The answer would leave out what shows whose it is.
    #[error("the answer must have the elements that show to whom it belongs")]
    Elements,
    /// An answer in another format than JSON cannot be read.
    #[error("an answer that is held to the patient in context is given in JSON only")]
    Format,
    /// A conditional write chooses what it writes by a search that nobody has seen the answer of.
    #[error("a conditional write cannot be held to the patient in context")]
    Conditional,
    /// The resource that is sent is no JSON object, or not of the type and the id that the URL names.
    #[error("the body must be a resource of the type and the id that the URL names, in JSON")]
    Body,
    /// The resource that is sent does not name the patient, or names another one.
    #[error("the resource must belong to the patient in context, and name no other patient")]
    Resource,
    /// A patch whose effect cannot be told.
    #[error(
        "a patch must be a JSON Patch or a JSON Merge Patch that leaves alone to whom the resource belongs"
    )]
    Patch,
    /// An entry of a batch would need another record to be read before.
    #[error("an entry of a batch must not change what is there, on behalf of a patient")]
    EntryWrites,
    /// A batch both reads and writes, so that its answer could not be withheld without having had effects.
    #[error("a batch on behalf of a patient must either read or create")]
    Mixed,
    /// A search in a batch does not name the patient; nothing can be added to it.
    #[error("a search in a batch must name the patient in context")]
    EntrySearch,
}
