//! The pages on which people look after their own account.

use askama::Template;

use crate::domain::session::AuthenticationMethod;

use super::{Moment, Permission};

/// What every page for somebody who is signed in has around it.
#[derive(Clone, Copy, Debug)]
pub struct AccountFrame<'a> {
    /// Who is signed in.
    pub user_name: &'a str,
    /// Their address.
    pub user_email: &'a str,
    /// The page itself, for the navigation.
    pub path: &'a str,
}

impl AccountFrame<'_> {
    /// Whether the navigation's entry for `path` is the page itself.
    pub fn is_at(&self, path: &str) -> bool {
        self.path == path
    }
}

/// What there is about the account.
#[derive(Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// When they signed in here.
    pub signed_in: Moment,
    /// By what.
    pub methods: &'a [AuthenticationMethod],
    /// Whether they have a password here.
    pub has_password: bool,
}

/// The person's sessions.
#[derive(Debug, Template)]
#[template(path = "account_sessions.html")]
pub struct SessionsPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// Each of them, this one too.
    pub sessions: &'a [SessionEntry<'a>],
    /// Ties the forms to the session.
    pub form_token: &'a str,
}

/// One session.
#[derive(Clone, Copy, Debug)]
pub struct SessionEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whether the page is shown in it.
    pub is_this: bool,
    /// The browser, if it is a known one.
    pub browser: Option<&'a str>,
    /// The system it runs on, likewise.
    pub system: Option<&'a str>,
    /// What the browser calls itself.
    pub user_agent: Option<&'a str>,
    /// The address from which it was begun.
    pub address: Option<std::net::IpAddr>,
    /// When it was begun.
    pub signed_in: Moment,
    /// By what.
    pub methods: &'a [AuthenticationMethod],
    /// When it was last used, roughly.
    pub last_seen: Moment,
}

/// The apps with a hold on the account.
#[derive(Debug, Template)]
#[template(path = "account_apps.html")]
pub struct AppsPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// Each of them.
    pub apps: &'a [AppEntry<'a>],
    /// Ties the forms to the session.
    pub form_token: &'a str,
}

/// One app.
#[derive(Clone, Debug)]
pub struct AppEntry<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it was given, in plain words.
    pub permissions: Vec<Permission>,
    /// The APIs at which it was, where there could be a doubt.
    pub resources: Vec<&'a str>,
    /// When the person last agreed; none where they were not asked.
    pub allowed: Option<Moment>,
    /// Whether it can act in their name at the moment.
    pub is_at_work: bool,
    /// Whether it can go on when they have signed out.
    pub works_offline: bool,
}
