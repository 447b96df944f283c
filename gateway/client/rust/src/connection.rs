//! One connection to a gateway: a WebSocket of text messages, and plain requests beside it. It knows no protocol above.

use crate::{ClientError, target::Target};
use fastwebsockets::{Frame, OpCode, Payload, WebSocket, WebSocketError, handshake};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{CONNECTION, HOST, UPGRADE},
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{pin::Pin, time::Duration};
use tokio::{net::TcpStream, time::timeout};

type Socket = WebSocket<TokioIo<Upgraded>>;

/// A future that outlives those who wait for it, so that waiting can be given up at any time.
pub(crate) type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A connection whose handshake is done.
pub(crate) struct Connection {
    state: State,
    /// To be sent before the next message is read.
    outbox: Vec<String>,
    max_message_bytes: usize,
    patience: Duration,
}

/// The socket for the next read, and the message.
type Exchanged = Result<(Box<Socket>, Vec<u8>), ClientError>;

enum State {
    Idle(Box<Socket>),
    /// A read has begun; the stream may stand in the middle of a frame.
    Reading(Task<Exchanged>),
    Broken,
}

impl Connection {
    /// Connects and upgrades. The gateway may be silent for as long as `patience`, then and ever after.
    pub async fn open(
        target: Target,
        max_message_bytes: usize,
        patience: Duration,
    ) -> Result<Connection, ClientError> {
        let upgrading = timeout(patience, upgrade(&target)).await;
        let mut socket = upgrading.map_err(|_| ClientError::Silent(patience))??;
        socket.set_max_message_size(max_message_bytes);
        socket.set_auto_close(true);
        socket.set_auto_pong(true);
        let state = State::Idle(Box::new(socket));
        Ok(Connection { state, outbox: Vec::new(), max_message_bytes, patience })
    }

    /// Sends a text message with the next [`Connection::receive`], after the message that it may be in the middle of.
    pub fn send(&mut self, text: String) {
        self.outbox.push(text);
    }

    /// Waits for the next text message, which is put into `text`; pings are answered meanwhile. If the future is dropped
    /// before it is done, the next call goes on with it. After an error the connection is of no use.
    pub async fn receive(&mut self, text: &mut Vec<u8>) -> Result<(), ClientError> {
        self.state = match std::mem::replace(&mut self.state, State::Broken) {
            State::Idle(socket) => {
                let outbox = std::mem::take(&mut self.outbox);
                let (limit, patience) = (self.max_message_bytes, self.patience);
                State::Reading(Box::pin(exchange(socket, outbox, std::mem::take(text), limit, patience)))
            }
            other => other,
        };
        let State::Reading(reading) = &mut self.state else {
            return Err(WebSocketError::ConnectionClosed.into());
        };
        let done = reading.as_mut().await;
        self.state = State::Broken;
        let (socket, received) = done?;
        *text = received;
        self.state = State::Idle(socket);
        Ok(())
    }
}

/// Sends what is to be sent and reads one message, in the buffer that is given.
async fn exchange(
    mut socket: Box<Socket>,
    outbox: Vec<String>,
    mut text: Vec<u8>,
    limit: usize,
    patience: Duration,
) -> Exchanged {
    let silent = |_| ClientError::Silent(patience);
    for message in outbox {
        let frame = Frame::text(Payload::Owned(message.into_bytes()));
        timeout(patience, socket.write_frame(frame)).await.map_err(silent)??;
    }
    text.clear();
    loop {
        let frame = timeout(patience, socket.read_frame()).await.map_err(silent)??;
        match frame.opcode {
            OpCode::Text | OpCode::Continuation if text.len() + frame.payload.len() > limit => {
                return Err(ClientError::TooLarge(limit));
            }
            OpCode::Text | OpCode::Continuation => {
                text.extend_from_slice(&frame.payload);
                if frame.fin {
                    return Ok((socket, text));
                }
            }
            OpCode::Close => return Err(closed(&frame.payload)),
            OpCode::Binary => return Err(ClientError::Binary),
            OpCode::Ping | OpCode::Pong => {}
        }
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
