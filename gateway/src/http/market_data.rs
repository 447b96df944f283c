//! Instruments, books and trades. Each answer knows all that any client may have seen before it asked.

use super::{
    Reply,
    parameters::{Parameters, bad},
    reply::{self, Problem},
};
use crate::{
    archive::{Archive, StreamOf, no_recording},
    worker::Shared,
};
use journal::Moment;
use market::{Instrument, Nanos, Seq, SymbolId};
use serde::Serialize;
use session::TradeRange;
use wire::{
    dialect::native_json,
    message::{Channel, Depth, ErrorCode, Interval, Refusal},
};

/// How many trades there are where the request does not say.
const TRADES: usize = 50;

pub(super) fn instruments(shared: &Shared) -> Reply {
    let mut body = Vec::new();
    native_json::push_instruments(&mut body, &shared.control.instruments());
    reply::json(body)
}

pub(super) async fn book(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    let symbol = symbol(shared, parameters)?;
    let depth = parameters.value("depth")?.map_or(Ok(Depth::default()), Depth::new)?;
    let at: Option<Nanos> = parameters.value("at")?;
    let seq: Option<Seq> = parameters.value("seq")?;
    let moment = match (at, seq) {
        (None, None) => None,
        (Some(time), None) => Some(Moment::Time(time)),
        (None, Some(seq)) => Some(Moment::Seq(symbol, seq)),
        (Some(_), Some(_)) => return Err(bad("a moment is said by at or by seq, not by both".to_owned())),
    };
    if let Some(moment) = moment {
        let instrument = instrument(shared, symbol);
        // What is asked of in the present numbers is answered in them, whichever round of a recording this is.
        let ids = shared.with(|engine| engine.worker.publisher().ids_of(symbol));
        return past(shared, move |archive, body| {
            archive.push_book(symbol, depth, moment, &instrument, ids, body)
        })
        .await;
    }
    let mut body = Vec::new();
    shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_book_object(symbol, depth, &mut body)
    })?;
    Ok(reply::json(body))
}

/// How the whole book at one number differs from that at another.
pub(super) async fn difference(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    let symbol = symbol(shared, parameters)?;
    let (from, to) = range(parameters)?;
    let instrument = instrument(shared, symbol);
    past(shared, move |archive, body| archive.push_difference(symbol, from, to, &instrument, body)).await
}

/// The hash of a part of a topic's canonical stream.
pub(super) async fn stream_hash(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
    let symbol = symbol(shared, parameters)?;
    let (from, to) = range(parameters)?;
    let channel = parameters.text("channel").map_or(Ok(Channel::Book), |name| Channel::parse(&name))?;
    let depth = parameters.value("depth")?.map_or(Ok(Depth::default()), Depth::new)?;
    let interval = parameters.value("interval_ms")?.map_or(Ok(Interval::EACH_EVENT), Interval::new)?;
    if !matches!(channel, Channel::Book | Channel::Trade | Channel::Bbo) {
        return Err(Refusal::new(ErrorCode::BadChannel, "there are hashes of book, trade and bbo").into());
    }
    let of = StreamOf { symbol, channel, depth, interval, from, to };
    past(shared, move |archive, body| {
        let hash = archive.stream_hash(&of)?;
        serde_json::to_writer(body, &hash)
            .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
    })
    .await
}

/// What recordings there are to ask.
pub(super) async fn recordings(shared: &Shared) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct Body<T> {
        recordings: Vec<T>,
    }
    if shared.control.archive.is_none() {
        return Ok(reply::json(b"{\"recordings\":[]}".to_vec()));
    }
    past(shared, |archive, body| {
        let recordings = archive.rows()?;
        serde_json::to_writer(body, &Body { recordings })
            .map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
    })
    .await
}

/// Has the archive write the body of an answer, knowing all that any client may have seen by now.
async fn past(
    shared: &Shared,
    question: impl FnOnce(&Archive, &mut Vec<u8>) -> Result<(), Refusal> + Send + 'static,
) -> Result<Reply, Problem> {
    let archive = shared.control.archive.as_ref().ok_or_else(no_recording)?;
    let head = shared.control.stats.head();
    let body = archive.ask(head, move |archive| {
        let mut body = Vec::new();
        question(archive, &mut body).map(|()| body)
    });
    Ok(reply::json(body.await?))
}

fn instrument(shared: &Shared, symbol: SymbolId) -> Instrument {
    shared.control.instruments()[symbol].clone()
}

fn range(parameters: &mut Parameters<'_>) -> Result<(Seq, Seq), Problem> {
    let from: Option<Seq> = parameters.value("from_seq")?;
    let to: Option<Seq> = parameters.value("to_seq")?;
    match (from, to) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        _ => Err(bad("a range is from_seq and to_seq, which is not less".to_owned())),
    }
}

pub(super) async fn trades(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<Reply, Problem> {
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
    let held = shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_trades_object(symbol, range, &mut body)
    });
    match (held, range) {
        // What the worker does not hold any more may be recorded.
        (Err(refusal), TradeRange::Between(from, to))
            if refusal.code == ErrorCode::OutOfRange && shared.control.archive.is_some() && from <= to =>
        {
            let instrument = instrument(shared, symbol);
            past(shared, move |archive, body| archive.push_trades(symbol, from, to, &instrument, body)).await
        }
        (held, _) => held.map(|()| reply::json(body)).map_err(Problem::from),
    }
}

fn symbol(shared: &Shared, parameters: &mut Parameters<'_>) -> Result<SymbolId, Problem> {
    let name = parameters.required("symbol")?;
    shared.control.instruments().find(&name).ok_or_else(|| {
        let shown: String = name.chars().take(32).collect();
        let text = format!("there is no symbol '{shown}'; /v1/instruments lists them");
        Refusal::new(ErrorCode::BadSymbol, text).into()
    })
}
