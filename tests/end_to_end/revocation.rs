//! A token that is revoked at the issuer is refused at the edge, within the time that is stated.

use std::time::Duration;

use wardgate_shared::jwt::{MAXIMUM_JWT_BYTES, UnverifiedJwt};
use wardgate_tests::http::Answer;
use wardgate_tests::pair::Pair;

/// How often the edge is asked. Five seconds is the least age at which it fetches a list again, and thirty the least between two
/// searches for a key that is new; the rest is for a machine that is busy.
const ATTEMPTS: u32 = 1500;
const PAUSE: Duration = Duration::from_millis(50);

/// The first answer to this token that is no success.
async fn refused_at_last(pair: &Pair, token: &str) -> Answer {
    let mut answer = pair.call("/fhir/Patient", token).await;
    for _ in 0..ATTEMPTS {
        if answer.status != 200 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        answer = pair.call("/fhir/Patient", token).await;
    }
    answer
}

async fn token(pair: &Pair, client: &str, secret: &str) -> String {
    let asked = [
        ("grant_type", "client_credentials"),
        ("scope", "system/Patient.rs"),
        ("client_id", client),
        ("client_secret", secret),
    ];
    let answer = pair.token(&asked).await.json();
    String::from(answer["access_token"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_tokens_are_denied_is_refused_at_the_edge_and_gets_new_ones() {
    let pair = Pair::start_with("[tokens]\nstatus_list_seconds = 2\n").await;
    let secret = pair.add_service("service", "system/Patient.rs");
    let other_secret = pair.add_service("other", "system/Patient.rs");
    let before = token(&pair, "service", &secret).await;
    let other = token(&pair, "other", &other_secret).await;
    assert_eq!(pair.call("/fhir/Patient", &before).await.status, 200);
    pair.wardgate_ok(&["deny", "--client", "service"], "");
    assert_eq!(refused_at_last(&pair, &before).await.status, 401);
    assert_eq!(
        pair.call("/fhir/Patient", &other).await.status,
        200,
        "a neighbour"
    );
    let after = token(&pair, "service", &secret).await;
    assert_eq!(
        pair.call("/fhir/Patient", &after).await.status,
        200,
        "issued since"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signing_key_that_is_revoked_opens_nothing_at_the_edge() {
    let pair = Pair::start_with("[tokens]\nstatus_list_seconds = 2\n").await;
    let secret = pair.add_service("service", "system/Patient.rs");
    let before = token(&pair, "service", &secret).await;
    assert_eq!(pair.call("/fhir/Patient", &before).await.status, 200);
    let unverified = UnverifiedJwt::parse(&before, MAXIMUM_JWT_BYTES).unwrap();
    pair.wardgate_ok(&["keys", "revoke", unverified.key_id().unwrap()], "");
    assert_eq!(refused_at_last(&pair, &before).await.status, 401);
    let after = token(&pair, "service", &secret).await;
    assert_eq!(
        pair.call("/fhir/Patient", &after).await.status,
        200,
        "by the new key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_at_the_issuer_is_refused_at_the_edge() {
    let pair = Pair::start_with("[tokens]\nstatus_list_seconds = 2\n").await;
    let secret = pair.add_service("service", "system/Patient.rs");
    let credentials = [("client_id", "service"), ("client_secret", secret.as_str())];
    let asked = [
        ("grant_type", "client_credentials"),
        ("scope", "system/Patient.rs"),
    ];
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let answer = pair.token(&[&asked[..], &credentials].concat()).await.json();
        tokens.push(String::from(answer["access_token"].as_str().unwrap()));
    }
    for token in &tokens {
        assert_eq!(pair.call("/fhir/Patient", token).await.status, 200);
    }
    let revoked = pair
        .post(
            "/oauth2/revoke",
            &[&[("token", tokens[0].as_str())][..], &credentials].concat(),
        )
        .await;
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    let refused = refused_at_last(&pair, &tokens[0]).await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token"),
        "{}",
        refused.text()
    );
    assert_eq!(
        pair.call("/fhir/Patient", &tokens[1]).await.status,
        200,
        "the other token of the same client"
    );
}
