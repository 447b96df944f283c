//! Answers of Kraken's REST API below `/0/public`: an object with what is wrong, or with a result. Prices and quantities are
//! text in the decimals of their instrument.
//!
//! A **pair** is named by its symbol without the slash, `BTCUSDT`; `wsname` is the symbol, `BTC/USDT`.

use super::{
    instrument::all_assets,
    summary::{push_average, push_volume},
};
use crate::{
    dialect::{
        assets::assets,
        json::{push, push_number, push_price, push_qty, push_text, push_time as push_moment},
    },
    message::Trade,
};
use book::Ladder;
use market::{Instrument, Instruments, Level, Nanos, Price, Qty, Side, Status, push_unsigned_fixed};
use stats::{Interval, Kline, Ratio, SymbolStats};

const SECOND: u64 = 1_000_000_000;

/// Appends what is answered where nothing is wrong; `result` appends the result.
pub fn push_result(out: &mut Vec<u8>, result: impl FnOnce(&mut Vec<u8>)) {
    push(out, "{\"error\":[],\"result\":");
    result(out);
    out.push(b'}');
}

/// Appends what is answered where something is: a text such as `EQuery:Unknown asset pair`.
pub fn push_failure(out: &mut Vec<u8>, error: &str) {
    push_text(out, "{\"error\":[", error);
    push(out, "]}");
}

/// Appends an object of which each of `items` appends one member, beginning with its name.
pub fn push_object<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'{');
    for (at, one) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(out, one);
    }
    out.push(b'}');
}

/// Appends the time, also as text by RFC 1123, `rfc1123`.
pub fn push_server_time(out: &mut Vec<u8>, now: Nanos, rfc1123: &str) {
    push_number(out, "{\"unixtime\":", now.0 / SECOND);
    push_text(out, ",\"rfc1123\":", rfc1123);
    out.push(b'}');
}

/// Appends whether the gateway has something to tell.
pub fn push_system_status(out: &mut Vec<u8>, is_online: bool, now: Nanos) {
    push(out, if is_online { "{\"status\":\"online\"" } else { "{\"status\":\"maintenance\"" });
    push_moment(out, ",\"timestamp\":", now);
    out.push(b'}');
}

/// Appends the assets of all pairs that are `wanted` by their names.
pub fn push_assets(out: &mut Vec<u8>, instruments: &Instruments, wanted: impl Fn(&str) -> bool) {
    let all = all_assets(instruments).into_iter().filter(|(name, _)| wanted(name));
    push_object(out, all, |out, (name, decimals)| {
        push_text(out, "", name);
        push_text(out, ":{\"aclass\":\"currency\",\"altname\":", name);
        push_number(out, ",\"decimals\":", decimals.into());
        push_number(out, ",\"display_decimals\":", decimals.into());
        push(out, ",\"status\":\"enabled\"}");
    });
}

/// Appends the name of a pair, as that of a member.
pub fn push_pair_name(out: &mut Vec<u8>, instrument: &Instrument) {
    push_altname(out, "", instrument);
    out.push(b':');
}

fn push_altname(out: &mut Vec<u8>, prefix: &str, instrument: &Instrument) {
    push(out, prefix);
    out.push(b'"');
    out.extend(instrument.symbol.bytes().filter(|&byte| byte != b'/'));
    out.push(b'"');
}

/// Appends a pair with its name. Nothing is known of fees: they are 0.
pub fn push_pair(out: &mut Vec<u8>, instrument: &Instrument) {
    let (base, quote) = assets(instrument);
    let (price_decimals, qty_decimals) =
        (u64::from(instrument.price_decimals), u64::from(instrument.qty_decimals));
    push_pair_name(out, instrument);
    push_altname(out, "{\"altname\":", instrument);
    push_text(out, ",\"wsname\":", &instrument.symbol);
    push_text(out, ",\"aclass_base\":\"currency\",\"base\":", base);
    push_text(out, ",\"aclass_quote\":\"currency\",\"quote\":", quote);
    push_number(out, ",\"lot\":\"unit\",\"cost_decimals\":", price_decimals);
    push_number(out, ",\"pair_decimals\":", price_decimals);
    push_number(out, ",\"lot_decimals\":", qty_decimals);
    push(
        out,
        ",\"lot_multiplier\":1,\"leverage_buy\":[],\"leverage_sell\":[],\"fees\":[[0,0]],\"fees_maker\":[[0,0]]",
    );
    push_text(out, ",\"fee_volume_currency\":", quote);
    push_text(out, ",\"margin_call\":80,\"margin_stop\":40,\"ordermin\":", &instrument.lot_text());
    push_text(out, ",\"costmin\":\"0\",\"tick_size\":", &instrument.tick_text());
    push(
        out,
        match instrument.status {
            Status::Trading => ",\"status\":\"online\"}",
            Status::Halted => ",\"status\":\"cancel_only\"}",
        },
    );
}

