//! What is wrong with a token that somebody else signed.

use wardgate_shared::jwt::JwtError;

/// A reason. Everything after the signature may be told: whoever presents the token can read it. What is told of the person
/// is the same whether there is no account, a deactivated one, or one that may not be reached in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints::token) enum ForeignTokenFault {
    /// No compact JWT, an algorithm that is not accepted, or claims of the wrong form.
    Malformed(JwtError),
    /// `typ` says that it is another kind of token.
    Type,
    /// Nobody who is trusted for this.
    Issuer,
    /// The issuer's metadata cannot be had or believed now.
    Discovery,
    /// The issuer's key set cannot be had or read now.
    KeySet,
    /// Metadata or key set could not be had a moment ago, and nobody was asked again.
    Pausing,
    /// None of the issuer's keys fits `kid` and `alg`.
    Key,
    /// The signature does not verify.
    Signature,
    /// `aud` is somebody else.
    Audience,
    /// `azp` is somebody else, or missing in a token that is for others too.
    AuthorizedParty,
    /// `exp`, `nbf` or `iat` does not fit the present.
    Times(JwtError),
    /// An ID token that was issued too long ago.
    TooOld,
    /// An assertion whose `exp` lies more than five minutes ahead.
    LivesTooLong,
    /// `sub` is missing or empty.
    NoSubject,
    /// `jti` is missing or empty.
    NoId,
    /// The assertion was used before.
    Replayed,
    /// There is no address of a form that can be looked for.
    NoEmail,
    /// `email_verified` is not true.
    EmailNotVerified,
    /// People of this address's domain are not the issuer's to name.
    EmailDomain,
    /// There is no such account.
    NoAccount,
    /// The account is deactivated.
    Deactivated,
}

impl ForeignTokenFault {
    /// The fault behind a rule of JWTs that was broken.
    pub(super) const fn of(error: JwtError) -> Self {
        match error {
            JwtError::TooLong
            | JwtError::Malformed
            | JwtError::DuplicateMember
            | JwtError::UnsupportedAlgorithm
            | JwtError::CriticalHeader => Self::Malformed(error),
            JwtError::WrongType => Self::Type,
            JwtError::UnknownKey | JwtError::AlgorithmMismatch => Self::Key,
            JwtError::InvalidSignature => Self::Signature,
            JwtError::WrongIssuer => Self::Issuer,
            JwtError::WrongAudience => Self::Audience,
            JwtError::NoExpiry
            | JwtError::NoIssueTime
            | JwtError::Expired
            | JwtError::NotYetValid
            | JwtError::IssuedInFuture => Self::Times(error),
            JwtError::LivesTooLong => Self::LivesTooLong,
        }
    }

    /// Whether nothing is known of the token, because its issuer could not be asked.
    pub(in crate::endpoints::token) const fn is_undecided(self) -> bool {
        matches!(self, Self::Discovery | Self::KeySet | Self::Pausing)
    }

    /// The reason for the client's developers.
    pub(in crate::endpoints::token) const fn description(self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "The presented token is not a JWT of the accepted form, signed with an accepted algorithm"
            }
            Self::Type => "typ of the presented token must be JWT, or absent",
            Self::Issuer => "The issuer of the presented token is not trusted for this grant type",
            Self::Discovery | Self::KeySet | Self::Pausing => {
                "The keys of the presented token's issuer cannot be had at the moment"
            }
            Self::Key => "None of the issuer's keys fits kid and alg of the presented token",
            Self::Signature => "The signature of the presented token does not verify",
            Self::Audience => "aud of the presented token is not one that is accepted from its issuer",
            Self::AuthorizedParty => "azp of the presented token is not one that is accepted from its issuer",
            Self::Times(JwtError::NoIssueTime) => "The presented token has no iat",
            Self::Times(_) => "The presented token has no exp, has expired, or is not valid yet",
            Self::TooOld => "The presented token was issued too long ago: get a new one",
            Self::LivesTooLong => "exp of the presented token must be at most 5 minutes ahead",
            Self::NoSubject => "The presented token has no sub",
            Self::NoId => "The presented token has no jti",
            Self::Replayed => "The presented token was used before: each needs a jti of its own",
            Self::NoEmail => "The presented token names no e-mail address by which a person can be found",
            Self::EmailNotVerified => "email_verified of the presented token must be true",
            Self::EmailDomain | Self::NoAccount | Self::Deactivated => {
                "The presented token opens no account of this server"
            }
        }
    }

    /// The reason for the audit trail; none where nobody was asked: the trail has that the issuer could not be, and a line for
    /// each attempt meanwhile would let anybody fill it.
    pub(in crate::endpoints::token) const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Pausing => return None,
            Self::Malformed(_) => "malformed_foreign_token",
            Self::Type => "foreign_token_type",
            Self::Issuer => "foreign_issuer_not_trusted",
            Self::Discovery => "foreign_issuer_not_discovered",
            Self::KeySet => "foreign_keys_unavailable",
            Self::Key => "foreign_key_unknown",
            Self::Signature => "foreign_token_signature",
            Self::Audience => "foreign_token_audience",
            Self::AuthorizedParty => "foreign_token_authorized_party",
            Self::Times(_) => "foreign_token_times",
            Self::TooOld => "foreign_token_too_old",
            Self::LivesTooLong => "foreign_token_lives_too_long",
            Self::NoSubject => "foreign_token_without_subject",
            Self::NoId => "foreign_token_without_id",
            Self::Replayed => "foreign_token_replayed",
            Self::NoEmail => "foreign_token_without_email",
            Self::EmailNotVerified => "foreign_email_not_verified",
            Self::EmailDomain => "foreign_email_domain",
            Self::NoAccount => "no_account",
            Self::Deactivated => "account_deactivated",
        })
    }
}
