//! The five permissions of a SMART scope: create, read, update, delete, search.

use core::fmt;

/// A set of the permissions `c`, `r`, `u`, `d`, `s` (SMART App Launch 2.2, "Scopes for requesting FHIR resources").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u8);

/// The letters in the order the specification demands, with their bits.
const LETTERS: [(char, Permissions); 5] = [
    ('c', Permissions::CREATE),
    ('r', Permissions::READ),
    ('u', Permissions::UPDATE),
    ('d', Permissions::DELETE),
    ('s', Permissions::SEARCH),
];

/// Why a text is not a list of permission letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PermissionsError {
    /// No letter at all.
    #[error("a scope must name at least one permission")]
    Empty,
    /// A character other than `c`, `r`, `u`, `d`, `s`.
    #[error("a permission is one of the letters c, r, u, d, s, or one of the words read, write, *")]
    Unknown,
    /// A letter twice.
    #[error("a permission must not be repeated")]
    Repeated,
    /// The letters are not in the order `cruds`.
    #[error("permissions must be in the order c, r, u, d, s")]
    OutOfOrder,
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read one instance, its versions and its history.
    pub const READ: Self = Self(2);
    /// `u`: update and patch.
    pub const UPDATE: Self = Self(4);
    /// `d`: delete.
    pub const DELETE: Self = Self(8);
    /// `s`: search, and the history of a type or of the system.
    pub const SEARCH: Self = Self(16);
    /// `rs`: what v1's `.read` means.
    pub const READ_AND_SEARCH: Self = Self(2 | 16);
    /// `cud`: what v1's `.write` means. Writing never implies reading.
    pub const WRITE: Self = Self(1 | 4 | 8);
    /// `cruds`: what v1's `.*` means.
    pub const ALL: Self = Self(31);

    /// Reads v2 letters: each at most once, in the order `cruds`.
    ///
    /// # Errors
    /// [`PermissionsError`], naming the first fault.
    pub fn parse_letters(text: &str) -> Result<Self, PermissionsError> {
        if text.is_empty() {
            return Err(PermissionsError::Empty);
        }
        let mut found = Self::NONE;
        for letter in text.chars() {
            let (_, bit) = LETTERS
                .iter()
                .find(|(candidate, _)| *candidate == letter)
                .ok_or(PermissionsError::Unknown)?;
            if found.contains(*bit) {
                return Err(PermissionsError::Repeated);
            }
            // Bits grow in the order of the letters, so a smaller bit after a greater one is out of order.
            if found.0 > bit.0 {
                return Err(PermissionsError::OutOfOrder);
            }
            found = found.union(*bit);
        }
        Ok(found)
    }

    /// Reads one of the v1 words `read`, `write`, `*`.
    pub fn parse_word(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::READ_AND_SEARCH),
            "write" => Some(Self::WRITE),
            "*" => Some(Self::ALL),
            _ => None,
        }
    }

    /// The v1 word that means exactly these permissions.
    pub fn as_word(self) -> Option<&'static str> {
        match self {
            Self::READ_AND_SEARCH => Some("read"),
            Self::WRITE => Some("write"),
            Self::ALL => Some("*"),
            _ => None,
        }
    }

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is here but not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is permitted.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The single permissions of this set, in the order `cruds`.
    pub fn iter(self) -> impl Iterator<Item = Self> {
        LETTERS
            .iter()
            .map(|(_, bit)| *bit)
            .filter(move |bit| self.contains(*bit))
    }
}

/// Writes the v2 letters; nothing for no permission.
impl fmt::Display for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        LETTERS
            .iter()
            .filter(|(_, bit)| self.contains(*bit))
            .try_for_each(|(letter, _)| formatter.write_char(*letter))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Permissions({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn reads_and_writes_all_31_orders_of_letters() {
        for bits in 1..=31_u8 {
            let text = Permissions(bits).to_string();
            assert_eq!(Permissions::parse_letters(&text), Ok(Permissions(bits)), "{text}");
        }
    }

    #[test]
    fn refuses_letters_out_of_order_repeated_unknown_or_absent() {
        for (text, error) in [
            ("", PermissionsError::Empty),
            ("sr", PermissionsError::OutOfOrder),
            ("dus", PermissionsError::OutOfOrder),
            ("rc", PermissionsError::OutOfOrder),
            ("rr", PermissionsError::Repeated),
            ("rsr", PermissionsError::Repeated),
            ("rx", PermissionsError::Unknown),
            ("R", PermissionsError::Unknown),
            ("read", PermissionsError::Unknown),
        ] {
            assert_eq!(Permissions::parse_letters(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn words_mean_what_version_2_says_of_them() {
        assert_eq!(Permissions::parse_word("read").unwrap().to_string(), "rs");
        assert_eq!(Permissions::parse_word("write").unwrap().to_string(), "cud");
        assert_eq!(Permissions::parse_word("*").unwrap().to_string(), "cruds");
        assert!(!Permissions::WRITE.contains(Permissions::READ));
        for word in ["Read", "readwrite", "", "rs", "WRITE"] {
            assert_eq!(Permissions::parse_word(word), None, "{word}");
        }
    }
}