/// Appends the levels of a book, with its name. The time of each is that of the book: when it changed itself is not known.
pub fn push_depth(out: &mut Vec<u8>, instrument: &Instrument, levels: &Ladder, time: Nanos) {
    push_pair_name(out, instrument);
    let mut opening = "{\"asks\":[";
    for side in [&levels.asks, &levels.bids] {
        push(out, opening);
        for (at, level) in side.iter().enumerate() {
            push_price(out, if at == 0 { "[\"" } else { ",[\"" }, level.price, instrument);
            push_qty(out, "\",\"", level.qty, instrument);
            push_number(out, "\",", time.0 / SECOND);
            out.push(b']');
        }
        opening = "],\"bids\":[";
    }
    push(out, "]}");
}

/// Appends trades, oldest first, with the name of the pair and with `last`, from which the next request goes on.
pub fn push_trade_list(out: &mut Vec<u8>, instrument: &Instrument, trades: &[Trade], last: Nanos) {
    out.push(b'{');
    push_pair_name(out, instrument);
    out.push(b'[');
    let mut opening = "[\"";
    for trade in trades {
        push_price(out, opening, trade.price, instrument);
        push_qty(out, "\",\"", trade.qty, instrument);
        push(out, "\",");
        push_unsigned_fixed(out, trade.timestamp.0, 9);
        push(
            out,
            match trade.side {
                Side::Bid => ",\"b\"",
                Side::Ask => ",\"s\"",
            },
        );
        push_number(out, ",\"m\",\"\",", trade.trade_id);
        out.push(b']');
        opening = ",[\"";
    }
    push_number(out, "],\"last\":\"", last.0);
    push(out, "\"}");
}

/// Appends candles, oldest first, with the name of the pair and with `last`, the beginning of the last one that is closed.
pub fn push_ohlc(out: &mut Vec<u8>, instrument: &Instrument, klines: &[Kline], last: Nanos) {
    out.push(b'{');
    push_pair_name(out, instrument);
    out.push(b'[');
    let mut opening = "[";
    for Kline { candle, .. } in klines {
        push_number(out, opening, candle.start.0 / SECOND);
        push_price(out, ",\"", candle.open, instrument);
        push_price(out, "\",\"", candle.high, instrument);
        push_price(out, "\",\"", candle.low, instrument);
        push_price(out, "\",\"", candle.close, instrument);
        push_average(out, "\",\"", candle.weighted_average(), instrument);
        push_volume(out, "\",\"", candle.base_volume, instrument);
        push_number(out, "\",", candle.trades);
        out.push(b']');
        opening = ",[";
    }
    push_number(out, "],\"last\":", last.0 / SECOND);
    out.push(b'}');
}

/// What a ticker says of some time.
#[derive(Clone, Copy)]
struct Span {
    volume: i128,
    average: Ratio,
    trades: u64,
    low: Price,
    high: Price,
}

