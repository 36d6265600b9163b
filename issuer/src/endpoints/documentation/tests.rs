use std::path::Path;

use http::StatusCode;

use super::error_uri;
use super::table::{CODES, explain};
use crate::testing::{self, ISSUER};
use crate::web::testing::Clinic;

#[tokio::test]
async fn every_error_uri_resolves_to_a_page_of_its_own() {
    let clinic = Clinic::open().await;
    let config = clinic.issuer.state.config();
    let list = clinic.browser().get("/docs/errors").await;
    assert_eq!(list.status, StatusCode::OK);
    for code in CODES {
        let uri = error_uri(config, code);
        let path = uri.strip_prefix(ISSUER).unwrap();
        assert_eq!(path, format!("/docs/errors/{code}"));
        let page = clinic.browser().get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{code}");
        assert!(
            page.body.contains(&format!("<h1><code>{code}</code></h1>")),
            "{code}"
        );
        for part in ["What happened", "Why", "What to do next"] {
            assert!(page.body.contains(&format!("<h2>{part}</h2>")), "{code}: {part}");
        }
        // What the edge makes of the base: the list's entry, which leads to the page.
        let at_edge = wardgate_shared::error_uri::error_uri(&config.documentation.error_uri, code.as_str());
        let (base, fragment) = at_edge.split_once('#').unwrap();
        assert_eq!(base, format!("{ISSUER}/docs/errors"));
        let entry = format!("<dt id=\"{fragment}\"><a href=\"/docs/errors/{code}\">");
        assert!(list.body.contains(&entry), "{code}");
    }
}

#[tokio::test]
async fn a_code_that_there_is_not_has_no_page() {
    let clinic = Clinic::open().await;
    for path in [
        "/docs/errors/nonsense",
        "/docs/errors/INVALID_GRANT",
        "/docs/errors/%FF",
    ] {
        clinic
            .browser()
            .get(path)
            .await
            .is_error_page(StatusCode::NOT_FOUND);
    }
}

#[test]
fn a_configured_base_is_used_as_it_is_documented() {
    let mut config = testing::config(Path::new(""));
    config.documentation.error_uri = "https://docs.example.org/e".into();
    assert_eq!(
        error_uri(&config, CODES[0]),
        "https://docs.example.org/e#invalid_request"
    );
    config.documentation.error_uri = "https://docs.example.org/e#here".into();
    assert_eq!(error_uri(&config, CODES[0]), "https://docs.example.org/e#here");
}

#[test]
fn every_explanation_says_something_and_codes_come_once() {
    let mut names: Vec<&str> = CODES.iter().map(|code| code.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CODES.len());
    for code in CODES {
        let entry = explain(code);
        assert!(
            !entry.why.is_empty() && !entry.next.is_empty() && entry.happened.ends_with('.'),
            "{code}"
        );
        assert!(entry.specification.starts_with("https://"), "{code}");
    }
}
