//! How strongly a person was authenticated, as one value: `acr` (OpenID Connect Core section 2).

use super::session::AuthenticationMethod;

/// A level. A higher one comes with each kind of second factor that people can use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationContext {
    /// By a password over a protected connection.
    Password,
}

impl AuthenticationContext {
    /// Every level, the lowest first.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The value of `acr`: for passwords that of SAML 2.0 "Authentication Context" section 3.4, which is widely understood.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        }
    }

    /// The level of this exact value, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.as_str() == name)
    }

    /// The level that these methods reach together; none when they are no authentication at all.
    pub fn reached_by(methods: &[AuthenticationMethod]) -> Option<Self> {
        methods
            .iter()
            .map(|method| match method {
                AuthenticationMethod::Password => Self::Password,
            })
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_password_and_nothing_is_nothing() {
        let reached = AuthenticationContext::reached_by;
        assert_eq!(
            reached(&[AuthenticationMethod::Password]),
            Some(AuthenticationContext::Password)
        );
        assert_eq!(reached(&[]), None);
    }

    #[test]
    fn values_are_told_apart_to_the_character() {
        for context in AuthenticationContext::ALL {
            assert_eq!(AuthenticationContext::from_name(context.as_str()), Some(context));
            assert_eq!(
                AuthenticationContext::from_name(&context.as_str().to_uppercase()),
                None
            );
        }
    }
}
