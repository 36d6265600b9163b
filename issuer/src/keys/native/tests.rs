//! Vectors of the RFCs, and every algorithm there and back.

use base64ct::{Base64UrlUnpadded, Encoding};
use wardgate_shared::jwk::PublicJwk;
use wardgate_shared::jwt::{SignatureAlgorithm, SigningKey, VerifyingKey};

use super::{CryptoFailure, NativeSigningKey, NativeVerifyingKey};

/// RFC 7515 appendices A.2 and A.3 sign the same claims.
const RFC_7515_CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn verifier(jwk: &str, algorithm: SignatureAlgorithm) -> NativeVerifyingKey {
    NativeVerifyingKey::from_jwk(&PublicJwk::parse(jwk.as_bytes()).unwrap(), algorithm).unwrap()
}

#[track_caller]
fn accepts_this_and_nothing_else(key: &NativeVerifyingKey, message: &str, signature: &str) {
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    assert!(key.accepts(message.as_bytes(), &signature));
    assert!(!key.accepts(format!("{message}A").as_bytes(), &signature));
    for position in [0, signature.len() / 2, signature.len() - 1] {
        let mut changed = signature.clone();
        changed[position] ^= 1;
        assert!(!key.accepts(message.as_bytes(), &changed), "byte {position}");
    }
    for wrong_length in [&signature[1..], &[signature.as_slice(), &[0]].concat(), &[]] {
        assert!(!key.accepts(message.as_bytes(), wrong_length));
    }
}

#[test]
fn verifies_the_rs256_signature_of_rfc_7515_appendix_a2() {
    let key = verifier(
        r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
        SignatureAlgorithm::RS256,
    );
    accepts_this_and_nothing_else(
        &key,
        &format!("eyJhbGciOiJSUzI1NiJ9.{RFC_7515_CLAIMS}"),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
}

#[test]
fn verifies_the_es256_signature_of_rfc_7515_appendix_a3() {
    let key = verifier(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        SignatureAlgorithm::ES256,
    );
    accepts_this_and_nothing_else(
        &key,
        &format!("eyJhbGciOiJFUzI1NiJ9.{RFC_7515_CLAIMS}"),
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
}

/// RFC 8037 appendices A.1 to A.5: Ed25519 is deterministic, so the signature can be made again, too.
#[test]
fn makes_and_verifies_the_eddsa_signature_of_rfc_8037_appendix_a4() {
    const MESSAGE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    // The PKCS#8 frame of an Ed25519 seed (RFC 8410 section 7).
    let frame = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    let seed = Base64UrlUnpadded::decode_vec("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let key = NativeSigningKey::from_pkcs8(SignatureAlgorithm::EdDSA, &[&frame[..], &seed].concat()).unwrap();

    assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(
        Base64UrlUnpadded::encode_string(&key.sign(MESSAGE.as_bytes()).unwrap()),
        SIGNATURE
    );
    let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    accepts_this_and_nothing_else(&verifier(public, SignatureAlgorithm::EdDSA), MESSAGE, SIGNATURE);
}

#[test]
fn every_algorithm_verifies_its_own_signatures_after_a_way_through_pkcs8_and_jwk() {
    for algorithm in SignatureAlgorithm::ALL {
        let (made, pkcs8) = NativeSigningKey::generate(algorithm).unwrap();
        let key = NativeSigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        assert_eq!(key.key_id(), made.key_id());
        assert_eq!(key.key_id(), key.public().thumbprint());
        assert_eq!(key.public().algorithm(), Some(algorithm));

        let jwk = PublicJwk::parse(key.public().to_json().to_string().as_bytes()).unwrap();
        let verifier = NativeVerifyingKey::from_jwk(&jwk, algorithm).unwrap();
        assert_eq!(verifier.algorithm(), algorithm);
        let signature = key.sign(b"message").unwrap();
        accepts_this_and_nothing_else(
            &verifier,
            "message",
            &Base64UrlUnpadded::encode_string(&signature),
        );
        if let Some(bytes) = algorithm.signature_bytes() {
            assert_eq!(signature.len(), bytes, "{algorithm}");
        }
    }
}

#[test]
fn a_key_does_not_verify_what_it_signed_with_another_algorithm() {
    let (_, pkcs8) = NativeSigningKey::generate(SignatureAlgorithm::RS256).unwrap();
    let by_algorithm = [
        SignatureAlgorithm::RS256,
        SignatureAlgorithm::RS384,
        SignatureAlgorithm::PS256,
    ]
    .map(|algorithm| NativeSigningKey::from_pkcs8(algorithm, &pkcs8).unwrap());
    for signer in &by_algorithm {
        let signature = signer.sign(b"message").unwrap();
        for verifier in &by_algorithm {
            let key = NativeVerifyingKey::from_jwk(verifier.public(), verifier.algorithm()).unwrap();
            assert_eq!(
                key.accepts(b"message", &signature),
                signer.algorithm() == verifier.algorithm()
            );
        }
    }
}

#[test]
fn refuses_keys_of_another_kind() {
    let (es256, pkcs8) = NativeSigningKey::generate(SignatureAlgorithm::ES256).unwrap();
    for algorithm in SignatureAlgorithm::ALL
        .into_iter()
        .filter(|one| *one != SignatureAlgorithm::ES256)
    {
        assert_eq!(
            NativeSigningKey::from_pkcs8(algorithm, &pkcs8).err(),
            Some(CryptoFailure),
            "{algorithm}"
        );
        assert_eq!(
            NativeVerifyingKey::from_jwk(es256.public(), algorithm).err(),
            Some(CryptoFailure),
            "{algorithm}"
        );
    }
    assert!(NativeSigningKey::from_pkcs8(SignatureAlgorithm::ES256, b"no document").is_err());
}

#[test]
fn refuses_a_point_that_is_not_on_its_curve() {
    let x = Base64UrlUnpadded::encode_string(&[1; 32]);
    let jwk =
        PublicJwk::parse(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#).as_bytes()).unwrap();
    assert_eq!(
        NativeVerifyingKey::from_jwk(&jwk, SignatureAlgorithm::ES256).err(),
        Some(CryptoFailure)
    );
}

#[test]
fn debug_output_says_nothing_of_the_private_half() {
    let (key, _) = NativeSigningKey::generate(SignatureAlgorithm::EdDSA).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!(
            "NativeSigningKey {{ key_id: {:?}, algorithm: EdDSA, .. }}",
            key.key_id()
        )
    );
}
