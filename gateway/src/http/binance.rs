//! The REST of the Binance dialect, below [`PREFIX`]: what its clients load before they go on over its streams.
//!
//! Errors are `{"code","msg"}` with the venue's codes; every request weighs 1.

mod stats;

use super::{
    Reply,
    late::told,
    parameters::Parameters,
    reply::{self, whole_seconds},
};
use crate::worker::Shared;
use hyper::{
    Method, Request, StatusCode, Uri,
    header::{self, HeaderName, HeaderValue},
};
use market::{Instruments, Nanos, SymbolId, clock};
use session::{Publisher, TradeWindow};
use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};
use wire::dialect::binance::{self, Fault};

/// What all paths begin with.
pub(super) const PREFIX: &str = "/api/v3/";

/// What there is, for those who asked for something else.
const PATHS: &str = "ping, time, exchangeInfo, depth, trades, historicalTrades, aggTrades, klines, uiKlines, avgPrice, ticker/24hr, ticker/price, \
     ticker/bookTicker";

/// The weight of what an address has asked for in the present minute.
const USED_WEIGHT: [HeaderName; 2] =
    [HeaderName::from_static("x-mbx-used-weight"), HeaderName::from_static("x-mbx-used-weight-1m")];

/// What a symbol may look like.
const SYMBOL: &str = "^[A-Z0-9-_.]{1,32}$";
/// What a number may look like.
const NUMBER: &str = "^[0-9]{1,20}$";

/// Levels a side, where the request does not say, and at most.
const LEVELS: [u32; 2] = [100, 5_000];
/// Trades, where the request does not say, and at most.
const TRADES: [u32; 2] = [500, 1_000];

/// A request that is not answered with what it asked for.
struct Refused {
    status: StatusCode,
    fault: Fault,
    retry_after: Option<Duration>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, fault, retry_after: None }
    }
}

impl Refused {
    /// What is asked for cannot be told now.
    fn for_now(fault: Fault) -> Refused {
        Refused { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(Duration::from_secs(1)), fault }
    }

    fn into_reply(self) -> Reply {
        let mut body = Vec::new();
        binance::push_fault(&mut body, &self.fault);
        let mut reply = reply::json(body);
        *reply.status_mut() = self.status;
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        if let Some(wait) = self.retry_after {
            reply.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        reply
    }
}

/// Answers a request below [`PREFIX`].
pub(super) async fn answer<B>(shared: &Shared, request: &Request<B>, address: IpAddr) -> Reply {
    let weight = shared.control.addresses.weigh(address, clock::now());
    let mut reply = body(shared, request, address).await.map_or_else(Refused::into_reply, reply::json);
    for name in USED_WEIGHT {
        reply.headers_mut().insert(name, weight.into());
    }
    reply
}

async fn body<B>(shared: &Shared, request: &Request<B>, address: IpAddr) -> Result<Vec<u8>, Refused> {
    let control = &shared.control;
    control.addresses.request(address).map_err(|wait| Refused {
        status: StatusCode::TOO_MANY_REQUESTS,
        fault: Fault::too_many_requests("come back after the time in Retry-After, or use the streams"),
        retry_after: Some(wait),
    })?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let fault = Fault::unsupported("market data is asked for with GET");
        return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, fault, retry_after: None });
    }
    if control.is_draining() {
        return Err(Refused::for_now(Fault::unavailable(
            "the gateway is shutting down; come back in a moment",
        )));
    }
    let name = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let mut query = Query::of(shared, request.uri())?;
    let mut body = Vec::new();
    match name {
        "ping" => body.extend_from_slice(b"{}"),
        "time" => binance::push_time(&mut body, clock::now()),
        "exchangeInfo" => exchange_info(&mut query, &mut body)?,
        "depth" => depth(&mut query, &mut body).await?,
        "trades" => trades(&mut query, Trades::Newest, &mut body)?,
        "historicalTrades" => trades(&mut query, Trades::FromId, &mut body)?,
        "aggTrades" => trades(&mut query, Trades::Aggregates, &mut body)?,
        "klines" | "uiKlines" => stats::klines(&mut query, &mut body)?,
        "avgPrice" => stats::average_price(&mut query, &mut body)?,
        "ticker/24hr" => stats::day_ticker(&mut query, &mut body)?,
        "ticker/price" => of_symbols(&mut query, &mut body, Publisher::push_last_price)?,
        "ticker/bookTicker" => of_symbols(&mut query, &mut body, Publisher::push_top)?,
        _ => {
            let fault = Fault::unsupported(format!("below {PREFIX} there is {PATHS}"));
            return Err(Refused { status: StatusCode::NOT_FOUND, fault, retry_after: None });
        }
    }
    query.finish()?;
    Ok(body)
}

