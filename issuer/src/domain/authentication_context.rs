//! How strongly a person was authenticated, as one value: `acr` (OpenID Connect Core section 2).

use super::session::AuthenticationMethod;

/// A level; a higher one contains those below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthenticationContext {
    /// By another identity provider, by means that it did not tell.
    Unspecified,
    /// By a password over a protected connection.
    Password,
    /// By two factors of different kinds.
    MultiFactor,
    /// By a passkey, which cannot be used on a page that only looks like ours.
    PhishingResistant,
}

impl AuthenticationContext {
    /// Every level, the lowest first.
    pub const ALL: [Self; 4] = [
        Self::Unspecified,
        Self::Password,
        Self::MultiFactor,
        Self::PhishingResistant,
    ];

    /// The value of `acr`, each of them widely understood: SAML 2.0 "Authentication Context" sections 3.4 and 3.4.25, the
    /// policy of OpenID PAPE 1.0 section 4, and OpenID Connect EAP ACR Values 1.0 section 4.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
            Self::Password => "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            Self::MultiFactor => "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
            Self::PhishingResistant => "phr",
        }
    }

    /// The level of this exact value, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.as_str() == name)
    }

    /// The level that these methods reach together; none when they are no authentication at all.
    pub fn reached_by(methods: &[AuthenticationMethod]) -> Option<Self> {
        let alone = methods.iter().map(|method| match method {
            AuthenticationMethod::Passkey => Self::PhishingResistant,
            AuthenticationMethod::MultiFactorSingleSignOn => Self::MultiFactor,
            AuthenticationMethod::Password
            | AuthenticationMethod::OneTimePassword
            | AuthenticationMethod::Sms
            | AuthenticationMethod::RecoveryCode => Self::Password,
            AuthenticationMethod::SingleSignOn => Self::Unspecified,
        });
        let highest = alone.max()?;
        let is_first = |method: &&AuthenticationMethod| {
            matches!(
                method,
                AuthenticationMethod::Password | AuthenticationMethod::SingleSignOn
            )
        };
        let has_both =
            methods.iter().any(|method| is_first(&method)) && methods.iter().any(|method| !is_first(&method));
        Some(if has_both {
            highest.max(Self::MultiFactor)
        } else {
            highest
        })
    }
}

/// What a request wants of it: `acr_values`, or the claim `acr` (OpenID Connect Core sections 3.1.2.1 and 5.5.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedContext {
    /// One of these levels will do, never none.
    pub any_of: Vec<AuthenticationContext>,
    /// Whether the request is to fail where none can be reached.
    pub essential: bool,
}

impl RequestedContext {
    /// What these values of `acr` want; those that are unknown here are ignored. `None` when nothing is left.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a str>, essential: bool) -> Option<Self> {
        let any_of: Vec<AuthenticationContext> = values
            .into_iter()
            .filter_map(AuthenticationContext::from_name)
            .collect();
        (!any_of.is_empty()).then_some(Self { any_of, essential })
    }

    /// Whether somebody who reached this level is what the request wants.
    pub fn is_met_by(&self, reached: Option<AuthenticationContext>) -> bool {
        reached.is_some_and(|reached| self.any_of.iter().any(|wanted| reached >= *wanted))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::domain::session::authentication_method_references;

    /// By what a sign-in can end: one proof, or a first and a second factor.
    fn sign_ins() -> Vec<Vec<AuthenticationMethod>> {
        use AuthenticationMethod as By;
        let second = [By::OneTimePassword, By::Sms, By::Passkey, By::RecoveryCode];
        let first = [By::Password, By::SingleSignOn, By::MultiFactorSingleSignOn];
        let both = first
            .iter()
            .flat_map(|first| second.iter().map(|second| vec![*first, *second]));
        let alone = first.iter().chain([&By::Passkey]).map(|method| vec![*method]);
        alone.chain(both).collect()
    }

    /// What stands between backticks.
    fn quoted(cell: &str) -> impl Iterator<Item = &str> {
        cell.split('`').skip(1).step_by(2)
    }

    #[test]
    fn the_guides_table_has_every_level_with_every_amr_that_goes_with_it() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openid-connect.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let (_, table) = guide.split_once("| `acr` | `amr` |").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let written: Vec<(&str, BTreeSet<&str>)> = table
            .lines()
            .skip(2)
            .map(|row| {
                let mut cells = row.trim_start_matches('|').split('|');
                let level = quoted(cells.next().unwrap()).next().unwrap();
                (level, quoted(cells.next().unwrap()).collect())
            })
            .collect();
        let happens: Vec<(&str, BTreeSet<&str>)> = AuthenticationContext::ALL
            .into_iter()
            .map(|level| {
                let reaching = sign_ins()
                    .into_iter()
                    .filter(|methods| AuthenticationContext::reached_by(methods) == Some(level));
                let references = reaching.flat_map(|methods| authentication_method_references(&methods));
                (level.as_str(), references.collect())
            })
            .collect();
        assert_eq!(written, happens);
    }

    #[test]
    fn a_password_is_a_password_and_nothing_is_nothing() {
        let reached = AuthenticationContext::reached_by;
        assert_eq!(
            reached(&[AuthenticationMethod::Password]),
            Some(AuthenticationContext::Password)
        );
        assert_eq!(
            reached(&[AuthenticationMethod::SingleSignOn]),
            Some(AuthenticationContext::Unspecified)
        );
        assert_eq!(reached(&[]), None);
    }

    #[test]
    fn two_kinds_are_multi_factor_and_one_kind_twice_is_not() {
        use AuthenticationMethod as By;
        let reached = AuthenticationContext::reached_by;
        for second in [By::OneTimePassword, By::Sms, By::RecoveryCode] {
            for first in [By::Password, By::SingleSignOn] {
                assert_eq!(
                    reached(&[first, second]),
                    Some(AuthenticationContext::MultiFactor),
                    "{first:?} {second:?}"
                );
            }
            assert_eq!(reached(&[second]), Some(AuthenticationContext::Password));
        }
        assert_eq!(
            reached(&[By::Password, By::Password]),
            Some(AuthenticationContext::Password)
        );
        assert_eq!(
            reached(&[By::MultiFactorSingleSignOn]),
            Some(AuthenticationContext::MultiFactor)
        );
        for methods in [&[By::Passkey][..], &[By::Password, By::Passkey]] {
            assert_eq!(reached(methods), Some(AuthenticationContext::PhishingResistant));
        }
    }

    #[test]
    fn a_wish_is_met_by_any_of_its_levels_and_by_what_is_above() {
        let wish = RequestedContext::of(
            ["urn:x", "phr", AuthenticationContext::MultiFactor.as_str()],
            false,
        );
        let wish = wish.unwrap();
        assert!(wish.is_met_by(Some(AuthenticationContext::MultiFactor)));
        assert!(wish.is_met_by(Some(AuthenticationContext::PhishingResistant)));
        assert!(!wish.is_met_by(Some(AuthenticationContext::Password)));
        assert!(!wish.is_met_by(None));
        assert_eq!(RequestedContext::of(["urn:x", "PHR"], true), None);
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
