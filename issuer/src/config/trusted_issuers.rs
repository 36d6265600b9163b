//! `[[trusted_issuers]]`: others whose tokens become access tokens here, and for what each is trusted.
//!
//! Whoever is named here can act as every person it is let to name. So each use is switched on by itself, and people can be
//! narrowed down to domains of e-mail addresses.

use figment::value::{Dict, Value};

use super::OutboundConfig;
use super::reader::Reader;
use crate::outbound::check_url;

const KEY: &str = "trusted_issuers";
const MEMBERS: [&str; 8] = [
    "issuer",
    "uses",
    "audiences",
    "jwks_uri",
    "match_by",
    "email_domains",
    "client_id",
    "longest_age_seconds",
];
const ID_TOKEN: &str = "id_token";
const JWT_BEARER: &str = "jwt-bearer";
/// The greatest age of an ID token when nothing is said, in seconds.
const USUAL_AGE_SECONDS: i64 = 300;
const LAWFUL_AGES: std::ops::RangeInclusive<i64> = 60..=3600;

/// An issuer of tokens that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// `iss` of its tokens, character by character.
    pub issuer: String,
    /// Whether its ID tokens can be exchanged (RFC 8693).
    pub id_tokens: bool,
    /// Whether its assertions are authorization grants (RFC 7523 section 2.1).
    pub assertions: bool,
    /// The client ids that it knows our clients by: `aud` of its ID tokens must be one of them.
    pub audiences: Vec<String>,
    /// Where its keys are; found by OpenID Connect Discovery when it is not said.
    pub jwks_uri: Option<String>,
    /// How the person of an assertion is found. That of an ID token is always found by a verified address.
    pub match_by: AccountMatch,
    /// The domains of the addresses that people may have, in lower case; empty for any.
    pub email_domains: Vec<String>,
    /// The public client of ours for which requests are taken that name no client.
    pub client_id: Option<String>,
    /// How long after `iat` an ID token can be exchanged, in seconds.
    pub longest_age_seconds: i64,
}

/// How a person's account is found from a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountMatch {
    /// By the claim `email`, which `email_verified` must confirm.
    #[default]
    Email,
    /// By `sub`, which is the address of the account.
    SubjectEmail,
    /// By `sub`, which is the identifier of the account here.
    SubjectUserId,
}

impl AccountMatch {
    /// The way of this exact name, or `None`.
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "email" => Some(Self::Email),
            "subject_email" => Some(Self::SubjectEmail),
            "subject_user_id" => Some(Self::SubjectUserId),
            _ => None,
        }
    }
}

/// Reads the list. URLs are held to what `outbound` lets the issuer fetch, where that is known.
pub(super) fn read(reader: &mut Reader<'_>, outbound: Option<&OutboundConfig>) -> Option<Vec<TrustedIssuer>> {
    let Some(Value::Array(_, tables)) = reader.optional(KEY) else {
        reader.fault(KEY, "must be a list of tables: [[trusted_issuers]]");
        return None;
    };
    let mut issuers: Vec<TrustedIssuer> = Vec::new();
    for (position, table) in tables.iter().enumerate() {
        let key = format!("{KEY}[{position}]");
        let Value::Dict(_, table) = table else {
            reader.fault(&key, "must be a table with the key issuer");
            continue;
        };
        reader.refuse_unknown_members(&key, table, &MEMBERS);
        let Some(issuer) = (Entry { reader, key, table }).read(outbound) else {
            continue;
        };
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            reader.fault(KEY, "must not name one issuer twice");
        }
        issuers.push(issuer);
    }
    Some(issuers)
}

/// One table of the list.
struct Entry<'a, 'b> {
    reader: &'a mut Reader<'b>,
    /// `trusted_issuers[0]`.
    key: String,
    table: &'a Dict,
}

