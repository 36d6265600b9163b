//! Which FHIR operations (`$name`) may be called, and with which permissions.
//!
//! SMART defines no permission for operations, and a server's operations can do anything. So none is permitted unless
//! the operator lists it, with the permissions it is worth.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::interaction::OperationTarget;
use super::path::is_operation_name;
use super::permissions::Permissions;
use super::smart::ResourceSelector;

/// The operations an operator has listed. The default lists none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operations {
    rules: Vec<OperationRule>,
}

/// One listed operation: `$everything` on a Patient needs `rs` on all types, for instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRule {
    name: Box<str>,
    on: OperationLevel,
    needs: Permissions,
    touches: Touches,
}

/// Where an operation may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationLevel {
    /// On the FHIR base: `$name`.
    System,
    /// On a type: `[type]/$name`.
    Type(ResourceSelector),
    /// On one resource: `[type]/[id]/$name`.
    Instance(ResourceSelector),
}

/// Which types an operation reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// The type it is called on. On the FHIR base this means all types.
    ItsOwnType,
    /// Any type, so a scope for `*` is needed.
    AllTypes,
}

/// Why an operation cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperationRuleError {
    /// The name is not one: a letter, then letters, digits, `-` and `_`, at most 64; without the `$`.
    #[error("an operation's name is a letter followed by letters, digits, '-' and '_', without the '$'")]
    InvalidName,
    /// No permission is asked for: the operation would be open to every token.
    #[error("an operation must need at least one permission")]
    NoPermission,
}

impl OperationRule {
    /// Lists an operation by its name without the `$`, where it may be called, the permissions it needs, and on which
    /// types it needs them.
    ///
    /// # Errors
    /// [`OperationRuleError`].
    pub fn new(
        name: &str,
        on: OperationLevel,
        needs: Permissions,
        touches: Touches,
    ) -> Result<Self, OperationRuleError> {
        if !is_operation_name(name) {
            return Err(OperationRuleError::InvalidName);
        }
        if needs.is_empty() {
            return Err(OperationRuleError::NoPermission);
        }
        Ok(Self {
            name: name.to_owned().into_boxed_str(),
            on,
            needs,
            touches,
        })
    }

    fn matches(&self, name: &str, target: OperationTarget<'_>) -> bool {
        let called = match (self.on, target) {
            (OperationLevel::System, OperationTarget::System) => true,
            (OperationLevel::Type(listed), OperationTarget::Type(called))
            | (OperationLevel::Instance(listed), OperationTarget::Instance(called, _)) => {
                listed.covers(ResourceSelector::Type(called))
            }
            (OperationLevel::System | OperationLevel::Type(_) | OperationLevel::Instance(_), _) => false,
        };
        called && *self.name == *name
    }

    fn types(&self, target: OperationTarget<'_>) -> ResourceSelector {
        match (self.touches, target) {
            (Touches::AllTypes, _) | (Touches::ItsOwnType, OperationTarget::System) => ResourceSelector::Any,
            (Touches::ItsOwnType, OperationTarget::Type(called) | OperationTarget::Instance(called, _)) => {
                ResourceSelector::Type(called)
            }
        }
    }
}

impl Operations {
    /// No operation at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// What an operation needs where it is called; `None` if it is not listed. When several rules match, the first
    /// counts.
    pub(super) fn needs(
        &self,
        name: &str,
        target: OperationTarget<'_>,
    ) -> Option<(ResourceSelector, Permissions)> {
        let rule = self.rules.iter().find(|rule| rule.matches(name, target))?;
        Some((rule.types(target), rule.needs))
    }
}

impl FromIterator<OperationRule> for Operations {
    fn from_iter<I: IntoIterator<Item = OperationRule>>(rules: I) -> Self {
        Self {
            rules: rules.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::resource_type::ResourceType;

    #[test]
    fn refuses_names_with_a_dollar_and_operations_for_free() {
        for name in ["", "$everything", "every thing", "every/thing", "1st", "a.b"] {
            let rule = OperationRule::new(name, OperationLevel::System, Permissions::READ, Touches::AllTypes);
            assert_eq!(rule, Err(OperationRuleError::InvalidName), "{name}");
        }
        let free = OperationRule::new(
            "export",
            OperationLevel::System,
            Permissions::NONE,
            Touches::AllTypes,
        );
        assert_eq!(free, Err(OperationRuleError::NoPermission));
    }

    #[test]
    fn finds_an_operation_by_name_and_place_only() {
        let patient = ResourceType::PATIENT;
        let on = OperationLevel::Instance(ResourceSelector::Type(patient));
        let rule =
            OperationRule::new("everything", on, Permissions::READ_AND_SEARCH, Touches::AllTypes).unwrap();
        let operations: Operations = [rule].into_iter().collect();
        let group = ResourceType::from_name("Group").unwrap();
        let found = operations.needs("everything", OperationTarget::Instance(patient, "1"));
        assert_eq!(found, Some((ResourceSelector::Any, Permissions::READ_AND_SEARCH)));
        for target in [
            OperationTarget::System,
            OperationTarget::Type(patient),
            OperationTarget::Instance(group, "1"),
        ] {
            assert_eq!(operations.needs("everything", target), None, "{target:?}");
        }
        assert_eq!(
            operations.needs("Everything", OperationTarget::Instance(patient, "1")),
            None
        );
    }

    #[test]
    fn own_type_of_the_base_means_all_types() {
        let rule = OperationRule::new(
            "export",
            OperationLevel::System,
            Permissions::READ,
            Touches::ItsOwnType,
        )
        .unwrap();
        let operations: Operations = [rule].into_iter().collect();
        let found = operations.needs("export", OperationTarget::System);
        assert_eq!(found, Some((ResourceSelector::Any, Permissions::READ)));
    }
}
