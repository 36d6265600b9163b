//! What the audit trail records: who did what, from where, how, and with what outcome.

use std::borrow::Cow;
use std::net::IpAddr;

use wardgate_shared::time::Timestamp;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// A person tried to sign in.
    SignIn,
    /// A person signed out.
    SignOut,
    /// Sessions of a person were ended by themselves or by an administrator, from another browser.
    SessionRevocation,
    /// A client was told that a session is over, or could not be.
    BackchannelLogout,
    /// A person answered the consent page.
    Consent,
    /// A person took back what they had allowed a client.
    ConsentWithdrawal,
    /// An authorization code was issued, or an authorization request refused.
    Authorization,
    /// A client pushed an authorization request (RFC 9126), or tried to.
    PushedAuthorization,
    /// A device asked for a person's answer (RFC 8628), or tried to.
    DeviceAuthorization,
    /// An EHR launched an app (SMART App Launch), or tried to.
    Launch,
    /// A person looked for a patient, or could not, since the FHIR server did not answer. What they looked for is not recorded.
    PatientSearch,
    /// A person chose the patient and encounter that an app is to work with.
    ContextChoice,
    /// A token request was answered.
    TokenRequest,
    /// A token was revoked by its client.
    TokenRevocation,
    /// Somebody asked about a token and was refused. Answers are too many to record.
    TokenIntrospection,
    /// A code or a refresh token came a second time; all that was issued from it is over.
    Replay,
    /// A client was registered.
    ClientRegistration,
    /// A client changed its own registration, or tried to (RFC 7592).
    ClientUpdate,
    /// A client ended its own registration, or tried to (RFC 7592); or the operator removed it.
    ClientDeletion,
    /// A client got a new secret.
    ClientSecretRotation,
    /// An API key was made.
    ApiKeyCreation,
    /// An API key got a new secret.
    ApiKeyRotation,
    /// An API key was revoked.
    ApiKeyRevocation,
    /// An initial access token was made (RFC 7591).
    RegistrationTokenCreation,
    /// An initial access token was revoked.
    RegistrationTokenRevocation,
    /// A person's account was made.
    UserCreation,
    /// What is known of a person was changed.
    UserChange,
    /// A person's account was closed to them.
    UserDeactivation,
    /// Somebody was sent the link by which they set the first password of their account, or could not be.
    Invitation,
    /// Somebody forgot a password and asked for a link; whether they got one, no page says.
    PasswordResetRequest,
    /// A person's password was set or changed, or was to be. By what says `method`: the purpose of a link, `account` or `cli`.
    PasswordChange,
    /// A person's account was opened to them again.
    UserReactivation,
    /// A role was made.
    RoleCreation,
    /// A role was changed.
    RoleChange,
    /// A role was removed.
    RoleDeletion,
    /// An organization was entered.
    OrganizationCreation,
    /// An organization was changed.
    OrganizationChange,
    /// An organization was removed.
    OrganizationDeletion,
    /// An administrator's request was refused. What was done has an action of its own.
    Administration,
    /// A person gave a second factor, or tried to.
    SecondFactor,
    /// A code was sent to a person's telephone, or was not since there were too many.
    FactorCode,
    /// A person set up a second factor.
    FactorEnrolment,
    /// A person called a second factor by another name.
    FactorChange,
    /// A person removed a second factor.
    FactorRemoval,
    /// An administrator removed all second factors of a person.
    FactorReset,
    /// A person got recovery codes; those from before are over.
    RecoveryCodes,
    /// A person had a browser forgotten that was remembered.
    DeviceRemoval,
    /// A signing key was made.
    KeyRotation,
    /// A signing key was revoked; nothing that it signed counts any more.
    KeyRevocation,
    /// Everything that is sealed was sealed under another master key.
    MasterKeyRotation,
    /// The tokens of a subject, a client or an API key were refused altogether.
    Denial,
    /// A message to a person was sent, or could not be. By what means says `method`: `mail` or `sms`.
    Message,
    /// A connection to an identity provider was made.
    SsoConnectionCreation,
    /// A connection to an identity provider was changed, attested, enabled or disabled.
    SsoConnectionChange,
    /// A connection to an identity provider was removed.
    SsoConnectionDeletion,
    /// A domain was claimed for a connection, verified or taken from it, or could not be.
    SsoDomainChange,
    /// An account was linked with somebody at an identity provider, or is no longer.
    SsoLink,
    /// The oldest lines of this trail were retired; the object is the number of the last of them.
    AuditRetention,
    /// The issuer itself removed what had expired.
    Upkeep,
    /// A copy of the database was made.
    Backup,
    /// The database was replaced by a copy of before.
    Restoration,
    /// Another program changed, in the database itself, what administrators settle.
    OutsideChange,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 62] = [
        Self::SignIn,
        Self::SignOut,
        Self::SessionRevocation,
        Self::BackchannelLogout,
        Self::Consent,
        Self::ConsentWithdrawal,
        Self::Authorization,
        Self::PushedAuthorization,
        Self::DeviceAuthorization,
        Self::Launch,
        Self::PatientSearch,
        Self::ContextChoice,
        Self::TokenRequest,
        Self::TokenRevocation,
        Self::TokenIntrospection,
        Self::Replay,
        Self::ClientRegistration,
        Self::ClientUpdate,
        Self::ClientDeletion,
        Self::ClientSecretRotation,
        Self::ApiKeyCreation,
        Self::ApiKeyRotation,
        Self::ApiKeyRevocation,
        Self::RegistrationTokenCreation,
        Self::RegistrationTokenRevocation,
        Self::UserCreation,
        Self::UserChange,
        Self::UserDeactivation,
        Self::Invitation,
        Self::PasswordResetRequest,
        Self::PasswordChange,
        Self::UserReactivation,
        Self::RoleCreation,
        Self::RoleChange,
        Self::RoleDeletion,
        Self::OrganizationCreation,
        Self::OrganizationChange,
        Self::OrganizationDeletion,
        Self::Administration,
        Self::SecondFactor,
        Self::FactorCode,
        Self::FactorEnrolment,
        Self::FactorChange,
        Self::FactorRemoval,
        Self::FactorReset,
        Self::RecoveryCodes,
        Self::DeviceRemoval,
        Self::KeyRotation,
        Self::KeyRevocation,
        Self::MasterKeyRotation,
        Self::Denial,
        Self::Message,
        Self::SsoConnectionCreation,
        Self::SsoConnectionChange,
        Self::SsoConnectionDeletion,
        Self::SsoDomainChange,
        Self::SsoLink,
        Self::AuditRetention,
        Self::Upkeep,
        Self::Backup,
        Self::Restoration,
        Self::OutsideChange,
    ];

    /// The action of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// The name in the store and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::SessionRevocation => "session_revocation",
            Self::BackchannelLogout => "backchannel_logout",
            Self::Consent => "consent",
            Self::ConsentWithdrawal => "consent_withdrawal",
            Self::Authorization => "authorization",
            Self::PushedAuthorization => "pushed_authorization",
            Self::DeviceAuthorization => "device_authorization",
            Self::Launch => "launch",
            Self::PatientSearch => "patient_search",
            Self::ContextChoice => "context_choice",
            Self::TokenRequest => "token_request",
            Self::TokenRevocation => "token_revocation",
            Self::TokenIntrospection => "token_introspection",
            Self::Replay => "replay",
            Self::ClientRegistration => "client_registration",
            Self::ClientUpdate => "client_update",
            Self::ClientDeletion => "client_deletion",
            Self::ClientSecretRotation => "client_secret_rotation",
            Self::ApiKeyCreation => "api_key_creation",
            Self::ApiKeyRotation => "api_key_rotation",
            Self::ApiKeyRevocation => "api_key_revocation",
            Self::RegistrationTokenCreation => "registration_token_creation",
            Self::RegistrationTokenRevocation => "registration_token_revocation",
            Self::UserCreation => "user_creation",
            Self::UserChange => "user_change",
            Self::UserDeactivation => "user_deactivation",
            Self::Invitation => "invitation",
            Self::PasswordResetRequest => "password_reset_request",
            Self::PasswordChange => "password_change",
            Self::UserReactivation => "user_reactivation",
            Self::RoleCreation => "role_creation",
            Self::RoleChange => "role_change",
            Self::RoleDeletion => "role_deletion",
            Self::OrganizationCreation => "organization_creation",
            Self::OrganizationChange => "organization_change",
            Self::OrganizationDeletion => "organization_deletion",
            Self::Administration => "administration",
            Self::SecondFactor => "second_factor",
            Self::FactorCode => "factor_code",
            Self::FactorEnrolment => "factor_enrolment",
            Self::FactorChange => "factor_change",
            Self::FactorRemoval => "factor_removal",
            Self::FactorReset => "factor_reset",
            Self::RecoveryCodes => "recovery_codes",
            Self::DeviceRemoval => "device_removal",
            Self::KeyRotation => "key_rotation",
            Self::KeyRevocation => "key_revocation",
            Self::MasterKeyRotation => "master_key_rotation",
            Self::Denial => "denial",
            Self::Message => "message",
            Self::SsoConnectionCreation => "sso_connection_creation",
            Self::SsoConnectionChange => "sso_connection_change",
            Self::SsoConnectionDeletion => "sso_connection_deletion",
            Self::SsoDomainChange => "sso_domain_change",
            Self::SsoLink => "sso_link",
            Self::AuditRetention => "audit_retention",
            Self::Upkeep => "upkeep",
            Self::Backup => "backup",
            Self::Restoration => "restoration",
            Self::OutsideChange => "outside_change",
        }
    }
}

/// Whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    /// It was.
    Success,
    /// It was refused.
    Failure,
}

impl AuditOutcome {
    /// The name in the store and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The outcome of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Success, Self::Failure]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// One line of the audit trail. Nothing secret belongs in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: AuditAction,
    /// Whether it was done.
    pub outcome: AuditOutcome,
    /// The person it is about, by `sub`.
    pub user_id: Option<String>,
    /// The client application.
    pub client_id: Option<String>,
    /// The address the request came from.
    pub ip_address: Option<IpAddr>,
    /// By what means: an `amr` value, a client authentication method, a grant type, or how an administrator came: `api`,
    /// `console` or `cli`.
    pub method: Option<Cow<'static, str>>,
    /// Why it was refused, as a word from a fixed vocabulary (an error code, a variant's name), never free text.
    pub reason: Option<Cow<'static, str>>,
    /// The person who did it, where that is another than the one it is about: an administrator.
    pub actor_id: Option<String>,
    /// The id of what it is about, where that is no person: a role, an organization.
    pub object_id: Option<String>,
}

impl AuditEvent {
    /// An event with nothing but time, action and outcome; the rest is set with the `with_` functions.
    pub const fn new(at: Timestamp, action: AuditAction, outcome: AuditOutcome) -> Self {
        Self {
            at,
            action,
            outcome,
            user_id: None,
            client_id: None,
            ip_address: None,
            method: None,
            reason: None,
            actor_id: None,
            object_id: None,
        }
    }

    /// With the person.
    #[must_use]
    pub fn with_user(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// With the client.
    #[must_use]
    pub fn with_client(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// With the address, where it is known.
    #[must_use]
    pub const fn with_ip_address(mut self, ip_address: Option<IpAddr>) -> Self {
        self.ip_address = ip_address;
        self
    }

    /// With the means.
    #[must_use]
    pub fn with_method(mut self, method: &'static str) -> Self {
        self.method = Some(Cow::Borrowed(method));
        self
    }

    /// With the person who did it to another.
    #[must_use]
    pub fn with_actor(mut self, actor_id: Option<String>) -> Self {
        self.actor_id = actor_id;
        self
    }

    /// With what it is about, where that is no person.
    #[must_use]
    pub fn with_object(mut self, object_id: impl Into<String>) -> Self {
        self.object_id = Some(object_id.into());
        self
    }

    /// With the reason of a refusal.
    #[must_use]
    pub fn with_reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(Cow::Borrowed(reason));
        self
    }
}
