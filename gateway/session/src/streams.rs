//! The streams of the Binance dialect: what clients ask for by its methods.
//!
//! They are the topics of the native protocol in other words: what differs is that a request is done as a whole or not at all,
//! and that a connection may have several streams of one symbol's book.

use crate::{outlet::ConnId, requests::Step, subscriber::Subscription, topic::TopicKey, worker::Worker};
use market::{Instruments, Nanos, SymbolId};
use wire::{
    codec::{Body, Codec},
    dialect::{
        Dialect,
        binance::{self, Fault, Form, Id, Method, Request, RequestError, Stream, StreamName},
    },
    message::{CloseCode, Encoding, Policy, Subscribe},
    token::Token,
};

/// What a client named with the request that opens its connection.
#[derive(Debug, Clone, Default)]
pub struct OpenStreams {
    /// The streams that there are.
    pub names: Vec<StreamName>,
    /// What is wrong with the others.
    pub faults: Vec<Fault>,
    /// Where to go on.
    pub since: Option<Token>,
}

/// The streams that are offered, for those who named another one.
const fn offered(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => {
            "@depth, @depth5, @depth10, @depth20, each also with @100ms, @trade, @aggTrade, @bookTicker, @ticker, \
             @miniTicker, @avgPrice, @kline_1m, and !ticker@arr and !miniTicker@arr"
        }
        Encoding::Sbe => "@trade, @bestBidAsk, @depth and @depth20",
    }
}

/// The stream with events of this encoding of a name such as `btcusdt@depth@100ms`.
///
/// # Errors
/// If there is no such symbol, or no such stream.
pub fn find_stream(name: &str, encoding: Encoding, instruments: &Instruments) -> Result<StreamName, Fault> {
    let shown = || name.chars().take(48).collect::<String>();
    let unknown = || Fault::request(format!("'{}' is not offered; there is {}", shown(), offered(encoding)));
    match (Stream::parse_of_all(name), encoding) {
        (Some(_), Encoding::Sbe) => return Err(unknown()),
        (Some(stream), Encoding::Json) if !instruments.is_empty() => {
            return Ok(StreamName { symbol: SymbolId(0), stream });
        }
        _ => {}
    }
    let (symbol, stream) = name
        .split_once('@')
        .ok_or_else(|| Fault::request(format!("'{}' is no stream; name it like btcusdt@depth", shown())))?;
    let symbol = Some(symbol)
        .filter(|symbol| !symbol.bytes().any(|byte| byte.is_ascii_uppercase()))
        .ok_or_else(Fault::symbol)
        .and_then(|symbol| binance::find_symbol(&symbol.to_ascii_uppercase(), instruments))?;
    let stream = Stream::parse(stream, encoding).ok_or_else(unknown)?;
    Ok(StreamName { symbol, stream })
}

impl Worker {
    /// Takes a request for streams.
    pub(crate) fn stream_request(&mut self, conn: ConnId, text: &str, now: Nanos) -> Step {
        self.request_text.clear();
        self.request_text.extend_from_slice(text.as_bytes());
        let parsed = binance::parse_request(&mut self.request_text);
        self.take_stream_request(conn, parsed, now)
    }

