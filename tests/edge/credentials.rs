//! How a token may be presented: once, in the Authorization header (RFC 6750 section 2, RFC 9700 section 4.3.2).

use wardgate_tests::edge::Edge;
use wardgate_tests::http::{Answer, raw_request, send};

use crate::expect::{assert_challenge, assert_fhir_refusal, assert_nothing_forwarded};

const PATH: &str = "/fhir/Patient/1";

#[track_caller]
fn assert_invalid_request(answer: &Answer) {
    assert_fhir_refusal(answer, 400, "invalid");
    assert_challenge(answer, Some("invalid_request"));
}

#[tokio::test]
async fn the_scheme_is_known_in_any_case() {
    let edge = Edge::start().await;
    let token = edge.token();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = send(
            edge.request("GET", PATH)
                .header("authorization", format!("{scheme} {token}")),
        )
        .await;
        assert_eq!(answer.status, 200, "{scheme}: {}", answer.text());
    }
}

#[tokio::test]
async fn other_schemes_count_as_no_credentials() {
    let edge = Edge::start().await;
    for value in [
        "Basic dXNlcjpwYXNz",
        "Negotiate abc",
        "DPoP abc",
        "Digest a=\"b\", c=\"d\"",
    ] {
        let answer = send(edge.request("GET", PATH).header("authorization", value)).await;
        assert_fhir_refusal(&answer, 401, "login");
        assert_challenge(&answer, None);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_a_malformed_authorization_header() {
    let edge = Edge::start().await;
    let token = edge.token();
    for value in [
        String::from("Bearer"),
        String::from("Bearer ="),
        format!("Bearer {token} {token}"),
        format!("Bearer \"{token}\""),
        format!("Bearer token={token}"),
        format!("Bearer\t{token}"),
        format!("Bearer:{token}"),
        format!("Bearer {token};"),
        format!("Bearer ={token}"),
        format!("Bearer {}", token.replacen('.', "=.", 1)),
        token.clone(),
    ] {
        let answer = send(edge.request("GET", PATH).header("authorization", &value)).await;
        assert_invalid_request(&answer);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_two_authorization_headers() {
    let edge = Edge::start().await;
    let token = edge.token();
    let bearer = format!("Authorization: Bearer {token}");
    for second in [
        bearer.as_str(),
        "authorization: Basic dXNlcjpwYXNz",
        "AUTHORIZATION: Bearer x",
    ] {
        for pair in [
            [bearer.as_bytes(), second.as_bytes()],
            [second.as_bytes(), bearer.as_bytes()],
        ] {
            let answer = edge
                .raw(&raw_request("GET", PATH, &pair))
                .await
                .expect("an answer");
            assert_invalid_request(&answer);
        }
    }
    let joined = format!("Authorization: Bearer {token}, Bearer {token}");
    let answer = edge
        .raw(&raw_request("GET", PATH, &[joined.as_bytes()]))
        .await
        .expect("an answer");
    assert_invalid_request(&answer);
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_a_token_beside_an_api_key() {
    let edge = Edge::start().await;
    let token = edge.token();
    for name in ["X-API-Key", "x-api-secret"] {
        let answer = send(
            edge.request("GET", PATH)
                .bearer_auth(&token)
                .header(name, "key-1"),
        )
        .await;
        assert_invalid_request(&answer);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn refuses_a_token_in_the_url_alone_or_beside_the_header() {
    let edge = Edge::start().await;
    let token = edge.token();
    for query in [
        format!("access_token={token}"),
        format!("_id=1&access_token={token}"),
        format!("access%5Ftoken={token}"),
        format!("%61ccess_token={token}"),
        format!("Access_Token={token}"),
        format!("a;access_token={token}"),
        String::from("access_token"),
    ] {
        let path = format!("/fhir/Patient?{query}");
        assert_invalid_request(&edge.get(&path).await);
        assert_invalid_request(&edge.get_with(&path, &token).await);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn takes_no_token_from_a_form_a_cookie_or_another_header() {
    let edge = Edge::start().await;
    let token = edge.token();
    let requests = [
        edge.request("POST", "/fhir/Patient/_search")
            .form(&[("access_token", &token)]),
        edge.request("GET", PATH)
            .header("cookie", format!("access_token={token}")),
        edge.request("GET", PATH)
            .header("proxy-authorization", format!("Bearer {token}")),
        edge.request("GET", PATH)
            .header("x-authorization", format!("Bearer {token}")),
        edge.request("GET", PATH)
            .header("x-forwarded-access-token", &token),
    ];
    for request in requests {
        let answer = send(request).await;
        assert_fhir_refusal(&answer, 401, "login");
        assert_challenge(&answer, None);
    }
    assert_nothing_forwarded(&edge);
}

#[tokio::test]
async fn answers_clients_of_plain_json_with_problem_documents() {
    let edge = Edge::start().await;
    let answer = send(edge.request("GET", PATH).header("accept", "application/json")).await;
    let body = crate::expect::assert_problem(&answer, 401);
    assert!(body.get("resourceType").is_none());
    assert_challenge(&answer, None);
}

#[tokio::test]
async fn a_refusal_does_not_break_the_next_request_on_the_connection() {
    let edge = Edge::start().await;
    let token = edge.token();
    // The body is large enough not to fit into any buffer on the way.
    let body = vec![b'x'; 2 << 20];
    for _ in 0..5 {
        let refused = send(edge.request("POST", "/fhir/Patient").body(body.clone())).await;
        assert_eq!(refused.status, 401);
        assert_eq!(edge.get_with(PATH, &token).await.status, 200);
    }
}
