//! What clients ask for: bytes in, answers and changed subscriptions out.
//!
//! An error answers the request that caused it and leaves the connection, and everyone else's, alone.

use crate::{
    beginning::Beginning,
    outlet::{ConnId, Ending, Outlet},
    stats::Watch,
    subscriber::{Place, Subscription},
    topic::TopicKey,
    worker::Worker,
};
use market::{Nanos, SymbolId};
use std::{borrow::Cow, time::Duration};
use wire::{
    codec::Codec,
    dialect::{Dialect, binance, native_json},
    envelope::{
        Envelope,
        websocket::{self, Message, Opcode, Violation},
    },
    message::{
        self, Channel, CloseCode, Depth, Encoding, ErrorAnswer, ErrorCode, Interval, Method, Modify, Pong,
        Refusal, ReqId, Request, RequestError, SnapshotReason, Subscribe, Subscribed, Unsubscribe,
        Unsubscribed, Verdict, Verified, Verify,
    },
};

/// A bbo topic is a view of the best level of each side.
const TOP_OF_BOOK: Depth = Depth::OFFERED[0];

/// The subscription of a connection to its own figures, as answers tell it.
const STATS: message::Subscription<'static> = message::Subscription {
    channel: Channel::Stats,
    symbol: None,
    depth: None,
    interval: None,
    policy: None,
    stamps: false,
};

/// What a frame from the client leads to.
pub(crate) enum Step {
    Go,
    Close(u16, Cow<'static, str>),
    /// The client said goodbye, with this status, which is echoed (RFC 6455 section 5.5.1).
    Goodbye(Option<u16>),
}

impl Worker {
    /// Takes bytes that a client sent, in any pieces; they are used as scratch space. Whoever calls has seen to it that this
    /// worker has read the ring up to where it stood when the bytes came, so that nothing a client may know is unknown here.
    pub fn input(&mut self, conn: ConnId, mut bytes: &mut [u8], now: Nanos, outlet: &mut impl Outlet) {
        // Taken out meanwhile: a message may lie in its buffer.
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        let mut decoder = std::mem::take(&mut subscriber.decoder);
        while self.subscribers.get(conn.0 as usize).is_some_and(|subscriber| !subscriber.is_closing()) {
            let step = match decoder.next(&mut bytes) {
                Ok(Some(message)) => self.frame(conn, message, now),
                Ok(None) => break,
                Err(violation) => self.violation(conn, violation),
            };
            self.act(conn, step, now, outlet);
        }
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
            subscriber.decoder = decoder;
        }
        self.serve(conn, now, outlet);
    }

    /// Does what a client's frame or packet leads to.
    pub(crate) fn act(&mut self, conn: ConnId, step: Step, now: Nanos, outlet: &mut impl Outlet) {
        match step {
            Step::Go => self.serve(conn, now, outlet),
            Step::Close(code, reason) => self.close(conn, Some((code, &reason)), now),
            Step::Goodbye(code) => self.close(conn, code.map(|code| (code, "")), now),
        }
    }

