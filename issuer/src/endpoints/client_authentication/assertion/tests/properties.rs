//! What holds for every assertion whatever.

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;

use super::super::{Assertion, AssertionFault};
use super::ASSERTION_TYPE;

fn read(text: &str, client_id: Option<&str>) -> Result<String, AssertionFault> {
    Assertion::read(Some(ASSERTION_TYPE), Some(text), client_id).map(|assertion| assertion.client_id)
}

fn compact(header: &str, claims: &str) -> String {
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    format!("{}.{}.{}", encode(header), encode(claims), "A".repeat(86))
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,300}") {
        prop_assert!(read(&text, None).is_err());
    }

    #[test]
    fn no_header_and_no_claims_panic(header in "\\PC{0,80}", claims in "\\PC{0,80}") {
        let _ = read(&compact(&header, &claims), None);
        let _ = read(&compact("{\"alg\":\"ES256\"}", &claims), None);
        let _ = read(&compact(&header, "{\"iss\":\"a\"}"), None);
    }

    #[test]
    fn the_client_is_the_issuer_and_no_other(issuer in "\\PC{1,40}", named in "\\PC{1,40}") {
        let claims = serde_json::json!({ "iss": issuer }).to_string();
        let text = compact("{\"alg\":\"ES256\"}", &claims);
        prop_assert_eq!(read(&text, None), Ok(issuer.clone()));
        prop_assert_eq!(read(&text, Some(&issuer)), Ok(issuer.clone()));
        if named != issuer {
            prop_assert_eq!(read(&text, Some(&named)), Err(AssertionFault::AnotherClient));
        }
    }

    #[test]
    fn every_other_type_is_refused(kind in "\\PC{0,80}") {
        prop_assume!(kind != ASSERTION_TYPE);
        let text = compact("{\"alg\":\"ES256\"}", "{\"iss\":\"a\"}");
        let refused = Assertion::read(Some(&kind), Some(&text), None).map(|_| ());
        prop_assert_eq!(refused, Err(AssertionFault::Type));
    }
}
