//! What a person can be known by beyond name and e-mail address: the standard claims of OpenID Connect Core section 5.1.
//!
//! One JSON object in the specification's words, in files as in the store. A file is checked here once ([`Profile::parse`],
//! by the formats of OIDC-69); what is stored is trusted. Left out: claims in several languages (section 5.2).

use serde::{Deserialize, Serialize};
use wardgate_shared::json;
use wardgate_shared::time::Timestamp;

/// The longest file, in bytes.
const MAXIMUM_BYTES: usize = 16_384;
/// The longest text of one claim, in bytes.
const MAXIMUM_TEXT_BYTES: usize = 200;
/// The longest URL or address of several lines, in bytes.
const MAXIMUM_LONG_BYTES: usize = 500;
/// 1990-01-01: no account is older.
const EARLIEST_UPDATE: i64 = 631_152_000;

/// What is known; nothing of it need be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Given names or first names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Surnames or last names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// A casual name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The short name by which they wish to be referred to; not unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The URL of a page about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The URL of a picture of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The URL of their own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Their gender, in any word; the specification defines `female` and `male`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// A name of the time zone database, such as `Europe/Paris`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// A BCP 47 language tag, such as `en-US`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// When any of this, or name or e-mail address, was last changed: seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// Whether somebody made sure that the e-mail address reaches the person.
    #[serde(skip_serializing_if = "is_false")]
    pub email_verified: bool,
    /// A telephone number, best as E.164: `+1 (425) 555-1212`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether somebody made sure that the number reaches the person.
    #[serde(skip_serializing_if = "is_false")]
    pub phone_number_verified: bool,
    /// Where they live or get their post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address (OpenID Connect Core section 5.1.1). At least one member is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// All of it, as on a label; lines end with a line feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house number and the like; may have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City or locality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State, province, prefecture or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Why a profile is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is no JSON object, repeats a member, or is too long.
    #[error("must be one JSON object of at most {MAXIMUM_BYTES} bytes that repeats no member")]
    Json,
    /// A member is unknown or has another type.
    #[error("{0}")]
    Member(String),
    /// A member has a value that it cannot have.
    #[error("{0} {1}")]
    Value(&'static str, &'static str),
}

const TEXT: &str = "must be 1 to 200 bytes of text on one line, and not \"null\"";
const LINES: &str = "must be 1 to 500 bytes of text, and not \"null\"";
const URL: &str = "must be a web address of at most 500 bytes";

/// A member's name, its value, what decides whether the value is lawful, and what to say if it is not.
type Member<'a> = (&'static str, &'a Option<String>, fn(&str) -> bool, &'static str);

fn check_each(members: &[Member<'_>]) -> Result<(), ProfileError> {
    for (name, value, is_lawful, problem) in members {
        if value.as_deref().is_some_and(|value| !is_lawful(value)) {
            return Err(ProfileError::Value(name, problem));
        }
    }
    Ok(())
}

impl Profile {
    /// The profile that a file holds, at `now`.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn parse(text: &[u8], now: Timestamp) -> Result<Self, ProfileError> {
        if text.len() > MAXIMUM_BYTES || json::check_object(text).is_err() {
            return Err(ProfileError::Json);
        }
        let profile: Self =
            serde_json::from_slice(text).map_err(|error| ProfileError::Member(error.to_string()))?;
        profile.check(now)?;
        Ok(profile)
    }

    fn check(&self, now: Timestamp) -> Result<(), ProfileError> {
        let members: [Member<'_>; 12] = [
            ("given_name", &self.given_name, is_text, TEXT),
            ("family_name", &self.family_name, is_text, TEXT),
            ("middle_name", &self.middle_name, is_text, TEXT),
            ("nickname", &self.nickname, is_text, TEXT),
            ("preferred_username", &self.preferred_username, is_text, TEXT),
            ("profile", &self.profile, is_web_address, URL),
            ("picture", &self.picture, is_web_address, URL),
            ("website", &self.website, is_web_address, URL),
            ("gender", &self.gender, is_text, TEXT),
            (
                "zoneinfo",
                &self.zoneinfo,
                is_time_zone,
                "must be a name of the time zone database, such as Europe/Paris",
            ),
            (
                "locale",
                &self.locale,
                is_language_tag,
                "must be a language tag of BCP 47, such as en-US",
            ),
            (
                "phone_number",
                &self.phone_number,
                is_phone_number,
                "must be a telephone number, such as +1 (425) 555-1212",
            ),
        ];
        check_each(&members)?;
        if self
            .birthdate
            .as_deref()
            .is_some_and(|date| !is_birthdate(date, now))
        {
            let problem = "must be YYYY-MM-DD, 0000-MM-DD or YYYY, of 1850 or later and not in the future";
            return Err(ProfileError::Value("birthdate", problem));
        }
        let is_possible = |seconds| (EARLIEST_UPDATE..=now.seconds()).contains(&seconds);
        if self.updated_at.is_some_and(|seconds| !is_possible(seconds)) {
            let problem = "must be a number of seconds since 1970, between 1990 and now";
            return Err(ProfileError::Value("updated_at", problem));
        }
        if self.phone_number_verified && self.phone_number.is_none() {
            return Err(ProfileError::Value(
                "phone_number_verified",
                "needs a phone_number",
            ));
        }
        self.address.as_ref().map_or(Ok(()), Address::check)
    }
}

