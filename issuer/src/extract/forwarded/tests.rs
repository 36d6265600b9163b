//! Who is believed, and what is only claimed.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use proptest::prelude::*;

use super::Origin;
use crate::config::{IpNetwork, ProxyHeaders, PublicUrl, ServerConfig};

fn server(proxies: &[&str], proxy_headers: ProxyHeaders) -> ServerConfig {
    ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: PublicUrl::parse("https://id.example.org").unwrap(),
        trusted_proxies: proxies
            .iter()
            .map(|proxy| IpNetwork::parse(proxy).unwrap())
            .collect(),
        proxy_headers,
        drain_seconds: 0,
        shutdown_seconds: 1,
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
}

#[track_caller]
fn finds(peer: &str, forwarded: &[&str], proxies: &[&str], expected: &str) {
    let pairs: Vec<_> = forwarded
        .iter()
        .map(|value| ("x-forwarded-for", *value))
        .collect();
    let server = server(proxies, ProxyHeaders::XForwarded);
    let found = Origin::of(peer.parse().unwrap(), &headers(&pairs), &server);
    assert_eq!(found.address, expected.parse::<IpAddr>().unwrap());
}

/// The same with `Forwarded`.
#[track_caller]
fn finds_forwarded(values: &[&str], expected: &str, is_http: bool) {
    let pairs: Vec<_> = values.iter().map(|value| ("forwarded", *value)).collect();
    let server = server(&["10.0.0.0/8", "fd00::/8"], ProxyHeaders::Forwarded);
    let found = Origin::of("10.0.0.1".parse().unwrap(), &headers(&pairs), &server);
    let expected = Origin {
        address: expected.parse().unwrap(),
        is_http,
    };
    assert_eq!(found, expected, "{values:?}");
}

#[test]
fn believes_the_connection_when_there_is_no_proxy() {
    finds("203.0.113.9", &[], &[], "203.0.113.9");
    finds("203.0.113.9", &["198.51.100.1"], &[], "203.0.113.9");
    finds("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"], "203.0.113.9");
}

#[test]
fn takes_the_rightmost_address_that_is_no_proxy() {
    let proxies = ["10.0.0.0/8"];
    finds("10.0.0.1", &["198.51.100.1"], &proxies, "198.51.100.1");
    for chain in [
        &["192.0.2.66, 198.51.100.1, 10.0.0.2"][..],
        &["192.0.2.66", "198.51.100.1", "10.0.0.2"],
    ] {
        finds("10.0.0.1", chain, &proxies, "198.51.100.1");
    }
    finds("::ffff:10.0.0.1", &["2001:db8::7"], &proxies, "2001:db8::7");
}

#[test]
fn reads_entries_with_ports_and_brackets() {
    let proxies = ["10.0.0.0/8", "fd00::/8"];
    for (entry, expected) in [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("198.51.100.1:4711, [fd00::2]:80, 10.0.0.2:80", "198.51.100.1"),
    ] {
        finds("10.0.0.1", &[entry], &proxies, expected);
    }
    for entry in [
        "198.51.100.1:",
        "198.51.100.1:port",
        "[198.51.100.1]",
        "[2001:db8::7",
        "2001:db8::7]:1",
    ] {
        finds("10.0.0.1", &[entry], &proxies, "10.0.0.1");
    }
}

#[test]
fn stops_at_what_is_no_address() {
    let proxies = ["10.0.0.0/8"];
    finds("10.0.0.1", &[], &proxies, "10.0.0.1");
    finds("10.0.0.1", &["unknown"], &proxies, "10.0.0.1");
    finds("10.0.0.1", &["198.51.100.1, , 10.0.0.2"], &proxies, "10.0.0.2");
    finds("10.0.0.1", &["10.0.0.3"], &proxies, "10.0.0.3");
}

#[test]
fn reads_the_hops_of_forwarded() {
    for (values, expected, is_http) in [
        (
            &["for=198.51.100.1;proto=https;by=10.0.0.1"][..],
            "198.51.100.1",
            false,
        ),
        (&["For=\"[2001:db8::7]:4711\";Proto=http"], "2001:db8::7", true),
        (
            &["for=192.0.2.66, for=198.51.100.1;proto=http, for=10.0.0.2;proto=https"],
            "198.51.100.1",
            true,
        ),
        (&["for=198.51.100.1", "for=\"[fd00::2]\""], "198.51.100.1", false),
        (&["for=unknown;proto=http"], "10.0.0.1", true),
        (&["for=_hidden"], "10.0.0.1", false),
        (&["proto=https"], "10.0.0.1", false),
        (&[], "10.0.0.1", false),
    ] {
        finds_forwarded(values, expected, is_http);
    }
}

#[test]
fn a_quote_that_a_client_leaves_open_hides_nothing_behind_it() {
    for value in [
        "for=\", for=198.51.100.1",
        "for=192.0.2.66, for=\"x, for=198.51.100.1",
        "for=192.0.2.66, for=\"x\\, for=\"198.51.100.1\"",
        "for=\"192.0.2.66\"x",
        "for=192.0.2.66\"",
    ] {
        finds_forwarded(&[value], "10.0.0.1", false);
    }
    finds_forwarded(&["for=\"192.0.2.66", "for=198.51.100.1"], "198.51.100.1", false);
}

#[test]
fn headers_that_the_proxies_do_not_write_say_nothing() {
    let all = headers(&[
        ("x-forwarded-for", "192.0.2.66"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "for=192.0.2.67;proto=http"),
    ]);
    let of = |peer: &str, proxy_headers| {
        let found = Origin::of(
            peer.parse().unwrap(),
            &all,
            &server(&["10.0.0.0/8"], proxy_headers),
        );
        (found.address.to_string(), found.is_http)
    };
    assert_eq!(
        of("10.0.0.1", ProxyHeaders::XForwarded),
        ("192.0.2.66".into(), true)
    );
    assert_eq!(
        of("10.0.0.1", ProxyHeaders::Forwarded),
        ("192.0.2.67".into(), true)
    );
    // Nobody that is trusted says it.
    for proxy_headers in [ProxyHeaders::XForwarded, ProxyHeaders::Forwarded] {
        assert_eq!(of("203.0.113.9", proxy_headers), ("203.0.113.9".into(), false));
    }
}

#[test]
fn the_scheme_is_that_by_which_the_first_proxy_was_reached() {
    for (value, is_http) in [
        ("http", true),
        ("HTTP", true),
        ("https", false),
        ("https, http", false),
        ("http,https", true),
        ("", false),
    ] {
        let server = server(&["10.0.0.0/8"], ProxyHeaders::XForwarded);
        let found = Origin::of(
            "10.0.0.1".parse().unwrap(),
            &headers(&[("x-forwarded-proto", value)]),
            &server,
        );
        assert_eq!(found.is_http, is_http, "{value}");
    }
}

proptest! {
    #[test]
    fn whatever_a_client_sends_the_entry_of_the_proxy_is_found_or_none(text in "[ -~]{0,60}") {
        let value = format!("{text}, for=198.51.100.1");
        let server = server(&["10.0.0.0/8"], ProxyHeaders::Forwarded);
        let found = Origin::of("10.0.0.1".parse().unwrap(), &headers(&[("forwarded", &value)]), &server);
        prop_assert!(["198.51.100.1", "10.0.0.1"].contains(&found.address.to_string().as_str()));
    }
}
