//! What is believed of a provider's metadata, and when it is fetched.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{COOL_DOWN_SECONDS, DiscoveryError, Providers};
use crate::config::OutboundConfig;
use crate::outbound::{FetchError, Outbound};
use crate::testing::{FakeProvider, START};

struct Fixture {
    providers: Providers,
    provider: FakeProvider,
}

impl Fixture {
    async fn new() -> Self {
        let outbound = Outbound::new(OutboundConfig {
            allow_loopback_http: true,
            private_networks: Vec::new(),
        });
        Self {
            providers: Providers::new(outbound),
            provider: FakeProvider::start().await,
        }
    }

    async fn found(&self, seconds: i64) -> Result<Arc<str>, DiscoveryError> {
        self.providers
            .key_set_url(&self.provider.issuer, START.plus(seconds))
            .await
    }
}

#[tokio::test]
async fn the_document_is_kept_for_its_time() {
    let fixture = Fixture::new().await;
    let expected = format!("{}/jwks", fixture.provider.issuer);
    assert_eq!(&*fixture.found(0).await.unwrap(), expected);
    // The provider says nothing of how long: five minutes.
    assert_eq!(&*fixture.found(299).await.unwrap(), expected);
    assert_eq!(fixture.provider.discoveries(), 1);
    assert_eq!(&*fixture.found(300).await.unwrap(), expected);
    assert_eq!(fixture.provider.discoveries(), 2);
}

#[tokio::test]
async fn many_callers_at_once_share_one_discovery() {
    let fixture = Arc::new(Fixture::new().await);
    let mut callers = JoinSet::new();
    for _ in 0..32 {
        let fixture = fixture.clone();
        callers.spawn(async move { fixture.found(0).await.is_ok() });
    }
    assert!(callers.join_all().await.into_iter().all(|found| found));
    assert_eq!(fixture.provider.discoveries(), 1);
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let fixture = Fixture::new().await;
    let url = fixture.provider.issuer.clone();
    for other in [
        format!("{url}/"),
        String::from("https://idp.example"),
        String::new(),
    ] {
        fixture.provider.discovery(
            200,
            &[],
            &serde_json::json!({ "issuer": other, "jwks_uri": format!("{url}/jwks") }).to_string(),
        );
        let seconds = fixture.provider.discoveries().try_into().unwrap_or(0_i64) * COOL_DOWN_SECONDS;
        assert!(
            matches!(fixture.found(seconds).await, Err(DiscoveryError::AnotherIssuer)),
            "{other}"
        );
    }
}

#[tokio::test]
async fn what_is_no_metadata_is_refused() {
    let fixture = Fixture::new().await;
    let issuer = fixture.provider.issuer.clone();
    for (step, body) in (0..).zip([
        String::from("<html>"),
        String::from("[]"),
        format!("{{\"issuer\":\"{issuer}\"}}"),
        format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":5}}"),
        format!(
            "{{\"issuer\":\"https://a.example\",\"issuer\":\"{issuer}\",\"jwks_uri\":\"{issuer}/jwks\"}}"
        ),
    ]) {
        fixture.provider.discovery(200, &[], &body);
        let found = fixture.found(step * COOL_DOWN_SECONDS).await;
        assert!(
            matches!(found, Err(DiscoveryError::Malformed)),
            "{body}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_key_set_that_may_not_be_fetched_is_not_believed() {
    let fixture = Fixture::new().await;
    let issuer = fixture.provider.issuer.clone();
    for (step, url) in (0..).zip(["https://169.254.169.254/jwks", "http://idp.example/jwks", "/jwks"]) {
        let document = serde_json::json!({ "issuer": issuer, "jwks_uri": url });
        fixture.provider.discovery(200, &[], &document.to_string());
        let found = fixture.found(step * COOL_DOWN_SECONDS).await;
        assert!(
            matches!(found, Err(DiscoveryError::Fetch(FetchError::Url(_)))),
            "{url}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_provider_that_fails_is_left_alone_for_a_while() {
    let fixture = Fixture::new().await;
    let target = format!("{}/elsewhere", fixture.provider.issuer);
    fixture.provider.discovery(302, &[("location", &target)], "");
    assert!(matches!(
        fixture.found(0).await,
        Err(DiscoveryError::Fetch(FetchError::Status(_)))
    ));
    assert!(matches!(
        fixture.found(COOL_DOWN_SECONDS - 1).await,
        Err(DiscoveryError::Pausing)
    ));
    assert_eq!(fixture.provider.discoveries(), 1);
    fixture.provider.recover();
    assert!(fixture.found(COOL_DOWN_SECONDS).await.is_ok());
}
