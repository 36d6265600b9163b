//! The sector of a client: those clients that are told the same pairwise `sub` (OpenID Connect Core section 8.1).

use std::collections::BTreeSet;

use wardgate_shared::redirect_uri::RegisteredRedirectUri;

use super::{Client, SubjectType};

impl Client {
    /// The sector of its pairwise subjects; none for a client that is told public ones. The host of its
    /// `sector_identifier_uri`, else the one host of its https redirect URIs: localhost is everybody's. Registration takes no pairwise client without either
    /// ([`Client::has_sector`]); one that is there all the same is a sector by itself, so that nobody is told more.
    pub fn sector(&self) -> Option<String> {
        match self.metadata.subject_type {
            SubjectType::Public => None,
            SubjectType::Pairwise => Some(self.sector_host().unwrap_or_else(|| self.client_id.clone())),
        }
    }

    /// Whether a pairwise sector follows from what it is registered with.
    pub fn has_sector(&self) -> bool {
        self.sector_host().is_some()
    }

    fn sector_host(&self) -> Option<String> {
        if let Some(uri) = &self.metadata.sector_identifier_uri {
            return host(uri);
        }
        let uris = self.redirect_uris.iter().map(RegisteredRedirectUri::as_str);
        let hosts: Option<BTreeSet<String>> = uris
            .map(|uri| host(uri).filter(|_| uri.starts_with("https:")))
            .collect();
        let mut hosts = hosts?.into_iter();
        match (hosts.next(), hosts.next()) {
            (Some(only), None) => Some(only),
            (None, _) | (Some(_), Some(_)) => None,
        }
    }
}

/// The host of a URI in lower case; none for the private-use schemes of apps.
fn host(uri: &str) -> Option<String> {
    let uri: http::Uri = uri.parse().ok()?;
    uri.host().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use crate::domain::client::{Client, ClientAuthentication, GrantType, SubjectType};
    use crate::testing;

    fn pairwise(redirect_uris: &[&str], sector_identifier_uri: Option<&str>) -> Client {
        let grants = [GrantType::AuthorizationCode];
        let mut client = testing::client(
            "app",
            ClientAuthentication::Public,
            &grants,
            redirect_uris,
            "openid",
        );
        client.metadata.subject_type = SubjectType::Pairwise;
        client.metadata.sector_identifier_uri = sector_identifier_uri.map(String::from);
        client
    }

    #[test]
    fn the_sector_is_the_named_host_or_the_only_one() {
        let one = ["https://App.example/cb", "https://app.example:8443/other"];
        assert_eq!(pairwise(&one, None).sector().as_deref(), Some("app.example"));
        let two = ["https://a.example/cb", "https://b.example/cb"];
        let named = pairwise(&two, Some("https://sector.example/uris.json"));
        assert_eq!(named.sector().as_deref(), Some("sector.example"));
        assert!(named.has_sector());
    }

    #[test]
    fn without_a_sector_a_client_stands_alone() {
        for uris in [
            &["https://a.example/cb", "https://b.example/cb"][..],
            &["com.example.app:/cb"],
            &["https://a.example/cb", "com.example.app:/cb"],
            &["http://localhost/cb"],
            &["http://127.0.0.1:8080/cb"],
            &[],
        ] {
            let client = pairwise(uris, None);
            assert!(!client.has_sector(), "{uris:?}");
            assert_eq!(client.sector().as_deref(), Some("app"));
        }
    }

    #[test]
    fn a_client_that_is_told_public_subjects_has_no_sector() {
        let mut client = pairwise(&["https://a.example/cb"], None);
        client.metadata.subject_type = SubjectType::Public;
        assert_eq!(client.sector(), None);
    }
}
