//! What documents of strangers become.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::registration::{check, describe};
use crate::testing::{START, Signer, config, key_set};

fn ceiling() -> Ceiling {
    Ceiling {
        scope: ScopeSet::parse("openid profile offline_access patient/*.rs system/*.rs").unwrap(),
        grant_types: vec![
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ],
    }
}

fn read(body: &[u8]) -> Result<Client, MetadataFault> {
    let standing = Standing {
        client_id: "client-1".into(),
        secret: SecretDigest::of("secret"),
        pkce_required: true,
        created_at: START,
    };
    let client = RequestedClient::read(&Document::parse(body)?)?.into_client(standing, &ceiling())?;
    check(&client, &config(Path::new("")))?;
    Ok(client)
}

/// The client of a document with one redirect URI and these members over it; `null` takes a member away.
fn with(members: Value) -> Result<Client, MetadataFault> {
    let mut document = json!({ "redirect_uris": ["https://app.example/cb"] });
    let members: serde_json::Map<String, Value> = serde_json::from_value(members).unwrap();
    for (name, value) in members {
        document[name] = value;
    }
    read(document.to_string().as_bytes())
}

#[track_caller]
fn is_refused(members: Value, fault: MetadataFault) {
    let shown = members.to_string();
    assert_eq!(with(members).unwrap_err(), fault, "{shown}");
}

// OIDC-80
#[test]
fn what_is_not_said_has_the_default_of_the_specifications() {
    let client = with(json!({})).unwrap();
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(
        client.authentication,
        ClientAuthentication::Secret(SecretDigest::of("secret"))
    );
    assert_eq!(client.metadata.application_type, Some(ApplicationType::Web));
    assert_eq!(client.metadata.subject_type, SubjectType::Public);
    assert_eq!(client.name, "client-1");
    assert_eq!(client.scope.to_string(), "openid profile patient/*.rs");
    assert!(
        client.rules(SecurityProfile::Standard).requires_pkce
            && client.registered_itself
            && !client.push_required
    );
    let described = Value::Object(describe(&client));
    assert_eq!(described["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(described["response_types"], json!(["code"]));
}

#[test]
fn every_member_is_registered_as_it_was_sent() {
    let members = json!({
        "client_name": "An app",
        "application_type": "web",
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
        "contacts": ["ops@app.example"],
        "logo_uri": "https://app.example/logo.png",
        "client_uri": "http://localhost:3000/",
        "policy_uri": "https://app.example/terms#privacy",
        "tos_uri": "https://app.example/terms?lang=en",
        "initiate_login_uri": "https://app.example/login",
        "launch_uri": "https://app.example/launch",
        "post_logout_redirect_uris": ["https://app.example/out"],
        "backchannel_logout_uri": "https://app.example/logout",
        "backchannel_logout_session_required": true,
        "subject_type": "pairwise",
        "id_token_signed_response_alg": "RS256",
        "default_max_age": 600,
        "require_auth_time": true,
        "default_acr_values": ["1"],
        "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true,
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "1.0",
        "scope": "openid offline_access",
    });
    let described = Value::Object(describe(&with(members.clone()).unwrap()));
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(described[name], *value, "{name}");
    }
}

#[test]
fn what_is_not_understood_or_null_or_empty_is_ignored() {
    let client = with(json!({
        "client_name": "App",
        "client_name#de": "Anwendung",
        "logo_uri": "",
        "tos_uri": null,
        "made_up": { "deep": [1] },
        "request_object_signing_alg": "RS256",
        "request_uris": ["https://app.example/request.jwt"],
        "refresh_token_grace_seconds": 3600,
        "tls_client_certificate_bound_access_tokens": false,
    }))
    .unwrap();
    assert_eq!(client, with(json!({ "client_name": "App" })).unwrap());
    assert_eq!(client.metadata.refresh_token_grace_seconds, 0);
}

#[test]
fn keys_are_kept_of_clients_that_sign_with_them() {
    let signer = Signer::new(SignatureAlgorithm::ES256, Some("k"));
    let jwks = key_set(&[&signer]).to_json();
    let client = with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks })).unwrap();
    let keys = ClientKeys::Inline(key_set(&[&signer]));
    assert_eq!(
        client.authentication,
        ClientAuthentication::PrivateKeyJwt { keys }
    );
    let url = "https://app.example/jwks.json";
    let client = with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": url })).unwrap();
    let keys = ClientKeys::Url(url.into());
    assert_eq!(
        client.authentication,
        ClientAuthentication::PrivateKeyJwt { keys }
    );
    // Certification suites send keys with every registration.
    let client = with(json!({ "jwks": jwks })).unwrap();
    assert!(matches!(client.authentication, ClientAuthentication::Secret(_)));
    is_refused(
        json!({ "jwks": jwks, "jwks_uri": "https://app.example/jwks.json" }),
        MetadataFault::TwoKeySets,
    );
    for jwks in [json!({}), json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })] {
        is_refused(json!({ "jwks": jwks }), MetadataFault::Keys);
    }
    let private = json!({ "token_endpoint_auth_method": "private_key_jwt" });
    is_refused(private, MetadataFault::NoKeys);
    is_refused(
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [] } }),
        MetadataFault::NoKeys,
    );
    is_refused(
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://127.0.0.1/jwks" }),
        MetadataFault::CalledUrl("jwks_uri"),
    );
}

