//! Two issuers and two APIs behind one Worker: whose tokens count where, and which rule decides.

use serde_json::json;
use wardgate_tests::edge::{AUDIENCE, Edge, PUBLIC_URL};
use wardgate_tests::fake_issuer::{FakeIssuer, JwksAnswer};
use wardgate_tests::forge::{Claims, access_header};
use wardgate_tests::http::send;
use wardgate_tests::keys::{Algorithm, SigningKey};
use wardgate_tests::upstream::Upstream;

use crate::expect::{Challenge, assert_nothing_forwarded, assert_problem};

/// The audience of the second API.
const REPORTS: &str = "https://edge.example/reports";

/// A Worker with the FHIR API of every test, whose issuer is `edge.issuer`; and reports, which trust a partner too.
struct Pair {
    edge: Edge,
    partner: FakeIssuer,
    partner_key: SigningKey,
    reports: Upstream,
}

impl Pair {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(changes: &[(&str, &str)]) -> Self {
        // The same name as the key of the other issuer, and another key.
        let partner_key = SigningKey::new(Algorithm::Es256, "key-1");
        let partner = FakeIssuer::start(&[&partner_key]).await;
        let reports = Upstream::start().await;
        let issuers = json!([{ "issuer": partner.url }]).to_string();
        let edge = Edge::start_knowing(|own| {
            let apis = json!([{
                "name": "reports",
                "kind": "plain",
                "prefix": "/reports",
                "upstream": format!("{}/v2", reports.url),
                "issuers": [partner.url, own.url],
                "audiences": [REPORTS],
                "token_types": ["at+jwt", "JWT"],
                "open": ["/status"],
                "require": [
                    { "path": "/", "methods": ["GET"], "scopes": ["reports.read"] },
                    { "path": "/audit", "scopes": ["reports.read"], "claims": { "/realm_access/roles": "auditor" } },
                ],
                "upstream_timeout_milliseconds": 2000,
            }]);
            let lists = [("WARDGATE_ISSUERS", issuers.as_str()), ("WARDGATE_APIS", &apis.to_string())];
            let all = lists.iter().chain(changes);
            all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        })
        .await;
        Self {
            edge,
            partner,
            partner_key,
            reports,
        }
    }

    /// Claims of the partner's that the reports accept for everything but audits.
    fn claims(&self) -> Claims {
        Claims::access(&self.partner.url, REPORTS).with("scope", "reports.read")
    }
}

#[tokio::test]
async fn each_api_has_its_server_and_its_issuers() {
    let pair = Pair::start().await;
    let answer = pair
        .edge
        .get_with("/reports/2026/a%20b?x=1", &pair.claims().sign(&pair.partner_key))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = pair.reports.only_request();
    assert_eq!(received.target, "/v2/2026/a%20b?x=1");
    assert_eq!(received.header("authorization"), None);
    assert_eq!(
        received.header("x-wardgate-issuer"),
        Some(pair.partner.url.as_str())
    );
    assert_eq!(received.header("x-wardgate-access-level"), Some("rule"));
    assert_eq!(received.header("x-wardgate-authorized-by"), Some("reports.read"));
    assert_nothing_forwarded(&pair.edge);

    assert_eq!(
        pair.edge
            .get_with("/fhir/Patient/1", &pair.edge.token())
            .await
            .status,
        200
    );
    assert_eq!(pair.edge.upstream.only_request().target, "/Patient/1");
    pair.edge.upstream.forget();

    // Right for the FHIR API in all but the issuer, which the FHIR API does not trust.
    let foreign = Claims::access(&pair.partner.url, AUDIENCE).sign(&pair.partner_key);
    assert_eq!(pair.edge.get_with("/fhir/Patient/1", &foreign).await.status, 401);
    assert_nothing_forwarded(&pair.edge);
}

#[tokio::test]
async fn an_issuer_cannot_speak_for_another() {
    let pair = Pair::start().await;
    let forged = Claims::access(&pair.edge.issuer.url, REPORTS)
        .with("scope", "reports.read")
        .sign(&pair.partner_key);
    assert_problem(&pair.edge.get_with("/reports/1", &forged).await, 401);
    let forged = pair.claims().sign(&pair.edge.key);
    assert_problem(&pair.edge.get_with("/reports/1", &forged).await, 401);
    assert!(pair.reports.received().is_empty());
    let own = Claims::access(&pair.edge.issuer.url, REPORTS)
        .with("scope", "reports.read")
        .sign(&pair.edge.key);
    assert_eq!(pair.edge.get_with("/reports/1", &own).await.status, 200);
}

