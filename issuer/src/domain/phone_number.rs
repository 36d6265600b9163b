//! Telephone numbers as ITU-T E.164 writes them.

use std::fmt;

/// A plus sign, a country code and a number: 7 to 15 digits in all, the first not 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// The text is no international telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an international telephone number: a plus sign, the country code and the number, as in +1 555 0100"
)]
pub struct PhoneNumberError;

impl PhoneNumber {
    /// Reads a number as people write it: spaces, dots, hyphens and brackets between the digits mean nothing. A number without
    /// its country code is refused, since nobody here knows the country.
    ///
    /// # Errors
    /// [`PhoneNumberError`].
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let rest = text.trim().strip_prefix('+').ok_or(PhoneNumberError)?;
        let mut number = String::from("+");
        for character in rest.chars() {
            match character {
                '0'..='9' => number.push(character),
                ' ' | '\u{a0}' | '.' | '-' | '(' | ')' => {}
                _ => return Err(PhoneNumberError),
            }
        }
        let lawful = (8..=16).contains(&number.len()) && !number.starts_with("+0");
        lawful.then_some(Self(number)).ok_or(PhoneNumberError)
    }

    /// The number as E.164 writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last two digits after dots: enough for its owner to know it by.
    pub fn hint(&self) -> String {
        let (_, end) = self.0.split_at(self.0.len().saturating_sub(2));
        format!("•••• {end}")
    }
}

/// The hint only: a number is nobody's business.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PhoneNumber({})", self.hint())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PhoneNumber, PhoneNumberError};

    #[test]
    fn reads_numbers_as_people_write_them() {
        for (text, number) in [
            ("+15550100", "+15550100"),
            (" +1 (555) 010-0199 ", "+15550100199"),
            ("+49.30.123456", "+4930123456"),
            ("+880\u{a0}1712\u{a0}345678", "+8801712345678"),
            ("+123456789012345", "+123456789012345"),
        ] {
            assert_eq!(PhoneNumber::parse(text).unwrap().as_str(), number, "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_called_from_everywhere() {
        for text in [
            "",
            "+",
            "15550100",
            "0015550100",
            "+0155501000",
            "+123456",
            "+1234567890123456",
            "+1555O100",
            "++15550100",
            "+1 555 0100 ext 7",
            "+1555\n0100",
            "+１５５５０１００",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(PhoneNumberError), "{text}");
        }
    }

    #[test]
    fn shows_its_end_only() {
        let number = PhoneNumber::parse("+15550199").unwrap();
        assert_eq!(number.hint(), "•••• 99");
        assert!(!format!("{number:?}").contains("5550"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_e164_and_reads_the_same_again(text in "[+]?[0-9 ().x-]{0,24}") {
            if let Ok(number) = PhoneNumber::parse(&text) {
                let (sign, digits) = number.as_str().split_at(1);
                prop_assert_eq!(sign, "+");
                prop_assert!((7..=15).contains(&digits.len()));
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0'));
                prop_assert_eq!(PhoneNumber::parse(number.as_str()), Ok(number.clone()));
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = PhoneNumber::parse(&text).map(|number| number.hint());
        }
    }
}
