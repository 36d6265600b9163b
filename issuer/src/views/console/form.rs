//! A form of the console: what its fields hold, and what is wrong with them.

use std::collections::BTreeMap;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name; empty for the form as a whole.
    pub field: String,
    /// What is wrong.
    pub text: String,
}

impl FieldFault {
    /// What the forms for accounts, roles and organizations call the field; none for a field of another form.
    pub fn label(&self) -> Option<&'static str> {
        match self.field.as_str() {
            "email" => Some("E-mail address"),
            "name" => Some("Name"),
            "userType" => Some("Type"),
            "roleId" => Some("Role"),
            "organizationId" => Some("Organization"),
            "fhirUser" => Some("FHIR resource"),
            "practitionerId" => Some("Practitioner"),
            "scope" => Some("Scopes"),
            "secondFactor" => Some("Second factor"),
            _ => None,
        }
    }
}

/// One of the values that a field offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub words: String,
}

impl Choice {
    /// A value that is called `words`.
    pub fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            words: words.into(),
        }
    }
}

/// A form as it is shown: at first, or again with what is wrong.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    /// Ties the form to session and page; empty for one that only asks.
    pub token: String,
    /// What is wrong.
    pub faults: Vec<FieldFault>,
    values: BTreeMap<String, Vec<String>>,
}

impl FormState {
    /// An empty form with this token.
    pub fn new(token: String) -> Self {
        Self {
            token,
            ..Self::default()
        }
    }

    /// With this value in a field, after those that it has.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.entry(name.into()).or_default().push(value.into());
        self
    }

    /// With these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<FieldFault>) -> Self {
        self.faults = faults;
        self
    }

    /// The value of a field; empty when it has none.
    pub fn value(&self, name: &str) -> &str {
        self.values
            .get(name)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }

    /// Whether this value of a field is ticked.
    pub fn holds(&self, name: &str, value: &str) -> bool {
        self.values
            .get(name)
            .is_some_and(|values| values.iter().any(|own| own == value))
    }

    /// Whether anything is wrong.
    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Whether something is wrong with a field.
    pub fn is_faulty(&self, name: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == name)
    }

    /// What is wrong with a field.
    pub fn fault(&self, name: &str) -> &str {
        self.faults
            .iter()
            .find(|fault| fault.field == name)
            .map_or("", |fault| &fault.text)
    }
}
