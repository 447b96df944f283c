//! The other kind of socket: what is said to a client of Engine.IO's long polling, until it asks for it.

use std::{fmt, str::FromStr};
use tokio::sync::oneshot::Sender;
use wire::envelope::socketio::{NOOP, take_packets};

/// Names a session of Engine.IO: whoever knows the name may speak for the client. It also says which worker has the session,
/// so that any other can find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(u128);

/// A text that names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSession;

/// Bits that nobody can guess; the worker's number stands before them.
const RANDOM_BITS: u32 = 96;
/// Hexadecimal digits.
const DIGITS: usize = 28;

impl SessionId {
    /// A new name at this worker.
    pub(crate) fn new(worker: usize) -> SessionId {
        SessionId((worker as u128) << RANDOM_BITS | rand::random::<u128>() >> (u128::BITS - RANDOM_BITS))
    }

    /// The number of the worker that has the session.
    pub(crate) fn worker(self) -> usize {
        (self.0 >> RANDOM_BITS) as usize
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = NoSession;

    fn from_str(text: &str) -> Result<SessionId, NoSession> {
        let is_name = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = is_name.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        bits.map(SessionId).ok_or(NoSession)
    }
}

/// Frames for a client that fetches them, and the request that waits for them.
pub(super) struct Mailbox {
    pub(super) id: SessionId,
    frames: Vec<u8>,
    /// With so many bytes it is full; one write may go beyond.
    room: usize,
    waiting: Option<Sender<Vec<u8>>>,
    /// The client is about to go on over a WebSocket: it is not kept waiting.
    is_leaving: bool,
}

impl Mailbox {
    /// An empty one.
    pub(super) fn new(id: SessionId, room: usize) -> Mailbox {
        Mailbox { id, frames: Vec::new(), room, waiting: None, is_leaving: false }
    }

    /// Takes all of `bytes` or, while it is full, none. How many that is.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        if self.frames.len() >= self.room {
            return 0;
        }
        self.frames.extend_from_slice(bytes);
        if let Some(waiting) = self.waiting.take() {
            self.answer(waiting);
        }
        bytes.len()
    }

    /// The client asks for what there is, or waits. Whoever waited before is left without an answer: a client asks once at
    /// a time.
    pub(super) fn fetch(&mut self, answer: Sender<Vec<u8>>) {
        if self.frames.is_empty() && !self.is_leaving {
            self.waiting = Some(answer);
        } else {
            self.answer(answer);
        }
    }

    fn answer(&mut self, answer: Sender<Vec<u8>>) {
        let mut body = Vec::new();
        take_packets(&mut self.frames, &mut body);
        if body.is_empty() {
            body.extend_from_slice(NOOP);
        }
        if let Err(body) = answer.send(body) {
            // The request is gone: the client asks again, or the session ends for want of a pong.
            self.frames = wire::envelope::socketio::frames_of(&body);
        }
    }

    /// The client is about to go on over a WebSocket, and first wants an answer to what it asked here.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        if let Some(waiting) = self.waiting.take() {
            self.answer(waiting);
        }
    }

    /// What the client did not fetch.
    pub(super) fn into_frames(mut self) -> Vec<u8> {
        self.leave();
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::{Receiver, channel};
    use wire::envelope::socketio::{push_packet, push_ping};

    fn frame(text: &str) -> Vec<u8> {
        let mut frame = Vec::new();
        push_packet(&mut frame, |out| out.extend_from_slice(text.as_bytes()));
        frame
    }

    fn ask(mailbox: &mut Mailbox) -> Receiver<Vec<u8>> {
        let (answer, answered) = channel();
        mailbox.fetch(answer);
        answered
    }

    #[test]
    fn a_name_says_which_worker_has_the_session() {
        let id = SessionId::new(258);
        assert_eq!((id.worker(), id.to_string().parse()), (258, Ok(id)));
        assert_eq!("0102".parse::<SessionId>(), Err(NoSession));
        assert_eq!("+000000000000000000000000000".parse::<SessionId>(), Err(NoSession));
    }

    #[test]
    fn who_waits_gets_what_comes_and_who_comes_gets_what_waits() {
        let mut mailbox = Mailbox::new(SessionId::new(0), 100);
        let mut waiting = ask(&mut mailbox);
        assert!(waiting.try_recv().is_err());
        assert_eq!(mailbox.put(&frame("42[1]")), 7);
        assert_eq!(waiting.try_recv().unwrap(), b"42[1]");
        mailbox.put(&frame("42[2]"));
        mailbox.put(&frame("42[3]"));
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), b"42[2]\x1e42[3]");
    }

    #[test]
    fn a_full_one_takes_nothing() {
        let mut mailbox = Mailbox::new(SessionId::new(0), 10);
        assert_eq!(mailbox.put(&[b"\x81\x14", &[b'4'; 20][..]].concat()), 22, "one write may go beyond");
        assert_eq!(mailbox.put(&frame("42")), 0);
        assert_eq!(ask(&mut mailbox).try_recv().unwrap().len(), 20);
        assert_eq!(mailbox.put(&frame("42")), 4);
    }

    #[test]
    fn nothing_is_lost_with_a_request_that_is_gone() {
        let mut mailbox = Mailbox::new(SessionId::new(0), 100);
        drop(ask(&mut mailbox));
        mailbox.put(&frame("42[1]"));
        mailbox.put(&frame("42[2]"));
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), b"42[1]\x1e42[2]");
    }

    #[test]
    fn who_leaves_is_not_kept_waiting_and_takes_the_rest_along() {
        let mut mailbox = Mailbox::new(SessionId::new(0), 100);
        let mut waiting = ask(&mut mailbox);
        mailbox.leave();
        assert_eq!(waiting.try_recv().unwrap(), NOOP);
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), NOOP);
        let mut ping = Vec::new();
        push_ping(&mut ping);
        mailbox.put(&ping);
        assert_eq!(mailbox.into_frames(), ping);
    }
}
