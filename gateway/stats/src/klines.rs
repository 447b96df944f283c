//! Reading candles of any interval from those of a kept one, with those between in which nothing was traded.

use crate::{Candle, Interval, Kline};
use market::{Nanos, Price};
use std::{collections::vec_deque, iter::Peekable, option};

/// Which candles are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KlineQuery {
    /// Of which interval.
    pub interval: Interval,
    /// None that begin earlier; with it the oldest that fit are given, without it the newest.
    pub from: Option<Nanos>,
    /// None that begin later.
    pub to: Nanos,
    /// At most so many, and at most [`MAX_HISTORY`](crate::MAX_HISTORY).
    pub limit: usize,
}

impl KlineQuery {
    /// The newest `limit` candles, the last of which is still open.
    pub fn newest(interval: Interval, limit: usize) -> KlineQuery {
        KlineQuery { interval, from: None, to: Nanos::MAX, limit }
    }

    /// Where the first candle begins that it asks for, if the last one begins at `last`.
    pub(crate) fn first_wanted(&self, last: Nanos, limit: usize) -> Nanos {
        match self.from {
            Some(from) => self.interval.next_start(from.min(Nanos::MAX)),
            None => {
                (1..limit).fold(last, |start, _| self.interval.start_of(Nanos(start.0.saturating_sub(1))))
            }
        }
    }
}

/// Candles one after another without a hole, up to the one that holds `now`.
pub(crate) struct Klines<'a> {
    interval: Interval,
    next: Nanos,
    now: Nanos,
    /// The last price before `next`.
    close: Option<Price>,
    /// Candles with trades, each within one of the interval's.
    parts: Peekable<Parts<'a>>,
}

type Parts<'a> = std::iter::Chain<std::iter::Copied<vec_deque::Iter<'a, Candle>>, option::IntoIter<Candle>>;

impl<'a> Klines<'a> {
    pub fn new(
        interval: Interval,
        start: Nanos,
        now: Nanos,
        close: Option<Price>,
        closed: vec_deque::Iter<'a, Candle>,
        open: Option<Candle>,
    ) -> Klines<'a> {
        Klines { interval, next: start, now, close, parts: closed.copied().chain(open).peekable() }
    }
}

impl Iterator for Klines<'_> {
    type Item = Kline;

    fn next(&mut self) -> Option<Kline> {
        let (start, end) = (self.next, self.interval.end_of(self.next));
        if start > self.now {
            return None;
        }
        let mut candle: Option<Candle> = None;
        while let Some(part) = self.parts.next_if(|part| part.start < end) {
            match &mut candle {
                Some(candle) => candle.absorb(&part),
                None => candle = Some(Candle { start, ..part }),
            }
        }
        let candle = candle.or_else(|| self.close.map(|price| Candle::flat(start, price)))?;
        self.close = Some(candle.close);
        self.next = end;
        Some(Kline { interval: self.interval, candle, end, closed: end <= self.now })
    }
}
