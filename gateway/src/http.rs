//! HTTP/1.1 of one connection: REST, telemetry, the dashboard, and the way into WebSocket.

mod market_data;
mod operations;
mod parameters;
mod reply;
mod upgrade;

use crate::{
    control::Seat,
    page,
    worker::{Opening, Shared},
};
use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use parameters::Parameters;
use reply::Problem;
use session::OpenOptions;
use std::{cell::Cell, convert::Infallible, net::SocketAddr, rc::Rc};
use tokio::net::TcpStream;

type Reply = Response<Full<Bytes>>;

/// What is served, for those who asked for something else.
const ENDPOINTS: &str = "/feed, /v1/instruments, /v1/book, /v1/trades, /v1/latency, /v1/subscribers, /healthz, /readyz, \
                         /metrics, /";

/// Longest head of a request, in bytes.
const HEAD_LIMIT: usize = 16 << 10;

/// One connection on which HTTP is spoken.
struct Visit {
    shared: Rc<Shared>,
    peer: SocketAddr,
    /// Set once the connection becomes a WebSocket.
    upgraded: Cell<Option<OpenOptions>>,
}

/// Serves a connection until it ends or becomes a WebSocket, which is then handed to the worker.
pub(crate) async fn serve(shared: Rc<Shared>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
    let visit = Rc::new(Visit { shared, peer, upgraded: Cell::new(None) });
    let service = service_fn(|request| {
        let visit = Rc::clone(&visit);
        async move { Ok::<_, Infallible>(visit.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(visit.shared.control.config.handshake_timeout())
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    match connection.without_shutdown().await {
        Ok(parts) => {
            if let Some(options) = visit.upgraded.take() {
                let (stream, early) = (parts.io.into_inner(), parts.read_buf.to_vec());
                Opening { stream, peer, seat, options, early }.begin(&visit.shared);
            }
        }
        Err(error) => tracing::debug!(%peer, %error, "a connection ended in error"),
    }
}

impl Visit {
    async fn answer(&self, mut request: Request<Incoming>) -> Reply {
        let mut reply = match self.route(&mut request).await {
            Ok(reply) => reply,
            Err(problem) => problem.into_reply(),
        };
        reply::allow_origin(&mut reply, request.headers(), &self.shared.control.config.allow_origin);
        reply
    }

    async fn route(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let shared = &self.shared;
        match request.uri().path() {
            "/feed" => return self.upgrade(request, false),
            "/echo" if shared.control.config.echo => return self.upgrade(request, true),
            _ => {}
        }
        let path = request.uri().path();
        shared.control.addresses.request(self.peer.ip()).map_err(Problem::too_many_requests)?;
        let page = page::file(path);
        if page.is_none() && !is_endpoint(path) {
            return Err(Problem::unknown_path(path));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::wrong_method(path));
        }
        if let Some((content_type, bytes)) = page {
            return Ok(reply::file(content_type, bytes));
        }
        let mut parameters = Parameters::of(request.uri())?;
        let reply = match path {
            "/healthz" => Ok(reply::text("ok\n")),
            "/readyz" => operations::ready(shared),
            "/metrics" => Ok(operations::metrics(shared)),
            "/v1/latency" => operations::latency(shared, &mut parameters),
            _ if shared.control.is_draining() => Err(Problem::shutting_down()),
            "/v1/instruments" => Ok(market_data::instruments(shared)),
            "/v1/book" => market_data::book(shared, &mut parameters),
            "/v1/trades" => market_data::trades(shared, &mut parameters),
            "/v1/subscribers" => Ok(operations::subscribers(shared).await),
            _ => Err(Problem::unknown_path(path)),
        }?;
        parameters.finish()?;
        Ok(reply)
    }
}

fn is_endpoint(path: &str) -> bool {
    ENDPOINTS.split(", ").any(|endpoint| endpoint == path)
}

/// Whole seconds, at least one, as a `Retry-After` header wants them.
fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
