//! Polls that wait until there is something to say.

use market::Nanos;
use session::{Poll, Publisher};
use tokio::sync::oneshot::{self, Receiver, Sender};

/// Whoever waits.
#[derive(Default)]
pub(super) struct Polls {
    waiting: Vec<(Poll, Sender<Vec<u8>>)>,
    /// The ring position up to which there was nothing to say.
    position: u64,
}

impl Polls {
    /// Answers a poll now, or once there is something to say. Whoever no longer wants the answer drops the receiver.
    pub(super) fn ask(&mut self, poll: Poll, publisher: &mut Publisher, now: Nanos) -> Receiver<Vec<u8>> {
        let (answer, answered) = oneshot::channel();
        let mut body = Vec::new();
        if publisher.push_poll(&poll, now, &mut body) {
            let _ = answer.send(body);
        } else {
            self.waiting.push((poll, answer));
        }
        answered
    }

    /// Answers those for whom there is something by now.
    pub(super) fn serve(&mut self, publisher: &mut Publisher, now: Nanos) {
        if std::mem::replace(&mut self.position, publisher.position()) == publisher.position() {
            return;
        }
        let mut body = Vec::new();
        for at in (0..self.waiting.len()).rev() {
            let (poll, answer) = &self.waiting[at];
            if answer.is_closed() {
                self.waiting.swap_remove(at);
            } else if publisher.push_poll(poll, now, &mut body) {
                let _ = self.waiting.swap_remove(at).1.send(std::mem::take(&mut body));
            }
        }
    }

    /// Nobody is answered any more.
    pub(super) fn dismiss(&mut self) {
        self.waiting.clear();
    }
}
