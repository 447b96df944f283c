//! Events of what trades add up to: 24 hours, candles, averages.

use super::{
    market_data::{millis, push_best, push_head},
    number::{DECIMALS, push_price, push_qty},
    stream::Stream,
    symbol::push_symbol,
};
use crate::{
    dialect::json::{push, push_number},
    message::Summary,
};
use market::{Instrument, Nanos, Price};
use stats::{Interval, Kline, Ratio, Ticker, push_decimal};

/// Decimals of a change in percent.
pub(super) const PERCENT_DECIMALS: u8 = 3;

/// Gives `event` each event that a stream has for a summary: one, and of candles also the one that closed since the last time.
pub fn push_event_of_summary(summary: &Summary<'_>, stream: Stream, mut event: impl FnMut(&[u8])) {
    let mut out = Vec::new();
    match stream {
        Stream::Ticker => push_ticker(&mut out, summary),
        Stream::MiniTicker => push_mini_ticker(&mut out, summary),
        Stream::AvgPrice => push_average_price(&mut out, summary),
        Stream::Kline(interval) => {
            for kline in klines(summary, interval).into_iter().flatten() {
                push_kline(&mut out, summary, &kline);
                event(&out);
                out.clear();
            }
            return;
        }
        _ => return,
    }
    event(&out);
}

/// The candle that closed since the last time, and the open one unless nothing was traded in it.
fn klines(summary: &Summary<'_>, interval: Interval) -> [Option<Kline>; 2] {
    let Summary { stats, since, now, .. } = *summary;
    let closed = (since > Nanos::ZERO && interval.end_of(since) <= now)
        .then(|| stats.kline(interval, since, now))
        .flatten();
    let open = stats.kline(interval, now, now);
    [closed, open.filter(|open| closed.is_none() || open.candle.trades > 0)]
}

fn push_ticker(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let ticker = summary.stats.ticker(summary.now);
    let instrument = summary.instrument;
    push_head(out, "24hrTicker", summary.now, instrument);
    push_prices(out, instrument, [(",\"p\":\"", ticker.change())]);
    push(out, ",\"P\":\"");
    push_decimal(out, ticker.change_percent().rounded(0, PERCENT_DECIMALS), PERCENT_DECIMALS);
    push(out, "\",\"w\":\"");
    push_average(out, ticker.weighted_average(), instrument);
    out.push(b'"');
    push_prices(out, instrument, [(",\"x\":\"", ticker.previous_close), (",\"c\":\"", ticker.last)]);
    push(out, ",\"Q\":\"");
    push_qty(out, ticker.last_qty, instrument);
    push_best(out, ["\",\"b\":\"", "\",\"B\":\""], summary.bid, instrument);
    push_best(out, ["\",\"a\":\"", "\",\"A\":\""], summary.ask, instrument);
    out.push(b'"');
    push_day(out, &ticker, instrument);
    push_number(out, ",\"O\":", millis(ticker.open_time));
    push_number(out, ",\"C\":", millis(ticker.close_time));
    push_ids(out, [",\"F\":", ",\"L\":"], ticker.trades, [ticker.first_id, ticker.last_id]);
    push_number(out, ",\"n\":", ticker.trades);
    out.push(b'}');
}

fn push_mini_ticker(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let ticker = summary.stats.ticker(summary.now);
    push_head(out, "24hrMiniTicker", summary.now, summary.instrument);
    push_prices(out, summary.instrument, [(",\"c\":\"", ticker.last)]);
    push_day(out, &ticker, summary.instrument);
    out.push(b'}');
}

/// Where the day's prices were, and how much was traded.
fn push_day(out: &mut Vec<u8>, ticker: &Ticker, instrument: &Instrument) {
    push_prices(
        out,
        instrument,
        [(",\"o\":\"", ticker.open), (",\"h\":\"", ticker.high), (",\"l\":\"", ticker.low)],
    );
    push_volumes(out, [",\"v\":\"", ",\"q\":\""], [ticker.base_volume, ticker.quote_volume], instrument);
}