#[tokio::test]
async fn a_stranger_s_token_asks_nobody_for_keys() {
    let pair = Pair::start().await;
    let stranger = FakeIssuer::start(&[&pair.partner_key]).await;
    let token = Claims::access(&stranger.url, REPORTS)
        .with("scope", "reports.read")
        .sign(&pair.partner_key);
    assert_problem(&pair.edge.get_with("/reports/1", &token).await, 401);
    assert_eq!(
        stranger.key_requests() + pair.partner.key_requests() + pair.edge.issuer.key_requests(),
        0
    );
}

#[tokio::test]
async fn an_issuer_without_keys_does_not_hinder_the_other() {
    let pair = Pair::start().await;
    pair.partner.answer_keys_with(JwksAnswer::Status(500));
    for _ in 0..3 {
        let partners = pair
            .edge
            .get_with("/reports/1", &pair.claims().sign(&pair.partner_key))
            .await;
        assert_problem(&partners, 503);
        assert!(partners.header("retry-after").is_some());
        assert_eq!(
            pair.edge
                .get_with("/fhir/Patient/1", &pair.edge.token())
                .await
                .status,
            200
        );
    }
    assert_eq!(pair.partner.key_requests(), 1);
}

#[tokio::test]
async fn a_rule_names_the_scope_that_it_needs() {
    let pair = Pair::start().await;
    let token = pair.claims().with("scope", "openid").sign(&pair.partner_key);
    let answer = pair.edge.get_with("/reports/1", &token).await;
    assert_eq!(assert_problem(&answer, 403)["error"], "insufficient_scope");
    let challenge = Challenge::of(&answer);
    assert_eq!(challenge.parameter("realm"), Some("reports"));
    assert_eq!(challenge.parameter("error"), Some("insufficient_scope"));
    assert_eq!(challenge.parameter("scope"), Some("reports.read"));
    let metadata = format!("{PUBLIC_URL}/.well-known/oauth-protected-resource/reports");
    assert_eq!(challenge.parameter("resource_metadata"), Some(metadata.as_str()));
    assert!(pair.reports.received().is_empty());
}

#[tokio::test]
async fn a_rule_reads_claims_of_any_name() {
    let pair = Pair::start().await;
    for (roles, status) in [
        (json!(["clerk", "auditor"]), 200),
        (json!(["clerk"]), 403),
        (json!("auditors"), 403),
    ] {
        let token = pair
            .claims()
            .with("realm_access", json!({ "roles": roles }))
            .sign(&pair.partner_key);
        assert_eq!(
            pair.edge.get_with("/reports/audit/2026", &token).await.status,
            status,
            "{roles}"
        );
    }
    let without = pair.claims().sign(&pair.partner_key);
    assert_eq!(pair.edge.get_with("/reports/audit", &without).await.status, 403);
    for path in ["/reports/Audit", "/reports/AUDIT/2026"] {
        assert_problem(&pair.edge.get_with(path, &without).await, 404);
    }
}

#[tokio::test]
async fn a_token_of_an_issuer_without_rfc_9068_is_taken_where_its_type_is() {
    let pair = Pair::start().await;
    let mut header = access_header(&pair.partner_key);
    header["typ"] = json!("JWT");
    let claims = pair
        .claims()
        .without("client_id")
        .without("jti")
        .without("scope")
        .with("azp", "app")
        .with("scp", json!(["reports.read"]));
    let token = claims.sign_with_header(&pair.partner_key, &header);
    assert_eq!(pair.edge.get_with("/reports/1", &token).await.status, 200);
    let received = pair.reports.only_request();
    assert_eq!(received.header("x-wardgate-client"), Some("app"));
    assert_eq!(received.header("x-wardgate-token-id"), None);
    let own = pair.edge.claims().sign_with_header(&pair.edge.key, &{
        let mut header = access_header(&pair.edge.key);
        header["typ"] = json!("JWT");
        header
    });
    assert_eq!(pair.edge.get_with("/fhir/Patient/1", &own).await.status, 401);
}

