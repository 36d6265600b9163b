//! The outbox of development.

use askama::Template;

/// The messages that would have been sent.
#[derive(Debug, Template)]
#[template(path = "outbox.html")]
pub struct OutboxPage<'a> {
    /// Newest first.
    pub messages: &'a [OutboxMessage<'a>],
}

/// One of them.
#[derive(Debug)]
pub struct OutboxMessage<'a> {
    /// How it would have gone.
    pub channel: &'static str,
    /// To whom.
    pub to: &'a str,
    /// The subject of a mail.
    pub subject: Option<&'a str>,
    /// When.
    pub at: String,
    /// What it says.
    pub pieces: Vec<Piece<'a>>,
}

/// A piece of a message's text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// A link to a page of the issuer.
    Link(&'a str),
}

/// Takes a text apart where it has links to pages below `origin`. All pieces together are the text.
pub fn pieces<'a>(text: &'a str, origin: &str) -> Vec<Piece<'a>> {
    let start = format!("{origin}/");
    let mut pieces = Vec::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if word.starts_with(&start) {
            pieces.push(Piece::Link(word));
            let (_, space) = piece.split_at_checked(word.len()).unwrap_or((piece, ""));
            pieces.push(Piece::Text(space));
        } else {
            pieces.push(Piece::Text(piece));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn links_to_the_issuer_and_no_others_can_be_followed() {
        let origin = "http://localhost:8788";
        let text = "Go to http://localhost:8788/password/reset?token=x\nor http://localhost:8788.evil.example/ \
                    or javascript:alert(1)";
        let taken_apart = pieces(text, origin);
        let links: Vec<_> = taken_apart
            .iter()
            .filter(|piece| matches!(piece, Piece::Link(_)))
            .collect();
        assert_eq!(
            links,
            [&Piece::Link("http://localhost:8788/password/reset?token=x")]
        );
        let together: String = taken_apart
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Link(text) => *text,
            })
            .collect();
        assert_eq!(together, text);
    }
}
