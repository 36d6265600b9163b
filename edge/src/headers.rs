//! Headers that Wardgate gives a meaning to.
//!
//! # What the FHIR server is told
//!
//! A forwarded request carries what the token says in the headers of [`identity`]. Whoever stands behind Wardgate may
//! believe them, because the same names from outside are removed in every spelling (any case, `_` for `-`), provided
//! that it can be reached through Wardgate only. A header is absent when the token does not say it, or when it says a
//! patient that is no FHIR id.
//!
//! | header | claim |
//! |---|---|
//! | `X-Wardgate-Subject` | `sub` |
//! | `X-Wardgate-Client` | `client_id` |
//! | `X-Wardgate-Issuer` | `iss`; where several issuers are trusted, subject and client mean something beside it only |
//! | `X-Wardgate-Token-Id` | `jti` |
//! | `X-Wardgate-Scope` | `scope`, with its spaces |
//! | `X-Wardgate-Patient` | `launch_context.patient_id` |
//! | `X-Wardgate-Encounter` | `launch_context.encounter_id` |
//! | `X-Wardgate-Fhir-User` | `fhirUser` |
//! | `X-Wardgate-Practitioner` | `practitioner_id` |
//! | `X-Wardgate-Organization` | `organization_id` |
//! | `X-Wardgate-Access-Level` | why the request is permitted: `patient`, `user`, `system` or `own-resource`; `rule` for an API that is not FHIR |
//! | `X-Wardgate-Authorized-By` | the scopes that permitted it, separated by spaces |
//!
//! At the access level `patient` the FHIR server must confine the request to the compartment of the patient in
//! `X-Wardgate-Patient` where an API leaves that to it ([`crate::compartment`]); at `user`, always, to what the person may
//! see.
//!
//! A value is percent-encoded where it is not visible ASCII, and where it has a space (but for the two headers that
//! are lists) or a percent sign, so that decoding once always gives the claim. No value can hold a line break.
//!
//! Beside these: `X-Forwarded-Host` and `X-Forwarded-Proto` are what the client addressed, and `X-Request-Id`
//! names the request, on the answer too. `X-Forwarded-For` is the client's address as Cloudflare saw it
//! (`CF-Connecting-IP`), and absent where the configuration does not say that Cloudflare stands in front. Nothing of what
//! the client itself claims survives.
//!
//! Nothing on the way stores an answer: requests go out with the cache mode `no-store` where the platform has a cache, and with
//! `Cache-Control: no-cache` where the client says nothing, and always `Pragma: no-cache`.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use wardgate_shared::claims::AccessClaims;

use crate::authorize::patient_in_context;
use crate::config::ClientAddress;
use crate::request::Incoming;

/// What the identity headers' names begin with.
pub const IDENTITY_PREFIX: &str = "x-wardgate-";

/// The name of a request.
pub const REQUEST_ID: &str = "x-request-id";

/// What does not stand for itself in a value that is one word.
const WORD: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
/// What does not stand for itself in a list whose items are separated by spaces.
const LIST: &AsciiSet = &CONTROLS.add(b'%');

/// A value that is safe in a header, from any text.
pub fn word(value: &str) -> String {
    utf8_percent_encode(value, WORD).to_string()
}

/// A list of words that is safe in a header, from any text whose items are separated by spaces.
pub fn list(value: &str) -> String {
    utf8_percent_encode(value, LIST).to_string()
}

/// The headers that tell who holds the token.
pub fn identity(claims: &AccessClaims) -> Vec<(&'static str, String)> {
    let context = &claims.launch_context;
    let mut headers = vec![
        ("x-wardgate-subject", word(&claims.subject)),
        ("x-wardgate-client", word(&claims.client_id)),
        ("x-wardgate-issuer", word(&claims.issuer)),
        ("x-wardgate-token-id", word(&claims.token_id)),
        ("x-wardgate-scope", list(&claims.scope)),
    ];
    let optional = [
        ("x-wardgate-patient", patient_in_context(claims)),
        ("x-wardgate-encounter", context.encounter_id.as_deref()),
        ("x-wardgate-fhir-user", claims.fhir_user.as_deref()),
        ("x-wardgate-practitioner", claims.practitioner_id.as_deref()),
        ("x-wardgate-organization", claims.organization_id.as_deref()),
    ];
    headers.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, word(value?)))),
    );
    headers.retain(|(_, value)| !value.is_empty());
    headers
}

