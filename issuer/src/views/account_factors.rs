//! The pages on which people look after their second factors, and after the browsers in which they are not asked for one.

use askama::Template;

use crate::domain::factor::FactorKind;

use super::{AccountFrame, Moment};

/// The person's second factors.
#[derive(Debug, Template)]
#[template(path = "account_factors.html")]
pub struct FactorsPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// Why something was not.
    pub problem: Option<&'a str>,
    /// Each of them, the oldest first.
    pub factors: &'a [FactorEntry<'a>],
    /// Whether the person must have one.
    pub needs_one: bool,
    /// How many recovery codes are not used.
    pub recovery_codes: u32,
    /// What can be added.
    pub offers: &'a [FactorKind],
    /// Ties the forms to the session.
    pub form_token: &'a str,
}

impl FactorsPage<'_> {
    /// Whether the factors can be removed: the last one cannot where one is needed.
    pub const fn can_remove(&self) -> bool {
        !self.needs_one || self.factors.len() > 1
    }
}

/// One factor.
#[derive(Clone, Copy, Debug)]
pub struct FactorEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is.
    pub kind: FactorKind,
    /// What its person calls it.
    pub name: &'a str,
    /// When it was added.
    pub added: Moment,
    /// When it was last used; none if never since.
    pub last_used: Option<Moment>,
}

/// The browsers in which the person is not asked for a second factor each time.
#[derive(Debug, Template)]
#[template(path = "account_devices.html")]
pub struct DevicesPage<'a> {
    /// What is around it.
    pub frame: AccountFrame<'a>,
    /// What has just been done.
    pub done: Option<&'a str>,
    /// Each of them, the one last seen first.
    pub devices: &'a [DeviceEntry<'a>],
    /// Ties the forms to the session.
    pub form_token: &'a str,
}

/// One browser.
#[derive(Clone, Copy, Debug)]
pub struct DeviceEntry<'a> {
    /// Its id.
    pub id: &'a str,
    /// What its person knows it by.
    pub label: &'a str,
    /// Whether the page is shown in it.
    pub is_this: bool,
    /// When a second factor was last given there.
    pub last_factor: Moment,
    /// When its person was last seen there, roughly.
    pub last_seen: Moment,
}
