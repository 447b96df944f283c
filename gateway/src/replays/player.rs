//! One replay: where it is in the recording, how fast, and how far ahead of its client.

use super::Scene;
use crate::archive::{Lane, unreadable};
use feed::{FeedSource, FeedState, PauseHandle};
use journal::{Contents, Part, Remote, Replay, ReplayOptions};
use market::{Event, Instruments, Nanos, SymbolId};
use session::{Boundary, ReplayEnd, ReplayId, ReplayOrder};
use std::{sync::Arc, time::Duration};
use wire::{
    dialect::native_json,
    message::{
        Channel, ErrorAnswer, ErrorCode, Refusal, Replaying, ReqId, SnapshotReason, Steer, Steering,
        Subscription,
    },
};

/// Bytes that may be on their way to a client. What one turn makes comes on top: 256 events, or one larger snapshot.
const WINDOW: usize = 64 << 10;
/// A client that takes nothing for longer than this has the replay wait for it; a shorter stop is made up for.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often it is looked whether the recorder has written what there is.
const WRITTEN_YET: Duration = Duration::from_millis(1);
/// How long the recorder is given for that.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);
/// How often a replay that has come to now, and is to go on beyond, looks for more.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One replay.
pub(super) struct Player {
    scene: Arc<Scene>,
    worker: usize,
    order: ReplayOrder,
    state: State,
    remote: Remote,
    hold: PauseHandle,
    /// Where its client wants it to go on, and the mark of that request.
    seek: Option<(Nanos, Option<ReqId>)>,
    /// Bytes that its client has not taken yet.
    ahead: usize,
    /// Since when it waits for its client.
    full_since: Option<Nanos>,
    /// Whole messages, wrapped, that go to the worker at the end of the turn.
    out: Vec<u8>,
    events: Vec<Event>,
}

enum State {
    /// The recorder is asked to write what is in the ring before `head`; then it begins there, or looks for more.
    Awaits {
        head: u64,
        until: Nanos,
        next: Next,
    },
    Plays(Box<Playing>),
    Ended,
}

enum Next {
    Begin,
    /// It goes on there, or where it was if it cannot.
    Seek(Nanos, Option<ReqId>, Box<Playing>),
    LookAgain(Box<Playing>),
}

struct Playing {
    replay: Replay,
    lane: Lane,
    contents: Contents,
    /// It has looked whether there is more, and there was nothing since.
    looked: bool,
    /// Not before then.
    not_before: Nanos,
}

impl Player {
    pub fn new(scene: Arc<Scene>, worker: usize, order: ReplayOrder) -> Player {
        let remote = Remote::new(order.replay.speed);
        let mut player = Player {
            scene,
            worker,
            order,
            state: State::Ended,
            remote,
            hold: PauseHandle::default(),
            seek: None,
            ahead: 0,
            full_since: None,
            out: Vec::new(),
            events: Vec::new(),
        };
        player.await_written(Next::Begin);
        player
    }

    pub fn id(&self) -> ReplayId {
        self.order.id
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Its client has taken so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.ahead = self.ahead.saturating_sub(bytes);
    }

    /// Does what its client wishes.
    pub fn steer(&mut self, how: Steering, request: Option<ReqId>) {
        match how {
            Steering::Pause => self.hold.pause(),
            Steering::Continue => self.hold.resume(),
            Steering::Speed(speed) => self.remote.set_speed(speed),
            Steering::Seek(to) => {
                if let Some((_, before)) = self.seek.replace((to, request)) {
                    self.pass_over_seek(before.as_ref());
                }
            }
            Steering::Stop => self.state = State::Ended,
        }
    }

    /// A seek that another one has overtaken is answered, too, unless its client asks and does not read.
    fn pass_over_seek(&mut self, request: Option<&ReqId>) {
        if self.out.len() < WINDOW {
            let refusal = Refusal::new(ErrorCode::RateLimited, "another seek came before this one was done");
            self.refuse("seek", &refusal, request);
        }
    }

