//! Every route of the router is described, or is a page for people; and nothing else is described.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use http::{Method, StatusCode};

use crate::openapi::{Tag, description, document, is_page};
use crate::web::testing::{Browser, Clinic};

/// The paths that the router has, read from its own account of itself.
fn paths(clinic: &Clinic) -> BTreeSet<String> {
    let told = format!("{:?}", crate::app(clinic.issuer.state.clone()));
    let (_, paths) = told.split_once("paths: {").expect("the router tells its paths");
    paths
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("__private__axum"))
        .map(String::from)
        .collect()
}

/// The methods that the router takes at `path`: what it names to one that no route takes.
async fn methods(clinic: &Clinic, path: &str) -> BTreeSet<String> {
    let request = Browser::request(Method::TRACE, &path.replace(['{', '}'], ""));
    let answer = clinic.browser().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        answer.status,
        StatusCode::METHOD_NOT_ALLOWED,
        "{path}: {answer:?}"
    );
    let allowed = answer.header("allow").expect("405 names the methods");
    // Every GET is answered for HEAD too.
    allowed
        .split(',')
        .map(|method| method.trim().to_owned())
        .filter(|method| method != "HEAD")
        .collect()
}

#[tokio::test]
async fn every_route_is_described_or_a_page_and_nothing_else_is_described() {
    let clinic = Clinic::with_config(|config| config.development.outbox = true).await;
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in description().operations {
        assert!(!is_page(operation.path), "{} is a page", operation.path);
        let is_new = described
            .entry(operation.path.into())
            .or_default()
            .insert(operation.method.into());
        assert!(
            is_new,
            "{} {} is described twice",
            operation.method, operation.path
        );
    }
    let mut served = BTreeMap::new();
    for path in paths(&clinic) {
        if !is_page(&path) {
            let methods = methods(&clinic, &path).await;
            served.insert(path, methods);
        }
    }
    // That the walk sees anything at all.
    assert!(served.len() > 50, "{served:?}");
    assert_eq!(served, described);
}

#[tokio::test]
async fn a_route_that_is_called_a_page_answers_with_html_or_belongs_to_a_page() {
    let clinic = Clinic::with_config(|config| config.development.outbox = true).await;
    for path in paths(&clinic).into_iter().filter(|path| is_page(path)) {
        if path.starts_with("/static/") {
            continue;
        }
        let answer = clinic.browser().get(&path.replace(['{', '}'], "")).await;
        let is_redirect = answer.status.is_redirection();
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(is_redirect || kind.starts_with("text/html"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn operations_have_names_of_their_own_and_every_part_has_some() {
    let all = description();
    let names: BTreeSet<&str> = all.operations.iter().map(|operation| operation.id).collect();
    assert_eq!(names.len(), all.operations.len());
    for tag in Tag::ALL {
        assert!(
            all.operations.iter().any(|operation| operation.tag == tag),
            "{tag:?}"
        );
    }
    for operation in &all.operations {
        let in_path: Vec<&str> = operation
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let described: Vec<&str> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter.place == crate::openapi::Place::Path)
            .map(|parameter| parameter.name)
            .collect();
        assert_eq!(in_path, described, "{}", operation.path);
    }
}

#[tokio::test]
async fn the_document_is_for_everybody_and_names_only_schemas_that_it_has() {
    let clinic = Clinic::open().await;
    let answer = clinic.browser().get("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let served = answer.json();
    assert_eq!(served, document(clinic.issuer.state.config()));
    assert_eq!(served["servers"][0]["url"], crate::testing::ISSUER);
    let text = served.to_string();
    let schemas = served["components"]["schemas"].as_object().unwrap();
    let mut named = BTreeSet::new();
    for rest in text.split("\"#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
        named.insert(name.to_owned());
    }
    let unused: Vec<&String> = schemas.keys().filter(|name| !named.contains(*name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    for scheme in [
        "authorizationCode",
        "clientCredentials",
        "S256",
        "bearer",
        "dpop+jwt",
    ] {
        assert!(
            served["components"]["securitySchemes"]
                .to_string()
                .contains(scheme),
            "{scheme}"
        );
    }
}