    /// The client will send nothing more: what was to be answered is answered, then the connection ends.
    pub fn input_ended(&mut self, conn: ConnId, now: Nanos, outlet: &mut impl Outlet) {
        let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) else { return };
        if subscriber.decoder.is_in_message() && !subscriber.is_closing() {
            let text = "the last line has no end; end each with a line feed";
            self.refuse(conn, &ErrorAnswer::new(ErrorCode::BadJson, text), None);
            self.close(conn, None, now);
            return self.serve(conn, now, outlet);
        }
        self.end(conn, Ending::Finished, outlet);
    }

    /// What a client sent breaks the rules of its transport: it is told so, and the connection closes.
    fn violation(&mut self, conn: ConnId, violation: Violation) -> Step {
        if self.subscribers[conn.0 as usize].envelope().has_close_frames() {
            return Step::Close(violation.close_code().code(), violation.to_string().into());
        }
        let code = if violation == Violation::TooBig { ErrorCode::TooLarge } else { ErrorCode::BadJson };
        self.refuse(conn, &ErrorAnswer::new(code, &violation.to_string()), None);
        Step::Goodbye(None)
    }

    fn frame(&mut self, conn: ConnId, message: Message<'_>, now: Nanos) -> Step {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let answers = &mut subscriber.answers;
        if self.limits.are_too_many(answers.len()) {
            return unread_answers();
        }
        match message {
            Message::Ping(payload) => websocket::push_pong(answers.frames(), payload),
            Message::Pong(_) => subscriber.timers.last_pong = now,
            Message::Close(close) => return Step::Goodbye(close.map(|close| close.code)),
            Message::Text(text) if subscriber.echo => answers.echo(Opcode::Text, text.as_bytes()),
            Message::Binary(bytes) if subscriber.echo => answers.echo(Opcode::Binary, bytes),
            Message::Binary(_) => {
                return Step::Close(CloseCode::Unsupported.code(), CloseCode::Unsupported.text().into());
            }
            Message::Text(text) if subscriber.envelope() == Envelope::SocketIo => {
                return self.packet(conn, text, now);
            }
            Message::Text(text) if subscriber.dialect == Dialect::Kraken => {
                return self.kraken_request(conn, text, now);
            }
            Message::Text(text) if self.asks_for_streams(conn, text) => {
                return self.stream_request(conn, text, now);
            }
            Message::Text(text) => return self.request(conn, text, native_json::parse_request, now),
        }
        Step::Go
    }

    /// Whether a request is one for streams: on a plain line, which says nothing beforehand, the first one decides what is
    /// spoken.
    fn asks_for_streams(&mut self, conn: ConnId, text: &str) -> bool {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if subscriber.dialect.is_native() && subscriber.envelope() == Envelope::Tcp && !subscriber.greeted {
            self.request_text.clear();
            self.request_text.extend_from_slice(text.as_bytes());
            if binance::is_request(&mut self.request_text) {
                subscriber.dialect = Dialect::binance(true);
            }
        }
        !subscriber.dialect.is_native()
    }

    /// Takes a request out of a client's budget.
    ///
    /// # Errors
    /// How long it has to wait, or none where it has not waited again and again and is to go.
    pub(crate) fn admit(&mut self, conn: ConnId, probe: bool, now: Nanos) -> Result<(), Option<Duration>> {
        let limits = &self.limits;
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let budget = if probe {
            subscriber.probes.take(now, limits.probes_per_second, limits.probes_per_second)
        } else {
            subscriber.requests.take(now, limits.requests_per_second, limits.request_burst)
        };
        let Err(wait) = budget else {
            subscriber.refusals = 0;
            return Ok(());
        };
        subscriber.refusals += 1;
        let is_to_go = limits.refusals > 0 && subscriber.refusals >= limits.refusals;
        Err(if is_to_go { None } else { Some(wait) })
    }

    /// Takes what a client asks for in words that `parse` understands.
    pub(crate) fn request(
        &mut self,
        conn: ConnId,
        text: &str,
        parse: fn(&mut [u8]) -> Result<Request, RequestError>,
        now: Nanos,
    ) -> Step {
        self.request_text.clear();
        self.request_text.extend_from_slice(text.as_bytes());
        let parsed = parse(&mut self.request_text);
        self.take_request(conn, parsed, now)
    }

    /// Does what a client asks for, or says what is wrong with it, within its budget.
    pub(crate) fn take_request(
        &mut self,
        conn: ConnId,
        parsed: Result<Request, RequestError>,
        now: Nanos,
    ) -> Step {
        let probe = matches!(&parsed, Ok(Request { method: Method::Ping | Method::Verify(_), .. }));
        self.counters.requests += 1;
        match self.admit(conn, probe, now) {
            Ok(()) => {}
            Err(None) => {
                return Step::Close(CloseCode::RateLimited.code(), CloseCode::RateLimited.text().into());
            }
            Err(Some(wait)) => return self.over_budget(conn, &parsed, wait),
        }
        match parsed {
            Ok(request) => self.method(conn, request, now),
            Err(error) => {
                for answer in error.answers() {
                    self.refuse(conn, &answer, error.id.as_ref());
                }
            }
        }
        Step::Go
    }

    fn over_budget(&mut self, conn: ConnId, parsed: &Result<Request, RequestError>, wait: Duration) -> Step {
        let (method, id) = match parsed {
            Ok(request) => (Some(request.method.name()), request.id.as_ref()),
            Err(error) => (error.method.as_deref(), error.id.as_ref()),
        };
        let text = "too many requests; wait retry_after_ms, or name several symbols in one request";
        let answer = ErrorAnswer {
            method,
            retry_after_ms: Some(wait.as_nanos().div_ceil(1_000_000) as u64),
            ..ErrorAnswer::new(ErrorCode::RateLimited, text)
        };
        self.refuse(conn, &answer, id);
        Step::Go
    }

    /// Does what a client asked for with the very request that opened its connection.
    pub fn subscribe_at_once(&mut self, conn: ConnId, subscribe: Subscribe, now: Nanos) {
        if self.subscribers.contains(conn.0 as usize) {
            self.method(conn, Request { id: None, method: Method::Subscribe(subscribe) }, now);
            self.make_ready(conn);
        }
    }

    fn method(&mut self, conn: ConnId, request: Request, now: Nanos) {
        let id = request.id.as_ref();
        let name = request.method.name();
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let first = !std::mem::replace(&mut subscriber.greeted, true);
        match request.method {
            Method::Subscribe(Subscribe { channel: Channel::Stats, .. }) => {
                self.subscribe_stats(conn, id, now)
            }
            Method::Unsubscribe(Unsubscribe { channel: Channel::Stats, .. }) => {
                self.unsubscribe_stats(conn, id)
            }
            Method::Modify(Modify { channel: Channel::Stats, .. }) => {
                let text = "the stats channel has nothing that could be modified";
                self.refuse_channel(conn, name, id, ErrorCode::BadParams, text);
            }
            Method::Subscribe(subscribe) => {
                if let Some(every) = subscribe.heartbeat.filter(|_| first) {
                    subscriber.timers.set_heartbeat(now, every);
                    self.arm(conn);
                }
                self.for_each_symbol(conn, name, id, &subscribe.symbols, |worker, symbol| {
                    worker.subscribe(conn, &subscribe, symbol, id)
                });
            }
            Method::Unsubscribe(unsubscribe) => {
                self.for_each_symbol(conn, name, id, &unsubscribe.symbols, |worker, symbol| {
                    worker.unsubscribe(conn, &unsubscribe, symbol, id)
                });
            }
            Method::Modify(modify) => {
                self.for_each_symbol(conn, name, id, &modify.symbols, |worker, symbol| {
                    worker.modify(conn, &modify, symbol, id)
                });
            }
            Method::List => self.list(conn, id),
            Method::Chaos(chaos) => self.chaos(conn, chaos, id),
            Method::Hello(encoding) => self.hello(conn, encoding, first, id),
            Method::Ping => {
                let pong = Pong { time_in: now, time_out: now };
                subscriber.answers.say(|body| native_json::push_pong(body, &pong, id));
            }
            Method::Replay(replay) => self.replay(conn, *replay, id),
            Method::Steer(steer) => self.steer_replay(conn, &steer, id),
            Method::Verify(verify) => {
                let symbols = std::slice::from_ref(&verify.symbol);
                self.for_each_symbol(conn, name, id, symbols, |worker, symbol| {
                    worker.verify(conn, &verify, symbol, id)
                });
            }
        }
    }

    /// Agrees on an encoding, where a connection begins without a word about it: on a plain line.
    fn hello(&mut self, conn: ConnId, encoding: Encoding, is_first: bool, id: Option<&ReqId>) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if !matches!(subscriber.envelope(), Envelope::Tcp | Envelope::LengthPrefixed) {
            let text = "the encoding is chosen in the handshake: Sec-WebSocket-Protocol: depthcast.v1.sbe";
            return self.refuse_channel(conn, "hello", id, ErrorCode::NotOffered, text);
        }
        if !is_first {
            let text = "hello is the first request of a connection; open another one";
            return self.refuse_channel(conn, "hello", id, ErrorCode::BadMethod, text);
        }
        // A line still: until it is read, nothing is agreed on.
        subscriber.answers.say(|body| native_json::push_hello(body, encoding, id));
        if encoding == Encoding::Sbe {
            subscriber.dialect = Dialect::Native(encoding);
            subscriber.answers.wrap_in(Envelope::LengthPrefixed);
        }
    }

    /// Does something for each named symbol and answers for those that it cannot be done for.
    pub(crate) fn for_each_symbol(
        &mut self,
        conn: ConnId,
        method: &str,
        id: Option<&ReqId>,
        names: &[String],
        mut each: impl FnMut(&mut Worker, SymbolId) -> Result<(), Refusal>,
    ) {
        for name in names {
            if let Err(refusal) = self.find_symbol(name).and_then(|symbol| each(self, symbol)) {
                let answer = ErrorAnswer {
                    method: Some(method),
                    symbol: Some(name),
                    ..ErrorAnswer::new(refusal.code, &refusal.text)
                };
                self.refuse(conn, &answer, id);
            }
        }
    }

    /// The symbol that a client means.
    pub(crate) fn find_symbol(&self, name: &str) -> Result<SymbolId, Refusal> {
        self.publisher.instruments().find(name).ok_or_else(|| unknown_symbol(name))
    }

    /// Refuses a request about a channel of no symbol.
    pub(crate) fn refuse_channel(
        &mut self,
        conn: ConnId,
        method: &str,
        id: Option<&ReqId>,
        code: ErrorCode,
        text: &'static str,
    ) {
        let answer = ErrorAnswer { method: Some(method), ..ErrorAnswer::new(code, text) };
        self.refuse(conn, &answer, id);
    }

    pub(crate) fn refuse(&mut self, conn: ConnId, answer: &ErrorAnswer<'_>, id: Option<&ReqId>) {
        self.counters.refused += 1;
        let time = self.publisher.time();
        if let Some(subscriber) = self.subscribers.get_mut(conn.0 as usize) {
            let dialect = subscriber.dialect;
            subscriber.answers.say(|body| dialect.push_error(body, answer, id, time));
        }
    }

    fn subscribe(
        &mut self,
        conn: ConnId,
        subscribe: &Subscribe,
        symbol: SymbolId,
        id: Option<&ReqId>,
    ) -> Result<(), Refusal> {
        let subscriber = &self.subscribers[conn.0 as usize];
        let key = topic_of(symbol, subscribe, subscriber.native_codec());
        if self.will_be_live(conn, subscribe.channel, symbol) {
            let text = "a replay of this connection becomes this subscription; stop it first";
            return Err(Refusal::new(ErrorCode::AlreadySubscribed, text));
        }
        if subscriber.find(subscribe.channel, symbol).is_some() {
            return Err(Refusal::new(
                ErrorCode::AlreadySubscribed,
                "this connection has this channel and symbol already; use modify to change it",
            ));
        }
        self.check_room_for(conn, 1)?;
        let (at, recovered) = self.begin_subscription(conn, key, subscribe);
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let subscription = &subscriber.subscriptions[at];
        let answer = Subscribed {
            subscription: described(&self.publisher.instruments()[symbol].symbol, subscription),
            epoch: self.publisher.ids_of(symbol).epoch,
            seq: subscription.sent,
            recovered,
        };
        let answers = &mut subscriber.answers;
        answers.say(|body| native_json::push_subscribed(body, &answer, id));
        Ok(())
    }

    /// Whether a connection may have so many more subscriptions, besides those that its replays become.
    pub(crate) fn check_room_for(&self, conn: ConnId, more: usize) -> Result<(), Refusal> {
        let subscriber = &self.subscribers[conn.0 as usize];
        let most = subscriber.envelope().most_topics(self.limits.topics_per_connection);
        if most > 0 && subscriber.subscriptions.len() + self.live_to_come(conn) + more > most {
            return Err(Refusal::new(
                ErrorCode::TooManyTopics,
                format!("a connection has at most {most} subscriptions; open another one"),
            ));
        }
        Ok(())
    }

    /// Begins a subscription. Its place among those of the connection, and whether everything since its token follows.
    pub(crate) fn begin_subscription(
        &mut self,
        conn: ConnId,
        key: TopicKey,
        subscribe: &Subscribe,
    ) -> (usize, bool) {
        let policy = subscribe.policy;
        let topic = self.publisher.subscribe(key, conn, policy);
        let Beginning { place, sent, recovered } = self.publisher.beginning(topic, subscribe);
        let subscription = Subscription { key, topic, policy, place, sent, quiet: false };
        (self.subscribers[conn.0 as usize].insert(subscription), recovered)
    }

    fn subscribe_stats(&mut self, conn: ConnId, id: Option<&ReqId>, now: Nanos) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if subscriber.stats.is_some() {
            let text = "this connection has the stats channel already";
            return self.refuse_channel(conn, "subscribe", id, ErrorCode::AlreadySubscribed, text);
        }
        subscriber.stats = Some(Box::new(Watch::new(now)));
        let answer =
            Subscribed { subscription: STATS, epoch: self.publisher.epoch(), seq: 0, recovered: false };
        subscriber.answers.say(|body| native_json::push_subscribed(body, &answer, id));
        self.arm(conn);
    }

    fn unsubscribe_stats(&mut self, conn: ConnId, id: Option<&ReqId>) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if subscriber.stats.take().is_none() {
            let text = "this connection has no stats subscription";
            return self.refuse_channel(conn, "unsubscribe", id, ErrorCode::NotSubscribed, text);
        }
        let answer = Unsubscribed { channel: Channel::Stats, symbol: None };
        subscriber.answers.say(|body| native_json::push_unsubscribed(body, &answer, id));
    }

    fn unsubscribe(
        &mut self,
        conn: ConnId,
        unsubscribe: &Unsubscribe,
        symbol: SymbolId,
        id: Option<&ReqId>,
    ) -> Result<(), Refusal> {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let at = subscriber.find(unsubscribe.channel, symbol).ok_or_else(not_subscribed)?;
        let subscription = subscriber.subscriptions.remove(at);
        if let Some(chaos) = &mut subscriber.chaos {
            chaos.forget(symbol, unsubscribe.channel);
        }
        self.publisher.unsubscribe(subscription.topic, conn);
        let symbol = &self.publisher.instruments()[symbol].symbol;
        let answer = Unsubscribed { channel: unsubscribe.channel, symbol: Some(symbol) };
        subscriber.answers.say(|body| native_json::push_unsubscribed(body, &answer, id));
        Ok(())
    }

    fn modify(
        &mut self,
        conn: ConnId,
        modify: &Modify,
        symbol: SymbolId,
        id: Option<&ReqId>,
    ) -> Result<(), Refusal> {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let at = subscriber.find(modify.channel, symbol).ok_or_else(not_subscribed)?;
        let old = subscriber.subscriptions.remove(at);
        let key = shared_by_most(TopicKey {
            depth: modify.depth.unwrap_or(old.key.depth),
            interval: modify.interval.unwrap_or(old.key.interval),
            stamps: modify.stamps.unwrap_or(old.key.stamps),
            ..old.key
        });
        let policy = modify.policy.unwrap_or(old.policy);
        let mut new = Subscription { key, policy, ..old };
        if key == old.key {
            new.place = self.publisher.place_in_same_topic(&old);
            self.publisher.set_policy(old.topic, conn, policy);
        } else {
            new.topic = self.publisher.subscribe(key, conn, policy);
            new.place = self.publisher.place_after_modify(&old, new.topic, policy);
            self.publisher.unsubscribe(old.topic, conn);
        }
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let answer = described(&self.publisher.instruments()[symbol].symbol, &new);
        subscriber.answers.say(|body| native_json::push_modified(body, &answer, id));
        subscriber.insert(new);
        Ok(())
    }

    fn list(&mut self, conn: ConnId, id: Option<&ReqId>) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let instruments = self.publisher.instruments();
        let (subscriptions, answers) = (&subscriber.subscriptions, &mut subscriber.answers);
        let listed =
            subscriptions.iter().map(|sub| (described(&instruments[sub.key.symbol].symbol, sub), sub.sent));
        let listed = listed.chain(subscriber.stats.as_ref().map(|_| (STATS, 0)));
        answers.say(|body| native_json::push_list(body, listed, id));
    }

    fn verify(
        &mut self,
        conn: ConnId,
        verify: &Verify,
        symbol: SymbolId,
        id: Option<&ReqId>,
    ) -> Result<(), Refusal> {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        let at = subscriber.find(Channel::Book, symbol).ok_or_else(not_subscribed)?;
        let sub = &mut subscriber.subscriptions[at];
        let checksum = self.publisher.checksum_at(symbol, verify.seq, sub.key.depth);
        let verdict = match checksum {
            None => Verdict::Unknown,
            Some(checksum) if checksum == verify.checksum => Verdict::Ok,
            Some(_) => Verdict::Mismatch,
        };
        match verdict {
            Verdict::Ok => {
                let count = &mut subscriber.figures.verify_ok;
                *count = count.saturating_add(1);
            }
            Verdict::Unknown => {}
            Verdict::Mismatch => {
                let count = &mut subscriber.figures.verify_mismatch;
                *count = count.saturating_add(1);
                self.counters.verify_mismatch += 1;
                sub.place = Place::Snapshot(SnapshotReason::VerifyMismatch);
            }
        }
        let symbol = &self.publisher.instruments()[symbol].symbol;
        let answer = Verified { symbol, seq: verify.seq, verdict };
        subscriber.answers.say(|body| native_json::push_verified(body, &answer, id));
        Ok(())
    }
}

