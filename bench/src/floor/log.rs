//! The frames of one topic, bounded: the oldest is overwritten by the newest.

use super::frames::Template;
use crate::messages::FIRST;
use market::{Nanos, Seq};

/// The frames of one topic. They are all of one length, so that a position in it is the number of a message, from 0.
pub struct Log {
    template: Template,
    frames: Vec<u8>,
    /// How many fit.
    slots: u64,
    /// How many there were so far.
    head: u64,
}

impl Log {
    /// As many frames of this template as fit into so many bytes; two at the least.
    pub fn new(template: Template, bytes: usize) -> Log {
        let slots = (bytes / template.frame().len()).max(2);
        Log { frames: template.frame().repeat(slots), slots: slots as u64, head: 0, template }
    }

    /// Appends a message that was meant to happen then.
    pub fn push(&mut self, engine: Nanos) {
        let place = self.place(self.head);
        self.head += 1;
        let (template, seq) = (&self.template, FIRST + self.head);
        template.patch(&mut self.frames[place..place + template.frame().len()], seq, engine);
    }

    /// Where the next message will be.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The number of the last message.
    pub fn seq(&self) -> Seq {
        FIRST + self.head
    }

    /// How long each frame is.
    pub fn frame_length(&self) -> usize {
        self.template.frame().len()
    }

    /// How many messages it holds at most.
    pub fn slots(&self) -> u64 {
        self.slots
    }

    /// Whether the message at a position is still held, or not there yet.
    pub fn holds(&self, position: u64) -> bool {
        position + self.slots >= self.head
    }

    /// The frames from a position on that lie behind each other: at most so many, and fewer where the log turns round.
    pub fn run(&self, position: u64, most: u64) -> &[u8] {
        let place = self.place(position);
        let until_turn = self.slots - position % self.slots;
        let count = (self.head - position).min(until_turn).min(most);
        &self.frames[place..place + count as usize * self.frame_length()]
    }

    fn place(&self, position: u64) -> usize {
        (position % self.slots) as usize * self.frame_length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floor::tests::instrument;

    fn log(slots: usize) -> Log {
        let template = Template::new(&instrument());
        let bytes = slots * template.frame().len();
        Log::new(template, bytes)
    }

    fn seqs(run: &[u8]) -> Vec<Seq> {
        let mut seqs = Vec::new();
        let mut rest = run;
        while let Some((_, text)) = crate::websocket::take_frame(&mut rest) {
            let message: serde_json::Value = serde_json::from_slice(text).unwrap();
            seqs.push(message["data"][0]["seq"].as_u64().unwrap() - FIRST);
        }
        assert!(rest.is_empty());
        seqs
    }

    #[test]
    fn a_run_ends_where_the_log_turns_round() {
        let mut log = log(4);
        (0..6).for_each(|_| log.push(Nanos(1_800_000_000_000_000_000)));
        assert_eq!(seqs(log.run(2, 9)), [3, 4]);
        assert_eq!(seqs(log.run(4, 9)), [5, 6]);
        assert_eq!(seqs(log.run(4, 1)), [5]);
        assert!(log.run(6, 9).is_empty());
    }

    #[test]
    fn the_oldest_is_overwritten() {
        let mut log = log(4);
        (0..6).for_each(|_| log.push(Nanos(1_800_000_000_000_000_000)));
        assert_eq!([1, 2, 6].map(|position| log.holds(position)), [false, true, true]);
    }
}
