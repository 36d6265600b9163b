//! A form that an administrator sent.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};

use crate::administration::{Refusal, record_refusal};
use crate::error::page::PageError;
use crate::extract::{Form, Parameters};
use crate::state::AppState;
use crate::views::console::{FieldFault, FormState};

use super::Administrator;

/// The fields of a form that was shown to this administrator, in this session, to lead to this page.
#[derive(Debug)]
pub struct Submission {
    /// Who sent it. They may write.
    pub administrator: Administrator,
    fields: Parameters,
}

impl Submission {
    /// The value of a field, without white space around it; empty when it was left so.
    ///
    /// # Errors
    /// [`PageError::Field`] when there are several.
    pub fn field(&self, name: &str) -> Result<&str, PageError> {
        let value = self.fields.single(name).map_err(|_| PageError::Field)?;
        Ok(value.unwrap_or_default().trim())
    }

    /// The values of a field that may have several.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.all(name)
    }

    /// What came of the change that the form asks for. Where it was refused, that is recorded.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn recorded<T, E: Refusal>(
        &self,
        state: &AppState,
        outcome: Result<T, E>,
    ) -> Result<Result<T, E>, PageError> {
        if let Some(reason) = outcome.as_ref().err().and_then(Refusal::reason) {
            record_refusal(state, &self.administrator.actor, reason).await?;
        }
        Ok(outcome)
    }

    /// Records that the form itself cannot be read.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn record_fault(&self, state: &AppState) -> Result<(), PageError> {
        Ok(record_refusal(state, &self.administrator.actor, "malformed_request").await?)
    }

    /// The form once more, with what was typed into these fields, and what is wrong with it.
    pub fn again(&self, state: &AppState, names: &[&str], faults: Vec<FieldFault>) -> FormState {
        let administrator = &self.administrator;
        let mut form = administrator.form(state, administrator.path());
        for name in names {
            for value in self.fields.all(name) {
                form = form.with(name, value);
            }
        }
        form.with_faults(faults)
    }
}

impl<S> FromRequest<S> for Submission
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let administrator = Administrator::from_request_parts(&mut parts, state)
            .await?
            .writing()?;
        let Form(fields) = Form::from_request(Request::from_parts(parts, body), state).await?;
        let token = fields.single("form_token").map_err(|_| PageError::Field)?;
        if !administrator.has_form(&AppState::from_ref(state), token.unwrap_or_default()) {
            return Err(PageError::StaleForm);
        }
        Ok(Self {
            administrator,
            fields,
        })
    }
}
