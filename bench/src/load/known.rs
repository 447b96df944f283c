//! Through which number each topic of a connection is known, and whether what arrives continues it.

use super::message::{Message, Update};
use market::Seq;

/// The topics of one connection.
pub struct Known {
    topics: Vec<Topic>,
    /// Where the last message belonged: the next one is most often of the same topic.
    last: usize,
}

struct Topic {
    symbol: Box<[u8]>,
    /// `None` before its first message, and behind a gap message.
    seq: Option<Seq>,
}

impl Known {
    /// Nothing is known of them yet.
    pub fn new(symbols: &[String]) -> Known {
        let topics = symbols.iter().map(|symbol| Topic { symbol: symbol.as_bytes().into(), seq: None });
        Known { topics: topics.collect(), last: 0 }
    }

    /// Follows the numbers of a message; returns whether something is missing before it, of which nothing was said.
    pub fn follow(&mut self, message: &Message<'_>) -> bool {
        match *message {
            Message::Update(Update { symbol, first_seq, seq, .. }) => {
                let before = self.replace(symbol, seq);
                before.is_some_and(|before| first_seq > before + 1)
            }
            Message::Snapshot { symbol, seq } => {
                self.replace(symbol, seq);
                false
            }
            Message::Gap => {
                self.topics.iter_mut().for_each(|topic| topic.seq = None);
                false
            }
            Message::Other => false,
        }
    }

    fn replace(&mut self, symbol: &[u8], seq: Seq) -> Option<Seq> {
        if *self.topics[self.last].symbol != *symbol {
            self.last = self.topics.iter().position(|topic| *topic.symbol == *symbol)?;
        }
        self.topics[self.last].seq.replace(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Nanos;

    fn update(symbol: &str, first_seq: Seq, seq: Seq) -> Message<'_> {
        Message::Update(Update {
            symbol: symbol.as_bytes(),
            first_seq,
            seq,
            conflated: false,
            engine: Nanos(1),
        })
    }

    #[test]
    fn a_hole_is_what_nothing_was_said_about() {
        let mut known = Known::new(&["A".into(), "B".into()]);
        let mut check =
            |message: Message<'_>, is_hole| assert_eq!(known.follow(&message), is_hole, "{message:?}");
        check(Message::Snapshot { symbol: b"A", seq: 10 }, false);
        check(Message::Snapshot { symbol: b"B", seq: 50 }, false);
        check(update("A", 11, 13), false);
        check(update("A", 12, 14), false);
        check(update("C", 99, 99), false);
        check(update("B", 52, 53), true);
        check(update("A", 16, 16), true);
        check(Message::Gap, false);
        check(update("A", 19, 20), false);
        check(Message::Snapshot { symbol: b"A", seq: 30 }, false);
        check(update("A", 31, 31), false);
    }
}
