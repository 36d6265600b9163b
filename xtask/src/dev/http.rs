//! The few HTTP calls of the tool itself: health, a token, one FHIR search. Plain http to this machine only.

use std::time::Duration;

use ureq::Agent;

const LIMIT: Duration = Duration::from_secs(15);

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The `Content-Type`, or nothing.
    pub(super) content_type: String,
    /// The body as text.
    pub(super) body: String,
}

/// Gets `url`, with a bearer token where there is one. The error says why no answer came.
pub(super) fn get(url: &str, token: Option<&str>) -> Result<Answer, String> {
    let mut request = agent().get(url);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    read(request.call())
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(LIMIT))
        .proxy(None)
        .build()
        .new_agent()
}

fn read(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = result.map_err(|error| error.to_string())?;
    let content_type = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let content_type = content_type.to_owned();
    let body = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status: response.status().as_u16(),
        content_type,
        body,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::get;

    #[test]
    fn refusals_are_answers_and_the_token_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 2048];
            let length = stream.read(&mut buffer).unwrap();
            let answer =
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno";
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&buffer[..length]).to_lowercase()
        });
        let answer = get(&url, Some("t0ken")).unwrap();
        assert_eq!(
            (answer.status, answer.content_type.as_str(), answer.body.as_str()),
            (401, "text/plain", "no")
        );
        assert!(server.join().unwrap().contains("authorization: bearer t0ken"));
    }

    #[test]
    fn nobody_listening_is_an_error() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(get(&format!("http://127.0.0.1:{port}/"), None).is_err());
    }
}
