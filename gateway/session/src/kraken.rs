//! The Kraken dialect: what clients ask for by its methods, as topics of the native protocol in other words.

use crate::{
    outlet::ConnId,
    requests::{Step, not_subscribed},
    topic::TopicKey,
    worker::Worker,
};
use market::{Nanos, SymbolId};
use wire::{
    codec::{Body, Codec},
    dialect::{
        Dialect,
        kraken_v2::{self, Feed, Method, Subscribe},
    },
    message::{self, CloseCode, Depth, ErrorAnswer, ErrorCode, Policy, Pong, Refusal, ReqId},
};

impl Worker {
    /// Takes a request, within the client's budget.
    pub(crate) fn kraken_request(&mut self, conn: ConnId, text: &str, now: Nanos) -> Step {
        self.request_text.clear();
        self.request_text.extend_from_slice(text.as_bytes());
        let parsed = kraken_v2::parse_request(&mut self.request_text);
        self.counters.requests += 1;
        let probe = matches!(&parsed, Ok(request) if request.method == Method::Ping);
        match (self.admit(conn, probe, now), parsed) {
            (Ok(()), Ok(request)) => self.kraken_method(conn, &request.method, request.id.as_ref(), now),
            (Ok(()), Err(error)) => {
                for answer in error.answers() {
                    self.refuse(conn, &answer, error.id.as_ref());
                }
            }
            (Err(None), _) => {
                return Step::Close(CloseCode::PolicyViolation.code(), CloseCode::RateLimited.text().into());
            }
            (Err(Some(_)), parsed) => {
                let (method, id) = match &parsed {
                    Ok(request) => (Some(request.method.name()), request.id.as_ref()),
                    Err(error) => (error.method.as_deref(), error.id.as_ref()),
                };
                let answer = ErrorAnswer { method, ..ErrorAnswer::new(ErrorCode::RateLimited, "slow down") };
                self.refuse(conn, &answer, id);
            }
        }
        Step::Go
    }

    fn kraken_method(&mut self, conn: ConnId, method: &Method, id: Option<&ReqId>, now: Nanos) {
        let name = method.name();
        match method {
            Method::Ping => {
                let pong = Pong { time_in: now, time_out: now };
                self.subscribers[conn.0 as usize].answers.say(|body| kraken_v2::push_pong(body, &pong, id));
            }
            Method::Subscribe(subscribe) => {
                self.for_each_symbol(conn, name, id, &subscribe.symbols, |worker, symbol| {
                    worker.subscribe_feed(conn, subscribe, symbol, id, now)
                });
            }
            Method::Unsubscribe { feed, symbols } => {
                self.for_each_symbol(conn, name, id, symbols, |worker, symbol| {
                    worker.unsubscribe_feed(conn, *feed, symbol, id, now)
                });
            }
            Method::SubscribeInstrument { snapshot } => self.subscribe_instruments(conn, *snapshot, id, now),
            Method::UnsubscribeInstrument => self.unsubscribe_instruments(conn, id, now),
        }
    }

    fn subscribe_feed(
        &mut self,
        conn: ConnId,
        subscribe: &Subscribe,
        symbol: SymbolId,
        id: Option<&ReqId>,
        now: Nanos,
    ) -> Result<(), Refusal> {
        let feed = subscribe.feed;
        if self.find_feed(conn, feed, symbol).is_some() {
            return Err(Refusal::new(ErrorCode::AlreadySubscribed, "this connection has it already"));
        }
        self.check_room_for(conn, 1)?;
        let envelope = self.subscribers[conn.0 as usize].envelope();
        let (channel, interval) = feed.source();
        let depth = if feed == Feed::Book { subscribe.depth } else { Depth::ALL };
        let codec = Codec { body: Body::Kraken(feed), envelope };
        let key = TopicKey { symbol, channel, depth, interval, stamps: false, codec };
        let begin = message::Subscribe {
            channel,
            symbols: Vec::new(),
            depth,
            interval,
            policy: Policy::Conflate,
            stamps: false,
            snapshot: Some(subscribe.snapshot),
            since: None,
            heartbeat: None,
        };
        self.begin_subscription(conn, key, &begin);
        let symbol = &self.publisher.instruments()[symbol].symbol;
        let answers = &mut self.subscribers[conn.0 as usize].answers;
        answers.say(|body| kraken_v2::push_subscribed(body, symbol, subscribe, id, now));
        Ok(())
    }

    fn unsubscribe_feed(
        &mut self,
        conn: ConnId,
        feed: Feed,
        symbol: SymbolId,
        id: Option<&ReqId>,
        now: Nanos,
    ) -> Result<(), Refusal> {
        let at = self.find_feed(conn, feed, symbol).ok_or_else(not_subscribed)?;
        let subscription = self.subscribers[conn.0 as usize].subscriptions.remove(at);
        self.publisher.unsubscribe(subscription.topic, conn);
        let symbol = &self.publisher.instruments()[symbol].symbol;
        let answers = &mut self.subscribers[conn.0 as usize].answers;
        answers.say(|body| kraken_v2::push_unsubscribed(body, symbol, feed, id, now));
        Ok(())
    }

    /// The place among a connection's subscriptions of what is the same as a feed of a symbol.
    fn find_feed(&self, conn: ConnId, feed: Feed, symbol: SymbolId) -> Option<usize> {
        let subscriptions = &self.subscribers[conn.0 as usize].subscriptions;
        subscriptions.iter().position(|sub| {
            let is_same = matches!(sub.key.codec.body, Body::Kraken(other) if other.is_same(feed));
            sub.key.symbol == symbol && is_same
        })
    }

    fn subscribe_instruments(&mut self, conn: ConnId, snapshot: bool, id: Option<&ReqId>, now: Nanos) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if std::mem::replace(&mut subscriber.hears_instruments, true) {
            return self.refuse_channel(
                conn,
                "subscribe",
                id,
                ErrorCode::AlreadySubscribed,
                "it has them already",
            );
        }
        let answers = &mut subscriber.answers;
        answers.say(|body| kraken_v2::push_instrument_subscribed(body, snapshot, id, now));
        if snapshot {
            let instruments = self.publisher.instruments();
            answers.say(|body| kraken_v2::push_instruments(body, instruments));
        }
    }

    fn unsubscribe_instruments(&mut self, conn: ConnId, id: Option<&ReqId>, now: Nanos) {
        let subscriber = &mut self.subscribers[conn.0 as usize];
        if !std::mem::take(&mut subscriber.hears_instruments) {
            return self.refuse_channel(
                conn,
                "unsubscribe",
                id,
                ErrorCode::NotSubscribed,
                "it has not subscribed",
            );
        }
        subscriber.answers.say(|body| kraken_v2::push_instrument_unsubscribed(body, id, now));
    }

    /// The table of instruments is another one: who wants to be told is told all of it.
    pub(crate) fn tell_instruments(&mut self) {
        for conn in self.conns() {
            let subscriber = &mut self.subscribers[conn.0 as usize];
            if subscriber.dialect == Dialect::Kraken
                && subscriber.hears_instruments
                && !subscriber.is_closing()
            {
                let instruments = self.publisher.instruments();
                subscriber.answers.say(|body| kraken_v2::push_instruments(body, instruments));
                self.make_ready(conn);
            }
        }
    }
}
