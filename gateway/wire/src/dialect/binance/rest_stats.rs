//! What is asked of tickers, candles and averages over REST.

use super::{
    market_data::{millis, push_best},
    number::push_qty,
    summary::{
        PERCENT_DECIMALS, push_average, push_base_volume, push_ids, push_prices, push_quote_volume,
        push_volumes,
    },
    symbol::push_symbol,
};
use crate::{
    dialect::json::{push, push_number},
    message::Summary,
};
use market::Instrument;
use stats::{AveragePrice, Kline, Ticker, push_decimal};

/// Appends the last 24 hours of a symbol.
pub fn push_day_ticker(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let (ticker, instrument) = (summary.stats.ticker(summary.now), summary.instrument);
    push_name(out, instrument);
    push_prices(out, instrument, [(",\"priceChange\":\"", ticker.change())]);
    push(out, ",\"priceChangePercent\":\"");
    push_decimal(out, ticker.change_percent().rounded(0, PERCENT_DECIMALS), PERCENT_DECIMALS);
    push(out, "\",\"weightedAvgPrice\":\"");
    push_average(out, ticker.weighted_average(), instrument);
    out.push(b'"');
    push_prices(
        out,
        instrument,
        [(",\"prevClosePrice\":\"", ticker.previous_close), (",\"lastPrice\":\"", ticker.last)],
    );
    push(out, ",\"lastQty\":\"");
    push_qty(out, ticker.last_qty, instrument);
    push_best(out, ["\",\"bidPrice\":\"", "\",\"bidQty\":\""], summary.bid, instrument);
    push_best(out, ["\",\"askPrice\":\"", "\",\"askQty\":\""], summary.ask, instrument);
    out.push(b'"');
    push_day(out, &ticker, instrument);
}

/// Appends the last 24 hours of a symbol in few numbers.
pub fn push_mini_day_ticker(out: &mut Vec<u8>, summary: &Summary<'_>) {
    let (ticker, instrument) = (summary.stats.ticker(summary.now), summary.instrument);
    push_name(out, instrument);
    push_prices(out, instrument, [(",\"lastPrice\":\"", ticker.last)]);
    push_day(out, &ticker, instrument);
}

fn push_name(out: &mut Vec<u8>, instrument: &Instrument) {
    push(out, "{\"symbol\":\"");
    push_symbol(out, instrument);
    out.push(b'"');
}

/// Appends where the day's prices were, how much was traded, and when, and closes the object.
fn push_day(out: &mut Vec<u8>, ticker: &Ticker, instrument: &Instrument) {
    push_prices(
        out,
        instrument,
        [
            (",\"openPrice\":\"", ticker.open),
            (",\"highPrice\":\"", ticker.high),
            (",\"lowPrice\":\"", ticker.low),
        ],
    );
    let volumes = [ticker.base_volume, ticker.quote_volume];
    push_volumes(out, [",\"volume\":\"", ",\"quoteVolume\":\""], volumes, instrument);
    push_number(out, ",\"openTime\":", millis(ticker.open_time));
    push_number(out, ",\"closeTime\":", millis(ticker.close_time));
    push_ids(out, [",\"firstId\":", ",\"lastId\":"], ticker.trades, [ticker.first_id, ticker.last_id]);
    push_number(out, ",\"count\":", ticker.trades);
    out.push(b'}');
}

/// Appends candles as a list.
pub fn push_klines(out: &mut Vec<u8>, klines: &[Kline], instrument: &Instrument) {
    out.push(b'[');
    let mut opening = "[";
    for kline in klines {
        let candle = &kline.candle;
        push_number(out, opening, millis(candle.start));
        push_prices(
            out,
            instrument,
            [(",\"", candle.open), (",\"", candle.high), (",\"", candle.low), (",\"", candle.close)],
        );
        push_base_volume(out, ",\"", candle.base_volume, instrument);
        push_number(out, ",", millis(kline.close_time()));
        push_quote_volume(out, ",\"", candle.quote_volume, instrument);
        push_number(out, ",", candle.trades);
        push_volumes(out, [",\"", ",\""], [candle.taker_buy_base, candle.taker_buy_quote], instrument);
        push(out, ",\"0\"]");
        opening = ",[";
    }
    out.push(b']');
}

/// Appends the average price of the last minutes.
pub fn push_average_of_minutes(out: &mut Vec<u8>, average: &AveragePrice, instrument: &Instrument) {
    push_number(out, "{\"mins\":", AveragePrice::MINUTES);
    push(out, ",\"price\":\"");
    push_average(out, average.price, instrument);
    push_number(out, "\",\"closeTime\":", millis(average.close_time));
    out.push(b'}');
}
