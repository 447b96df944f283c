//! Replays for one client: what it asks for, what waits to be written to it, and how a replay becomes a live subscription.
//!
//! What is played is made elsewhere, by whoever drives the worker: it takes [`ReplayWish`]es and brings messages
//! ([`Worker::replayed`]). A replay is given only so much ahead of what its client has taken, so it waits for its client and not
//! for any other.

use crate::{
    beginning::Beginning,
    outlet::{ConnId, Outlet},
    requests::{not_subscribed, topic_of},
    subscriber::{Place, Subscription},
    worker::Worker,
};
use market::{Epoch, Nanos, Seq, SymbolId};
use std::collections::VecDeque;
use wire::{
    dialect::native_json,
    envelope::Envelope,
    message::{
        Channel, Encoding, ErrorAnswer, ErrorCode, Policy, Refusal, Replay, ReqId, SnapshotReason, Steer,
        Steering, Subscribe,
    },
    token::{Token, TokenEntry},
};

/// A replay of one worker; numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplayId(pub u64);

/// What a client wishes of a replay. Whoever drives the worker sees to it ([`Worker::take_wishes`]).
#[derive(Debug)]
pub enum ReplayWish {
    /// Begin one.
    Begin(Box<ReplayOrder>),
    /// Do something else. Where that may fail, its messages answer the request of this mark.
    Steer(ReplayId, Steering, Option<ReqId>),
    /// Its client has taken so many bytes.
    Taken(ReplayId, usize),
    /// Nobody wants it any more.
    Drop(ReplayId),
}

/// A replay that is to begin.
#[derive(Debug)]
pub struct ReplayOrder {
    /// Which one.
    pub id: ReplayId,
    /// For whom.
    pub conn: ConnId,
    /// The mark on its messages.
    pub name: ReqId,
    /// The mark of the request.
    pub request: Option<ReqId>,
    /// How its messages are wrapped.
    pub envelope: Envelope,
    /// Of which symbols, by the names that the feed gives them.
    pub symbols: Vec<String>,
    /// What is to be played.
    pub replay: Replay,
}

/// How a replay ends.
#[derive(Debug)]
pub enum ReplayEnd {
    /// It could not begin; its messages hold the answer.
    Refused,
    /// Nothing follows.
    Over,
    /// It has come to now: its subscriptions go on live.
    Live(Boundary),
}

/// Where a replay has come to when it goes live.
#[derive(Debug)]
pub struct Boundary {
    /// The numbering that it was in.
    pub epoch: Epoch,
    /// The last number that was sent of each symbol.
    pub sent: Vec<(String, Seq)>,
}

/// The replays of one client.
#[derive(Debug, Default)]
pub struct Replays {
    list: Vec<Playing>,
    /// They were written to last: others have their go.
    had_turn: bool,
}

#[derive(Debug)]
struct Playing {
    id: ReplayId,
    name: ReqId,
    /// What becomes a live subscription, and of which symbols.
    live: Option<Box<(Subscribe, Vec<SymbolId>)>>,
    /// Whole messages, wrapped.
    pending: VecDeque<Vec<u8>>,
    end: Option<ReplayEnd>,
}

impl Replays {
    fn find(&self, name: &ReqId) -> Option<usize> {
        self.list.iter().position(|playing| playing.name == *name)
    }

    /// Whether a replay will become a live subscription of this.
    fn will_be(&self, channel: Channel, symbol: SymbolId) -> bool {
        self.becoming().any(|(subscribe, symbols)| subscribe.channel == channel && symbols.contains(&symbol))
    }

    fn becoming(&self) -> impl Iterator<Item = &(Subscribe, Vec<SymbolId>)> {
        self.list.iter().filter_map(|playing| playing.live.as_deref())
    }

    /// Whether anything waits to be written, or to be ended.
    fn is_pending(&self) -> bool {
        self.list.iter().any(|playing| !playing.pending.is_empty() || playing.end.is_some())
    }
}

/// What is next of a client's replays.
pub(crate) enum Next {
    Nothing,
    Bytes(Vec<u8>),
    Ended,
}