/// A client asks and does not read.
pub(crate) fn unread_answers() -> Step {
    Step::Close(CloseCode::PolicyViolation.code(), "read the answers before you ask for more".into())
}

fn unknown_symbol(name: &str) -> Refusal {
    let shown: String = name.chars().take(32).collect();
    Refusal::new(
        ErrorCode::BadSymbol,
        format!("there is no symbol '{shown}'; GET /v1/instruments lists them"),
    )
}

pub(crate) fn not_subscribed() -> Refusal {
    Refusal::new(ErrorCode::NotSubscribed, "this connection has no such subscription; list names what it has")
}

/// The topic of what a client wants of a symbol.
pub(crate) fn topic_of(symbol: SymbolId, subscribe: &Subscribe, codec: Codec) -> TopicKey {
    let &Subscribe { channel, depth, interval, stamps, .. } = subscribe;
    shared_by_most(TopicKey { symbol, channel, depth, interval, stamps, codec })
}

/// The topic of these parameters without those that its channel has no use for, so that more share it.
pub(crate) fn shared_by_most(key: TopicKey) -> TopicKey {
    match key.channel {
        Channel::Bbo => TopicKey { depth: TOP_OF_BOOK, ..key },
        Channel::Trade => TopicKey { depth: Depth::ALL, interval: Interval::EACH_EVENT, ..key },
        Channel::Book | Channel::Stats | Channel::Summary => key,
    }
}

/// A subscription as answers tell it.
fn described<'a>(symbol: &'a str, sub: &Subscription) -> message::Subscription<'a> {
    let key = &sub.key;
    message::Subscription {
        channel: key.channel,
        symbol: Some(symbol),
        depth: (key.channel == Channel::Book).then_some(key.depth),
        interval: (key.channel != Channel::Trade).then_some(key.interval),
        policy: Some(sub.policy),
        stamps: key.stamps,
    }
}
