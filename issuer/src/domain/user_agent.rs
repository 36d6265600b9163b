//! What a browser says of itself (RFC 9110 section 10.1.5), kept so that a person recognises it among their sessions.
//!
//! Nothing is decided by it: anybody can say anything there. It is cleaned and bounded when it is read.

/// A cleaned `User-Agent`: at most [`UserAgent::MAXIMUM_LENGTH`] printable ASCII characters, and not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(String);

/// Browsers by the word that tells them. Most say the words of others too, so the order counts.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
];

/// Systems by the word that tells them, in the order in which they are looked for.
const SYSTEMS: [(&str, &str); 8] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

impl UserAgent {
    /// The longest text that is kept, in characters.
    pub const MAXIMUM_LENGTH: usize = 256;

    /// The printable ASCII characters of `text`, cut to the longest length; `None` when there are none.
    pub fn clean(text: &str) -> Option<Self> {
        let printable = |character: &char| matches!(character, ' '..='~');
        let kept: String = text
            .chars()
            .filter(printable)
            .take(Self::MAXIMUM_LENGTH)
            .collect();
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the browser, if it is a known one.
    pub fn browser(&self) -> Option<&'static str> {
        self.first_of(&BROWSERS)
    }

    /// The name of the system it runs on, if it is a known one.
    pub fn system(&self) -> Option<&'static str> {
        self.first_of(&SYSTEMS)
    }

    fn first_of(&self, known: &[(&str, &'static str)]) -> Option<&'static str> {
        known
            .iter()
            .find_map(|(word, name)| self.0.contains(word).then_some(*name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::UserAgent;

    #[track_caller]
    fn is(text: &str, browser: Option<&str>, system: Option<&str>) {
        let agent = UserAgent::clean(text).unwrap();
        assert_eq!((agent.browser(), agent.system()), (browser, system), "{text}");
    }

    #[test]
    fn the_usual_browsers_are_told_apart() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        is(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            Some("Firefox"),
            Some("Windows"),
        );
        is(
            &format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/142.0.0.0 Safari/537.36"),
            Some("Chrome"),
            Some("Linux"),
        );
        is(
            &format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/142.0.0.0 Safari/537.36 Edg/142.0"
            ),
            Some("Edge"),
            Some("Windows"),
        );
        is(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
             Mobile/15E148 Safari/604.1",
            Some("Safari"),
            Some("iPhone"),
        );
        is(
            &format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/142.0.0.0 Mobile Safari/537.36"),
            Some("Chrome"),
            Some("Android"),
        );
        is("something/1.0", None, None);
    }

    #[test]
    fn what_cannot_be_printed_is_left_out() {
        assert_eq!(
            UserAgent::clean("a\u{1b}[31m\nb\u{202e}é").unwrap().as_str(),
            "a[31mb"
        );
        assert_eq!(UserAgent::clean(" \u{7f}\t "), None);
        assert_eq!(UserAgent::clean(""), None);
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_short_and_printable(text in ".{0,600}") {
            if let Some(agent) = UserAgent::clean(&text) {
                prop_assert!(agent.as_str().len() <= UserAgent::MAXIMUM_LENGTH && !agent.as_str().is_empty());
                prop_assert!(agent.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                let _ = (agent.browser(), agent.system());
                prop_assert_eq!(UserAgent::clean(agent.as_str()), Some(agent));
            }
        }
    }
}
