//! The other kind of socket: what is said to a client of Engine.IO's long polling, until it asks for it.

use market::Nanos;
use std::{fmt, str::FromStr};
use tokio::sync::oneshot::Sender;
use wire::envelope::socketio::{CLOSE, NOOP, frames_of, starts_with_packet, take_packets};

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
    /// The last one may not be whole yet.
    frames: Vec<u8>,
    /// So many bytes are taken while nobody waits for them.
    room: usize,
    waiting: Option<Sender<Vec<u8>>>,
    fetched_at: Nanos,
    /// The client is about to go on over a WebSocket: it is not kept waiting.
    is_leaving: bool,
}

/// A client asked again before it was answered, which no client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap;

impl Mailbox {
    /// An empty one.
    pub(super) fn new(id: SessionId, room: usize, now: Nanos) -> Mailbox {
        Mailbox { id, frames: Vec::new(), room, waiting: None, fetched_at: now, is_leaving: false }
    }

    /// Takes all of `bytes`, which end with a frame, if somebody waits for them, and else as many as there is room for. How
    /// many that is.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        let waiting = self.waiting.take().filter(|waiting| !waiting.is_closed());
        let room = self.room.saturating_sub(self.frames.len());
        let taken = if waiting.is_some() { bytes.len() } else { bytes.len().min(room) };
        self.frames.extend_from_slice(&bytes[..taken]);
        if let Some(waiting) = waiting {
            self.answer(waiting);
        }
        taken
    }

    /// The client asks for what there is, or waits.
    ///
    /// # Errors
    /// If it waits already: it is told that this is the end, which it is.
    pub(super) fn fetch(&mut self, answer: Sender<Vec<u8>>, now: Nanos) -> Result<(), Overlap> {
        if let Some(waiting) = self.waiting.take().filter(|waiting| !waiting.is_closed()) {
            // Whoever has gone by now is not to be told.
            let _ = waiting.send(CLOSE.to_vec());
            return Err(Overlap);
        }
        self.fetched_at = now;
        if self.has_packets() || self.is_leaving {
            self.answer(answer);
        } else {
            self.waiting = Some(answer);
        }
        Ok(())
    }

    /// When the client last fetched: now while it waits.
    pub(super) fn fetched_at(&self, now: Nanos) -> Nanos {
        let waits = self.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed());
        if waits { now } else { self.fetched_at }
    }

    /// Whether there is something to be fetched.
    pub(super) fn has_packets(&self) -> bool {
        starts_with_packet(&self.frames)
    }

    fn answer(&mut self, answer: Sender<Vec<u8>>) {
        let mut body = Vec::new();
        take_packets(&mut self.frames, &mut body);
        if self.frames.is_empty() {
            // Most are empty most of the time.
            self.frames = Vec::new();
        }
        let says_nothing = body.is_empty();
        if says_nothing {
            body.extend_from_slice(NOOP);
        }
        if let Err(body) = answer.send(body)
            && !says_nothing
        {
            // The request is gone: the client asks again, or the session ends for want of a pong.
            self.frames.splice(0..0, frames_of(&body));
        }
    }

    /// The client is about to go on over a WebSocket, and first wants an answer to what it asked here.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        if let Some(waiting) = self.waiting.take() {
            self.answer(waiting);
        }
    }

    /// The client did not go on over a WebSocket.
    pub(super) fn stay(&mut self) {
        self.is_leaving = false;
    }

    /// What the client did not fetch; it may end within a frame.
    pub(super) fn into_frames(mut self) -> Vec<u8> {
        self.leave();
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::{Receiver, channel};
    use wire::envelope::socketio::push_packet;

    fn frame(text: &str) -> Vec<u8> {
        let mut frame = Vec::new();
        push_packet(&mut frame, |out| out.extend_from_slice(text.as_bytes()));
        frame
    }

    fn mailbox(room: usize) -> Mailbox {
        Mailbox::new(SessionId::new(0), room, Nanos(0))
    }

    fn ask(mailbox: &mut Mailbox) -> Receiver<Vec<u8>> {
        let (answer, answered) = channel();
        mailbox.fetch(answer, Nanos(1)).unwrap();
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
        let mut mailbox = mailbox(100);
        let mut waiting = ask(&mut mailbox);
        assert!(waiting.try_recv().is_err());
        assert_eq!(mailbox.put(&frame("42[1]")), 7);
        assert_eq!(waiting.try_recv().unwrap(), b"42[1]");
        mailbox.put(&frame("42[2]"));
        mailbox.put(&frame("42[3]"));
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), b"42[2]\x1e42[3]");
    }

    #[test]
    fn a_full_one_takes_nothing_until_somebody_fetches() {
        let mut mailbox = mailbox(10);
        let frames = [frame("42[1]"), frame("42[2]")].concat();
        assert_eq!(mailbox.put(&frames), 10);
        assert_eq!(mailbox.put(&frames[10..]), 0);
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), b"42[1]", "what is whole");
        let mut waiting = ask(&mut mailbox);
        assert!(waiting.try_recv().is_err());
        assert_eq!(mailbox.put(&frames[10..]), 4);
        assert_eq!(waiting.try_recv().unwrap(), b"42[2]");
    }

    #[test]
    fn who_waits_gets_a_message_that_is_larger_than_the_room() {
        let mut mailbox = mailbox(10);
        let large = frame(&"4".repeat(100));
        assert_eq!(mailbox.put(&large), 10);
        let mut waiting = ask(&mut mailbox);
        assert_eq!(mailbox.put(&large[10..]), 92);
        assert_eq!(waiting.try_recv().unwrap().len(), 100);
        assert_eq!(mailbox.frames.capacity(), 0, "and nothing is kept");
    }

    #[test]
    fn nothing_is_lost_with_a_request_that_is_gone() {
        let mut mailbox = mailbox(10);
        drop(ask(&mut mailbox));
        let frames = [frame("42[1]"), frame("42[2]")].concat();
        assert_eq!(mailbox.put(&frames), 10);
        let (gone, _) = channel();
        mailbox.fetch(gone, Nanos(1)).unwrap();
        assert_eq!(mailbox.put(&frames[10..]), 0);
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), b"42[1]");
        let mut waiting = ask(&mut mailbox);
        assert_eq!(mailbox.put(&frames[10..]), 4);
        assert_eq!(waiting.try_recv().unwrap(), b"42[2]");
    }

    #[test]
    fn who_asks_twice_at_once_is_told_that_this_is_the_end() {
        let mut mailbox = mailbox(100);
        let mut waiting = ask(&mut mailbox);
        let (answer, _answered) = channel();
        assert_eq!(mailbox.fetch(answer, Nanos(1)), Err(Overlap));
        assert_eq!(waiting.try_recv().unwrap(), CLOSE);
        drop(ask(&mut mailbox));
        let _waiting = ask(&mut mailbox);
    }

    #[test]
    fn who_waits_has_fetched_by_now() {
        let mut mailbox = mailbox(100);
        assert_eq!(mailbox.fetched_at(Nanos(9)), Nanos(0));
        let waiting = ask(&mut mailbox);
        assert_eq!(mailbox.fetched_at(Nanos(9)), Nanos(9));
        drop(waiting);
        assert_eq!(mailbox.fetched_at(Nanos(9)), Nanos(1));
    }

    #[test]
    fn who_leaves_is_not_kept_waiting_and_takes_the_rest_along() {
        let mut mailbox = mailbox(4);
        let mut waiting = ask(&mut mailbox);
        mailbox.leave();
        assert_eq!(waiting.try_recv().unwrap(), NOOP);
        assert_eq!(ask(&mut mailbox).try_recv().unwrap(), NOOP);
        let unsent = [frame("2"), frame("2")].concat();
        mailbox.put(&unsent);
        assert_eq!(mailbox.into_frames(), unsent[..4], "within a frame, which goes on elsewhere");
    }

    #[test]
    fn who_does_not_leave_after_all_waits_again() {
        let mut mailbox = mailbox(100);
        mailbox.leave();
        mailbox.stay();
        let mut waiting = ask(&mut mailbox);
        assert!(waiting.try_recv().is_err());
        mailbox.put(&frame("2"));
        assert_eq!(waiting.try_recv().unwrap(), b"2");
    }
}
