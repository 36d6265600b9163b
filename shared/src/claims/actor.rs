//! Who acts for the subject of a token (RFC 8693 section 4.1).

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The claim `act`: the party that acts, and who acted before it. Informative alone: what a token permits stands in its
/// other claims, and nothing may be decided by earlier actors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `sub`: who acts; in tokens of Wardgate's issuer the `client_id` of a client. Other issuers may name an actor in
    /// other words, which are passed over.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `act`: who acted before.
    #[serde(rename = "act", default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Box<Actor>>,
}

impl Actor {
    /// How many actors there are, this one included.
    pub fn count(&self) -> usize {
        let mut earlier = self.earlier.as_deref();
        let mut count = 1_usize;
        while let Some(actor) = earlier {
            count = count.saturating_add(1);
            earlier = actor.earlier.as_deref();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::Actor;

    #[test]
    fn the_chain_of_rfc_8693_is_read_and_written_as_it_stands() {
        let text = r#"{"sub":"https://service16.example.com","act":{"sub":"https://service77.example.com"}}"#;
        let actor: Actor = serde_json::from_str(text).unwrap();
        assert_eq!(actor.count(), 2);
        assert_eq!(serde_json::to_string(&actor).unwrap(), text);
    }

    #[test]
    fn an_actor_in_other_words_is_an_actor() {
        let actor: Actor = serde_json::from_str(r#"{"iss":"https://a.example","client_id":"x"}"#).unwrap();
        assert_eq!(actor, Actor::default());
        assert!(serde_json::from_str::<Actor>("\"x\"").is_err());
    }
}
