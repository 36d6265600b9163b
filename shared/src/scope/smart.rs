//! What a scope means: SMART App Launch v1 and v2, OpenID Connect, and the short forms of this system.
//!
//! | form | meaning |
//! |---|---|
//! | `patient/Observation.read`, `.write`, `.*` | v1: `rs`, `cud`, `cruds` |
//! | `system/Observation.rs?category=laboratory` | v2: letters in the order `cruds`, optionally limited by a search |
//! | `observation.read`, `observation/*.read` | the short form: one type in lower case, at the level of the holder |
//! | `launch`, `launch/patient`, `launch/{type}?role=…` | launch context |
//! | `openid`, `fhirUser`, `profile`, `email`, `address`, `phone` | identity |
//! | `offline_access`, `online_access` | refresh tokens |
//! | anything else | [`Scope::Other`]: kept, and of no effect on FHIR requests |
//!
//! **The short form** names no level. It stands for the level of whoever holds the token ([`Level::Holder`]): the
//! patient in context if the token has one, else the user, and `system` for a client that acts for itself. It takes
//! the words `read`, `write` and `*` only; `observation.rs` is another system's scope. Beware of scopes of other APIs
//! that happen to look like it: `account.read` is a short form, because FHIR has a type `Account`.
//!
//! A token that begins like a SMART scope and is not one (`patient/Observation.sr`, `User/*.read`) is an error, so that
//! an authorization server can say why it grants nothing for it. The URI form (`http://smarthealthit.org/fhir/scopes/…`)
//! is not expanded and counts as [`Scope::Other`].

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use core::fmt;

use super::permissions::{Permissions, PermissionsError};
use super::resource_type::ResourceType;
use super::restriction::{RestrictionError, SearchRestriction};
use super::token::ScopeToken;

/// One scope, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Access to FHIR resources.
    Smart(SmartScope),
    /// `launch`: take the context of the EHR launch.
    Launch,
    /// `launch/{type}`: a resource of this type is wanted as context; `launch/patient` for instance.
    LaunchContext {
        /// The type of the resource in context.
        resource_type: ResourceType,
        /// The value of `?role=` as spelled, where there is one.
        role: Option<Box<str>>,
    },
    /// `openid`: an ID token.
    OpenId,
    /// `fhirUser`: the user's FHIR resource in the ID token, and reading it.
    FhirUser,
    /// `profile` (OpenID Connect Core section 5.4).
    Profile,
    /// `email` (OpenID Connect Core section 5.4).
    Email,
    /// `address` (OpenID Connect Core section 5.4).
    Address,
    /// `phone` (OpenID Connect Core section 5.4).
    Phone,
    /// `offline_access`: a refresh token that outlives the user's session.
    OfflineAccess,
    /// `online_access`: a refresh token that ends with the user's session.
    OnlineAccess,
    /// A scope of somebody else's; it grants nothing here.
    Other(ScopeToken),
}

/// On whose behalf a SMART scope gives access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// `patient/`: the one patient in the token's context.
    Patient,
    /// `user/`: what the user may see.
    User,
    /// `system/`: what the client itself was authorized for.
    System,
    /// The short form's level: patient, user or system, whichever the holder of the token is.
    Holder,
}

/// The types a scope or a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceSelector {
    /// `*`: every type, future ones included.
    Any,
    /// One type.
    Type(ResourceType),
}

/// How a SMART scope was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// v1: `read`, `write` or `*`.
    V1,
    /// v2: letters.
    V2,
    /// The short form with a dot: `observation.read`.
    ShortDotted,
    /// The short form with a slash: `observation/*.read`.
    ShortSlashed,
}

/// A scope on FHIR resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SmartScope {
    level: Level,
    resource: ResourceSelector,
    permissions: Permissions,
    restriction: Option<SearchRestriction>,
    spelling: Spelling,
}