fn push_kline(out: &mut Vec<u8>, summary: &Summary<'_>, kline: &Kline) {
    let (candle, instrument) = (&kline.candle, summary.instrument);
    push_head(out, "kline", summary.now, instrument);
    push_number(out, ",\"k\":{\"t\":", millis(candle.start));
    push_number(out, ",\"T\":", millis(kline.close_time()));
    push(out, ",\"s\":\"");
    push_symbol(out, instrument);
    push(out, "\",\"i\":\"");
    push(out, kline.interval.as_str());
    out.push(b'"');
    push_ids(out, [",\"f\":", ",\"L\":"], candle.trades, [candle.first_id, candle.last_id]);
    push_prices(
        out,
        instrument,
        [
            (",\"o\":\"", candle.open),
            (",\"c\":\"", candle.close),
            (",\"h\":\"", candle.high),
            (",\"l\":\"", candle.low),
        ],
    );
    push_volumes(out, [",\"v\":\"", ",\"q\":\""], [candle.base_volume, candle.quote_volume], instrument);
    push_number(out, ",\"n\":", candle.trades);
    push(out, if kline.closed { ",\"x\":true" } else { ",\"x\":false" });
    let bought = [candle.taker_buy_base, candle.taker_buy_quote];
    push_volumes(out, [",\"V\":\"", ",\"Q\":\""], bought, instrument);
    push(out, ",\"B\":\"0\"}}");
}

fn push_average_price(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let average = summary.stats.average_price(summary.now);
    push_head(out, "avgPrice", summary.now, summary.instrument);
    push_number(out, ",\"i\":\"", stats::AveragePrice::MINUTES);
    push(out, "m\",\"w\":\"");
    push_average(out, average.price, summary.instrument);
    push_number(out, "\",\"T\":", millis(average.close_time));
    out.push(b'}');
}

pub(super) fn push_prices<const N: usize>(
    out: &mut Vec<u8>,
    instrument: &Instrument,
    prices: [(&str, Price); N],
) {
    for (prefix, price) in prices {
        push(out, prefix);
        push_price(out, price, instrument);
        out.push(b'"');
    }
}

/// A volume of what is traded and one of what is paid with.
pub(super) fn push_volumes(
    out: &mut Vec<u8>,
    prefixes: [&str; 2],
    [base, quote]: [i128; 2],
    instrument: &Instrument,
) {
    push_base_volume(out, prefixes[0], base, instrument);
    push_quote_volume(out, prefixes[1], quote, instrument);
}

/// A volume of what is traded.
pub(super) fn push_base_volume(out: &mut Vec<u8>, prefix: &str, volume: i128, instrument: &Instrument) {
    push_volume(out, prefix, volume, instrument.qty_decimals);
}

/// A volume of what is paid with.
pub(super) fn push_quote_volume(out: &mut Vec<u8>, prefix: &str, volume: i128, instrument: &Instrument) {
    push_volume(out, prefix, volume, instrument.price_decimals + instrument.qty_decimals);
}

fn push_volume(out: &mut Vec<u8>, prefix: &str, volume: i128, decimals: u8) {
    push(out, prefix);
    push_decimal(out, Ratio::from(volume).rounded(decimals, DECIMALS), DECIMALS);
    out.push(b'"');
}

pub(super) fn push_average(out: &mut Vec<u8>, average: Ratio, instrument: &Instrument) {
    push_decimal(out, average.rounded(instrument.price_decimals, DECIMALS), DECIMALS);
}

/// The ids of the first and the last trade; -1 where there are none.
pub(super) fn push_ids(out: &mut Vec<u8>, prefixes: [&str; 2], trades: u64, ids: [u64; 2]) {
    for (prefix, id) in prefixes.into_iter().zip(ids) {
        match trades {
            0 => {
                push(out, prefix);
                push(out, "-1");
            }
            _ => push_number(out, prefix, id),
        }
    }
}
