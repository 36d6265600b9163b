//! What is answered to those who come by http although the issuer is at https.
//!
//! A read request is sent on (308, which keeps the method). Anything that posts has sent its secrets already where everybody can read
//! them: it is refused, so that somebody notices. No `Strict-Transport-Security` here, which counts over TLS only (RFC 6797 section 7.2).

use std::path::PathBuf;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use crate::config::PublicUrl;
use crate::error::problem::problem;

use super::acme;

/// Answers everything so, but for what an authority fetches from `acme_webroot` to see whose name it is.
pub fn router(public_url: PublicUrl, acme_webroot: Option<PathBuf>) -> Router {
    let mut router = Router::new();
    if let Some(webroot) = acme_webroot {
        let challenge = async move |Path(token): Path<String>| acme::serve(webroot, token).await;
        router = router.route(acme::PATH, get(challenge).fallback(answer));
    }
    router.fallback(answer).with_state(public_url)
}

async fn answer(State(public_url): State<PublicUrl>, request: Request) -> Response {
    send_to_https(&public_url, request.method(), request.uri())
}

/// Sends a request on to https, or refuses it.
pub fn send_to_https(public_url: &PublicUrl, method: &Method, uri: &Uri) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    // The host is ours and not the request's. A target such as * has no place in a URL.
    let place = HeaderValue::try_from(public_url.join(target)).ok();
    if let Some(place) = place
        && target.starts_with('/')
        && matches!(*method, Method::GET | Method::HEAD)
    {
        let headers = [no_store, (header::LOCATION, place)];
        return (StatusCode::PERMANENT_REDIRECT, headers).into_response();
    }
    let mut refusal = problem(
        StatusCode::FORBIDDEN,
        "This server takes requests by https only",
        Some("What was sent was not encrypted on its way: replace the secrets in it.".into()),
    );
    refusal.headers_mut().insert(no_store.0, no_store.1);
    refusal
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode, Uri, header};

    use super::send_to_https;
    use crate::config::PublicUrl;

    fn send(method: &Method, target: &str) -> (StatusCode, Option<String>) {
        let public_url = PublicUrl::parse("https://id.example.org").unwrap();
        let uri: Uri = target.parse().unwrap();
        let response = send_to_https(&public_url, method, &uri);
        let place = response.headers().get(header::LOCATION);
        assert!(!response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        (
            response.status(),
            place.map(|place| place.to_str().unwrap().into()),
        )
    }

    #[test]
    fn sends_readers_to_the_same_place_by_https() {
        for (target, place) in [
            ("/login?x=%20y", "https://id.example.org/login?x=%20y"),
            ("//evil.example/", "https://id.example.org//evil.example/"),
            ("http://evil.example/path", "https://id.example.org/path"),
            ("http://evil.example", "https://id.example.org/"),
        ] {
            let sent = (StatusCode::PERMANENT_REDIRECT, Some(place.into()));
            assert_eq!(send(&Method::GET, target), sent, "{target}");
            assert_eq!(send(&Method::HEAD, target), sent, "{target}");
        }
    }

    #[test]
    fn refuses_what_was_posted_in_clear() {
        assert_eq!(
            send(&Method::POST, "/oauth2/token"),
            (StatusCode::FORBIDDEN, None)
        );
        assert_eq!(send(&Method::OPTIONS, "*"), (StatusCode::FORBIDDEN, None));
    }
}
