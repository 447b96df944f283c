//! A client that blocks: it subscribes to one book and reads numbers. It measures nothing.

use crate::websocket::{self, Opcode, take_frame};
use anyhow::{Context, ensure};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Nothing for so long means that the gateway has stopped.
const PATIENCE: Duration = Duration::from_secs(20);
const SUBSCRIBE: &str =
    r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","depth":10}}"#;

/// A connection that is subscribed.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// What has arrived and is not read.
    arrived: Vec<u8>,
}

impl Client {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Client> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Client { stream, arrived: Vec::new() };
        let mut request = format!(
            "GET /feed HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGVwdGhjYXN0IGJlbmNoIQ==\r\n\r\n"
        )
        .into_bytes();
        client.stream.write_all(&request)?;
        client.skip_answer()?;
        request.clear();
        websocket::push_text(&mut request, SUBSCRIBE);
        client.stream.write_all(&request)?;
        Ok(client)
    }

    /// The number through which the next message of the book goes.
    ///
    /// # Errors
    /// If none comes.
    pub fn next(&mut self) -> anyhow::Result<u64> {
        loop {
            while let Some(text) = self.take_text() {
                let message: serde_json::Value = serde_json::from_slice(&text)?;
                if message["channel"] == "book" {
                    return message["data"][0]["seq"].as_u64().context("a message of the book has no seq");
                }
            }
            self.read()?;
        }
    }

    fn take_text(&mut self) -> Option<Vec<u8>> {
        let mut rest = &self.arrived[..];
        let (opcode, payload) = take_frame(&mut rest)?;
        let payload = if opcode == Opcode::TEXT { payload.to_vec() } else { Vec::new() };
        let read = self.arrived.len() - rest.len();
        self.arrived.drain(..read);
        if payload.is_empty() { self.take_text() } else { Some(payload) }
    }

    fn skip_answer(&mut self) -> anyhow::Result<()> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.arrived, b"\r\n\r\n") {
                break end;
            }
            self.read()?;
        };
        ensure!(self.arrived.starts_with(b"HTTP/1.1 101 "), "the gateway refused the handshake");
        self.arrived.drain(..end + 4);
        Ok(())
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 16 << 10];
        let read = self.stream.read(&mut buffer).context("read from the gateway")?;
        ensure!(read > 0, "the gateway closed the connection");
        self.arrived.extend_from_slice(&buffer[..read]);
        Ok(())
    }
}
