//! The issuer's cookies (RFC 6265): which browser this is, and who signed in with it.
//!
//! They hold random values that mean nothing elsewhere. Over https they carry the `__Host-` prefix, so that no neighbour on
//! a sister domain, and nobody on an unencrypted connection, can set them.

use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

use crate::config::PublicUrl;

/// One of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Names the session of somebody who signed in.
    Session,
    /// Ties a sign-in form to the browser it was shown in, before anybody has signed in.
    SignInForm,
    /// Names a sign-in that is not finished.
    SignIn,
    /// Names the browser to the people who had it remembered; it outlives the browser's closing.
    Device,
    /// Ties a sign-in at an identity provider to the browser that was sent there, and says where it leads.
    Provider,
}

impl Cookie {
    /// The name under `public_url`.
    pub fn name(self, public_url: &PublicUrl) -> &'static str {
        match (self, public_url.is_https()) {
            (Self::Session, true) => "__Host-wardgate_session",
            (Self::Session, false) => "wardgate_session",
            (Self::SignInForm, true) => "__Host-wardgate_form",
            (Self::SignInForm, false) => "wardgate_form",
            (Self::SignIn, true) => "__Host-wardgate_sign_in",
            (Self::SignIn, false) => "wardgate_sign_in",
            (Self::Device, true) => "__Host-wardgate_device",
            (Self::Device, false) => "wardgate_device",
            (Self::Provider, true) => "__Host-wardgate_provider",
            (Self::Provider, false) => "wardgate_provider",
        }
    }

    /// The value that a request brings; `None` when there is none, or when there are several, of which one is foreign.
    pub fn read<'a>(self, headers: &'a HeaderMap, public_url: &PublicUrl) -> Option<&'a str> {
        let name = self.name(public_url);
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(|(own, value)| (own == name).then_some(value));
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// The `Set-Cookie` value that gives the browser `value` until it is closed.
    ///
    /// # Errors
    /// When `value` has characters that no header may have; generated values never do.
    pub fn set(self, value: &str, public_url: &PublicUrl) -> Result<HeaderValue, InvalidHeaderValue> {
        self.header(value, "", public_url)
    }

    /// The `Set-Cookie` value that gives the browser `value` for `seconds`, whether or not it is closed meanwhile.
    ///
    /// # Errors
    /// As [`Cookie::set`].
    pub fn keep(
        self,
        value: &str,
        seconds: i64,
        public_url: &PublicUrl,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        self.header(value, &format!("; Max-Age={seconds}"), public_url)
    }

    /// The `Set-Cookie` value that takes the cookie away.
    ///
    /// # Errors
    /// Never in fact.
    pub fn clear(self, public_url: &PublicUrl) -> Result<HeaderValue, InvalidHeaderValue> {
        self.header("", "; Max-Age=0", public_url)
    }

    fn header(
        self,
        value: &str,
        age: &str,
        public_url: &PublicUrl,
    ) -> Result<HeaderValue, InvalidHeaderValue> {
        // Lax, not Strict: the browser arrives at the authorization endpoint from the client's site.
        let secure = if public_url.is_https() { "; Secure" } else { "" };
        let name = self.name(public_url);
        let mut header = HeaderValue::from_str(&format!(
            "{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
        ))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header};

    use super::Cookie;
    use crate::config::PublicUrl;

    fn url(text: &str) -> PublicUrl {
        PublicUrl::parse(text).unwrap()
    }

    #[test]
    fn is_host_bound_and_secure_over_https() {
        let header = Cookie::Session
            .set("wgs_x", &url("https://id.example.org"))
            .unwrap();
        assert_eq!(
            header,
            "__Host-wardgate_session=wgs_x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(header.is_sensitive());
        let header = Cookie::Session.clear(&url("http://localhost:8788")).unwrap();
        assert_eq!(
            header,
            "wardgate_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn only_the_cookie_of_a_remembered_browser_outlives_its_closing() {
        let kept = Cookie::Device.keep("wgb_x", 60, &url("https://id.example.org"));
        assert_eq!(
            kept.unwrap(),
            "__Host-wardgate_device=wgb_x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        let header = Cookie::SignIn.set("wgp_x", &url("http://localhost:8788"));
        assert_eq!(
            header.unwrap(),
            "wardgate_sign_in=wgp_x; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn reads_its_own_name_only() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; wardgate_session=foreign".parse().unwrap());
        headers.append(header::COOKIE, "__Host-wardgate_session=own".parse().unwrap());
        assert_eq!(
            Cookie::Session.read(&headers, &url("https://id.example.org")),
            Some("own")
        );
        assert_eq!(
            Cookie::SignInForm.read(&headers, &url("https://id.example.org")),
            None
        );
    }

    #[test]
    fn trusts_neither_of_two_values() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "wardgate_session=one; wardgate_session=two".parse().unwrap(),
        );
        assert_eq!(
            Cookie::Session.read(&headers, &url("http://localhost:8788")),
            None
        );
    }
}
