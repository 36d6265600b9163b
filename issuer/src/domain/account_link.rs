//! A link by which a person sets their password without knowing one.

use wardgate_shared::time::Timestamp;

use super::digest::SecretDigest;

/// How many links for a new password somebody who forgot theirs is sent in an hour.
pub const RESETS_PER_HOUR: u32 = 5;
/// How long the link of the first administrator may be used, in seconds: whoever reads it sits at the machine.
pub const FIRST_ADMINISTRATOR_SECONDS: i64 = 86_400;

/// What it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkPurpose {
    /// An account was made for somebody.
    Invitation,
    /// Somebody forgot their password, or an administrator thinks so.
    Reset,
    /// `wardgate init` made the first administrator.
    FirstAdministrator,
}

impl LinkPurpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Invitation, Self::Reset, Self::FirstAdministrator];

    /// The name in the store and in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::FirstAdministrator => "first_administrator",
        }
    }

    /// The purpose of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// A link. The token in it is a secret, of which only the digest is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLink {
    /// The digest of its token.
    pub digest: SecretDigest,
    /// Whose password it sets.
    pub user_id: String,
    /// What it was made for.
    pub purpose: LinkPurpose,
    /// The address it was made for.
    pub email: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::LinkPurpose;

    #[test]
    fn every_purpose_is_found_by_its_name() {
        for purpose in LinkPurpose::ALL {
            assert_eq!(LinkPurpose::from_name(purpose.as_str()), Some(purpose));
        }
        assert_eq!(LinkPurpose::from_name("Reset"), None);
    }
}