impl Address {
    fn check(&self) -> Result<(), ProfileError> {
        let members: [Member<'_>; 6] = [
            ("address.formatted", &self.formatted, is_lines, LINES),
            ("address.street_address", &self.street_address, is_lines, LINES),
            ("address.locality", &self.locality, is_text, TEXT),
            ("address.region", &self.region, is_text, TEXT),
            ("address.postal_code", &self.postal_code, is_text, TEXT),
            ("address.country", &self.country, is_text, TEXT),
        ];
        if members.iter().all(|(_, value, ..)| value.is_none()) {
            return Err(ProfileError::Value("address", "must have a member"));
        }
        check_each(&members)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
const fn is_false(value: &bool) -> bool {
    !*value
}

fn is_text(text: &str) -> bool {
    text.len() <= MAXIMUM_TEXT_BYTES && is_told(text) && !text.contains(char::is_control)
}

fn is_lines(text: &str) -> bool {
    text.len() <= MAXIMUM_LONG_BYTES
        && is_told(text)
        && !text.contains(|character: char| character.is_control() && !matches!(character, '\r' | '\n'))
}

/// Neither blank nor the word that stands for nothing in careless programs.
fn is_told(text: &str) -> bool {
    !text.trim().is_empty() && !text.trim().eq_ignore_ascii_case("null")
}

fn is_web_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text.len() <= MAXIMUM_LONG_BYTES
        && rest
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '['))
        && text.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some())
}

/// The characters of the names of the database, in one to three parts.
fn is_time_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= 64 && is_told(text) && text.split('/').count() <= 3 && text.split('/').all(is_part)
}

/// The shape of RFC 5646 section 2.1. Some write an underscore for the dash, which the specification of the claim permits.
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let is_language =
        |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 64 && is_told(text) && parts.next().is_some_and(is_language) && parts.all(is_subtag)
}

/// Digits with the usual punctuation, and an extension as in RFC 3966.
fn is_phone_number(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").unwrap_or((text, "0"));
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let lawful = |(index, byte): (usize, u8)| {
        byte.is_ascii_digit() || b" ()-.".contains(&byte) || (byte == b'+' && index == 0)
    };
    (3..=20).contains(&digits)
        && number.len() <= 40
        && number.bytes().enumerate().all(lawful)
        && (1..=8).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_birthdate(text: &str, now: Timestamp) -> bool {
    use chrono::{DateTime, Datelike, NaiveDate};
    let Some(today) = DateTime::from_timestamp(now.seconds(), 0).map(|instant| instant.date_naive()) else {
        return false;
    };
    let number = |digits: &str, length: usize| {
        let whole = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        whole.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let mut parts = text.split('-');
    let Some(year) = parts
        .next()
        .and_then(|part| number(part, 4))
        .and_then(|year| i32::try_from(year).ok())
    else {
        return false;
    };
    match (parts.next(), parts.next(), parts.next()) {
        (None, None, None) => (1850..=today.year()).contains(&year),
        (Some(month), Some(day), None) => {
            // Without the year, every day of a leap year.
            let any_year = if year == 0 { 2000 } else { year };
            let (Some(month), Some(day)) = (number(month, 2), number(day, 2)) else {
                return false;
            };
            let date = NaiveDate::from_ymd_opt(any_year, month, day);
            date.is_some_and(|date| year == 0 || (year >= 1850 && date <= today))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
