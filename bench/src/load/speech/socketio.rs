//! Socket.IO 4 over WebSocket alone: a digit for Engine.IO, one for Socket.IO, then an event as a JSON array. `subscribe` has
//! the parameters of the native protocol; each `market` is an answer or a message of it. Any other event is passed over.

use super::{Subscription, native};
use crate::websocket;
use anyhow::bail;

/// Where it is spoken.
pub const PATH: &str = "/socket.io/?EIO=4&transport=websocket";
const MARKET: &[u8] = b"42[\"market\",";

/// The event that is a request.
pub fn request(method: &str, subscription: &Subscription) -> String {
    format!("42{}", serde_json::json!([method, native::params(method, subscription)]))
}

/// One connection.
#[derive(Debug)]
pub struct Talk {
    subscribe: String,
    /// What the events carry.
    native: native::Talk,
}

impl Talk {
    pub fn new(subscription: &Subscription) -> Talk {
        Talk { subscribe: request("subscribe", subscription), native: native::Talk::new(subscription) }
    }

    #[inline]
    pub fn take(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
        heard: &mut impl FnMut(&[u8]),
    ) -> anyhow::Result<()> {
        match text.strip_prefix(MARKET) {
            Some([message @ .., b']']) => self.native.take(message, heard),
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
            _ => {}
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.native.is_ready()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Terms, *};

    fn talk() -> Talk {
        Talk::new(&Subscription { topics: vec!["A/B".into()], terms: Terms::default(), since: None })
    }

    #[test]
    fn each_step_of_the_opening_is_answered() {
        let mut talk = talk();
        let subscribe = talk.subscribe.clone();
        let mut check = |text: &str, answer: &str, is_ready| {
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            if !answer.is_empty() {
                websocket::push_text(&mut expected, answer);
            }
            talk.take(text.as_bytes(), &mut out, &mut |_| panic!("{text} is no market data")).unwrap();
            assert_eq!((out, talk.is_ready()), (expected, is_ready), "{text}");
        };
        check(r#"0{"sid":"x","upgrades":[],"pingInterval":25000}"#, "40", false);

        assert!(subscribe.contains(r#""symbol":["A/B"]"#), "{subscribe}");
        check(r#"40{"sid":"y"}"#, &subscribe, false);
        check(r#"42["market",{"method":"subscribe","success":true,"result":{}}]"#, "", true);
        check(r#"42["cursor","9c41:A/B@10=7"]"#, "", true);
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
        for text in
            [r#"44{"message":"bad"}"#, r#"42["market",{"method":"subscribe","success":false,"code":"bad"}]"#]
        {
            let error = talk().take(text.as_bytes(), &mut Vec::new(), &mut |_| {}).unwrap_err();
            assert!(error.to_string().contains("bad"), "{error}");
        }
    }
}
