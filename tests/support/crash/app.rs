//! An app of a person: codes with PKCE, refresh tokens that change with each use, grants that are given back.

use reqwest::Url;
use wardgate_shared::pkce::CodeChallenge;

use crate::browser::{Browser, Decision};
use crate::http::Answer;
use crate::pair::{CALLBACK, PASSWORD};

use super::actor::{Address, State, Trouble, expect, text};
use super::dice::Dice;
use super::site::{APP, APP_SCOPE, Site};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Grants that are remembered.
const REMEMBERED: usize = 6;

/// A grant, as the app knows it.
struct Grant {
    /// The code that it came from.
    code: String,
    /// Refresh tokens in their order; the last one counts.
    tokens: Vec<String>,
    state: State,
}

pub(super) struct App {
    email: String,
    browser: Option<Browser>,
    grants: Vec<Grant>,
    /// A code that was not redeemed yet, and whether its redemption was asked for.
    code: Option<(String, bool)>,
}

impl App {
    pub(super) fn new(site: &Site, name: &str) -> Self {
        let email = format!("{name}@clinic.example");
        site.add_person(&email);
        Self {
            email,
            browser: None,
            grants: Vec::new(),
            code: None,
        }
    }

    pub(super) async fn act(&mut self, address: &Address, dice: &mut Dice) -> Result<(), Trouble> {
        if let Some((code, asked)) = &mut self.code {
            *asked = true;
            let code = code.clone();
            let answer = redeem(address, &code).await?;
            self.code = None;
            return self.granted(code, &answer);
        }
        let living: Vec<usize> = (0..self.grants.len())
            .filter(|place| self.grants[*place].state == State::There)
            .collect();
        match (living.is_empty(), dice.below(8)) {
            (true, _) | (_, 0) => self.authorize(address).await,
            (false, 1) => self.revoke(address, living[dice.below(living.len())]).await,
            (false, _) => self.refresh(address, living[dice.below(living.len())]).await,
        }
    }

    async fn authorize(&mut self, address: &Address) -> Result<(), Trouble> {
        if self.grants.len() == REMEMBERED {
            self.grants.remove(0);
        }
        let challenge = CodeChallenge::of(VERIFIER).expect("a verifier").encoded();
        let parameters = [
            ("response_type", "code"),
            ("client_id", APP),
            ("redirect_uri", CALLBACK),
            ("scope", APP_SCOPE),
            ("aud", "https://api.example/fhir"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&format!("{}/oauth2/authorize", address.url), parameters);
        let url = url.expect("a URL");
        // A browser that a kill surprised begins anew.
        let fresh = || Browser::new(&address.url, &self.email, PASSWORD);
        let mut browser = self.browser.take().unwrap_or_else(fresh);
        let callback = browser.try_open(url.as_str(), Decision::Allow).await;
        let callback = callback.ok_or(Trouble::Lost)?;
        self.browser = Some(browser);
        let callback = Url::parse(&callback).map_err(|_| Trouble::Wrong(callback.clone()))?;
        let code = callback.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.ok_or_else(|| Trouble::Wrong(format!("a code, not {callback}")))?;
        self.code = Some((code.into_owned(), false));
        Ok(())
    }

    fn granted(&mut self, code: String, answer: &Answer) -> Result<(), Trouble> {
        if answer.status != 200 {
            return Err(Trouble::wrong("tokens for a code", answer));
        }
        self.grants.push(Grant {
            code,
            tokens: vec![text(&answer.json(), "refresh_token")?],
            state: State::There,
        });
        Ok(())
    }

    async fn refresh(&mut self, address: &Address, place: usize) -> Result<(), Trouble> {
        let grant = &mut self.grants[place];
        // When no answer comes, the token that is known goes on to count: its exchange can be asked for again.
        let answer = refresh(address, grant.tokens.last().expect("a token")).await?;
        if answer.status != 200 {
            return Err(Trouble::wrong("new tokens for a refresh token", &answer));
        }
        grant.tokens.push(text(&answer.json(), "refresh_token")?);
        Ok(())
    }

    async fn revoke(&mut self, address: &Address, place: usize) -> Result<(), Trouble> {
        let grant = &mut self.grants[place];
        grant.state = State::Unsure;
        let form = [
            ("token", grant.tokens.last().expect("a token").as_str()),
            ("client_id", APP),
        ];
        expect(address.post("/oauth2/revoke").form(&form), &[200], "a revocation").await?;
        grant.state = State::Gone;
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        let mut confirmed = 0;
        for grant in &mut self.grants {
            let answer = refresh(address, grant.tokens.last().expect("a token")).await?;
            match (grant.state, answer.status) {
                (State::There | State::Unsure, 200) => {
                    grant.tokens.push(text(&answer.json(), "refresh_token")?);
                    grant.state = State::There;
                }
                (State::Gone | State::Unsure, 400) if is_invalid_grant(&answer) => grant.state = State::Gone,
                (state, _) => {
                    return Err(Trouble::wrong(
                        &format!("a refresh token that is {state:?}"),
                        &answer,
                    ));
                }
            }
            confirmed += 1;
        }
        confirmed += self.settle_code(address).await?;
        confirmed += self.use_again(address).await?;
        Ok(confirmed)
    }

    /// A code that was told is good once. One whose redemption got no answer was redeemed or is good.
    async fn settle_code(&mut self, address: &Address) -> Result<u64, Trouble> {
        let Some((code, asked)) = self.code.take() else {
            return Ok(0);
        };
        let answer = redeem(address, &code).await?;
        if asked && is_invalid_grant(&answer) {
            return Ok(0);
        }
        self.granted(code, &answer)?;
        Ok(1)
    }

    /// What was used before is refused, and ends its grant.
    async fn use_again(&mut self, address: &Address) -> Result<u64, Trouble> {
        let mut confirmed = 0;
        let living = |grant: &&mut Grant| grant.state == State::There;
        if let Some(grant) = self.grants.iter_mut().find(living) {
            let again = redeem(address, &grant.code).await?;
            confirmed += dead(address, grant, "a code that was redeemed", &again).await?;
        }
        let rotated = |grant: &&mut Grant| grant.state == State::There && grant.tokens.len() > 2;
        if let Some(grant) = self.grants.iter_mut().find(rotated) {
            let again = refresh(address, &grant.tokens[0]).await?;
            confirmed += dead(address, grant, "a refresh token that was exchanged", &again).await?;
        }
        Ok(confirmed)
    }
}

async fn dead(address: &Address, grant: &mut Grant, what: &str, again: &Answer) -> Result<u64, Trouble> {
    if !is_invalid_grant(again) {
        return Err(Trouble::wrong(&format!("invalid_grant for {what}"), again));
    }
    let answer = refresh(address, grant.tokens.last().expect("a token")).await?;
    if !is_invalid_grant(&answer) {
        return Err(Trouble::wrong(
            &format!("the end of the grant of {what}"),
            &answer,
        ));
    }
    grant.state = State::Gone;
    Ok(2)
}

fn is_invalid_grant(answer: &Answer) -> bool {
    answer.status == 400 && answer.json()["error"] == "invalid_grant"
}

async fn redeem(address: &Address, code: &str) -> Result<Answer, Trouble> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", APP),
        ("code_verifier", VERIFIER),
    ];
    address.token(&form).await
}

async fn refresh(address: &Address, token: &str) -> Result<Answer, Trouble> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", APP),
    ];
    address.token(&form).await
}