impl Entry<'_, '_> {
    /// Reads every member before it looks at any outcome, so that all faults are found.
    fn read(mut self, outbound: Option<&OutboundConfig>) -> Option<TrustedIssuer> {
        let issuer = self.url("issuer", outbound);
        if let Some(None) = issuer {
            self.fault("issuer", "must be set to the issuer's URL");
        }
        let uses = self.texts("uses", "a list of id_token and jwt-bearer", |text| {
            matches!(text, ID_TOKEN | JWT_BEARER)
        });
        let uses = uses.map(|given| given.unwrap_or_else(|| vec![ID_TOKEN.into()]));
        let audiences = self.texts("audiences", "a list of texts without spaces", |text| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let jwks_uri = self.url("jwks_uri", outbound);
        let match_by = self.one("match_by", "email, subject_email or subject_user_id", |value| {
            AccountMatch::from_name(value.as_str()?)
        });
        let email_domains = self.texts("email_domains", "a list of domains such as example.org", |text| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@')
        });
        let client_id = self.one("client_id", "the client_id of a public client", |value| {
            let text = value.as_str()?;
            (!text.is_empty()).then(|| String::from(text))
        });
        let longest_age_seconds = self.one(
            "longest_age_seconds",
            "a whole number of seconds from 60 to 3600",
            |value| {
                let number = value.to_i128().and_then(|number| i64::try_from(number).ok());
                let number = number.or_else(|| value.to_u128().and_then(|number| i64::try_from(number).ok()));
                number.filter(|number| LAWFUL_AGES.contains(number))
            },
        );
        let (uses, audiences) = (uses?, audiences?.unwrap_or_default());
        let has = |name: &str| uses.iter().any(|own| own == name);
        if uses.is_empty() {
            self.fault("uses", "must name id_token, jwt-bearer or both");
            return None;
        }
        if has(ID_TOKEN) && audiences.is_empty() {
            let problem = "must name the client ids that the issuer knows this issuer's clients by";
            self.fault("audiences", problem);
            return None;
        }
        Some(TrustedIssuer {
            issuer: issuer??,
            id_tokens: has(ID_TOKEN),
            assertions: has(JWT_BEARER),
            audiences,
            jwks_uri: jwks_uri?,
            match_by: match_by?.unwrap_or_default(),
            email_domains: email_domains?
                .unwrap_or_default()
                .iter()
                .map(|domain| domain.to_ascii_lowercase())
                .collect(),
            client_id: client_id?,
            longest_age_seconds: longest_age_seconds?.unwrap_or(USUAL_AGE_SECONDS),
        })
    }

    fn fault(&mut self, member: &str, problem: impl Into<String>) {
        self.reader.fault(&format!("{}.{member}", self.key), problem);
    }

    /// A member that may be absent, inside; `None` when it is there and wrong.
    #[expect(
        clippy::option_option,
        reason = "absent and wrong are told apart, within this file alone"
    )]
    fn one<T>(
        &mut self,
        member: &str,
        must_be: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(value) = self.table.get(member) else {
            return Some(None);
        };
        let parsed = parse(value);
        if parsed.is_none() {
            self.fault(member, format!("must be {must_be}"));
        }
        parsed.map(Some)
    }

    #[expect(clippy::option_option, reason = "as in `one`")]
    fn texts(
        &mut self,
        member: &str,
        must_be: &str,
        is_lawful: impl Fn(&str) -> bool,
    ) -> Option<Option<Vec<String>>> {
        self.one(member, must_be, |value| {
            let texts = value.as_array()?.iter();
            texts
                .map(|text| text.as_str().filter(|text| is_lawful(text)).map(String::from))
                .collect()
        })
    }

    #[expect(clippy::option_option, reason = "as in `one`")]
    fn url(&mut self, member: &str, outbound: Option<&OutboundConfig>) -> Option<Option<String>> {
        let text = self.one(member, "a URL", |value| value.as_str().map(String::from))?;
        if let (Some(text), Some(outbound)) = (&text, outbound)
            && let Err(refusal) = check_url(text, outbound)
        {
            self.fault(member, refusal.to_string());
            return None;
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests;
