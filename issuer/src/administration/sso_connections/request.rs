//! A connection as somebody wrote it: new, or what changes of one that is there.

use wardgate_shared::secret::Secret;

use crate::domain::single_sign_on::{
    ClientCredential, Connection, ConnectionSettings, Preset, RoleRule, USUAL_SCOPES, UnknownPeople,
};

use super::{ConnectionError, Tools};

/// The longest of the short texts, in bytes.
const LONGEST_TEXT: usize = 255;
/// The most rules, and the most entries of the other lists.
const MOST_ENTRIES: usize = 100;

/// What is said of a connection; what is `None` stays as it is, or gets its usual value.
#[derive(Clone, Debug, Default)]
pub struct ConnectionRequest {
    /// What people know it by.
    pub name: Option<String>,
    /// The preset's name; `generic` when nothing is said.
    pub preset: Option<String>,
    /// The issuer's URL, where the preset does not say it.
    pub issuer: Option<String>,
    /// The tenant of Microsoft Entra ID, in place of `issuer`.
    pub tenant_id: Option<String>,
    /// The region and the user pool of AWS Cognito, in place of `issuer`.
    pub user_pool: Option<(String, String)>,
    /// By what name the provider knows this issuer.
    pub client_id: Option<String>,
    /// The secret that belongs to it.
    pub client_secret: Option<Secret<String>>,
    /// How it is shown: `client_secret_basic`, unless there is none, or `client_secret_post`; or `none`.
    pub client_authentication: Option<String>,
    /// What is asked for.
    pub scopes: Option<Vec<String>>,
    /// Values of `amr` of which one is required.
    pub required_amr: Option<Vec<String>>,
    /// Values of `acr` of which one is required.
    pub required_acr: Option<Vec<String>>,
    /// `refuse` or `create`.
    pub unknown_people: Option<String>,
    /// The id of the role of people whom no rule fits; `Some(None)` for none.
    pub default_role: Option<Option<String>>,
    /// Which role follows from which claim, by the roles' ids.
    pub role_rules: Option<Vec<RoleRule>>,
    /// Whether rules and default may make somebody an administrator.
    pub grants_administration: Option<bool>,
}

impl ConnectionRequest {
    /// The whole settings of the connection `id`, on top of those of `before`.
    pub(super) async fn settings(
        &self,
        tools: Tools<'_>,
        id: &str,
        before: Option<&ConnectionSettings>,
    ) -> Result<ConnectionSettings, ConnectionError> {
        let preset = match &self.preset {
            Some(name) => Preset::from_name(name).ok_or_else(|| {
                ConnectionError::invalid("preset", "must be generic, google, entra_id or cognito")
            })?,
            None => before.map_or(Preset::Generic, |before| before.preset),
        };
        let issuer = self.issuer(preset, before)?;
        preset.check_issuer(&issuer).map_err(|error| {
            ConnectionError::invalid("issuer", format!("is not one of this preset: {error}"))
        })?;
        let settings = ConnectionSettings {
            name: text("name", self.name.as_ref(), before.map(|before| &before.name))?,
            client_id: text(
                "clientId",
                self.client_id.as_ref(),
                before.map(|before| &before.client_id),
            )?,
            credential: self.credential(tools, id, before)?,
            scopes: self.scopes(before)?,
            required_amr: list(
                "requiredAmr",
                self.required_amr.as_ref(),
                before.map(|before| &before.required_amr),
            )?,
            required_acr: list(
                "requiredAcr",
                self.required_acr.as_ref(),
                before.map(|before| &before.required_acr),
            )?,
            unknown_people: match &self.unknown_people {
                Some(name) => UnknownPeople::from_name(name)
                    .ok_or_else(|| ConnectionError::invalid("unknownPeople", "must be refuse or create"))?,
                None => before.map_or(UnknownPeople::Refuse, |before| before.unknown_people),
            },
            default_role: match &self.default_role {
                Some(role) => role.clone(),
                None => before.and_then(|before| before.default_role.clone()),
            },
            role_rules: match &self.role_rules {
                Some(rules) => rules.clone(),
                None => before.map(|before| before.role_rules.clone()).unwrap_or_default(),
            },
            grants_administration: self
                .grants_administration
                .or(before.map(|before| before.grants_administration))
                .unwrap_or(false),
            preset,
            issuer,
        };
        check_roles(tools, &settings).await?;
        Ok(settings)
    }

    fn issuer(&self, preset: Preset, before: Option<&ConnectionSettings>) -> Result<String, ConnectionError> {
        let said = match (preset, &self.tenant_id, &self.user_pool) {
            (Preset::EntraId, Some(tenant), None) => Some(Preset::entra_issuer(&tenant.to_ascii_lowercase())),
            (Preset::Cognito, None, Some((region, pool))) => Some(Preset::cognito_issuer(region, pool)),
            (_, None, None) => None,
            (_, Some(_), _) => {
                return Err(ConnectionError::invalid(
                    "tenantId",
                    "belongs to the preset entra_id",
                ));
            }
            (_, None, Some(_)) => {
                return Err(ConnectionError::invalid(
                    "userPoolId",
                    "belongs to the preset cognito",
                ));
            }
        };
        said.or_else(|| self.issuer.clone())
            .or_else(|| preset.issuer().map(String::from))
            .or_else(|| before.map(|before| before.issuer.clone()))
            .ok_or_else(|| ConnectionError::invalid("issuer", "is missing"))
    }