impl Worker {
    /// Whether a replay of this client will become a live subscription of this.
    pub(crate) fn will_be_live(&self, conn: ConnId, channel: Channel, symbol: SymbolId) -> bool {
        self.replays.get(&conn).is_some_and(|replays| replays.will_be(channel, symbol))
    }

    /// How many subscriptions its replays will become.
    pub(crate) fn live_to_come(&self, conn: ConnId) -> usize {
        self.replays
            .get(&conn)
            .into_iter()
            .flat_map(Replays::becoming)
            .map(|(_, symbols)| symbols.len())
            .sum()
    }

    /// Whether something of a replay waits for a client.
    #[inline]
    pub(crate) fn has_replayed(&self, conn: ConnId) -> bool {
        !self.replays.is_empty() && self.replays.get(&conn).is_some_and(Replays::is_pending)
    }

    /// What clients wish of replays since this was asked last.
    pub fn take_wishes(&mut self) -> Vec<ReplayWish> {
        std::mem::take(&mut self.wishes)
    }

    /// Begins a replay for a client, or says why not.
    pub(crate) fn replay(&mut self, conn: ConnId, replay: Replay, request: Option<&ReqId>) {
        match self.order_replay(conn, replay, request) {
            Ok(order) => self.wishes.push(ReplayWish::Begin(Box::new(order))),
            Err((refusal, symbol)) => {
                let answer = ErrorAnswer {
                    method: Some("replay"),
                    symbol: symbol.as_deref(),
                    ..ErrorAnswer::new(refusal.code, &refusal.text)
                };
                self.refuse(conn, &answer, request);
            }
        }
    }

    fn order_replay(
        &mut self,
        conn: ConnId,
        replay: Replay,
        request: Option<&ReqId>,
    ) -> Result<ReplayOrder, (Refusal, Option<String>)> {
        let Some(name) = replay.name.as_ref().or(request).cloned() else {
            let text =
                "a replay has a mark, which all its messages carry: give a req_id, or 'replay' in params";
            return Err((Refusal::new(ErrorCode::BadParams, text), None));
        };
        let mut symbols = Vec::with_capacity(replay.subscribe.symbols.len());
        for symbol in &replay.subscribe.symbols {
            let found = self.find_symbol(symbol).map_err(|refusal| (refusal, Some(symbol.clone())))?;
            if !symbols.contains(&found) {
                symbols.push(found);
            }
        }
        self.check_replay(conn, &name, &replay, &symbols).map_err(|refusal| (refusal, None))?;
        self.last_replay += 1;
        let id = ReplayId(self.last_replay);
        let live = replay.goes_live.then(|| Box::new((replay.subscribe.clone(), symbols.clone())));
        let playing = Playing { id, name: name.clone(), live, pending: VecDeque::new(), end: None };
        let envelope = self.subscribers[conn.0 as usize].envelope();
        self.replays.entry(conn).or_default().list.push(playing);
        let instruments = self.publisher.instruments();
        let symbols = symbols.iter().map(|&symbol| instruments[symbol].symbol.clone()).collect();
        Ok(ReplayOrder { id, conn, name, request: request.cloned(), envelope, symbols, replay })
    }

    fn check_replay(
        &self,
        conn: ConnId,
        name: &ReqId,
        replay: &Replay,
        symbols: &[SymbolId],
    ) -> Result<(), Refusal> {
        let subscriber = &self.subscribers[conn.0 as usize];
        if subscriber.native_codec().body != wire::codec::Body::Native(Encoding::Json) {
            let text = "replays are offered in JSON only; open another connection without SBE";
            return Err(Refusal::new(ErrorCode::NotOffered, text));
        }
        let most = self.limits.replays_per_connection;
        if let Some(replays) = self.replays.get(&conn) {
            if replays.find(name).is_some() {
                let text = "a replay with this mark runs; stop it, or give another req_id";
                return Err(Refusal::new(ErrorCode::AlreadySubscribed, text));
            }
            if most > 0 && replays.list.len() >= most {
                let text = format!("a connection has at most {most} replays; stop one, or open another one");
                return Err(Refusal::new(ErrorCode::TooManyTopics, text));
            }
        }
        if !replay.goes_live {
            return Ok(());
        }
        let channel = replay.subscribe.channel;
        let has = |symbol: SymbolId| {
            subscriber.find(channel, symbol).is_some() || self.will_be_live(conn, channel, symbol)
        };
        if symbols.iter().any(|&symbol| has(symbol)) {
            let text =
                "this connection has this channel and symbol already, and a replay that goes live becomes it";
            return Err(Refusal::new(ErrorCode::AlreadySubscribed, text));
        }
        self.check_room_for(conn, symbols.len())
    }

