//! What a token request asks for: one variant a grant, with the fields of that grant and no others.

use wardgate_shared::scope::ScopeSet;
use wardgate_shared::secret::Secret;

use crate::domain::client::GrantType;
use crate::endpoints::resources::REPEATABLE;
use crate::extract::Parameters;

use super::error::TokenError;
use super::token_exchange::ExchangeRequest;

/// A token request, apart from who makes it.
pub(super) struct TokenRequest {
    pub(super) grant: GrantRequest,
    /// `scope`, where the grant has one.
    pub(super) scope: Option<ScopeSet>,
}

/// What is offered for a token.
pub(super) enum GrantRequest {
    AuthorizationCode(CodeGrant),
    ClientCredentials,
    RefreshToken(Secret<String>),
    DeviceCode(Secret<String>),
    TokenExchange(ExchangeRequest),
    JwtBearer(Secret<String>),
}

/// RFC 6749 section 4.1.3, RFC 7636 section 4.5.
pub(super) struct CodeGrant {
    pub(super) code: Secret<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) verifier: Option<Secret<String>>,
}

impl GrantRequest {
    pub(super) const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials => GrantType::ClientCredentials,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::TokenExchange(_) => GrantType::TokenExchange,
            Self::JwtBearer(_) => GrantType::JwtBearer,
        }
    }
}

impl TokenRequest {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, TokenError> {
        parameters
            .refuse_repeated(&REPEATABLE)
            .map_err(|_| TokenError::Repeated)?;
        let parameter = |name| parameters.all(name).next();
        let secret = |name| parameter(name).map(|value| Secret::new(String::from(value)));
        let grant_type = parameter("grant_type").ok_or(TokenError::Missing("grant_type is missing"))?;
        let grant = match GrantType::from_name(grant_type).ok_or(TokenError::UnsupportedGrantType)? {
            GrantType::AuthorizationCode => GrantRequest::AuthorizationCode(CodeGrant {
                code: secret("code").ok_or(TokenError::Missing("code is missing"))?,
                redirect_uri: parameter("redirect_uri").map(String::from),
                verifier: secret("code_verifier"),
            }),
            GrantType::ClientCredentials => GrantRequest::ClientCredentials,
            GrantType::RefreshToken => {
                let token = secret("refresh_token").ok_or(TokenError::Missing("refresh_token is missing"))?;
                GrantRequest::RefreshToken(token)
            }
            GrantType::DeviceCode => {
                let code = secret("device_code").ok_or(TokenError::Missing("device_code is missing"))?;
                GrantRequest::DeviceCode(code)
            }
            GrantType::TokenExchange => GrantRequest::TokenExchange(ExchangeRequest::read(parameters)?),
            GrantType::JwtBearer => {
                let assertion = secret("assertion").ok_or(TokenError::Missing("assertion is missing"))?;
                GrantRequest::JwtBearer(assertion)
            }
        };
        let scope = match parameter("scope") {
            Some(text) => Some(ScopeSet::parse(text).map_err(|_| TokenError::MalformedScope)?),
            None => None,
        };
        Ok(Self { grant, scope })
    }
}
