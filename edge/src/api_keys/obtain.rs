//! From a key and its secret to a token, by way of the cache.
//!
//! However many requests come with a pair, one exchange runs at a time, and it goes on when the request that began it is
//! gone. A token that is good goes on being used while the issuer is away.

use std::rc::Rc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use wardgate_shared::json::parse_object;
use wardgate_shared::jwt::MAXIMUM_JWT_BYTES;
use wardgate_shared::oauth_error::OAuthErrorCode;
use wardgate_shared::secret::Secret;

use crate::authenticate::TokenError;
use crate::config::Api;
use crate::error::Refusal;
use crate::gateway::Gateway;
use crate::jwks::{PAUSE_MILLISECONDS, waiting_turns};
use crate::log::{FetchFailure, Incident};
use crate::outside::Outside;

use super::cache::{Exchanged, Lookup, PairName};

/// The largest answer that is read, in bytes: the largest token, and room for the rest.
const MAXIMUM_ANSWER_BYTES: u32 = 32 * 1024;

/// A pair, and where it is exchanged.
#[derive(Debug)]
pub struct Exchange {
    /// The pair's name.
    pub name: PairName,
    /// Who is asked: its `iss`.
    pub issuer: String,
    url: String,
    /// The form that asks for a token (RFC 6749 section 4.4.2).
    form: Rc<Secret<String>>,
}

impl Exchange {
    /// The exchange of a key and a secret, both of the right form, for a token that is for `api`.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when no issuer of the API's exchanges keys; no such API is shown a key.
    pub fn of<O: Outside>(
        gateway: &Gateway<O::Key>,
        outside: &O,
        api: &Api,
        key: &str,
        secret: &str,
    ) -> Result<Self, Refusal> {
        let config = &gateway.config;
        let (issuer, url) = config.api_key_exchange(api).ok_or(Refusal::Internal)?;
        let audience = api.audiences.first().map_or("", String::as_str);
        let mut form = String::with_capacity(512);
        // Neither half has a character that would have to be encoded.
        for part in [
            "grant_type=client_credentials&client_id=",
            key,
            "&client_secret=",
            secret,
            "&audience=",
        ] {
            form.push_str(part);
        }
        form.extend(utf8_percent_encode(audience, NON_ALPHANUMERIC));
        let mut cache = gateway.api_keys.borrow_mut();
        Ok(Self {
            name: cache.name(&api.name, key, secret, &|| outside.random_bytes()),
            issuer: issuer.to_owned(),
            url: url.to_owned(),
            form: Rc::new(Secret::new(form)),
        })
    }
}

/// A token for the pair.
///
/// # Errors
/// [`Refusal::Token`] when the issuer refuses the pair, [`Refusal::Undecided`] when it cannot be asked.
pub async fn obtain<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    exchange: &Exchange,
) -> Result<Rc<str>, Refusal> {
    for _ in 0..waiting_turns(gateway.config.jwks_timeout_milliseconds) {
        let lookup = gateway
            .api_keys
            .borrow_mut()
            .look_up(&exchange.name, outside.now());
        match lookup {
            Lookup::Token { token, renew } => {
                if renew {
                    drop(outside.in_background(load(gateway, outside, exchange)));
                }
                return Ok(token);
            }
            // Beside the request, so that a client that hangs up does not leave the others waiting.
            Lookup::Exchange => outside.in_background(load(gateway, outside, exchange)).await,
            Lookup::Wait => outside.pause(PAUSE_MILLISECONDS).await,
            Lookup::Refused => return Err(TokenError::ApiKeyRefused.into()),
            Lookup::Unavailable { retry_after_seconds } => {
                return Err(Refusal::Undecided { retry_after_seconds });
            }
        }
    }
    Err(Refusal::Undecided {
        retry_after_seconds: 1,
    })
}

/// Exchanges the pair once and notes what came of it. The attempt is noted as begun before this returns.
fn load<O: Outside>(
    gateway: &Rc<Gateway<O::Key>>,
    outside: &O,
    exchange: &Exchange,
) -> impl Future<Output = ()> + 'static {
    let (gateway, outside) = (Rc::clone(gateway), outside.clone());
    let (name, form) = (exchange.name, Rc::clone(&exchange.form));
    let (url, issuer) = (exchange.url.clone(), exchange.issuer.clone());
    let started = outside.now();
    let until = started.plus(gateway.config.refresh.attempt_seconds);
    gateway.api_keys.borrow_mut().start(name, started, until);
    async move {
        let milliseconds = gateway.config.jwks_timeout_milliseconds;
        let answer = outside
            .post_form(&url, form.expose(), milliseconds, MAXIMUM_ANSWER_BYTES)
            .await;
        let exchanged = match answer {
            Ok((status, body)) => read(status, &body),
            Err(failure) => Err(Incident::ApiKeysUnreachable(failure)),
        };
        let exchanged = exchanged.unwrap_or_else(|incident| {
            outside.log(&incident.line(&issuer));
            Exchanged::Failed
        });
        let longest = gateway.config.api_key_seconds;
        let now = outside.now();
        gateway
            .api_keys
            .borrow_mut()
            .conclude(&name, exchanged, started, now, longest);
    }
}

/// What an answer says (RFC 6749 sections 5.1 and 5.2). Only a refusal of the client itself says something of key and secret.
fn read(status: u16, body: &[u8]) -> Result<Exchanged, Incident> {
    let members = parse_object(body).unwrap_or_default();
    let text = |name| members.get(name).and_then(Value::as_str);
    match status {
        200 => {
            let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
            let lifetime = members.get("expires_in").and_then(Value::as_i64);
            let token = text("access_token").filter(|token| token.len() <= MAXIMUM_JWT_BYTES && is_bearer);
            match token.zip(lifetime) {
                Some((token, lifetime @ 1..)) => Ok(Exchanged::Token(token.to_owned(), lifetime)),
                Some(_) | None => Err(Incident::ApiKeyAnswerMalformed),
            }
        }
        400 | 401 if text("error") == Some(OAuthErrorCode::InvalidClient.as_str()) => Ok(Exchanged::Refused),
        _ => Err(Incident::ApiKeysUnreachable(FetchFailure::Status(status))),
    }
}