    /// Does what a client asks of its streams, or says what is wrong with it, within its budget.
    pub(crate) fn take_stream_request(
        &mut self,
        conn: ConnId,
        parsed: Result<Request, RequestError>,
        now: Nanos,
    ) -> Step {
        self.subscribers[conn.0 as usize].greeted = true;
        let (id, method) = match parsed {
            Ok(request) => (request.id, Ok(request.method)),
            Err(RequestError { id, fault }) => (id, Err(fault)),
        };
        self.counters.requests += 1;
        let method = match self.admit(conn, false, now) {
            Ok(()) => method,
            Err(None) => {
                return Step::Close(CloseCode::PolicyViolation.code(), CloseCode::RateLimited.text().into());
            }
            Err(Some(wait)) => {
                let what =
                    format!("wait {} ms, or name several streams in one request", wait.as_millis() + 1);
                Err(Fault::too_many_requests(what))
            }
        };
        if let Err(fault) = method.and_then(|method| self.stream_method(conn, method, &id)) {
            self.counters.refused += 1;
            if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
                subscriber.answers.say(|body| binance::push_error(body, &fault, &id));
            }
        }
        Step::Go
    }

    fn stream_method(&mut self, conn: ConnId, method: Method, id: &Id) -> Result<(), Fault> {
        match method {
            Method::Subscribe { names, since } => {
                let streams = self.find_streams(conn, &names)?;
                self.check_room(conn, &streams)?;
                self.say_to(conn, |body| binance::push_result(body, id));
                self.begin_streams(conn, &streams, since.as_ref());
            }
            Method::Unsubscribe(names) => {
                for stream in self.find_streams(conn, &names)? {
                    self.end_stream(conn, stream);
                }
                self.say_to(conn, |body| binance::push_result(body, id));
            }
            Method::List => {
                let subscriber = &mut self.subscribers[conn.0 as usize];
                let streams = subscriber.subscriptions.iter().filter_map(stream_of);
                let instruments = self.publisher.instruments();
                subscriber.answers.say(|body| binance::push_list(body, streams, instruments, id));
            }
            Method::SetCombined(combined) => {
                self.set_combined(conn, combined);
                self.say_to(conn, |body| binance::push_result(body, id));
            }
            Method::GetCombined => {
                let combined = self.is_combined(conn);
                self.say_to(conn, |body| binance::push_property(body, combined, id));
            }
        }
        Ok(())
    }

    fn find_streams(&self, conn: ConnId, names: &[String]) -> Result<Vec<StreamName>, Fault> {
        let (encoding, instruments) = (self.encoding_of_streams(conn), self.publisher.instruments());
        names.iter().map(|name| find_stream(name, encoding, instruments)).collect()
    }

    /// Begins what a client named with the very request that opened its connection, and says what was wrong with it.
    pub fn open_streams(&mut self, conn: ConnId, wanted: &OpenStreams) {
        if !self.subscribers.contains(conn.0 as usize) {
            return;
        }
        let OpenStreams { names, faults, since } = wanted;
        for fault in faults {
            self.say_to(conn, |body| binance::push_error(body, fault, &Id::Null));
        }
        match self.check_room(conn, names) {
            Ok(()) => self.begin_streams(conn, names, since.as_ref()),
            Err(fault) => self.say_to(conn, |body| binance::push_error(body, &fault, &Id::Null)),
        }
        self.make_ready(conn);
    }

    /// Whether there is room for those streams that the connection does not have.
    fn check_room(&self, conn: ConnId, streams: &[StreamName]) -> Result<(), Fault> {
        let subscriber = &self.subscribers[conn.0 as usize];
        let most = subscriber.envelope().most_topics(self.limits.topics_per_connection);
        let have = &subscriber.subscriptions;
        let mut keys: Vec<TopicKey> = streams.iter().map(|&stream| self.stream_key(conn, stream)).collect();
        keys.retain(|key| have.binary_search_by_key(key, |sub| sub.key).is_err());
        keys.sort_unstable();
        keys.dedup();
        if most > 0 && have.len() + keys.len() > most {
            return Err(Fault::request(format!("too many streams; a connection has at most {most}")));
        }
        Ok(())
    }

    fn begin_streams(&mut self, conn: ConnId, streams: &[StreamName], since: Option<&Token>) {
        for &stream in streams {
            let key = self.stream_key(conn, stream);
            let subscriber = &self.subscribers[conn.0 as usize];
            if subscriber.subscriptions.iter().any(|sub| sub.key == key) {
                continue;
            }
            let (channel, depth, interval) = stream.stream.source();
            let subscribe = Subscribe {
                channel,
                symbols: Vec::new(),
                depth,
                interval,
                policy: Policy::Conflate,
                stamps: false,
                snapshot: None,
                since: since.cloned(),
                heartbeat: None,
            };
            self.begin_subscription(conn, key, &subscribe);
        }
    }

    fn end_stream(&mut self, conn: ConnId, stream: StreamName) {
        let key = self.stream_key(conn, stream);
        let subscriptions = &mut self.subscribers[conn.0 as usize].subscriptions;
        if let Some(at) = subscriptions.iter().position(|sub| sub.key == key) {
            let subscription = subscriptions.remove(at);
            self.publisher.unsubscribe(subscription.topic, conn);
        }
    }

    fn stream_key(&self, conn: ConnId, stream: StreamName) -> TopicKey {
        let StreamName { symbol, stream } = stream;
        let (channel, depth, interval) = stream.source();
        let encoding = self.encoding_of_streams(conn);
        let combined = self.is_combined(conn) && encoding == Encoding::Json;
        let form = Form { stream, combined, encoding };
        let envelope = self.subscribers[conn.0 as usize].envelope();
        let codec = Codec { body: Body::Binance(form), envelope };
        TopicKey { symbol, channel, depth, interval, stamps: false, codec }
    }

    /// Whether a client's events are wrapped with the names of their streams.
    fn is_combined(&self, conn: ConnId) -> bool {
        matches!(self.subscribers[conn.0 as usize].dialect, Dialect::Binance { combined: true, .. })
    }

    fn encoding_of_streams(&self, conn: ConnId) -> Encoding {
        match self.subscribers[conn.0 as usize].dialect {
            Dialect::Binance { encoding, .. } => encoding,
            Dialect::Native(_) | Dialect::Kraken => Encoding::Json,
        }
    }

    fn set_combined(&mut self, conn: ConnId, combined: bool) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let Dialect::Binance { combined: before, .. } = &mut subscriber.dialect else { return };
        if std::mem::replace(before, combined) == combined {
            return;
        }
        for old in std::mem::take(&mut subscriber.subscriptions) {
            let Some(stream) = stream_of(&old) else { continue };
            let key = self.stream_key(conn, stream);
            let topic = self.publisher.subscribe(key, conn, old.policy);
            let place = self.publisher.place_after_modify(&old, topic, old.policy);
            self.publisher.unsubscribe(old.topic, conn);
            self.subscribers[conn.0 as usize].insert(Subscription { key, topic, place, ..old });
        }
    }

    fn say_to(&mut self, conn: ConnId, body: impl FnOnce(&mut Vec<u8>)) {
        self.subscribers[conn.0 as usize].answers.say(body);
    }
}

/// The stream that a subscription is.
fn stream_of(sub: &Subscription) -> Option<StreamName> {
    match sub.key.codec.body {
        Body::Binance(form) => Some(StreamName { symbol: sub.key.symbol, stream: form.stream }),
        Body::Native(_) | Body::Kraken(_) => None,
    }
}
