//! Tokens in forms, against cross-site request forgery: a keyed digest of who shows the form and what it does.
//!
//! Nothing is stored. The token of a form is HMAC-SHA-256, under the issuer's form key, over the browser's own cookie value
//! and the form's purpose; another site knows neither, and a token does not fit another form.

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::secret::Secret;

/// What a form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormPurpose<'a> {
    /// Signs in. Bound to the sign-in form's own cookie.
    SignIn,
    /// Answers one authorization request. Bound to the session.
    Consent {
        /// The request's identifier, and the clinical context in which the question was put.
        request: &'a str,
    },
    /// Looks for patients and chooses one for one authorization request. Bound to the session.
    SelectPatient {
        /// The request's identifier.
        request: &'a str,
    },
    /// Names a device. Bound to the session.
    DeviceCode,
    /// Answers one device. Bound to the session.
    DeviceConsent {
        /// The letters of its user code.
        user_code: &'a str,
    },
    /// Ends sessions of the person. Bound to the session.
    AccountSessions,
    /// Takes back what apps were given. Bound to the session.
    AccountApps,
    /// Gives a second factor. Bound to the sign-in in progress, or to the session.
    SecondFactor,
    /// Sets up a second factor, or says "not now". Bound as `SecondFactor` is.
    FactorEnrolment,
    /// Manages second factors. Bound to the session.
    AccountFactors,
    /// Has remembered browsers forgotten. Bound to the session.
    AccountDevices,
    /// Asks for a link to set a new password. Bound to the sign-in form's own cookie.
    ForgottenPassword,
    /// Sets a password by a link. Bound to the sign-in form's own cookie.
    NewPassword,
    /// Changes the person's password. Bound to the session.
    AccountPassword,
    /// Changes something on a page of the console. Bound to the session.
    Console {
        /// The path of the page to which the form leads.
        page: &'a str,
    },
    /// Signs out. Bound to the session.
    SignOut,
}

impl<'a> FormPurpose<'a> {
    const fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::SignIn => ("sign-in", ""),
            Self::Consent { request } => ("consent", request),
            Self::SelectPatient { request } => ("select-patient", request),
            Self::DeviceCode => ("device-code", ""),
            Self::DeviceConsent { user_code } => ("device-consent", user_code),
            Self::AccountSessions => ("account-sessions", ""),
            Self::AccountApps => ("account-apps", ""),
            Self::SecondFactor => ("second-factor", ""),
            Self::FactorEnrolment => ("factor-enrolment", ""),
            Self::AccountFactors => ("account-factors", ""),
            Self::AccountDevices => ("account-devices", ""),
            Self::ForgottenPassword => ("forgotten-password", ""),
            Self::NewPassword => ("new-password", ""),
            Self::AccountPassword => ("account-password", ""),
            Self::Console { page } => ("console", page),
            Self::SignOut => ("sign-out", ""),
        }
    }
}

/// The keyed digest over the parts, each with its length before it, so that no two lists of parts read the same.
fn context(form_key: &Secret<[u8; 32]>, browser: &str, purpose: FormPurpose<'_>) -> (hmac::Key, Vec<u8>) {
    let (name, detail) = purpose.parts();
    let mut message = Vec::new();
    for part in [name, detail, browser] {
        message.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    (hmac::Key::new(hmac::HMAC_SHA256, form_key.expose()), message)
}

/// The token for a form of this purpose, shown to the browser whose cookie holds `browser`.
pub fn form_token(form_key: &Secret<[u8; 32]>, browser: &str, purpose: FormPurpose<'_>) -> String {
    let (key, message) = context(form_key, browser, purpose);
    Base64UrlUnpadded::encode_string(hmac::sign(&key, &message).as_ref())
}

/// Whether `token` is the one of this form and browser; compared in constant time.
pub fn is_form_token(
    form_key: &Secret<[u8; 32]>,
    browser: &str,
    purpose: FormPurpose<'_>,
    token: &str,
) -> bool {
    let (key, message) = context(form_key, browser, purpose);
    Base64UrlUnpadded::decode_vec(token).is_ok_and(|tag| hmac::verify(&key, &message, &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use wardgate_shared::secret::Secret;

    use super::{FormPurpose, form_token, is_form_token};

    const KEY: Secret<[u8; 32]> = Secret::new([7; 32]);

    #[test]
    fn accepts_its_own_token() {
        let purpose = FormPurpose::Consent { request: "wga_1" };
        assert!(is_form_token(
            &KEY,
            "wgs_1",
            purpose,
            &form_token(&KEY, "wgs_1", purpose)
        ));
    }

    #[test]
    fn refuses_another_browser_purpose_request_or_key() {
        let purpose = FormPurpose::Consent { request: "wga_1" };
        let token = form_token(&KEY, "wgs_1", purpose);
        assert!(!is_form_token(&KEY, "wgs_2", purpose, &token));
        assert!(!is_form_token(
            &KEY,
            "wgs_1",
            FormPurpose::Consent { request: "wga_2" },
            &token
        ));
        assert!(!is_form_token(&KEY, "wgs_1", FormPurpose::SignOut, &token));
        assert!(!is_form_token(&KEY, "wgs_1", FormPurpose::SignIn, &token));
        assert!(!is_form_token(&Secret::new([8; 32]), "wgs_1", purpose, &token));
    }

    #[test]
    fn refuses_what_is_no_token() {
        for token in ["", "x", "!!!", "AAAA"] {
            assert!(
                !is_form_token(&KEY, "wgs_1", FormPurpose::SignIn, token),
                "{token}"
            );
        }
        let mut token = form_token(&KEY, "wgs_1", FormPurpose::SignIn);
        token.truncate(42);
        assert!(!is_form_token(&KEY, "wgs_1", FormPurpose::SignIn, &token));
    }

    #[test]
    fn parts_cannot_be_shifted_into_one_another() {
        let token = form_token(&KEY, "b", FormPurpose::Consent { request: "a" });
        assert!(!is_form_token(
            &KEY,
            "",
            FormPurpose::Consent { request: "ab" },
            &token
        ));
    }
}
