//! What would happen if somebody typed this address, step by step, and why. Nothing is changed, and no provider is asked.

use crate::domain::single_sign_on::{Connection, UnknownPeople, domain_of};
use crate::domain::user::normalize_email;
use crate::store::Store;

use super::ConnectionError;

/// How the person would sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayIn {
    /// At their organization's provider.
    Provider,
    /// With a password, here.
    Password,
}

impl WayIn {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Password => "password",
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// How the person would sign in.
    pub way_in: WayIn,
    /// The id of the connection that would be used.
    pub connection_id: Option<String>,
    /// Sentence after sentence.
    pub steps: Vec<String>,
}

/// Says what would happen with `email`.
///
/// # Errors
/// When the store cannot answer.
pub async fn explain(store: &Store, email: &str) -> Result<Explanation, ConnectionError> {
    let email = normalize_email(email);
    let mut steps = Vec::new();
    let Some(domain) = domain_of(&email) else {
        steps.push(format!(
            "{email:?} is no address with a domain, so no connection is looked for."
        ));
        steps.push("The page asks for a password.".into());
        return Ok(Explanation {
            way_in: WayIn::Password,
            connection_id: None,
            steps,
        });
    };
    steps.push(format!("The domain of {email} is {domain}."));
    let claims = store.sso_domains(None).await?;
    let claims: Vec<_> = claims
        .into_iter()
        .filter(|claim| claim.domain == domain)
        .collect();
    if claims.is_empty() {
        steps.push("No connection claims it.".into());
    }
    for claim in &claims {
        let connection = store.sso_connection(&claim.connection_id).await?;
        let Some(connection) = connection else { continue };
        let name = &connection.settings.name;
        steps.push(match claim.verified {
            Some((_, by)) => format!("It is verified for the connection {name:?}, by {}.", by.as_str()),
            None => format!(
                "The connection {name:?} claims it, but it is not verified, so that counts for nothing: publish {} as a TXT \
                 record of {}, then verify it.",
                claim.token,
                claim.record_name()
            ),
        });
        if claim.verified.is_some() && !connection.enabled {
            steps.push(format!(
                "That connection is not enabled: {}.",
                why_not_enabled(&connection)
            ));
        }
    }
    let used = store.sso_connection_for(&domain).await?;
    match &used {
        Some(connection) => describe(store, connection, &email, &mut steps).await?,
        None => steps.push("The page asks for a password.".into()),
    }
    Ok(Explanation {
        way_in: if used.is_some() {
            WayIn::Provider
        } else {
            WayIn::Password
        },
        connection_id: used.map(|connection| connection.id),
        steps,
    })
}

fn why_not_enabled(connection: &Connection) -> &'static str {
    if connection.mfa_attestation.is_none() {
        "nobody has attested that its provider asks everybody for more than one factor"
    } else {
        "somebody disabled it, or has not enabled it yet"
    }
}

/// What follows for the person whom the provider sends back.
async fn describe(
    store: &Store,
    connection: &Connection,
    email: &str,
    steps: &mut Vec<String>,
) -> Result<(), ConnectionError> {
    let settings = &connection.settings;
    steps.push(format!(
        "The browser is sent to {} ({}), as client {}, with the scopes {}.",
        connection.provider.authorization_endpoint,
        settings.preset.as_str(),
        settings.client_id,
        settings.scopes.join(" ")
    ));
    let required: Vec<&str> = settings
        .required_amr
        .iter()
        .chain(&settings.required_acr)
        .map(String::as_str)
        .collect();
    if !required.is_empty() {
        steps.push(format!(
            "Its answer has to say one of {} in amr or acr.",
            required.join(", ")
        ));
    }
    let Some(user) = store.user_by_email(email).await? else {
        steps.push(match settings.unknown_people {
            UnknownPeople::Refuse => {
                "There is no account of this address: the person is turned away, unless they are linked with another.".into()
            }
            UnknownPeople::Create => "There is no account of this address: one is made.".into(),
        });
        return Ok(());
    };
    if !user.is_active() {
        steps.push("The account of this address is deactivated: the person is turned away.".into());
        return Ok(());
    }
    let links = store.sso_links_of(&user.id).await?;
    let link = links.iter().find(|link| link.connection_id == connection.id);
    steps.push(match link {
        Some(link) => format!(
            "The account {} opens for the subject {:?} there, and for no other.",
            user.id, link.subject
        ),
        None => format!("The account {} is linked with the subject that comes.", user.id),
    });
    if !settings.role_rules.is_empty() {
        steps.push("The role follows from the claims of the answer.".into());
    }
    if store.may_sign_in_locally(&user.id).await? {
        steps.push(
            "The person may also sign in with a password, at /login?local=1, and keeps their role.".into(),
        );
    } else {
        steps.push("A password of this account opens nothing.".into());
    }
    Ok(())
}
