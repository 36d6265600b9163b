//! A Worker between a fake issuer and a fake upstream: what nearly every test of the edge starts with.

use crate::fake_issuer::FakeIssuer;
use crate::forge::Claims;
use crate::http::{Answer, client, exchange, send};
use crate::keys::{Algorithm, SigningKey};
use crate::upstream::Upstream;
use crate::worker::{Coordinators, Settings, Worker};

/// The edge's public address as it is configured; tests reach it elsewhere.
pub const PUBLIC_URL: &str = "https://edge.example";

/// The audience that the edge accepts.
pub const AUDIENCE: &str = "https://edge.example/fhir";

/// Worker, issuer, upstream, and the key that the issuer publishes.
pub struct Edge {
    /// The Worker under test.
    pub worker: Worker,
    /// The issuer it trusts.
    pub issuer: FakeIssuer,
    /// The API it guards.
    pub upstream: Upstream,
    /// The issuer's key, published from the start.
    pub key: SigningKey,
    client: reqwest::Client,
}

impl Edge {
    /// Starts all three with the ordinary settings.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts all three, with these settings on top of the ordinary ones. An empty value takes a setting away.
    pub async fn start_with(changes: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::start_knowing(|_| changes.iter().map(owned).collect()).await
    }

    /// The same with these coordinators.
    pub async fn start_with_coordinators(changes: &[(&str, &str)], coordinators: Coordinators) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::start_as(|_| changes.iter().map(owned).collect(), coordinators).await
    }

    /// The same with settings that depend on the issuer.
    pub async fn start_knowing(changes: impl FnOnce(&FakeIssuer) -> Settings) -> Self {
        Self::start_as(changes, Coordinators::Own).await
    }

    async fn start_as(changes: impl FnOnce(&FakeIssuer) -> Settings, coordinators: Coordinators) -> Self {
        let key = SigningKey::new(Algorithm::Rs256, "key-1");
        let issuer = FakeIssuer::start(&[&key]).await;
        let changes = changes(&issuer);
        let changes: Vec<(&str, &str)> = changes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let upstream = Upstream::start().await;
        let worker = Worker::start_with(&settings(&issuer, &upstream, &changes), coordinators).await;
        Self {
            worker,
            issuer,
            upstream,
            key,
            client: client(),
        }
    }

    /// The same after a stop without warning and a new start of the Worker.
    pub async fn restarted(self) -> Self {
        let worker = self.worker.restart().await;
        Self { worker, ..self }
    }

    /// The claims of a token that this edge accepts for everything.
    pub fn claims(&self) -> Claims {
        Claims::access(&self.issuer.url, AUDIENCE)
    }

    /// A token that this edge accepts for everything.
    pub fn token(&self) -> String {
        self.claims().sign(&self.key)
    }

    /// A token that is right but for its scope.
    pub fn token_with_scope(&self, scope: &str) -> String {
        self.claims().with("scope", scope).sign(&self.key)
    }

    /// A request to the edge, to be completed and sent with [`send`].
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.client
            .request(method, format!("{}{path}", self.worker.url()))
    }

    /// The answer to a GET without credentials.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    /// The answer to a GET with this bearer token.
    pub async fn get_with(&self, path: &str, token: &str) -> Answer {
        send(self.request("GET", path).bearer_auth(token)).await
    }

    /// The answer to these bytes; see [`exchange`].
    pub async fn raw(&self, request: &[u8]) -> Option<Answer> {
        exchange(&self.worker.address, request).await
    }
}

/// The ordinary settings with these changes.
pub fn settings(issuer: &FakeIssuer, upstream: &Upstream, changes: &[(&str, &str)]) -> Settings {
    let mut settings = vec![
        ("WARDGATE_ISSUER".to_owned(), issuer.url.clone()),
        ("WARDGATE_JWKS_URL".to_owned(), issuer.jwks_url()),
        ("WARDGATE_AUDIENCES".to_owned(), AUDIENCE.to_owned()),
        ("WARDGATE_UPSTREAM".to_owned(), upstream.url.clone()),
        ("WARDGATE_PREFIX".to_owned(), "/fhir".to_owned()),
        ("WARDGATE_PUBLIC_URL".to_owned(), PUBLIC_URL.to_owned()),
    ];
    for (name, value) in changes {
        settings.retain(|(own, _)| own != name);
        if !value.is_empty() {
            settings.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    settings
}
