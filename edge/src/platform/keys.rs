//! Keys that verify by WebCrypto.

use std::rc::Rc;

use wardgate_shared::jwk::PublicJwk;
use wardgate_shared::jwt::{SignatureAlgorithm, VerifyingKey};
use wasm_bindgen::JsValue;

use super::{bridge, tasks};

/// Far longer than WebCrypto takes for anything.
const MILLISECONDS: u32 = 10_000;

/// An imported `CryptoKey`, bound to one algorithm.
#[derive(Clone, Debug)]
pub(super) struct WebCryptoKey {
    imported: Rc<JsValue>,
    algorithm: SignatureAlgorithm,
}

/// WebCrypto did not say whether a signature holds.
#[derive(Debug)]
pub(super) struct NotChecked;

impl WebCryptoKey {
    /// Imports a key.
    ///
    /// # Errors
    /// What WebCrypto says of a key that it does not take.
    pub(super) async fn import(jwk: &PublicJwk, algorithm: SignatureAlgorithm) -> Result<Self, JsValue> {
        let imported = tasks::settled(
            bridge::import_key(&jwk.canonical(), algorithm.name()),
            MILLISECONDS,
        )
        .await?;
        Ok(Self {
            imported: Rc::new(imported),
            algorithm,
        })
    }
}

impl VerifyingKey for WebCryptoKey {
    type Error = NotChecked;

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    async fn verify_signature(&self, message: &[u8], signature: &[u8]) -> Result<bool, NotChecked> {
        let verdict = tasks::settled(bridge::verify(&self.imported, signature, message), MILLISECONDS).await;
        match verdict.ok().and_then(|verdict| verdict.as_f64()) {
            Some(1.0) => Ok(true),
            Some(0.0) => Ok(false),
            _ => Err(NotChecked),
        }
    }
}
