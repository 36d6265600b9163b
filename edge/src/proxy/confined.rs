//! What is changed of a request to the FHIR server so that it stays with a patient.

use super::forward::Forward;
use super::sanitize;

/// Headers that speak of the body of a write, or of how it is to be carried out.
const OF_A_WRITE: [&str; 4] = ["content-type", "content-encoding", "if-none-exist", "prefer"];

impl<'a> Forward<'a> {
    /// Adds a parameter to a search: to its form, if it has one, else to its query. Name and value stand for themselves in
    /// both.
    pub fn add_criterion(&mut self, name: &str, value: &str, has_form: bool) {
        if has_form {
            self.form = Some(format!("{name}={value}"));
            return;
        }
        let separator = match self.url.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        for part in [separator, name, "=", value] {
            self.url.push_str(part);
        }
    }

    /// Has the server refuse search parameters that it does not know; `prefer` is what the client prefers.
    pub fn search_strictly(&mut self, prefer: Option<&str>) {
        self.set.push(("prefer", sanitize::strict_prefer(prefer)));
    }

    /// Asks for an answer that can be read here: in JSON, as a whole, not compressed, and with its body.
    pub fn read_in_json(&mut self) {
        if self.is_head {
            self.method = Some("GET");
        }
        self.remove.extend(super::forward::CONDITIONS);
        self.set.push(("accept-encoding", "identity".to_owned()));
        self.set.push(("accept", "application/fhir+json".to_owned()));
    }

    /// A request that reads what this one is about to change.
    #[must_use]
    pub fn reading_the_same(&self) -> Forward<'a> {
        let mut reading = self.clone();
        if let Some((path, _)) = self.url.split_once('?') {
            path.clone_into(&mut reading.url);
        }
        reading.remove.extend(OF_A_WRITE);
        reading.read_in_json();
        reading.method = Some("GET");
        reading
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::proxy::forward::{Forward, prepare};
    use crate::testing::{config, incoming};

    fn forward<'a>(config: &Config, method: &'a str, target: &'a str) -> Forward<'a> {
        let request = incoming(method, target, &[]);
        let below = request.path.strip_prefix("/fhir").unwrap();
        prepare(config, &config.apis[0], &request, below, None, "r-1", Vec::new())
    }

    #[test]
    fn a_criterion_is_added_where_the_other_parameters_are() {
        let config = config();
        for (target, url) in [
            (
                "/fhir/Observation",
                "https://fhir.example/r4/Observation?patient=Patient/p-1",
            ),
            (
                "/fhir/Observation?",
                "https://fhir.example/r4/Observation?patient=Patient/p-1",
            ),
            (
                "/fhir/Observation?code=a",
                "https://fhir.example/r4/Observation?code=a&patient=Patient/p-1",
            ),
        ] {
            let mut search = forward(&config, "GET", target);
            search.add_criterion("patient", "Patient/p-1", false);
            assert_eq!((search.url.as_str(), search.form), (url, None), "{target}");
        }
        let mut search = forward(&config, "POST", "/fhir/Observation/_search?code=a");
        search.add_criterion("patient", "Patient/p-1", true);
        assert_eq!(search.url, "https://fhir.example/r4/Observation/_search?code=a");
        assert_eq!(search.form.as_deref(), Some("patient=Patient/p-1"));
    }

    #[test]
    fn an_answer_that_is_judged_has_a_body() {
        let config = config();
        for (method, asked) in [("GET", None), ("HEAD", Some("GET")), ("POST", None)] {
            let mut read = forward(&config, method, "/fhir/Observation");
            read.read_in_json();
            assert_eq!(read.method, asked, "{method}");
            assert!(read.remove.contains(&"if-none-match"));
            assert!(read.set.contains(&("accept", "application/fhir+json".to_owned())));
        }
        let read = forward(&config, "DELETE", "/fhir/Observation/1?_pretty=true").reading_the_same();
        assert_eq!(
            (read.method, read.url.as_str()),
            (Some("GET"), "https://fhir.example/r4/Observation/1")
        );
    }
}
