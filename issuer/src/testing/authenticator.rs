//! A person's authenticator in software: it makes one passkey and uses it, rightly or in any wrong way (WebAuthn level 3).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ISSUER;
use crate::rng;

/// The person was there (section 6.1).
pub(crate) const PRESENT: u8 = 0x01;
/// The authenticator verified who they are.
pub(crate) const VERIFIED: u8 = 0x04;
/// Credential data follows.
const ATTESTED: u8 = 0x40;

/// An authenticator that holds one key. What it says can be changed before it is asked.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    pub(crate) credential_id: Vec<u8>,
    /// By what it knows its person: from the registration on.
    pub(crate) user_handle: Option<Vec<u8>>,
    /// The page on which it is used.
    pub(crate) origin: String,
    /// What it says of the person.
    pub(crate) flags: u8,
    /// The counter of the next answer; one that says 0 keeps none.
    pub(crate) counter: u32,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            credential_id: rng::bytes::<32>().unwrap().to_vec(),
            user_handle: None,
            origin: ISSUER.into(),
            flags: PRESENT | VERIFIED,
            counter: 1,
        }
    }

    /// The answer to `navigator.credentials.create` with these options, as the page's script writes it.
    pub(crate) fn make(&mut self, options: &Value) -> String {
        let handle = options["user"]["id"].as_str().unwrap();
        self.user_handle = Some(Base64UrlUnpadded::decode_vec(handle).unwrap());
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), self.flags | ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
        data.extend(&self.credential_id);
        // COSE_Key: kty EC2, alg ES256, crv P-256, x, y.
        let point = self.key.public_key().as_ref();
        data.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let response = json!({
            "clientDataJSON": base64(self.client_data("webauthn.create", options).as_bytes()),
            "attestationObject": base64(&object),
            "transports": ["internal"],
        });
        self.credential(&response)
    }

    /// The answer to `navigator.credentials.get` with these options.
    pub(crate) fn answer(&mut self, options: &Value) -> String {
        let data = self.data(options["rpId"].as_str().unwrap(), self.flags);
        let client_data = self.client_data("webauthn.get", options);
        let signed = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": base64(client_data.as_bytes()),
            "authenticatorData": base64(&data),
            "signature": base64(signature.as_ref()),
            "userHandle": self.user_handle.as_deref().map(base64),
        });
        self.credential(&response)
    }

    fn data(&mut self, rp_id: &str, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(rp_id).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        if self.counter > 0 {
            self.counter += 1;
        }
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let data = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        });
        data.to_string()
    }

    fn credential(&self, response: &Value) -> String {
        let id = base64(&self.credential_id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {} })
            .to_string()
    }
}

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
