//! Long lists, a page at a time.
//!
//! A list is ordered by when its entries were made and then by their ids, neither of which changes. A page goes on after
//! the last entry of the one before, not after a number of entries: whatever is added or removed meanwhile, what was there
//! all the time is shown once.

use wardgate_shared::time::Timestamp;

use base64ct::{Base64UrlUnpadded, Encoding};

/// The longest text of a place, in bytes: what an instant and the longest id make.
const MAXIMUM_TEXT_BYTES: usize = 512;

/// A place in a list: after this entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the entry was made.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// The text that a caller brings back. It says nothing that the entry does not.
    pub fn encode(&self) -> String {
        Base64UrlUnpadded::encode_string(format!("{}:{}", self.at.seconds(), self.id).as_bytes())
    }

    /// The place that [`Cursor::encode`] made this text of, or `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAXIMUM_TEXT_BYTES {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let plain = String::from_utf8(bytes).ok()?;
        let (at, id) = plain.split_once(':')?;
        let cursor = Self {
            at: Timestamp::from_seconds(at.parse().ok()?),
            id: id.into(),
        };
        // One spelling a place: no sign, no zero in front.
        (cursor.encode() == text).then_some(cursor)
    }
}

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The most entries of it.
    pub size: usize,
    /// Where it begins; at the beginning when nothing is said.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// As many entries as a page has when nobody says how many.
    pub const USUAL_SIZE: usize = 50;
    /// The most that a page has.
    pub const LARGEST_SIZE: usize = 200;
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            size: Self::USUAL_SIZE,
            after: None,
        }
    }
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// Where the next one begins; none after the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page of at most `size` of `entries`, of which one more than that was looked for. `place` says where an entry is.
    pub fn cut(mut entries: Vec<T>, size: usize, place: impl FnOnce(&T) -> Cursor) -> Self {
        let has_more = entries.len() > size;
        entries.truncate(size);
        let next = entries.last().filter(|_| has_more).map(place);
        Self { entries, next }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cursor, Page};
    use wardgate_shared::time::Timestamp;

    #[test]
    fn refuses_what_no_cursor_is() {
        for text in [
            "",
            "x",
            "LTE",
            "OmE",
            "KzE6YQ",
            "MDE6YQ",
            "MTph=",
            &"A".repeat(600),
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let place = |id: &&str| Cursor {
            at: Timestamp::from_seconds(1),
            id: String::from(*id),
        };
        let page = Page::cut(vec!["a", "b"], 2, place);
        assert_eq!((page.entries, page.next), (vec!["a", "b"], None));
        let page = Page::cut(vec!["a", "b", "c"], 2, place);
        assert_eq!(page.entries, ["a", "b"]);
        assert_eq!(page.next.unwrap().id, "b");
    }

    proptest! {
        #[test]
        fn a_place_comes_back_as_it_went(at in any::<i64>(), id in "\\PC{0,80}") {
            let cursor = Cursor { at: Timestamp::from_seconds(at), id };
            let text = cursor.encode();
            prop_assume!(text.len() <= super::MAXIMUM_TEXT_BYTES);
            prop_assert_eq!(Cursor::parse(&text), Some(cursor));
        }

        #[test]
        fn no_text_panics_and_each_place_has_one_text(text in "\\PC{0,80}") {
            if let Some(cursor) = Cursor::parse(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
