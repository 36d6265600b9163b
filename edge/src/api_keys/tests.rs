//! Requests with an API key through the whole gateway.

use serde_json::{Value, json};
use wardgate_shared::api_key::ApiKeyPrefix;
use wardgate_shared::status_list::{StatusBits, StatusList, TokenStatus};

use crate::api_keys::cache::{EXCHANGES_PER_SECOND, FAILED_SECONDS, REFUSED_SECONDS};
use crate::config::Config;
use crate::gateway::handle;
use crate::log::FetchFailure;
use crate::testing::{IssuerKey, Reply, World, config_with, incoming};

const EXCHANGE: &str = "https://issuer.example/oauth2/token";
const LIST: &str = "https://issuer.example/oauth2/status/1";

fn config() -> Config {
    config_with(&[
        ("WARDGATE_API_KEYS_URL", EXCHANGE),
        ("WARDGATE_EXPLAIN", "on-public"),
    ])
}

fn key() -> String {
    ApiKeyPrefix::parse("zs").unwrap().key(&[7; 17])
}

fn secret(number: u32) -> String {
    let mut random = [7; 32];
    random[..4].copy_from_slice(&number.to_be_bytes());
    ApiKeyPrefix::parse("zs")
        .unwrap()
        .secret(&random)
        .expose()
        .clone()
}

fn claims(token_id: &str) -> Value {
    json!({
        "iss": "https://issuer.example", "sub": "apikey-1", "client_id": "apikey-1", "api_key_id": "apikey-1",
        "aud": "https://edge.example/fhir", "jti": token_id, "scope": "system/*.read",
    })
}

/// A world whose issuer exchanges any pair.
fn world() -> World {
    let world = World::with(config());
    gives(&world, &world.token(claims("t-1")));
    world
}

/// The issuer gives this token from now on.
fn gives(world: &World, token: &str) {
    let answer =
        json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "system/*.read" });
    world.exchange_says(Ok((200, &answer.to_string())));
}

fn refuses(world: &World) {
    world.exchange_says(Ok((
        401,
        r#"{"error":"invalid_client","error_description":"no"}"#,
    )));
}

fn call(world: &World, key: &str, secret: &str) -> Reply {
    let headers = [("x-api-key", key), ("x-api-secret", secret)];
    world.send("GET", "/fhir/Patient", &headers)
}

#[track_caller]
fn is_refused(world: &World, reply: &Reply, status: u16, reason: &str) {
    assert_eq!(reply.status(), status, "{reply:?}");
    assert_eq!(world.last_line()["reason"], reason);
    let undecided = status == 503;
    assert_eq!(reply.header("retry-after").is_some(), undecided);
    assert_eq!(reply.header("www-authenticate").is_some(), !undecided);
}

#[test]
fn a_key_is_exchanged_once_and_then_it_is_a_token_like_any_other() {
    let world = world();
    for _ in 0..5 {
        assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    }
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&audience=https%3A%2F%2Fedge%2Eexample%2Ffhir",
        key(),
        secret(1)
    );
    assert_eq!(world.posted(), [(EXCHANGE.to_owned(), form)]);
    assert_eq!(world.checks(), 1);
    let forwarded = world.forwarded();
    let last = forwarded.last().unwrap();
    for name in ["x-api-key", "x-api-secret"] {
        assert!(last.removed.iter().any(|removed| removed == name), "{name}");
    }
    assert!(last.set.contains(&("x-wardgate-client", "apikey-1".to_owned())));
    for text in [key(), secret(1)] {
        assert!(!world.log_text().contains(&text));
        assert!(!format!("{forwarded:?}").contains(&text));
        assert!(!format!("{:?}", world.gateway).contains(&text), "kept in no form");
    }
}

#[test]
fn where_keys_are_not_taken_one_counts_as_no_credential() {
    let world = World::new();
    let reply = call(&world, &key(), &secret(1));
    is_refused(&world, &reply, 401, "credential_missing");
    assert!(!reply.header("www-authenticate").unwrap().contains("ApiKey"));
    assert_eq!(world.posted(), []);
}

