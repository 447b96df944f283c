//! Memory is bounded as said, and a trade allocates nothing once there is room.

use crate::model::{DAY, MINUTE, trade};
use market::{Event, Nanos, Side, SymbolId};
use stats::{Interval, KlineQuery, MAX_HISTORY, MIN_HISTORY, Stats, SymbolStats};

/// A trade every so often, from a moment until another.
fn play(stats: &mut Stats, from: Nanos, until: Nanos, every: u64) {
    let mut next = from;
    while next < until {
        stats.event(&trade(next, 60_000 + (next.0 / every % 100) as i64, 5, Side::Bid, next.0 / every));
        next.0 += every;
    }
}

/// Trades in so many days that the days are full, then in all two minutes of a day, then in all seconds of some.
fn fill(stats: &mut Stats) -> Nanos {
    let days = Nanos(MAX_HISTORY as u64 * DAY + DAY);
    let quarters = Nanos(days.0 + 100 * DAY);
    let minutes = Nanos(quarters.0 + 2 * DAY);
    let seconds = Nanos(minutes.0 + 30 * MINUTE);
    play(stats, Nanos(0), days, DAY);
    play(stats, days, quarters, 15 * MINUTE);
    play(stats, quarters, minutes, MINUTE);
    play(stats, minutes, seconds, MINUTE / 60);
    seconds
}

#[test]
fn a_symbol_takes_no_more_than_is_said_and_in_the_end_allocates_nothing() {
    for history in [0, MIN_HISTORY, MAX_HISTORY, usize::MAX] {
        let mut stats = Stats::new(history);
        let mut full = Nanos::ZERO;
        let filled = allocation_counter::measure(|| full = fill(&mut stats));
        // The table of symbols has room for four.
        let (most, table) = (SymbolStats::most_bytes(history), 4 * 16);
        assert!(filled.bytes_current as usize <= most + table, "{filled:?}, not {most} with {history}");
        assert!(
            filled.bytes_current as usize > most * 9 / 10,
            "{filled:?}, so {most} says little of {history}"
        );

        let more = allocation_counter::measure(|| {
            play(&mut stats, full, Nanos(full.0 + DAY), MINUTE / 7);
            let symbol = stats.symbol(SymbolId(0)).expect("it has traded");
            symbol.ticker(full);
            symbol.average_price(full);
            symbol.kline(Interval::OneMonth, full, full);
        });
        assert_eq!(more.count_total, 0);
    }
}

#[test]
fn a_symbol_without_trades_costs_next_to_nothing() {
    let counted = allocation_counter::measure(|| {
        let mut stats = Stats::new(MAX_HISTORY);
        let last = SymbolId(Event::MAX_SYMBOLS - 1);
        stats.event(&Event { symbol: last, ..trade(Nanos(1), 1, 1, Side::Bid, 1) });
        let beyond = SymbolId(Event::MAX_SYMBOLS);
        stats.event(&Event { symbol: beyond, ..trade(Nanos(1), 1, 1, Side::Bid, 1) });
        assert!(stats.symbol(last).is_some() && stats.symbol(beyond).is_none());
    });
    assert!(counted.bytes_max <= 16 * u64::from(Event::MAX_SYMBOLS) + 4_096, "{counted:?}");
}

#[test]
fn a_jump_over_centuries_costs_no_more_than_a_second() {
    let mut stats = Stats::new(MAX_HISTORY);
    let mut klines = Vec::with_capacity(MAX_HISTORY);
    stats.event(&trade(Nanos(1), 1, 1, Side::Bid, 1));
    let counted = allocation_counter::measure(|| {
        stats.event(&Event::tick(Nanos::MAX));
        stats.event(&trade(Nanos::MAX, 2, 1, Side::Bid, 2));
        let symbol = stats.symbol(SymbolId(0)).expect("it has traded");
        for interval in Interval::ALL {
            klines.clear();
            symbol.klines(&KlineQuery::newest(interval, usize::MAX), Nanos::MAX, &mut klines);
            assert_eq!(klines.len(), MAX_HISTORY, "{interval}");
        }
    });
    assert!(counted.bytes_total < 8_192, "{counted:?}");
}
