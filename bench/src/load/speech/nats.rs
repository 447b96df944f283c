//! NATS over WebSocket: its protocol of lines and counted payloads, carried in binary frames whose borders mean nothing.

use super::Subscription;
use crate::websocket;
use anyhow::{Context, bail};
use std::fmt::Write;

/// Where it is spoken.
pub const PATH: &str = "/";

/// One connection.
#[derive(Debug)]
pub struct Talk {
    /// What is sent first, until it is sent.
    first: String,
    /// The beginning of a line or message whose end has not come yet.
    begun: Vec<u8>,
    is_ready: bool,
}

impl Talk {
    pub fn new(Subscription { topics, .. }: &Subscription) -> Talk {
        let mut first = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n".to_string();
        for (id, topic) in (1..).zip(topics) {
            write!(first, "SUB {topic} {id}\r\n").expect("a String takes everything");
        }
        // Its answer comes after all that went before has been done.
        first.push_str("PING\r\n");
        Talk { first, begun: Vec::new(), is_ready: false }
    }

    pub fn begin(&mut self, out: &mut Vec<u8>) {
        websocket::push_binary(out, std::mem::take(&mut self.first).as_bytes());
    }

    #[inline]
    pub fn take(
        &mut self,
        payload: &[u8],
        out: &mut Vec<u8>,
        heard: &mut impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        if self.begun.is_empty() {
            let rest = self.take_whole(payload, out, heard)?;
            self.begun.extend_from_slice(rest);
            return Ok(());
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(payload);
        let rest = self.take_whole(&begun, out, heard)?.len();
        begun.drain(..begun.len() - rest);
        self.begun = begun;
        Ok(())
    }

    /// Takes all that is there to its end; returns what is not.
    fn take_whole<'a>(
        &mut self,
        mut bytes: &'a [u8],
        out: &mut Vec<u8>,
        heard: &mut impl FnMut(&[u8]),
    ) -> anyhow::Result<&'a [u8]> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (bytes[..end].trim_ascii_end(), &bytes[end + 1..]);
            if !line.starts_with(b"MSG ") {
                self.take_line(line, out)?;
                bytes = rest;
                continue;
            }
            let length = length(line).with_context(|| format!("not NATS: {}", line.escape_ascii()))?;
            // The payload has an end of line of its own.
            let Some(rest) = rest.get(length + 2..) else { break };
            heard(&bytes[end + 1..][..length]);
            bytes = rest;
        }
        Ok(bytes)
    }

    #[cold]
    fn take_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
        match line {
            b"PING" => websocket::push_binary(out, b"PONG\r\n"),
            b"PONG" => self.is_ready = true,
            [b'-', ..] => bail!("the server refused: {}", String::from_utf8_lossy(line)),
            // INFO, and +OK where somebody is verbose.
            _ => {}
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready
    }
}

/// The last word of a line about a message: how long its payload is.
fn length(line: &[u8]) -> Option<usize> {
    let at = memchr::memrchr(b' ', line)?;
    std::str::from_utf8(&line[at + 1..]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{super::Terms, *};

    fn talk(topics: &[&str]) -> Talk {
        let topics = topics.iter().map(ToString::to_string).collect();
        Talk::new(&Subscription { topics, terms: Terms::default(), since: None })
    }

    /// What is heard of a stream that comes in frames of so many bytes, and what is answered.
    fn hear(stream: &[u8], frame: usize) -> (Talk, Vec<String>, Vec<u8>) {
        let (mut talk, mut heard, mut out) = (talk(&["A/B"]), Vec::new(), Vec::new());
        for part in stream.chunks(frame) {
            talk.take(part, &mut out, &mut |text| heard.push(String::from_utf8_lossy(text).into_owned()))
                .unwrap();
        }
        (talk, heard, out)
    }

    #[test]
    fn messages_are_found_wherever_frames_end() {
        let stream = b"INFO {\"a\":1}\r\nPONG\r\nMSG A/B 1 5\r\nhello\r\nMSG A/B 1 reply.to 4\r\n\r\n{}\r\nPING\r\nMSG A/B 1 0\r\n\r\n";
        let mut pong = Vec::new();
        websocket::push_binary(&mut pong, b"PONG\r\n");
        for frame in 1..=stream.len() {
            let (talk, heard, out) = hear(stream, frame);
            assert_eq!(heard, ["hello", "\r\n{}", ""], "frames of {frame}");
            assert_eq!((talk.begun.len(), talk.is_ready(), &out), (0, true, &pong), "frames of {frame}");
        }
    }

    #[test]
    fn it_is_ready_once_its_ping_was_answered() {
        assert!(!hear(b"INFO {}\r\n", 100).0.is_ready());
        assert!(hear(b"INFO {}\r\nPONG\r\n", 100).0.is_ready());
    }

    #[test]
    fn what_the_server_refuses_is_told_in_its_words() {
        let error =
            talk(&["A"]).take(b"-ERR 'Invalid Subject'\r\n", &mut Vec::new(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("Invalid Subject"), "{error}");
        assert!(talk(&["A"]).take(b"MSG A 1 many\r\n", &mut Vec::new(), &mut |_| {}).is_err());
    }

    #[test]
    fn every_topic_is_subscribed_to() {
        let mut out = Vec::new();
        talk(&["A/B", "C/D"]).begin(&mut out);
        assert!(memchr::memmem::find(&out, b"\r\nSUB A/B 1\r\nSUB C/D 2\r\nPING\r\n").is_some());
    }
}