#[test]
fn typos_and_strings_of_another_kind_cost_no_call() {
    let world = world();
    let (key, secret) = (key(), secret(1));
    let (cut, longer) = (secret.get(..50).unwrap(), format!("{key}A"));
    let typo = secret.replacen("zs_secret_A", "zs_secret_B", 1);
    assert_ne!(typo, secret);
    for (key, secret) in [
        (&*key, &*typo),
        (&key, cut),
        (&longer, &secret),
        (&secret, &key),
        (&key, &key),
        ("", ""),
        (&key, "zs_secret_"),
        ("zs_api_live_é", &secret),
    ] {
        let reply = call(&world, key, secret);
        is_refused(&world, &reply, 401, "api_key_mistyped");
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer realm=\"fhir\", error=\"invalid_token\""));
        assert!(challenge.ends_with(", ApiKey realm=\"fhir\""), "{challenge}");
    }
    assert_eq!(world.posted(), []);
}

#[test]
fn one_half_two_of_one_or_a_token_beside_are_malformed_requests() {
    let world = world();
    let (key, secret, bearer) = (key(), secret(1), format!("Bearer {}", world.token(claims("t"))));
    let twice = format!("{secret}, {secret}");
    for (headers, reason) in [
        (vec![("x-api-key", &*key)], "credential_half"),
        (vec![("x-api-secret", &*secret)], "credential_half"),
        (
            vec![("x-api-key", &key), ("x-api-secret", &twice)],
            "credential_several",
        ),
        (
            vec![
                ("x-api-key", &key),
                ("x-api-secret", &secret),
                ("authorization", &bearer),
            ],
            "credential_several",
        ),
        (
            vec![("x-api-key", &key), ("authorization", &bearer)],
            "credential_several",
        ),
    ] {
        let reply = world.send("GET", "/fhir/Patient", &headers);
        is_refused(&world, &reply, 400, reason);
    }
    let headers = [("x-api-key", &*key), ("x-api-secret", &*secret)];
    let reply = world.send("GET", "/fhir/Patient?x-api-secret=s", &headers);
    is_refused(&world, &reply, 400, "credential_in_query");
    assert_eq!((world.posted(), world.forwarded().len()), (vec![], 0));
}

#[test]
fn many_requests_with_a_new_key_cause_one_exchange() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    let world = world();
    let (key, secret) = (key(), secret(1));
    let headers = [("x-api-key", &*key), ("x-api-secret", &*secret)];
    let requests: Vec<_> = (0..20)
        .map(|_| incoming("GET", "/fhir/Patient", &headers))
        .collect();
    let mut running: Vec<_> = requests
        .iter()
        .map(|request| Box::pin(handle(&world.gateway, &world, request)))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut answers = Vec::new();
    for _ in 0..100 {
        running.retain_mut(|request| match pin!(request).poll(&mut context) {
            Poll::Ready(answer) => {
                answers.push(answer.unwrap());
                false
            }
            Poll::Pending => true,
        });
    }
    assert_eq!(answers, vec![Reply::Upstream(200); 20]);
    assert_eq!(world.posted().len(), 1);
}

#[test]
fn a_wrong_secret_reaches_the_issuer_once_in_a_while() {
    let world = world();
    refuses(&world);
    for _ in 0..100 {
        let reply = call(&world, &key(), &secret(2));
        is_refused(&world, &reply, 401, "api_key_refused");
    }
    assert_eq!(world.posted().len(), 1);
    world.advance(REFUSED_SECONDS);
    is_refused(&world, &call(&world, &key(), &secret(2)), 401, "api_key_refused");
    assert_eq!(world.posted().len(), 2);
}

#[test]
fn a_flood_of_guesses_reaches_the_issuer_drop_by_drop_and_disturbs_no_known_key() {
    let world = world();
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    world.advance(1);
    refuses(&world);
    let mut undecided = 0;
    for number in 2..1_002 {
        undecided += u32::from(call(&world, &key(), &secret(number)).status() == 503);
    }
    assert_eq!(
        world.posted().len(),
        1 + usize::try_from(EXCHANGES_PER_SECOND).unwrap()
    );
    assert_eq!(undecided, 1_000 - EXCHANGES_PER_SECOND);
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
}

