//! What a trade costs the statistics of its symbol, and a ticker whoever reads it.

use super::measure::{Item, Samples, Setup, Target, time};
use market::{Event, Kind, Nanos, Price, Qty, Side, SymbolId};
use stats::{MAX_HISTORY, Stats};
use std::hint::black_box;

pub const ITEMS: &[Item] = &[
    Item { name: "stats/trade", target: Some(Target::Nanos(100.0)), measure: trade },
    Item { name: "stats/ticker", target: None, measure: ticker },
    Item { name: "stats/ticker-after-two-hours", target: None, measure: ticker_after_two_hours },
];

const SYMBOLS: u64 = 20;
const TRADES: u64 = 2_000_000;
/// Between two trades: a second of a symbol has five, and a round goes on for a day.
const STEP: u64 = 10_000_000;
const START: u64 = 1_800_000_000_000_000_000;

/// Trades of all symbols in turn.
struct Market {
    stats: Stats,
    trades: u64,
}

impl Market {
    fn new() -> Market {
        Market { stats: Stats::new(MAX_HISTORY), trades: 0 }
    }

    /// With full windows.
    fn after_two_days() -> Market {
        const MINUTES: u64 = 2 * 24 * 60;
        let mut market = Market::new();
        for minute in 0..MINUTES {
            for symbol in 0..SYMBOLS {
                market.trades = minute * 6_000 + symbol;
                market.trade();
            }
        }
        market
    }

    fn now(&self) -> Nanos {
        Nanos(START + self.trades * STEP)
    }

    fn trade(&mut self) {
        let event = Event {
            symbol: SymbolId((self.trades % SYMBOLS) as u32),
            timestamp: self.now(),
            price: Price(6_000_000 + (self.trades * 7_919 % 1_000) as i64),
            qty: Qty(1 + self.trades % 100_000),
            side: if self.trades.is_multiple_of(3) { Side::Bid } else { Side::Ask },
            number: self.trades,
            last: true,
            ..Event::new(Kind::Trade)
        };
        self.stats.event(black_box(&event));
        self.trades += 1;
    }
}

fn trade(setup: &Setup) -> anyhow::Result<Samples> {
    let mut market = Market::new();
    let samples = setup.measure(TRADES as usize, || time(|| (0..TRADES).for_each(|_| market.trade())));
    Ok(samples.with_note(format!("{SYMBOLS} symbols, 5 trades a second of each")))
}

fn ticker(setup: &Setup) -> anyhow::Result<Samples> {
    read(setup, 0)
}

fn ticker_after_two_hours(setup: &Setup) -> anyhow::Result<Samples> {
    const TWO_HOURS: u64 = 7_200_000_000_000;
    Ok(read(setup, TWO_HOURS)?.with_note("without a trade: all that is left of the window is added up"))
}

/// Tickers of all symbols in turn, so long after the last trade.
fn read(setup: &Setup, after: u64) -> anyhow::Result<Samples> {
    const READS: u32 = 100_000;
    let market = Market::after_two_days();
    let now = Nanos(market.now().0 + after);
    Ok(setup.measure(READS as usize, || {
        time(|| {
            for i in 0..READS {
                let symbol = market.stats.symbol(SymbolId(i % SYMBOLS as u32));
                black_box(symbol.map(|symbol| symbol.ticker(black_box(now))));
            }
        })
    }))
}
