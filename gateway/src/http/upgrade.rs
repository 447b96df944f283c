//! From HTTP to WebSocket.

use super::{Becomes, Reply, Visit, parameters::Parameters, reply::Problem, terms};
use crate::worker::{Terms, Wanted};
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use market::Instruments;
use percent_encoding::percent_decode_str;
use session::{Limits, OpenOptions};
use wire::{
    dialect::{Dialect, kraken_v2},
    envelope::Envelope,
    envelope::websocket::{Deflate, HandshakeError, check_origin, check_upgrade},
    message::ErrorCode,
};

/// Where events are wrapped with the names of their streams.
pub(super) const STREAM: &str = "/stream";
/// Where they are bare.
pub(super) const WS: &str = "/ws";
/// Where Kraken's dialect is spoken.
pub(super) const KRAKEN: &str = "/v2";
/// What stands before a stream in a path.
pub(super) const WS_NAMED: &str = "/ws/";

impl Visit {
    /// Answers a handshake of the native protocol, or of the echo.
    pub(super) fn upgrade(&self, request: &mut Request<Incoming>, echo: bool) -> Result<Reply, Problem> {
        self.handshake(request, |mut parameters, limits, _| {
            let options = OpenOptions { echo, ..terms::options(&mut parameters, limits)? };
            parameters.finish()?;
            Ok(options.into())
        })
    }

    /// Answers a handshake of the Binance dialect: `/ws`, `/ws/<stream>`, `/stream?streams=<stream>/<stream>`.
    ///
    /// The path may name what is no stream: client libraries number their connections there (`/ws/1`). Where it looks like a
    /// stream, the client is told what is wrong with it.
    pub(super) fn upgrade_to_streams(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let path = request.uri().path();
        let combined = path == STREAM;
        let named = path.strip_prefix(WS_NAMED).map(|name| percent_decode_str(name).decode_utf8_lossy());
        let named = named.filter(|name| name.contains('@')).unwrap_or_default().into_owned();
        self.handshake(request, |mut parameters, limits, instruments| {
            let options = terms::options(&mut parameters, limits)?;
            let names = if combined { parameters.text("streams").unwrap_or_default() } else { named.into() };
            parameters.finish()?;
            let options = OpenOptions { dialect: Dialect::Binance { combined }, ..options };
            Ok(Terms { wanted: Wanted::Streams(terms::streams(&names, instruments)), ..options.into() })
        })
    }

    /// Answers a handshake of the Kraken dialect.
    pub(super) fn upgrade_to_kraken(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        self.handshake(request, |mut parameters, limits, _| {
            let options = terms::options(&mut parameters, limits)?;
            parameters.finish()?;
            let mut greeting = Vec::new();
            let connection = u64::from(rand::random::<u32>());
            Envelope::WebSocket.message(&mut greeting, |body| kraken_v2::push_status(body, connection));
            let options = OpenOptions { dialect: Dialect::Kraken, ..options };
            Ok(Terms { greeting, ..options.into() })
        })
    }

    /// Answers a handshake; the connection is a WebSocket afterwards, on such terms.
    fn handshake(
        &self,
        request: &mut Request<Incoming>,
        terms: impl FnOnce(Parameters<'_>, &Limits, &Instruments) -> Result<Terms, Problem>,
    ) -> Result<Reply, Problem> {
        let control = &self.shared.control;
        check_upgrade(request.method(), request.version(), request.headers())?;
        check_origin(request.headers(), &control.config.allow_origin)?;
        if control.is_draining() {
            return Err(Problem::shutting_down());
        }
        let parameters = Parameters::of(request.uri())?;
        let mut terms = terms(parameters, &control.config.limits(), &control.instruments())?;
        control.addresses.connect(self.peer.ip()).map_err(Problem::too_many_requests)?;
        let deflate = Some(request.headers()).filter(|_| control.config.deflate).and_then(Deflate::agree);
        let (answer, _) = fastwebsockets::upgrade::upgrade(request).map_err(|_| HandshakeError::Key)?;
        let mut answer = answer.map(|_| Full::default());
        if let Some(deflate) = deflate {
            terms.options.envelope = Envelope::DeflatedWebSocket(deflate.window);
            let accepted = HeaderValue::try_from(deflate.to_string()).expect("tokens and blanks");
            answer.headers_mut().insert(header::SEC_WEBSOCKET_EXTENSIONS, accepted);
        }
        self.becomes.set(Some(Becomes::Stream(terms)));
        Ok(answer)
    }
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
