//! The parameters of a request as a form or as a JSON object, for clients that send JSON where OAuth has forms.
//!
//! A JSON object says what a form of its members would say, and nothing more: every member is a text, none comes twice.
//! Past this point nobody knows which of the two came.

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use serde_json::Value;
use wardgate_shared::json;
use zeroize::Zeroizing;

use super::form::{FORM_TYPE, Form, FormError, body, has_type};
use super::parameters::Parameters;

/// The parameters of an `application/x-www-form-urlencoded` or `application/json` body. How long a body may be is said by the
/// router's layer.
#[derive(Debug)]
pub struct FormOrJson(pub Parameters);

impl FormOrJson {
    /// Reads a body by what its headers say it is.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, FormError> {
        if has_type(headers, "application/json") {
            parse(body).map(Self)
        } else if has_type(headers, FORM_TYPE) {
            Ok(Self(Parameters::parse(body)?))
        } else {
            Err(FormError::NeitherFormNorJson)
        }
    }

    /// The parameters as those of a form.
    pub fn into_form(self) -> Form {
        Form(self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for FormOrJson {
    type Rejection = FormError;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormError> {
        let headers = request.headers().clone();
        Self::parse(&headers, &body(request, state).await?)
    }
}

/// Reads a JSON object of texts. An empty text counts as absent, as in a form.
fn parse(text: &[u8]) -> Result<Parameters, FormError> {
    json::check_object(text).map_err(|_| FormError::Json)?;
    let Ok(Value::Object(members)) = serde_json::from_slice(text) else {
        return Err(FormError::Json);
    };
    let mut pairs = Vec::with_capacity(members.len());
    for (name, value) in members {
        let Value::String(value) = value else {
            return Err(FormError::NotAText);
        };
        pairs.push((name, Zeroizing::new(value)));
    }
    Ok(Parameters::from_pairs(pairs)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::parse;
    use crate::extract::{FormError, Parameters, ParametersError};

    fn refused(text: &str) -> FormError {
        parse(text.as_bytes()).map(|_| ()).unwrap_err()
    }

    #[test]
    fn an_object_of_texts_is_read_as_a_form_would_be() {
        let parameters =
            parse(br#" {"grant_type":"x","scope":"a b","empty":"","\u00e4":"\u00fc"} "#).unwrap();
        assert_eq!(parameters.single("grant_type"), Ok(Some("x")));
        assert_eq!(parameters.single("scope"), Ok(Some("a b")));
        assert_eq!(parameters.single("empty"), Ok(None));
        assert_eq!(parameters.single("ä"), Ok(Some("ü")));
        assert!(parse(b"{}").is_ok());
    }

    #[test]
    fn refuses_what_is_no_object_and_what_comes_twice() {
        for text in [
            "",
            "[]",
            "\"x\"",
            "null",
            "{\"a\":\"1\"",
            "{\"a\":\"1\"} x",
            "grant_type=x",
            "{\"a\":\"1\",\"a\":\"1\"}",
            "{\"a\":\"1\",\"\\u0061\":\"2\"}",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert_eq!(refused(text), FormError::Json, "{text}");
        }
    }

    #[test]
    fn refuses_values_that_are_no_texts() {
        for value in ["1", "true", "null", "[]", "[\"x\"]", "{}", "{\"b\":\"c\"}"] {
            assert_eq!(
                refused(&format!("{{\"a\":{value}}}")),
                FormError::NotAText,
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_a_flood_of_members() {
        let members: serde_json::Map<_, _> = (0..65).map(|number| (number.to_string(), json!("x"))).collect();
        let text = serde_json::Value::Object(members).to_string();
        assert_eq!(refused(&text), FormError::Parameters(ParametersError::TooMany));
    }

    proptest! {
        #[test]
        fn json_and_form_of_the_same_members_say_the_same(
            members in proptest::collection::btree_map("\\PC{1,20}", "\\PC{0,40}", 0..20)
        ) {
            let text = serde_json::to_string(&members).unwrap();
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&members).finish();
            let (as_json, as_form) = (parse(text.as_bytes()).unwrap(), Parameters::parse(form.as_bytes()).unwrap());
            for name in members.keys() {
                prop_assert_eq!(as_json.single(name), as_form.single(name));
                prop_assert!(as_json.single(name).is_ok());
            }
            prop_assert_eq!(as_json.refuse_repeated(&[]), Ok(()));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
            let _ = parse(format!("{{\"a\":{text}}}").as_bytes());
        }
    }
}
