//! Instruments, books and trades. Each answer knows all that any client may have seen before it asked.

use super::{
    Reply,
    parameters::{Parameters, bad},
    reply::{self, Problem},
};
use crate::worker::Shared;
use market::{Seq, SymbolId};
use session::TradeRange;
use wire::{
    dialect::native_json,
    message::{Depth, ErrorCode, Refusal},
};

/// How many trades there are where the request does not say.
const TRADES: usize = 50;

pub(super) fn instruments(shared: &Shared) -> Reply {
    let mut body = Vec::new();
    native_json::push_instruments(&mut body, &shared.control.instruments());
    reply::json(body)
}

pub(super) fn book(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    let symbol = symbol(shared, parameters)?;
    let depth = parameters.value("depth")?.map_or(Ok(Depth::default()), Depth::new)?;
    let mut body = Vec::new();
    shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_book_object(symbol, depth, &mut body)
    })?;
    Ok(reply::json(body))
}

pub(super) fn trades(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    let symbol = symbol(shared, parameters)?;
    let limit: Option<usize> = parameters.value("limit")?;
    let from: Option<Seq> = parameters.value("from_seq")?;
    let to: Option<Seq> = parameters.value("to_seq")?;
    let range = match (limit, from, to) {
        (limit, None, None) => TradeRange::Newest(limit.unwrap_or(TRADES)),
        (None, Some(from), Some(to)) => TradeRange::Between(from, to),
        _ => return Err(bad("trades are asked for by limit, or by from_seq and to_seq".to_owned())),
    };
    let mut body = Vec::new();
    shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_trades_object(symbol, range, &mut body)
    })?;
    Ok(reply::json(body))
}

fn symbol(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<SymbolId, Problem> {
    let name = parameters.required("symbol")?;
    shared.control.instruments().find(&name).ok_or_else(|| {
        let shown: String = name.chars().take(32).collect();
        let text = format!("there is no symbol '{shown}'; /v1/instruments lists them");
        Refusal::new(ErrorCode::BadSymbol, text).into()
    })
}
