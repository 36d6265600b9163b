//! What sends requests in tests, and what comes back.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::extract::Parameters;
use crate::testing::ISSUER;

use super::PASSWORD;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Where the browser is sent.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        self.header("location").unwrap()
    }

    /// A parameter of the query of [`Answer::location`].
    #[track_caller]
    pub(crate) fn sent(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?').unwrap();
        Parameters::parse(query.as_bytes())
            .unwrap()
            .single(name)
            .unwrap()
            .map(String::from)
    }

    /// The value of a hidden field of a page.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&marker)
            .unwrap_or_else(|| panic!("no field {name}: {self:?}"));
        rest.split_once('"').unwrap().0.into()
    }

    /// The WebAuthn options that a form of a page carries for the script.
    #[track_caller]
    pub(crate) fn passkey_options(&self) -> serde_json::Value {
        let (_, rest) = self
            .body
            .split_once("data-options=\"")
            .unwrap_or_else(|| panic!("no passkey: {self:?}"));
        let escaped = rest.split_once('"').unwrap().0;
        let text = escaped
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#38;", "&");
        serde_json::from_str(&text).unwrap()
    }

    /// The field `name` of the form by which a passkey is made or used.
    #[track_caller]
    pub(crate) fn passkey_field(&self, name: &str) -> String {
        let (_, form) = self.body.split_once("class=\"passkey\"").unwrap();
        let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split_once('"').unwrap().0.into()
    }

    /// Asserts the form of an error of RFC 6749 section 5.2 and gives its description.
    #[track_caller]
    pub(crate) fn is_oauth_error(&self, status: StatusCode, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let body = self.json();
        assert_eq!(body["error"], code, "{self:?}");
        assert_eq!(body["error_uri"], format!("{ISSUER}/docs/errors/{code}"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(is_description(description), "{description}");
        description.into()
    }

    /// Asserts that the client is told of an error by redirect, with `state` and `iss`.
    #[track_caller]
    pub(crate) fn is_error_redirect(&self, redirect_uri: &str, code: &str, state: Option<&str>) {
        self.is_error_redirect_after(&format!("{redirect_uri}?"), code, state);
    }

    /// The same for a redirect URI that has a query of its own.
    #[track_caller]
    pub(crate) fn is_error_redirect_beside(&self, redirect_uri: &str, code: &str, state: Option<&str>) {
        self.is_error_redirect_after(&format!("{redirect_uri}&"), code, state);
    }

    #[track_caller]
    fn is_error_redirect_after(&self, start: &str, code: &str, state: Option<&str>) {
        assert!(self.location().starts_with(start), "{self:?}");
        assert_eq!(self.sent("error").as_deref(), Some(code), "{self:?}");
        assert_eq!(self.sent("state").as_deref(), state);
        assert_eq!(self.sent("iss").as_deref(), Some(ISSUER));
        assert_eq!(self.sent("code"), None);
        assert_eq!(
            self.sent("error_uri"),
            Some(format!("{ISSUER}/docs/errors/{code}"))
        );
        assert!(is_description(&self.sent("error_description").unwrap()));
    }

    /// Asserts that a person sees an error page and is sent nowhere.
    #[track_caller]
    pub(crate) fn is_error_page(&self, status: StatusCode) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("location"), None);
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(self.body.contains("This did not work"), "{self:?}");
    }
}

/// The characters of OIDC-28.
fn is_description(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// Fields as a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// Something that sends requests and keeps cookies.
pub(crate) struct Browser {
    router: Router,
    cookies: Mutex<HashMap<String, String>>,
}

impl Browser {
    /// A browser without cookies.
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookies: Mutex::default(),
        }
    }

    /// A request for `path`, to be completed.
    pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path)
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request
                .headers_mut()
                .insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4711))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Self::request(Method::GET, path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &[]).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Self::request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form(fields)))
            .unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        self.send(request).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    /// Signs in on the page; the answer is what follows.
    pub(crate) async fn sign_in(&self, page: &str, email: &str, password: &str) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let token = page.field("form_token");
        let mut fields = vec![
            ("form_token", token.as_str()),
            ("email", email),
            ("password", password),
        ];
        let shown = |name| {
            let is_shown = page.body.contains(&format!("name=\"{name}\""));
            is_shown.then(|| page.field(name))
        };
        let (request, device) = (shown("request"), shown("device"));
        fields.extend(request.as_deref().map(|request| ("request", request)));
        fields.extend(device.as_deref().map(|device| ("device", device)));
        self.post("/login", &fields).await
    }

    /// Answers the consent page.
    pub(crate) async fn decide(&self, page: &str, decision: &str) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let (token, request) = (page.field("form_token"), page.field("request"));
        self.post(
            "/consent",
            &[
                ("form_token", &token),
                ("request", &request),
                ("decision", decision),
            ],
        )
        .await
    }

    /// Sends these fields from the page on which patients are chosen.
    pub(crate) async fn choose(&self, page: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let (token, request) = (page.field("form_token"), page.field("request"));
        let hidden = [("form_token", token.as_str()), ("request", request.as_str())];
        self.post("/select-patient", &[&hidden, fields].concat()).await
    }

    /// Goes through whatever pages an authorization request shows, as `email`, allowing all; gives the last redirect.
    pub(crate) async fn authorize(&self, query: &[(&str, &str)], email: &str) -> Answer {
        let mut answer = self.get(&format!("/oauth2/authorize?{}", form(query))).await;
        for _ in 0..7 {
            let location = String::from(answer.location());
            answer = match location.split('?').next().unwrap() {
                "/login" => self.sign_in(&location, email, PASSWORD).await,
                "/select-patient" => self.choose(&location, &[("none", "patient")]).await,
                "/consent" => self.decide(&location, "allow").await,
                "/oauth2/authorize/continue" => self.get(&location).await,
                _ => return answer,
            };
        }
        panic!("the pages go round in circles: {answer:?}");
    }
}