    /// A replay does not begin, for this reason.
    pub fn refuse_replay(&mut self, order: &ReplayOrder, refusal: &Refusal) {
        let replays = self.replays.get_mut(&order.conn);
        let Some((replays, at)) = replays.and_then(|replays| {
            let at = replays.list.iter().position(|playing| playing.id == order.id)?;
            Some((replays, at))
        }) else {
            // Whoever asked has gone, and another one may have its number.
            return;
        };
        replays.list.remove(at);
        let answer = ErrorAnswer { method: Some("replay"), ..ErrorAnswer::new(refusal.code, &refusal.text) };
        self.refuse(order.conn, &answer, order.request.as_ref());
        self.make_ready(order.conn);
    }

    /// Passes on what a client wants of a replay that runs.
    pub(crate) fn steer_replay(&mut self, conn: ConnId, steer: &Steer, request: Option<&ReqId>) {
        let replays = self.replays.get_mut(&conn);
        let found = replays.and_then(|replays| Some((replays.find(&steer.replay)?, replays)));
        let Some((at, replays)) = found else {
            let text = "there is no such replay; it may have ended, or gone live";
            return self.refuse_channel(conn, steer.how.name(), request, not_subscribed().code, text);
        };
        let id = replays.list[at].id;
        if steer.how == Steering::Stop {
            replays.list.remove(at);
            self.wishes.push(ReplayWish::Drop(id));
        } else {
            self.wishes.push(ReplayWish::Steer(id, steer.how, request.cloned()));
        }
        if matches!(steer.how, Steering::Seek(_)) {
            // Whether it can be done is known only to those who have the recording.
            return;
        }
        let answers = &mut self.subscribers[conn.0 as usize].answers;
        answers.say(|body| native_json::push_steered(body, steer, request));
    }

    /// Takes messages of a replay, wrapped, and whether it ends with them. Whether anybody wants them.
    pub fn replayed(
        &mut self,
        conn: ConnId,
        id: ReplayId,
        messages: Vec<u8>,
        end: Option<ReplayEnd>,
        now: Nanos,
        outlet: &mut impl Outlet,
    ) -> bool {
        let replays = self.replays.get_mut(&conn);
        let playing = replays.and_then(|replays| replays.list.iter_mut().find(|playing| playing.id == id));
        let Some(playing) = playing else { return false };
        if !messages.is_empty() {
            playing.pending.push_back(messages);
        }
        playing.end = end;
        self.serve(conn, now, outlet);
        true
    }

    /// What is to be written of a client's replays next; nothing if what is live has its go first.
    pub(crate) fn next_replayed(&mut self, conn: ConnId) -> Next {
        let Some(replays) = self.replays.get_mut(&conn) else { return Next::Nothing };
        if std::mem::take(&mut replays.had_turn) {
            return Next::Nothing;
        }
        // Each in its turn: who was served goes to the end.
        let Some(at) = replays.list.iter().position(|it| !it.pending.is_empty() || it.end.is_some()) else {
            return Next::Nothing;
        };
        let mut playing = replays.list.remove(at);
        replays.had_turn = true;
        if let Some(bytes) = playing.pending.pop_front() {
            self.wishes.push(ReplayWish::Taken(playing.id, bytes.len()));
            replays.list.push(playing);
            return Next::Bytes(bytes);
        }
        if replays.list.is_empty() {
            self.replays.remove(&conn);
        }
        if let (Some(ReplayEnd::Live(boundary)), Some(live)) = (playing.end, playing.live) {
            self.go_live(conn, &playing.name, &boundary, *live);
        }
        Next::Ended
    }