    fn scopes(&self, before: Option<&ConnectionSettings>) -> Result<Vec<String>, ConnectionError> {
        let usual: Vec<String> = USUAL_SCOPES.map(String::from).into();
        let before = before.map_or(&usual, |before| &before.scopes);
        let scopes = list("scopes", self.scopes.as_ref(), Some(before))?;
        if scopes.iter().any(|scope| scope == "openid") {
            Ok(scopes)
        } else {
            Err(ConnectionError::invalid("scopes", "must have openid among them"))
        }
    }

    fn credential(
        &self,
        tools: Tools<'_>,
        id: &str,
        before: Option<&ConnectionSettings>,
    ) -> Result<ClientCredential, ConnectionError> {
        let sealed = match &self.client_secret {
            Some(secret) => Some(
                tools
                    .sealer
                    .seal(secret.expose().as_bytes(), &Connection::secret_context(id))?,
            ),
            None => before
                .and_then(|before| before.credential.sealed())
                .map(<[u8]>::to_vec),
        };
        let usual = match (before, &sealed) {
            (Some(before), _) if self.client_secret.is_none() => before.credential.method(),
            (Some(before), Some(_)) if before.credential != ClientCredential::None => {
                before.credential.method()
            }
            (_, Some(_)) => "client_secret_basic",
            (_, None) => "none",
        };
        match (self.client_authentication.as_deref().unwrap_or(usual), sealed) {
            ("none", _) if self.client_secret.is_none() => Ok(ClientCredential::None),
            ("client_secret_basic", Some(sealed)) => Ok(ClientCredential::Basic(sealed)),
            ("client_secret_post", Some(sealed)) => Ok(ClientCredential::Post(sealed)),
            ("client_secret_basic" | "client_secret_post", None) => {
                Err(ConnectionError::invalid("clientSecret", "is missing"))
            }
            (_, _) => Err(ConnectionError::invalid(
                "clientAuthentication",
                "must be client_secret_basic or client_secret_post, or none where there is no secret",
            )),
        }
    }
}

fn text(
    field: &'static str,
    given: Option<&String>,
    before: Option<&String>,
) -> Result<String, ConnectionError> {
    let Some(text) = given else {
        return before
            .cloned()
            .ok_or_else(|| ConnectionError::invalid(field, "is missing"));
    };
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_TEXT || text.contains(char::is_control) {
        return Err(ConnectionError::invalid(field, "must be 1 to 255 bytes of text"));
    }
    Ok(text.into())
}

fn list(
    field: &'static str,
    given: Option<&Vec<String>>,
    before: Option<&Vec<String>>,
) -> Result<Vec<String>, ConnectionError> {
    let Some(values) = given else {
        return Ok(before.cloned().unwrap_or_default());
    };
    // What is sent in one parameter, separated by spaces (RFC 6749 appendix A.4).
    let is_word = |value: &String| {
        (1..=LONGEST_TEXT).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if values.len() > MOST_ENTRIES || !values.iter().all(is_word) {
        return Err(ConnectionError::invalid(
            field,
            "must be words without spaces, in ASCII",
        ));
    }
    Ok(values.clone())
}

/// Every role must be there, and none may make administrators unless that was said. Where accounts are made, there must be a
/// role for everybody.
async fn check_roles(tools: Tools<'_>, settings: &ConnectionSettings) -> Result<(), ConnectionError> {
    let is_text = |text: &str| !text.is_empty() && text.len() <= LONGEST_TEXT;
    let is_rule = |rule: &RoleRule| is_text(&rule.claim) && is_text(&rule.value);
    if settings.role_rules.len() > MOST_ENTRIES || !settings.role_rules.iter().all(is_rule) {
        return Err(ConnectionError::invalid(
            "roleRules",
            "must be rules of a claim, a value and a role each",
        ));
    }
    if settings.unknown_people == UnknownPeople::Create && settings.default_role.is_none() {
        return Err(ConnectionError::invalid(
            "defaultRoleId",
            "is missing: people who get an account get a role, also where no rule fits",
        ));
    }
    let default = settings.default_role.iter().map(|role| ("defaultRoleId", role));
    let rules = settings.role_rules.iter().map(|rule| ("roleRules", &rule.role));
    for (field, id) in default.chain(rules) {
        let role = tools.store.role(id).await?;
        let role = role.ok_or_else(|| {
            ConnectionError::invalid(field, format!("names a role that is not there: {id}"))
        })?;
        if role.is_administrative() && !settings.grants_administration {
            let detail = format!(
                "names {}, which makes administrators: allow that first, if it is meant",
                role.name
            );
            return Err(ConnectionError::invalid(field, detail));
        }
    }
    Ok(())
}
