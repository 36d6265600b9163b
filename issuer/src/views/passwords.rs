//! The pages on which people choose a password.

use askama::Template;

use super::{AccountFrame, ProblemField};

/// Asks for the address of whoever forgot their password.
#[derive(Debug, Template)]
#[template(path = "forgotten_password.html")]
pub struct ForgottenPasswordPage<'a> {
    /// Whether any mail is sent here.
    pub is_mail_sent: bool,
    /// Whether the form was sent already.
    pub is_sent: bool,
    /// What the field holds.
    pub email: &'a str,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Why nothing was done.
    pub problem: Option<&'a str>,
}

/// The form for a new password, by a link.
#[derive(Debug, Template)]
#[template(path = "new_password.html")]
pub struct NewPasswordPage<'a> {
    /// Whether it is the account's first password.
    pub is_first: bool,
    /// Whose it is.
    pub email: &'a str,
    /// The link's token.
    pub token: &'a str,
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Which passwords may be chosen.
    pub rules: &'a [String],
    /// Everything that is wrong with the one that was.
    pub problems: &'a [String],
}

/// What a link leads to that does not work.
#[derive(Debug, Template)]
#[template(path = "link_gone.html")]
pub struct LinkGonePage<'a> {
    /// Ties the form to the browser.
    pub form_token: &'a str,
    /// Whether any mail is sent here.
    pub is_mail_sent: bool,
}

/// The news that a password is set.
#[derive(Debug, Template)]
#[template(path = "password_set.html")]
pub struct PasswordSetPage {}

/// The form of somebody who is signed in.
#[derive(Debug, Template)]
#[template(path = "account_password.html")]
pub struct ChangePasswordPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// Whether they have a password here at all.
    pub has_password: bool,
    /// Ties the form to the session.
    pub form_token: &'a str,
    /// Which passwords may be chosen.
    pub rules: &'a [String],
    /// Why it was not changed.
    pub problems: &'a [String],
    /// Which field that is about.
    pub about: ProblemField,
}
