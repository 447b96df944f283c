//! Kraken's REST below [`PREFIX`]: what its clients load before they go on over WebSocket.
//!
//! Answers are `{"error":[],"result":…}`. A request that is wrong is answered with what is wrong in `error` and with status 200, as
//! the venue does; 429 and 503 are what a client waits for. Parameters that are not known are passed over.

use super::{
    Reply,
    late::told,
    parameters::Parameters,
    reply::{self, Problem, whole_seconds},
};
use crate::worker::Shared;
use hyper::{Method, Request, StatusCode, header};
use market::{Instruments, Nanos, SymbolId, clock};
use std::{borrow::Cow, net::IpAddr, str::FromStr, sync::Arc, time::Duration};
use wire::dialect::kraken_v2::{candles_of, rest};

/// What all paths begin with.
pub(super) const PREFIX: &str = "/0/public/";

/// Levels a side and trades: how many where the request does not say, and at most.
const LEVELS: [u64; 2] = [100, 500];
const TRADES: [u64; 2] = [1000, 1000];

/// A `since` below this counts seconds, others count nanoseconds: it is in the year 5138, or in the first minutes of 1970.
const MOST_SECONDS: u64 = 100_000_000_000;

/// A request that is not answered with a result.
struct Failure {
    status: StatusCode,
    error: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl Failure {
    fn new(error: impl Into<Cow<'static, str>>) -> Failure {
        Failure { status: StatusCode::OK, error: error.into(), retry_after: None }
    }

    fn invalid(name: &str) -> Failure {
        Failure::new(format!("EGeneral:Invalid arguments:{name}"))
    }

    fn unavailable() -> Failure {
        let retry_after = Some(Duration::from_secs(1));
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Failure { status, retry_after, ..Failure::new("EService:Unavailable") }
    }

    fn into_reply(self) -> Reply {
        let mut body = Vec::new();
        rest::push_failure(&mut body, &self.error);
        let mut reply = reply::json(body);
        *reply.status_mut() = self.status;
        if let Some(wait) = self.retry_after {
            reply.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        reply
    }
}

impl From<Problem> for Failure {
    fn from(_: Problem) -> Failure {
        Failure::new("EGeneral:Invalid arguments")
    }
}

/// Answers a request below [`PREFIX`].
pub(super) async fn answer<B>(shared: &Shared, request: &Request<B>, address: IpAddr) -> Reply {
    match result(shared, request, address).await {
        Ok(result) => {
            let mut body = Vec::with_capacity(result.len() + 24);
            rest::push_result(&mut body, |body| body.extend_from_slice(&result));
            reply::json(body)
        }
        Err(failure) => failure.into_reply(),
    }
}

async fn result<B>(shared: &Shared, request: &Request<B>, address: IpAddr) -> Result<Vec<u8>, Failure> {
    let control = &shared.control;
    control.addresses.request(address).map_err(|wait| Failure {
        status: StatusCode::TOO_MANY_REQUESTS,
        error: "EAPI:Rate limit exceeded".into(),
        retry_after: Some(wait),
    })?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        return Err(Failure { status, ..Failure::new("EGeneral:Unknown method") });
    }
    if control.is_draining() {
        return Err(Failure::unavailable());
    }
    let mut query =
        Query { shared, instruments: control.instruments(), parameters: Parameters::of(request.uri())? };
    let mut out = Vec::new();
    match request.uri().path().strip_prefix(PREFIX).unwrap_or_default() {
        "Time" => {
            let now = clock::now();
            rest::push_server_time(&mut out, now, &rfc1123(now));
        }
        "SystemStatus" => {
            let is_online = control.stats.books_standing() > 0 && !control.stats.is_feed_stalled();
            rest::push_system_status(&mut out, is_online, clock::now());
        }
        "Assets" => query.assets(&mut out)?,
        "AssetPairs" => query.asset_pairs(&mut out)?,
        "Depth" => query.depth(&mut out).await?,
        "Trades" => query.trades(&mut out)?,
        "Ticker" => query.ticker(&mut out)?,
        "OHLC" => query.ohlc(&mut out)?,
        _ => return Err(Failure::new("EGeneral:Unknown method")),
    }
    Ok(out)
}

/// A request's query, with what it is about.
struct Query<'a> {
    shared: &'a Shared,
    instruments: Arc<Instruments>,
    parameters: Parameters<'a>,
}

