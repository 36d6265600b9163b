//! A service: access tokens in its own name, some of which it gives back.

use super::actor::{Address, State, Trouble, ask, expect};
use super::dice::Dice;
use super::site::Site;

/// Tokens that are remembered.
const REMEMBERED: usize = 12;

pub(super) struct Service {
    client_id: &'static str,
    secret: String,
    tokens: Vec<(String, State)>,
}

impl Service {
    pub(super) fn new(site: &Site, client_id: &'static str) -> Self {
        Self {
            client_id,
            secret: site.add_service(client_id, "system/*.rs"),
            tokens: Vec::new(),
        }
    }

    pub(super) async fn act(&mut self, address: &Address, dice: &mut Dice) -> Result<(), Trouble> {
        let living = self.tokens.iter().position(|(_, state)| *state == State::There);
        if let Some(place) = living
            && dice.below(3) == 0
        {
            self.tokens[place].1 = State::Unsure;
            let form = self.form(&self.tokens[place].0);
            expect(address.post("/oauth2/revoke").form(&form), &[200], "a revocation").await?;
            self.tokens[place].1 = State::Gone;
            return Ok(());
        }
        let token = address.access_token(self.client_id, &self.secret).await?;
        if self.tokens.len() == REMEMBERED {
            self.tokens.remove(dice.below(REMEMBERED));
        }
        self.tokens.push((token, State::There));
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        let mut confirmed = 0;
        for (token, state) in &self.tokens {
            let answer = ask(address.post("/oauth2/introspect").form(&self.form(token))).await?;
            let active = answer.json()["active"].as_bool();
            match (state, active) {
                (State::There, Some(true)) | (State::Gone, Some(false)) => confirmed += 1,
                (State::Unsure, Some(_)) => {}
                (State::There | State::Gone | State::Unsure, _) => {
                    return Err(Trouble::wrong(
                        &format!("an access token that is {state:?}"),
                        &answer,
                    ));
                }
            }
        }
        self.tokens.retain(|(_, state)| *state != State::Unsure);
        Ok(confirmed)
    }

    fn form(&self, token: &str) -> [(&'static str, String); 3] {
        [
            ("token", token.to_owned()),
            ("client_id", self.client_id.to_owned()),
            ("client_secret", self.secret.clone()),
        ]
    }
}
