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
    envelope::websocket::{
        Deflate, HandshakeError, NATIVE_SBE, check_origin, check_upgrade, offers_protocol,
    },
    message::{Encoding, ErrorCode},
};

/// Where events are wrapped with the names of their streams.
const STREAM: &str = "/stream";
/// Where they are bare.
const WS: &str = "/ws";
/// What stands before either where events are binary.
const BINARY: &str = "/sbe";
/// Where Kraken's dialect is spoken.
pub(super) const KRAKEN: &str = "/v2";
/// What stands before a stream in a path.
const WS_NAMED: &str = "/ws/";

/// Whether a path is one of streams.
pub(super) fn is_of_streams(path: &str) -> bool {
    let path = path.strip_prefix(BINARY).unwrap_or(path);
    path == WS || path == STREAM || path.starts_with(WS_NAMED)
}

impl Visit {
    /// Answers a handshake of the native protocol, whose events are binary where the client asks for that sub-protocol.
    pub(super) fn upgrade(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let is_binary = offers_protocol(request.headers(), NATIVE_SBE);
        let mut answer = self.handshake(request, |mut parameters, limits, _| {
            let options = terms::options(&mut parameters, limits)?;
            terms::only_json(&mut parameters)?;
            parameters.finish()?;
            let encoding = if is_binary { Encoding::Sbe } else { Encoding::Json };
            Ok(OpenOptions { dialect: Dialect::Native(encoding), ..options }.into())
        })?;
        if is_binary {
            let chosen = HeaderValue::from_static(NATIVE_SBE);
            answer.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        Ok(answer)
    }

    /// Answers a handshake of the echo.
    pub(super) fn upgrade_to_echo(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        self.handshake(request, |mut parameters, limits, _| {
            let options = OpenOptions { echo: true, ..terms::options(&mut parameters, limits)? };
            parameters.finish()?;
            Ok(options.into())
        })
    }

    /// Answers a handshake of the Binance dialect: `/ws`, `/ws/<stream>`, `/stream?streams=<stream>/<stream>`, and the same below
    /// `/sbe`, where events are binary.
    ///
    /// The path may name what is no stream: client libraries number their connections there (`/ws/1`). Where it looks like a
    /// stream, the client is told what is wrong with it.
    pub(super) fn upgrade_to_streams(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let path = request.uri().path();
        let (path, encoding) = match path.strip_prefix(BINARY) {
            Some(path) => (path, Encoding::Sbe),
            None => (path, Encoding::Json),
        };
        let combined = path == STREAM;
        let named = path.strip_prefix(WS_NAMED).map(|name| percent_decode_str(name).decode_utf8_lossy());
        let named = named.filter(|name| name.contains('@')).unwrap_or_default().into_owned();
        self.handshake(request, |mut parameters, limits, instruments| {
            let options = terms::options(&mut parameters, limits)?;
            let names = if combined { parameters.text("streams").unwrap_or_default() } else { named.into() };
            parameters.finish()?;
            let options = OpenOptions { dialect: Dialect::Binance { combined, encoding }, ..options };
            let streams = terms::streams(&names, encoding, instruments);
            Ok(Terms { wanted: Wanted::Streams(streams), ..options.into() })
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
