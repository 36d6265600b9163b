//! `cnf`: the key that a token is bound to (RFC 7800, RFC 9449 section 6.1).

use serde_json::{Value, json};

use crate::dpop::is_thumbprint;

use super::access::AccessClaims;

/// What a token asks of whoever presents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// Nothing: it is a bearer token.
    Nothing,
    /// A DPoP proof made with the key of this SHA-256 thumbprint.
    Key(&'a str),
    /// Something that is not understood here. Such a token must be refused.
    NotUnderstood,
}

/// The value of `cnf` of a token that is bound to the key of this thumbprint.
pub fn bound_to(thumbprint: &str) -> Value {
    json!({ "jkt": thumbprint })
}

impl AccessClaims {
    /// What the token asks of whoever presents it. A confirmation that holds anything beside `jkt` asks for more than a proof,
    /// and is not understood.
    pub fn binding(&self) -> Binding<'_> {
        let Some(confirmation) = &self.confirmation else {
            return Binding::Nothing;
        };
        let members = confirmation.as_object().filter(|members| members.len() == 1);
        members
            .and_then(|members| members.get("jkt"))
            .and_then(Value::as_str)
            .filter(|thumbprint| is_thumbprint(thumbprint))
            .map_or(Binding::NotUnderstood, Binding::Key)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{AccessClaims, Binding, bound_to};

    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn claims(confirmation: Option<Value>) -> AccessClaims {
        let mut claims = json!({ "iss": "i", "sub": "s", "aud": "a", "jti": "t", "client_id": "c" });
        if let Some(confirmation) = confirmation {
            claims["cnf"] = confirmation;
        }
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn tells_bearer_tokens_from_bound_ones() {
        assert_eq!(claims(None).binding(), Binding::Nothing);
        let bound = claims(Some(bound_to(THUMBPRINT)));
        assert_eq!(bound.binding(), Binding::Key(THUMBPRINT));
    }

    #[test]
    fn a_confirmation_that_is_not_understood_is_never_taken_for_none() {
        for confirmation in [
            json!({}),
            json!("x"),
            json!(false),
            json!({ "jkt": "x" }),
            json!({ "jkt": null }),
            json!({ "x5t#S256": THUMBPRINT }),
            json!({ "jkt": THUMBPRINT, "x5t#S256": THUMBPRINT }),
        ] {
            let bound = claims(Some(confirmation.clone()));
            assert_eq!(bound.binding(), Binding::NotUnderstood, "{confirmation}");
        }
    }
}
