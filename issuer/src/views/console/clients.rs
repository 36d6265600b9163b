//! Clients in the console.

use askama::Template;

use crate::views::Moment;

use super::{Choice, ConsoleFrame, FormState, PageLinks};

/// A client in a list, or on its page.
#[derive(Clone, Debug)]
pub struct ClientEntry<'a> {
    /// Its id.
    pub client_id: &'a str,
    /// Its page: the id may have characters that a path has not.
    pub path: String,
    /// Its name.
    pub name: &'a str,
    /// Whether it cannot prove who it is.
    pub is_public: bool,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Whether it registered itself.
    pub registered_itself: bool,
    /// What it can be granted.
    pub scope: String,
    /// When it was registered.
    pub created: Moment,
}

/// A member of what a client is registered with.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name in the specifications.
    pub name: String,
    /// Its value as JSON, texts without quotes.
    pub value: String,
}

/// The list of clients.
#[derive(Debug, Template)]
#[template(path = "console/clients.html")]
pub struct ClientsPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The clients.
    pub clients: &'a [ClientEntry<'a>],
    /// Where there is more.
    pub pages: PageLinks,
}

/// One client.
#[derive(Debug, Template)]
#[template(path = "console/client.html")]
pub struct ClientPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The client.
    pub client: &'a ClientEntry<'a>,
    /// What it is registered with.
    pub facts: &'a [Fact],
}

/// The form for a client.
#[derive(Debug, Template)]
#[template(path = "console/client_form.html")]
pub struct ClientFormPage<'a> {
    /// What is around it.
    pub frame: ConsoleFrame<'a>,
    /// The form.
    pub form: &'a FormState,
    /// Where it leads.
    pub action: &'a str,
    /// Whether the client is to be registered.
    pub is_new: bool,
    /// The name of one that is.
    pub name: &'a str,
    /// The ways to prove who it is.
    pub methods: &'a [Choice],
    /// The grant types.
    pub grants: &'a [Choice],
}
