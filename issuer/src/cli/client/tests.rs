//! What may be registered, and what makes no sense.

use std::path::Path;

use clap::Parser;

use super::{AddClient, ClientType};
use crate::domain::client::{Client, ClientAuthentication, GrantType, SecurityProfile};
use crate::domain::digest::SecretDigest;
use crate::registration;
use crate::testing::{self, START};
use crate::tokens::opaque::OpaqueSecret;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    add: AddClient,
}

/// The client of `client add` with these arguments beside an id, a name and a scope.
fn client(arguments: &str) -> Result<Client, String> {
    let fixed = [
        "",
        "--client-id",
        "app",
        "--name",
        " My app ",
        "--scope",
        "openid patient/*.rs",
    ];
    let line = Line::try_parse_from(fixed.into_iter().chain(arguments.split_whitespace()));
    checked(&line.map_err(|error| error.to_string())?.add)
}

/// What `client add` would register, with any secret and any keys.
fn checked(add: &AddClient) -> Result<Client, String> {
    add.check_arguments()?;
    let authentication = match add.client_type {
        ClientType::Public => ClientAuthentication::Public,
        ClientType::Confidential => ClientAuthentication::Secret(SecretDigest::of("secret")),
    };
    let client = add.client(authentication, START)?;
    registration::check(&client, &testing::config(Path::new(""))).map_err(|fault| fault.to_string())?;
    Ok(client)
}

const APP: &str = "--type public --grant authorization_code --redirect-uri https://app.example.org/callback";
const SERVICE: &str = "--type confidential --grant client_credentials";

#[test]
fn makes_an_app_and_a_service() {
    let app = client(&format!("{APP} --grant refresh_token --grant refresh_token")).unwrap();
    assert_eq!(app.name, "My app");
    assert_eq!(
        app.grant_types,
        [GrantType::AuthorizationCode, GrantType::RefreshToken]
    );
    assert!(app.rules(SecurityProfile::Standard).requires_pkce);
    assert_eq!(app.created_at, START);
    let service = client(SERVICE).unwrap();
    assert!(service.allows(GrantType::ClientCredentials) && service.redirect_uris.is_empty());
}

// OUT-08
#[test]
fn registers_where_people_go_once_they_have_signed_out() {
    let uri = "https://app.example.org/signed-out";
    let arguments = format!("{APP} --post-logout-redirect-uri {uri} --post-logout-redirect-uri {uri}");
    let app = client(&arguments).unwrap();
    assert_eq!(app.post_logout_redirect_uris.len(), 1);
    assert_eq!(app.post_logout_target(uri).unwrap().as_str(), uri);
    assert_eq!(
        super::describe(&app)["post_logout_redirect_uris"],
        serde_json::json!([uri])
    );
}

// OIDC-86
#[test]
fn a_pairwise_client_needs_a_sector() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.json");
    let several = format!("{APP} --redirect-uri https://other.example.org/cb");
    std::fs::write(&path, r#"{"subject_type":"pairwise"}"#).unwrap();
    let with_metadata = |arguments: &str| client(&format!("{arguments} --metadata {}", path.display()));
    assert_eq!(
        with_metadata(APP).unwrap().sector().as_deref(),
        Some("app.example.org")
    );
    assert!(
        with_metadata(&several)
            .unwrap_err()
            .starts_with("subject_type pairwise")
    );
    let named = r#"{"subject_type":"pairwise","sector_identifier_uri":"https://example.org/uris.json"}"#;
    std::fs::write(&path, named).unwrap();
    assert_eq!(
        with_metadata(&several).unwrap().sector().as_deref(),
        Some("example.org")
    );
}

