//! A request as received: nothing decoded, nothing normalised.
//!
//! The platform hands the request over as one text, because each crossing from JavaScript costs more than reading it
//! here. Nothing in it is trusted.

/// A request's method, URL and headers. The body stays where it is.
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    /// The method, exactly as received.
    pub method: &'a str,
    /// `http` or `https`, as the runtime saw it.
    pub scheme: &'a str,
    /// Host and port, as the client named them.
    pub host: &'a str,
    /// The path: from the first slash to the question mark. A fragment, which no client sends, stays in here and is
    /// refused with the other characters that do not belong.
    pub path: &'a str,
    /// The query without its question mark.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: Headers<'a>,
}

/// Headers, names in lower case. A name that was sent several times is there once, its values joined by `, `.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Headers<'a> {
    /// These headers; names must be in lower case.
    pub const fn new(headers: Vec<(&'a str, &'a str)>) -> Self {
        Self(headers)
    }

    /// The value of `name`, which must be in lower case.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| *value)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl<'a> Incoming<'a> {
    /// Reads the text that the platform makes: method, URL, then name and value of each header in turn, separated by
    /// line feeds, which can stand in none of them. `None` when the text is not of this form.
    pub fn unpack(packed: &'a str) -> Option<Self> {
        let mut lines = packed.split('\n');
        let (method, url) = (lines.next()?, lines.next()?);
        let (scheme, rest) = url.split_once("://")?;
        let (host, target) = rest
            .find(['/', '?', '#'])
            .and_then(|at| rest.split_at_checked(at))
            .unwrap_or((rest, ""));
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut headers = Vec::with_capacity(16);
        while let Some(name) = lines.next() {
            headers.push((name, lines.next()?));
        }
        Some(Self {
            method,
            scheme,
            host,
            path,
            query,
            headers: Headers(headers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Incoming;

    #[test]
    fn unpacks_method_url_and_headers() {
        let packed =
            "GET\nhttp://edge.example:8787/fhir/Patient?name=a%20b&x\naccept\t\naccept\n*/*\nx-empty\n";
        assert!(
            Incoming::unpack("GET\nhttp://edge.example/\naccept").is_none(),
            "a name without a value"
        );
        let packed = packed.replace("accept\t\n", "");
        let request = Incoming::unpack(&packed).unwrap();
        assert_eq!(
            (request.method, request.scheme, request.host),
            ("GET", "http", "edge.example:8787")
        );
        assert_eq!(
            (request.path, request.query),
            ("/fhir/Patient", Some("name=a%20b&x"))
        );
        assert_eq!(request.headers.get("accept"), Some("*/*"));
        assert_eq!(request.headers.get("x-empty"), Some(""));
        assert_eq!(request.headers.get("authorization"), None);
        assert_eq!(request.headers.names().collect::<Vec<_>>(), ["accept", "x-empty"]);
    }

    #[test]
    fn keeps_the_bytes_of_path_and_query() {
        let request = Incoming::unpack("PURGE\nhttp://h/fhir/../%2e%2E//a;b#c?d?e#f").unwrap();
        assert_eq!(
            (request.path, request.query),
            ("/fhir/../%2e%2E//a;b#c", Some("d?e#f"))
        );
        assert_eq!(request.method, "PURGE");
    }

    #[test]
    fn a_url_may_end_after_its_host() {
        for (url, path, query) in [
            ("http://h", "", None),
            ("http://h?a", "", Some("a")),
            ("http://h#a", "#a", None),
        ] {
            let packed = format!("GET\n{url}");
            let request = Incoming::unpack(&packed).unwrap();
            assert_eq!((request.host, request.path, request.query), ("h", path, query));
        }
    }

    #[test]
    fn refuses_what_the_platform_never_makes() {
        for packed in ["", "GET", "GET\nnot a url"] {
            assert!(Incoming::unpack(packed).is_none(), "{packed:?}");
        }
    }
}
