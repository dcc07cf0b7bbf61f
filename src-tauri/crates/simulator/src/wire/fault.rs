//! What can be wrong with an answer.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{StreamExt, stream};

/// A fault of one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// This answer instead.
    Status {
        /// Status code.
        code: u16,
        /// Headers, `content-type` and `retry-after` among them.
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
    },
    /// The request is read and never answered.
    Hang,
    /// The right answer, later.
    Slow(Duration),
    /// The right answer, a byte at a time with this pause between.
    Drip(Duration),
    /// The first half of the right body, as if it were all.
    Truncated,
    /// The right length is announced, the connection ends in the middle.
    CutBody,
    /// Text that is not JSON, announced as JSON.
    Malformed,
    /// 200 with a page of HTML, as a captive portal answers.
    Html,
    /// 200 with this body, announced as JSON.
    Body(String),
    /// 200 with so many bytes of JSON text.
    Huge(usize),
}

impl Fault {
    /// A status code with a JSON body.
    pub fn status(code: u16, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Fault::Status { code, headers, body: body.to_owned() }
    }
    /// 429 with `Retry-After`, or without.
    pub fn too_many(retry_after: Option<&str>) -> Self {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(retry_after.map(|v| ("retry-after".to_owned(), v.to_owned())));
        Fault::Status { code: 429, headers, body: "{\"message\":\"Too many requests\"}".to_owned() }
    }
}

const PORTAL: &str =
    "<!doctype html><html><head><title>Welcome to FreeWiFi</title></head><body>Please sign in.</body></html>";

fn plain(code: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = code;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// Replaces or spoils an answer. [`Fault::Hang`] and [`Fault::Slow`] are the caller's.
pub(crate) async fn spoil(fault: Fault, answer: Response) -> Response {
    match fault {
        Fault::Hang | Fault::Slow(_) => answer,
        Fault::Status { code, headers, body } => {
            let mut answer = Response::new(Body::from(body));
            *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    answer.headers_mut().insert(name, value);
                }
            }
            answer
        }
        Fault::Malformed => {
            plain(StatusCode::OK, "application/json", "{\"total\": 3, \"list\": [{\"agentId\": }")
        }
        Fault::Html => plain(StatusCode::OK, "text/html", PORTAL),
        Fault::Body(body) => plain(StatusCode::OK, "application/json", body),
        Fault::Huge(bytes) => {
            let piece = axum::body::Bytes::from_static(&[b'x'; 65_536]);
            let pieces = bytes.div_ceil(piece.len());
            let body = stream::iter(std::iter::repeat_n(piece, pieces)).map(Ok::<_, std::io::Error>);
            plain(StatusCode::OK, "application/json", Body::from_stream(body))
        }
        Fault::Truncated | Fault::Drip(_) | Fault::CutBody => {
            let (mut parts, body) = answer.into_parts();
            // Our own answers are whole in memory: reading them cannot fail.
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            parts.headers.remove(header::CONTENT_LENGTH);
            let body = match fault {
                Fault::Truncated => Body::from(bytes.slice(..bytes.len() / 2)),
                Fault::Drip(pause) => {
                    let drops: Vec<_> = bytes.chunks(1).map(axum::body::Bytes::copy_from_slice).collect();
                    Body::from_stream(stream::iter(drops).then(move |drop| async move {
                        tokio::time::sleep(pause).await;
                        Ok::<_, std::io::Error>(drop)
                    }))
                }
                _ => {
                    let half = bytes.slice(..bytes.len() / 2);
                    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                    let broken = stream::once(async {
                        // What was sent first must have left.
                        tokio::time::sleep(Duration::from_millis(30)).await;
                        Err(std::io::Error::other("cut"))
                    });
                    Body::from_stream(stream::iter([Ok(half)]).chain(broken))
                }
            };
            Response::from_parts(parts, body)
        }
    }
}
