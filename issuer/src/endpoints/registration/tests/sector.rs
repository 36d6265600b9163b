//! Pairwise clients and the document that says which sector they are of.

use http::StatusCode;
use serde_json::json;

use super::{app, changed, open, register, registered};
use crate::testing::DocumentServer;
use crate::web::testing::Clinic;

// OIDC-86
#[tokio::test]
async fn a_sector_document_must_list_every_redirect_uri() {
    let clinic = Clinic::with_config(open).await;
    let server = DocumentServer::start().await;
    let body = changed(
        app(),
        json!({ "subject_type": "pairwise", "sector_identifier_uri": server.url }),
    );
    server.answer(
        200,
        &[],
        r#"["https://other.example/cb","https://dyn.example/cb"]"#,
    );
    let answer = registered(&clinic, &body).await;
    assert_eq!(answer["subject_type"], "pairwise");
    assert_eq!(answer["sector_identifier_uri"], server.url);

    server.answer(200, &[], r#"["https://dyn.example/cb/","https://dyn.example"]"#);
    let answer = register(&clinic, &body).await;
    answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
}

#[tokio::test]
async fn without_a_sector_document_that_can_be_read_nothing_is_registered() {
    let clinic = Clinic::with_config(open).await;
    let server = DocumentServer::start().await;
    let body = changed(app(), json!({ "sector_identifier_uri": server.url }));
    for (status, document) in [
        (404, "[]"),
        (302, "[\"https://dyn.example/cb\"]"),
        (200, "{}"),
        (200, "[1]"),
        (200, "<html>"),
    ] {
        server.answer(status, &[], document);
        let answer = register(&clinic, &body).await;
        answer.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
    }
    assert_eq!(clinic.issuer.store().clients().await.unwrap().len(), 3);
    // An address that is not public is not even asked.
    let inside = changed(
        app(),
        json!({ "sector_identifier_uri": "https://10.1.2.3/sector.json" }),
    );
    let said = register(&clinic, &inside).await;
    let said = said.is_oauth_error(StatusCode::BAD_REQUEST, "invalid_client_metadata");
    assert!(said.starts_with("sector_identifier_uri must be"), "{said}");
}
