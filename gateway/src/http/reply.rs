//! Answers and errors.

use super::{ENDPOINTS, Reply};
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::Bytes,
    header::{self, HeaderName, HeaderValue},
};
use std::{borrow::Cow, time::Duration};
use wire::{
    dialect::native_json,
    message::{ErrorCode, Refusal},
};

/// A JSON object.
pub(super) fn json(body: Vec<u8>) -> Reply {
    made("application/json", body.into(), "no-store")
}

/// Plain text.
pub(super) fn text(body: &'static str) -> Reply {
    made("text/plain; charset=utf-8", Bytes::from_static(body.as_bytes()), "no-store")
}

/// A body of some other type, made for this request.
pub(super) fn body(content_type: &'static str, body: Vec<u8>) -> Reply {
    made(content_type, body.into(), "no-store")
}

/// A file that is part of the program.
pub(super) fn file(content_type: &'static str, bytes: &'static [u8]) -> Reply {
    made(content_type, Bytes::from_static(bytes), "no-cache")
}

fn made(content_type: &'static str, body: Bytes, cache: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(body));
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// The origin of the web page that asks, if it may read the answer and is of another host.
pub(super) fn allowed_origin<'a>(request: &'a HeaderMap, allowed: &[String]) -> Option<&'a HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    allowed.iter().any(|one| one == "*" || one.as_bytes() == origin.as_bytes()).then_some(origin)
}

/// Lets web pages of allowed origins read the answer.
pub(super) fn allow_origin(reply: &mut Reply, request: &HeaderMap, allowed: &[String]) {
    if let Some(origin) = allowed_origin(request, allowed) {
        reply.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        reply.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
}

/// Whole seconds, at least one, as a `Retry-After` header wants them.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: ErrorCode,
    text: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Problem {
        Problem { status, code, text: text.into(), header: None }
    }

    pub(super) fn with(self, name: HeaderName, value: impl Into<HeaderValue>) -> Problem {
        Problem { header: Some((name, value.into())), ..self }
    }

    pub(super) fn unknown_path(path: &str) -> Problem {
        let shown: String = path.chars().take(64).collect();
        let text = format!("there is nothing at '{shown}'; there is {ENDPOINTS}");
        Problem::new(StatusCode::NOT_FOUND, ErrorCode::NotOffered, text)
    }

    pub(super) fn wrong_method(path: &str, methods: &'static str) -> Problem {
        let text = format!("{path} takes {methods}");
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadMethod, text)
            .with(header::ALLOW, HeaderValue::from_static(methods))
    }

    pub(super) fn too_many_requests(wait: Duration) -> Problem {
        let text = "too many requests from this address; come back after the time in Retry-After";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, text)
            .with(header::RETRY_AFTER, whole_seconds(wait))
    }

    pub(super) fn shutting_down() -> Problem {
        let text = "the gateway is shutting down; come back in a moment";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotAllowed, text)
            .with(header::RETRY_AFTER, 1)
    }

    pub(super) fn into_reply(self) -> Reply {
        let mut body = Vec::new();
        native_json::push_rest_error(&mut body, self.code, &self.text);
        let mut reply = json(body);
        *reply.status_mut() = self.status;
        if let Some((name, value)) = self.header {
            reply.headers_mut().insert(name, value);
        }
        reply
    }

    /// What is wrong, and what to do.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl From<Refusal> for Problem {
    /// A refusal of the native protocol with the status that fits it.
    fn from(refusal: Refusal) -> Problem {
        let status = match refusal.code {
            ErrorCode::BadSymbol | ErrorCode::OutOfRange | ErrorCode::NotOffered | ErrorCode::NoRecording => {
                StatusCode::NOT_FOUND
            }
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Stale => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let retry_after = (refusal.code == ErrorCode::Stale).then(|| (header::RETRY_AFTER, 1.into()));
        Problem { header: retry_after, ..Problem::new(status, refusal.code, refusal.text) }
    }
}