    /// Plays what is due, a bounded part of it. When there is more to do, if that is known.
    pub fn turn(&mut self, now: Nanos) -> Option<Nanos> {
        if self.ahead >= WINDOW {
            self.full_since.get_or_insert(now);
            return None;
        }
        let due = match std::mem::replace(&mut self.state, State::Ended) {
            State::Awaits { head, until, next } if now < until && !self.is_written(head) => {
                self.state = State::Awaits { head, until, next };
                Some(now + WRITTEN_YET)
            }
            State::Awaits { next: Next::Begin, .. } => self.begin(now),
            State::Awaits { next: Next::Seek(to, request, before), .. } => {
                self.move_to(to, request.as_ref(), before, now)
            }
            State::Awaits { next: Next::LookAgain(playing), .. } => self.look_again(playing, now),
            State::Plays(playing) => match self.seek.take() {
                Some((to, request)) => {
                    self.await_written(Next::Seek(to, request, playing));
                    Some(now)
                }
                None => self.play(playing, now),
            },
            State::Ended => None,
        };
        self.post(None);
        due
    }

    /// Ends it after a panic in its turn: the others go on.
    pub fn give_up(&mut self) {
        self.out.clear();
        self.end(Some(&Refusal::new(ErrorCode::Internal, "the replay failed, by a defect of the gateway")));
    }

    /// Has the recorder write what has happened up to now, if what is played is being recorded.
    fn await_written(&mut self, next: Next) {
        let head = self.scene.stats.head();
        self.state = State::Awaits { head, until: market::clock::now() + WRITTEN_WITHIN, next };
    }

    fn is_written(&self, head: u64) -> bool {
        let Some(recording) = &self.scene.recording else { return true };
        if recording.written() >= head || !recording.recorded().recording {
            return true;
        }
        recording.want_written();
        false
    }

    /// Begins where its client wants it to, or says why not.
    fn begin(&mut self, now: Nanos) -> Option<Nanos> {
        match self.open_at(self.order.replay.from) {
            Ok(playing) => {
                self.answer_order(&playing);
                self.state = State::Plays(playing);
                Some(now)
            }
            Err(refusal) => {
                let request = self.order.request.clone();
                self.refuse("replay", &refusal, request.as_ref());
                self.post(Some(ReplayEnd::Refused));
                None
            }
        }
    }

    /// Goes on elsewhere, or where it was if it cannot.
    fn move_to(
        &mut self,
        to: Nanos,
        request: Option<&ReqId>,
        before: Box<Playing>,
        now: Nanos,
    ) -> Option<Nanos> {
        self.state = match self.open_at(Some(to)) {
            Ok(playing) => {
                let steer = Steer { replay: self.order.name.clone(), how: Steering::Seek(to) };
                let answer = |body: &mut Vec<u8>| native_json::push_steered(body, &steer, request);
                self.order.envelope.message(&mut self.out, answer);
                State::Plays(playing)
            }
            Err(refusal) => {
                self.refuse("seek", &refusal, request);
                State::Plays(before)
            }
        };
        Some(now)
    }

    /// Opens the run in which a feed time lies, there.
    fn open_at(&self, at: Option<Nanos>) -> Result<Box<Playing>, Refusal> {
        let contents = self.scene.archive.run_at(at, self.scene.stats.feed_time())?;
        let is_within = |at: &Nanos| contents.times.is_some_and(|(first, _)| *at > first);
        let from = at.filter(is_within);
        self.open(contents, from, SnapshotReason::Seek)
    }

    /// Opens a run at a feed time of it, or where it begins.
    fn open(
        &self,
        contents: Contents,
        from: Option<Nanos>,
        reason: SnapshotReason,
    ) -> Result<Box<Playing>, Refusal> {
        let wanted = &self.order.replay;
        let symbols = self.symbols_of(&contents)?;
        let part = Part { run: contents.run, symbols: symbols.clone() };
        let options = ReplayOptions {
            remote: self.remote.clone(),
            from,
            to: wanted.to,
            max_gap: wanted.max_gap,
            hold: self.hold.clone(),
            ..ReplayOptions::default()
        };
        let replay = Replay::of_part(self.scene.archive.recording()?, part, options).map_err(unreadable)?;
        let (limits, table) = (self.scene.limits.clone(), self.table_of(&contents));
        let lane = Lane::new(limits, &table, contents.epoch, &wanted.subscribe, symbols, reason);
        Ok(Box::new(Playing { replay, lane, contents, looked: false, not_before: Nanos::ZERO }))
    }

