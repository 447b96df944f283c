//! Random trades and ticks, read now and then, against a model that keeps all trades.

use crate::model::{DAY, HOUR, MINUTE, Model, SECOND, trade};
use market::{Event, Kind, Nanos, Side, SymbolId};
use proptest::prelude::*;
use stats::{Interval, KlineQuery, MAX_HISTORY, MIN_HISTORY, Stats};

const SYMBOL: SymbolId = SymbolId(0);

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A trade, so long after the latest time so far, or before it.
    Trade { after: i64, price: i64, qty: u64, buy: bool },
    /// Feed time moves on.
    Tick { after: u64 },
    /// Everything is read, as of so long after the latest time so far, or before it.
    Read { ahead: i64, query: Query },
}

#[derive(Debug, Clone)]
struct Query {
    interval: Interval,
    /// So long before the latest time.
    from: Option<u64>,
    to: u64,
    limit: usize,
}

/// Spans that are short, or about as long as what is kept, or much longer.
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        20 => 0..SECOND,
        40 => SECOND..3 * SECOND,
        10 => 0..10 * MINUTE,
        10 => (0u64..600).prop_map(|seconds| seconds * SECOND),
        4 => 0..5 * HOUR,
        2 => 20 * HOUR..30 * HOUR,
        1 => DAY..70 * DAY,
    ]
}

fn long_span() -> impl Strategy<Value = u64> {
    prop_oneof![0..10 * MINUTE, 0..2 * DAY, 0..200 * DAY]
}

fn query() -> impl Strategy<Value = Query> {
    let to = prop_oneof![Just(0), long_span()];
    (prop::sample::select(&Interval::ALL[..]), prop::option::of(long_span()), to, 0usize..40)
        .prop_map(|(interval, from, to, limit)| Query { interval, from, to, limit })
}

/// Mostly onwards.
fn either_way() -> impl Strategy<Value = i64> {
    prop_oneof![9 => span().prop_map(|span| span as i64), 1 => span().prop_map(|span| -(span as i64))]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (either_way(), -50i64..1_000, 0u64..1_000_000, any::<bool>())
            .prop_map(|(after, price, qty, buy)| Step::Trade { after, price, qty, buy }),
        5 => span().prop_map(|after| Step::Tick { after }),
        1 => (either_way(), query()).prop_map(|(ahead, query)| Step::Read { ahead, query }),
    ]
}

/// Where a test begins: anywhere, or near an edge of the calendar.
fn beginning() -> impl Strategy<Value = Nanos> {
    const EDGES: [&str; 5] = [
        "2024-02-28T22:00:00Z",
        "2023-02-28T23:50:00Z",
        "2025-12-31T23:00:00Z",
        "2026-11-22T23:58:00Z",
        "1970-01-01T00:00:00Z",
    ];
    prop_oneof![
        prop::sample::select(&EDGES[..]).prop_map(|text| text.parse().unwrap()),
        (0..280 * 365 * DAY).prop_map(Nanos),
    ]
}

struct Pair {
    stats: Stats,
    model: Model,
    events: Vec<Event>,
    latest: Nanos,
}