/// The client's address, from where the configuration says that it is true; a client cannot name another one.
pub fn client_address<'a>(source: ClientAddress, request: &Incoming<'a>) -> Option<&'a str> {
    match source {
        ClientAddress::Cloudflare => request.headers.get("cf-connecting-ip"),
        ClientAddress::Unknown => None,
    }
}

/// The request's name: the client's own when it is one, else made of random bytes.
///
/// A name is 1 to 64 letters, digits, `-`, `_` and `.`, so that it can stand in any log.
pub fn request_id(request: &Incoming<'_>, random: impl FnOnce() -> [u8; 16]) -> String {
    let well_formed = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    request
        .headers
        .get(REQUEST_ID)
        .filter(well_formed)
        .map_or_else(|| hexadecimal(&random()), str::to_owned)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(
        String::with_capacity(bytes.len().saturating_mul(2)),
        |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        },
    )
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use wardgate_shared::claims::Actor;

    use super::{identity, list, request_id, word};
    use crate::testing::{claims, incoming};

    #[test]
    fn absent_claims_have_no_header() {
        let names: Vec<&str> = identity(&claims()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "x-wardgate-subject",
                "x-wardgate-client",
                "x-wardgate-issuer",
                "x-wardgate-token-id",
                "x-wardgate-scope"
            ]
        );
    }

    #[test]
    fn an_actor_is_not_forwarded() {
        let mut claims = claims();
        let without = identity(&claims);
        claims.actor = Some(Actor {
            subject: Some("agent".into()),
            earlier: None,
        });
        assert_eq!(identity(&claims), without);
    }

    #[test]
    fn claims_stand_in_their_headers() {
        let mut claims = claims();
        claims.subject = "Zoë\r\nX-Wardgate-Subject: root".into();
        claims.launch_context.patient_id = Some("p-1".into());
        claims.fhir_user = Some("Practitioner/9".into());
        let headers = identity(&claims);
        let get = |name| {
            headers
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(
            get("x-wardgate-subject"),
            Some("Zo%C3%AB%0D%0AX-Wardgate-Subject:%20root")
        );
        assert_eq!(get("x-wardgate-patient"), Some("p-1"));
        assert_eq!(get("x-wardgate-fhir-user"), Some("Practitioner/9"));
        assert_eq!(get("x-wardgate-scope"), Some("system/*.read"));
    }

    #[test]
    fn a_patient_that_is_no_fhir_id_is_not_told() {
        let mut claims = claims();
        for id in [
            "",
            "Patient/p-1",
            "p_1",
            "p-1 ",
            "p-1,p-2",
            "p-1*",
            &"a".repeat(65),
        ] {
            claims.launch_context.patient_id = Some(id.to_owned());
            assert!(
                identity(&claims)
                    .iter()
                    .all(|(name, _)| *name != "x-wardgate-patient"),
                "{id:?}"
            );
        }
    }

    #[test]
    fn passes_a_well_formed_request_id_on_and_replaces_another() {
        let random = || [0xAB; 16];
        let with = |id: &str| request_id(&incoming("GET", "/fhir", &[("x-request-id", id)]), random);
        assert_eq!(with("abc-1_2.3"), "abc-1_2.3");
        for id in ["", "a b", "a\"b", "a,b", &"a".repeat(65), "é"] {
            assert_eq!(with(id), "ab".repeat(16), "{id}");
        }
        assert_eq!(
            request_id(&incoming("GET", "/fhir", &[]), random),
            "ab".repeat(16)
        );
    }

    proptest! {
        #[test]
        fn any_value_becomes_visible_ascii_and_decodes_to_itself(value in any::<String>()) {
            let (one, many) = (word(&value), list(&value));
            prop_assert!(one.bytes().all(|byte| (0x21..=0x7E).contains(&byte)));
            prop_assert!(many.bytes().all(|byte| (0x20..=0x7E).contains(&byte)));
            prop_assert_eq!(percent_decode_str(&one).decode_utf8().unwrap(), value.as_str());
            prop_assert_eq!(percent_decode_str(&many).decode_utf8().unwrap(), value.as_str());
        }
    }
}
