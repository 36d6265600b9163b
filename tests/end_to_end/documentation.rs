//! What developers read: the OpenAPI description, judged by a validator that knows nothing of Wardgate, and the pages to which
//! `error_uri` leads, from the issuer's refusals and from the edge's.

use serde_json::{Value, json};
use wardgate_tests::http::{client, send};
use wardgate_tests::pair::Pair;
use wardgate_tests::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_openapi_by_the_judgement_of_others() {
    let pair = Pair::start().await;
    let url = format!("{}/openapi.json", pair.issuer);
    let told = Program::start("WARDGATE_NODE", "openapi.mjs", &[&url]).line();
    assert_eq!(told["valid"], true, "{told:#}");
    assert_eq!(told["version"], "3.1");
    assert_eq!(told["faults"], json!([]), "{told:#}");
    assert!(told["schemas"].as_u64().unwrap() > 30, "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_uris_of_issuer_and_edge_lead_to_pages_of_the_issuer() {
    let pair = Pair::start().await;
    let nobody = [
        ("grant_type", "client_credentials"),
        ("client_id", "x"),
        ("client_secret", "y"),
    ];
    let refused: Value = pair.token(&nobody).await.json();
    let uri = refused["error_uri"].as_str().unwrap();
    assert_eq!(uri, format!("{}/docs/errors/invalid_client", pair.issuer));
    let page = pair.get(uri.strip_prefix(&pair.issuer).unwrap()).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<h1><code>invalid_client</code></h1>"));

    let request = client()
        .get(format!("{}/fhir/Patient", pair.worker.url()))
        .header("Accept", "application/json");
    let answer = send(request.bearer_auth("not-a-token")).await;
    let refused: Value = answer.json();
    let uri = refused["error_uri"].as_str().unwrap();
    let (base, code) = uri.split_once('#').unwrap();
    let list = pair.get(base.strip_prefix(&pair.issuer).unwrap()).await;
    let entry = format!("<dt id=\"{code}\"><a href=\"/docs/errors/{code}\">");
    assert!(list.text().contains(&entry), "{uri}");
}
