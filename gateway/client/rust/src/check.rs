//! The check of a running gateway: subscribes like any client, proves everything, and sums up what it found.

use crate::{Client, ClientError, Event, Options, Subscription, Update, client::instruments, target::Target};
use hdrhistogram::Histogram;
use market::{Nanos, clock};
use serde::Serialize;
use std::{collections::HashMap, time::Duration};
use tokio::time::timeout;
use wire::message::{Channel, Depth, Stamps, Verdict};

/// What to check, and for how long.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// How long to listen, from the first connection on.
    pub duration: Duration,
    /// Which symbols; none stands for all.
    pub symbols: Vec<String>,
    /// The depths of the books, dealt out over the symbols in turn.
    pub depths: Vec<Depth>,
}

impl CheckOptions {
    /// All symbols; depth 10 for half of them, the whole book and the top alone for a quarter each.
    pub fn new(duration: Duration) -> CheckOptions {
        let (ten, top) = (Depth::default(), Depth::OFFERED[0]);
        CheckOptions { duration, symbols: Vec::new(), depths: vec![ten, Depth::ALL, ten, top] }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Every message proved itself, every book came, and every verify was right.
    pub ok: bool,
    /// The gateway, as it was given.
    pub url: String,
    /// How long it was listened to.
    pub seconds: f64,
    /// How many symbols were subscribed to.
    pub symbols: usize,
    /// Messages of every kind.
    pub messages: u64,
    /// Updates of books, their tops, and trades.
    pub updates: u64,
    /// Snapshots of every reason.
    pub snapshots: u64,
    /// Trades.
    pub trades: u64,
    /// Trades whose id does not follow the one before; not every venue's ids are dense.
    pub trade_id_jumps: u64,
    /// Merged updates.
    pub conflated: u64,
    /// Gap messages.
    pub gaps: u64,
    /// Connections after the first one.
    pub reconnects: u64,
    /// Books that the gateway found to be right.
    pub verify_ok: u64,
    /// Books that it found to be wrong.
    pub verify_mismatch: u64,
    /// How many faults there were.
    pub faults: u64,
    /// What the first of them were.
    pub fault_texts: Vec<String>,
    /// Updates with stamps: from engine to receipt. Both clocks have to be one for this to mean anything.
    pub latency_ns: LatencyReport,
}

/// Percentiles in nanoseconds; 0 if nothing was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LatencyReport {
    /// How many.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
}

/// Listens to a gateway and proves everything that it sends: every book by seq and checksum, the tops against the books,
/// trades by their numbers, and now and then the gateway's own opinion of the book.
///
/// A gateway that cannot be reached is a fault in the report.
pub async fn check(url: &str, options: CheckOptions) -> CheckReport {
    let mut findings = Findings::new();
    match connect(url, &options).await {
        Ok(mut client) => {
            let begun = clock::now();
            // The time being over is how this ends.
            let _ = timeout(options.duration, listen(&mut client, &mut findings)).await;
            findings.expect_books(&client);
            findings.report(url, clock::now().since(begun), Some(&client))
        }
        Err(error) => {
            findings.fault(error.to_string());
            findings.report(url, Duration::ZERO, None)
        }
    }
}

async fn connect(url: &str, options: &CheckOptions) -> Result<Client, ClientError> {
    let mut symbols = options.symbols.clone();
    if symbols.is_empty() {
        symbols = instruments(&Target::parse(url)?, Duration::from_secs(10)).await?;
    }
    Client::connect(url, Options::new(subscriptions(symbols, &options.depths))).await
}

fn subscriptions(symbols: Vec<String>, depths: &[Depth]) -> Vec<Subscription> {
    let mut books: HashMap<Depth, Vec<String>> = HashMap::new();
    let mut depths = depths.iter().copied().cycle();
    for symbol in &symbols {
        books.entry(depths.next().unwrap_or_default()).or_default().push(symbol.clone());
    }
    let books = books
        .into_iter()
        .map(|(depth, symbols)| Subscription { depth, ..Subscription::new(Channel::Book, symbols) });
    let others = [Channel::Trade, Channel::Bbo].map(|channel| Subscription::new(channel, symbols.clone()));
    books.chain(others).map(|subscription| Subscription { stamps: true, ..subscription }).collect()
}

/// Takes what comes, for ever.
async fn listen(client: &mut Client, findings: &mut Findings) {
    loop {
        let event = client.next().await;
        let now = clock::now();
        if let Some(question) = findings.take(event, now) {
            client.verify(&question.symbol, question.seq, question.checksum);
        }
    }
}