    /// The numbers of the symbols in a run, which may have another table of instruments.
    fn symbols_of(&self, contents: &Contents) -> Result<Vec<SymbolId>, Refusal> {
        let table = self.table_of(contents);
        let find = |symbol: &String| {
            table.find(symbol).ok_or_else(|| {
                let text = format!("there is no {symbol} in that part of the recording");
                Refusal::new(ErrorCode::OutOfRange, text)
            })
        };
        self.order.symbols.iter().map(find).collect()
    }

    /// The instruments of a run: of the one that is served those that were listed since, too.
    fn table_of(&self, contents: &Contents) -> Arc<Instruments> {
        match contents.epoch == self.scene.archive.epoch() {
            true => self.scene.instruments.load_full(),
            false => Arc::new(contents.instruments.clone()),
        }
    }

    /// Plays what is due.
    fn play(&mut self, mut playing: Box<Playing>, now: Nanos) -> Option<Nanos> {
        if self.full_since.take().is_some_and(|since| now.since(since) > PATIENCE) {
            playing.replay.rest();
        }
        if playing.not_before > now {
            let due = playing.not_before;
            self.state = State::Plays(playing);
            return Some(due);
        }
        playing.replay.set_limit(self.limit(&playing.contents));
        self.events.clear();
        let status = match playing.replay.poll(now, &mut self.events) {
            Ok(status) => status,
            Err(error) => {
                tracing::warn!(%error, "a replay ends where the recording cannot be read");
                let text =
                    "the recording cannot be read there, or is no longer kept; the gateway's log says why";
                self.end(Some(&Refusal::new(ErrorCode::OutOfRange, text)));
                return None;
            }
        };
        playing.lane.take(&self.events, playing.replay.instruments(), status.watermark, now);
        let has_ended = status.state == FeedState::Ended;
        let at_limit = playing.replay.is_at_limit();
        if self.events.is_empty() && playing.replay.next_due() != Some(Nanos::ZERO) {
            // What follows is not due yet: the books are all in place.
            playing.lane.begin(now);
        }
        self.collect(&mut playing);
        playing.looked &= self.events.is_empty();
        // Held, it stays where it is, also at its end: its client may want to go elsewhere from there.
        let goes_on = !self.hold.is_paused();
        if has_ended && goes_on {
            return self.at_end(playing, now);
        }
        if at_limit && self.events.is_empty() && goes_on {
            return self.caught_up(playing, now);
        }
        let due = if self.events.is_empty() { playing.replay.next_due() } else { Some(now) };
        self.state = State::Plays(playing);
        due
    }

    /// What is to go live goes no further than the feed has come, where that is a recording that is played to all.
    fn limit(&self, contents: &Contents) -> Nanos {
        let stats = &self.scene.stats;
        let is_played = self.scene.recording.is_none() && contents.epoch == self.scene.archive.epoch();
        match self.order.replay.goes_live && is_played {
            // Nothing more happens at the time that it has come to.
            true if stats.is_feed_ended() => stats.feed_time() + Duration::from_nanos(1),
            true => stats.feed_time(),
            false => Nanos::MAX,
        }
    }

    /// All that was written is played.
    fn at_end(&mut self, mut playing: Box<Playing>, now: Nanos) -> Option<Nanos> {
        match self.next_run(&playing) {
            Ok(Some(next)) => {
                playing.lane.end(now);
                self.collect(&mut playing);
                self.state = State::Plays(next);
                return Some(now);
            }
            Ok(None) => {}
            Err(refusal) => {
                self.end(Some(&refusal));
                return None;
            }
        }
        let grows = self.is_growing(&playing.contents);
        if !grows && !playing.replay.is_cut() {
            playing.lane.end(now);
            self.collect(&mut playing);
        }
        if !grows || playing.looked {
            return self.caught_up(playing, now);
        }
        self.await_written(Next::LookAgain(playing));
        Some(now)
    }

    /// Whether more is being recorded of a run.
    fn is_growing(&self, contents: &Contents) -> bool {
        let archive = &self.scene.archive;
        archive.is_growing() && contents.epoch == archive.epoch()
    }