#[test]
fn further_metadata_comes_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.json");
    std::fs::write(&path, r#"{"logo_uri":"https://app.example.org/logo.png"}"#).unwrap();
    let app = client(&format!("{APP} --metadata {}", path.display())).unwrap();
    assert_eq!(
        super::describe(&app)["logo_uri"],
        "https://app.example.org/logo.png"
    );
    std::fs::write(&path, r#"{"logo":"https://app.example.org/logo.png"}"#).unwrap();
    let problem = client(&format!("{APP} --metadata {}", path.display())).unwrap_err();
    assert!(problem.contains("unknown field `logo`"), "{problem}");
    for unlawful in [
        r#"{"logo_uri":"javascript:alert(1)"}"#,
        r#"{"policy_uri":"http://app.example.org/policy"}"#,
        r#"{"backchannel_logout_uri":"https://10.1.2.3/logout"}"#,
        r#"{"id_token_signed_response_alg":"ES384"}"#,
        r#"{"token_endpoint_auth_signing_alg":"RS256"}"#,
        r#"{"application_type":"web","token_endpoint_auth_method":"client_secret_post"}"#,
    ] {
        std::fs::write(&path, unlawful).unwrap();
        let problem = client(&format!("{APP} --metadata {}", path.display())).unwrap_err();
        assert!(
            problem.contains("_uri") || problem.contains("_alg") || problem.contains("_post"),
            "{problem}"
        );
    }
    let problem = client(&format!("{APP} --metadata /no/such/file")).unwrap_err();
    assert!(problem.contains("cannot be read"), "{problem}");
}

#[test]
fn makes_clients_that_bring_other_peoples_tokens() {
    for grant in ["token-exchange", "jwt-bearer"] {
        let grant = format!("--grant urn:ietf:params:oauth:grant-type:{grant}");
        for kind in ["--type public", "--type confidential"] {
            let app = client(&format!("{kind} {grant} --grant refresh_token")).unwrap();
            assert!(app.allows(GrantType::RefreshToken) && app.redirect_uris.is_empty());
        }
    }
}

#[test]
fn makes_a_device_and_an_app_that_must_push() {
    let device =
        client("--type public --grant urn:ietf:params:oauth:grant-type:device_code --grant refresh_token")
            .unwrap();
    assert_eq!(
        device.grant_types,
        [GrantType::DeviceCode, GrantType::RefreshToken]
    );
    assert!(!device.push_required);
    assert!(client(&format!("{APP} --require-par")).unwrap().push_required);
}

#[test]
fn refuses_what_makes_no_sense() {
    for (arguments, said) in [
        (
            "--type public --grant client_credentials",
            "A public client cannot use client_credentials",
        ),
        (&format!("{APP} --secret-stdin"), "a public client has no secret"),
        (
            &format!("{APP} --no-require-pkce"),
            "A public client must use PKCE",
        ),
        (
            "--type public --grant authorization_code",
            "at least one of redirect_uris",
        ),
        (
            &format!("{SERVICE} --redirect-uri https://a.example/"),
            "redirect_uris are of use only with authorization_code",
        ),
        (
            &format!("{SERVICE} --post-logout-redirect-uri https://a.example/"),
            "post_logout_redirect_uris are of use only with authorization_code",
        ),
        (
            &format!("{APP} --post-logout-redirect-uri http://app.example.org/"),
            "--post-logout-redirect-uri http://app.example.org/ cannot be registered",
        ),
        (
            &format!("{SERVICE} --grant refresh_token"),
            "refresh_token is of use only with",
        ),
        (
            &format!("{SERVICE} --require-par"),
            "require_pushed_authorization_requests is of use only with",
        ),
        (
            "--type public --auth private_key_jwt --jwks-uri https://a.example/ --grant client_credentials",
            "a public client cannot keep a private key",
        ),
        (
            &format!("{SERVICE} --auth private_key_jwt"),
            "--jwks FILE or --jwks-uri URL",
        ),
        (
            &format!("{SERVICE} --jwks-uri https://a.example/"),
            "only with --auth private_key_jwt",
        ),
        (
            &format!("{SERVICE} --jwks keys.json"),
            "only with --auth private_key_jwt",
        ),
        (
            &format!("{SERVICE} --auth private_key_jwt --jwks-uri https://a.example/ --secret-stdin"),
            "has no secret",
        ),
        (
            &format!("{SERVICE} --auth private_key_jwt --jwks-uri https://a.example/ --jwks keys.json"),
            "cannot be used with",
        ),
        (&format!("{SERVICE} --auth client_secret_jwt"), "--auth"),
        (
            &format!("{APP} --grant password"),
            "is not one of authorization_code, client_credentials, refresh_token",
        ),
        (
            &format!("{APP} --redirect-uri http://app.example.org/"),
            "cannot be registered",
        ),
        (
            &format!("{APP} --redirect-uri https://app.example.org/#x"),
            "has a fragment",
        ),
        ("--type confidential", "--grant"),
        ("--grant client_credentials", "--type"),
    ] {
        let refused = client(arguments).unwrap_err();
        assert!(refused.contains(said), "{arguments}: {refused}");
    }
}

#[test]
fn refuses_offline_access_without_the_refresh_token_grant() {
    for scope in ["openid offline_access", "openid online_access"] {
        let with = |grants: &[&'static str]| {
            let line = format!("--client-id app --name App {APP}");
            let line = std::iter::once("")
                .chain(line.split(' '))
                .chain(grants.iter().copied());
            let line = Line::try_parse_from(line.chain(["--scope", scope])).ok().unwrap();
            checked(&line.add)
        };
        assert!(
            with(&[]).unwrap_err().contains("only with refresh_token"),
            "{scope}"
        );
        assert!(with(&["--grant", "refresh_token"]).is_ok(), "{scope}");
    }
}

#[test]
fn refuses_ids_names_and_scopes_that_cannot_be() {
    let with = |id: &str, name: &str, scope: &str| {
        let line = [
            "",
            "--client-id",
            id,
            "--name",
            name,
            "--scope",
            scope,
            "--type",
            "confidential",
        ];
        let line = Line::try_parse_from(line.into_iter().chain(["--grant", "client_credentials"]))
            .ok()
            .unwrap();
        checked(&line.add)
    };
    assert!(with("app", "App", "system/*.rs").is_ok());
    for id in ["", "my app", "ä", &"a".repeat(256), "a\n"] {
        assert!(
            with(id, "App", "system/*.rs")
                .unwrap_err()
                .contains("--client-id"),
            "{id:?}"
        );
    }
    for name in ["", "  ", "a\u{7}b", &"a".repeat(201)] {
        assert!(
            with("app", name, "system/*.rs")
                .unwrap_err()
                .contains("client_name"),
            "{name:?}"
        );
    }
    for scope in ["", " ", "a  b", "a\"b"] {
        assert!(
            with("app", "App", scope).unwrap_err().contains("--scope"),
            "{scope:?}"
        );
    }
}

#[test]
fn a_description_never_holds_a_secret() {
    let mut client = client(SERVICE).unwrap();
    let secret = OpaqueSecret::ClientSecret.generate().unwrap();
    client.authentication = ClientAuthentication::Secret(secret.digest);
    let described = super::describe(&client);
    assert_eq!(described["token_endpoint_auth_method"], "client_secret_basic");
    assert!(described.get("client_secret").is_none());
    let described = described.to_string();
    assert!(
        !described.contains("wgsec_") && !described.contains("digest"),
        "{described}"
    );
    assert!(secret.value.expose().starts_with("wgsec_") && secret.value.expose().len() == 49);
}
