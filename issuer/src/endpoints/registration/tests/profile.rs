//! Clients that come of themselves and are held to FAPI, by their own word or the deployment's.

use http::StatusCode;
use serde_json::{Value, json};
use wardgate_shared::jwt::SignatureAlgorithm;

use super::{app, changed, open, register, registered};
use crate::config::Config;
use crate::domain::client::SecurityProfile;
use crate::testing::{Signer, key_set};
use crate::web::testing::Clinic;

fn by_key(algorithm: SignatureAlgorithm) -> Value {
    let keys = key_set(&[&Signer::new(algorithm, Some("key"))]);
    changed(
        app(),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys.to_json() }),
    )
}

fn held(config: &mut Config) {
    open(config);
    config.security.profile = SecurityProfile::Fapi2;
}

#[tokio::test]
async fn who_is_held_to_fapi_registers_what_keeps_its_rules_and_nothing_else() {
    // By the deployment, and by the client's own word.
    for (clinic, word) in [
        (Clinic::with_config(held).await, json!({})),
        (Clinic::with_config(open).await, json!({ "profile": "fapi2" })),
    ] {
        let strong = changed(by_key(SignatureAlgorithm::ES256), word.clone());
        for (document, code) in [
            (app(), "invalid_client_metadata"),
            (
                changed(app(), json!({ "token_endpoint_auth_method": "none" })),
                "invalid_client_metadata",
            ),
            (by_key(SignatureAlgorithm::ES384), "invalid_client_metadata"),
            (
                changed(strong.clone(), json!({ "id_token_signed_response_alg": "RS256" })),
                "invalid_client_metadata",
            ),
            (
                changed(
                    strong.clone(),
                    json!({ "redirect_uris": ["http://127.0.0.1/cb"] }),
                ),
                "invalid_redirect_uri",
            ),
        ] {
            let answer = register(&clinic, &changed(document, word.clone())).await;
            answer.is_oauth_error(StatusCode::BAD_REQUEST, code);
        }
        let answer = registered(&clinic, &strong).await;
        assert_eq!(answer["id_token_signed_response_alg"], "PS256");
        let client_id = answer["client_id"].as_str().unwrap();
        let client = clinic.issuer.store().client(client_id).await.unwrap().unwrap();
        let rules = clinic.issuer.state.rules(&client);
        assert!(rules.requires_pkce && rules.requires_push && rules.requires_sender_constraint);
    }
}