impl Query<'_> {
    fn assets(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let wanted = self.parameters.text("asset");
        let wanted: Option<Vec<&str>> = wanted.as_ref().map(|names| names.split(',').collect());
        let start = out.len();
        let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(&name));
        rest::push_assets(out, &self.instruments, is_wanted);
        let found_none = out.len() - start == "{}".len();
        if found_none && wanted.is_some() {
            return Err(Failure::new("EQuery:Unknown asset"));
        }
        Ok(())
    }

    fn asset_pairs(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let pairs = self.pairs()?;
        rest::push_object(out, pairs, |out, pair| rest::push_pair(out, &self.instruments[pair]));
        Ok(())
    }

    async fn depth(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let pair = self.pair()?;
        let count = self.count(LEVELS)?;
        let empty = out.len();
        let told = told(self.shared, |engine| {
            out.truncate(empty);
            let mut told = Ok(());
            rest::push_object(out, [pair], |out, pair| {
                told = engine.worker.publisher_mut().push_kraken_depth(pair, count as u32, out);
            });
            told
        });
        told.await.map_err(|_| Failure::unavailable())
    }

    fn trades(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let pair = self.pair()?;
        let count = self.count(TRADES)? as usize;
        let since = self.since()?;
        self.shared.with(|engine| {
            engine.catch_up();
            engine.worker.publisher_mut().push_kraken_trades(pair, since, count, out);
        });
        Ok(())
    }

    fn ticker(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let pairs = self.pairs()?;
        self.shared.with(|engine| {
            engine.catch_up();
            let publisher = engine.worker.publisher_mut();
            rest::push_object(out, pairs, |out, pair| publisher.push_kraken_ticker(pair, out));
        });
        Ok(())
    }

    fn ohlc(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let pair = self.pair()?;
        let minutes = self.number("interval")?.unwrap_or(1);
        let interval = candles_of(minutes).ok_or_else(|| Failure::invalid("interval"))?;
        let since = self.since()?;
        self.shared.with(|engine| {
            engine.catch_up();
            engine.worker.publisher_mut().push_kraken_ohlc(pair, interval, since, out);
        });
        Ok(())
    }

    /// The pair, which has to be there.
    fn pair(&mut self) -> Result<SymbolId, Failure> {
        let name = self.parameters.text("pair").ok_or_else(|| Failure::invalid("pair"))?;
        find(&self.instruments, &name)
    }

    /// The pairs that are named, or all.
    fn pairs(&mut self) -> Result<Vec<SymbolId>, Failure> {
        let Some(names) = self.parameters.text("pair") else {
            // Of two whose names are the same without the slash, the first one has the name.
            let all = self.instruments.iter().filter(|(symbol, instrument)| {
                self.instruments.find_plain(&instrument.symbol.replace('/', "")) == Some(*symbol)
            });
            return Ok(all.map(|(symbol, _)| symbol).collect());
        };
        let mut pairs = Vec::new();
        for name in names.split(',') {
            let pair = find(&self.instruments, name)?;
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        Ok(pairs)
    }

    fn number<T: FromStr>(&mut self, name: &'static str) -> Result<Option<T>, Failure> {
        let Some(text) = self.parameters.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Failure::invalid(name))
    }

    fn count(&mut self, [default, most]: [u64; 2]) -> Result<u64, Failure> {
        match self.number("count")? {
            None => Ok(default),
            Some(0) => Err(Failure::invalid("count")),
            Some(count) => Ok(most.min(count)),
        }
    }

    fn since(&mut self) -> Result<Option<Nanos>, Failure> {
        let since: Option<u64> = self.number("since")?;
        Ok(since.map(|since| {
            let is_seconds = since < MOST_SECONDS;
            Nanos(if is_seconds { since.saturating_mul(1_000_000_000) } else { since })
        }))
    }
}

/// A pair by its name: `BTC/USDT`, `BTCUSDT`, or what the venue of the feed calls it.
fn find(instruments: &Instruments, name: &str) -> Result<SymbolId, Failure> {
    let found = instruments.find_plain(name).or_else(|| instruments.find(name));
    found.ok_or_else(|| Failure::new("EQuery:Unknown asset pair"))
}

/// As `Thu, 06 Jul 23 18:50:48 +0000`.
fn rfc1123(time: Nanos) -> String {
    let time = std::time::UNIX_EPOCH + Duration::from_nanos(time.0);
    let text = httpdate::fmt_http_date(time);
    let (date, rest) = text.split_at("Thu, 06 Jul ".len());
    let (_, year_and_clock) = rest.split_at("20".len());
    format!("{date}{} +0000", year_and_clock.trim_end_matches(" GMT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_the_venue_writes_it() {
        let time = "2023-07-06T18:50:48Z".parse().unwrap();
        assert_eq!(rfc1123(time), "Thu, 06 Jul 23 18:50:48 +0000");
    }
}
