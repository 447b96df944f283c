//! Socket.IO 4 over WebSocket alone: a digit for Engine.IO, one for Socket.IO, then an event as a JSON array. Events of this
//! measurement: `subscribe` with the topics is answered by `subscribed`, and each `market` is a message of market data.

use super::Subscription;
use crate::websocket;
use anyhow::bail;

/// Where it is spoken.
pub const PATH: &str = "/socket.io/?EIO=4&transport=websocket";
const MARKET: &[u8] = b"42[\"market\",";

/// One connection.
#[derive(Debug)]
pub struct Talk {
    subscribe: String,
    is_ready: bool,
}

impl Talk {
    pub fn new(Subscription { topics, .. }: &Subscription) -> Talk {
        Talk { subscribe: format!("42{}", serde_json::json!(["subscribe", topics])), is_ready: false }
    }

    #[inline]
    pub fn take(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
        heard: &mut impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        match text.strip_prefix(MARKET) {
            Some([message @ .., b']']) => {
                heard(message);
                Ok(())
            }
            _ => self.take_packet(text, out),
        }
    }

    #[cold]
    fn take_packet(&mut self, text: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
        match text {
            // The transport is open: join the default namespace.
            [b'0', ..] => websocket::push_text(out, "40"),
            [b'4', b'0', ..] => websocket::push_text(out, &self.subscribe),
            [b'2'] => websocket::push_text(out, "3"),
            [b'1', ..] | [b'4', b'1' | b'4', ..] => {
                bail!("the server refused: {}", String::from_utf8_lossy(text))
            }
            _ => self.is_ready |= text.starts_with(b"42[\"subscribed\""),
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Terms, *};

    fn talk() -> Talk {
        Talk::new(&Subscription { topics: vec!["A/B".into()], terms: Terms::default() })
    }

    #[test]
    fn each_step_of_the_opening_is_answered() {
        let mut talk = talk();
        let mut check = |text: &str, answer: &str, is_ready| {
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            if !answer.is_empty() {
                websocket::push_text(&mut expected, answer);
            }
            talk.take(text.as_bytes(), &mut out, &mut |_| panic!("{text} is no market data")).unwrap();
            assert_eq!((out, talk.is_ready()), (expected, is_ready), "{text}");
        };
        check(r#"0{"sid":"x","upgrades":[],"pingInterval":25000}"#, "40", false);
        check(r#"40{"sid":"y"}"#, r#"42["subscribe",["A/B"]]"#, false);
        check(r#"42["subscribed",1]"#, "", true);
        check("2", "3", true);
        check("6", "", true);
    }

    #[test]
    fn a_message_is_what_the_event_carries() {
        let mut heard = Vec::new();
        let text = br#"42["market",{"channel":"book","data":[1]}]"#;
        talk().take(text, &mut Vec::new(), &mut |text| heard.extend_from_slice(text)).unwrap();
        assert_eq!(heard, br#"{"channel":"book","data":[1]}"#);
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let error = talk().take(br#"44{"message":"no"}"#, &mut Vec::new(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("no"), "{error}");
    }
}
