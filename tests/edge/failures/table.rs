//! What is expected when something that the edge depends on fails: every part with every failure. `docs/failure-matrix.md` is
//! made from this table.

use std::fmt::Write as _;

/// How something fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Slow,
    Down,
    Fault,
    Garbage,
    Huge,
    Redirect,
    Rotated,
}

impl Failure {
    pub const ALL: [Self; 7] = [
        Self::Slow,
        Self::Down,
        Self::Fault,
        Self::Garbage,
        Self::Huge,
        Self::Redirect,
        Self::Rotated,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Fault => "500",
            Self::Garbage => "garbage",
            Self::Huge => "huge",
            Self::Redirect => "redirect",
            Self::Rotated => "rotated",
        }
    }
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    SmartConfiguration,
    SmartConfigurationInHand,
    Addresses,
    Keys,
    KeysInHand,
    StatusList,
    StatusListInHand,
    ApiKeys,
    ApiKeysInHand,
    CoordinatorOfClosed,
    CoordinatorOfLocal,
    PlatformLimit,
    Upstream,
    Capabilities,
}

/// What a request is answered with.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub status: u16,
    /// The most seconds that `Retry-After` says.
    pub retry_after: Option<i64>,
    /// The reason in the log's line.
    pub reason: Option<&'static str>,
    /// What the log says beside: an incident, and the failure in it.
    pub incident: Option<(&'static str, Option<&'static str>)>,
    /// A word of explanation.
    pub note: &'static str,
}

impl Expected {
    const fn with(status: u16, reason: Option<&'static str>, note: &'static str) -> Self {
        Self {
            status,
            retry_after: None,
            reason,
            incident: None,
            note,
        }
    }

    const fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    const fn incident(mut self, incident: &'static str, failure: Option<&'static str>) -> Self {
        self.incident = Some((incident, failure));
        self
    }
}

