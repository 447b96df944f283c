//! The candles of one symbol: the open ones, and closed ones as far back as the limit goes.
//!
//! Five intervals are kept, each a whole number of times in the next: 1s, 1m, 15m, 2h, 1d. A trade touches the open second
//! only. A second that closes is added to the open minute, a minute that closes to the open quarter of an hour, and so on,
//! so a trade costs the same however many intervals there are, and a jump of feed time closes at most five candles. The
//! other intervals are added up when they are read, of at most six kept candles (three of a 3d, seven of a week, 31 of a
//! month).
//!
//! Only candles with trades are kept; those between are made when they are read.

use crate::{
    Candle, Interval, Kline, Trade,
    bounded::Bounded,
    klines::{KlineQuery, Klines},
};
use market::Nanos;

const KEPT: [Interval; 5] = [
    Interval::OneSecond,
    Interval::OneMinute,
    Interval::FifteenMinutes,
    Interval::TwoHours,
    Interval::OneDay,
];

/// The fewest closed candles of a kept interval that may be kept: an average price needs 300 seconds, and a month that has
/// just closed 31 days.
pub const MIN_HISTORY: usize = 300;

/// The most closed candles of a kept interval that may be kept, and the most that a query is given.
pub const MAX_HISTORY: usize = 1_000;

/// The place in [`KEPT`] of what an interval is added up of.
fn kept_for(interval: Interval) -> usize {
    KEPT.iter().rposition(|&kept| kept <= interval).unwrap_or(0)
}

pub(crate) struct Candles {
    levels: [Level; KEPT.len()],
}

struct Level {
    interval: Interval,
    /// Of the open second its trades; of the others what is closed of the level below.
    open: Option<Candle>,
    closed: Bounded<Candle>,
    /// Every closed candle that began at this time or later is held.
    whole_from: Nanos,
}

impl Candles {
    /// The bytes of a closed candle of every kept interval.
    pub const STEP_BYTES: usize = KEPT.len() * size_of::<Candle>();

    pub fn new(history: usize) -> Candles {
        let history = history.clamp(MIN_HISTORY, MAX_HISTORY);
        let level =
            |interval| Level { interval, open: None, closed: Bounded::new(history), whole_from: Nanos::ZERO };
        Candles { levels: KEPT.map(level) }
    }

    /// Adds a trade at a time that is no earlier than that of the trade before it. Returns the minute that this closes.
    #[inline]
    pub fn trade(&mut self, at: Nanos, trade: &Trade) -> Option<Candle> {
        let [seconds, ..] = &mut self.levels;
        match &mut seconds.open {
            Some(open) if at < seconds.interval.end_of(open.start) => {
                open.add(trade);
                None
            }
            _ => {
                let minute = self.close_until(at);
                let start = Interval::OneSecond.start_of(at);
                self.levels[0].open = Some(Candle::of(start, trade));
                minute
            }
        }
    }

    /// Closes what has ended by `at`, the shortest first. Returns the minute, if one did.
    fn close_until(&mut self, at: Nanos) -> Option<Candle> {
        let (mut below, mut minute) = (None, None);
        for level in &mut self.levels {
            if let Some(closed) = &below {
                level.absorb(closed);
            }
            below = level.close_until(at);
            match below {
                None => break,
                Some(_) if level.interval == Interval::OneMinute => minute = below,
                Some(_) => {}
            }
        }
        minute
    }

    /// The candle that holds `at`; `None` if that is after `now`, or before what is held.
    pub fn at(&self, interval: Interval, at: Nanos, now: Nanos) -> Option<Kline> {
        let start = interval.start_of(at);
        if at > now || start < self.first_start(interval)? {
            return None;
        }
        self.read(interval, start, now).next()
    }

    /// Appends the candles that a query asks for, the oldest first.
    pub fn query(&self, query: &KlineQuery, now: Nanos, out: &mut Vec<Kline>) {
        let Some(first) = self.first_start(query.interval) else { return };
        let last = query.interval.start_of(query.to.min(now));
        let limit = query.limit.min(MAX_HISTORY);
        let start = query.first_wanted(last, limit).max(first);
        let wanted = self.read(query.interval, start, now).take_while(|kline| kline.candle.start <= last);
        out.extend(wanted.take(limit));
    }

    /// Where the first candle begins of which everything is held.
    fn first_start(&self, interval: Interval) -> Option<Nanos> {
        let place = kept_for(interval);
        let level = &self.levels[place];
        let oldest = level.closed.items().front().map(|candle| candle.start);
        let oldest = oldest.or_else(|| self.open(place).map(|open| open.start))?;
        Some(interval.next_start(interval.start_of(oldest).max(level.whole_from)))
    }

    /// The candles from the one that begins at `start`, which is not before the first.
    fn read(&self, interval: Interval, start: Nanos, now: Nanos) -> Klines<'_> {
        let place = kept_for(interval);
        let closed = self.levels[place].closed.items();
        let begin = closed.partition_point(|candle| candle.start < start);
        let mut before = begin.checked_sub(1).map(|last| closed[last].close);
        let open = self.open(place);
        if let Some(open) = open.filter(|open| open.start < start) {
            before = Some(open.close);
        }
        let open = open.filter(|open| open.start >= start);
        Klines::new(interval, start, now, before, closed.range(begin..), open)
    }

    /// The open candle of a kept interval, with all that is open below it.
    fn open(&self, place: usize) -> Option<Candle> {
        let parts = || self.levels[..=place].iter().rev().filter_map(|level| level.open.as_ref());
        let start = KEPT[place].start_of(parts().next()?.start);
        Candle::sum(start, parts())
    }

    /// What is not in a closed minute yet, the earlier first.
    pub fn since_minute(&self) -> impl Iterator<Item = &Candle> {
        let [seconds, minutes, ..] = &self.levels;
        [minutes.open.as_ref(), seconds.open.as_ref()].into_iter().flatten()
    }

    /// The seconds with trades from `start` on, as far as they are held.
    pub fn seconds_from(&self, start: Nanos) -> impl Iterator<Item = &Candle> {
        let [seconds, ..] = &self.levels;
        let closed = seconds.closed.items();
        let begin = closed.partition_point(|second| second.start < start);
        closed.range(begin..).chain(seconds.open.as_ref().filter(|open| open.start >= start))
    }
}

impl Level {
    fn close_until(&mut self, at: Nanos) -> Option<Candle> {
        let closed = self.open.take_if(|open| at >= self.interval.end_of(open.start))?;
        if let Some(forgotten) = self.closed.push(closed) {
            self.whole_from = self.interval.end_of(forgotten.start);
        }
        Some(closed)
    }

    fn absorb(&mut self, closed_below: &Candle) {
        match &mut self.open {
            Some(open) => open.absorb(closed_below),
            None => {
                let start = self.interval.start_of(closed_below.start);
                self.open = Some(Candle { start, ..*closed_below });
            }
        }
    }
}
