//! From HTTP to WebSocket.

use super::{Becomes, Reply, Visit, parameters::Parameters, reply::Problem, terms};
use http_body_util::Full;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use session::OpenOptions;
use wire::{
    envelope::websocket::{HandshakeError, check_origin, check_upgrade},
    message::ErrorCode,
};

impl Visit {
    /// Answers a handshake; the connection is a WebSocket afterwards.
    pub(super) fn upgrade(&self, request: &mut Request<Incoming>, echo: bool) -> Result<Reply, Problem> {
        let control = &self.shared.control;
        check_upgrade(request.method(), request.version(), request.headers())?;
        check_origin(request.headers(), &control.config.allow_origin)?;
        if control.is_draining() {
            return Err(Problem::shutting_down());
        }
        let mut parameters = Parameters::of(request.uri())?;
        let options = OpenOptions { echo, ..terms::options(&mut parameters, &control.config.limits())? };
        parameters.finish()?;
        control.addresses.connect(self.peer.ip()).map_err(Problem::too_many_requests)?;
        let (answer, _) = fastwebsockets::upgrade::upgrade(request).map_err(|_| HandshakeError::Key)?;
        self.becomes.set(Some(Becomes::Stream(options.into())));
        Ok(answer.map(|_| Full::default()))
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