#[test]
fn an_issuer_that_says_nothing_of_the_key_leaves_it_undecided() {
    let token = World::new().token(claims("t"));
    let answer = |token_type: &str, expires_in: Value| {
        json!({ "access_token": token, "token_type": token_type, "expires_in": expires_in }).to_string()
    };
    let huge = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(40_000));
    for (says, incident) in [
        (Err(FetchFailure::Unreachable), "api_keys_unreachable"),
        (Err(FetchFailure::Timeout), "api_keys_unreachable"),
        (Ok((500, &*answer("Bearer", 300.into()))), "api_keys_unreachable"),
        (Ok((302, "")), "api_keys_unreachable"),
        (
            Ok((429, r#"{"error":"temporarily_unavailable"}"#)),
            "api_keys_unreachable",
        ),
        (Ok((400, r#"{"error":"invalid_target"}"#)), "api_keys_unreachable"),
        (Ok((401, "<html>")), "api_keys_unreachable"),
        (Ok((200, &huge)), "api_keys_unreachable"),
        (Ok((200, "<html>nonsense</html>")), "api_key_answer_malformed"),
        (Ok((200, "[]")), "api_key_answer_malformed"),
        (Ok((200, &answer("DPoP", 300.into()))), "api_key_answer_malformed"),
        (
            Ok((200, &answer("Bearer", "300".into()))),
            "api_key_answer_malformed",
        ),
        (Ok((200, &answer("Bearer", 0.into()))), "api_key_answer_malformed"),
        (
            Ok((200, &answer("Bearer", Value::Null))),
            "api_key_answer_malformed",
        ),
    ] {
        let world = world();
        world.exchange_says(says);
        for _ in 0..3 {
            is_refused(&world, &call(&world, &key(), &secret(1)), 503, "undecided");
        }
        assert_eq!(world.posted().len(), 1, "{says:?}");
        assert!(
            world.log_text().contains(incident),
            "{says:?}: {}",
            world.log_text()
        );
        gives(&world, &world.token(claims("t-2")));
        world.advance(FAILED_SECONDS);
        assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200), "{says:?}");
    }
}

#[test]
fn a_good_token_serves_until_its_end_while_the_issuer_is_away() {
    let world = world();
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    world.exchange_says(Err(FetchFailure::Unreachable));
    for _ in 0..28 {
        world.advance(10);
        assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
        world.run_background();
    }
    assert!(world.posted().len() > 2, "it is asked beside");
    world.advance(10);
    is_refused(&world, &call(&world, &key(), &secret(1)), 503, "undecided");
}

#[test]
fn a_key_that_was_revoked_ends_with_the_next_exchange() {
    let world = world();
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    refuses(&world);
    world.advance(150);
    // This one renews beside itself.
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    world.run_background();
    is_refused(&world, &call(&world, &key(), &secret(1)), 401, "api_key_refused");
}

#[test]
fn nothing_is_believed_for_where_it_came_from() {
    let world = world();
    let stranger = IssuerKey::new("key-1", 9);
    let mut of_other = claims("t");
    of_other["aud"] = "https://other.example".into();
    for token in [
        world.token_by(&stranger, claims("t")),
        world.token(of_other),
        "nonsense".to_owned(),
    ] {
        gives(&world, &token);
        let posted = world.posted().len();
        is_refused(&world, &call(&world, &key(), &secret(1)), 503, "undecided");
        assert!(world.log_text().contains("api_key_token_refused"));
        is_refused(&world, &call(&world, &key(), &secret(1)), 503, "undecided");
        assert_eq!(
            world.posted().len(),
            posted + 2,
            "once more, and then not for a while"
        );
        world.advance(FAILED_SECONDS);
    }
    assert_eq!(world.forwarded().len(), 0);
}

/// A token at this place of the issuer's list.
fn token_at(world: &World, index: u64) -> String {
    let mut claims = claims(&format!("t-{index}"));
    claims["status"] = json!({ "status_list": { "idx": index, "uri": LIST } });
    world.token(claims)
}

/// The issuer publishes a list in which these are revoked.
fn revokes(world: &World, revoked: &[u64]) {
    let mut list = StatusList::all_valid(StatusBits::One, 64);
    for index in revoked {
        assert!(list.set(*index, TokenStatus::Invalid));
    }
    let claims =
        json!({ "iss": "https://issuer.example", "sub": LIST, "ttl": 30, "status_list": list.compress() });
    let token = world.token_of_type(world.key(), "statuslist+jwt", &claims);
    world.document_at(LIST, Ok(token.into_bytes()));
}

#[test]
fn a_token_that_was_revoked_is_replaced_within_the_request() {
    let world = world();
    revokes(&world, &[]);
    gives(&world, &token_at(&world, 1));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    revokes(&world, &[1]);
    gives(&world, &token_at(&world, 2));
    // Within the time that is stated; the list is fetched beside the first of these.
    world.advance(30);
    call(&world, &key(), &secret(1));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    assert_eq!(world.posted().len(), 2);
}

#[test]
fn a_key_that_was_revoked_is_refused_within_the_time_that_is_stated_for_tokens() {
    let world = world();
    revokes(&world, &[]);
    gives(&world, &token_at(&world, 1));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    revokes(&world, &[1]);
    refuses(&world);
    world.advance(30);
    is_refused(&world, &call(&world, &key(), &secret(1)), 401, "api_key_refused");
    is_refused(&world, &call(&world, &key(), &secret(1)), 401, "api_key_refused");
    assert_eq!(world.posted().len(), 2);
}

#[test]
fn a_token_that_is_revoked_when_it_comes_is_refused() {
    let world = world();
    revokes(&world, &[1]);
    gives(&world, &token_at(&world, 1));
    is_refused(&world, &call(&world, &key(), &secret(1)), 401, "token_revoked");
    is_refused(&world, &call(&world, &key(), &secret(1)), 503, "undecided");
    assert_eq!(world.posted().len(), 2, "it is not asked at every request");
}

#[test]
fn an_explanation_shows_the_exchange_and_neither_key_nor_secret() {
    let world = world();
    let (key, secret) = (key(), secret(1));
    let headers = [
        ("x-api-key", &*key),
        ("x-api-secret", &*secret),
        ("x-wardgate-explain", "1"),
    ];
    let Reply::Own(answer) = world.send("GET", "/fhir/Patient", &headers) else {
        panic!("it was forwarded");
    };
    let explained: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(explained["decision"], "allow", "{explained}");
    let steps = explained["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["step"] == "exchange" && step["issuer"] == "https://issuer.example"),
        "{explained}"
    );
    assert!(!answer.body.contains(&key) && !answer.body.contains(&secret));
}

#[test]
fn a_known_key_passes_the_platforms_limit_whatever_its_network_does() {
    let world = World::with(config_with(&[
        ("WARDGATE_API_KEYS_URL", EXCHANGE),
        ("WARDGATE_UNVERIFIED_LIMIT", "UNVERIFIED"),
        ("WARDGATE_CLIENT_ADDRESS", "cloudflare"),
    ]));
    world.platform_admits(Some(1));
    gives(&world, &world.token(claims("t-1")));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    assert_eq!(call(&world, &key(), &secret(2)).status(), 429);
    assert_eq!(call(&world, &key(), &secret(1)), Reply::Upstream(200));
    assert_eq!(world.posted().len(), 1);
}

#[test]
fn a_limit_of_keys_counts_each_key_and_nobody_without_one() {
    let limits = json!([{ "name": "keys", "counts": "api_key", "limit": 2 }]).to_string();
    let config = config_with(&[
        ("WARDGATE_API_KEYS_URL", EXCHANGE),
        ("WARDGATE_LIMITS", &limits),
        ("WARDGATE_LIMITED_BY", "keys"),
    ]);
    let world = World::with(config);
    gives(&world, &world.token(claims("t-1")));
    let by_itself = world.token(claims("t-2"));
    let mut other = claims("t-3");
    other["api_key_id"] = Value::Null;
    let of_client = world.token(other);
    assert_eq!(call(&world, &key(), &secret(1)).status(), 200);
    assert_eq!(
        world.get("/fhir/Patient", &by_itself).status(),
        200,
        "exchanged by its holder"
    );
    assert_eq!(call(&world, &key(), &secret(1)).status(), 429);
    assert_eq!(world.get("/fhir/Patient", &by_itself).status(), 429);
    for _ in 0..5 {
        assert_eq!(world.get("/fhir/Patient", &of_client).status(), 200);
    }
}
