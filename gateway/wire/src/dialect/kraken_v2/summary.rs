//! What trades add up to: tickers and candles.

use super::feed::{Feed, minutes_of};
use crate::{
    dialect::json::{push, push_number, push_price, push_qty, push_time},
    message::Summary,
};
use market::{Instrument, Level, Nanos, Price, Qty};
use stats::{Interval, Kline, KlineQuery, MAX_HISTORY, Ratio, push_decimal};

/// Decimals of a change in percent.
const PERCENT_DECIMALS: u8 = 2;

/// How many candles a snapshot shows at most.
const CANDLES_IN_SNAPSHOT: usize = 100;

/// What stands for the best level of an empty side.
const NOTHING: Level = Level { price: Price(0), qty: Qty(0) };

/// Appends the message that a feed has for a summary; nothing for feeds of other things. A summary that nobody was told
/// of before is a snapshot.
pub fn push_summary(out: &mut Vec<u8>, summary: &Summary<'_>, feed: Feed) {
    match feed {
        Feed::Ticker(_) => push_ticker(out, summary),
        Feed::Ohlc(interval) => push_candles(out, summary, interval),
        Feed::Book | Feed::Trade => {}
    }
}

/// `"type"` of a message, and what ends it.
fn push_kind(out: &mut Vec<u8>, summary: &Summary<'_>) {
    push(out, if summary.since == Nanos::ZERO { ",\"type\":\"snapshot\"" } else { ",\"type\":\"update\"" });
}

fn push_ticker(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let (ticker, instrument) = (summary.stats.ticker(summary.now), summary.instrument);
    push(out, "{\"channel\":\"ticker\"");
    push_kind(out, summary);
    push(out, ",\"data\":[{\"symbol\":\"");
    push(out, &instrument.symbol);
    push_best(out, ["\",\"bid\":", ",\"bid_qty\":"], summary.bid, instrument);
    push_best(out, [",\"ask\":", ",\"ask_qty\":"], summary.ask, instrument);
    push_price(out, ",\"last\":", ticker.last, instrument);
    push_volume(out, ",\"volume\":", ticker.base_volume, instrument);
    push_average(out, ",\"vwap\":", ticker.weighted_average(), instrument);
    push_price(out, ",\"low\":", ticker.low, instrument);
    push_price(out, ",\"high\":", ticker.high, instrument);
    push_price(out, ",\"change\":", ticker.change(), instrument);
    push(out, ",\"change_pct\":");
    push_decimal(out, ticker.change_percent().rounded(0, PERCENT_DECIMALS), PERCENT_DECIMALS);
    push_time(out, ",\"timestamp\":", summary.now);
    push(out, "}]}");
}

/// The candles in which something was traded: of a snapshot the last ones, else those that may have changed since the last
/// time.
fn push_candles(out: &mut Vec<u8>, summary: &Summary<'_>, interval: Interval) {
    let snapshot = summary.since == Nanos::ZERO;
    let query = KlineQuery {
        from: (!snapshot).then(|| interval.start_of(summary.since)),
        ..KlineQuery::newest(interval, if snapshot { CANDLES_IN_SNAPSHOT } else { MAX_HISTORY })
    };
    let mut klines = Vec::new();
    summary.stats.klines(&query, summary.now, &mut klines);
    push(out, "{\"channel\":\"ohlc\"");
    push_kind(out, summary);
    push_time(out, ",\"timestamp\":", summary.now);
    push(out, ",\"data\":[");
    let mut opening = "{\"symbol\":\"";
    for kline in klines.iter().filter(|kline| kline.candle.trades > 0) {
        push(out, opening);
        push_candle(out, kline, summary.instrument);
        opening = ",{\"symbol\":\"";
    }
    push(out, "]}");
}

fn push_candle(out: &mut Vec<u8>, kline: &Kline, instrument: &Instrument) {
    let candle = &kline.candle;
    push(out, &instrument.symbol);
    push_price(out, "\",\"open\":", candle.open, instrument);
    push_price(out, ",\"high\":", candle.high, instrument);
    push_price(out, ",\"low\":", candle.low, instrument);
    push_price(out, ",\"close\":", candle.close, instrument);
    push_number(out, ",\"trades\":", candle.trades);
    push_volume(out, ",\"volume\":", candle.base_volume, instrument);
    push_average(out, ",\"vwap\":", candle.weighted_average(), instrument);
    push_time(out, ",\"interval_begin\":", candle.start);
    push_number(out, ",\"interval\":", minutes_of(kline.interval));
    push_time(out, ",\"timestamp\":", kline.end);
    out.push(b'}');
}