// OIDC-83, SMART-16
#[test]
fn redirect_uris_are_held_to_the_kind_of_application() {
    use wardgate_shared::redirect_uri::RedirectUriError;

    for uri in [
        "http://localhost:4567/custom/smart/redirect",
        "com.example.app:/cb",
    ] {
        let client = with(json!({ "redirect_uris": [uri], "application_type": "native" })).unwrap();
        assert_eq!(client.redirect_uris.first().unwrap().as_str(), uri);
        // Without a kind, the URIs say which it is.
        let client = with(json!({ "redirect_uris": [uri] })).unwrap();
        assert_eq!(client.metadata.application_type, Some(ApplicationType::Native));
        is_refused(
            json!({ "redirect_uris": ["https://app.example/", uri], "application_type": "web" }),
            MetadataFault::InsecureWebApplication,
        );
    }
    // RFC 8252 section 7.2
    assert!(with(json!({ "application_type": "native" })).is_ok());
    for (uri, error) in [
        ("https://app.example/cb#x", RedirectUriError::Fragment),
        ("http://app.example/cb", RedirectUriError::InsecureScheme),
        (
            "https://trusted.example@evil.example/",
            RedirectUriError::UserInformation,
        ),
        ("javascript:alert(1)", RedirectUriError::ForbiddenScheme),
        ("https://*.app.example/", RedirectUriError::NotAbsolute),
        ("/cb", RedirectUriError::NotAbsolute),
    ] {
        is_refused(
            json!({ "redirect_uris": [uri] }),
            MetadataFault::RedirectUri(error),
        );
        let code = MetadataFault::RedirectUri(error).code();
        assert_eq!(code.as_str(), "invalid_redirect_uri");
        is_refused(
            json!({ "post_logout_redirect_uris": [uri] }),
            MetadataFault::PostLogoutRedirectUri(error),
        );
    }
    for none in [json!(null), json!([])] {
        is_refused(json!({ "redirect_uris": none }), MetadataFault::NoRedirectUri);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    use MetadataFault as Fault;

    for (members, fault) in [
        (json!({ "grant_types": [] }), Fault::NoGrantType),
        (
            json!({ "grant_types": ["implicit"] }),
            Fault::Unsupported("grant_types"),
        ),
        (
            json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] }),
            Fault::GrantTypeNotAllowed,
        ),
        (
            json!({ "grant_types": ["client_credentials"] }),
            Fault::RedirectUriWithoutCode,
        ),
        (
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "token_endpoint_auth_method": "none" }),
            Fault::PublicWithClientCredentials,
        ),
        (
            json!({ "grant_types": ["client_credentials", "refresh_token"], "redirect_uris": null }),
            Fault::RefreshWithoutPerson,
        ),
        (
            json!({ "grant_types": ["client_credentials"], "redirect_uris": null, "response_types": ["code"] }),
            Fault::ResponseTypes,
        ),
        (json!({ "response_types": [] }), Fault::ResponseTypes),
        (
            json!({ "response_types": ["code", "code id_token"] }),
            Fault::Unsupported("response_types"),
        ),
        (
            json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
            Fault::Unsupported("token_endpoint_auth_method"),
        ),
        (
            json!({ "token_endpoint_auth_signing_alg": "ES256" }),
            Fault::AlgorithmWithoutKeys,
        ),
        (
            json!({ "token_endpoint_auth_signing_alg": "none" }),
            Fault::Unsupported("token_endpoint_auth_signing_alg"),
        ),
        (
            json!({ "id_token_signed_response_alg": "none" }),
            Fault::Unsupported("id_token_signed_response_alg"),
        ),
        (
            json!({ "application_type": "tv" }),
            Fault::Unsupported("application_type"),
        ),
        (
            json!({ "subject_type": "private" }),
            Fault::Unsupported("subject_type"),
        ),
        (json!({ "profile": "strict" }), Fault::Unsupported("profile")),
        (json!({ "scope": "openid  profile" }), Fault::MalformedScope),
        (json!({ "scope": "user/*.cruds" }), Fault::NothingOfScope),
        (json!({ "software_statement": "eyJ" }), Fault::SoftwareStatement),
        (
            json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }),
            Fault::NeverDone("id_token_encrypted_response_alg"),
        ),
        (
            json!({ "require_signed_request_object": true }),
            Fault::NeverDone("require_signed_request_object"),
        ),
        (
            json!({ "backchannel_logout_session_required": true }),
            Fault::LogoutSessionWithoutUrl,
        ),
        (
            json!({ "subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"] }),
            Fault::NoSector,
        ),
        (
            json!({ "subject_type": "pairwise", "redirect_uris": ["com.example.app:/cb"] }),
            Fault::NoSector,
        ),
        (json!({ "client_name": 7 }), Fault::Type("client_name")),
        (
            json!({ "redirect_uris": "https://app.example/cb" }),
            Fault::Type("redirect_uris"),
        ),
        (json!({ "contacts": [7] }), Fault::Type("contacts")),
        (json!({ "default_max_age": -1 }), Fault::Type("default_max_age")),
        (
            json!({ "require_auth_time": "true" }),
            Fault::Type("require_auth_time"),
        ),
        (json!({ "jwks": [] }), Fault::Type("jwks")),
        (json!({ "contacts": vec!["a"; 17] }), Fault::TooLong("contacts")),
        (
            json!({ "software_id": "x".repeat(256) }),
            Fault::TooLong("software_id"),
        ),
        (
            json!({ "redirect_uris": vec!["https://app.example/"; 33] }),
            Fault::TooLong("redirect_uris"),
        ),
        (json!({ "client_name": "x".repeat(201) }), Fault::Name),
        (json!({ "client_name": " " }), Fault::Name),
        (json!({ "client_name": "bank\u{202e}xe.ppa" }), Fault::Name),
    ] {
        is_refused(members, fault);
    }
    for body in ["", "[]", "{", r#"{"client_name":"a","client_name":"b"}"#, "\"x\""] {
        assert_eq!(read(body.as_bytes()).unwrap_err(), Fault::NotAnObject, "{body}");
    }
}

