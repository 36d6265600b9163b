//! What a client may be registered with, whoever registers it.
//!
//! Trusted on entry: redirect URIs and key sets, whose types are their own checks. Not looked at: how much a client may
//! ask for when it registers itself; that is its ceiling's to say.

use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use crate::config::{Config, OutboundConfig};
use crate::domain::client::{
    ApplicationType, Client, ClientAuthentication, ClientKeys, ClientMetadata, GrantType, SubjectType,
};
use crate::keys::signing_algorithms;
use crate::outbound;
use crate::views::web_origin;

use super::MetadataFault;

/// The longest name, in bytes.
const MAXIMUM_NAME_BYTES: usize = 200;
/// The longest of the short texts: contacts, names and versions of software, authentication contexts; in bytes.
const MAXIMUM_SHORT_TEXT_BYTES: usize = 255;
/// The most elements of a list of short texts.
const MAXIMUM_SHORT_TEXTS: usize = 16;
/// The longest URL of a page, in bytes.
const MAXIMUM_URL_BYTES: usize = 2048;

/// Holds a client to the rules. `config` says which URLs this server can call, and what it signs with.
///
/// # Errors
/// [`MetadataFault`], the first that is found.
pub fn check(client: &Client, config: &Config) -> Result<(), MetadataFault> {
    let outbound = &config.outbound;
    check_name(&client.name)?;
    check_grants(client)?;
    check_redirect_uris(client)?;
    check_authentication(client, outbound)?;
    check_pages(&client.metadata)?;
    check_short_texts(&client.metadata)?;
    check_algorithms(&client.metadata, config)?;
    check_logout(&client.metadata, outbound)?;
    check_profile(client, config)?;
    check_sector(client, outbound)
}