fn push_best(out: &mut Vec<u8>, prefixes: [&str; 2], best: Option<Level>, instrument: &Instrument) {
    let best = best.unwrap_or(NOTHING);
    push_price(out, prefixes[0], best.price, instrument);
    push_qty(out, prefixes[1], best.qty, instrument);
}

/// Appends `prefix` as it is and then a volume in the instrument's quantity decimals.
pub(super) fn push_volume(out: &mut Vec<u8>, prefix: &str, volume: i128, instrument: &Instrument) {
    push(out, prefix);
    push_decimal(out, volume, instrument.qty_decimals);
}

/// Appends `prefix` as it is and then an average price in the instrument's price decimals.
pub(super) fn push_average(out: &mut Vec<u8>, prefix: &str, average: Ratio, instrument: &Instrument) {
    push(out, prefix);
    push_decimal(
        out,
        average.rounded(instrument.price_decimals, instrument.price_decimals),
        instrument.price_decimals,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::kraken_v2::Trigger;
    use market::{Side, Status};
    use stats::{SymbolStats, Trade};

    fn moment(text: &str) -> Nanos {
        text.parse().unwrap()
    }

    /// What a feed says after three trades in two minutes, to those who were told at `since`.
    fn told(feed: Feed, since: Nanos) -> String {
        let instrument = Instrument {
            symbol: "BTC/USD".into(),
            venue_symbol: "XBTUSD".into(),
            price_decimals: 1,
            qty_decimals: 8,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        let trade = |time, price, qty, id| Trade {
            timestamp: moment(time),
            price: Price(price),
            qty: Qty(qty),
            side: Side::Bid,
            id,
        };
        let first = trade("2026-11-23T08:00:10Z", 1_000_000, 100_000_000, 1);
        let mut stats = SymbolStats::new(300, first.timestamp, &first);
        stats.trade(first.timestamp, &trade("2026-11-23T08:00:20Z", 1_010_000, 100_000_000, 2));
        stats.trade(first.timestamp, &trade("2026-11-23T08:02:05Z", 990_000, 50_000_000, 3));
        let bid = Some(Level { price: Price(989_999), qty: Qty(5) });
        let now = moment("2026-11-23T08:02:05.1Z");
        let summary = Summary { instrument: &instrument, stats: &stats, since, now, bid, ask: None };
        let mut out = Vec::new();
        push_summary(&mut out, &summary, feed);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_ticker_is_in_the_decimals_of_its_instrument() {
        assert_eq!(
            told(Feed::Ticker(Trigger::Trades), Nanos::ZERO),
            concat!(
                r#"{"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":98999.9,"bid_qty":0.00000005,"#,
                r#""ask":0.0,"ask_qty":0.00000000,"last":99000.0,"volume":2.50000000,"vwap":100200.0,"low":99000.0,"#,
                r#""high":101000.0,"change":-1000.0,"change_pct":-1.00,"timestamp":"2026-11-23T08:02:05.100000000Z"}]}"#
            )
        );
    }

    #[test]
    fn candles_are_those_with_trades() {
        let snapshot = told(Feed::Ohlc(Interval::OneMinute), Nanos::ZERO);
        assert_eq!(
            snapshot,
            concat!(
                r#"{"channel":"ohlc","type":"snapshot","timestamp":"2026-11-23T08:02:05.100000000Z","data":["#,
                r#"{"symbol":"BTC/USD","open":100000.0,"high":101000.0,"low":100000.0,"close":101000.0,"trades":2,"#,
                r#""volume":2.00000000,"vwap":100500.0,"interval_begin":"2026-11-23T08:00:00.000000000Z","interval":1,"#,
                r#""timestamp":"2026-11-23T08:01:00.000000000Z"},"#,
                r#"{"symbol":"BTC/USD","open":99000.0,"high":99000.0,"low":99000.0,"close":99000.0,"trades":1,"#,
                r#""volume":0.50000000,"vwap":99000.0,"interval_begin":"2026-11-23T08:02:00.000000000Z","interval":1,"#,
                r#""timestamp":"2026-11-23T08:03:00.000000000Z"}]}"#
            )
        );
    }

    #[test]
    fn an_update_has_every_candle_that_may_have_changed_since_the_last_one() {
        let count = |since| {
            let update = told(Feed::Ohlc(Interval::OneMinute), moment(since));
            assert!(update.contains(r#""type":"update""#), "{update}");
            update.matches("interval_begin").count()
        };
        assert_eq!(count("2026-11-23T08:00:59.9Z"), 2, "one closed and one opened meanwhile");
        assert_eq!(count("2026-11-23T08:02:00Z"), 1);
    }
}
