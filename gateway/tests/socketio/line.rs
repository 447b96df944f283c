//! Engine.IO by hand: an HTTP connection that is kept as long as the gateway keeps it, over which a session is spoken of.

use super::support::Answer;
use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use simulation::line::{Item, masked, packet};
use std::net::SocketAddr;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use wire::envelope::socketio::packets;

pub struct Line {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    pub sid: String,
}

impl Line {
    /// A connection to speak of this session.
    pub async fn of(address: SocketAddr, sid: &str) -> Line {
        Line { address, sender: connect(address).await, sid: sid.to_owned() }
    }

    /// Begins a session; the query may say more than it must.
    pub async fn open(address: SocketAddr, query: &str) -> Line {
        let mut line = Line::of(address, "").await;
        let open = line.ask("GET", &format!("transport=polling&EIO=4{query}"), "", &[]).await;
        let packet = open.body.strip_prefix('0').unwrap_or_else(|| panic!("{}", open.body));
        let told: serde_json::Value = serde_json::from_str(packet).unwrap();
        line.sid = told["sid"].as_str().unwrap().to_owned();
        line
    }

    /// Begins a session and joins the namespace.
    pub async fn joined(address: SocketAddr) -> Line {
        let mut line = Line::open(address, "").await;
        assert_eq!(line.post("40").await.body, "ok");
        let welcome = line.fetch().await;
        assert!(welcome.body.starts_with("40{"), "{}", welcome.body);
        line
    }

    pub async fn fetch(&mut self) -> Answer {
        let query = format!("EIO=4&transport=polling&sid={}", self.sid);
        self.ask("GET", &query, "", &[]).await
    }

    pub async fn post(&mut self, body: &str) -> Answer {
        let query = format!("EIO=4&transport=polling&sid={}", self.sid);
        self.ask("POST", &query, body, &[]).await
    }

    pub async fn ask(&mut self, method: &str, query: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/socket.io/?{query}"))
            .header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::from(body.as_bytes().to_vec());
        if self.sender.ready().await.is_err() {
            self.sender = connect(self.address).await;
        }
        Answer::of(self.sender.send_request(request.body(body).unwrap()).await.unwrap()).await
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The messages in a body.
pub fn markets(body: &str) -> Vec<String> {
    let items = packets(body).filter_map(|text| packet(text.as_bytes()));
    let texts = items.filter_map(|item| if let Item::Message(text) = item { Some(text) } else { None });
    texts.map(|text| String::from_utf8(text).expect("a body is text")).collect()
}

/// A WebSocket for a session of long polling, over which the probe is sent; raw, so that it can end in any way.
pub async fn probe(address: SocketAddr, sid: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /socket.io/?EIO=4&transport=websocket&sid={sid} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    send(&mut stream, "2probe").await;
    stream
}

/// Sends a text frame.
pub async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(&masked(text)).await.unwrap();
}
