//! HTTP/1.1 of one connection: REST, telemetry, the dashboard, and the ways into WebSocket and server-sent events.

mod admin;
mod binance;
mod kraken;
mod late;
mod market_data;
mod operations;
mod parameters;
mod poll;
mod reply;
mod socketio;
mod stream;
mod terms;
mod upgrade;

use crate::{
    control::Seat,
    page,
    worker::{Asked, Opening, SessionId, Shared, Terms},
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
use std::{
    cell::Cell,
    convert::Infallible,
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    rc::Rc,
    task::Poll,
};
use tokio::net::TcpStream;

pub use terms::read_query;

type Reply = Response<Full<Bytes>>;

/// What is served, for those who asked for something else.
const ENDPOINTS: &str = "/feed, /ws, /stream, /sbe/ws, /sbe/stream, /v2, /sse, /poll, /socket.io/, /v1/instruments, /v1/book, /v1/book/diff, /v1/trades, /v1/stream-hash, /v1/recordings, /v1/admin/pause, /v1/latency, /v1/subscribers, /api/v3/exchangeInfo, /0/public/AssetPairs, /healthz, /readyz, \
                         /metrics, /";

/// Longest head of a request, in bytes.
const HEAD_LIMIT: usize = 16 << 10;

/// What a connection becomes after HTTP.
enum Becomes {
    /// A stream of the worker's.
    Stream(Terms),
    /// The WebSocket that a session of long polling may go on with.
    Probe(SessionId),
}

/// One connection on which HTTP is spoken.
struct Visit {
    shared: Rc<Shared>,
    peer: SocketAddr,
    /// The connection's place at the worker, until something else takes it.
    seat: Cell<Option<Seat>>,
    /// Set once the connection becomes something else.
    becomes: Cell<Option<Becomes>>,
    /// The request that is being answered.
    asked: Cell<Option<Asked>>,
    /// It is answered, and its answer may have to be written yet.
    is_answered: Cell<bool>,
    /// The stream begins now: HTTP has nothing more to write.
    is_taken: Cell<bool>,
}

/// Serves a connection until it ends or becomes a stream, which is then handed to the worker.
pub(crate) async fn serve(shared: Rc<Shared>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
    let visit = Rc::new(Visit {
        shared,
        peer,
        seat: Cell::new(Some(seat)),
        becomes: Cell::new(None),
        asked: Cell::new(None),
        is_answered: Cell::new(false),
        is_taken: Cell::new(false),
    });
    let service = service_fn(|request| {
        let visit = Rc::clone(&visit);
        Box::pin(async move { Ok::<_, Infallible>(visit.answer(request).await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(visit.shared.control.config.handshake_timeout())
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|cx| {
        let polled = connection.poll_without_shutdown(cx);
        // What was to be written before is written by now.
        if visit.is_answered.take() {
            visit.asked.take();
        }
        if polled.is_pending() && visit.is_taken.get() { Poll::Ready(Ok(())) } else { polled }
    });
    if let Err(error) = ended.await {
        return tracing::debug!(%peer, %error, "a connection ended in error");
    }
    let Some(becomes) = visit.becomes.take() else { return };
    let parts = connection.into_parts();
    let (stream, early) = (parts.io.into_inner(), parts.read_buf.to_vec());
    let begun = match becomes {
        Becomes::Stream(terms) => visit.begin_stream(stream, terms, early),
        Becomes::Probe(id) => socketio::probe(&visit.shared, stream, early, id).await,
    };
    if let Err(error) = begun {
        tracing::debug!(%peer, %error, "a new connection is lost");
    }
}

impl Visit {
    /// From here on the socket is watched by the worker and not by the runtime.
    fn begin_stream(&self, stream: TcpStream, terms: Terms, early: Vec<u8>) -> io::Result<()> {
        let (stream, peer) = (stream.into_std()?, self.peer);
        if let Some(seat) = self.seat.take() {
            Opening { stream, peer, seat, terms, early }.begin(&self.shared);
        }
        Ok(())
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Reply {
        self.asked.set(Some(Asked::begin(&self.shared)));
        let mut reply = match self.route(&mut request).await {
            Ok(reply) => reply,
            Err(problem) => problem.into_reply(),
        };
        reply::allow_origin(&mut reply, request.headers(), &self.shared.control.config.allow_origin);
        self.is_answered.set(true);
        reply
    }

    /// Gives the connection to the worker in the middle of this request, whose answer the worker writes from its first byte.
    async fn take(&self, terms: Terms) -> Reply {
        self.becomes.set(Some(Becomes::Stream(terms)));
        self.is_taken.set(true);
        pending().await
    }

    async fn route(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let shared = &self.shared;
        match request.uri().path() {
            "/feed" => return self.upgrade(request),
            socketio::PATH => return Ok(self.socketio(request).await),
            "/sse" => return self.stream(request).await,
            "/poll" => return self.poll(request).await,
            upgrade::KRAKEN => return self.upgrade_to_kraken(request),
            path if upgrade::is_of_streams(path) => return self.upgrade_to_streams(request),
            path if path.starts_with(admin::PREFIX) => return self.admin(request).await,
            path if path.starts_with(binance::PREFIX) => {
                return Ok(binance::answer(shared, request, self.peer.ip()).await);
            }
            path if path.starts_with(kraken::PREFIX) => {
                return Ok(kraken::answer(shared, request, self.peer.ip()).await);
            }
            "/echo" if shared.control.config.echo => return self.upgrade_to_echo(request),
            _ => {}
        }
        let path = request.uri().path();
        shared.control.addresses.request(self.peer.ip()).map_err(Problem::too_many_requests)?;
        let page = page::file(path);
        if page.is_none() && !is_endpoint(path) {
            return Err(Problem::unknown_path(path));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::wrong_method(path, "GET, HEAD"));
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
            "/v1/book" => market_data::book(shared, &mut parameters).await,
            "/v1/book/diff" => market_data::difference(shared, &mut parameters).await,
            "/v1/trades" => market_data::trades(shared, &mut parameters).await,
            "/v1/stream-hash" => market_data::stream_hash(shared, &mut parameters).await,
            "/v1/recordings" => market_data::recordings(shared).await,
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
