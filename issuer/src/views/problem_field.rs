//! Which field of a form a problem is about (WCAG 2.2, 3.3.1): that one is marked, and no other.

/// A field, or the form as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemField {
    /// No field in particular.
    Form,
    /// The code.
    Code,
    /// The name that a person gives to something.
    Name,
    /// The present password.
    Password,
    /// The new password.
    NewPassword,
    /// Both passwords.
    Passwords,
}

impl ProblemField {
    /// Whether the code is wrong.
    pub fn is_code(&self) -> bool {
        *self == Self::Code
    }

    /// Whether the name is wrong.
    pub fn is_name(&self) -> bool {
        *self == Self::Name
    }

    /// Whether the present password is wrong.
    pub fn is_password(&self) -> bool {
        matches!(self, Self::Password | Self::Passwords)
    }

    /// Whether the new password is wrong.
    pub fn is_new_password(&self) -> bool {
        matches!(self, Self::NewPassword | Self::Passwords)
    }
}
