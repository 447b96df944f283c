//! A WebSocket client from another implementation, with nothing of the gateway's own.

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, handshake};
use http_body_util::Empty;
use hyper::{Request, body::Bytes, upgrade::Upgraded};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;

pub struct Client(FragmentCollector<TokioIo<Upgraded>>);

/// What a client receives.
#[derive(Debug)]
pub enum Received {
    Text(String),
    Closed(u16, String),
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Client {
        Client::connect_to(address, "/feed").await
    }

    pub async fn connect_to(address: SocketAddr, path: &str) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        Client::over(stream, address, path).await
    }

    /// One that offers this sub-protocol.
    pub async fn speaking(address: SocketAddr, path: &str, protocol: &str) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        Client::begin(stream, address, path, Some(protocol)).await
    }

    pub async fn over(stream: TcpStream, address: SocketAddr, path: &str) -> Client {
        Client::begin(stream, address, path, None).await
    }

    async fn begin(stream: TcpStream, address: SocketAddr, path: &str, protocol: Option<&str>) -> Client {
        let mut request = Request::builder()
            .uri(path)
            .header("Host", address.to_string())
            .header("Upgrade", "websocket")
            .header("Connection", "upgrade")
            .header("Sec-WebSocket-Key", handshake::generate_key())
            .header("Sec-WebSocket-Version", "13");
        if let Some(protocol) = protocol {
            request = request.header("Sec-WebSocket-Protocol", protocol);
        }
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let (socket, _) = handshake::client(&TokioExecutor::new(), request, stream).await.unwrap();
        let socket = FragmentCollector::new(socket);
        Client(socket)
    }

    pub async fn send(&mut self, text: impl ToString) {
        let text = text.to_string().into_bytes();
        self.0.write_frame(Frame::text(Payload::Owned(text))).await.unwrap();
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.0.write_frame(Frame::binary(Payload::Borrowed(bytes))).await.unwrap();
    }

    pub async fn receive(&mut self) -> Received {
        loop {
            let frame = self.0.read_frame().await.expect("the connection is whole");
            match frame.opcode {
                OpCode::Text => return Received::Text(String::from_utf8(frame.payload.to_vec()).unwrap()),
                OpCode::Close => {
                    let code = u16::from_be_bytes([frame.payload[0], frame.payload[1]]);
                    let reason = String::from_utf8(frame.payload[2..].to_vec()).unwrap();
                    return Received::Closed(code, reason);
                }
                _ => {}
            }
        }
    }

    /// The next message; the connection must not be closed.
    pub async fn text(&mut self) -> String {
        match self.receive().await {
            Received::Text(text) => text,
            Received::Closed(code, reason) => panic!("closed with {code}: {reason}"),
        }
    }

    /// The next message that is wanted.
    pub async fn json_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message: Value = serde_json::from_str(&self.text().await).unwrap();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Asks and waits for the answer to it, whatever comes between.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({"method": method, "params": params, "req_id": 7})).await;
        self.json_where(|message| message["req_id"] == 7).await
    }

    /// Subscribes and waits for the answer.
    pub async fn subscribe(&mut self, params: Value) -> Value {
        let answer = self.ask("subscribe", params).await;
        assert_eq!(answer["success"], true, "{answer}");
        answer["result"].clone()
    }

    /// What is received until the connection is gone, without a word.
    pub async fn texts_until_cut(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Ok(frame) = self.0.read_frame().await {
            assert_ne!(frame.opcode, OpCode::Close, "it was closed in good order");
            if frame.opcode == OpCode::Text {
                texts.push(String::from_utf8(frame.payload.to_vec()).unwrap());
            }
        }
        texts
    }

    /// Receives until the connection is closed.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Received::Closed(code, reason) = self.receive().await {
                return (code, reason);
            }
        }
    }
}
