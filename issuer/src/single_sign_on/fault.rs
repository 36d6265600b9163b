//! Why a sign-in by a provider ends, in words for the person and in one for the audit trail.

use http::StatusCode;
use wardgate_shared::jwt::JwtError;

use crate::keys::NotVerified;

/// A reason. What is told of the person is the same whether there is no account, a closed one, or one that this provider may
/// not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoFault {
    /// The answer belongs to no sign-in of this browser: never begun, begun elsewhere, answered before, or too old.
    Attempt,
    /// The answer comes from another provider than the one that was asked (RFC 9207).
    MixedUp,
    /// The answer is none.
    Malformed,
    /// The provider says that the person, or somebody there, said no.
    Declined,
    /// The provider answers with another error.
    ProviderError,
    /// The provider does not answer, or with what cannot be read.
    Unavailable,
    /// The provider does not take its code, or the client's authentication.
    Code,
    /// The ID token is no JWT of an accepted form or algorithm.
    Token,
    /// `typ` says that it is no ID token.
    TokenType,
    /// No key of the provider fits it.
    Key,
    /// Its signature does not verify.
    Signature,
    /// `iss` is another.
    Issuer,
    /// `aud` or `azp` is another.
    Audience,
    /// `exp`, `nbf` or `iat` does not fit the present.
    Times,
    /// `nonce` is not that of this sign-in.
    Nonce,
    /// `sub` is missing.
    Subject,
    /// `tid` is not the connection's tenant.
    Tenant,
    /// The person is a guest in the tenant.
    Guest,
    /// `hd` is none of the connection's domains.
    HostedDomain,
    /// There is no address of a usable form.
    NoEmail,
    /// The address is not known to be the person's.
    EmailNotVerified,
    /// The address, or the account's, is of no domain of the connection.
    ForeignDomain,
    /// There is no account, and none is made.
    NoAccount,
    /// There is no account, and no role follows that it could be made with.
    NoRole,
    /// The account is closed.
    Deactivated,
    /// The account is linked with another person at the provider.
    AnotherSubject,
    /// The provider did not say what the connection requires of `amr` and `acr`.
    NotStrong,
    /// The provider did not say that the person was authenticated as lately as was asked.
    NotFresh,
}

impl SsoFault {
    /// The reason for the audit trail.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Attempt => "sso_attempt_unknown",
            Self::MixedUp => "sso_provider_mixed_up",
            Self::Malformed => "sso_answer_malformed",
            Self::Declined => "sso_declined",
            Self::ProviderError => "sso_provider_error",
            Self::Unavailable => "sso_provider_unavailable",
            Self::Code => "sso_code_refused",
            Self::Token => "sso_token_malformed",
            Self::TokenType => "sso_token_type",
            Self::Key => "sso_key_unknown",
            Self::Signature => "sso_token_signature",
            Self::Issuer => "sso_token_issuer",
            Self::Audience => "sso_token_audience",
            Self::Times => "sso_token_times",
            Self::Nonce => "sso_token_nonce",
            Self::Subject => "sso_token_without_subject",
            Self::Tenant => "sso_another_tenant",
            Self::Guest => "sso_guest",
            Self::HostedDomain => "sso_hosted_domain",
            Self::NoEmail => "sso_without_email",
            Self::EmailNotVerified => "sso_email_not_verified",
            Self::ForeignDomain => "sso_email_domain",
            Self::NoAccount => "unknown_account",
            Self::NoRole => "sso_without_role",
            Self::Deactivated => "deactivated_account",
            Self::AnotherSubject => "sso_linked_to_another_subject",
            Self::NotStrong => "sso_too_weak",
            Self::NotFresh => "sso_not_fresh",
        }
    }

    /// The status of the page.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoEmail
            | Self::EmailNotVerified
            | Self::Tenant
            | Self::Guest
            | Self::HostedDomain
            | Self::ForeignDomain
            | Self::NoAccount
            | Self::NoRole
            | Self::Deactivated
            | Self::AnotherSubject
            | Self::NotStrong
            | Self::NotFresh
            | Self::Declined => StatusCode::FORBIDDEN,
            Self::Attempt
            | Self::MixedUp
            | Self::Malformed
            | Self::ProviderError
            | Self::Code
            | Self::Token
            | Self::TokenType
            | Self::Key
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Times
            | Self::Nonce
            | Self::Subject => StatusCode::BAD_REQUEST,
        }
    }

    /// What happened and what to do, in two fixed sentences.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Attempt => (
                "This sign-in took too long, was used already, or was begun in another window or browser.",
                "Please start again.",
            ),
            Self::Declined => (
                "Your organization's sign-in service did not let you go on.",
                "If you stopped there yourself, you can start again. Otherwise please ask your organization's help desk.",
            ),
            Self::ProviderError => (
                "Your organization's sign-in service reported a problem.",
                "Please start again. If it happens again, please tell your administrator.",
            ),
            Self::Unavailable => (
                "Your organization's sign-in service cannot be reached at the moment.",
                "Please try again in a few minutes. If it lasts, please tell your organization's help desk.",
            ),
            Self::MixedUp
            | Self::Malformed
            | Self::Code
            | Self::Token
            | Self::TokenType
            | Self::Key
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Times
            | Self::Nonce
            | Self::Subject => (
                "The answer of your organization's sign-in service could not be trusted, so nobody was signed in.",
                "Please start again. If it happens again, please tell your administrator.",
            ),
            Self::Tenant
            | Self::Guest
            | Self::HostedDomain
            | Self::NoEmail
            | Self::EmailNotVerified
            | Self::ForeignDomain
            | Self::NoAccount
            | Self::NoRole
            | Self::Deactivated
            | Self::AnotherSubject => (
                "You were recognized by your organization, but there is no account here that you can use.",
                "Please ask your administrator for one, or start again with another address.",
            ),
            Self::NotStrong => (
                "Your organization's sign-in service did not confirm that you used a second factor.",
                "Please set one up there, then start again.",
            ),
            Self::NotFresh => (
                "This needs a recent sign-in, and your organization's sign-in service did not confirm that yours is recent.",
                "Please sign out there, then start again. If it happens again, please tell your administrator.",
            ),
        }
    }
}

impl From<NotVerified> for SsoFault {
    fn from(error: NotVerified) -> Self {
        match error {
            NotVerified::NoKey => Self::Key,
            NotVerified::Signature => Self::Signature,
            NotVerified::Refused(error) => error.into(),
        }
    }
}

impl From<JwtError> for SsoFault {
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::TooLong
            | JwtError::Malformed
            | JwtError::DuplicateMember
            | JwtError::UnsupportedAlgorithm
            | JwtError::CriticalHeader => Self::Token,
            JwtError::WrongType => Self::TokenType,
            JwtError::UnknownKey | JwtError::AlgorithmMismatch => Self::Key,
            JwtError::InvalidSignature => Self::Signature,
            JwtError::WrongIssuer => Self::Issuer,
            JwtError::WrongAudience => Self::Audience,
            JwtError::NoExpiry
            | JwtError::NoIssueTime
            | JwtError::Expired
            | JwtError::NotYetValid
            | JwtError::IssuedInFuture
            | JwtError::LivesTooLong => Self::Times,
        }
    }
}