/// A place in the table.
#[derive(Clone, Copy, Debug)]
pub enum Cell {
    Is(Expected),
    /// The failure has no meaning there, and why.
    Meaningless(&'static str),
}

/// One part, and what is expected of it in the order of [`Failure::ALL`].
pub struct Row {
    pub part: Part,
    name: &'static str,
    asked: &'static str,
    cells: [Cell; 7],
}

impl Row {
    pub fn cell(&self, failure: Failure) -> Cell {
        let place = Failure::ALL.iter().position(|one| *one == failure);
        self.cells[place.expect("it is one of all")]
    }
}

/// The same answer for each way in which a document of an issuer's does not arrive, with the word that the log has for it.
const fn of_document(
    answer: Expected,
    unreachable: &'static str,
    malformed: &'static str,
    rotated: Cell,
) -> [Cell; 7] {
    [
        Cell::Is(answer.incident(unreachable, Some("timeout"))),
        Cell::Is(answer.incident(unreachable, Some("unreachable"))),
        Cell::Is(answer.incident(unreachable, Some("status"))),
        Cell::Is(answer.incident(malformed, None)),
        Cell::Is(answer.incident(unreachable, Some("too_large"))),
        Cell::Is(answer.incident(unreachable, Some("status"))),
        rotated,
    ]
}

const fn undecided(seconds: i64, note: &'static str) -> Expected {
    Expected::with(503, Some("undecided"), note).retry_after(seconds)
}

const fn served(note: &'static str) -> Expected {
    Expected::with(200, None, note)
}

const NO_DOCUMENT: Cell = Cell::Meaningless("it is called, and answers with nothing but a truth value");
const NO_KEYS: Cell = Cell::Meaningless("it has no keys");

pub const MATRIX: [Row; 14] = [
    Row {
        part: Part::SmartConfiguration,
        name: "Issuer's SMART configuration",
        asked: "`/fhir/.well-known/smart-configuration`, with none in hand",
        cells: of_document(
            undecided(30, "there is none to show; tokens are judged all the same"),
            "smart_configuration_unreachable",
            "smart_configuration_malformed",
            Cell::Is(served("the document of now")),
        ),
    },
    Row {
        part: Part::SmartConfigurationInHand,
        name: "Issuer's SMART configuration, in hand",
        asked: "the same, with an old one in hand",
        cells: of_document(
            served("the old one, until `WARDGATE_JWKS_STALE_SECONDS` are over"),
            "smart_configuration_unreachable",
            "smart_configuration_malformed",
            Cell::Is(served("the new one, once it is fetched beside a request")),
        ),
    },
    Row {
        part: Part::Addresses,
        name: "The same, for the CapabilityStatement",
        asked: "`/fhir/metadata`, with no SMART configuration in hand",
        cells: of_document(
            served("the statement without addresses of an issuer"),
            "smart_configuration_unreachable",
            "smart_configuration_malformed",
            Cell::Is(served("the addresses of now")),
        ),
    },
    Row {
        part: Part::Keys,
        name: "Issuer's keys (JWKS)",
        asked: "a request with a good token, with no keys in hand",
        cells: of_document(
            undecided(30, "nothing is known of the token, so it is not blamed"),
            "keys_unreachable",
            "keys_malformed",
            Cell::Is(Expected::with(
                401,
                Some("token_unknown_key"),
                "for a token under a key that was withdrawn; one under the new key passes",
            )),
        ),
    },
    Row {
        part: Part::KeysInHand,
        name: "Issuer's keys, in hand",
        asked: "the same, with old keys in hand",
        cells: of_document(
            served("the old keys serve, until `WARDGATE_JWKS_STALE_SECONDS` are over"),
            "keys_unreachable",
            "keys_malformed",
            Cell::Is(Expected::with(
                401,
                Some("token_unknown_key"),
                "for a token under a key that was withdrawn, once the keys are fetched again; it was verified before",
            )),
        ),
    },
    Row {
        part: Part::StatusList,
        name: "Issuer's status list",
        asked: "a request with a token that names a list, with no list in hand",
        cells: of_document(
            undecided(5, "whether the token was revoked cannot be known"),
            "status_list_unreachable",
            "status_list_malformed",
            Cell::Is(served("a list signed by another key that is published")),
        ),
    },
    Row {
        part: Part::StatusListInHand,
        name: "Issuer's status list, in hand",
        asked: "the same, with an old list in hand",
        cells: of_document(
            served("the old list serves, until `WARDGATE_STATUS_MAXIMUM_AGE_SECONDS` are over"),
            "status_list_unreachable",
            "status_list_malformed",
            Cell::Is(Expected::with(
                401,
                Some("token_revoked"),
                "for a token that a list signed by a new key says was revoked",
            )),
        ),
    },
    Row {
        part: Part::ApiKeys,
        name: "Issuer's exchange of API keys",
        asked: "a request with an API key, with no token for it in hand",
        cells: of_document(
            undecided(5, "nothing is known of the key, so it is not blamed"),
            "api_keys_unreachable",
            "api_key_answer_malformed",
            Cell::Is(
                undecided(5, "for a token under a key that is not published")
                    .incident("api_key_token_refused", None),
            ),
        ),
    },
    Row {
        part: Part::ApiKeysInHand,
        name: "Issuer's exchange of API keys, in hand",
        asked: "the same, with a token in hand",
        cells: of_document(
            served("the token serves until it ends"),
            "api_keys_unreachable",
            "api_key_answer_malformed",
            Cell::Is(served("exchanged anew, within the request")),
        ),
    },
    Row {
        part: Part::CoordinatorOfClosed,
        name: "Coordinator of a `closed` limit",
        asked: "a request with a good token, with no lease in hand",
        cells: coordinator(Expected::with(503, Some("limit_unknown"), "").retry_after(1)),
    },
    Row {
        part: Part::CoordinatorOfLocal,
        name: "Coordinator of a `local` limit",
        asked: "the same",
        cells: coordinator(served("from the isolate's own share")),
    },
    Row {
        part: Part::PlatformLimit,
        name: "Platform's rate limit binding",
        asked: "a request with a good token that was not verified before, with `WARDGATE_UNVERIFIED_LIMIT`",
        cells: [
            Cell::Is(served("everybody passes, to be verified and counted as ever")),
            Cell::Is(served("the same")),
            NO_DOCUMENT,
            Cell::Is(served("the same")),
            NO_DOCUMENT,
            NO_DOCUMENT,
            NO_KEYS,
        ],
    },
    Row {
        part: Part::Upstream,
        name: "FHIR server",
        asked: "a request with a good token",
        cells: [
            Cell::Is(Expected::with(504, Some("upstream_timeout"), "")),
            Cell::Is(Expected::with(502, Some("upstream_unreachable"), "")),
            Cell::Is(Expected::with(500, None, "its own answer, passed on")),
            Cell::Is(Expected::with(
                502,
                Some("upstream_unreachable"),
                "what is not HTTP; bodies are not looked at",
            )),
            Cell::Is(served("passed on piece by piece, whatever its length")),
            Cell::Is(Expected::with(
                502,
                Some("upstream_redirect"),
                "not followed, not passed on",
            )),
            NO_KEYS,
        ],
    },
    Row {
        part: Part::Capabilities,
        name: "FHIR server's CapabilityStatement",
        asked: "`/fhir/metadata`",
        cells: [
            Cell::Is(Expected::with(504, Some("upstream_timeout"), "")),
            Cell::Is(Expected::with(502, Some("upstream_unreachable"), "")),
            Cell::Is(Expected::with(500, None, "its own answer, passed on")),
            Cell::Is(served("what is no CapabilityStatement passes as it is")),
            Cell::Is(Expected::with(
                502,
                Some("upstream_unreadable"),
                "more than 4 MiB of JSON",
            )),
            Cell::Is(Expected::with(
                502,
                Some("upstream_redirect"),
                "not followed, not passed on",
            )),
            NO_KEYS,
        ],
    },
];

/// However a coordinator fails, the limit says what happens.
const fn coordinator(answer: Expected) -> [Cell; 7] {
    let cell = Cell::Is(answer);
    [cell, cell, cell, cell, cell, cell, NO_KEYS]
}

/// The row of a part.
pub fn row(part: Part) -> &'static Row {
    MATRIX
        .iter()
        .find(|row| row.part == part)
        .expect("every part has a row")
}