/// Why a token that begins like a SMART scope is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmartScopeError {
    /// The level is spelled with capitals, as in `Patient/Patient.read`.
    #[error("the level of a SMART scope is patient, user or system, in lower case")]
    LevelCase,
    /// There is no `.` after the type, as in `patient/Observation` or `patient/Observation:rs`.
    #[error("a SMART scope must name permissions after a dot")]
    MissingPermissions,
    /// The type is no FHIR resource type in FHIR's spelling, nor `*`.
    #[error("the scope names no FHIR resource type")]
    UnknownResourceType,
    /// The permissions are neither a v1 word nor v2 letters.
    #[error(transparent)]
    Permissions(#[from] PermissionsError),
    /// A v1 word with a query, as in `patient/Observation.read?category=x`.
    #[error("only a scope with permission letters may have a query")]
    QueryAfterWord,
    /// The query does not restrict the scope.
    #[error(transparent)]
    Restriction(#[from] RestrictionError),
    /// The part after `launch/` names no FHIR resource type in lower case.
    #[error("a launch scope names a FHIR resource type in lower case")]
    UnknownLaunchType,
    /// A launch scope's query is not one `role` with a value.
    #[error("a launch scope may carry one role and nothing else")]
    LaunchRole,
}

impl Scope {
    /// Reads the meaning of one scope token.
    ///
    /// # Errors
    /// [`SmartScopeError`] for a token that begins like a SMART or launch scope and is none. It grants nothing; the
    /// specification lets a server ignore it or refuse it.
    pub fn parse(token: &ScopeToken) -> Result<Self, SmartScopeError> {
        let text = token.as_str();
        match text {
            "launch" => return Ok(Self::Launch),
            "openid" => return Ok(Self::OpenId),
            "fhirUser" => return Ok(Self::FhirUser),
            "profile" => return Ok(Self::Profile),
            "email" => return Ok(Self::Email),
            "address" => return Ok(Self::Address),
            "phone" => return Ok(Self::Phone),
            "offline_access" => return Ok(Self::OfflineAccess),
            "online_access" => return Ok(Self::OnlineAccess),
            _ => {}
        }
        if let Some(context) = text.strip_prefix("launch/") {
            return parse_launch_context(context);
        }
        if let Some((head, rest)) = text.split_once('/') {
            if let Some(level) = Level::from_prefix(head) {
                return SmartScope::parse_after_level(level, rest).map(Self::Smart);
            }
            if Level::from_prefix(&head.to_ascii_lowercase()).is_some() {
                return Err(SmartScopeError::LevelCase);
            }
        }
        let short = SmartScope::parse_short(text);
        Ok(short.map_or_else(|| Self::Other(token.clone()), Self::Smart))
    }
}

/// Reads what follows `launch/`.
fn parse_launch_context(text: &str) -> Result<Scope, SmartScopeError> {
    let (name, query) = match text.split_once('?') {
        Some((name, query)) => (name, Some(query)),
        None => (text, None),
    };
    let resource_type = ResourceType::from_lower_case(name).ok_or(SmartScopeError::UnknownLaunchType)?;
    let role = match query.map(|query| query.strip_prefix("role=")) {
        None => None,
        Some(Some(role)) if !role.is_empty() && !role.contains('&') => Some(role.to_owned().into_boxed_str()),
        Some(_) => return Err(SmartScopeError::LaunchRole),
    };
    Ok(Scope::LaunchContext { resource_type, role })
}

impl Level {
    /// The level a scope's first part names.
    fn from_prefix(prefix: &str) -> Option<Self> {
        match prefix {
            "patient" => Some(Self::Patient),
            "user" => Some(Self::User),
            "system" => Some(Self::System),
            _ => None,
        }
    }

    /// The first part of a scope at this level; the short form has none.
    pub const fn as_prefix(self) -> Option<&'static str> {
        match self {
            Self::Patient => Some("patient"),
            Self::User => Some("user"),
            Self::System => Some("system"),
            Self::Holder => None,
        }
    }
}

impl ResourceSelector {
    /// Whether all that `other` selects is selected here.
    pub fn covers(self, other: Self) -> bool {
        match self {
            Self::Any => true,
            Self::Type(_) => self == other,
        }
    }
}

impl fmt::Display for ResourceSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Type(resource_type) => resource_type.fmt(formatter),
        }
    }
}

impl SmartScope {
    /// A v2 scope from its parts, for messages that name the scope a request would need. `None` without a permission
    /// or at [`Level::Holder`], which v2 cannot spell.
    pub fn from_parts(level: Level, resource: ResourceSelector, permissions: Permissions) -> Option<Self> {
        let spellable = level.as_prefix().is_some() && !permissions.is_empty();
        let scope = Self {
            level,
            resource,
            permissions,
            restriction: None,
            spelling: Spelling::V2,
        };
        spellable.then_some(scope)
    }

    /// On whose behalf the scope gives access.
    pub fn level(&self) -> Level {
        self.level
    }

    /// To which types.
    pub fn resource(&self) -> ResourceSelector {
        self.resource
    }

    /// To do what.
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// Limited to which search results; `None` when unlimited.
    pub fn restriction(&self) -> Option<&SearchRestriction> {
        self.restriction.as_ref()
    }

