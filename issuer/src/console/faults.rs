//! What the functions of [`crate::administration`] refuse, as a form shows it.

use crate::administration::AdministrationError;
use crate::error::page::PageError;
use crate::views::console::FieldFault;

const TAKEN: &str = "is taken already";

/// What `error` says, beside the fields that it is about.
///
/// # Errors
/// When there is no such thing, or the issuer itself failed.
pub(super) fn of(error: AdministrationError) -> Result<Vec<FieldFault>, PageError> {
    let fault = |field: &str, text: &str| FieldFault {
        field: field.into(),
        text: text.into(),
    };
    let description = error.description();
    match error {
        AdministrationError::Invalid(faults) => Ok(faults
            .iter()
            .map(|wrong| fault(&wrong.field, &wrong.detail))
            .collect()),
        AdministrationError::Taken(field) => Ok(vec![fault(field, TAKEN)]),
        AdministrationError::NotFound => Err(PageError::NotFound),
        AdministrationError::Internal(error) => Err(error.into()),
        AdministrationError::BeyondOwnRole
        | AdministrationError::OwnFactors
        | AdministrationError::LastAdministrator
        | AdministrationError::BuiltIn
        | AdministrationError::ChangedMeanwhile
        | AdministrationError::InUse => Ok(vec![fault("", description)]),
    }
}

/// What a page cannot show: everything but [`AdministrationError::Internal`] is no such page.
pub(super) fn missing(error: AdministrationError) -> PageError {
    match error {
        AdministrationError::Internal(error) => error.into(),
        AdministrationError::Invalid(_)
        | AdministrationError::NotFound
        | AdministrationError::Taken(_)
        | AdministrationError::BeyondOwnRole
        | AdministrationError::OwnFactors
        | AdministrationError::LastAdministrator
        | AdministrationError::BuiltIn
        | AdministrationError::ChangedMeanwhile
        | AdministrationError::InUse => PageError::NotFound,
    }
}