#[test]
fn urls_of_pages_and_urls_that_are_called_are_held_to_their_rules() {
    for member in [
        "logo_uri",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "initiate_login_uri",
        "launch_uri",
    ] {
        for url in [
            "javascript:alert(1)",
            "data:image/svg+xml,x",
            "http://app.example/x",
            "https://user@app.example/x",
            "https://app.example/a b",
            "https://app.example/\"",
            "https://app.example/#a\"b",
            "com.example.app:/x",
            "//app.example/x",
        ] {
            is_refused(json!({ member: url }), MetadataFault::PageUrl(member));
        }
    }
    for member in ["backchannel_logout_uri", "sector_identifier_uri"] {
        for url in [
            "http://app.example/x",
            "https://10.0.0.1/x",
            "https://[::1]/x",
            "https://user:password@app.example/x",
            "https://app.example/x#y",
            "file:///etc/passwd",
        ] {
            is_refused(json!({ member: url }), MetadataFault::CalledUrl(member));
        }
    }
}

#[test]
fn every_fault_is_told_in_characters_that_the_specification_allows() {
    for fault in [
        MetadataFault::NotAnObject,
        MetadataFault::Type("x"),
        MetadataFault::SoftwareStatement,
        MetadataFault::InsecureWebApplication,
        MetadataFault::PageUrl("x"),
        MetadataFault::CalledUrl("x"),
        MetadataFault::NoSector,
    ] {
        let lawful = |byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(fault.to_string().bytes().all(lawful), "{fault}");
    }
}

