//! Reads a run on a thread of its own and hands its blocks over, so that whoever plays them never waits for a disk.

use super::source::Next;
use crate::{JournalError, Playback, playback::Batch};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Blocks read ahead: about 10 MB of events.
const AHEAD: usize = 12;

#[derive(Debug)]
enum Message {
    Batch(Batch),
    Failed(JournalError),
    End,
}

/// The receiving end.
#[derive(Debug)]
pub(super) struct Prefetch {
    messages: rtrb::Consumer<Message>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    ended: bool,
}

impl Prefetch {
    /// Reads on from where `source` stands.
    pub fn start(source: Playback) -> std::io::Result<Prefetch> {
        Prefetch::start_at(move || Ok(source))
    }

    /// Finds a position first, on the thread that reads.
    pub fn start_at(
        find: impl FnOnce() -> Result<Playback, JournalError> + Send + 'static,
    ) -> std::io::Result<Prefetch> {
        let (producer, messages) = rtrb::RingBuffer::new(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("journal-reader".into())
            .spawn(move || hand_over(find, producer, &stopped))?;
        Ok(Prefetch { messages, stop, thread: Some(thread), ended: false })
    }

    /// What comes next, without waiting.
    ///
    /// # Errors
    /// If the recording is damaged there; nothing follows then.
    pub fn next(&mut self) -> Result<Next, JournalError> {
        if self.ended {
            return Ok(Next::End);
        }
        let Ok(message) = self.messages.pop() else {
            // A reader that is gone without a last message has panicked.
            assert!(
                !self.messages.is_abandoned() || self.messages.slots() > 0,
                "the reader of a recording died"
            );
            return Ok(Next::Pending);
        };
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        self.ended = !matches!(message, Message::Batch(_));
        match message {
            Message::Batch(batch) => Ok(Next::Batch(batch)),
            Message::End => Ok(Next::End),
            Message::Failed(error) => Err(error),
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the reader was reported by its own message.
            let _ = thread.join();
        }
    }
}

fn hand_over(
    find: impl FnOnce() -> Result<Playback, JournalError>,
    mut messages: rtrb::Producer<Message>,
    stop: &AtomicBool,
) {
    let mut source = match find() {
        Ok(source) => source,
        Err(error) => {
            send(&mut messages, Message::Failed(error), stop);
            return;
        }
    };
    loop {
        let message = match source.next() {
            Ok(Some(batch)) => Message::Batch(batch),
            Ok(None) => Message::End,
            Err(error) => Message::Failed(error),
        };
        let is_last = !matches!(message, Message::Batch(_));
        if !send(&mut messages, message, stop) || is_last {
            return;
        }
    }
}

/// Waits for room. Whether it is to go on.
fn send(messages: &mut rtrb::Producer<Message>, mut message: Message, stop: &AtomicBool) -> bool {
    while let Err(rtrb::PushError::Full(back)) = messages.push(message) {
        if stop.load(Ordering::Acquire) {
            return false;
        }
        thread::park();
        message = back;
    }
    !stop.load(Ordering::Acquire)
}
