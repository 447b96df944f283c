//! From HTTP to server-sent events: the answer to this request has no end.

use super::{Reply, Visit, parameters::Parameters, reply, reply::Problem, terms};
use crate::worker::Terms;
use hyper::{HeaderMap, Method, Request, body::Incoming, header};
use session::{Limits, OpenOptions};
use std::time::Duration;
use wire::envelope::{Envelope, websocket::check_origin};

/// Where a browser says what it received last, when it connects again.
const LAST_EVENT_ID: &str = "last-event-id";
/// So often something comes, also where no heartbeats are wanted: proxies close what is silent for longer.
const COMMENT: Duration = Duration::from_secs(15);

impl Visit {
    /// Begins a stream; there is no reply but where it is refused.
    pub(super) async fn stream(&self, request: &Request<Incoming>) -> Result<Reply, Problem> {
        let terms = self.stream_terms(request)?;
        Ok(self.take(terms).await)
    }

    fn stream_terms(&self, request: &Request<Incoming>) -> Result<Terms, Problem> {
        let control = &self.shared.control;
        if request.method() != Method::GET {
            return Err(Problem::wrong_method("/sse", "GET"));
        }
        check_origin(request.headers(), &control.config.allow_origin)?;
        if control.is_draining() {
            return Err(Problem::shutting_down());
        }
        let limits = Limits { ping: COMMENT, ..control.config.limits() };
        let mut parameters = Parameters::of(request.uri())?;
        let options = terms::options(&mut parameters, &limits)?;
        let last_event = request.headers().get(LAST_EVENT_ID).filter(|id| !id.is_empty());
        let last_event =
            last_event.map(|id| terms::token(&String::from_utf8_lossy(id.as_bytes()))).transpose()?;
        let (dialect, wanted) = terms::wanted(&mut parameters, &control.instruments(), last_event)?;
        parameters.finish()?;
        control.addresses.connect(self.peer.ip()).map_err(Problem::too_many_requests)?;
        Ok(Terms {
            options: OpenOptions { envelope: Envelope::Sse, dialect, ..options },
            greeting: head(request.headers(), &control.config.allow_origin),
            wanted,
        })
    }
}

/// The head of the answer: the events follow until the connection closes.
fn head(request: &HeaderMap, allowed: &[String]) -> Vec<u8> {
    let mut head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\
        x-content-type-options: nosniff\r\nx-accel-buffering: no\r\nconnection: close\r\n"
        .to_vec();
    if let Some(origin) = reply::allowed_origin(request, allowed) {
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.as_bytes()),
            (header::VARY, header::ORIGIN.as_str().as_bytes()),
        ] {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