/// JSON values that come near to what members hold.
fn value() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "",
        "none",
        "web",
        "native",
        "code",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "client_secret_basic",
        "private_key_jwt",
        "openid",
        "pairwise",
        "RS256",
        "https://app.example/cb",
        "https://app.example/cb#x",
        "http://app.example/cb",
        "http://localhost/cb",
        "com.example.app:/cb",
        "http://127.0.0.1.evil.example/",
        "https://a@b/",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        texts.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("keys|kty|n|.{0,3}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

const MEMBERS: &str = "redirect_uris|post_logout_redirect_uris|application_type|response_types|grant_types|scope|jwks|\
                       jwks_uri|token_endpoint_auth_method|subject_type|logo_uri|policy_uri|contacts|default_max_age|\
                       client_name|client_name#fr|require_auth_time|sector_identifier_uri|software_statement|.{0,6}";

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn whatever_is_registered_keeps_the_rules(
        members in prop::collection::btree_map(MEMBERS, value(), 0..8),
        uris in prop::collection::vec(prop::sample::select(vec![
            "https://app.example/cb", "http://localhost:1/cb", "http://app.example/cb", "com.example.app:/cb",
        ]), 0..3),
    ) {
        let mut document: serde_json::Map<String, Value> = members.into_iter().collect();
        document.entry("redirect_uris").or_insert(json!(uris));
        if let Ok(client) = read(&serde_json::to_vec(&document).unwrap()) {
            let web = client.metadata.application_type == Some(ApplicationType::Web);
            for uri in client.redirect_uris.iter().map(RegisteredRedirectUri::as_str) {
                prop_assert!(!web || uri.starts_with("https://"), "{uri}");
                prop_assert!(!uri.starts_with("http:") || uri.starts_with("http://localhost"), "{uri}");
                prop_assert!(!uri.contains('#'));
            }
            prop_assert!(!client.is_public() || client.rules(SecurityProfile::Standard).requires_pkce);
            prop_assert!(!client.is_public() || !client.allows(GrantType::ClientCredentials));
            prop_assert!(!client.scope.is_empty());
            prop_assert!(client.grant_types.iter().all(|grant| ceiling().grant_types.contains(grant)));
            prop_assert!(!client.name.trim().is_empty());
            // What is shown of it is read again as the same client.
            let mut shown = Value::Object(describe(&client));
            shown.as_object_mut().unwrap().remove("client_id_issued_at");
            prop_assert_eq!(read(shown.to_string().as_bytes()).unwrap(), client);
        }
    }
}
