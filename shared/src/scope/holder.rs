//! Who holds a token, as far as permission depends on it.

use super::path::is_id;
use super::resource_type::ResourceType;
use super::smart::Level;

/// The types a user can be, by SMART's `fhirUser` claim.
const USER_TYPES: &[&str] = &[
    "Patient",
    "Person",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
];

/// The holder of a verified token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A person, through an app.
    User {
        /// Id of the patient in the token's launch context, without the type.
        patient: Option<&'a str>,
        /// The person's own FHIR resource.
        fhir_user: Option<FhirUser<'a>>,
    },
    /// A client that acts for itself (`client_credentials`): `system/` scopes and no others count.
    Client,
}

/// The FHIR resource of a user on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FhirUser<'a> {
    resource_type: ResourceType,
    id: &'a str,
}

impl<'a> FhirUser<'a> {
    /// Reads the `fhirUser` claim (SMART App Launch 2.2): `Practitioner/123`, or an absolute URL below `fhir_base` (the
    /// base without its final slash). `None` for a resource of another server, for a type no user has and for
    /// anything malformed, a version or a query included.
    pub fn from_claim(claim: &'a str, fhir_base: &str) -> Option<Self> {
        let relative = match claim.strip_prefix(fhir_base) {
            Some(below) if !fhir_base.is_empty() => below.strip_prefix('/')?,
            _ => claim,
        };
        let (name, id) = relative.split_once('/')?;
        let resource_type = ResourceType::from_name(name)?;
        (USER_TYPES.contains(&name) && is_id(id)).then_some(Self { resource_type, id })
    }

    /// The resource's type.
    pub fn resource_type(&self) -> ResourceType {
        self.resource_type
    }

    /// The resource's id.
    pub fn id(&self) -> &'a str {
        self.id
    }
}

impl<'a> Holder<'a> {
    /// The patient in context.
    pub fn patient(&self) -> Option<&'a str> {
        match self {
            Self::User { patient, .. } => *patient,
            Self::Client => None,
        }
    }

    /// The levels whose scopes count for this holder, the wider first.
    pub(super) fn levels(&self) -> &'static [Level] {
        match self {
            Self::User { patient: Some(_), .. } => &[Level::User, Level::Patient],
            Self::User { patient: None, .. } => &[Level::User],
            Self::Client => &[Level::System],
        }
    }

    /// The level that the short form of a scope stands for.
    pub(super) fn own_level(&self) -> Level {
        match self {
            Self::User { patient: Some(_), .. } => Level::Patient,
            Self::User { patient: None, .. } => Level::User,
            Self::Client => Level::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://api.example/fhir";

    #[test]
    fn reads_relative_and_absolute_users() {
        for claim in ["Practitioner/p-1", "https://api.example/fhir/Practitioner/p-1"] {
            let user = FhirUser::from_claim(claim, BASE).unwrap();
            assert_eq!(
                (user.resource_type().as_str(), user.id()),
                ("Practitioner", "p-1")
            );
        }
        for name in USER_TYPES {
            assert!(
                FhirUser::from_claim(&std::format!("{name}/1"), BASE).is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn refuses_users_of_other_servers_and_malformed_ones() {
        for claim in [
            "https://other.example/fhir/Practitioner/p-1",
            "https://api.example/fhir2/Practitioner/p-1",
            "https://api.example/fhirPractitioner/p-1",
            "https://api.example/fhir//Practitioner/p-1",
            "https://api.example/fhir",
            "/Practitioner/p-1",
            "Practitioner/p-1/",
            "Practitioner/p-1/_history/2",
            "Practitioner/p-1?x=y",
            "Practitioner/",
            "Practitioner",
            "practitioner/p-1",
            "Observation/1",
            "Practitioner/..",
            "",
        ] {
            assert_eq!(FhirUser::from_claim(claim, BASE), None, "{claim}");
        }
        assert_eq!(
            FhirUser::from_claim("https://api.example/fhir/Practitioner/1", ""),
            None
        );
    }
}