/// The statuses alone.
pub fn overview() -> String {
    let mut table = String::from("| |");
    for failure in Failure::ALL {
        write!(table, " {} |", failure.name()).expect("a string grows");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(Failure::ALL.len()));
    for row in &MATRIX {
        write!(table, "\n| {} |", row.name).expect("a string grows");
        for cell in row.cells {
            match cell {
                Cell::Is(expected) => write!(table, " {} |", expected.status),
                Cell::Meaningless(_) => write!(table, " – |"),
            }
            .expect("a string grows");
        }
    }
    table.push('\n');
    table
}

/// Everything that is expected.
pub fn details() -> String {
    let mut text = String::new();
    for row in &MATRIX {
        write!(
            text,
            "\n### {}\n\nAsked for: {}.\n\n\
             | failure | status | `Retry-After` | reason | incident in the log | |\n|---|---|---|---|---|---|\n",
            row.name, row.asked
        )
        .expect("a string grows");
        for (failure, cell) in Failure::ALL.into_iter().zip(row.cells) {
            let name = failure.name();
            match cell {
                Cell::Meaningless(why) => writeln!(text, "| {name} | – | | | | {why} |"),
                Cell::Is(expected) => {
                    let retry_after = expected
                        .retry_after
                        .map_or_else(String::new, |seconds| seconds.to_string());
                    let reason = expected
                        .reason
                        .map_or_else(String::new, |reason| format!("`{reason}`"));
                    let incident = match expected.incident {
                        None => String::new(),
                        Some((incident, None)) => format!("`{incident}`"),
                        Some((incident, Some(failure))) => format!("`{incident}`, `{failure}`"),
                    };
                    let (status, note) = (expected.status, expected.note);
                    writeln!(
                        text,
                        "| {name} | {status} | {retry_after} | {reason} | {incident} | {note} |"
                    )
                }
            }
            .expect("a string grows");
        }
    }
    text.push('\n');
    text
}
