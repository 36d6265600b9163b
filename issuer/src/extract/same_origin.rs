//! Whether a page's own form sent a POST: the first half of the defence against cross-site request forgery. The other
//! half is the token in the form ([`crate::login::form_token`]); both must hold.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, header};

use crate::error::page::PageError;
use crate::state::AppState;

/// Proof that nothing about a request says that it comes from another site.
///
/// Browsers that know Fetch Metadata say where a request comes from in `Sec-Fetch-Site`, and only `same-origin` will do.
/// From others `Origin` must be ours, or `null`, which is what a form on a page with `Referrer-Policy: no-referrer`
/// sends. Programs that are no browser send neither; for them the token has to speak.
#[derive(Clone, Copy, Debug)]
pub struct SameOrigin(());

impl SameOrigin {
    fn check(headers: &HeaderMap, own_origin: &str) -> Option<Self> {
        let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
        let same_origin = if sites.peek().is_some() {
            sites.all(|site| site == "same-origin")
        } else {
            headers
                .get_all(header::ORIGIN)
                .iter()
                .all(|origin| origin == own_origin || origin == "null")
        };
        same_origin.then_some(Self(()))
    }
}

impl<S> FromRequestParts<S> for SameOrigin
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let state = AppState::from_ref(state);
        Self::check(&parts.headers, state.config().server.public_url.as_str()).ok_or(PageError::ForeignForm)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName};

    use super::SameOrigin;

    #[track_caller]
    fn accepts(headers: &[(&'static str, &str)], expected: bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        assert_eq!(
            SameOrigin::check(&map, "https://id.example.org").is_some(),
            expected,
            "{headers:?}"
        );
    }

    #[test]
    fn accepts_own_forms_and_programs() {
        accepts(&[], true);
        accepts(&[("sec-fetch-site", "same-origin"), ("origin", "null")], true);
        accepts(
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://id.example.org"),
            ],
            true,
        );
        accepts(&[("origin", "https://id.example.org")], true);
        accepts(&[("origin", "null")], true);
    }

    #[test]
    fn refuses_forms_of_other_sites() {
        accepts(&[("sec-fetch-site", "cross-site")], false);
        accepts(&[("sec-fetch-site", "same-site")], false);
        accepts(&[("sec-fetch-site", "none")], false);
        accepts(
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            false,
        );
        accepts(&[("origin", "https://evil.example")], false);
        accepts(&[("origin", "https://id.example.org.evil.example")], false);
        accepts(&[("origin", "http://id.example.org")], false);
    }
}