fn exchange_info(query: &mut Query<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    // Which permissions and what status are wanted makes no difference: all have the same.
    for name in ["permissions", "showPermissionSets", "symbolStatus"] {
        query.text(name)?;
    }
    let wanted = query.wanted()?;
    let instruments = Arc::clone(&query.instruments);
    let rate = query.shared.control.config.http_requests_per_second;
    let limit = (rate > 0).then_some(u64::from(rate) * 60);
    let now = clock::now();
    match wanted {
        Wanted::All => {
            let all = binance::offered(&instruments).map(|(_, instrument)| instrument);
            binance::push_exchange_info(out, now, limit, all);
        }
        Wanted::One(symbol) => {
            binance::push_exchange_info(out, now, limit, [&instruments[symbol]].into_iter());
        }
        Wanted::These(symbols) => {
            let these = symbols.iter().map(|&symbol| &instruments[symbol]);
            binance::push_exchange_info(out, now, limit, these);
        }
    }
    Ok(())
}

async fn depth(query: &mut Query<'_>, out: &mut Vec<u8>) -> Result<(), Refused> {
    let symbol = query.symbol()?;
    let depth = query.limit(LEVELS)?;
    let told = told(query.shared, |engine| engine.worker.publisher_mut().push_depth(symbol, depth, out));
    told.await.map_err(Refused::for_now)
}

/// Which of the lists of trades.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trades {
    Newest,
    FromId,
    Aggregates,
}

fn trades(query: &mut Query<'_>, which: Trades, out: &mut Vec<u8>) -> Result<(), Refused> {
    let symbol = query.symbol()?;
    let mut window = TradeWindow {
        limit: query.limit(TRADES)? as usize,
        from_id: (which != Trades::Newest).then(|| query.number("fromId")).transpose()?.flatten(),
        from: None,
        until: None,
    };
    if which == Trades::Aggregates {
        let [from, last] = [query.number("startTime")?, query.number("endTime")?];
        if from.zip(last).is_some_and(|(from, last)| from > last) {
            return Err(Fault::data("endTime").into());
        }
        if window.from_id.is_some() && (from.is_some() || last.is_some()) {
            return Err(Fault::combination().into());
        }
        // Both ends are included.
        window.from = from.map(millis);
        window.until = last.map(|last| millis(last.saturating_add(1)));
    }
    query.shared.with(|engine| {
        engine.catch_up();
        engine.worker.publisher_mut().push_trade_list(symbol, window, which == Trades::Aggregates, out);
    });
    Ok(())
}

fn millis(number: u64) -> Nanos {
    Nanos(number.saturating_mul(1_000_000))
}

