//! A gateway in this process on a port of its own, and clients that speak to it over real sockets.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod account;
pub mod browser;
pub mod client;
pub mod java;
pub mod model;
pub mod program;
pub mod proxy;
pub mod script;
pub mod transport;
pub mod wire;

use gateway::{Config, FeedSpec, Running};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::net::TcpStream;

/// No scenario takes longer, unless something hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a narrow socket holds; the kernel doubles it.
const NARROW: usize = 4 << 10;
/// Its segments fit in several times: else the peer's kernel waits for a window as large as loopback's packets, and only its
/// probing timer moves anything.
const SEGMENT: u32 = 1_000;

/// A connection whose socket holds little.
pub fn narrow(address: SocketAddr) -> std::net::TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(NARROW).unwrap();
    socket.set_tcp_mss(SEGMENT).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// A lively market of two symbols, small in memory.
pub fn config() -> Config {
    Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        feed: FeedSpec::Sim("market".into()),
        symbols: Some(2),
        rate: Some(2_000),
        workers: Some(1),
        ring_slots: 1 << 14,
        history_bytes: 8 << 20,
        trades_bytes: 1 << 20,
        ..Config::default()
    }
}

/// Runs a scenario against a gateway of this configuration, then shuts that down.
pub fn with_gateway<F: Future<Output = ()>>(config: Config, scenario: impl FnOnce(SocketAddr) -> F) {
    let running = gateway::start(config).expect("the gateway starts");
    run(scenario(running.address()));
    running.shut_down("the test is over");
}

/// The same, for scenarios that need the gateway itself.
pub fn with_running<F: Future<Output = ()>>(config: Config, scenario: impl FnOnce(Running) -> F) {
    let running = gateway::start(config).expect("the gateway starts");
    run(scenario(running));
}

/// Runs a scenario in bounded time.
pub fn run<T>(scenario: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, scenario).await.expect("the scenario hangs") })
}

/// What is wrong with what a client was sent.
pub type Wrong = String;

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[]).await
}

/// An answer over HTTP, for tests that block.
pub fn ask(address: SocketAddr, path: &str) -> Answer {
    run(get(address, path))
}

pub async fn request(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    request_with(address, method, path, headers, String::new()).await
}

pub async fn request_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(sender.send_request(request.body(Full::<Bytes>::from(body)).unwrap()).await.unwrap()).await
}

impl Answer {
    /// What came, once it has come whole.
    pub async fn of(response: Response<Incoming>) -> Answer {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body.into()).unwrap(),
        }
    }
}

/// Asks again until the answer is as wanted.
pub async fn get_until(address: SocketAddr, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
    loop {
        let answer = get(address, path).await;
        if wanted(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