impl Pair {
    fn new(start: Nanos) -> Pair {
        Pair { stats: Stats::new(MIN_HISTORY), model: Model::default(), events: Vec::new(), latest: start }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Trade { after, price, qty, buy } => {
                let at = Nanos(self.latest.0.saturating_add_signed(after));
                let id = 100 + self.model.trades.len() as u64;
                let side = if buy { Side::Bid } else { Side::Ask };
                self.event(&trade(at, price, qty, side, id));
            }
            Step::Tick { after } => self.event(&Event::tick(Nanos(self.latest.0 + after))),
            Step::Read { ahead, ref query } => {
                self.compare(Nanos(self.latest.0.saturating_add_signed(ahead)), query)
            }
        }
    }

    fn event(&mut self, event: &Event) {
        self.stats.event(event);
        self.model.event(event);
        self.events.push(*event);
        self.latest = self.latest.max(event.timestamp);
    }

    fn compare(&self, now: Nanos, query: &Query) {
        let (stats, model) = (self.stats.symbol(SYMBOL), &self.model);
        assert_eq!(stats.map(|stats| stats.ticker(now)), model.ticker(now), "the ticker at {now}");
        let Some(stats) = stats else { return };

        let (quote, base) = model.average(now);
        let average = stats.average_price(now);
        assert_eq!(Some(stats.last()), model.trades.last());
        assert_eq!(average.close_time, stats.last().timestamp);
        let (quote, base) = if base == 0 { (stats.last().price.0.into(), 1) } else { (quote, base as u128) };
        assert_eq!(
            (average.price.numerator(), average.price.denominator()),
            (quote, base),
            "the average at {now}"
        );

        for interval in Interval::ALL {
            for at in [now, Nanos(now.0.saturating_sub(MINUTE)), self.latest, interval.start_of(now)] {
                let wanted = model.kline(interval, at, now, MIN_HISTORY);
                assert_eq!(stats.kline(interval, at, now), wanted, "{interval} that holds {at} at {now}");
            }
        }
        let back = |span: u64| Nanos(self.latest.0.saturating_sub(span));
        let &Query { interval, from, to, limit } = query;
        let query = KlineQuery { interval, from: from.map(back), to: back(to), limit };
        let mut klines = Vec::new();
        stats.klines(&query, now, &mut klines);
        assert_eq!(klines, model.klines(&query, now, MIN_HISTORY), "{query:?} at {now}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn is_what_counting_all_trades_anew_says(start in beginning(), steps in prop::collection::vec(step(), 1..900)) {
        let mut pair = Pair::new(start);
        for step in &steps {
            pair.take(step);
        }
        for interval in Interval::ALL {
            for limit in [1, 35] {
                pair.compare(pair.latest, &Query { interval, from: None, to: 0, limit });
            }
        }
    }

    /// Where more was traded than is held, what is told begins with a candle of which everything is held.
    #[test]
    fn forgets_the_oldest(
        start in beginning(),
        unit in prop::sample::select(&[SECOND, MINUTE, 15 * MINUTE, 2 * HOUR, DAY][..]),
        gaps in prop::collection::vec(1u64..20, MIN_HISTORY..500),
    ) {
        let mut pair = Pair::new(start);
        for (price, gap) in (0..).zip(&gaps) {
            pair.take(&Step::Trade { after: (gap * unit / 8) as i64, price, qty: 1, buy: false });
        }
        for interval in Interval::ALL {
            for limit in [1, 20] {
                pair.compare(pair.latest, &Query { interval, from: Some(u64::MAX), to: 0, limit });
            }
        }
    }

    /// Whoever reads, and whatever else happens on the market, the same trades and ticks come to the same.
    #[test]
    fn is_a_function_of_the_trades_and_ticks(start in beginning(), steps in prop::collection::vec(step(), 1..200)) {
        let (mut read, mut unread) = (Pair::new(start), Stats::new(MIN_HISTORY));
        for step in &steps {
            read.take(step);
        }
        for event in &read.events {
            let other = Event { symbol: SymbolId(7), ..trade(Nanos::MAX, 5, 5, Side::Bid, 1) };
            let level = Event { timestamp: Nanos::MAX, ..Event::new(Kind::Level) };
            [*event, other, level].iter().for_each(|event| unread.event(event));
        }
        let all = |stats: &Stats| stats.symbol(SYMBOL).map(|symbol| everything(symbol, read.latest));
        prop_assert_eq!(all(&read.stats), all(&unread));
    }
}

fn everything(
    symbol: &stats::SymbolStats,
    now: Nanos,
) -> (stats::Ticker, stats::AveragePrice, Vec<stats::Kline>) {
    let mut klines = Vec::new();
    for interval in Interval::ALL {
        symbol.klines(&KlineQuery::newest(interval, MAX_HISTORY), now, &mut klines);
    }
    (symbol.ticker(now), symbol.average_price(now), klines)
}