/// A book to be compared with the gateway's.
struct Question {
    symbol: String,
    seq: market::Seq,
    checksum: u32,
}

/// What was found so far.
struct Findings {
    reconnects: u64,
    verify_ok: u64,
    verify_mismatch: u64,
    faults: u64,
    fault_texts: Vec<String>,
    latency: Histogram<u64>,
    /// When the next book is verified.
    verify_at: Nanos,
}

impl Findings {
    /// Of more faults only the number is told.
    const MOST_TEXTS: usize = 5;
    /// A tenth of what the gateway allows.
    const VERIFY_EVERY: Duration = Duration::from_millis(100);
    const LONGEST_LATENCY_NS: u64 = 3_600_000_000_000;

    fn new() -> Findings {
        Findings {
            reconnects: 0,
            verify_ok: 0,
            verify_mismatch: 0,
            faults: 0,
            fault_texts: Vec::new(),
            latency: Histogram::new_with_max(Findings::LONGEST_LATENCY_NS, 3)
                .expect("three digits are within the histogram's range"),
            verify_at: Nanos::ZERO,
        }
    }

    /// Takes an event that was received at `now`; answers with what to verify.
    fn take(&mut self, event: Event<'_>, now: Nanos) -> Option<Question> {
        match event {
            Event::Update(update) => return self.update(update, now),
            Event::Fault(fault) => self.fault(fault.to_string()),
            Event::Connected => self.reconnects += 1,
            Event::Disconnected { .. } => {}
        }
        None
    }

    fn update(&mut self, update: Update<'_>, now: Nanos) -> Option<Question> {
        match update {
            Update::Book { symbol, book, snapshot, stamps, .. } => {
                self.measure(stamps.filter(|_| snapshot.is_none()), now);
                if now < self.verify_at {
                    return None;
                }
                self.verify_at = now + Findings::VERIFY_EVERY;
                let checksum = book.ladder.checksum(book.depth.get());
                return Some(Question { symbol: symbol.into(), seq: book.seq, checksum });
            }
            Update::Bbo { snapshot: None, stamps, .. } | Update::Trades { snapshot: None, stamps, .. } => {
                self.measure(stamps, now);
            }
            Update::Verified(answer) => match answer.verdict {
                Verdict::Ok => self.verify_ok += 1,
                Verdict::Mismatch => self.verify_mismatch += 1,
                Verdict::Unknown => {}
            },
            Update::Refused { code, text, .. } => self.fault(format!("refused with {code}: {text}")),
            _ => {}
        }
        None
    }

    fn measure(&mut self, stamps: Option<Stamps>, now: Nanos) {
        if let Some(stamps) = stamps {
            self.latency.saturating_record(now.since(stamps.engine).as_nanos() as u64);
        }
    }

    fn fault(&mut self, text: String) {
        self.faults += 1;
        if self.fault_texts.len() < Findings::MOST_TEXTS {
            self.fault_texts.push(text);
        }
    }

    /// Silence proves nothing: each book that was asked for has to be there.
    fn expect_books(&mut self, client: &Client) {
        let books = client.subscriptions().iter().filter(|wanted| wanted.channel == Channel::Book);
        for symbol in books.flat_map(|wanted| &wanted.symbols) {
            if client.tracker().book(symbol).is_none() {
                self.fault(format!("book of {symbol}: none is held at the end"));
            }
        }
    }

    fn report(self, url: &str, listened: Duration, client: Option<&Client>) -> CheckReport {
        let counters = client.map(|client| client.tracker().counters().clone()).unwrap_or_default();
        let symbols =
            client.map_or(0, |client| client.subscriptions().last().map_or(0, |all| all.symbols.len()));
        CheckReport {
            ok: self.faults == 0 && self.verify_mismatch == 0,
            url: url.into(),
            seconds: listened.as_secs_f64(),
            symbols,
            messages: counters.messages,
            updates: counters.updates,
            snapshots: counters.snapshots.values().sum(),
            trades: counters.trades,
            trade_id_jumps: counters.trade_id_jumps,
            conflated: counters.conflated,
            gaps: counters.gaps,
            reconnects: self.reconnects,
            verify_ok: self.verify_ok,
            verify_mismatch: self.verify_mismatch,
            faults: self.faults,
            fault_texts: self.fault_texts,
            latency_ns: LatencyReport {
                count: self.latency.len(),
                p50: self.latency.value_at_quantile(0.5),
                p99: self.latency.value_at_quantile(0.99),
            },
        }
    }
}
