//! Long polling: a request that is held until there is something to say.

use super::{
    Reply, Visit,
    parameters::{Parameters, bad},
    reply::{self, Problem},
    terms,
};
use crate::worker::Wanted;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
};
use market::clock;
use session::Poll;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use wire::envelope::websocket::check_origin;

/// The longest that a client may have a poll held, in ms.
const LONGEST_MS: u64 = 30_000;

impl Visit {
    /// Answers a poll: at once one without a cursor, else when there is something to say, or with 204 when its time is over.
    pub(super) async fn poll(&self, request: &Request<Incoming>) -> Result<Reply, Problem> {
        let control = &self.shared.control;
        if request.method() != Method::GET {
            return Err(Problem::wrong_method("/poll", "GET"));
        }
        check_origin(request.headers(), &control.config.allow_origin)?;
        let mut parameters = Parameters::of(request.uri())?;
        let cursor = parameters.text("cursor").map(|text| terms::token(&text)).transpose()?;
        let timeout_ms = parameters.value("timeout_ms")?.unwrap_or(LONGEST_MS);
        if timeout_ms > LONGEST_MS {
            return Err(bad(format!("timeout_ms={timeout_ms}: it is at most {LONGEST_MS}")));
        }
        let instruments = control.instruments();
        let (_, wanted) = terms::wanted(&mut parameters, &instruments, cursor)?;
        parameters.finish()?;
        let cursor = match &wanted {
            Wanted::Topics(subscribe) => subscribe.first().and_then(|subscribe| subscribe.since.clone()),
            Wanted::Streams(streams) => streams.since.clone(),
        };
        if let Some(cursor) = &cursor {
            sleep(control.polls.wait(self.peer.ip(), cursor, clock::now())).await;
        } else {
            control.addresses.request(self.peer.ip()).map_err(Problem::too_many_requests)?;
        }
        // Also if that began while it was held: the worker has dismissed those that wait, and answers no more.
        if control.is_draining() {
            return Err(Problem::shutting_down());
        }
        let poll = match &wanted {
            Wanted::Topics(subscribe) => Poll::new(subscribe, &instruments, cursor)?,
            Wanted::Streams(streams) => Poll::of_streams(&streams.names, cursor)?,
        };
        let answer = self.shared.with(|engine| engine.poll(poll, clock::now()));
        match timeout(Duration::from_millis(timeout_ms), answer).await {
            Ok(Ok(body)) => Ok(reply::json(body)),
            // The worker dismissed it.
            Ok(Err(_)) => Err(Problem::shutting_down()),
            Err(_) => Ok(nothing()),
        }
    }
}

fn nothing() -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}