/// What is told of one symbol, or of each of several. Of all, those are left out of which it cannot be told now.
fn of_symbols(
    query: &mut Query<'_>,
    out: &mut Vec<u8>,
    push: impl Fn(&Publisher, SymbolId, &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Refused> {
    let wanted = query.wanted()?;
    let instruments = Arc::clone(&query.instruments);
    query.shared.with(|engine| {
        engine.catch_up();
        let publisher = engine.worker.publisher_mut();
        let mut push = |out: &mut Vec<u8>, symbol| push(publisher, symbol, out);
        match wanted {
            Wanted::One(symbol) => push(out, symbol).map_err(Refused::for_now)?,
            Wanted::These(symbols) => push_told(out, symbols.into_iter(), true, &mut push)?,
            Wanted::All => {
                let all = binance::offered(&instruments).map(|(symbol, _)| symbol);
                push_told(out, all, false, &mut push)?;
            }
        }
        Ok(())
    })
}

/// A list of what is told of each symbol. Where it cannot be told, that fails if `each` is wanted.
fn push_told(
    out: &mut Vec<u8>,
    symbols: impl Iterator<Item = SymbolId>,
    each: bool,
    push: &mut impl FnMut(&mut Vec<u8>, SymbolId) -> Result<(), Fault>,
) -> Result<(), Refused> {
    out.push(b'[');
    let empty = out.len();
    for symbol in symbols {
        match push(out, symbol) {
            Ok(()) => out.push(b','),
            Err(fault) if each => return Err(Refused::for_now(fault)),
            Err(_) => {}
        }
    }
    out.truncate(empty.max(out.len() - 1));
    out.push(b']');
    Ok(())
}

/// Of which symbols something is asked.
enum Wanted {
    All,
    One(SymbolId),
    These(Vec<SymbolId>),
}

/// The query of a request, with what it is about.
struct Query<'a> {
    shared: &'a Shared,
    instruments: Arc<Instruments>,
    parameters: Parameters<'a>,
}

impl<'a> Query<'a> {
    fn of(shared: &'a Shared, uri: &'a Uri) -> Result<Query<'a>, Refused> {
        let parameters = Parameters::of(uri).map_err(|_| Fault::duplicate())?;
        Ok(Query { shared, instruments: shared.control.instruments(), parameters })
    }

    fn text(&mut self, name: &'static str) -> Result<Option<Cow<'a, str>>, Fault> {
        match self.parameters.text(name) {
            Some(text) if text.is_empty() => Err(Fault::missing(name)),
            text => Ok(text),
        }
    }

    fn find(&self, name: &str) -> Result<SymbolId, Fault> {
        let is_legal =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if name.len() > 32 || !name.bytes().all(is_legal) {
            return Err(Fault::illegal("symbol", SYMBOL));
        }
        binance::find_symbol(name, &self.instruments)
    }

    /// The symbol, which has to be there.
    fn symbol(&mut self) -> Result<SymbolId, Fault> {
        let name = self.text("symbol")?.ok_or_else(|| Fault::missing("symbol"))?;
        self.find(&name)
    }

    /// One symbol, or several, or all as none is named.
    fn wanted(&mut self) -> Result<Wanted, Fault> {
        match (self.text("symbol")?, self.text("symbols")?) {
            (None, None) => Ok(Wanted::All),
            (Some(name), None) => self.find(&name).map(Wanted::One),
            (None, Some(names)) => {
                let names = binance::parse_symbols(&names)?;
                if names.len() > self.instruments.len() {
                    return Err(Fault::data("symbols"));
                }
                names.iter().map(|name| self.find(name)).collect::<Result<_, _>>().map(Wanted::These)
            }
            (Some(_), Some(_)) => Err(Fault::combination()),
        }
    }

    fn number(&mut self, name: &'static str) -> Result<Option<u64>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::illegal(name, NUMBER));
        }
        text.parse().map(Some).map_err(|_| Fault::data(name))
    }

    /// How many are asked for; who asks for more than there may be gets those.
    fn limit(&mut self, [default, most]: [u32; 2]) -> Result<u32, Fault> {
        match self.number("limit")? {
            None => Ok(default),
            Some(0) => Err(Fault::data("limit")),
            Some(limit) => Ok(limit.min(most.into()) as u32),
        }
    }

    fn finish(self) -> Result<(), Fault> {
        match self.parameters.counts() {
            (read, sent) if read < sent => Err(Fault::unread(read, sent)),
            _ => Ok(()),
        }
    }
}
