//! One request, between the connection and the router.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use http::{Request, Response, StatusCode, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tower::ServiceExt;

use crate::config::ConnectionsConfig;
use crate::error::problem::problem;

use super::activity::{Activity, UnderWay};
use super::paced_body::{Lateness, PacedBody};

/// Has `app` answer a request of `peer`.
pub(super) async fn answer(
    app: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: ConnectionsConfig,
    activity: Arc<Activity>,
) -> Result<Response<Sent>, Infallible> {
    let is_http2 = request.version() == Version::HTTP_2;
    let under_way = activity.begin(is_http2);
    // HTTP/1.1 was counted when it was parsed; HTTP/2 is measured by bytes alone.
    if request.headers().len() > limits.header_count {
        let refusal = problem(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The request has too many headers",
            None,
        );
        return Ok(sent(refusal, under_way));
    }
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(ConnectInfo(peer));
    let (body, lateness) = if body.is_end_stream() {
        (Body::empty(), None)
    } else {
        let lateness = Lateness::default();
        let paced = PacedBody::new(body, &limits, activity, lateness.clone());
        (Body::new(paced), Some(lateness))
    };
    let Ok(mut response) = app.oneshot(Request::from_parts(parts, body)).await;
    // The endpoint says in its standard's form that the body could not be read; only the connection knows why.
    if lateness.is_some_and(|lateness| lateness.is_late()) && response.status() == StatusCode::BAD_REQUEST {
        *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
        if !is_http2 {
            let close = http::HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
    }
    Ok(sent(response, under_way))
}

fn sent(response: Response<Body>, under_way: UnderWay) -> Response<Sent> {
    let under_way = under_way.answered();
    response.map(|body| Sent {
        body,
        _under_way: under_way,
    })
}

/// The body of an answer. Its request is under way until it is sent.
#[derive(Debug)]
pub(super) struct Sent {
    body: Body,
    _under_way: UnderWay,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
