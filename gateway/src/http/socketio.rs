//! Engine.IO 4, the part that is HTTP: how a session begins, long polling, and the WebSocket that a session goes on with.
//!
//! A session is at one worker. Requests about it may come to any: its name says to whom they go on.

use super::{
    Becomes, Reply, Visit,
    parameters::Parameters,
    reply::{self, Problem},
    terms,
};
use crate::{
    control::{Desk, Seat},
    worker::{SessionId, Shared, Terms},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::{Bytes, Incoming},
};
use session::OpenOptions;
use std::{io, rc::Rc, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
pub(super) use wire::envelope::socketio::PATH;
use wire::{
    envelope::{
        Envelope,
        socketio::{PROBE, PROBE_ANSWER, UPGRADE, push_open, push_packet},
        websocket::{self, Message, check_origin, check_upgrade},
    },
    message::ErrorCode,
};

/// What Engine.IO tells a client that does it wrong, in its own words.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Transport = 0,
    Session = 1,
    Method = 2,
    Request = 3,
    Forbidden = 4,
    Version = 5,
}

impl Wrong {
    fn reply(self) -> Reply {
        let message = match self {
            Wrong::Transport => "Transport unknown",
            Wrong::Session => "Session ID unknown",
            Wrong::Method => "Bad handshake method",
            Wrong::Request => "Bad request",
            Wrong::Forbidden => "Forbidden",
            Wrong::Version => "Unsupported protocol version",
        };
        let code = self as u8;
        let mut reply = reply::json(format!("{{\"code\":{code},\"message\":\"{message}\"}}").into_bytes());
        *reply.status_mut() = match self {
            Wrong::Forbidden => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        reply
    }
}

/// How a client wants to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Polling,
    WebSocket,
}

impl Visit {
    /// Answers whatever is asked of Engine.IO.
    pub(super) async fn socketio(&self, request: &mut Request<Incoming>) -> Reply {
        if check_origin(request.headers(), &self.shared.control.config.allow_origin).is_err() {
            return Wrong::Forbidden.reply();
        }
        let answered = match asked(request.uri()) {
            Ok((transport, session)) => self.answer_asked(request, transport, session).await,
            Err(wrong) => Ok(wrong.reply()),
        };
        answered.unwrap_or_else(Problem::into_reply)
    }

    async fn answer_asked(
        &self,
        request: &mut Request<Incoming>,
        transport: Transport,
        session: Option<SessionId>,
    ) -> Result<Reply, Problem> {
        match (transport, session) {
            (Transport::Polling, None) => self.begin_session(request),
            (Transport::Polling, Some(id)) => self.of_session(request, id).await,
            (Transport::WebSocket, None) => self.begin_websocket(request),
            (Transport::WebSocket, Some(id)) => self.begin_probe(request, id).await,
        }
    }

    fn options(&self, uri: &Uri) -> Result<OpenOptions, Problem> {
        let limits = self.shared.control.config.limits();
        let mut parameters = Parameters::of(uri)?;
        terms::only_json(&mut parameters)?;
        let options = terms::options(&mut parameters, &limits)?;
        Ok(OpenOptions { envelope: Envelope::SocketIo, ..options })
    }

    fn may_begin(&self) -> Result<(), Problem> {
        if self.shared.control.is_draining() {
            return Err(Problem::shutting_down());
        }
        self.shared.control.addresses.connect(self.peer.ip()).map_err(Problem::too_many_requests)
    }

    fn begin_session(&self, request: &Request<Incoming>) -> Result<Reply, Problem> {
        if request.method() != Method::GET {
            return Ok(Wrong::Method.reply());
        }
        let options = self.options(request.uri())?;
        self.may_begin()?;
        let seat = Seat::take(self.shared.desk());
        let id = self.shared.with(|engine| engine.open_session(self.peer, seat, &options));
        self.shared.wake();
        Ok(reply::body(TEXT, self.open_packet(id, true, &options)))
    }

    fn open_packet(&self, id: SessionId, upgrades: bool, options: &OpenOptions) -> Vec<u8> {
        let mut packet = Vec::new();
        let most = self.shared.control.config.inbound_bytes;
        push_open(&mut packet, &id.to_string(), upgrades, options.ping, most);
        packet
    }

    fn begin_websocket(&self, request: &mut Request<Incoming>) -> Result<Reply, Problem> {
        let options = self.options(request.uri())?;
        let answer = accept(request)?;
        self.may_begin()?;
        // Nobody ever asks for a session of this name.
        let packet = self.open_packet(SessionId::new(self.shared.index), false, &options);
        let mut greeting = Vec::new();
        push_packet(&mut greeting, |out| out.extend_from_slice(&packet));
        self.becomes.set(Some(Becomes::Stream(Terms { greeting, ..options.into() })));
        Ok(answer)
    }

    async fn begin_probe(&self, request: &mut Request<Incoming>, id: SessionId) -> Result<Reply, Problem> {
        let Some(desk) = desk_of(&self.shared, id) else { return Ok(Wrong::Session.reply()) };
        if !desk.ask(move |shared| shared.with(|engine| engine.has_session(id))).await.unwrap_or(false) {
            return Ok(Wrong::Session.reply());
        }
        let answer = accept(request)?;
        self.becomes.set(Some(Becomes::Probe(id)));
        Ok(answer)
    }

