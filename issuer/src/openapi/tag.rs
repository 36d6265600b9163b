//! The parts of the reference, in their order.

/// A part of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Getting, giving back and asking about tokens.
    Tokens,
    /// People.
    SignIn,
    /// Documents for everybody.
    Discovery,
    /// Clients that register themselves.
    Registration,
    /// EHR launch.
    Launches,
    /// Accounts.
    Users,
    /// Roles.
    Roles,
    /// Organizations.
    Organizations,
    /// Connections to identity providers.
    SingleSignOn,
    /// Clients.
    Clients,
    /// API keys.
    ApiKeys,
    /// Sessions.
    Sessions,
    /// Signing keys.
    SigningKeys,
    /// The audit trail.
    Audit,
    /// Health.
    Health,
}

impl Tag {
    /// Every part, in the order of the reference.
    pub const ALL: [Self; 15] = [
        Self::Tokens,
        Self::SignIn,
        Self::Discovery,
        Self::Registration,
        Self::Launches,
        Self::Users,
        Self::Roles,
        Self::Organizations,
        Self::SingleSignOn,
        Self::Clients,
        Self::ApiKeys,
        Self::Sessions,
        Self::SigningKeys,
        Self::Audit,
        Self::Health,
    ];

    /// Its title.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::SignIn => "Signing people in",
            Self::Discovery => "Discovery",
            Self::Registration => "Dynamic registration",
            Self::Launches => "EHR launch",
            Self::Users => "Users",
            Self::Roles => "Roles",
            Self::Organizations => "Organizations",
            Self::SingleSignOn => "Single sign-on",
            Self::Clients => "Clients",
            Self::ApiKeys => "API keys",
            Self::Sessions => "Sessions",
            Self::SigningKeys => "Signing keys",
            Self::Audit => "Audit trail",
            Self::Health => "Health",
        }
    }

    /// What it is about.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Tokens => "Clients get tokens, give them back and ask what they are worth.",
            Self::SignIn => "A client sends a person's browser here, and is told who the person is.",
            Self::Discovery => "What is where, and which keys sign: for everybody.",
            Self::Registration => "Clients that register themselves (RFC 7591, RFC 7592).",
            Self::Launches => "An EHR opens an app in a context (SMART App Launch).",
            Self::Users => "People's accounts and their second factors.",
            Self::Roles => "What people can be granted at most.",
            Self::Organizations => "Whom people act for.",
            Self::SingleSignOn => "Connections to the identity providers of organizations.",
            Self::Clients => "The apps and services that ask for tokens.",
            Self::ApiKeys => "Credentials of integrations that act for themselves.",
            Self::Sessions => "Who is signed in.",
            Self::SigningKeys => "What tokens are signed with.",
            Self::Audit => "What was done, by whom.",
            Self::Health => "For whatever starts, watches and balances the issuer.",
        }
    }
}