/// A name is what people go by, so it must be what it looks like.
fn check_name(name: &str) -> Result<(), MetadataFault> {
    // Marks and overrides of the direction of writing (Unicode UAX 9): they show text in another order than it is in. And
    // what has no width: two names would look the same, or one like none. Joiners stay, which some scripts need.
    let misleads = |character| {
        matches!(
            character,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
    };
    let is_lawful = !name.trim().is_empty()
        && name.len() <= MAXIMUM_NAME_BYTES
        && !name.contains(char::is_control)
        && !name.contains(misleads);
    if is_lawful {
        Ok(())
    } else {
        Err(MetadataFault::Name)
    }
}

fn check_grants(client: &Client) -> Result<(), MetadataFault> {
    let by_code = client.allows(GrantType::AuthorizationCode);
    let by_person = by_code
        || [
            GrantType::DeviceCode,
            GrantType::TokenExchange,
            GrantType::JwtBearer,
        ]
        .into_iter()
        .any(|grant_type| client.allows(grant_type));
    let refresh_scope = ["offline_access", "online_access"]
        .iter()
        .any(|scope| client.scope.contains(scope));
    if client.grant_types.is_empty() {
        Err(MetadataFault::NoGrantType)
    } else if client.is_public() && client.allows(GrantType::ClientCredentials) {
        Err(MetadataFault::PublicWithClientCredentials)
    } else if client.is_public() && !client.pkce_required {
        Err(MetadataFault::PublicWithoutPkce)
    } else if !by_code && client.push_required {
        Err(MetadataFault::PushWithoutCode)
    } else if !by_person && client.allows(GrantType::RefreshToken) {
        Err(MetadataFault::RefreshWithoutPerson)
    } else if !client.allows(GrantType::RefreshToken) && refresh_scope {
        Err(MetadataFault::RefreshScopeWithoutGrant)
    } else {
        Ok(())
    }
}

fn check_redirect_uris(client: &Client) -> Result<(), MetadataFault> {
    let by_code = client.allows(GrantType::AuthorizationCode);
    let is_https = |uri: &RegisteredRedirectUri| uri.as_str().starts_with("https:");
    if by_code && client.redirect_uris.is_empty() {
        Err(MetadataFault::NoRedirectUri)
    } else if !by_code && !client.redirect_uris.is_empty() {
        Err(MetadataFault::RedirectUriWithoutCode)
    } else if !by_code && !client.post_logout_redirect_uris.is_empty() {
        Err(MetadataFault::PostLogoutWithoutCode)
    } else if client.metadata.application_type == Some(ApplicationType::Web)
        && !client.redirect_uris.iter().all(is_https)
    {
        Err(MetadataFault::InsecureWebApplication)
    } else {
        Ok(())
    }
}

fn check_authentication(client: &Client, outbound: &OutboundConfig) -> Result<(), MetadataFault> {
    let metadata = &client.metadata;
    let (has_secret, has_keys) = match &client.authentication {
        ClientAuthentication::Public => (false, false),
        ClientAuthentication::Secret(_) => (true, false),
        ClientAuthentication::PrivateKeyJwt { keys } => {
            match keys {
                ClientKeys::Inline(keys) if keys.iter().next().is_none() => {
                    return Err(MetadataFault::NoKeys);
                }
                ClientKeys::Inline(_) => {}
                ClientKeys::Url(url) => check_called_url("jwks_uri", url, outbound)?,
            }
            (false, true)
        }
    };
    if metadata.token_endpoint_auth_method.is_some() && !has_secret {
        Err(MetadataFault::NoSecret)
    } else if metadata.token_endpoint_auth_signing_alg.is_some() && !has_keys {
        Err(MetadataFault::AlgorithmWithoutKeys)
    } else {
        Ok(())
    }
}

/// The rules of its profile and the deployment's.
fn check_profile(client: &Client, config: &Config) -> Result<(), MetadataFault> {
    let rules = client.rules(config.security.profile);
    rules.check(client).map_err(MetadataFault::Profile)
}

/// Pages that a browser opens or shows.
fn check_pages(metadata: &ClientMetadata) -> Result<(), MetadataFault> {
    for (member, url) in [
        ("logo_uri", &metadata.logo_uri),
        ("client_uri", &metadata.client_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
        ("launch_uri", &metadata.launch_uri),
        ("initiate_login_uri", &metadata.initiate_login_uri),
    ] {
        if let Some(url) = url
            && !is_page_url(url)
        {
            return Err(MetadataFault::PageUrl(member));
        }
    }
    Ok(())
}

/// Whether `url` is https, or http on this machine, by the rules of redirect URIs. It may have a fragment.
fn is_page_url(url: &str) -> bool {
    let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
    let is_of_the_web = page.starts_with("https:") || page.starts_with("http:");
    // A fragment has the characters of a query (RFC 3986 section 3.5), which the rules know.
    let with_query = format!("https://host.invalid/?{fragment}");
    url.len() <= MAXIMUM_URL_BYTES
        && is_of_the_web
        && RegisteredRedirectUri::parse(page).is_ok()
        && (fragment.is_empty() || RegisteredRedirectUri::parse(&with_query).is_ok())
}

fn check_short_texts(metadata: &ClientMetadata) -> Result<(), MetadataFault> {
    let is_short = |text: &String| text.len() <= MAXIMUM_SHORT_TEXT_BYTES && !text.contains(char::is_control);
    for (member, texts) in [
        ("contacts", &metadata.contacts),
        ("default_acr_values", &metadata.default_acr_values),
    ] {
        if texts.len() > MAXIMUM_SHORT_TEXTS || !texts.iter().all(is_short) {
            return Err(MetadataFault::TooLong(member));
        }
    }
    for (member, text) in [
        ("software_id", &metadata.software_id),
        ("software_version", &metadata.software_version),
    ] {
        if !text.iter().all(is_short) {
            return Err(MetadataFault::TooLong(member));
        }
    }
    Ok(())
}

fn check_algorithms(metadata: &ClientMetadata, config: &Config) -> Result<(), MetadataFault> {
    let ours = signing_algorithms(config.keys.algorithm);
    for (member, algorithm) in [
        (
            "id_token_signed_response_alg",
            metadata.id_token_signed_response_alg,
        ),
        (
            "userinfo_signed_response_alg",
            metadata.userinfo_signed_response_alg,
        ),
    ] {
        if algorithm.is_some_and(|algorithm| !ours.contains(&algorithm)) {
            return Err(MetadataFault::Unsupported(member));
        }
    }
    Ok(())
}

fn check_logout(metadata: &ClientMetadata, outbound: &OutboundConfig) -> Result<(), MetadataFault> {
    match &metadata.backchannel_logout_uri {
        Some(url) => check_called_url("backchannel_logout_uri", url, outbound),
        None if metadata.backchannel_logout_session_required => Err(MetadataFault::LogoutSessionWithoutUrl),
        None => Ok(()),
    }
}

/// A client with pairwise subjects needs one sector: the host of a document that lists its redirect URIs, or the one host
/// that they all have (OpenID Connect Core section 8.1). This machine is no host of theirs: every native app is there.
fn check_sector(client: &Client, outbound: &OutboundConfig) -> Result<(), MetadataFault> {
    if let Some(url) = &client.metadata.sector_identifier_uri {
        return check_called_url("sector_identifier_uri", url, outbound);
    }
    if client.metadata.subject_type == SubjectType::Public {
        return Ok(());
    }
    let mut hosts: Vec<Option<String>> = client
        .redirect_uris
        .iter()
        .map(|uri| host(uri.as_str()))
        .collect();
    hosts.dedup();
    match hosts.as_slice() {
        [Some(_)] => Ok(()),
        _ => Err(MetadataFault::NoSector),
    }
}

/// The host of a registered https URI, without its port.
fn host(uri: &str) -> Option<String> {
    let origin = web_origin(uri).filter(|origin| origin.starts_with("https:"))?;
    let (_, authority) = origin.split_once("://")?;
    let host = match authority.rsplit_once(':') {
        // An IPv6 address holds colons and ends with its bracket.
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => authority,
    };
    Some(host.into())
}

fn check_called_url(member: &'static str, url: &str, outbound: &OutboundConfig) -> Result<(), MetadataFault> {
    match outbound::check_url(url, outbound) {
        Ok(_) => Ok(()),
        Err(_) => Err(MetadataFault::CalledUrl(member)),
    }
}

#[cfg(test)]
mod tests;
