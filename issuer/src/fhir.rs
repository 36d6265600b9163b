//! The FHIR server as the issuer itself asks it: which patients and encounters are there to choose from (FHIR R4 "Search",
//! "read").
//!
//! Asked with an access token of the issuer's own, which it signs for itself: five minutes, two types, reading and
//! searching only. Whatever comes back is text of others: what is shown of it is bounded and escaped, an id is taken only
//! when it is a lawful one, and a resource only when it is the one that was asked for.
//!
//! Left out on purpose: later pages of a search (a person types more letters instead), and writing.

mod summary;

use form_urlencoded::Serializer;
use wardgate_shared::scope::ScopeSet;

use crate::config::Resource;
use crate::error::InternalError;
use crate::outbound::FetchError;
use crate::state::AppState;
use crate::tokens::signed;

pub use summary::Summary;

/// What the issuer's own tokens permit.
const OWN_SCOPE: &str = "system/Patient.rs system/Encounter.rs";
/// The most entries that a search shows.
pub const MAXIMUM_RESULTS: usize = 20;
/// The most words of a name that are searched for.
const MAXIMUM_WORDS: usize = 5;

/// Why there is nothing to choose from.
#[derive(Debug, thiserror::Error)]
pub enum FhirError {
    /// The server gives no answer, or not the one that was asked for. The reason is for the log.
    #[error("{0}")]
    Unavailable(String),
    /// The issuer itself failed.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// What a person looks for. At least one of the texts is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatientQuery {
    /// Parts of the name.
    pub name: String,
    /// The date of birth, or the year, or the month of it.
    pub birthdate: String,
    /// A record number or another identifier, alone or as `system|value`.
    pub identifier: String,
}

impl PatientQuery {
    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.birthdate.is_empty() && self.identifier.is_empty()
    }

    /// Whether the date is one: `2001`, `2001-12` or `2001-12-31`.
    pub fn has_lawful_date(&self) -> bool {
        let mut lengths = [4_usize, 2, 2].into_iter();
        let digits =
            |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        self.birthdate.is_empty()
            || self
                .birthdate
                .split('-')
                .all(|part| lengths.next().is_some_and(|length| digits(part, length)))
    }

    /// The search, as a query string: all words of the name must be found.
    fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for word in self.name.split_whitespace().take(MAXIMUM_WORDS) {
            query.append_pair("name", &escaped(word, &['\\', '$', ',', '|']));
        }
        if !self.birthdate.is_empty() {
            query.append_pair("birthdate", &self.birthdate);
        }
        if !self.identifier.is_empty() {
            query.append_pair("identifier", &escaped(&self.identifier, &['\\', '$', ',']));
        }
        query.append_pair("_count", &MAXIMUM_RESULTS.to_string());
        query.finish()
    }
}

/// A search value in which `special` characters stand for themselves (FHIR R4 section 3.1.1.4.0.1).
fn escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if special.contains(&letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// One FHIR base.
#[derive(Clone, Copy)]
pub struct FhirServer<'a> {
    state: &'a AppState,
    resource: &'a Resource,
    base: &'a str,
}

impl<'a> FhirServer<'a> {
    /// The first of the resources that a request is for at which patients can be looked for.
    pub fn of(state: &'a AppState, audiences: &[String]) -> Option<Self> {
        audiences.iter().find_map(|audience| {
            let resource = state.config().resource(audience)?;
            let base = resource.search_base()?;
            Some(Self {
                state,
                resource,
                base,
            })
        })
    }

    /// Patients that match, at most [`MAXIMUM_RESULTS`].
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn patients(&self, query: &PatientQuery) -> Result<Vec<Summary>, FhirError> {
        let body = self.get(&format!("Patient?{}", query.query())).await?;
        summary::patients(&body.unwrap_or_default()).ok_or_else(|| unexpected("no Bundle"))
    }

    /// The patient of this id, a lawful one; `None` when there is none.
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn patient(&self, id: &str) -> Result<Option<Summary>, FhirError> {
        match self.get(&format!("Patient/{id}")).await? {
            Some(body) => summary::patient(&body, id)
                .map(Some)
                .ok_or_else(|| unexpected("not the Patient that was asked for")),
            None => Ok(None),
        }
    }

    /// Encounters of a patient, at most [`MAXIMUM_RESULTS`].
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn encounters(&self, patient_id: &str) -> Result<Vec<Summary>, FhirError> {
        let query = Serializer::new(String::new())
            .append_pair("patient", patient_id)
            .append_pair("_count", &MAXIMUM_RESULTS.to_string())
            .finish();
        let body = self.get(&format!("Encounter?{query}")).await?;
        summary::encounters(&body.unwrap_or_default(), patient_id).ok_or_else(|| unexpected("no Bundle"))
    }

    /// The encounter of this id, a lawful one, if it is this patient's.
    ///
    /// # Errors
    /// [`FhirError`].
    pub async fn encounter(&self, id: &str, patient_id: &str) -> Result<Option<Summary>, FhirError> {
        let body = self.get(&format!("Encounter/{id}")).await?;
        Ok(body.and_then(|body| summary::encounter(&body, id, patient_id)))
    }

    /// The body of an answer; `None` where there is nothing.
    async fn get(&self, what: &str) -> Result<Option<Vec<u8>>, FhirError> {
        let now = self.state.now();
        let scope = ScopeSet::parse(OWN_SCOPE).map_err(|error| unexpected(&error.to_string()))?;
        let token = signed::own_access_token(self.state, &scope, &self.resource.identifier, now)?;
        let url = format!("{}/{what}", self.base);
        match self.state.outbound().fetch_fhir(&url, &token).await {
            Ok(fetched) => Ok(Some(fetched.body)),
            Err(FetchError::Status(http::StatusCode::NOT_FOUND | http::StatusCode::GONE)) => Ok(None),
            Err(error) => Err(FhirError::Unavailable(error.to_string())),
        }
    }
}

fn unexpected(what: &str) -> FhirError {
    FhirError::Unavailable(format!("the answer is {what}"))
}

#[cfg(test)]
mod tests {
    use super::PatientQuery;

    #[test]
    fn words_of_a_name_must_all_be_found_and_stand_for_themselves() {
        let query = PatientQuery {
            name: " Jane  D,oe|x$y\\z ".into(),
            birthdate: "1980-02".into(),
            identifier: "urn:oid:1|4,2".into(),
        };
        assert_eq!(
            query.query(),
            "name=Jane&name=D%5C%2Coe%5C%7Cx%5C%24y%5C%5Cz&birthdate=1980-02&identifier=urn%3Aoid%3A1%7C4%5C%2C2&_count=20"
        );
    }

    #[test]
    fn a_date_is_a_year_a_month_or_a_day() {
        let is_lawful = |birthdate: &str| {
            let query = PatientQuery {
                birthdate: birthdate.into(),
                ..PatientQuery::default()
            };
            query.has_lawful_date()
        };
        for date in ["", "1980", "1980-02", "1980-02-29"] {
            assert!(is_lawful(date), "{date}");
        }
        for date in [
            "80",
            "1980-2",
            "1980-02-29-01",
            "29.02.1980",
            "ge1980",
            "1980-",
            "1980-02-29T00",
        ] {
            assert!(!is_lawful(date), "{date}");
        }
    }
}
