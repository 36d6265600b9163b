//! A token that is revoked at the issuer is refused at the edge, within the time that is stated.

use std::time::Duration;

use wardgate_tests::pair::Pair;

/// How often the edge is asked. Five seconds is the least age at which it fetches a list again; the rest is for a machine that is
/// busy.
const ATTEMPTS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

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
    let mut refused = pair.call("/fhir/Patient", &tokens[0]).await;
    for _ in 0..ATTEMPTS {
        if refused.status != 200 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        refused = pair.call("/fhir/Patient", &tokens[0]).await;
    }
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
