//! What is particular about the providers that many organizations have.
//!
//! Which address is believed differs most. Google and AWS Cognito say in `email_verified` whether the person showed that it
//! is theirs. Microsoft Entra ID says no such thing: `email` there is what some administrator typed, of whatever domain, and
//! accounts of strangers were taken over by typing a victim's address into a tenant of one's own ("nOAuth"). So an address
//! from there counts only if it is of a domain that was verified for the very connection, which is bound to one tenant: its
//! owner, who could read the mail of everybody in it, has then said that this tenant speaks for the domain.

/// The kind of provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Any OpenID Provider.
    Generic,
    /// Google Workspace.
    Google,
    /// A tenant of Microsoft Entra ID.
    EntraId,
    /// A user pool of AWS Cognito.
    Cognito,
}

/// Why an issuer is not one of the preset's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// Not Google's.
    #[error("the issuer of Google is https://accounts.google.com")]
    Google,
    /// Not one tenant's.
    #[error(
        "the issuer of Microsoft Entra ID is https://login.microsoftonline.com/TENANT/v2.0, where TENANT is the tenant's id \
         (a UUID): common, organizations and consumers stand for everybody's tenants"
    )]
    EntraId,
    /// Not a user pool's.
    #[error("the issuer of AWS Cognito is https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID")]
    Cognito,
}

const GOOGLE: &str = "https://accounts.google.com";
/// Microsoft's clouds: worldwide, of the United States' government, and in China.
const ENTRA_HOSTS: [&str; 3] = [
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://login.partner.microsoftonline.cn/",
];

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Generic, Self::Google, Self::EntraId, Self::Cognito];

    /// The name in the store, the API and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Google => "google",
            Self::EntraId => "entra_id",
            Self::Cognito => "cognito",
        }
    }

    /// The preset of this exact name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The issuer, where the preset says it.
    pub const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Google => Some(GOOGLE),
            Self::Generic | Self::EntraId | Self::Cognito => None,
        }
    }

    /// Checks that `issuer` is one of this kind.
    ///
    /// # Errors
    /// [`PresetError`].
    pub fn check_issuer(self, issuer: &str) -> Result<(), PresetError> {
        match self {
            Self::Generic => Ok(()),
            Self::Google if issuer == GOOGLE => Ok(()),
            Self::Google => Err(PresetError::Google),
            Self::EntraId => {
                let is_cloud = ENTRA_HOSTS.iter().any(|host| issuer.starts_with(host));
                let is_tenant = entra_tenant(issuer).is_some() && issuer.matches('/').count() == 4;
                if is_cloud && is_tenant {
                    Ok(())
                } else {
                    Err(PresetError::EntraId)
                }
            }
            Self::Cognito => {
                let pool = issuer
                    .strip_prefix("https://cognito-idp.")
                    .and_then(|rest| rest.split_once(".amazonaws.com/"));
                let is_word = |text: &str| {
                    !text.is_empty()
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                };
                match pool {
                    Some((region, id)) if is_word(region) && is_word(id) => Ok(()),
                    Some(_) | None => Err(PresetError::Cognito),
                }
            }
        }
    }

    /// The issuer of an Entra ID tenant.
    pub fn entra_issuer(tenant: &str) -> String {
        format!("https://login.microsoftonline.com/{tenant}/v2.0")
    }

    /// The issuer of a Cognito user pool.
    pub fn cognito_issuer(region: &str, pool: &str) -> String {
        format!("https://cognito-idp.{region}.amazonaws.com/{pool}")
    }
}

/// The tenant of an Entra ID issuer: the segment before `v2.0`, a UUID in lower case. `None` for `common` and its like.
pub fn entra_tenant(issuer: &str) -> Option<&str> {
    let tenant = issuer.strip_suffix("/v2.0")?.rsplit('/').next()?;
    let is_uuid = tenant.len() == 36
        && tenant.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        });
    is_uuid.then_some(tenant)
}

#[cfg(test)]
mod tests {
    use super::{Preset, entra_tenant};

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn an_entra_connection_is_bound_to_one_tenant() {
        let issuer = Preset::entra_issuer(TENANT);
        assert_eq!(Preset::EntraId.check_issuer(&issuer), Ok(()));
        assert_eq!(entra_tenant(&issuer), Some(TENANT));
        for other in [
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/organizations/v2.0",
            "https://login.microsoftonline.com/consumers/v2.0",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            &issuer.replace("/v2.0", "/"),
            &issuer.replace("login.microsoftonline.com", "login.evil.example"),
            &issuer.replace("com/", "com/x/"),
            &issuer.to_uppercase(),
            "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        ] {
            assert!(Preset::EntraId.check_issuer(other).is_err(), "{other}");
        }
    }

    #[test]
    fn google_and_cognito_have_issuers_of_one_form() {
        assert_eq!(Preset::Google.check_issuer("https://accounts.google.com"), Ok(()));
        assert!(
            Preset::Google
                .check_issuer("https://accounts.google.com/")
                .is_err()
        );
        let pool = Preset::cognito_issuer("eu-west-1", "eu-west-1_AbCdEf123");
        assert_eq!(Preset::Cognito.check_issuer(&pool), Ok(()));
        for other in [
            "https://cognito-idp.eu-west-1.amazonaws.com/",
            "https://cognito-idp.evil.example/.amazonaws.com/x",
            "http://cognito-idp.eu-west-1.amazonaws.com/x",
        ] {
            assert!(Preset::Cognito.check_issuer(other).is_err(), "{other}");
        }
    }

    #[test]
    fn every_preset_is_found_by_its_name() {
        for preset in Preset::ALL {
            assert_eq!(Preset::from_name(preset.as_str()), Some(preset));
        }
    }
}
