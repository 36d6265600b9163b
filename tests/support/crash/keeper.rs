//! An administrator's program that makes and revokes API keys.

use serde_json::json;

use super::actor::{Address, State, Trouble, expect, text};
use super::dice::Dice;

/// Keys that are remembered.
const REMEMBERED: usize = 10;

struct Key {
    id: String,
    key: String,
    secret: String,
    state: State,
}

pub(super) struct Keeper {
    secret: String,
    token: Option<String>,
    keys: Vec<Key>,
}

impl Keeper {
    pub(super) fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            token: None,
            keys: Vec::new(),
        }
    }

    async fn token(&mut self, address: &Address) -> Result<String, Trouble> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let token = address.access_token("administration", &self.secret).await?;
        Ok(self.token.insert(token).clone())
    }

    pub(super) async fn act(&mut self, address: &Address, dice: &mut Dice) -> Result<(), Trouble> {
        let token = self.token(address).await?;
        let living = self.keys.iter().position(|key| key.state == State::There);
        if let Some(place) = living
            && dice.below(3) == 0
        {
            let key = &mut self.keys[place];
            key.state = State::Unsure;
            let request = address.request("DELETE", &format!("/v1/api-keys/{}", key.id));
            expect(request.bearer_auth(token), &[204], "the end of a key").await?;
            key.state = State::Gone;
            return Ok(());
        }
        let document = json!({ "name": "Integration", "scopes": ["system/Patient.rs"] });
        let request = address.post("/v1/api-keys").bearer_auth(token).json(&document);
        let made = expect(request, &[201], "an API key").await?.json();
        if self.keys.len() == REMEMBERED {
            self.keys.remove(0);
        }
        self.keys.push(Key {
            id: text(&made, "id")?,
            key: text(&made, "api_key")?,
            secret: text(&made, "api_secret")?,
            state: State::There,
        });
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        // Tokens live for minutes; the next round may be later.
        self.token = None;
        let mut confirmed = 0;
        for key in &self.keys {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", key.key.as_str()),
                ("client_secret", key.secret.as_str()),
            ];
            let answer = address.token(&form).await?;
            match (key.state, answer.status) {
                (State::There | State::Unsure, 200) | (State::Gone | State::Unsure, 401) => confirmed += 1,
                (state, _) => return Err(Trouble::wrong(&format!("an API key that is {state:?}"), &answer)),
            }
        }
        self.keys.retain(|key| key.state != State::Unsure);
        Ok(confirmed)
    }
}
