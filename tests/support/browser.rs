//! A person at a browser, scripted: keeps cookies, follows redirects, fills the forms of the sign-in and consent pages,
//! and stops where the browser would leave the issuer.
//!
//! It reads pages as a browser without JavaScript does: a form is its `action` and its named fields.

use std::collections::BTreeMap;

use reqwest::Url;

use crate::http::{Answer, client, try_send};

/// The answer a person gives on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The button `allow`.
    Allow,
    /// The button `deny`.
    Deny,
}

/// How many pages and redirects lie between an app and its answer, at most.
const STEPS: usize = 20;

/// One browser: its cookies, and who sits before it.
pub struct Browser {
    issuer: Url,
    email: String,
    password: String,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
    /// The titles of the pages seen, in order.
    pub pages: Vec<String>,
}

impl Browser {
    /// A fresh browser of somebody who knows this password. `issuer` is the issuer's URL.
    pub fn new(issuer: &str, email: &str, password: &str) -> Self {
        Self {
            issuer: Url::parse(issuer).expect("the issuer's URL"),
            email: email.to_owned(),
            password: password.to_owned(),
            client: client(),
            cookies: BTreeMap::new(),
            pages: Vec::new(),
        }
    }

    /// Opens `url`, signs in where asked to, answers the consent page, and gives the address outside the issuer that the
    /// browser is sent to in the end.
    ///
    /// # Panics
    /// When a page comes that is neither, or nothing leads out of the issuer within a score of steps.
    pub async fn open(&mut self, url: &str, decision: Decision) -> String {
        self.try_open(url, decision).await.expect("a response")
    }

    /// As [`Browser::open`]; `None` when the issuer gives no answer.
    ///
    /// # Panics
    /// As [`Browser::open`].
    pub async fn try_open(&mut self, url: &str, decision: Decision) -> Option<String> {
        let mut next = Step::Get(self.issuer.join(url).expect("a URL"));
        for _ in 0..STEPS {
            let (answer, at) = self.take(next).await?;
            if let Some(location) = answer.header("location") {
                let target = at.join(location).expect("a Location");
                if target.origin() != self.issuer.origin() {
                    return Some(location.to_owned());
                }
                next = Step::Get(target);
                continue;
            }
            let page = answer.text();
            self.pages
                .push(text_between(&page, "<title>", "</title>").unwrap_or_default());
            assert_eq!(answer.status, 200, "a page of the way, not:\n{page}");
            let mut form = Form::read(&page).unwrap_or_else(|| panic!("a form on the page:\n{page}"));
            if form.has("password") {
                form.set("email", &self.email);
                form.set("password", &self.password);
            } else if form.has("email") {
                form.set("email", &self.email);
            } else if page.contains("value=\"later\"") {
                form.set("decision", "later");
            } else if form.has("decision") {
                form.set(
                    "decision",
                    if decision == Decision::Allow {
                        "allow"
                    } else {
                        "deny"
                    },
                );
            } else {
                panic!("a form that a person would not know what to do with:\n{page}");
            }
            next = Step::Post(at.join(&form.action).expect("an action"), form.fields);
        }
        panic!(
            "{STEPS} steps and still at the issuer; pages seen: {:?}",
            self.pages
        );
    }

    /// Opens the page of the account, and says whether this person and password get there. `None` when the issuer gives no
    /// answer.
    ///
    /// # Panics
    /// When a page comes that is no part of signing in.
    pub async fn try_sign_in(&mut self) -> Option<bool> {
        let mut next = Step::Get(self.issuer.join("/account").expect("a URL"));
        let mut was_tried = false;
        for _ in 0..STEPS {
            let (answer, at) = self.take(next).await?;
            if let Some(location) = answer.header("location") {
                next = Step::Get(at.join(location).expect("a Location"));
                continue;
            }
            if at.path() == "/account" && answer.status == 200 {
                return Some(true);
            }
            let page = answer.text();
            let mut form = Form::read(&page).unwrap_or_else(|| panic!("a form on the page:\n{page}"));
            if form.has("password") && was_tried {
                return Some(false);
            }
            if form.has("password") {
                was_tried = true;
                form.set("password", &self.password);
                form.set("email", &self.email);
            } else if page.contains("value=\"later\"") {
                form.set("decision", "later");
            } else {
                form.set("email", &self.email);
            }
            next = Step::Post(at.join(&form.action).expect("an action"), form.fields);
        }
        panic!("{STEPS} steps and not signed in; pages seen: {:?}", self.pages);
    }

    /// Fills the form of a page of the issuer's and sends it; gives the answer, which is not followed. `None` when the
    /// issuer gives none.
    ///
    /// # Panics
    /// When the page has no form.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let (page, at) = self
            .take(Step::Get(self.issuer.join(path).expect("a URL")))
            .await?;
        let page = page.text();
        let mut form = Form::read(&page).unwrap_or_else(|| panic!("a form on the page:\n{page}"));
        for (name, value) in fields {
            form.set(name, value);
        }
        let action = at.join(&form.action).expect("an action");
        Some(self.take(Step::Post(action, form.fields)).await?.0)
    }

    async fn take(&mut self, step: Step) -> Option<(Answer, Url)> {
        let (request, url) = match step {
            Step::Get(url) => (self.client.get(url.clone()), url),
            Step::Post(url, fields) => {
                let origin = self.issuer.origin().ascii_serialization();
                (
                    self.client
                        .post(url.clone())
                        .header("origin", origin)
                        .form(&fields),
                    url,
                )
            }
        };
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        };
        let answer = try_send(request).await?;
        for cookie in answer.header_values("set-cookie") {
            let cookie = String::from_utf8_lossy(cookie);
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Some((answer, url))
    }
}

enum Step {
    Get(Url),
    Post(Url, Vec<(String, String)>),
}

/// A form as it would be submitted.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
    names: Vec<String>,
}

impl Form {
    /// The first form of the page that is submitted by POST.
    fn read(page: &str) -> Option<Self> {
        let html = page.split("<form").skip(1).find(|form| {
            form.split('>')
                .next()
                .is_some_and(|tag| tag.to_ascii_lowercase().contains("method=\"post\""))
        })?;
        let html = html.split("</form>").next()?;
        let action = attribute(html.split('>').next()?, "action").unwrap_or_default();
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        for tag in html
            .split('<')
            .filter(|tag| tag.starts_with("input") || tag.starts_with("button"))
        {
            let tag = tag.split('>').next().unwrap_or_default();
            let Some(name) = attribute(tag, "name") else {
                continue;
            };
            if attribute(tag, "type").as_deref() == Some("hidden") {
                fields.push((name.clone(), attribute(tag, "value").unwrap_or_default()));
            }
            names.push(name);
        }
        Some(Self {
            action,
            fields,
            names,
        })
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }
}

/// The value of an attribute in the text of a tag, character references resolved.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = text_between(tag, &format!(" {name}=\""), "\"")?;
    let references = [
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
    ];
    let value = references
        .iter()
        .fold(value, |text, (reference, plain)| text.replace(reference, plain));
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}

fn text_between(text: &str, start: &str, end: &str) -> Option<String> {
    let from = text.find(start)? + start.len();
    let length = text[from..].find(end)?;
    Some(text[from..from + length].trim().to_owned())
}
