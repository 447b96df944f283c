//! How a line of a capture begins. There are four forms, each of which is known by its first bytes, so no format has to
//! say which one it uses:
//!
//! - `<ns since 1970> <JSON>`: a message;
//! - `<seconds since 1970>: <JSON>`: a message;
//! - `https://… -> <seconds since 1970>: <JSON>`: what a REST request was answered;
//! - `wss://…`: a connection, or what was sent on it.

use market::{Nanos, parse_fixed};

const ANSWERED: &[u8] = b" -> ";

/// A line's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// Whether a connection was made.
    pub connects: bool,
    /// When it was received; `None` of a line that says nothing about a market.
    pub received: Option<Nanos>,
    /// Length of the URL that the line begins with; zero if it has none.
    pub url: usize,
    /// Where its message begins.
    pub message_at: usize,
}

impl Head {
    /// Takes a line apart; `None` if it is of no form.
    pub fn of(line: &[u8]) -> Option<Head> {
        if line.starts_with(b"wss://") || line.starts_with(b"ws://") {
            let connects = line.split(|&byte| byte == b' ').nth(1) == Some(b"<->");
            return Some(Head { connects, received: None, url: 0, message_at: line.len() });
        }
        if line.starts_with(b"https://") || line.starts_with(b"http://") {
            let url = line.windows(ANSWERED.len()).position(|window| window == ANSWERED)?;
            let begin = url + ANSWERED.len();
            let (received, length) =
                stamp(&line[begin..]).filter(|&(_, length)| line[begin + length - 1] == b':')?;
            return Some(Head { connects: false, received: Some(received), url, message_at: begin + length });
        }
        let (received, message_at) = stamp(line)?;
        Some(Head { connects: false, received: Some(received), url: 0, message_at })
    }
}

/// The time that a text begins with, and its length with what ends it.
fn stamp(text: &[u8]) -> Option<(Nanos, usize)> {
    let end = text.iter().position(|byte| matches!(byte, b' ' | b':'))?;
    let decimals = if text[end] == b':' { 9 } else { 0 };
    Some((decimal_time(&text[..end], decimals)?, end + 1))
}

/// A time in seconds (9), milliseconds (6), microseconds (3) or nanoseconds (0), with a fraction or not.
pub(super) fn decimal_time(text: &[u8], decimals: u8) -> Option<Nanos> {
    let ns = parse_fixed(text, decimals).ok().and_then(|ns| u64::try_from(ns).ok())?;
    Some(Nanos(ns)).filter(|&time| time < Nanos::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_how_it_begins() {
        let check = |line: &str, wanted: Option<(Option<u64>, &str, &str)>| {
            let head = Head::of(line.as_bytes());
            let told = head
                .map(|head| (head.received.map(|time| time.0), &line[..head.url], &line[head.message_at..]));
            assert_eq!(told, wanted, "{line}");
        };
        check(r#"17 {"a":1}"#, Some((Some(17), "", r#"{"a":1}"#)));
        check("1.5: []", Some((Some(1_500_000_000), "", " []")));
        check("1: []", Some((Some(1_000_000_000), "", " []")));
        check("https://h/p?s=A -> 2.25: {}", Some((Some(2_250_000_000), "https://h/p?s=A", " {}")));
        assert!(Head::of(b"wss://h <-> 1.5").unwrap().connects);
        assert!(!Head::of(b"wss://h <- 1.5: {}").unwrap().connects);
        check("wss://h <- 1.5: {}", Some((None, "", "")));
        check("wss://h <-> 1.5", Some((None, "", "")));
        for bad in [
            "",
            "{}",
            "x: {}",
            "-1 {}",
            "1.5 {}",
            "https://h",
            "https://h -> ",
            "https://h -> 1 {}",
            "1e9: {}",
        ] {
            check(bad, None);
        }
    }
}
