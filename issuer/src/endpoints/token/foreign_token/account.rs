//! Whom a foreign token is about: an account that is here already. None is ever made.

use serde_json::Value;

use crate::config::{AccountMatch, TrustedIssuer};
use crate::domain::user::{User, normalize_email};
use crate::error::internal::InternalError;
use crate::state::AppState;

use super::{ForeignClaims, ForeignToken, ForeignTokenFault};

/// The active account of the person that `token` is about, found in this way.
///
/// # Errors
/// Inside the `Ok`: [`ForeignTokenFault`]. Outside: what the store could not answer.
pub(in crate::endpoints::token) async fn find(
    state: &AppState,
    token: &ForeignToken<'_>,
    by: AccountMatch,
) -> Result<Result<User, ForeignTokenFault>, InternalError> {
    let subject = token.claims().subject.as_deref();
    let email = match by {
        AccountMatch::Email => verified_email(token.claims()),
        AccountMatch::SubjectEmail => subject.and_then(address).ok_or(ForeignTokenFault::NoEmail),
        AccountMatch::SubjectUserId => {
            let found = state.store().user(subject.unwrap_or_default()).await?;
            return Ok(usable(found, token.issuer));
        }
    };
    let email = match email {
        Ok(email) => email,
        Err(fault) => return Ok(Err(fault)),
    };
    if !is_within_domains(&email, token.issuer) {
        return Ok(Err(ForeignTokenFault::EmailDomain));
    }
    let found = state.store().user_by_email(&email).await?;
    Ok(usable(found, token.issuer))
}

fn usable(found: Option<User>, issuer: &TrustedIssuer) -> Result<User, ForeignTokenFault> {
    let user = found.ok_or(ForeignTokenFault::NoAccount)?;
    if !is_within_domains(&user.email, issuer) {
        return Err(ForeignTokenFault::EmailDomain);
    }
    if user.is_active() {
        Ok(user)
    } else {
        Err(ForeignTokenFault::Deactivated)
    }
}

fn verified_email(claims: &ForeignClaims) -> Result<String, ForeignTokenFault> {
    let email = claims.email.as_deref().and_then(address);
    let email = email.ok_or(ForeignTokenFault::NoEmail)?;
    let is_verified = match &claims.email_verified {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => text == "true",
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => false,
    };
    if is_verified {
        Ok(email)
    } else {
        Err(ForeignTokenFault::EmailNotVerified)
    }
}

/// An address in the form in which addresses are compared. Other letters than ASCII's have no lower case that every program
/// agrees on, so that two people's addresses could become one: such an address finds nobody.
fn address(text: &str) -> Option<String> {
    let email = normalize_email(text);
    let (name, domain) = email.rsplit_once('@')?;
    let is_address = text.is_ascii() && !name.is_empty() && !domain.is_empty();
    is_address.then_some(email)
}

fn is_within_domains(email: &str, issuer: &TrustedIssuer) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    issuer.email_domains.is_empty() || issuer.email_domains.iter().any(|own| own == domain)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_compared_in_lower_case_and_only_in_ascii() {
        assert_eq!(address(" Ada@Example.ORG "), Some("ada@example.org".into()));
        // KELVIN SIGN, whose lower case is an ordinary k.
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "\u{212A}im@example.org",
            "ada@ex\u{e4}mple.org",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
