//! What a request calls: its method and path, which a DPoP proof repeats (RFC 9449 section 4.2).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::Method;
use http::request::Parts;

use crate::config::Config;

/// Method and path as sent. The query is left out: `htu` has none.
#[derive(Clone, Debug)]
pub struct RequestTarget {
    method: Method,
    path: String,
}

impl RequestTarget {
    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The URL as clients see it, whatever `Host` says.
    pub fn url(&self, config: &Config) -> String {
        config.server.public_url.join(&self.path)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestTarget {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            method: parts.method.clone(),
            path: parts.uri.path().into(),
        })
    }
}