#[tokio::test]
async fn what_is_open_passes_without_identity_and_nothing_else_does() {
    let pair = Pair::start().await;
    let request = pair
        .edge
        .request("GET", "/reports/status/now")
        .header("x-wardgate-subject", "root");
    assert_eq!(send(request).await.status, 200);
    let received = pair.reports.only_request();
    assert_eq!(
        (received.target.as_str(), received.header("x-wardgate-subject")),
        ("/v2/status/now", None)
    );
    pair.reports.forget();
    for (method, path, status) in [
        ("POST", "/reports/status", 405),
        ("GET", "/reports/1", 401),
        ("DELETE", "/reports/1", 405),
        ("GET", "/reports/status;x", 400),
        ("GET", "/reports/a%2fb", 400),
        ("GET", "/reports/1?access_token=x", 400),
    ] {
        assert_problem(&send(pair.edge.request(method, path)).await, status);
    }
    assert!(pair.reports.received().is_empty());
}

#[tokio::test]
async fn metadata_is_told_of_each_api() {
    let pair = Pair::start().await;
    let reports = pair
        .edge
        .get("/.well-known/oauth-protected-resource/reports")
        .await
        .json();
    assert_eq!(reports["resource"], REPORTS);
    assert_eq!(
        reports["authorization_servers"],
        json!([pair.partner.url, pair.edge.issuer.url])
    );
    assert_eq!(reports["scopes_supported"], json!(["reports.read"]));
    let fhir = pair
        .edge
        .get("/.well-known/oauth-protected-resource/fhir")
        .await
        .json();
    assert_eq!(fhir["authorization_servers"], json!([pair.edge.issuer.url]));
    assert_eq!(
        pair.edge
            .get("/.well-known/oauth-protected-resource")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn explains_where_it_may_and_forwards_where_it_may_not() {
    let pair = Pair::start_with(&[("WARDGATE_EXPLAIN", "on-public")]).await;
    let token = pair.claims().sign(&pair.partner_key);
    let explain = |edge: &Edge, path: &str, token: &str| {
        send(
            edge.request("GET", path)
                .bearer_auth(token)
                .header("x-wardgate-explain", "1"),
        )
    };
    let answer = explain(&pair.edge, "/reports/audit/secret-id?name=secret-name", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let explanation = answer.json();
    assert_eq!(explanation["decision"], "deny");
    assert_eq!(explanation["status"], 403);
    assert_eq!(explanation["reason"], "rule_claim");
    let steps = explanation["steps"].as_array().expect("steps");
    assert_eq!(steps[0]["rule"], "require[1]");
    assert!(steps.iter().any(|step| step["issuer"] == json!(pair.partner.url)));
    assert_eq!(steps.last().expect("a last one")["verdict"], "refused");
    let allowed = explain(&pair.edge, "/fhir/Patient/secret-id", &pair.edge.token()).await;
    assert_eq!(allowed.json()["decision"], "allow");
    for answer in [&answer, &allowed] {
        assert!(!answer.text().contains("secret-"), "{}", answer.text());
        assert!(!answer.text().contains(token.as_str()), "{}", answer.text());
    }
    assert!(pair.reports.received().is_empty());
    assert_nothing_forwarded(&pair.edge);

    let production = Edge::start().await;
    let answer = explain(&production, "/fhir/Patient/1", &production.token()).await;
    assert!(!answer.text().contains("steps"), "{}", answer.text());
    assert_eq!(
        production.upstream.only_request().header("x-wardgate-explain"),
        None
    );
    let misconfigured = Edge::start_with(&[("WARDGATE_EXPLAIN", "on")]).await;
    let answer = explain(&misconfigured, "/fhir/Patient/1", &misconfigured.token()).await;
    assert_problem_names(&answer, "WARDGATE_EXPLAIN");
}

#[track_caller]
fn assert_problem_names(answer: &wardgate_tests::http::Answer, variable: &str) {
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains(variable), "{}", answer.text());
}

#[tokio::test]
async fn faults_in_lists_name_their_places() {
    let edge = Edge::start_with(&[
        ("WARDGATE_ISSUERS", r#"[{"issuer":"ftp://x"}]"#),
        (
            "WARDGATE_APIS",
            r#"[{"name":"a","prefix":"/fhir","kind":"plain"}]"#,
        ),
        ("WARDGATE_LIMITS", r#"[{"name":"a","limit":1,"limit":2}]"#),
    ])
    .await;
    let answer = edge.get("/fhir/metadata").await;
    for place in [
        "WARDGATE_ISSUERS[0].issuer",
        "WARDGATE_APIS[0].prefix is the prefix of another API",
        "WARDGATE_APIS[0].upstream",
        "WARDGATE_APIS[0].require",
        "WARDGATE_LIMITS must not repeat",
    ] {
        assert_problem_names(&answer, place);
    }
}
