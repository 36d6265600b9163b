//! The claims about a person, one by one (OpenID Connect Core section 5.1), and requests for some of them (section 5.5).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wardgate_shared::scope::ScopeSet;

use super::user::User;

/// A claim about a person. In the store it goes by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "each is the claim of its name; `words` says what it tells"
)]
pub enum PersonClaim {
    Name,
    GivenName,
    FamilyName,
    MiddleName,
    Nickname,
    PreferredUsername,
    Profile,
    Picture,
    Website,
    Gender,
    Birthdate,
    Zoneinfo,
    Locale,
    UpdatedAt,
    Email,
    EmailVerified,
    PhoneNumber,
    PhoneNumberVerified,
    Address,
    #[serde(rename = "fhirUser")]
    FhirUser,
}

impl PersonClaim {
    /// Every claim, in the order in which metadata and pages list them.
    pub const ALL: [Self; 20] = [
        Self::Name,
        Self::GivenName,
        Self::FamilyName,
        Self::MiddleName,
        Self::Nickname,
        Self::PreferredUsername,
        Self::Profile,
        Self::Picture,
        Self::Website,
        Self::Gender,
        Self::Birthdate,
        Self::Zoneinfo,
        Self::Locale,
        Self::UpdatedAt,
        Self::Email,
        Self::EmailVerified,
        Self::PhoneNumber,
        Self::PhoneNumberVerified,
        Self::Address,
        Self::FhirUser,
    ];

    /// The member of ID token and userinfo.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::MiddleName => "middle_name",
            Self::Nickname => "nickname",
            Self::PreferredUsername => "preferred_username",
            Self::Profile => "profile",
            Self::Picture => "picture",
            Self::Website => "website",
            Self::Gender => "gender",
            Self::Birthdate => "birthdate",
            Self::Zoneinfo => "zoneinfo",
            Self::Locale => "locale",
            Self::UpdatedAt => "updated_at",
            Self::Email => "email",
            Self::EmailVerified => "email_verified",
            Self::PhoneNumber => "phone_number",
            Self::PhoneNumberVerified => "phone_number_verified",
            Self::Address => "address",
            Self::FhirUser => "fhirUser",
        }
    }

    /// The claim of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|claim| claim.as_str() == name)
    }

    /// The scope that opens it at userinfo (OpenID Connect Core section 5.4; SMART App Launch "Scopes for requesting
    /// identity data").
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Name
            | Self::GivenName
            | Self::FamilyName
            | Self::MiddleName
            | Self::Nickname
            | Self::PreferredUsername
            | Self::Profile
            | Self::Picture
            | Self::Website
            | Self::Gender
            | Self::Birthdate
            | Self::Zoneinfo
            | Self::Locale
            | Self::UpdatedAt => "profile",
            Self::Email | Self::EmailVerified => "email",
            Self::PhoneNumber | Self::PhoneNumberVerified => "phone",
            Self::Address => "address",
            Self::FhirUser => "fhirUser",
        }
    }

    /// What it tells, as the end of "it can: …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Name => "see your name",
            Self::GivenName => "see your given name",
            Self::FamilyName => "see your family name",
            Self::MiddleName => "see your middle name",
            Self::Nickname => "see your nickname",
            Self::PreferredUsername => "see the user name that you prefer",
            Self::Profile => "see the address of your profile page",
            Self::Picture => "see your picture",
            Self::Website => "see the address of your website",
            Self::Gender => "see your gender",
            Self::Birthdate => "see your date of birth",
            Self::Zoneinfo => "see your time zone",
            Self::Locale => "see your language",
            Self::UpdatedAt => "know when your details were last changed",
            Self::Email => "see your e-mail address",
            Self::EmailVerified => "know whether your e-mail address was checked",
            Self::PhoneNumber => "see your telephone number",
            Self::PhoneNumberVerified => "know whether your telephone number was checked",
            Self::Address => "see your postal address",
            Self::FhirUser => "know which health record entry stands for you",
        }
    }

    /// Its value for `user`, if it is known. `fhir_user` is their FHIR resource as the client is to read it.
    fn value(self, user: &User, fhir_user: Option<&str>) -> Option<Value> {
        let profile = &user.profile;
        let text = |text: &Option<String>| text.clone().map(Value::from);
        match self {
            Self::Name => Some(user.name.clone().into()),
            Self::GivenName => text(&profile.given_name),
            Self::FamilyName => text(&profile.family_name),
            Self::MiddleName => text(&profile.middle_name),
            Self::Nickname => text(&profile.nickname),
            Self::PreferredUsername => text(&profile.preferred_username),
            Self::Profile => text(&profile.profile),
            Self::Picture => text(&profile.picture),
            Self::Website => text(&profile.website),
            Self::Gender => text(&profile.gender),
            Self::Birthdate => text(&profile.birthdate),
            Self::Zoneinfo => text(&profile.zoneinfo),
            Self::Locale => text(&profile.locale),
            Self::UpdatedAt => profile.updated_at.map(Value::from),
            Self::Email => Some(user.email.clone().into()),
            Self::EmailVerified => Some(profile.email_verified.into()),
            Self::PhoneNumber => text(&profile.phone_number),
            Self::PhoneNumberVerified => profile
                .phone_number
                .is_some()
                .then(|| profile.phone_number_verified.into()),
            Self::Address => profile
                .address
                .as_ref()
                .and_then(|address| serde_json::to_value(address).ok()),
            Self::FhirUser => fhir_user.map(Value::from),
        }
    }
}

