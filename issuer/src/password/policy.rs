//! Which passwords may be set.
//!
//! At least eight characters and three of four classes; none of the common ones, whatever letters were exchanged for digits and
//! whatever digits and signs were put around them; not the person's own address or name. The operator may ask for more, never
//! for less. What was set before stays good.
//!
//! The common passwords are words that lists of leaked passwords are full of, put together for this project.

use std::collections::HashSet;

use crate::config::PasswordsConfig;

use super::MAXIMUM_PASSWORD_BYTES;

const COMMON: &str = include_str!("../../data/common_passwords.txt");
/// A word of fewer letters says nothing about what stands around it.
const SHORTEST_WORD: usize = 4;

/// What is wrong with a new password; each with a sentence of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It has fewer characters than it must.
    #[error("The password must have at least {0} characters.")]
    TooShort(usize),
    /// It is longer than [`MAXIMUM_PASSWORD_BYTES`].
    #[error("The password must not be longer than {MAXIMUM_PASSWORD_BYTES} bytes.")]
    TooLong,
    /// It has characters of fewer classes than it must.
    #[error(
        "The password must have characters of {0} of these kinds: small letters, capital letters, digits, other characters."
    )]
    TooPlain(usize),
    /// It is common, or as good as.
    #[error("The password is one of those that are tried first, but for a few characters at most.")]
    Common,
    /// It is the person's address or name, or as good as.
    #[error("The password must not be your address or your name.")]
    OwnName,
}

/// Whose password it is to be.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Their address.
    pub email: &'a str,
    /// What they are called.
    pub name: &'a str,
}

/// The rules.
#[derive(Debug)]
pub struct PasswordPolicy {
    minimum_length: usize,
    minimum_classes: usize,
    /// Words, folded.
    refused: HashSet<String>,
}

impl PasswordPolicy {
    /// The rules of this configuration.
    pub fn new(config: &PasswordsConfig) -> Self {
        let own = config.refused.iter().map(String::as_str);
        Self {
            minimum_length: config.minimum_length,
            minimum_classes: config.minimum_classes,
            refused: COMMON.lines().chain(own).flat_map(forms).collect(),
        }
    }

    /// The rules in words, for whoever is to choose a password.
    pub fn words(&self) -> Vec<String> {
        let kinds = if self.minimum_classes >= 4 {
            String::from("all")
        } else {
            self.minimum_classes.to_string()
        };
        vec![
            format!("At least {} characters.", self.minimum_length),
            format!("Of these kinds, {kinds}: small letters, capital letters, digits, other characters."),
            String::from("None of the passwords that everybody thinks of, and not your address or name."),
        ]
    }

    /// Everything that is wrong with `password` for `owner`.
    ///
    /// # Errors
    /// The faults, at least one.
    pub fn check(&self, password: &str, owner: Owner<'_>) -> Result<(), Vec<PasswordFault>> {
        let mut faults = Vec::new();
        if password.len() > MAXIMUM_PASSWORD_BYTES {
            // Nobody waits for the rest.
            return Err(vec![PasswordFault::TooLong]);
        }
        if password.chars().count() < self.minimum_length {
            faults.push(PasswordFault::TooShort(self.minimum_length));
        }
        if classes(password) < self.minimum_classes {
            faults.push(PasswordFault::TooPlain(self.minimum_classes));
        }
        let candidates = candidates(password);
        if is_repetition(&fold(password)) || candidates.iter().any(|word| self.refused.contains(word)) {
            faults.push(PasswordFault::Common);
        }
        let own = own_words(owner);
        if candidates.iter().any(|word| own.contains(word)) {
            faults.push(PasswordFault::OwnName);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// How many classes of characters there are in a text. Letters without case count as small ones.
fn classes(text: &str) -> usize {
    let classes = text.chars().map(|character| {
        if character.is_uppercase() {
            0
        } else if character.is_alphabetic() {
            1
        } else if character.is_numeric() {
            2
        } else {
            3
        }
    });
    classes.collect::<HashSet<u8>>().len()
}

/// The text in which variants of one word are the same: small letters, full-width forms as their narrow ones, digits and signs as the
/// letters they stand for. `l` and `i` are one, since `1` stands for either.
fn fold(text: &str) -> String {
    text.chars()
        .map(narrow)
        .flat_map(char::to_lowercase)
        .map(letter)
        .collect()
}

/// The ASCII character of a full-width form (U+FF01 to U+FF5E), as Unicode's NFKC has it.
fn narrow(character: char) -> char {
    match u32::from(character) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code.saturating_sub(0xFEE0)).unwrap_or(character),
        _ => character,
    }
}

const fn letter(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | 'l' | '!' | '|' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        other => other,
    }
}

/// A word to compare with, folded: as it is, and its letters alone where they are enough to be a word.
fn forms(word: &str) -> Vec<String> {
    let folded = fold(word);
    let letters: String = folded
        .chars()
        .filter(|character| character.is_alphabetic())
        .collect();
    if letters.chars().count() >= SHORTEST_WORD {
        vec![folded, letters]
    } else {
        vec![folded]
    }
}