    /// In which syntax it was written.
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// What of `wanted` this scope gives: the shared permissions when level and types are covered and any restriction
    /// of this scope is also one of `wanted`, else none. Levels never imply one another, since what they reach
    /// depends on the patient and the user of the token.
    #[must_use]
    pub fn share_of(&self, wanted: &Self) -> Permissions {
        let restriction_holds = match (&self.restriction, &wanted.restriction) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(narrower)) => own.is_implied_by(narrower),
        };
        if self.level == wanted.level && self.resource.covers(wanted.resource) && restriction_holds {
            self.permissions.intersection(wanted.permissions)
        } else {
            Permissions::NONE
        }
    }

    /// Reads what follows `patient/`, `user/` or `system/`.
    fn parse_after_level(level: Level, text: &str) -> Result<Self, SmartScopeError> {
        // The query comes off first: its values may hold dots.
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let (name, suffix) = path.split_once('.').ok_or(SmartScopeError::MissingPermissions)?;
        let resource = match name {
            "*" => ResourceSelector::Any,
            _ => ResourceType::from_name(name)
                .map(ResourceSelector::Type)
                .ok_or(SmartScopeError::UnknownResourceType)?,
        };
        // Words come before letters: `read` begins like `r`.
        if let Some(permissions) = Permissions::parse_word(suffix) {
            return match query {
                None => Ok(Self {
                    level,
                    resource,
                    permissions,
                    restriction: None,
                    spelling: Spelling::V1,
                }),
                Some(_) => Err(SmartScopeError::QueryAfterWord),
            };
        }
        let permissions = Permissions::parse_letters(suffix)?;
        let restriction = query.map(SearchRestriction::parse).transpose()?;
        Ok(Self {
            level,
            resource,
            permissions,
            restriction,
            spelling: Spelling::V2,
        })
    }

    /// Reads the short form, `{type}.{word}` or `{type}/*.{word}`.
    fn parse_short(text: &str) -> Option<Self> {
        let (head, word) = text.split_once('.')?;
        let (name, spelling) = match head.strip_suffix("/*") {
            Some(name) => (name, Spelling::ShortSlashed),
            None => (head, Spelling::ShortDotted),
        };
        let resource = ResourceSelector::Type(ResourceType::from_lower_case(name)?);
        let permissions = Permissions::parse_word(word)?;
        Some(Self {
            level: Level::Holder,
            resource,
            permissions,
            restriction: None,
            spelling,
        })
    }
}

/// Writes the scope as it was spelled.
impl fmt::Display for SmartScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.level.as_prefix(), self.resource) {
            (Some(prefix), resource) => write!(formatter, "{prefix}/{resource}.")?,
            (None, resource) => {
                write_lower_case(formatter, resource)?;
                formatter.write_str(if self.spelling == Spelling::ShortSlashed {
                    "/*."
                } else {
                    "."
                })?;
            }
        }
        match self.permissions.as_word() {
            Some(word) if self.spelling != Spelling::V2 => formatter.write_str(word)?,
            _ => self.permissions.fmt(formatter)?,
        }
        match &self.restriction {
            Some(restriction) => write!(formatter, "?{}", restriction.as_str()),
            None => Ok(()),
        }
    }
}

/// Writes a type's name in lower case.
fn write_lower_case(formatter: &mut fmt::Formatter<'_>, resource: ResourceSelector) -> fmt::Result {
    use fmt::Write as _;
    match resource {
        ResourceSelector::Any => formatter.write_char('*'),
        ResourceSelector::Type(resource_type) => resource_type
            .as_str()
            .chars()
            .try_for_each(|letter| formatter.write_char(letter.to_ascii_lowercase())),
    }
}

/// Writes the scope as it was spelled.
impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smart(scope) => scope.fmt(formatter),
            Self::Launch => formatter.write_str("launch"),
            Self::LaunchContext { resource_type, role } => {
                formatter.write_str("launch/")?;
                write_lower_case(formatter, ResourceSelector::Type(*resource_type))?;
                role.as_ref()
                    .map_or(Ok(()), |role| write!(formatter, "?role={role}"))
            }
            Self::OpenId => formatter.write_str("openid"),
            Self::FhirUser => formatter.write_str("fhirUser"),
            Self::Profile => formatter.write_str("profile"),
            Self::Email => formatter.write_str("email"),
            Self::Address => formatter.write_str("address"),
            Self::Phone => formatter.write_str("phone"),
            Self::OfflineAccess => formatter.write_str("offline_access"),
            Self::OnlineAccess => formatter.write_str("online_access"),
            Self::Other(token) => token.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests;
