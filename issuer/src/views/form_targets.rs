//! Where the forms of a page may lead: the `form-action` of its Content-Security-Policy.
//!
//! Chromium and Safari hold every redirect that follows a form's submission to `form-action`, through any number of hops
//! (w3c/webappsec-csp issue 8). The sign-in and consent forms end at the client's redirect URI, so its origin has to be
//! named; one more redirect through an address of ours would change nothing.
//!
//! Left out on purpose: what the client's own callback redirects to. A callback that at once redirects to yet another
//! origin is stopped by those browsers; it has to show a page of its own first.

use std::fmt;

use wardgate_shared::redirect_uri::RedirectTarget;

/// The sources of `form-action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormTargets(String);

impl FormTargets {
    /// A page without forms.
    pub fn none() -> Self {
        Self("'none'".into())
    }

    /// Forms that stay with the issuer.
    pub fn own() -> Self {
        Self("'self'".into())
    }

    /// The same, and at a provider of whatever organization the address in the form belongs to: which ones there are is not
    /// told to everybody. `http_loopback` is for providers on this machine, in development.
    #[must_use]
    pub fn and_providers(self, http_loopback: bool) -> Self {
        let loopback = if http_loopback {
            " http://localhost:* http://127.0.0.1:*"
        } else {
            ""
        };
        Self(format!("{} https:{loopback}", self.0))
    }

    /// Forms that may end at the server of this URL.
    pub fn server(url: &str) -> Self {
        Self(format!("'self' {}", source(url)))
    }

    /// The same, and at a client.
    #[must_use]
    pub fn and_client(self, target: &RedirectTarget) -> Self {
        Self(format!("{} {}", self.0, source(target.as_str())))
    }

    /// Forms that may end at a client.
    pub fn client(target: &RedirectTarget) -> Self {
        Self(format!("'self' {}", source(target.as_str())))
    }
}

impl fmt::Display for FormTargets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The CSP source that matches `uri`: its origin; or its scheme, for private-use schemes, which have no origin, and for
/// IPv6 literals, which CSP level 3 cannot spell.
fn source(uri: &str) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    match web_origin(uri) {
        Some(origin) if !rest.contains('[') => origin,
        Some(_) | None => format!("{scheme}:"),
    }
}

/// The origin of a registered `http` or `https` URI as browsers write it in `Origin`: lower case, no default port.
pub(crate) fn web_origin(uri: &str) -> Option<String> {
    let (scheme, default_port) = match uri.split_once(':')? {
        ("https", _) => ("https", ":443"),
        ("http", _) => ("http", ":80"),
        (_, _) => return None,
    };
    let (_, hierarchy) = uri.split_once("://")?;
    let authority = hierarchy.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let without_port = authority
        .strip_suffix(default_port)
        .or_else(|| authority.strip_suffix(':'));
    Some(format!("{scheme}://{}", without_port.unwrap_or(&authority)))
}

#[cfg(test)]
mod tests {
    use wardgate_shared::redirect_uri::RegisteredRedirectUri;

    use super::{FormTargets, web_origin};

    #[track_caller]
    fn allows(uri: &str, source: &str) {
        let target = RegisteredRedirectUri::parse(uri).unwrap().as_target();
        assert_eq!(
            FormTargets::client(&target).to_string(),
            format!("'self' {source}")
        );
    }

    #[test]
    fn names_the_origin_of_the_client_and_nothing_more() {
        allows("https://app.example/callback?x=1", "https://app.example");
        allows("https://App.Example:8443/callback", "https://app.example:8443");
        allows("http://localhost:3000/cb", "http://localhost:3000");
        allows("http://127.0.0.1/cb", "http://127.0.0.1");
    }

    #[test]
    fn names_the_scheme_where_there_is_no_origin_to_spell() {
        allows("com.example.app:/callback", "com.example.app:");
        allows("http://[::1]:3000/cb", "http:");
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        assert_eq!(
            web_origin("https://app.example:443/cb").as_deref(),
            Some("https://app.example")
        );
        assert_eq!(
            web_origin("http://localhost:80").as_deref(),
            Some("http://localhost")
        );
        assert_eq!(
            web_origin("https://app.example:4430").as_deref(),
            Some("https://app.example:4430")
        );
        assert_eq!(
            web_origin("http://[::1]:3000/cb").as_deref(),
            Some("http://[::1]:3000")
        );
        assert_eq!(web_origin("com.example.app:/cb"), None);
    }
}
