//! The last 24 hours of one symbol, in buckets of two minutes.
//!
//! The window moves by a bucket: it begins at the last even minute that is at least 24 h before now. Buckets of one minute
//! would move it more finely and take twice the memory.
//!
//! Highs and lows cannot be taken back, so a sum cannot be told without its oldest bucket. The buckets of the oldest hour are
//! therefore added up when they are read, and only what comes after them is a sum, made anew once an hour.

use crate::{
    Candle,
    bounded::Bounded,
    interval::{DAY, HOUR, MINUTE},
};
use market::{Nanos, Price};

const BUCKET: u64 = 2 * MINUTE;

/// The buckets of a window without the one that it ends in.
const MOST: usize = (DAY / BUCKET) as usize;

/// What the window needs of a bucket, in as few bytes as that takes.
struct Bucket {
    quote_volume: i128,
    base_volume: i128,
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    first_id: u64,
    /// In buckets since 1970.
    number: u32,
    trades: u32,
}

impl Bucket {
    fn new(candle: &Candle) -> Bucket {
        Bucket {
            quote_volume: candle.quote_volume,
            base_volume: candle.base_volume,
            open: candle.open,
            high: candle.high,
            low: candle.low,
            close: candle.close,
            first_id: candle.first_id,
            number: (candle.start.0 / BUCKET) as u32,
            trades: u32::try_from(candle.trades).unwrap_or(u32::MAX),
        }
    }

    fn start(&self) -> Nanos {
        Nanos(u64::from(self.number) * BUCKET)
    }

    /// As a candle, of which only what a window needs is there.
    fn candle(&self) -> Candle {
        Candle {
            high: self.high,
            low: self.low,
            close: self.close,
            base_volume: self.base_volume,
            quote_volume: self.quote_volume,
            trades: self.trades.into(),
            first_id: self.first_id,
            ..Candle::flat(self.start(), self.open)
        }
    }
}

/// Where the window of a moment begins.
pub(crate) fn window_start(now: Nanos) -> Nanos {
    Nanos(now.0.saturating_sub(DAY)).floor(BUCKET)
}

const _: () = assert!(Window::MOST_BYTES <= 64 << 10, "a day of buckets takes 64 KiB at most");

pub(crate) struct Window {
    closed: Bounded<Bucket>,
    /// The sum of the closed buckets from `split` on.
    sum: Option<Candle>,
    split: Nanos,
    /// The bucket of the last closed minute.
    open: Option<Candle>,
    /// The last price before all that is held.
    before: Option<Price>,
}

/// What a window holds.
pub(crate) struct Content {
    /// The sum of its trades, if it has some. No taker's volumes.
    pub sum: Option<Candle>,
    /// The last price before it, if there was one.
    pub before: Option<Price>,
}

impl Window {
    /// The most that the closed buckets take.
    pub const MOST_BYTES: usize = MOST * size_of::<Bucket>();

    pub fn new() -> Window {
        Window { closed: Bounded::new(MOST), sum: None, split: Nanos::ZERO, open: None, before: None }
    }

    /// Adds a closed minute, later than those that it has, and forgets the buckets that have left the window by `now`.
    pub fn add_minute(&mut self, minute: &Candle, now: Nanos) {
        let start = minute.start.floor(BUCKET);
        match &mut self.open {
            Some(open) if open.start == start => open.absorb(minute),
            open => {
                if let Some(closed) = open.replace(Candle { start, ..*minute }) {
                    self.close(&closed);
                }
            }
        }
        self.forget(window_start(now));
    }

    fn close(&mut self, bucket: &Candle) {
        if bucket.start >= self.split {
            add(&mut self.sum, bucket);
        }
        if let Some(forgotten) = self.closed.push(Bucket::new(bucket)) {
            self.before = Some(forgotten.close);
        }
    }

    /// Forgets the closed buckets before `from`.
    fn forget(&mut self, from: Nanos) {
        while let Some(forgotten) = self.closed.pop_if(|bucket| bucket.start() < from) {
            self.before = Some(forgotten.close);
        }
        if from >= self.split {
            self.split = Nanos(from.0 + HOUR);
            self.sum = sum(self.closed.items().iter().skip_while(|bucket| bucket.start() < self.split));
        }
    }

    /// What it holds at `now`, with `rest`, the candles after the last closed minute.
    pub fn content<'a>(&'a self, now: Nanos, rest: impl Iterator<Item = &'a Candle>) -> Content {
        let from = window_start(now);
        let closed = self.closed.items();
        let gone = closed.partition_point(|bucket| bucket.start() < from);
        // After a long time without trades the window begins behind the split: all of it is added up.
        let later = self.sum.as_ref().filter(|_| from <= self.split);
        let split = if from <= self.split { self.split } else { Nanos::MAX };
        let mut content = Content {
            sum: sum(closed.range(gone..).take_while(|bucket| bucket.start() < split)),
            before: gone.checked_sub(1).map(|last| closed[last].close).or(self.before),
        };
        for candle in later.into_iter().chain(&self.open).chain(rest) {
            if candle.start < from {
                content.before = Some(candle.close);
            } else {
                add(&mut content.sum, candle);
            }
        }
        content
    }
}

fn add(sum: &mut Option<Candle>, later: &Candle) {
    match sum {
        Some(sum) => sum.absorb(later),
        None => *sum = Some(*later),
    }
}

fn sum<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<Candle> {
    let mut sum = None;
    buckets.for_each(|bucket| add(&mut sum, &bucket.candle()));
    sum
}