    /// Long polling: a GET fetches, a POST brings.
    async fn of_session(&self, request: &mut Request<Incoming>, id: SessionId) -> Result<Reply, Problem> {
        let Some(desk) = desk_of(&self.shared, id) else { return Ok(Wrong::Session.reply()) };
        match *request.method() {
            Method::GET => {
                let (answer, answered) = oneshot::channel();
                desk.post(move |shared| shared.with(|engine| engine.fetch(id, answer)));
                Ok(answered.await.map_or_else(|_| Wrong::Session.reply(), |body| reply::body(TEXT, body)))
            }
            Method::POST => {
                self.shared.control.addresses.request(self.peer.ip()).map_err(Problem::too_many_requests)?;
                let packets = self.body(request.body_mut()).await?;
                let Ok(packets) = String::from_utf8(packets) else { return Ok(Wrong::Request.reply()) };
                let taken = desk.ask(move |shared| {
                    shared.wake();
                    shared.with(|engine| engine.take_packets(id, &packets))
                });
                Ok(if taken.await.unwrap_or(false) { reply::text("ok") } else { Wrong::Session.reply() })
            }
            _ => Ok(Wrong::Request.reply()),
        }
    }

    async fn body(&self, body: &mut Incoming) -> Result<Vec<u8>, Problem> {
        let most = self.shared.control.config.inbound_bytes;
        let wait = self.shared.control.config.handshake_timeout();
        match timeout(wait, Limited::new(body, most).collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let text = format!("the body is over {most} bytes; send it as several");
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, text))
            }
            Ok(Err(_)) | Err(_) => {
                let text = "the body did not arrive whole";
                Err(Problem::new(StatusCode::BAD_REQUEST, ErrorCode::BadParams, text))
            }
        }
    }
}

/// Reads the query. Libraries add what they like to it, so what is not known is left alone.
fn asked(uri: &Uri) -> Result<(Transport, Option<SessionId>), Wrong> {
    let mut parameters = Parameters::of(uri).map_err(|_| Wrong::Request)?;
    // Answers for script elements, of which the protocol speaks no more.
    if parameters.text("j").is_some() {
        return Err(Wrong::Request);
    }
    let transport = match parameters.text("transport").as_deref() {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        _ => return Err(Wrong::Transport),
    };
    if parameters.text("EIO").as_deref() != Some("4") {
        return Err(Wrong::Version);
    }
    let session = parameters.text("sid").map(|text| text.parse()).transpose();
    Ok((transport, session.map_err(|_| Wrong::Session)?))
}

const TEXT: &str = "text/plain; charset=UTF-8";

fn accept(request: &mut Request<Incoming>) -> Result<Reply, Problem> {
    check_upgrade(request.method(), request.version(), request.headers())?;
    let (answer, _) =
        fastwebsockets::upgrade::upgrade(request).map_err(|_| websocket::HandshakeError::Key)?;
    Ok(answer.map(|_| Full::<Bytes>::default()))
}

/// The worker that has a session, if there is one of such a number.
fn desk_of(shared: &Shared, id: SessionId) -> Option<Arc<Desk>> {
    shared.control.desks.get(id.worker()).cloned()
}

/// A client of long polling tries a WebSocket. Once that has shown to work, the session goes on with it, at its own worker.
pub(super) async fn probe(
    shared: &Rc<Shared>,
    mut stream: TcpStream,
    early: Vec<u8>,
    id: SessionId,
) -> io::Result<()> {
    let patience = shared.control.config.handshake_timeout();
    let probed = timeout(patience, probed(shared, &mut stream, early, id)).await;
    let Some(desk) = desk_of(shared, id) else { return Ok(()) };
    let Ok(Ok(Some(early))) = probed else {
        desk.post(move |shared| shared.with(|engine| engine.end_move(id)));
        return Ok(());
    };
    let stream = stream.into_std()?;
    desk.post(move |shared| {
        shared.with(|engine| engine.move_session(id, stream, early));
        shared.wake();
    });
    Ok(())
}

/// What came behind the packet with which the client decided for the WebSocket; `None` if it said something else.
async fn probed(
    shared: &Rc<Shared>,
    stream: &mut TcpStream,
    early: Vec<u8>,
    id: SessionId,
) -> io::Result<Option<Vec<u8>>> {
    let mut decoder = websocket::Decoder::new(shared.control.config.inbound_bytes);
    let mut bytes = early;
    loop {
        let mut input = &mut bytes[..];
        loop {
            match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(Message::Text(PROBE))) => {
                    let Some(desk) = desk_of(shared, id) else { return Ok(None) };
                    let prepared = desk.ask(move |shared| shared.with(|engine| engine.prepare_move(id)));
                    if !prepared.await.unwrap_or(false) {
                        return Ok(None);
                    }
                    let mut answer = Vec::new();
                    push_packet(&mut answer, |out| out.extend_from_slice(PROBE_ANSWER.as_bytes()));
                    stream.write_all(&answer).await?;
                }
                Ok(Some(Message::Text(UPGRADE))) => return Ok(Some(input.to_vec())),
                _ => return Ok(None),
            }
        }
        bytes.clear();
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}
