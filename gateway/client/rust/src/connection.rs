//! One connection to a gateway: a WebSocket of text messages, and plain requests beside it. It knows no protocol above.

use crate::{ClientError, target::Target};
use fastwebsockets::{Frame, OpCode, Payload, WebSocket, handshake};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{CONNECTION, HOST, UPGRADE},
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

/// A connection whose handshake is done.
pub(crate) struct Connection {
    socket: WebSocket<TokioIo<Upgraded>>,
    max_message_bytes: usize,
    /// A read or write was begun and has not ended: the stream may stand in the middle of a frame.
    midway: bool,
}

impl Connection {
    /// Connects and upgrades; pings are answered while reading.
    pub async fn open(
        target: &Target,
        max_message_bytes: usize,
        patience: Duration,
    ) -> Result<Connection, ClientError> {
        let upgrading = timeout(patience, upgrade(target)).await;
        let mut socket = upgrading.map_err(|_| ClientError::Silent(patience))??;
        socket.set_max_message_size(max_message_bytes);
        socket.set_auto_close(true);
        socket.set_auto_pong(true);
        Ok(Connection { socket, max_message_bytes, midway: false })
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: String, patience: Duration) -> Result<(), ClientError> {
        self.enter()?;
        let sending = async {
            self.socket.write_frame(Frame::text(Payload::Owned(text.into_bytes()))).await?;
            self.socket.flush().await
        };
        timeout(patience, sending).await.map_err(|_| ClientError::Silent(patience))??;
        self.midway = false;
        Ok(())
    }

    /// Reads the next text message into `text`, which is emptied first. After an error the connection is of no use, and
    /// neither is it when the future is dropped before it is done: the next call says so.
    pub async fn receive(&mut self, text: &mut Vec<u8>, patience: Duration) -> Result<(), ClientError> {
        self.enter()?;
        text.clear();
        loop {
            let reading = timeout(patience, self.socket.read_frame());
            let frame = reading.await.map_err(|_| ClientError::Silent(patience))??;
            match frame.opcode {
                OpCode::Text | OpCode::Continuation => {
                    if text.len() + frame.payload.len() > self.max_message_bytes {
                        return Err(ClientError::TooLarge(self.max_message_bytes));
                    }
                    text.extend_from_slice(&frame.payload);
                    if frame.fin {
                        self.midway = false;
                        return Ok(());
                    }
                }
                OpCode::Close => return Err(closed(&frame.payload)),
                OpCode::Binary => return Err(ClientError::Binary),
                OpCode::Ping | OpCode::Pong => {}
            }
        }
    }

    fn enter(&mut self) -> Result<(), ClientError> {
        if std::mem::replace(&mut self.midway, true) { Err(ClientError::Cancelled) } else { Ok(()) }
    }
}

async fn upgrade(target: &Target) -> Result<WebSocket<TokioIo<Upgraded>>, ClientError> {
    let request = Request::get(&target.feed)
        .header(HOST, &target.authority)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "upgrade")
        .header("Sec-WebSocket-Key", handshake::generate_key())
        .header("Sec-WebSocket-Version", "13")
        .body(Empty::<Bytes>::new())
        .map_err(|_| ClientError::BadUrl(target.feed.clone()))?;
    let stream = dial(target).await?;
    let (socket, _) = handshake::client(&TokioExecutor::new(), request, stream).await?;
    Ok(socket)
}

async fn dial(target: &Target) -> Result<TcpStream, ClientError> {
    let no_connection = |source| ClientError::Connect { authority: target.authority.clone(), source };
    let stream = TcpStream::connect(&target.authority).await.map_err(no_connection)?;
    stream.set_nodelay(true).map_err(no_connection)?;
    Ok(stream)
}

/// RFC 6455 section 5.5.1: two bytes of code, then the reason; 1005 stands for none.
fn closed(payload: &[u8]) -> ClientError {
    match payload.split_first_chunk() {
        Some((code, reason)) => ClientError::Closed {
            code: u16::from_be_bytes(*code),
            reason: String::from_utf8_lossy(reason).into_owned(),
        },
        None => ClientError::Closed { code: 1005, reason: String::new() },
    }
}

/// The body of a resource, on a connection of its own.
pub(crate) async fn get(
    target: &Target,
    path: &str,
    max_bytes: usize,
    patience: Duration,
) -> Result<Bytes, ClientError> {
    timeout(patience, get_patiently(target, path, max_bytes))
        .await
        .map_err(|_| ClientError::Silent(patience))?
}

async fn get_patiently(target: &Target, path: &str, max_bytes: usize) -> Result<Bytes, ClientError> {
    let failed = |reason: String| ClientError::Http { path: path.into(), reason };
    let stream = TokioIo::new(dial(target).await?);
    let handshake = hyper::client::conn::http1::handshake(stream).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(error.to_string()))?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path).header(HOST, &target.authority).body(Empty::<Bytes>::new());
    let request = request.map_err(|error| failed(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), max_bytes).collect().await;
    driver.abort();
    if status != StatusCode::OK {
        return Err(failed(status.to_string()));
    }
    body.map(|body| body.to_bytes()).map_err(|error| failed(error.to_string()))
}
