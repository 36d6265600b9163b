//! What a page shows of the client beside its name: its logo, its terms, and who vouches for them (OIDC-84).
//!
//! The person's browser loads the logo, so whoever serves it learns that somebody is about to sign in, and from which
//! address; no referrer is sent along. The page's policy allows pictures from that origin and no other.

use crate::domain::client::Client;

use super::web_origin;

/// The client of a page.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCard<'a> {
    /// Its logo: an https URL, or http on this machine.
    pub logo: Option<&'a str>,
    /// What it does with people's data, likewise.
    pub policy: Option<&'a str>,
    /// Its terms of service, likewise.
    pub terms: Option<&'a str>,
    /// Whether nobody but itself vouches for all this (RFC 7591).
    pub registered_itself: bool,
}

impl<'a> ClientCard<'a> {
    /// What a page shows of `client`.
    pub fn of(client: &'a Client) -> Self {
        let metadata = &client.metadata;
        Self {
            logo: metadata.logo_uri.as_deref().filter(|url| source(url).is_some()),
            policy: metadata.policy_uri.as_deref().filter(|url| is_page(url)),
            terms: metadata.tos_uri.as_deref().filter(|url| is_page(url)),
            registered_itself: client.registered_itself,
        }
    }

    /// The directive that lets the page load the logo, with what separates it from the next; empty without a logo.
    pub(super) fn image_directive(&self) -> String {
        let source = self.logo.and_then(source);
        source.map_or_else(String::new, |source| format!("img-src {source}; "))
    }
}

/// The CSP source of a picture: its origin. IPv6 literals have none that CSP level 3 can spell, and a policy must not be
/// cut short by a `;` or `,` of a stranger.
fn source(url: &str) -> Option<String> {
    let is_plain = |origin: &String| {
        origin
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/%".contains(&byte))
    };
    web_origin(url).filter(is_plain)
}

fn is_page(url: &str) -> bool {
    web_origin(url).is_some()
}

#[cfg(test)]
mod tests {
    use super::ClientCard;
    use crate::domain::client::{ClientAuthentication, ClientMetadata};
    use crate::testing;

    fn shown(logo: &str) -> (Option<String>, String) {
        let mut client = testing::client("app", ClientAuthentication::Public, &[], &[], "openid");
        client.metadata = ClientMetadata {
            logo_uri: Some(logo.into()),
            ..ClientMetadata::default()
        };
        let card = ClientCard::of(&client);
        (card.logo.map(String::from), card.image_directive())
    }

    #[test]
    fn pictures_come_from_the_origin_of_the_logo_and_from_no_other() {
        let logo = "https://App.example:443/logo.png?size=2";
        assert_eq!(
            shown(logo),
            (Some(logo.into()), "img-src https://app.example; ".into())
        );
        let logo = "http://localhost:3000/logo.png";
        assert_eq!(
            shown(logo),
            (Some(logo.into()), "img-src http://localhost:3000; ".into())
        );
    }

    #[test]
    fn a_logo_whose_origin_a_policy_cannot_say_is_not_shown() {
        for logo in [
            "https://a.example;script-src *",
            "https://a.example,b.example/logo",
            "https://[2001:db8::1]/logo.png",
            "javascript:alert(1)",
            "data:image/png;base64,AA",
        ] {
            assert_eq!(shown(logo), (None, String::new()), "{logo}");
        }
    }
}
