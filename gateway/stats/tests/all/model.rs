//! The plainest statistics there can be: all trades are kept, and everything is counted anew from them.

use market::{Event, Kind, Nanos, Price, Qty, Side};
use stats::{Candle, Interval, Kline, KlineQuery, Ticker, Trade};

pub const SECOND: u64 = 1_000_000_000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// One symbol.
#[derive(Default)]
pub struct Model {
    pub feed_time: Nanos,
    /// With their times as timestamps.
    pub trades: Vec<Trade>,
}

impl Model {
    pub fn event(&mut self, event: &Event) {
        match event.kind {
            Kind::Tick => self.feed_time = self.feed_time.max(event.timestamp),
            Kind::Trade => {
                let before = self.trades.last().map_or(Nanos::ZERO, |trade| trade.timestamp);
                let timestamp = event.timestamp.max(self.feed_time).max(before);
                let Event { price, qty, side, number: id, .. } = *event;
                self.trades.push(Trade { timestamp, price, qty, side, id });
            }
            _ => {}
        }
    }

    fn reached(&self, now: Nanos) -> Nanos {
        self.trades.last().map_or(now, |last| last.timestamp.max(now))
    }

    pub fn ticker(&self, now: Nanos) -> Option<Ticker> {
        let (now, last) = (self.reached(now), self.trades.last()?);
        let minute = now.0.saturating_sub(DAY) / MINUTE;
        let open_time = Nanos((minute - minute % 2) * MINUTE);
        let (before, within): (Vec<&Trade>, Vec<&Trade>) =
            self.trades.iter().partition(|trade| trade.timestamp < open_time);
        let prices = || within.iter().map(|trade| trade.price);
        let open = prices().next().unwrap_or(last.price);
        Some(Ticker {
            open_time,
            close_time: now,
            open,
            high: prices().max().unwrap_or(last.price),
            low: prices().min().unwrap_or(last.price),
            last: last.price,
            last_qty: last.qty,
            previous_close: before.last().map_or(open, |trade| trade.price),
            base_volume: within.iter().copied().map(base_of).sum(),
            quote_volume: within.iter().copied().map(quote_of).sum(),
            trades: within.len() as u64,
            first_id: within.first().map_or(0, |trade| trade.id),
            last_id: within.last().map_or(0, |trade| trade.id),
        })
    }

    /// What was paid in the last five minutes, for how much.
    pub fn average(&self, now: Nanos) -> (i128, i128) {
        let from = self.reached(now).0.saturating_sub(5 * MINUTE) / SECOND * SECOND;
        let within = || self.trades.iter().filter(|trade| trade.timestamp.0 >= from);
        (within().map(quote_of).sum(), within().map(base_of).sum())
    }

    /// The candle that begins at `start`, if there was a trade in it or before.
    fn candle(&self, interval: Interval, start: Nanos, now: Nanos) -> Option<Kline> {
        let end = end(interval, start);
        let before = self.trades.iter().rfind(|trade| trade.timestamp < start);
        let within = || self.trades.iter().filter(|trade| (start..end).contains(&trade.timestamp));
        let bought = || within().filter(|trade| trade.side == Side::Bid);
        let mut prices: Vec<Price> = within().map(|trade| trade.price).collect();
        if prices.is_empty() {
            prices.push(before?.price);
        }
        let candle = Candle {
            start,
            open: prices[0],
            high: *prices.iter().max()?,
            low: *prices.iter().min()?,
            close: *prices.last()?,
            base_volume: within().map(base_of).sum(),
            quote_volume: within().map(quote_of).sum(),
            taker_buy_base: bought().map(base_of).sum(),
            taker_buy_quote: bought().map(quote_of).sum(),
            trades: within().count() as u64,
            first_id: within().next().map_or(0, |trade| trade.id),
            last_id: within().next_back().map_or(0, |trade| trade.id),
        };
        Some(Kline { interval, candle, end, closed: end <= now })
    }

