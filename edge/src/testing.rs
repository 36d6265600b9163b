//! What the tests share: a configuration, claims, requests, and a world in which issuer and FHIR server are scripted.

mod keys;
mod reply;
mod world;

use wardgate_shared::claims::{AccessClaims, LaunchContext};
use wardgate_shared::jwt::Audiences;

use crate::authenticate::{Holder, authenticate};
use crate::config::{Config, Given, Values};
use crate::explain::Trail;
use crate::request::{Headers, Incoming};

pub(crate) use keys::IssuerKey;
pub(crate) use reply::Reply;
pub(crate) use world::{NOW, World, block_on};

/// The configuration of most tests.
pub(crate) fn config() -> Config {
    config_with(&[])
}

/// The same with further variables.
pub(crate) fn config_with(further: &[(&str, &str)]) -> Config {
    let mut values: Values = [
        ("WARDGATE_ISSUER", "https://issuer.example"),
        ("WARDGATE_AUDIENCES", "https://edge.example/fhir"),
        ("WARDGATE_UPSTREAM", "https://fhir.example/r4"),
        ("WARDGATE_PUBLIC_URL", "https://edge.example"),
    ]
    .map(|(name, value)| (name.to_owned(), Given::Text(value.to_owned())))
    .into();
    for (name, value) in further {
        values.insert((*name).to_owned(), Given::Text((*value).to_owned()));
    }
    Config::parse(&values).unwrap()
}

/// Claims of a service that acts for itself.
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        issuer: "https://issuer.example".into(),
        subject: "service".into(),
        audiences: Audiences::new(vec!["https://edge.example/fhir".into()]),
        token_id: "t-1".into(),
        client_id: "service".into(),
        scope: "system/*.read".into(),
        practitioner_id: None,
        organization_id: None,
        launch_context: LaunchContext::default(),
        fhir_user: None,
        confirmation: None,
        actor: None,
        authentication_context: None,
        authentication_methods: Vec::new(),
        authenticated_at: None,
        status: None,
        api_key_id: None,
    }
}

/// Somebody whose token says [`claims`].
pub(crate) fn holder() -> Holder {
    let world = World::new();
    let token = world.token(claims());
    let api = world.gateway.config.apis.first().unwrap();
    let trail = &mut Trail::of(&world.gateway.config, &incoming("GET", "/fhir", &[]));
    let holder = authenticate(&world.gateway, &world, api, &token, trail);
    Holder::clone(&block_on(holder).unwrap())
}

/// A request to `https://edge.example`; `target` is path and query, header names are in lower case.
pub(crate) fn incoming<'a>(method: &'a str, target: &'a str, headers: &[(&'a str, &'a str)]) -> Incoming<'a> {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    Incoming {
        method,
        scheme: "https",
        host: "edge.example",
        path,
        query,
        headers: Headers::new(headers.to_vec()),
    }
}
