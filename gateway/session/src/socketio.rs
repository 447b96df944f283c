//! Socket.IO: packets of a client in, and what they lead to. Its events are named after the methods of the native protocol and
//! have the method's params as their argument, or `subscribe` and `unsubscribe` with names of streams.

use crate::{
    outlet::{ConnId, Outlet},
    requests::{Step, unread_answers},
    subscriber::Rest,
    worker::Worker,
};
use market::Nanos;
use wire::{
    dialect::{
        Dialect,
        binance::{self, Fault, Id, RequestError},
        native_json,
    },
    envelope::socketio::{self, Packet, PacketError},
    message::CloseCode,
};

impl Worker {
    /// Takes the packets of a body that a client of long polling sent. It fetched last at `fetched`: a pong speaks for that
    /// moment, as who answers pings and does not take what it is sent is as good as gone.
    pub fn packets(
        &mut self,
        conn: ConnId,
        body: &str,
        fetched: Nanos,
        now: Nanos,
        outlet: &mut impl Outlet,
    ) {
        let Some(subscriber) = self.subscribers.get(conn.0 as usize) else { return };
        let believed = subscriber.timers.last_pong.max(fetched);
        for packet in socketio::packets(body) {
            let Some(subscriber) = self.subscribers.get(conn.0 as usize) else { return };
            if subscriber.is_closing() {
                break;
            }
            let step = match self.limits.are_too_many(subscriber.answers.len()) {
                true => unread_answers(),
                false => self.packet(conn, packet, now),
            };
            self.act(conn, step, now, outlet);
            if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
                subscriber.timers.last_pong = subscriber.timers.last_pong.min(believed);
            }
        }
        self.serve(conn, now, outlet);
    }

    /// The connection goes on over another socket, on which nothing is written yet. `unsent` is what the old one took and
    /// its client did not get; it may end within a frame.
    pub fn go_on(&mut self, conn: ConnId, unsent: &[u8], now: Nanos, outlet: &mut impl Outlet) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        self.blocked.remove(conn);
        // A new socket takes as much as an old one held, so that a large message behind it stays one that is shared.
        let taken = if unsent.is_empty() { 0 } else { outlet.write(conn, unsent) };
        if taken < unsent.len() {
            self.private.release(subscriber.rest.large_bytes());
            subscriber.rest = Rest::of_batch(&[&unsent[taken..], subscriber.rest.bytes()].concat());
        }
        self.serve(conn, now, outlet);
    }

    /// Takes one packet.
    pub(crate) fn packet(&mut self, conn: ConnId, text: &str, now: Nanos) -> Step {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let frames = subscriber.answers.frames();
        match Packet::parse(text) {
            Ok(Packet::Ping(payload)) => socketio::push_pong(frames, payload),
            Ok(Packet::Pong) => subscriber.timers.last_pong = now,
            Ok(Packet::Connect { namespace: "" }) => {
                // Only has to differ from all others; what opens a session is another id.
                socketio::push_welcome(frames, &format!("{:x}-{:x}", conn.0, now.0));
                subscriber.joined = true;
            }
            Ok(Packet::Connect { namespace }) => socketio::push_invalid_namespace(frames, namespace),
            Ok(Packet::Event { ack, arguments }) if subscriber.joined => {
                return self.event_of_client(conn, ack, arguments, now);
            }
            Ok(Packet::Event { .. }) => {
                return Step::Close(
                    CloseCode::PolicyViolation.code(),
                    "connect to the namespace before you send events".into(),
                );
            }
            Ok(Packet::Disconnect | Packet::Close) => return Step::Goodbye(None),
            Ok(Packet::Upgrade | Packet::Noop | Packet::Ack) => {}
            Err(error) => {
                let code = match error {
                    PacketError::Binary => CloseCode::Unsupported,
                    PacketError::Malformed | PacketError::Namespace => CloseCode::PolicyViolation,
                };
                return Step::Close(code.code(), error.to_string().into());
            }
        }
        Step::Go
    }

    /// An event whose answers go into its acknowledgement if one is wanted, and else come as messages.
    fn event_of_client(&mut self, conn: ConnId, ack: Option<u64>, arguments: &str, now: Nanos) -> Step {
        let Some(id) = ack else { return self.event_request(conn, arguments, now) };
        self.subscribers[conn.0 as usize].answers.begin_acknowledgement();
        let step = self.event_request(conn, arguments, now);
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
            subscriber.answers.end_acknowledgement(id);
        }
        step
    }

    /// What an event asks for: streams, where it names some and the connection has not begun with something else.
    fn event_request(&mut self, conn: ConnId, arguments: &str, now: Nanos) -> Step {
        self.request_text.clear();
        self.request_text.extend_from_slice(arguments.as_bytes());
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let may_have_streams = !subscriber.dialect.is_native() || !subscriber.greeted;
        let streams = if may_have_streams { binance::parse_event(&mut self.request_text) } else { None };
        match streams {
            Some(parsed) => {
                subscriber.dialect = Dialect::binance(true);
                self.take_stream_request(conn, parsed, now)
            }
            // Those of the native protocol would turn a stream into something that is none.
            None if !subscriber.dialect.is_native() => {
                let fault = Fault::request(
                    "this connection has begun with streams; use subscribe and unsubscribe with {\"streams\":[…]}",
                );
                self.take_stream_request(conn, Err(RequestError { id: Id::Needless, fault }), now)
            }
            None => self.request(conn, arguments, native_json::parse_event, now),
        }
    }
}
