//! The people of the dev data, and what is made up for them.

use std::{fs::File, io::Read as _};

use serde_json::{Value, json};

use super::issuer;
use crate::{
    digest,
    fault::{OrFault as _, Outcome},
    session::Session,
};

/// Makes a person's account, and gives the password.
pub(super) fn add_person(session: &Session<'_>, email: &str, name: &str, more: &[&str]) -> Outcome<String> {
    let password = random_password()?;
    let mut person = vec![
        "user",
        "add",
        "--email",
        email,
        "--name",
        name,
        "--password-stdin",
    ];
    person.extend(more);
    issuer(session, &person, Some(&password))?;
    Ok(password)
}

/// All that can be known of a person, so that a client sees every claim.
pub(super) fn person_profile() -> Value {
    json!({
        "given_name": "Amina",
        "family_name": "Rahman",
        "middle_name": "Sultana",
        "nickname": "Mina",
        "preferred_username": "amina",
        "profile": "https://example.org/people/amina",
        "picture": "https://example.org/people/amina.png",
        "website": "https://example.org/amina",
        "gender": "female",
        "birthdate": "1985-02-28",
        "zoneinfo": "Asia/Dhaka",
        "locale": "en-GB",
        "email_verified": true,
        "phone_number": "+8801712345678",
        "phone_number_verified": true,
        "address": {
            "formatted": "12 Lake Road\nDhaka 1212\nBangladesh",
            "street_address": "12 Lake Road",
            "locality": "Dhaka",
            "region": "Dhaka",
            "postal_code": "1212",
            "country": "Bangladesh",
        },
    })
}

/// 128 bits from the system, as words of hexadecimal digits that a person can still copy by eye.
fn random_password() -> Outcome<String> {
    let words: Vec<String> = random_bytes::<16>()?.chunks(4).map(digest::hex).collect();
    Ok(words.join("-"))
}

/// The seed of an authenticator app: 160 bits in Base32 (RFC 4648 section 6).
pub(super) fn random_seed() -> Outcome<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // Five random bits a letter are as good as the Base32 of random bytes.
    let letters = random_bytes::<32>()?
        .into_iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
    Ok(letters.map(|letter| char::from(*letter)).collect())
}

fn random_bytes<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    let what = || "read random bytes".to_owned();
    File::open("/dev/urandom")
        .or_fault(what)?
        .read_exact(&mut bytes)
        .or_fault(what)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::random_password;

    #[test]
    fn passwords_differ() {
        assert_ne!(random_password().unwrap(), random_password().unwrap());
        assert_eq!(random_password().unwrap().len(), 35);
    }
}
