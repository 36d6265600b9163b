//! The source tree as data, for the tests that hold its invariants: which files there are, and Rust text taken apart
//! into code and string literals, so that neither a comment nor a message is mistaken for code.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
        .to_owned()
}

/// Every file that is, or by `.gitignore` would be, part of the repository: paths from the root, with `/`.
///
/// # Panics
/// When git cannot list them.
pub fn files() -> Vec<String> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(
        listing.status.success(),
        "git lists the files: {}",
        String::from_utf8_lossy(&listing.stderr)
    );
    let text = String::from_utf8(listing.stdout).expect("file names are UTF-8");
    let mut files: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    // A file that was deleted, but not yet from the index.
    files.retain(|path| root().join(path).is_file());
    files.sort_unstable();
    files.dedup();
    files
}

/// The text of a file; `None` when it is no text.
pub fn read(path: &str) -> Option<String> {
    String::from_utf8(std::fs::read(root().join(path)).expect("the file can be read")).ok()
}

/// `document` with what stands in it between the comment that announces this table and the next one that ends a table
/// replaced.
///
/// # Panics
/// When the document has no such place.
pub fn with_table(document: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- table: {name} -->\n"), "<!-- end of table -->");
    let (before, rest) = document
        .split_once(&begin)
        .expect("the document has a place for the table");
    let (_, after) = rest.split_once(end).expect("the place has an end");
    format!("{before}{begin}{table}{end}{after}")
}

/// Holds a document to what it should be. With `WARDGATE_UPDATE_SNAPSHOTS` it is written anew instead.
///
/// # Panics
/// When it is something else.
pub fn hold(document: &str, expected: &str) {
    if std::env::var_os("WARDGATE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(root().join(document), expected).expect("the document is written");
    } else {
        assert!(
            read(document).as_deref() == Some(expected),
            "{document} is out of date: run this test with WARDGATE_UPDATE_SNAPSHOTS=1"
        );
    }
}

/// Rust text, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rust {
    /// Everything but comments and the inside of literals; lines are kept.
    pub code: String,
    /// The inside of every string literal, escapes as written.
    pub strings: Vec<String>,
}

impl Rust {
    /// Takes `text` apart. Text that is no Rust gives nonsense, but never fails.
    pub fn parse(text: &str) -> Self {
        let mut rust = Self::default();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let taken = rust.take(rest).max(next.len_utf8());
            rest = &rest[taken..];
        }
        rust
    }

    /// Takes the comment, literal or character that `rest` begins with, and says how long it is.
    fn take(&mut self, rest: &str) -> usize {
        if rest.starts_with("//") {
            return rest.find('\n').unwrap_or(rest.len());
        }
        if rest.starts_with("/*") {
            let length = block_comment(rest);
            self.code
                .extend(rest[..length].chars().filter(|character| *character == '\n'));
            return length;
        }
        // A raw string's prefix counts only where no identifier goes on.
        if !self
            .code
            .ends_with(|character: char| character.is_alphanumeric() || character == '_')
            && let Some((open, close)) = raw_string(rest)
        {
            let inside = &rest[open..];
            let length = inside.find(&close).unwrap_or(inside.len());
            return self.literal(&inside[..length]) + open + close.len().min(inside.len() - length);
        }
        if let Some(inside) = rest.strip_prefix('"') {
            let length = until_quote(inside, '"');
            return self.literal(&inside[..length]) + 1 + usize::from(length < inside.len());
        }
        if let Some(length) = character_literal(rest) {
            self.code.push_str("' '");
            return length;
        }
        let character = rest.chars().next().unwrap_or_default();
        self.code.push(character);
        character.len_utf8()
    }

    fn literal(&mut self, inside: &str) -> usize {
        self.code.push('"');
        self.code
            .extend(inside.chars().filter(|character| *character == '\n'));
        self.code.push('"');
        self.strings.push(inside.to_owned());
        inside.len()
    }

    /// Whether the code names something in the crate `name`, uses it whole, or has its attribute of the same name.
    pub fn has_path_from(&self, name: &str) -> bool {
        let code = self.code.split_whitespace().collect::<Vec<_>>().join(" ");
        let uses = [
            format!("{name}::"),
            format!("use {name};"),
            format!("use {name} as"),
            format!("#[{name}"),
        ];
        uses.iter().any(|text| {
            code.match_indices(text.as_str()).any(|(at, _)| {
                let before = &code[..at];
                // Part of a longer name, or of a path from elsewhere (`crate::worker::…`; `::worker::…` counts).
                let longer = before.ends_with(|one: char| one.is_alphanumeric() || one == '_');
                let elsewhere = before.strip_suffix("::").is_some_and(|path| {
                    path.ends_with(|one: char| one.is_alphanumeric() || one == '_' || one == '>')
                });
                !longer && !elsewhere
            })
        })
    }

    /// Whether the code holds `word` with no identifier going on before or after it.
    pub fn names(&self, word: &str) -> bool {
        has_word(&self.code, word)
    }
}