    /// Where the first candle begins that is whole, if only `history` closed candles with trades are kept of the interval
    /// that it is added up of.
    fn first_start(&self, interval: Interval, history: usize) -> Option<Nanos> {
        let base = base(interval);
        let mut starts: Vec<_> = self.trades.iter().map(|trade| start(base, trade.timestamp)).collect();
        starts.dedup();
        let forgotten = starts.len().saturating_sub(history + 1);
        let whole_from = forgotten.checked_sub(1).map_or(Nanos::ZERO, |last| end(base, starts[last]));
        let mut first = start(interval, *starts.get(forgotten)?);
        while first < whole_from {
            first = end(interval, first);
        }
        Some(first)
    }

    pub fn kline(&self, interval: Interval, at: Nanos, now: Nanos, history: usize) -> Option<Kline> {
        let (now, start) = (self.reached(now), start(interval, at));
        let first = self.first_start(interval, history)?;
        if at > now || start < first { None } else { self.candle(interval, start, now) }
    }

    pub fn klines(&self, query: &KlineQuery, now: Nanos, history: usize) -> Vec<Kline> {
        let (now, interval) = (self.reached(now), query.interval);
        let Some(first) = self.first_start(interval, history) else { return Vec::new() };
        let last = start(interval, query.to.min(now));
        let mut starts = Vec::new();
        if let Some(from) = query.from {
            let begin = start(interval, from);
            let mut next = first.max(if begin == from { from } else { end(interval, from) });
            while next <= last && starts.len() < query.limit {
                starts.push(next);
                next = end(interval, next);
            }
        } else {
            let mut next = last;
            while next >= first && starts.len() < query.limit {
                starts.insert(0, next);
                if next.0 == 0 {
                    break;
                }
                next = start(interval, Nanos(next.0 - 1));
            }
        }
        starts.into_iter().filter_map(|start| self.candle(interval, start, now)).collect()
    }
}

fn base_of(trade: &Trade) -> i128 {
    trade.qty.0.into()
}

fn quote_of(trade: &Trade) -> i128 {
    i128::from(trade.price.0) * i128::from(trade.qty.0)
}

/// Of which closed candles an interval is added up.
fn base(interval: Interval) -> Interval {
    let base = match interval.as_str() {
        "1s" => "1s",
        "1m" | "3m" | "5m" => "1m",
        "15m" | "30m" | "1h" => "15m",
        "2h" | "4h" | "6h" | "8h" | "12h" => "2h",
        _ => "1d",
    };
    base.parse().unwrap()
}

/// Where an interval begins, by its name and the text of the moment.
pub fn start(interval: Interval, at: Nanos) -> Nanos {
    let name = interval.as_str();
    let (count, unit) = name.split_at(name.len() - 1);
    let count: u64 = count.parse().unwrap();
    let length = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => {
            let mut day = at.0 / DAY;
            while day % 7 != monday() && day > 0 {
                day -= 1;
            }
            return Nanos(day * DAY);
        }
        _ => return format!("{}-01T00:00:00Z", &at.to_string()[..7]).parse().unwrap(),
    };
    Nanos(at.0 / (count * length) * (count * length))
}

/// The next one's beginning.
fn end(interval: Interval, at: Nanos) -> Nanos {
    let begin = start(interval, at);
    let mut next = begin;
    let step = if interval == Interval::OneSecond {
        SECOND
    } else if interval < Interval::OneDay {
        MINUTE
    } else {
        DAY
    };
    while start(interval, next) == begin {
        next.0 += step;
    }
    next
}

/// The day of the week of days since 1970 that is a Monday, by one that is known.
fn monday() -> u64 {
    let monday: Nanos = "2026-11-23T00:00:00Z".parse().unwrap();
    monday.0 / DAY % 7
}

/// A trade of symbol 0.
pub fn trade(timestamp: Nanos, price: i64, qty: u64, side: Side, number: u64) -> Event {
    let (price, qty) = (Price(price), Qty(qty));
    Event { timestamp, price, qty, side, number, last: true, ..Event::new(Kind::Trade) }
}