/// The words that a password may be made of: itself, and what is left without digits and signs around it.
fn candidates(password: &str) -> Vec<String> {
    let narrowed: String = password.chars().map(narrow).collect();
    let is_around = |character: char| !character.is_alphabetic();
    let inner = narrowed.trim_matches(is_around);
    // A sign at the beginning or the end may stand for a letter: `$ecret`, `passw0rd!` and `letme1n` are all tried.
    let without_end = narrowed.trim_end_matches(is_around);
    let without_digits = narrowed.trim_end_matches(|character: char| character.is_numeric());
    let mut words = vec![fold(&narrowed)];
    for word in [inner, without_end, without_digits] {
        if word.chars().count() >= SHORTEST_WORD {
            words.extend(forms(word));
        }
    }
    words
}

/// Whether a text is one group of up to four characters, again and again: `aaaaaaaa`, `Ab1!Ab1!Ab1!`.
fn is_repetition(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    (1_usize..=4).any(|width| {
        characters.len() >= width.saturating_mul(2)
            && characters
                .iter()
                .zip(characters.iter().skip(width))
                .all(|(one, next)| one == next)
    })
}

/// What nobody's password is to be: their address, the part of it before the `@`, their name and its words.
fn own_words(owner: Owner<'_>) -> HashSet<String> {
    let local = owner.email.split('@').next().unwrap_or_default();
    let joined: String = owner.name.split_whitespace().collect();
    let whole = [owner.email, local, owner.name, &joined];
    whole
        .into_iter()
        .chain(owner.name.split_whitespace())
        .chain(local.split(['.', '-', '_', '+']))
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .flat_map(forms)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PasswordFault::{Common, OwnName, TooLong, TooPlain, TooShort};
    use super::{Owner, PasswordPolicy};
    use crate::config::PasswordsConfig;

    const ADA: Owner<'static> = Owner {
        email: "ada.lovelace@example.org",
        name: "Ada Lovelace",
    };

    fn config() -> PasswordsConfig {
        PasswordsConfig {
            memory_kib: 8,
            iterations: 1,
            parallelism: 1,
            concurrency: 1,
            minimum_length: 8,
            minimum_classes: 3,
            refused: vec![String::from("Wardgate Clinic")],
        }
    }

    #[track_caller]
    fn is_refused(password: &str, faults: &[super::PasswordFault]) {
        let outcome = PasswordPolicy::new(&config()).check(password, ADA);
        let expected = if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.to_vec())
        };
        assert_eq!(outcome, expected, "{password}");
    }

    #[test]
    fn three_of_four_classes_and_eight_characters_will_do() {
        for password in [
            "Sturdy-oak",
            "sturdy-oak-7",
            "Sturdy77oak",
            "STURDY-OAK-7",
            "Größe-und-7",
            "Дубравa-47",
        ] {
            is_refused(password, &[]);
        }
    }

    #[test]
    fn every_fault_is_told_and_all_together() {
        is_refused("", &[TooShort(8), TooPlain(3)]);
        is_refused("oak", &[TooShort(8), TooPlain(3)]);
        is_refused("Oak-7", &[TooShort(8)]);
        is_refused("sturdyoaktree", &[TooPlain(3)]);
        is_refused("sturdyoaktree7", &[TooPlain(3)]);
        is_refused("password", &[TooPlain(3), Common]);
        is_refused("Ada", &[TooShort(8), TooPlain(3)]);
        is_refused(&format!("Aa1{}", "x".repeat(1022)), &[TooLong]);
        for fault in [TooShort(8), TooLong, TooPlain(3), Common, OwnName] {
            let sentence = fault.to_string();
            assert!(
                sentence.starts_with("The password") && sentence.ends_with('.'),
                "{sentence}"
            );
        }
    }

    #[test]
    fn common_passwords_are_known_in_disguise() {
        for password in [
            "Password1",
            "P@ssw0rd!",
            "Passw0rd2024!",
            "Pa$$w0rd",
            "Qwerty123!",
            "Welcome1!",
            "Letme1n!!",
            "!Admin123",
            "Summer2026!",
            "1Q2w3e4r",
            "Ｐａｓｓｗｏｒｄ１",
            "Wardgate-Clinic1",
            "Ab1!Ab1!Ab1!",
            "Aa1!Aa1!",
        ] {
            is_refused(password, &[Common]);
        }
    }

    #[test]
    fn nobodys_password_is_their_name_or_address() {
        for password in [
            "Lovelace1815",
            "Ada.Lovelace1",
            "AdaLovelace!1",
            "Ada-Lovelace-1",
            "ada.lovelace@Example.org",
        ] {
            is_refused(password, &[OwnName]);
        }
    }

    #[test]
    fn the_operator_may_ask_for_more() {
        let stricter = PasswordPolicy::new(&PasswordsConfig {
            minimum_length: 14,
            minimum_classes: 4,
            ..config()
        });
        assert_eq!(
            stricter.check("sturdy-oak-7", ADA),
            Err(vec![TooShort(14), TooPlain(4)])
        );
        assert_eq!(stricter.check("Sturdy-oak-tree-7", ADA), Ok(()));
        assert!(stricter.words()[0].contains("14") && stricter.words()[1].contains("all"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_passes_keeps_the_rules(password in "\\PC{0,40}") {
            if PasswordPolicy::new(&config()).check(&password, ADA).is_ok() {
                prop_assert!(password.chars().count() >= 8);
                prop_assert!(super::classes(&password) >= 3);
            }
        }
    }
}
