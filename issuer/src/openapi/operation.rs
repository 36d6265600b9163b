//! One operation: what is sent, what comes back, and who may.

use serde_json::{Map, Value, json};

use super::example;
use super::schema::named;
use super::tag::Tag;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// A client that proves who it is, or, where public clients may, names itself.
    Client,
    /// A client, or whoever has an access token of this scope.
    ClientOrToken(&'static str),
    /// Whoever has an access token of this scope.
    Token(&'static str),
    /// Whoever has a token for registration; with open registration everybody.
    RegistrationToken,
}

impl Access {
    /// It in words for people.
    pub fn words(self) -> String {
        match self {
            Self::Open => "Open to everybody.".into(),
            Self::Client => "For clients: by client_id and client_secret, by a signed assertion, or, for a public client, by its \
                             client_id alone."
                .into(),
            Self::ClientOrToken(scope) => {
                format!("For clients that prove who they are, and for access tokens of the scope {scope}.")
            }
            Self::Token(scope) => format!("Needs an access token of the scope {scope}."),
            Self::RegistrationToken => {
                "Needs a token for registration, unless registration is open to everybody.".into()
            }
        }
    }

    /// Whether an access token opens it.
    pub const fn takes_token(self) -> bool {
        matches!(self, Self::Token(_) | Self::ClientOrToken(_))
    }

    fn document(self) -> Value {
        let by_token = |scope| {
            [
                json!({ "oauth2": [scope] }),
                json!({ "bearer": [] }),
                json!({ "dpop": [] }),
            ]
        };
        match self {
            Self::Open => json!([]),
            Self::Client => json!([{ "clientBasic": [] }, {}]),
            Self::ClientOrToken(scope) => {
                let ways: Vec<Value> = std::iter::once(json!({ "clientBasic": [] }))
                    .chain(by_token(scope))
                    .collect();
                ways.into()
            }
            Self::Token(scope) => by_token(scope).to_vec().into(),
            Self::RegistrationToken => json!([{ "registrationToken": [] }, {}]),
        }
    }
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

impl Place {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// What it says, with an example.
    pub schema: Value,
    /// Whether it must be there.
    pub required: bool,
}

/// What is sent.
#[derive(Debug)]
pub struct Body {
    /// Its media types; the first is the usual one.
    pub media_types: &'static [&'static str],
    /// Its schema.
    pub schema: Value,
    /// Examples, each with its name.
    pub examples: Vec<(&'static str, Value)>,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// JSON of this schema.
    Json(Value),
    /// A text of this media type.
    Text(&'static str),
    /// A page for people.
    Page,
    /// A refusal in the words of OAuth.
    OAuthError,
    /// A problem document.
    Problem,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; none for every other one.
    pub status: Option<u16>,
    /// When it comes.
    pub description: &'static str,
    /// Its body.
    pub content: Content,
}

/// How an operation refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// In the words of OAuth.
    OAuth,
    /// In problem documents.
    Problems,
    /// With pages.
    Pages,
}

/// A method at a path.
#[derive(Debug)]
pub struct Operation {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// A name that programs call it by.
    pub id: &'static str,
    /// Its part of the reference.
    pub tag: Tag,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What else is to be known.
    pub note: &'static str,
    /// Who may.
    pub access: Access,
    /// What it takes beside a body.
    pub parameters: Vec<Parameter>,
    /// What it takes as a body.
    pub body: Option<Body>,
    /// What it answers.
    pub answers: Vec<Answer>,
    refusals: Refusals,
}

macro_rules! methods {
    ($($name:ident $method:literal),*) => {
        $(
            /// An operation of this method, open to everybody until something else is said.
            pub const fn $name(path: &'static str, id: &'static str, tag: Tag, summary: &'static str) -> Self {
                Self::new($method, path, id, tag, summary)
            }
        )*
    };
}

impl Operation {
    methods!(get "GET", post "POST", put "PUT", patch "PATCH", delete "DELETE");

    const fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: Tag,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            tag,
            summary,
            note: "",
            access: Access::Open,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Refusals::Problems,
        }
    }

    /// With what else is to be known.
    #[must_use]
    pub const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// For these callers.
    #[must_use]
    pub const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Refusing in this form.
    #[must_use]
    pub const fn refusals(mut self, refusals: Refusals) -> Self {
        self.refusals = refusals;
        self
    }

    /// With a parameter in the path.
    #[must_use]
    pub fn in_path(self, name: &'static str, schema: Value) -> Self {
        self.parameter(Place::Path, name, schema, true)
    }

    /// With a parameter in the query that may be missing.
    #[must_use]
    pub fn in_query(self, name: &'static str, schema: Value) -> Self {
        self.parameter(Place::Query, name, schema, false)
    }

    /// With a parameter.
    #[must_use]
    pub fn parameter(mut self, place: Place, name: &'static str, schema: Value, required: bool) -> Self {
        self.parameters.push(Parameter {
            place,
            name,
            schema,
            required,
        });
        self
    }

    /// With a JSON body, of which this is an example.
    #[must_use]
    pub fn json(self, schema: Value, example: Value) -> Self {
        self.body(&["application/json"], schema, vec![("example", example)])
    }

    /// With a form as its body, of which these are examples.
    #[must_use]
    pub fn form(self, schema: Value, examples: Vec<(&'static str, Value)>) -> Self {
        self.body(&["application/x-www-form-urlencoded"], schema, examples)
    }

    /// With a body.
    #[must_use]
    pub fn body(
        mut self,
        media_types: &'static [&'static str],
        schema: Value,
        examples: Vec<(&'static str, Value)>,
    ) -> Self {
        self.body = Some(Body {
            media_types,
            schema,
            examples,
        });
        self
    }

    /// With an answer.
    #[must_use]
    pub fn answer(mut self, status: u16, description: &'static str, content: Content) -> Self {
        self.answers.push(Answer {
            status: Some(status),
            description,
            content,
        });
        self
    }

    /// With a refusal in its form.
    #[must_use]
    pub fn refuses(self, status: u16, description: &'static str) -> Self {
        let content = self.refusal();
        self.answer(status, description, content)
    }

    const fn refusal(&self) -> Content {
        match self.refusals {
            Refusals::OAuth => Content::OAuthError,
            Refusals::Problems => Content::Problem,
            Refusals::Pages => Content::Page,
        }
    }

    /// Every answer: those that were named, and last the one for every other status.
    pub fn all_answers(&self) -> impl Iterator<Item = Answer> {
        let other = Answer {
            status: None,
            description: "Any other refusal",
            content: self.refusal(),
        };
        self.answers.iter().cloned().chain(std::iter::once(other))
    }

    /// The operation as OpenAPI has it.
    pub(super) fn document(&self, schemas: &Map<String, Value>) -> Value {
        let parameters: Vec<Value> = self.parameters.iter().map(parameter_document).collect();
        let mut answers = Map::new();
        for answer in self.all_answers() {
            let key = answer
                .status
                .map_or_else(|| "default".into(), |status| status.to_string());
            answers.insert(key, answer_document(&answer, schemas));
        }
        let mut document = Map::new();
        document.insert("operationId".into(), self.id.into());
        document.insert("tags".into(), json!([self.tag.as_str()]));
        document.insert("summary".into(), self.summary.into());
        if !self.note.is_empty() {
            document.insert("description".into(), self.note.into());
        }
        document.insert("security".into(), self.access.document());
        if !parameters.is_empty() {
            document.insert("parameters".into(), parameters.into());
        }
        if let Some(body) = &self.body {
            document.insert("requestBody".into(), body_document(body));
        }
        document.insert("responses".into(), answers.into());
        document.into()
    }
}

fn parameter_document(parameter: &Parameter) -> Value {
    let mut schema = parameter.schema.clone();
    // The parameter says it once.
    let description = schema
        .as_object_mut()
        .and_then(|members| members.remove("description"));
    json!({
        "name": parameter.name, "in": parameter.place.as_str(), "required": parameter.required,
        "description": description, "schema": schema,
    })
}

fn body_document(body: &Body) -> Value {
    let examples: Map<String, Value> = body
        .examples
        .iter()
        .map(|(name, value)| ((*name).into(), json!({ "value": value })))
        .collect();
    let content = json!({ "schema": body.schema, "examples": examples });
    let media_types = body.media_types.iter();
    let content: Map<String, Value> = media_types
        .map(|name| ((*name).into(), content.clone()))
        .collect();
    json!({ "required": true, "content": content })
}

fn answer_document(answer: &Answer, schemas: &Map<String, Value>) -> Value {
    let mut document = Map::new();
    document.insert("description".into(), answer.description.into());
    let content = match &answer.content {
        Content::Nothing => None,
        Content::Json(schema) => {
            let example = example(schema, schemas);
            Some(json!({ "application/json": { "schema": schema, "example": example } }))
        }
        Content::Text(media_type) => {
            let mut content = Map::new();
            content.insert((*media_type).into(), json!({ "schema": { "type": "string" } }));
            Some(content.into())
        }
        Content::Page => Some(json!({ "text/html": { "schema": { "type": "string" } } })),
        Content::OAuthError => Some(json!({ "application/json": { "schema": named("OAuthError") } })),
        Content::Problem => Some(json!({ "application/problem+json": { "schema": named("Problem") } })),
    };
    if let Some(content) = content {
        document.insert("content".into(), content);
    }
    document.into()
}
