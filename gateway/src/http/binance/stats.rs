//! What trades add up to: 24 hours, candles, average prices.

use super::{Query, Refused, millis, of_symbols};
use session::{CandleWindow, Publisher};
use wire::dialect::binance::Fault;

/// Candles, where the request does not say, and at most.
const CANDLES: [u32; 2] = [500, 1_000];

pub(super) fn day_ticker(query: &mut Query<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    match query.text("type")?.as_deref() {
        None | Some("FULL") => of_symbols(query, out, Publisher::push_day_ticker),
        Some("MINI") => of_symbols(query, out, Publisher::push_mini_day_ticker),
        Some(_) => Err(Fault::data("type").into()),
    }
}

pub(super) fn klines(query: &mut Query<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    let symbol = query.symbol()?;
    let interval = query.text("interval")?.ok_or_else(|| Fault::missing("interval"))?;
    let interval = interval.parse().map_err(|_| Fault::interval())?;
    let [from, to] = [query.number("startTime")?, query.number("endTime")?];
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Fault::data("endTime").into());
    }
    // Days begin at midnight in UTC, and nowhere else.
    if query.text("timeZone")?.is_some_and(|zone| zone != "0") {
        return Err(Fault::data("timeZone").into());
    }
    let limit = query.limit(CANDLES)? as usize;
    let window = CandleWindow { interval, from: from.map(millis), to: to.map(millis), limit };
    query.shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_klines(symbol, &window, out);
    });
    Ok(())
}

pub(super) fn average_price(query: &mut Query<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    let symbol = query.symbol()?;
    query.shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_average_price(symbol, out).map_err(Refused::for_now)
    })
}
