//! Clients that register themselves, and go.

use serde_json::json;

use super::actor::{Address, State, Trouble, ask, expect, text};
use super::dice::Dice;

/// Registrations that are remembered.
const REMEMBERED: usize = 12;

struct Registered {
    name: String,
    uri: String,
    token: String,
    state: State,
}

#[derive(Default)]
pub(super) struct Registrar {
    clients: Vec<Registered>,
    made: u64,
}

impl Registrar {
    pub(super) async fn act(&mut self, address: &Address, dice: &mut Dice) -> Result<(), Trouble> {
        let living = self
            .clients
            .iter()
            .position(|client| client.state == State::There);
        if let Some(place) = living
            && dice.below(3) == 0
        {
            let client = &mut self.clients[place];
            client.state = State::Unsure;
            let request = address.request("DELETE", &client.uri).bearer_auth(&client.token);
            expect(request, &[204], "the end of a registration").await?;
            client.state = State::Gone;
            return Ok(());
        }
        self.made += 1;
        let name = format!("Client {}", self.made);
        let document = json!({
            "client_name": name,
            "redirect_uris": ["https://app.example/callback"],
            "token_endpoint_auth_method": "none",
        });
        let request = address.post("/oauth2/register").json(&document);
        let made = expect(request, &[201], "a registration").await?.json();
        if self.clients.len() == REMEMBERED {
            self.clients.remove(0);
        }
        self.clients.push(Registered {
            name,
            uri: text(&made, "registration_client_uri")?,
            token: text(&made, "registration_access_token")?,
            state: State::There,
        });
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        let mut confirmed = 0;
        for client in &self.clients {
            let answer = ask(address.request("GET", &client.uri).bearer_auth(&client.token)).await?;
            match (client.state, answer.status) {
                (State::There | State::Unsure, 200) if answer.json()["client_name"] == client.name => {
                    confirmed += 1
                }
                (State::Gone | State::Unsure, 401) => confirmed += 1,
                (state, _) => {
                    return Err(Trouble::wrong(
                        &format!("a registration that is {state:?}"),
                        &answer,
                    ));
                }
            }
        }
        self.clients.retain(|client| client.state != State::Unsure);
        Ok(confirmed)
    }
}