/// What is known of `user` among the claims that `is_wanted` names. `fhir_user` is their FHIR resource as the client is to
/// read it.
pub fn told(
    user: &User,
    fhir_user: Option<&str>,
    is_wanted: impl Fn(PersonClaim) -> bool,
) -> Map<String, Value> {
    PersonClaim::ALL
        .into_iter()
        .filter(|claim| is_wanted(*claim))
        .filter_map(|claim| Some((claim.as_str().into(), claim.value(user, fhir_user)?)))
        .collect()
}

/// Claims that were asked for one by one, by the answer in which they are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AskedClaims {
    /// At userinfo.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub userinfo: BTreeSet<PersonClaim>,
    /// In the ID token.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub id_token: BTreeSet<PersonClaim>,
}

impl AskedClaims {
    /// Leaves out those that no scope of `scope` opens.
    pub fn keep_within(&mut self, scope: &ScopeSet) {
        self.userinfo.retain(|claim| scope.contains(claim.scope()));
        self.id_token.retain(|claim| scope.contains(claim.scope()));
    }

    /// Those that `scope` does not open anyway: what a person has to be asked about besides the scopes.
    pub fn beyond(&self, scope: &ScopeSet) -> BTreeSet<PersonClaim> {
        self.userinfo
            .union(&self.id_token)
            .copied()
            .filter(|claim| !scope.contains(claim.scope()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_has_one_name_everywhere() {
        for claim in PersonClaim::ALL {
            assert_eq!(PersonClaim::from_name(claim.as_str()), Some(claim));
        }
        let stored = serde_json::to_string(&PersonClaim::PhoneNumberVerified).unwrap();
        assert_eq!(stored, r#""phone_number_verified""#);
    }

    #[test]
    fn what_a_scope_opens_is_not_asked_about_again() {
        let asked = AskedClaims {
            userinfo: [PersonClaim::Name, PersonClaim::Email].into(),
            id_token: [PersonClaim::Email, PersonClaim::Address].into(),
        };
        let scope = ScopeSet::parse("openid email").unwrap();
        assert_eq!(
            asked.beyond(&scope),
            [PersonClaim::Name, PersonClaim::Address].into()
        );
    }

    #[test]
    fn what_no_scope_of_a_client_opens_is_left_out() {
        let mut asked = AskedClaims {
            userinfo: [PersonClaim::Name, PersonClaim::Email].into(),
            id_token: [PersonClaim::FhirUser, PersonClaim::Address].into(),
        };
        asked.keep_within(&ScopeSet::parse("openid email fhirUser").unwrap());
        let kept = AskedClaims {
            userinfo: [PersonClaim::Email].into(),
            id_token: [PersonClaim::FhirUser].into(),
        };
        assert_eq!(asked, kept);
    }
}
