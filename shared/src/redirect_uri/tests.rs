use alloc::string::String;

use proptest::prelude::*;

use super::{MAXIMUM_REDIRECT_URI_BYTES, RedirectUriError, RegisteredRedirectUri};

fn registered(text: &str) -> RegisteredRedirectUri {
    RegisteredRedirectUri::parse(text).unwrap()
}

#[test]
fn accepts_https_loopback_http_and_private_use_schemes() {
    for text in [
        "https://app.com/callback",
        "https://app.com",
        "https://app.com:8443/cb?bar=foo",
        "https://www.getpostman.com/oauth2/callback",
        "http://localhost:3000/callback",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
        "com.example.app:/oauth",
    ] {
        assert!(RegisteredRedirectUri::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn refuses_what_must_not_be_registered() {
    let cases = [
        ("https://app.com/cb#top", RedirectUriError::Fragment),
        ("https://user@app.com/cb", RedirectUriError::UserInformation),
        ("https://app.com@evil.example/", RedirectUriError::UserInformation),
        ("http://app.com/cb", RedirectUriError::InsecureScheme),
        (
            "http://127.0.0.1.evil.example/cb",
            RedirectUriError::InsecureScheme,
        ),
        ("javascript:alert(1)", RedirectUriError::ForbiddenScheme),
        ("data:text/html,x", RedirectUriError::ForbiddenScheme),
        ("myapp:/cb", RedirectUriError::ForbiddenScheme),
        ("HTTPS://app.com/cb", RedirectUriError::ForbiddenScheme),
        ("/cb", RedirectUriError::NotAbsolute),
        ("https:/app.com", RedirectUriError::NotAbsolute),
        ("https://", RedirectUriError::NotAbsolute),
        ("https://*.app.com/cb", RedirectUriError::NotAbsolute),
        ("https://app.com/c b", RedirectUriError::NotAbsolute),
        ("https://app.com/%2", RedirectUriError::NotAbsolute),
        ("https://app.com/%zz", RedirectUriError::NotAbsolute),
        ("https://app.com\\evil.example/", RedirectUriError::NotAbsolute),
        ("https://app.com:80x/cb", RedirectUriError::NotAbsolute),
        ("https://äpp.com/cb", RedirectUriError::NotAbsolute),
        (
            "https://app.com/\r\nSet-Cookie:a=b",
            RedirectUriError::NotAbsolute,
        ),
        ("", RedirectUriError::NotAbsolute),
    ];
    for (text, error) in cases {
        assert_eq!(RegisteredRedirectUri::parse(text), Err(error), "{text}");
    }
    let long = alloc::format!("https://app.com/{}", "a".repeat(MAXIMUM_REDIRECT_URI_BYTES));
    assert_eq!(
        RegisteredRedirectUri::parse(&long),
        Err(RedirectUriError::TooLong)
    );
}

#[test]
fn a_request_must_name_the_registered_uri_to_the_character() {
    let uri = registered("https://app.com/callback");
    assert!(uri.accept("https://app.com/callback").is_some());
    for other in [
        "https://app.com/callback/",
        "https://app.com/callback/extra",
        "https://app.com/callback?foo=bar",
        "https://app.com:443/callback",
        "https://APP.com/callback",
        "https://app.com/Callback",
        "http://app.com/callback",
        "https://app.com/callback%2F",
        "",
    ] {
        assert!(uri.accept(other).is_none(), "{other}");
    }
}

#[test]
fn a_loopback_ip_literal_may_come_with_any_port() {
    let uri = registered("http://127.0.0.1:1/cb?x=1");
    for accepted in ["http://127.0.0.1:49152/cb?x=1", "http://127.0.0.1/cb?x=1"] {
        assert_eq!(uri.accept(accepted).unwrap().as_str(), accepted);
    }
    for refused in [
        "http://127.0.0.1:49152/cb",
        "http://127.0.0.1:49152/other?x=1",
        "http://127.0.0.1:49152@evil.example/cb?x=1",
        "http://localhost:49152/cb?x=1",
        "http://[::1]:49152/cb?x=1",
        "http://127.0.0.1:4915x/cb?x=1",
        "http://127.0.0.1:999999/cb?x=1",
        "https://127.0.0.1:49152/cb?x=1",
    ] {
        assert!(uri.accept(refused).is_none(), "{refused}");
    }
    assert!(
        registered("http://localhost:3000/cb")
            .accept("http://localhost:3001/cb")
            .is_none()
    );
    assert!(
        registered("http://[::1]/cb")
            .accept("http://[::1]:8/cb")
            .is_some()
    );
}

#[test]
fn parameters_join_a_query_that_is_there() {
    let plain = registered("https://app.com/cb").as_target();
    assert_eq!(
        plain.with_parameters([("code", "a b"), ("state", "x&y=z")]),
        "https://app.com/cb?code=a%20b&state=x%26y%3Dz"
    );
    let query = registered("https://app.com/cb?bar=foo").as_target();
    assert_eq!(
        query.with_parameters([("code", "1")]),
        "https://app.com/cb?bar=foo&code=1"
    );
    let empty = registered("https://app.com/cb?").as_target();
    assert_eq!(
        empty.with_parameters([("code", "1")]),
        "https://app.com/cb?code=1"
    );
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_was_registered(text in ".{0,80}", presented in ".{0,80}") {
        if let Ok(uri) = RegisteredRedirectUri::parse(&text) {
            prop_assert_eq!(uri.accept(&text).map(|target| String::from(target.as_str())), Some(text));
            let _ = uri.accept(&presented);
        }
    }

    #[test]
    fn values_survive_the_query(value in ".{0,40}") {
        let target = RegisteredRedirectUri::parse("https://app.com/cb").unwrap().as_target();
        let location = target.with_parameters([("state", value.as_str())]);
        let encoded = location.strip_prefix("https://app.com/cb?state=").unwrap();
        let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
        prop_assert_eq!(decoded, value);
    }
}
