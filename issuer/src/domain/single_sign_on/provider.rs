//! What counts of a provider's discovery document (OpenID Connect Discovery 1.0 section 3).

use serde::{Deserialize, Serialize};

/// Where a provider is asked for what. Each URL was checked when the document was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMetadata {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// Where codes are redeemed.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where people sign out (RP-Initiated Logout 1.0 section 2.1), when it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_session_endpoint: Option<String>,
    /// Whether its answers name it in `iss` (RFC 9207 section 3): then one without is refused.
    #[serde(default)]
    pub names_itself: bool,
}

/// `url` with these parameters in its query, which it may have already.
pub fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let separator = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, own)) if own.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{url}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn a_query_of_its_own_stays() {
        for (url, whole) in [
            ("https://idp.example/a", "https://idp.example/a?x=1+%26"),
            ("https://idp.example/a?", "https://idp.example/a?x=1+%26"),
            (
                "https://idp.example/a?p=b2c",
                "https://idp.example/a?p=b2c&x=1+%26",
            ),
            (
                "https://idp.example/a?p=b2c&",
                "https://idp.example/a?p=b2c&x=1+%26",
            ),
        ] {
            assert_eq!(with_query(url, &[("x", "1 &")]), whole);
        }
    }
}
