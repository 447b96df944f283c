//! The native protocol: one request for all topics, an answer for each of them, and whatever the framing, what it frames is a
//! message.

use super::{Subscription, Terms};
use crate::framing::Framing;
use anyhow::bail;
use memchr::memmem;

/// Where it is spoken over WebSocket.
pub const PATH: &str = "/feed";

/// Where a stream of events is, with the request as its query.
pub fn query(Subscription { topics, terms, since }: &Subscription) -> String {
    let Terms { channel, depth, interval_ms, policy } = terms;
    let symbols = topics.join(",");
    let since = since.as_ref().map(|token| format!("&since={token}")).unwrap_or_default();
    format!(
        "/sse?channel={channel}&symbol={symbols}&depth={depth}&interval_ms={interval_ms}&policy={policy}&stamps=true{since}"
    )
}

/// What a method is asked for about these topics: to unsubscribe, no more than which they are.
pub fn params(method: &str, Subscription { topics, terms, since }: &Subscription) -> serde_json::Value {
    let Terms { channel, depth, interval_ms, policy } = terms;
    let mut params = serde_json::json!({"channel": channel, "symbol": topics});
    if method == "subscribe" {
        params["depth"] = (*depth).into();
        params["interval_ms"] = (*interval_ms).into();
        params["policy"] = policy.as_str().into();
        params["stamps"] = true.into();
    }
    if let Some(token) = since.as_deref().filter(|_| method == "subscribe") {
        params["since"] = token.into();
    }
    params
}

/// A request.
pub fn request(method: &str, subscription: &Subscription) -> String {
    serde_json::json!({"method": method, "params": params(method, subscription)}).to_string()
}

/// One connection.
#[derive(Debug)]
pub struct Talk {
    /// The subscribe request, until it is sent.
    request: String,
    /// Subscriptions that were not answered yet.
    awaited: usize,
}

impl Talk {
    pub fn new(subscription: &Subscription) -> Talk {
        Talk { request: request("subscribe", subscription), awaited: subscription.topics.len() }
    }

    pub fn begin(&mut self, framing: Framing, out: &mut Vec<u8>) {
        framing.push(out, &std::mem::take(&mut self.request));
    }

    #[inline]
    pub fn take(&mut self, text: &[u8], heard: &mut impl FnMut(&[u8])) -> anyhow::Result<()> {
        if text.starts_with(b"{\"channel\":") {
            heard(text);
            return Ok(());
        }
        self.take_answer(text)
    }

    #[cold]
    fn take_answer(&mut self, text: &[u8]) -> anyhow::Result<()> {
        if text.starts_with(b"{\"method\":\"subscribe\",\"success\":true") {
            self.awaited = self.awaited.saturating_sub(1);
        } else if memmem::find(text, b"\"success\":false").is_some() {
            bail!("the server refused: {}", String::from_utf8_lossy(text));
        }
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.awaited == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(topics: &[&str]) -> Talk {
        let topics = topics.iter().map(ToString::to_string).collect();
        Talk::new(&Subscription { topics, terms: Terms::default(), since: None })
    }

    #[test]
    fn it_is_ready_once_every_topic_was_answered() {
        let mut talk = talk(&["A", "B"]);
        let mut heard = 0;
        let mut take = |talk: &mut Talk, text: &str| {
            talk.take(text.as_bytes(), &mut |_| heard += 1).unwrap();
            (talk.is_ready(), heard)
        };
        let answer = r#"{"method":"subscribe","success":true,"result":{}}"#;
        assert_eq!(take(&mut talk, answer), (false, 0));
        assert_eq!(take(&mut talk, r#"{"channel":"book","type":"snapshot"}"#), (false, 1));
        assert_eq!(take(&mut talk, r#"{"method":"pong"}"#), (false, 1));
        assert_eq!(take(&mut talk, answer), (true, 1));
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let answer = r#"{"method":"subscribe","success":false,"error":"no","code":"bad_depth"}"#;
        let error = talk(&["A"]).take(answer.as_bytes(), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("bad_depth"), "{error}");
    }

    #[test]
    fn the_request_names_every_topic() {
        for framing in [Framing::WebSocket, Framing::Lines] {
            let mut out = Vec::new();
            talk(&["A", "B"]).begin(framing, &mut out);
            let text = String::from_utf8_lossy(&out);
            assert!(text.contains(r#""symbol":["A","B"]"#), "{text}");
        }
        let topics = ["A/B", "C/D"].map(String::from).to_vec();
        let since = Some("9c41:A/B@10=7".to_owned());
        let path = query(&Subscription { topics, terms: Terms::default(), since });
        assert!(path.starts_with("/sse?channel=book&symbol=A/B,C/D&depth=10&"), "{path}");
        assert!(path.ends_with("&since=9c41:A/B@10=7"), "{path}");
    }
}