/// Whether `text` holds `word` with no letter, digit or underscore next to it.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

/// The length of the block comment at the start; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw string's opening, and its closing.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| text.starts_with(prefix))?;
    let hashes = text[prefix.len()..]
        .bytes()
        .take_while(|byte| *byte == b'#')
        .count();
    let open = prefix.len() + hashes;
    text[open..]
        .starts_with('"')
        .then(|| (open + 1, format!("\"{}", "#".repeat(hashes))))
}

/// How far it is to the next `quote` that no backslash stands before.
fn until_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal at the start; a lifetime is none.
fn character_literal(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let mut characters = inside.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        return Some(until_quote(inside, '\'') + 2);
    }
    let (at, second) = characters.next()?;
    (second == '\'').then_some(at + 2)
}

#[cfg(test)]
mod tests {
    use super::Rust;

    #[test]
    fn tells_code_from_comments_and_strings() {
        let rust = Rust::parse(
            "use a; // worker::x\n/* b /* c */ d */ fn e<'a>(x: &'a str) -> char { '\"' }\nlet s = \"f \\\" g\"; /// h\n",
        );
        for word in ["worker", "b", "c", "d", "f", "g", "h"] {
            assert!(!rust.names(word), "{word} in {}", rust.code);
        }
        for word in ["use", "fn", "str", "let"] {
            assert!(rust.names(word), "{word} in {}", rust.code);
        }
        assert_eq!(rust.strings, ["f \\\" g"]);
        assert_eq!(rust.code.lines().count(), 3);
    }

    #[test]
    fn knows_a_crate_from_a_module_of_the_same_name() {
        for code in [
            "use worker::Env;",
            "use worker;",
            "x: &::worker::Env",
            "#[worker::event(fetch)]",
            "#[worker(a)]",
        ] {
            assert!(Rust::parse(code).has_path_from("worker"), "{code}");
        }
        for code in [
            "use crate::worker::Env;",
            "mod worker;",
            "a.worker",
            "let b = \"worker::Env\"",
            "coworker::Env",
        ] {
            assert!(!Rust::parse(code).has_path_from("worker"), "{code}");
        }
    }

    #[test]
    fn reads_raw_strings_to_their_own_end() {
        let rust = Rust::parse(r##"let a = r#"one " two"#; let b = br"three"; let for_r = "four"; x"##);
        assert_eq!(rust.strings, [r#"one " two"#, "three", "four"]);
        assert!(rust.names("x"));
    }

    #[test]
    fn a_quote_in_a_character_literal_opens_nothing() {
        let rust = Rust::parse(r"let a = ['\'', '\\', 'x', '\u{1F600}']; let b: &'static str; c");
        assert!(rust.names("c") && rust.names("static") && rust.strings.is_empty());
    }
}
