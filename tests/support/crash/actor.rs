//! Whoever works with the issuer, and remembers what it said.

use reqwest::RequestBuilder;
use serde_json::Value;

use crate::http::{Answer, client, try_send};

use super::administrator::Administrator;
use super::app::App;
use super::dice::Dice;
use super::keeper::Keeper;
use super::password::Person;
use super::registrar::Registrar;
use super::service::Service;
use super::site::Site;

/// Why somebody stops working.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No answer came. Whether anything was done is not known.
    Lost,
    /// An answer that must not come.
    Wrong(String),
}

impl Trouble {
    /// The answer was not what `expected` says.
    pub(super) fn wrong(expected: &str, answer: &Answer) -> Self {
        let text: String = answer.text().chars().take(300).collect();
        Self::Wrong(format!("{expected}, not {} {text}", answer.status))
    }
}

/// Where the issuer is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) url: String,
    client: reqwest::Client,
}

impl Address {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            client: client(),
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub(super) fn request(&self, method: &str, url: &str) -> RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let whole = if url.starts_with('/') {
            format!("{}{url}", self.url)
        } else {
            url.to_owned()
        };
        self.client.request(method, whole)
    }

    pub(super) async fn token(&self, form: &[(&str, &str)]) -> Result<Answer, Trouble> {
        ask(self.post("/oauth2/token").form(form)).await
    }

    /// The access token that a service gets for its secret.
    pub(super) async fn access_token(&self, client_id: &str, secret: &str) -> Result<String, Trouble> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id),
            ("client_secret", secret),
        ];
        let answer = self.token(&form).await?;
        if answer.status != 200 {
            return Err(Trouble::wrong("a token for a service", &answer));
        }
        text(&answer.json(), "access_token")
    }
}

/// The whole answer, if one comes.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Trouble> {
    try_send(request).await.ok_or(Trouble::Lost)
}

/// As [`ask`], where one of these statuses must come.
pub(super) async fn expect(request: RequestBuilder, statuses: &[u16], what: &str) -> Result<Answer, Trouble> {
    let answer = ask(request).await?;
    if statuses.contains(&answer.status) {
        Ok(answer)
    } else {
        Err(Trouble::wrong(what, &answer))
    }
}

/// A member of a document.
pub(super) fn text(document: &Value, member: &str) -> Result<String, Trouble> {
    let text = document[member].as_str();
    text.map(str::to_owned)
        .ok_or_else(|| Trouble::Wrong(format!("{member} is not in {document}")))
}

/// What became of a thing that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was told to be there.
    There,
    /// Its end was asked for, and no answer came.
    Unsure,
    /// It was told to be gone.
    Gone,
}

/// Whoever works with the issuer.
pub(super) enum Actor {
    Service(usize, Service),
    App(usize, Box<App>),
    Registrar(usize, Registrar),
    Person(usize, Box<Person>),
    Keeper(usize, Keeper),
    Administrator(usize, Administrator),
}

impl Actor {
    /// Everybody.
    pub(super) async fn company(site: &Site, dice: &mut Dice) -> Vec<Self> {
        let administration = "__administration.read __administration.write system/*.rs";
        let secret = site.add_service("administration", administration);
        let mut actors = Vec::new();
        for name in ["reports", "billing"] {
            actors.push(Self::Service(actors.len(), Service::new(site, name)));
        }
        for name in ["ada", "ben", "cleo"] {
            actors.push(Self::App(actors.len(), Box::new(App::new(site, name))));
        }
        actors.push(Self::Registrar(actors.len(), Registrar::default()));
        actors.push(Self::Person(actors.len(), Box::new(Person::new(site, "dana"))));
        actors.push(Self::Keeper(actors.len(), Keeper::new(&secret)));
        for _ in 0..2 {
            let administrator = Administrator::new(&secret, dice.roll());
            actors.push(Self::Administrator(actors.len(), administrator));
        }
        actors
    }

    /// What is done, in a word or two.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Service(..) => "client_credentials",
            Self::App(..) => "code and refresh",
            Self::Registrar(..) => "registration",
            Self::Person(..) => "password change",
            Self::Keeper(..) => "API keys",
            Self::Administrator(..) => "administration",
        }
    }

    /// Its place among all.
    pub(super) const fn number(&self) -> usize {
        match self {
            Self::Service(number, _)
            | Self::App(number, _)
            | Self::Registrar(number, _)
            | Self::Person(number, _)
            | Self::Keeper(number, _)
            | Self::Administrator(number, _) => *number,
        }
    }

    /// Does one thing, and notes what came of it.
    pub(super) async fn act(&mut self, address: &Address, dice: &mut Dice) -> Result<(), Trouble> {
        match self {
            Self::Service(_, actor) => actor.act(address, dice).await,
            Self::App(_, actor) => actor.act(address, dice).await,
            Self::Registrar(_, actor) => actor.act(address, dice).await,
            Self::Person(_, actor) => actor.act(address, dice).await,
            Self::Keeper(_, actor) => actor.act(address, dice).await,
            Self::Administrator(_, actor) => actor.act(address, dice).await,
        }
    }

    /// Holds what was noted against an issuer that was started again, and says how many things were as they had been told.
    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        match self {
            Self::Service(_, actor) => actor.settle(address).await,
            Self::App(_, actor) => actor.settle(address).await,
            Self::Registrar(_, actor) => actor.settle(address).await,
            Self::Person(_, actor) => actor.settle(address).await,
            Self::Keeper(_, actor) => actor.settle(address).await,
            Self::Administrator(_, actor) => actor.settle(address).await,
        }
    }
}
