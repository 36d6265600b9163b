//! An answer that the Worker makes itself.

/// Status, headers and a body of text. Sent in one call to the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAnswer {
    /// The status.
    pub status: u16,
    /// Names in lower case; values are visible ASCII and spaces.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: String,
}

impl OwnAnswer {
    /// An answer without headers and body.
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn with_body(self, media_type: &'static str, body: impl Into<String>) -> Self {
        let mut answer = self.with("content-type", media_type);
        answer.body = body.into();
        answer
    }
}