    /// The run behind the one that is played, if there is one that is still to be played.
    fn next_run(&self, playing: &Playing) -> Result<Option<Box<Playing>>, Refusal> {
        let runs = self.scene.archive.contents()?;
        let next =
            runs.into_iter().find(|contents| contents.run > playing.contents.run && contents.times.is_some());
        let wanted = next.filter(|contents| {
            let first = contents.times.map_or(Nanos::MAX, |(first, _)| first);
            self.order.replay.to.is_none_or(|to| first <= to)
        });
        wanted.map(|contents| self.open(contents, None, SnapshotReason::EpochChanged)).transpose()
    }

    /// What was recorded meanwhile is written.
    fn look_again(&mut self, mut playing: Box<Playing>, now: Nanos) -> Option<Nanos> {
        playing.looked = true;
        if let Err(error) = playing.replay.look_again() {
            self.end(Some(&unreadable(error)));
            return None;
        }
        self.state = State::Plays(playing);
        Some(now)
    }

    /// Everything up to now is played.
    fn caught_up(&mut self, mut playing: Box<Playing>, now: Nanos) -> Option<Nanos> {
        let wanted = &self.order.replay;
        let stats = &self.scene.stats;
        let is_ahead = wanted.to.is_some_and(|to| to > stats.feed_time()) && !stats.is_feed_ended();
        if is_ahead && self.is_growing(&playing.contents) {
            playing.looked = false;
            playing.not_before = now + LOOK_AGAIN;
            self.state = State::Plays(playing);
            return Some(now + LOOK_AGAIN);
        }
        if !wanted.goes_live {
            self.end(None);
            return None;
        }
        let sent = playing.lane.sent();
        self.post(Some(ReplayEnd::Live(Boundary { epoch: playing.contents.epoch, sent })));
        None
    }

    /// Marks and wraps what the lane has made.
    fn collect(&mut self, playing: &mut Playing) {
        let (out, name, envelope) = (&mut self.out, &self.order.name, self.order.envelope);
        playing.lane.drain(|message| {
            envelope.message(out, |body| native_json::mark_as_replay(message, name, body));
        });
    }

    fn answer_order(&mut self, playing: &Playing) {
        let (order, wanted) = (&self.order, &self.order.replay);
        let subscribe = &wanted.subscribe;
        let is_book = subscribe.channel == Channel::Book;
        let answer = Replaying {
            replay: &order.name,
            subscription: Subscription {
                channel: subscribe.channel,
                symbol: None,
                depth: is_book.then_some(subscribe.depth),
                interval: (subscribe.channel != Channel::Trade).then_some(subscribe.interval),
                policy: None,
                stamps: subscribe.stamps,
            },
            symbols: &order.symbols.iter().map(String::as_str).collect::<Vec<_>>(),
            epoch: playing.contents.epoch,
            from: playing.replay.feed_time(),
            to: wanted.to,
            speed: wanted.speed,
            goes_live: wanted.goes_live,
        };
        order.envelope.message(&mut self.out, |body| {
            native_json::push_replaying(body, &answer, order.request.as_ref());
        });
    }

    fn refuse(&mut self, method: &str, refusal: &Refusal, request: Option<&ReqId>) {
        let answer = ErrorAnswer { method: Some(method), ..ErrorAnswer::new(refusal.code, &refusal.text) };
        self.order.envelope.message(&mut self.out, |body| native_json::push_error(body, &answer, request));
    }

    /// Nothing follows, because all was played or it cannot go on.
    fn end(&mut self, failed: Option<&Refusal>) {
        let (order, out) = (&self.order, &mut self.out);
        order.envelope.message(out, |body| native_json::push_replay_ended(body, &order.name, failed));
        self.post(Some(ReplayEnd::Over));
    }

    /// Sends the worker what was made; with an end, nothing follows.
    fn post(&mut self, end: Option<ReplayEnd>) {
        if self.out.is_empty() && end.is_none() {
            return;
        }
        if end.is_some() {
            self.state = State::Ended;
        }
        let messages = std::mem::take(&mut self.out);
        self.ahead += messages.len();
        let (conn, id) = (self.order.conn, self.order.id);
        self.scene.desks[self.worker].post(move |shared| {
            shared.with(|engine| engine.replayed(conn, id, messages, end));
            shared.wake();
        });
    }
}