    /// The subscriptions of a replay go on live, from the boundary on.
    fn go_live(
        &mut self,
        conn: ConnId,
        name: &ReqId,
        boundary: &Boundary,
        (subscribe, symbols): (Subscribe, Vec<SymbolId>),
    ) {
        for symbol in symbols {
            let subscriber = &self.subscribers[conn.0 as usize];
            let key = topic_of(symbol, &subscribe, subscriber.native_codec());
            let instrument = &self.publisher.instruments()[symbol].symbol;
            let sent = boundary.sent.iter().find(|(of, _)| of == instrument).map_or(0, |&(_, seq)| seq);
            let entry = TokenEntry { symbol: instrument.clone(), seq: sent, depth: Some(key.depth) };
            // A book of which nothing was sent begins with a snapshot; trades have none that would make up for the first ones.
            let is_known = sent > 0 || subscribe.channel == Channel::Trade;
            let since = Token::new(boundary.epoch, vec![entry]).ok().filter(|_| is_known);
            let topic = self.publisher.subscribe(key, conn, subscribe.policy);
            // Each message that is held, or one that makes up for those that nobody was sent.
            let [each, merged] = [subscribe.policy, Policy::Conflate].map(|policy| {
                let wanted = Subscribe { since: since.clone(), policy, ..subscribe.clone() };
                self.publisher.beginning(topic, &wanted)
            });
            let Beginning { mut place, sent, recovered } = if each.recovered { each } else { merged };
            let epoch = self.publisher.epoch();
            // Trades of the same numbering that are no longer held are named as a gap.
            let names_gap = key.channel == Channel::Trade && boundary.epoch == epoch;
            if !recovered && !names_gap {
                place = Place::Snapshot(SnapshotReason::Live);
            }
            let subscriber = &mut self.subscribers[conn.0 as usize];
            let policy = subscribe.policy;
            subscriber.insert(Subscription { key, topic, policy, place, sent, quiet: false });
            let instrument = &self.publisher.instruments()[symbol].symbol;
            subscriber.answers.say(|body| native_json::push_live(body, name, instrument, epoch, sent));
        }
    }

    /// Subscribes a connection to what is played to it: it begins with a snapshot that gives this reason, unless it wants none.
    pub fn play(&mut self, conn: ConnId, symbol: SymbolId, subscribe: &Subscribe, reason: SnapshotReason) {
        let Some(subscriber) = self.subscribers.get(conn.0 as usize) else { return };
        let key = topic_of(symbol, subscribe, subscriber.native_codec());
        let topic = self.publisher.subscribe(key, conn, Policy::Lossless);
        let (head, tail) = (self.publisher.topic(topic).log.head(), self.publisher.topic(topic).tail.seq);
        let place =
            if subscribe.snapshot == Some(false) { Place::InStep(head) } else { Place::Snapshot(reason) };
        let subscription =
            Subscription { key, topic, policy: Policy::Lossless, place, sent: tail, quiet: false };
        self.subscribers[conn.0 as usize].insert(subscription);
        self.make_ready(conn);
    }

    /// Whether a connection waits for a snapshot.
    pub fn awaits_snapshot(&self, conn: ConnId) -> bool {
        let subscriptions = self.subscribers.get(conn.0 as usize).map(|subscriber| &subscriber.subscriptions);
        subscriptions.into_iter().flatten().any(|sub| matches!(sub.place, Place::Snapshot(_)))
    }

    /// The last number that a connection was sent, of each symbol; of one whose book it waits for, none.
    pub fn sent_to(&self, conn: ConnId) -> Vec<(SymbolId, Seq)> {
        let subscriptions = self.subscribers.get(conn.0 as usize).map(|subscriber| &subscriber.subscriptions);
        let begun =
            subscriptions.into_iter().flatten().filter(|sub| !matches!(sub.place, Place::Snapshot(_)));
        begun.map(|sub| (sub.key.symbol, sub.sent)).collect()
    }

    /// Nobody reads the replays of a client any more.
    pub(crate) fn drop_replays(&mut self, conn: ConnId) {
        let ids =
            self.replays.remove(&conn).into_iter().flat_map(|replays| replays.list).map(|playing| playing.id);
        self.wishes.extend(ids.map(ReplayWish::Drop));
    }
}