/// Appends the ticker of a pair, with its name: today, since midnight in UTC, and the last 24 hours. All is 0 before the
/// first trade.
pub fn push_ticker(
    out: &mut Vec<u8>,
    instrument: &Instrument,
    [bid, ask]: [Option<Level>; 2],
    stats: Option<&SymbolStats>,
    now: Nanos,
) {
    let nothing = Span { volume: 0, average: Ratio::from(0), trades: 0, low: Price(0), high: Price(0) };
    let (mut spans, mut open, mut last, mut last_qty) = ([nothing; 2], Price(0), Price(0), Qty(0));
    if let Some(stats) = stats {
        let day = stats.ticker(now);
        (open, last, last_qty) = (day.open, day.last, day.last_qty);
        spans[1] = Span {
            volume: day.base_volume,
            average: day.weighted_average(),
            trades: day.trades,
            low: day.low,
            high: day.high,
        };
        // The day of the last trade if feed time is not that far.
        let today = stats.kline(Interval::OneDay, now.max(stats.last().timestamp), now);
        if let Some(Kline { candle, .. }) = today {
            open = candle.open;
            spans[0] = Span {
                volume: candle.base_volume,
                average: candle.weighted_average(),
                trades: candle.trades,
                low: candle.low,
                high: candle.high,
            };
        }
    }
    push_pair_name(out, instrument);
    push_best(out, "{\"a\":[\"", ask, instrument);
    push_best(out, ",\"b\":[\"", bid, instrument);
    push_price(out, ",\"c\":[\"", last, instrument);
    push_qty(out, "\",\"", last_qty, instrument);
    push_two(out, "\"],\"v\":[\"", spans, |out, span| push_volume(out, "", span.volume, instrument));
    push_two(out, ",\"p\":[\"", spans, |out, span| push_average(out, "", span.average, instrument));
    push_number(out, ",\"t\":[", spans[0].trades);
    push_number(out, ",", spans[1].trades);
    push_two(out, "],\"l\":[\"", spans, |out, span| push_price(out, "", span.low, instrument));
    push_two(out, ",\"h\":[\"", spans, |out, span| push_price(out, "", span.high, instrument));
    push_price(out, ",\"o\":\"", open, instrument);
    push(out, "\"}");
}

/// Appends the best of a side: its price, its quantity in whole units, and its quantity.
fn push_best(out: &mut Vec<u8>, prefix: &str, best: Option<Level>, instrument: &Instrument) {
    let Level { price, qty } = best.unwrap_or(Level { price: Price(0), qty: Qty(0) });
    push_price(out, prefix, price, instrument);
    let units = 10_u64.checked_pow(instrument.qty_decimals.into()).map_or(0, |unit| qty.0 / unit);
    push_number(out, "\",\"", units);
    push_qty(out, "\",\"", qty, instrument);
    push(out, "\"]");
}

fn push_two(out: &mut Vec<u8>, prefix: &str, spans: [Span; 2], each: impl Fn(&mut Vec<u8>, &Span)) {
    push(out, prefix);
    each(out, &spans[0]);
    push(out, "\",\"");
    each(out, &spans[1]);
    push(out, "\"]");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument() -> Instrument {
        Instrument {
            symbol: "BTC/USD".into(),
            venue_symbol: "XBTUSD".into(),
            price_decimals: 1,
            qty_decimals: 8,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_book_is_text_in_the_decimals_of_its_instrument() {
        let mut levels = Ladder::default();
        levels.asks.push(Level { price: Price(303_841), qty: Qty(205_900_000) });
        levels.bids.push(Level { price: Price(303_840), qty: Qty(1) });
        let time = "2023-07-06T19:27:39.9Z".parse().unwrap();
        assert_eq!(
            written(|out| push_depth(out, &instrument(), &levels, time)),
            r#""BTCUSD":{"asks":[["30384.1","2.05900000",1688671659]],"bids":[["30384.0","0.00000001",1688671659]]}"#
        );
    }

    #[test]
    fn a_ticker_before_the_first_trade_is_zero_but_for_the_book() {
        let bid = Some(Level { price: Price(303_000), qty: Qty(250_000_000) });
        assert_eq!(
            written(|out| push_ticker(out, &instrument(), [bid, None], None, Nanos::ZERO)),
            concat!(
                r#""BTCUSD":{"a":["0.0","0","0.00000000"],"b":["30300.0","2","2.50000000"],"c":["0.0","0.00000000"],"#,
                r#""v":["0.00000000","0.00000000"],"p":["0.0","0.0"],"t":[0,0],"l":["0.0","0.0"],"h":["0.0","0.0"],"o":"0.0"}"#
            )
        );
    }

    #[test]
    fn what_is_wrong_is_escaped() {
        assert_eq!(written(|out| push_failure(out, "EGeneral:\"")), r#"{"error":["EGeneral:\""]}"#);
        assert_eq!(written(|out| push_result(out, |out| push(out, "{}"))), r#"{"error":[],"result":{}}"#);
    }
}
