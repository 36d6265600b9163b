//! Domains of e-mail addresses.

use std::fmt;

/// A domain in lower case, in ASCII (internationalized ones in their `xn--` form), without a dot at its end: at least two
/// labels of letters, digits and hyphens (RFC 1123 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainName(String);

impl DomainName {
    /// Reads a domain in whatever case; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // An address of four numbers is no domain.
        let is_named = text
            .rsplit('.')
            .next()
            .is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
        let is_domain = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) && is_named;
        is_domain.then_some(Self(text))
    }

    /// The domain.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The domain of an e-mail address, after its last `@`; `None` where that is none. A dot at its end is the same domain, and
/// what stands before the `@` does not matter: nobody is of another domain by how they write their own name.
pub fn domain_of(email: &str) -> Option<DomainName> {
    let (name, domain) = email.rsplit_once('@')?;
    let domain = domain.trim_end();
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    (!name.is_empty()).then(|| DomainName::parse(domain))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DomainName, domain_of};

    #[test]
    fn a_domain_is_read_in_whatever_case() {
        for (text, domain) in [
            ("Clinic.Example", "clinic.example"),
            (" a.b.c ", "a.b.c"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("1st.example", "1st.example"),
        ] {
            assert_eq!(DomainName::parse(text).unwrap().as_str(), domain);
        }
    }

    #[test]
    fn refuses_what_is_no_domain() {
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            ".",
            "localhost",
            "a..b",
            ".a.b",
            "a.b.",
            "-a.example",
            "a-.example",
            "a b.example",
            "a/b.example",
            "b\u{fc}cher.example",
            "192.0.2.1",
            "*.example.org",
            "a_b.example",
            &long,
        ] {
            assert_eq!(DomainName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_domain_of_an_address_is_what_follows_its_last_at() {
        assert_eq!(
            domain_of("ada@Clinic.Example").unwrap().as_str(),
            "clinic.example"
        );
        assert_eq!(
            domain_of("\"a@b\"@clinic.example").unwrap().as_str(),
            "clinic.example"
        );
        for text in [
            "ad\u{e4}@clinic.example",
            "ada@clinic.example.",
            "ada@clinic.example. ",
        ] {
            assert_eq!(domain_of(text).unwrap().as_str(), "clinic.example", "{text}");
        }
        for text in [
            "ada",
            "@clinic.example",
            "ada@",
            "ada@clinic.example..",
            "ada@\u{212A}.example",
        ] {
            assert_eq!(domain_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_is_read_again(text in ".*") {
            if let Some(domain) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(domain.as_str()), Some(domain));
            }
            let _ = domain_of(&text);
        }
    }
}
