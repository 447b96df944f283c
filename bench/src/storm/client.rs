//! One client that comes back: its token, its connection, and whether it has been answered. It knows neither sockets nor the
//! time.

use crate::load::{Message, Subscription, Terms, Update, read};
use market::Seq;
use memchr::memmem;

/// What a client has of its one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its topic.
    pub symbol: String,
    /// The epoch of what it has, with the number through which it has it; `None` if it has nothing.
    pub has: Option<(String, Seq)>,
}

/// How a client was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With all that it missed.
    Recovered,
    /// With a snapshot.
    Snapshot,
    /// With something that does not continue what it has.
    Hole,
}

impl Token {
    /// A client that has nothing yet.
    pub fn new(symbol: String) -> Token {
        Token { symbol, has: None }
    }

    /// What it subscribes to, from where it left off.
    pub fn subscription(&self) -> Subscription {
        let terms = Terms::default();
        let since =
            self.has.as_ref().map(|(epoch, seq)| format!("{epoch}:{}@{}={seq}", self.symbol, terms.depth));
        Subscription { topics: vec![self.symbol.clone()], terms, since }
    }

    /// Follows a message; returns how it answers a client that had just this when it subscribed. `None` if it is of
    /// something else.
    pub fn follow(&mut self, text: &[u8]) -> Option<Answer> {
        match read(text)? {
            Message::Update(Update { first_seq, seq, .. }) => {
                let (_, last) = self.has.as_mut()?;
                let continues = first_seq == *last + 1;
                *last = seq;
                Some(if continues { Answer::Recovered } else { Answer::Hole })
            }
            Message::Snapshot { seq, .. } => {
                self.has = Some((epoch(text)?, seq));
                Some(Answer::Snapshot)
            }
            Message::Gap | Message::Other => None,
        }
    }
}

/// The epoch that a message of market data names.
fn epoch(text: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"\"epoch\":\"";
    let at = memmem::find(text, KEY)? + KEY.len();
    let end = memchr::memchr(b'"', &text[at..])?;
    String::from_utf8(text[at..at + end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_through_where_everything_is_there() {
        let mut token = Token::new("A/B".into());
        assert_eq!(token.subscription().since, None);
        let snapshot = r#"{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","epoch":"9c41","seq":41,"venue_seq":0}]}"#;
        let update = |first: u32, last: u32| {
            format!(
                r#"{{"channel":"book","type":"update","data":[{{"symbol":"A/B","first_seq":{first},"seq":{last},"venue_seq":0,"conflated":false,"ts":{{"engine":5}}}}]}}"#
            )
        };
        let mut check = |text: &str, answer, since: Option<&str>| {
            assert_eq!(token.follow(text.as_bytes()), answer, "{text}");
            assert_eq!(token.subscription().since.as_deref(), since, "{text}");
        };
        check(r#"{"channel":"heartbeat","data":[{"seq":7}]}"#, None, None);
        check(snapshot, Some(Answer::Snapshot), Some("9c41:A/B@10=41"));
        check(&update(42, 44), Some(Answer::Recovered), Some("9c41:A/B@10=44"));
        check(&update(46, 46), Some(Answer::Hole), Some("9c41:A/B@10=46"));
    }
}
