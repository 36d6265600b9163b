//! An administrator's program that makes accounts, renames them and closes them.

use serde_json::json;

use super::actor::{Address, State, Trouble, ask, expect, text};
use super::dice::Dice;

/// Accounts that are remembered.
const REMEMBERED: usize = 12;

struct Account {
    id: String,
    /// What it was told to be called.
    name: String,
    /// A name that was asked for without an answer.
    asked: Option<String>,
    /// Whether it is open.
    state: State,
}

pub(super) struct Administrator {
    secret: String,
    token: Option<String>,
    /// Sets its addresses apart from those of others.
    mark: u64,
    made: u64,
    accounts: Vec<Account>,
}

impl Administrator {
    pub(super) fn new(secret: &str, mark: u64) -> Self {
        Self {
            secret: secret.to_owned(),
            token: None,
            mark,
            made: 0,
            accounts: Vec::new(),
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
        let open = self
            .accounts
            .iter()
            .position(|account| account.state == State::There);
        self.made += 1;
        match (open, dice.below(4)) {
            (Some(place), 0) => {
                let account = &mut self.accounts[place];
                account.state = State::Unsure;
                let request = address.post(&format!("/auth/users/{}/deactivate", account.id));
                expect(request.bearer_auth(token), &[200, 204], "a closed account").await?;
                account.state = State::Gone;
                Ok(())
            }
            (Some(place), 1) => {
                let account = &mut self.accounts[place];
                let name = format!("Name {}", self.made);
                account.asked = Some(name.clone());
                let request = address.request("PATCH", &format!("/auth/users/{}", account.id));
                let request = request.bearer_auth(token).json(&json!({ "name": name }));
                expect(request, &[200], "a changed account").await?;
                account.asked = None;
                account.name = name;
                Ok(())
            }
            _ => self.make(address, &token).await,
        }
    }

    async fn make(&mut self, address: &Address, token: &str) -> Result<(), Trouble> {
        let name = format!("Name {}", self.made);
        let document = json!({
            "email": format!("person-{:x}-{}@clinic.example", self.mark, self.made),
            "name": name,
            "roleId": "role-care-team-user",
        });
        let request = address.post("/auth/users").bearer_auth(token).json(&document);
        let made = expect(request, &[201], "an account").await?.json();
        if self.accounts.len() == REMEMBERED {
            self.accounts.remove(0);
        }
        self.accounts.push(Account {
            id: text(&made, "id")?,
            name,
            asked: None,
            state: State::There,
        });
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        self.token = None;
        let token = self.token(address).await?;
        self.token = None;
        let mut confirmed = 0;
        for account in &mut self.accounts {
            let request = address.get(&format!("/auth/users/{}", account.id));
            let answer = ask(request.bearer_auth(&token)).await?;
            let document = if answer.status == 200 {
                answer.json()
            } else {
                json!({})
            };
            let (name, active) = (document["name"].as_str(), document["active"].as_bool());
            let is_named =
                name == Some(&account.name) || (account.asked.is_some() && name == account.asked.as_deref());
            let is_state = match (account.state, active) {
                (State::There, Some(open)) => open,
                (State::Gone, Some(open)) => !open,
                (State::Unsure, Some(_)) => true,
                (_, None) => false,
            };
            if !is_named || !is_state {
                let expected = format!("an account {} that is {:?}", account.name, account.state);
                return Err(Trouble::wrong(&expected, &answer));
            }
            account.name = name.unwrap_or_default().to_owned();
            account.asked = None;
            confirmed += 1;
        }
        self.accounts.retain(|account| account.state != State::Unsure);
        Ok(confirmed)
    }
}
