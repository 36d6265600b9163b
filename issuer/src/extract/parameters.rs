//! `application/x-www-form-urlencoded` parameters, from a query or a body (RFC 6749 appendix B).

use std::fmt;

use zeroize::Zeroizing;

/// The most parameters that are read; no request of any profile comes near it.
const MAXIMUM_PARAMETERS: usize = 64;

/// Parameters in the order in which they came, empty ones left out. Values may be secrets: they are wiped when dropped
/// and not shown by `Debug`.
pub struct Parameters(Vec<(String, Zeroizing<String>)>);

/// Why a text is not a list of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8 once decoded.
    #[error("The parameters are not percent-encoded UTF-8")]
    Malformed,
    /// More than 64.
    #[error("There are too many parameters")]
    TooMany,
}

/// A parameter came twice (RFC 6749 sections 3.1 and 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A parameter is repeated")]
pub struct RepeatedParameter;

impl Parameters {
    /// Reads `text`, which may be empty.
    ///
    /// # Errors
    /// [`ParametersError`].
    pub fn parse(text: &[u8]) -> Result<Self, ParametersError> {
        let mut pairs = Vec::new();
        for piece in text.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
            if pairs.len() == MAXIMUM_PARAMETERS {
                return Err(ParametersError::TooMany);
            }
            let mut halves = piece.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default()).ok_or(ParametersError::Malformed)?;
            let value = decode(halves.next().unwrap_or_default()).ok_or(ParametersError::Malformed)?;
            if !value.is_empty() {
                pairs.push((name, Zeroizing::new(value)));
            }
        }
        Ok(Self(pairs))
    }

    /// Parameters of these names and values, empty values left out.
    ///
    /// # Errors
    /// [`ParametersError::TooMany`].
    pub(super) fn from_pairs(pairs: Vec<(String, Zeroizing<String>)>) -> Result<Self, ParametersError> {
        if pairs.len() > MAXIMUM_PARAMETERS {
            return Err(ParametersError::TooMany);
        }
        Ok(Self(
            pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        ))
    }

    /// The value of `name`, or `None` when it is absent or empty.
    ///
    /// # Errors
    /// [`RepeatedParameter`] when there are several.
    pub fn single(&self, name: &str) -> Result<Option<&str>, RepeatedParameter> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            Err(RepeatedParameter)
        } else {
            Ok(first)
        }
    }

    /// Every value of `name`, for the parameters that may be repeated (`resource`, RFC 8707 section 2).
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// Refuses any repeated parameter, unknown ones included, except those named in `repeatable`.
    ///
    /// # Errors
    /// [`RepeatedParameter`].
    pub fn refuse_repeated(&self, repeatable: &[&str]) -> Result<(), RepeatedParameter> {
        let repeated = self.0.iter().enumerate().any(|(index, (name, _))| {
            !repeatable.contains(&name.as_str())
                && self
                    .0
                    .iter()
                    .skip(index.saturating_add(1))
                    .any(|(other, _)| other == name)
        });
        if repeated { Err(RepeatedParameter) } else { Ok(()) }
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// One name or value, decoded: `+` is a space, `%` takes two hexadecimal digits, the result is UTF-8. `None` otherwise.
pub fn decode(encoded: &[u8]) -> Option<String> {
    let mut bytes = encoded.iter().copied();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hexadecimal(bytes.next()?)?;
                let low = hexadecimal(bytes.next()?)?;
                (high << 4) | low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAXIMUM_PARAMETERS, Parameters, ParametersError, RepeatedParameter, decode};

    #[test]
    fn reads_names_and_values() {
        let parameters = Parameters::parse(b"a=1&b=x+y%2Fz&c=%C3%A4&d=1=2").unwrap();
        assert_eq!(parameters.single("a"), Ok(Some("1")));
        assert_eq!(parameters.single("b"), Ok(Some("x y/z")));
        assert_eq!(parameters.single("c"), Ok(Some("ä")));
        assert_eq!(parameters.single("d"), Ok(Some("1=2")));
        assert_eq!(parameters.single("e"), Ok(None));
    }

    #[test]
    fn counts_an_empty_value_as_absent() {
        let parameters = Parameters::parse(b"a=&b&=x&&c=1&c=").unwrap();
        assert_eq!(parameters.single("a"), Ok(None));
        assert_eq!(parameters.single("b"), Ok(None));
        assert_eq!(parameters.single("c"), Ok(Some("1")));
        assert_eq!(parameters.refuse_repeated(&[]), Ok(()));
    }

    #[test]
    fn sees_a_repeated_parameter_even_when_values_agree() {
        let parameters = Parameters::parse(b"a=1&b=2&a=1").unwrap();
        assert_eq!(parameters.single("a"), Err(RepeatedParameter));
        assert_eq!(parameters.refuse_repeated(&[]), Err(RepeatedParameter));
        assert_eq!(parameters.refuse_repeated(&["a"]), Ok(()));
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1", "1"]);
    }

    #[test]
    fn refuses_malformed_percent_encoding_and_utf8() {
        for text in [
            "a=%", "a=%4", "a=%zz", "%=1", "a=%C3%28", "a=%FF", "a=%+1", "a=%2 ",
        ] {
            assert_eq!(
                Parameters::parse(text.as_bytes()).unwrap_err(),
                ParametersError::Malformed,
                "{text}"
            );
        }
        assert_eq!(
            Parameters::parse(b"a=\xFF").unwrap_err(),
            ParametersError::Malformed
        );
    }

    #[test]
    fn refuses_a_flood_of_parameters() {
        let text = "a=1&".repeat(MAXIMUM_PARAMETERS + 1);
        assert_eq!(
            Parameters::parse(text.as_bytes()).unwrap_err(),
            ParametersError::TooMany
        );
    }

    #[test]
    fn debug_output_shows_names_only() {
        let parameters = Parameters::parse(b"password=hunter2").unwrap();
        assert_eq!(format!("{parameters:?}"), r#"{"password"}"#);
    }

    proptest! {
        #[test]
        fn what_a_client_encodes_is_what_is_read(value in "\\PC{1,40}") {
            let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            prop_assert_eq!(decode(encoded.as_bytes()), Some(value.clone()));
            let parameters = Parameters::parse(format!("x={encoded}").as_bytes()).unwrap();
            prop_assert_eq!(parameters.single("x"), Ok(Some(value.as_str())));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parameters::parse(&bytes);
        }
    }
}
