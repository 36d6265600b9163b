//! Nobody but administrators gets in, whatever the route.

use http::{Method, StatusCode, header};

use super::routes::ROUTES;
use crate::web::testing::{Answer, Browser, Clinic, PHYSICIAN};

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
/// What is under the same roots and no part of the API.
const OTHERS: [&str; 2] = ["/auth/token", "/v1/launches"];

async fn send(clinic: &Clinic, method: &Method, path: &str, authorization: Option<&str>) -> Answer {
    let mut request = Browser::request(method.clone(), path).header(header::CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    clinic.browser().send(request.body("{}".into()).unwrap()).await
}

#[tokio::test]
async fn every_route_is_closed_to_whoever_is_no_administrator() {
    let clinic = Clinic::open().await;
    let tokens = clinic.tokens("openid user/*.rs", PHYSICIAN).await;
    let insider = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    for route in ROUTES {
        let path = route
            .path
            .replace("{id}", "x")
            .replace("{userId}", "user-x")
            .replace("{domain}", "clinic.example");
        let mut taken = 0;
        for method in &METHODS {
            for (authorization, refusal) in [
                (None, StatusCode::UNAUTHORIZED),
                (Some("Bearer x"), StatusCode::UNAUTHORIZED),
                (Some(insider.as_str()), StatusCode::FORBIDDEN),
            ] {
                let answer = send(&clinic, method, &path, authorization).await;
                if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                    continue;
                }
                taken += 1;
                assert_eq!(answer.status, refusal, "{method} {path}: {answer:?}");
            }
        }
        assert!(taken >= 3, "{path}");
        assert!(super::is_of_api(&path), "{path}");
    }
}

#[test]
fn every_route_under_its_roots_stands_in_the_table() {
    let router = include_str!("../router.rs");
    let is_of_api = |text: &&str| text.starts_with("/auth/") || text.starts_with("/v1/");
    for path in router.split('"').filter(is_of_api) {
        assert!(OTHERS.contains(&path), "{path} is not in api/routes.rs");
    }
}
