//! What the peers in Rust share: a `tokio::sync::broadcast` channel for each topic, filled by a thread that has the feed, and
//! answers to the requests of the native protocol. It knows no socket.

use super::{
    feed,
    texts::{Texts, text},
};
use crate::{
    messages::{EPOCH, FIRST},
    servers::FeedOptions,
};
use market::{Nanos, clock};
use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use tokio::sync::broadcast;
use wire::{
    dialect::native_json,
    message::{ErrorAnswer, ErrorCode, Method, Pong, Request, Subscribe, Subscribed, Subscription},
};

/// Messages that a channel holds for its slowest subscriber, who loses the oldest beyond that.
const CAPACITY: usize = 1_024;

/// All topics. `M` is a message in the form that the server sends, cheap to clone.
pub struct Market<M> {
    texts: Texts,
    topics: Vec<Topic<M>>,
}

struct Topic<M> {
    sender: broadcast::Sender<M>,
    seq: AtomicU64,
}

/// What comes of a request.
pub struct Answer<M> {
    /// To be sent at once, in this order.
    pub texts: Vec<String>,
    /// What is to be sent from now on: topics, by number.
    pub begun: Vec<(usize, broadcast::Receiver<M>)>,
}

impl<M: From<String> + Clone + Send + 'static> Market<M> {
    /// Begins the feed on a thread of its own.
    ///
    /// # Errors
    /// If there are not so many topics.
    pub fn begin(options: FeedOptions) -> anyhow::Result<Arc<Market<M>>> {
        let market = Arc::new(Market::new(options.topics)?);
        let fed = Arc::clone(&market);
        thread::spawn(move || {
            let ended = feed::run(options, |burst| {
                burst.seqs.clone().for_each(|seq| fed.publish(burst.topic, seq, burst.due));
                Ok(())
            });
            // A server without its feed would be measured as a fast one.
            eprintln!("the feed ended: {ended:?}");
            process::exit(1);
        });
        Ok(market)
    }

    /// Of so many topics, before their first message.
    fn new(topics: u32) -> anyhow::Result<Market<M>> {
        let topic = |_| Topic { sender: broadcast::channel(CAPACITY).0, seq: AtomicU64::new(FIRST) };
        Ok(Market { texts: Texts::new(topics)?, topics: (0..topics).map(topic).collect() })
    }

    fn publish(&self, topic: usize, seq: u64, due: Nanos) {
        let Topic { sender, seq: last } = &self.topics[topic];
        let text = self.texts.update(topic, seq, due);
        // Before it is sent: a snapshot must not end before the messages that follow it begin.
        last.store(seq, Ordering::Release);
        // Without subscribers nobody takes it.
        let _ = sender.send(text.into());
    }

    /// Answers a request of the native protocol.
    pub fn answer(&self, request: &str) -> Answer<M> {
        let came = clock::now();
        let mut answer = Answer { texts: Vec::new(), begun: Vec::new() };
        match native_json::parse_request(&mut request.as_bytes().to_vec()) {
            Ok(Request { method: Method::Subscribe(subscribe), .. }) => {
                subscribe.symbols.iter().for_each(|symbol| self.subscribe(symbol, &subscribe, &mut answer));
            }
            Ok(Request { method: Method::Ping, .. }) => answer.texts.push(text(|out| {
                native_json::push_pong(out, &Pong { time_in: came, time_out: clock::now() }, None);
            })),
            Ok(Request { method, .. }) => answer.texts.push(refusal(method.name(), None)),
            Err(error) => answer.texts.extend(
                error.answers().map(|answer| text(|out| native_json::push_error(out, &answer, None))),
            ),
        }
        answer
    }

    fn subscribe(&self, symbol: &str, subscribe: &Subscribe, answer: &mut Answer<M>) {
        let Some(topic) = self.texts.find(symbol) else {
            answer.texts.push(refusal("subscribe", Some(symbol)));
            return;
        };
        answer.begun.push((topic, self.topics[topic].sender.subscribe()));
        let seq = self.topics[topic].seq.load(Ordering::Acquire);
        let subscription = Subscription {
            channel: subscribe.channel,
            symbol: Some(symbol),
            depth: Some(subscribe.depth),
            interval: Some(subscribe.interval),
            policy: Some(subscribe.policy),
            stamps: true,
        };
        let subscribed = Subscribed { subscription, epoch: EPOCH, seq, recovered: false };
        answer.texts.push(text(|out| native_json::push_subscribed(out, &subscribed, None)));
        answer.texts.push(self.texts.snapshot(topic, seq, clock::now()));
    }
}

fn refusal(method: &str, symbol: Option<&str>) -> String {
    let (words, code) = match symbol {
        Some(_) => ("there is no such symbol in this feed", ErrorCode::BadSymbol),
        None => ("this server only knows subscribe and ping", ErrorCode::BadMethod),
    };
    let error = ErrorAnswer { method: Some(method), text: words, code, symbol, retry_after_ms: None };
    text(|out| native_json::push_error(out, &error, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn market() -> Market<String> {
        Market::new(1).unwrap()
    }

    /// The first and the last number of a message.
    fn range(text: &str) -> [Option<u64>; 2] {
        let message: Value = serde_json::from_str(text).unwrap();
        ["first_seq", "seq"].map(|name| message["data"][0][name].as_u64())
    }

    #[test]
    fn a_subscription_is_answered_then_begins_with_a_snapshot_and_goes_on_densely() {
        let market = market();
        market.publish(0, FIRST + 1, Nanos(6));
        let answer =
            market.answer(r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USDT"]}}"#);
        let [acknowledged, snapshot] = &answer.texts[..] else { panic!("{:?}", answer.texts) };
        assert!(acknowledged.starts_with(r#"{"method":"subscribe","success":true"#), "{acknowledged}");
        assert!(snapshot.starts_with(r#"{"channel":"book","type":"snapshot""#), "{snapshot}");
        assert_eq!(range(snapshot), [None, Some(FIRST + 1)]);
        market.publish(0, FIRST + 2, Nanos(7));
        let [(0, updates)] = &mut { answer.begun }[..] else { panic!("there is one topic") };
        assert_eq!(range(&updates.try_recv().unwrap()), [Some(FIRST + 2); 2]);
        assert!(updates.try_recv().is_err(), "what the snapshot holds is not sent again");
    }

    #[test]
    fn other_requests_are_answered_with_a_time_or_a_refusal() {
        let check = |request, part: &str| {
            let answer = market().answer(request);
            assert!(answer.texts[0].contains(part) && answer.begun.is_empty(), "{:?}", answer.texts);
        };
        check(r#"{"method":"ping"}"#, "time_out");
        check(r#"{"method":"list"}"#, r#""success":false"#);
        check("nonsense", r#""success":false"#);
        check(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["NO/SUCH"]}}"#,
            r#""symbol":"NO/SUCH""#,
        );
    }
}
