//! From HTTP to WebSocket.

use super::{
    Reply, Visit,
    parameters::{Parameters, bad},
    reply::Problem,
};
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use session::{Limits, OpenOptions};
use std::{ops::RangeInclusive, time::Duration};
use wire::{
    envelope::websocket::{HandshakeError, check_origin, check_upgrade},
    message::ErrorCode,
};

/// What a client may ask for between two heartbeats, in ms; 0 is none.
const HEARTBEAT_MS: RangeInclusive<u64> = 250..=60_000;
/// What a client may ask for between two pings, in seconds.
const PING_S: RangeInclusive<u64> = 5..=300;

impl Visit {
    /// Answers a handshake; the connection is a WebSocket afterwards.
    pub(super) fn upgrade(&self, request: &mut Request<Incoming>, echo: bool) -> Result<Reply, Problem> {
        let control = &self.shared.control;
        check_upgrade(request.method(), request.version(), request.headers())?;
        check_origin(request.headers(), &control.config.allow_origin)?;
        if control.is_draining() {
            return Err(Problem::shutting_down());
        }
        let options = options(Parameters::of(request.uri())?, &control.config.limits(), echo)?;
        control.addresses.connect(self.peer.ip()).map_err(Problem::too_many_requests)?;
        let (answer, _) = fastwebsockets::upgrade::upgrade(request).map_err(|_| HandshakeError::Key)?;
        self.upgraded.set(Some(options));
        Ok(answer.map(|_| Full::default()))
    }
}

fn options(mut parameters: Parameters<'_>, limits: &Limits, echo: bool) -> Result<OpenOptions, Problem> {
    let mut options = OpenOptions { echo, ..OpenOptions::new(limits) };
    if let Some(ms) = parameters.value("heartbeat_ms")? {
        if ms != 0 && !HEARTBEAT_MS.contains(&ms) {
            return Err(bad(format!("heartbeat_ms={ms}: it is 250 to 60000, or 0 for none")));
        }
        options.heartbeat = Duration::from_millis(ms);
    }
    if let Some(seconds) = parameters.value("ping_s")? {
        if !PING_S.contains(&seconds) {
            return Err(bad(format!("ping_s={seconds}: it is 5 to 300")));
        }
        options.ping = Duration::from_secs(seconds);
    }
    parameters.finish()?;
    Ok(options)
}

impl From<HandshakeError> for Problem {
    fn from(error: HandshakeError) -> Problem {
        let code = match error {
            HandshakeError::Method => ErrorCode::BadMethod,
            HandshakeError::Origin => ErrorCode::Forbidden,
            _ => ErrorCode::BadParams,
        };
        let problem = Problem::new(error.status(), code, error.to_string());
        match error.status() {
            StatusCode::METHOD_NOT_ALLOWED => problem.with(header::ALLOW, HeaderValue::from_static("GET")),
            StatusCode::UPGRADE_REQUIRED => {
                problem.with(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            }
            _ => problem,
        }
    }
}
