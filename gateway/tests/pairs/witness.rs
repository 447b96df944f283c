//! What really happened: a client that reads on all the time and gets each message by itself, whatever others do. Who harms it,
//! or holds it up, is found out by that.

use crate::{
    client::PATIENCE,
    dialect::Dialect,
    native::{Native, SYMBOL},
    support::{
        Wrong,
        account::{Account, Heard},
        transport::{Connection, Query, Transport},
    },
};
use book::Ladder;
use market::{Seq, clock};
use simulation::line::Item;
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};
use wire::message::{Channel, Depth, Encoding, SnapshotReason, Trade};

/// A client in a thread of its own, which ends with this.
pub struct Witness {
    /// Its own address.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    news: Condvar,
    /// What breaks from now on is meant to.
    is_over: AtomicBool,
}

/// What it has seen.
#[derive(Default)]
pub struct Seen {
    /// What each of its messages changed in the whole book, the first one in an empty one.
    changes: BTreeMap<Seq, Ladder>,
    /// All trades.
    trades: Vec<Trade>,
    /// Through where it knows of all books, and of all trades.
    through: [Seq; 2],
    wrong: Option<Wrong>,
}

impl Witness {
    /// Connects, and waits for the first book.
    pub fn start(addresses: [SocketAddr; 2]) -> Result<Witness, Wrong> {
        let broken = |error| format!("the witness cannot connect: {error}");
        let transport = Transport::WebSocket;
        let stream = TcpStream::connect(transport.address(addresses)).map_err(broken)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
        let query = Query {
            path: Native::<false>::PATH,
            text: String::new(),
            since: None,
            by_header: false,
            encoding: Encoding::Json,
        };
        let mut connection = Connection::begin(stream, transport, &query).map_err(broken)?;
        for channel in [Channel::Book, Channel::Trade] {
            let params = format!(
                "{{\"channel\":\"{}\",\"symbol\":\"{SYMBOL}\",\"depth\":0,\"policy\":\"lossless\"}}",
                channel.as_str()
            );
            connection.request("subscribe", &params).map_err(broken)?;
        }
        let address = connection.local_address().map_err(broken)?;
        let shared = Arc::new(Shared::default());
        let seeing = Arc::clone(&shared);
        let thread = Some(thread::spawn(move || seeing.watch(connection)));
        let witness = Witness { address, shared, thread };
        witness.until("the first book", |seen| (!seen.changes.is_empty()).then_some(()))?;
        Ok(witness)
    }

    /// Waits until it has seen something.
    pub fn until<T>(&self, what: &str, look: impl Fn(&Seen) -> Option<T>) -> Result<T, Wrong> {
        let deadline = clock::now() + PATIENCE;
        let mut seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(wrong) = &seen.wrong {
                return Err(format!("the witness is harmed: {wrong}"));
            }
            if let Some(found) = look(&seen) {
                return Ok(found);
            }
            let left = deadline.since(clock::now());
            if left.is_zero() {
                return Err(format!("the witness did not see {what} in {PATIENCE:?}"));
            }
            let waited = self.shared.news.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The book as it was at a number.
    pub fn book_at(&self, seq: Seq, depth: Depth) -> Result<Ladder, Wrong> {
        self.until("a book", |seen| {
            let mut book = Ladder::default();
            if seen.through[0] < seq {
                return None;
            }
            seen.changes.range(..=seq).for_each(|(_, changes)| book.apply(changes));
            book.cut(depth.get());
            Some(book)
        })
    }

    /// The numbers of all trades up to one.
    pub fn trades_through(&self, seq: Seq) -> Result<Vec<Seq>, Wrong> {
        self.until("trades", |seen| {
            let until = seen.trades.partition_point(|trade| trade.seq <= seq);
            (seen.through[1] >= seq).then(|| seen.trades[..until].iter().map(|trade| trade.seq).collect())
        })
    }

    /// The trade of an id.
    pub fn trade(&self, id: u64) -> Result<Trade, Wrong> {
        self.until("a trade", |seen| {
            let at = seen.trades.binary_search_by_key(&id, |trade| trade.trade_id);
            at.ok().map(|at| seen.trades[at])
        })
    }

    /// The id of the first trade that it has seen.
    pub fn first_trade(&self) -> Result<u64, Wrong> {
        self.until("a trade", |seen| seen.trades.first().map(|trade| trade.trade_id))
    }

    /// The number of its last book.
    pub fn seq(&self) -> Result<Seq, Wrong> {
        self.until("a book", |seen| seen.last())
    }

    /// Waits until the book has gone on for so many numbers.
    pub fn go_on(&self, numbers: Seq) -> Result<Seq, Wrong> {
        let from = self.seq()?;
        self.until("the book going on", |seen| seen.last().filter(|&seq| seq >= from + numbers))
    }

    /// Waits for so many trades, and for a book behind them. The number of that.
    pub fn trade_on(&self, count: usize) -> Result<Seq, Wrong> {
        let before = self.until("trades", |seen| Some(seen.trades.len()))?;
        self.until("further trades", |seen| {
            let last = seen.trades.get(before + count - 1)?.seq;
            seen.last().filter(|&seq| seq > last)
        })
    }

    /// The gateway is about to go.
    pub fn lets_go(&self) {
        self.shared.is_over.store(true, Relaxed);
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.lets_go();
        if let Some(thread) = self.thread.take() {
            // It has told what is wrong.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Reads on; heartbeats come where nothing else does.
    fn watch(&self, mut connection: Connection) {
        let mut account = Account::with_dense_trade_ids();
        while !self.is_over.load(Relaxed) {
            let read = connection.read().map_err(|error| error.to_string());
            let taken = read.and_then(|items| self.take(&mut account, items));
            if let Err(wrong) = taken
                && !self.is_over.load(Relaxed)
            {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).wrong = Some(wrong);
                self.news.notify_all();
                return;
            }
        }
    }

    fn take(&self, account: &mut Account, items: Vec<Item>) -> Result<(), Wrong> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for item in items {
            if let Item::Message(text) = item {
                let heard = account.message(&text)?;
                seen.note(&heard, account)?;
            }
        }
        self.news.notify_all();
        Ok(())
    }
}

impl Seen {
    /// The number of the last book.
    fn last(&self) -> Option<Seq> {
        self.changes.keys().next_back().copied()
    }

    fn note(&mut self, heard: &Heard, account: &Account) -> Result<(), Wrong> {
        match heard {
            Heard::Granted { .. }
            | Heard::Nothing
            | Heard::Snapshot { reason: SnapshotReason::Subscribe, .. }
            | Heard::Update { merged: false, .. } => {}
            other => return Err(format!("{other:?}")),
        }
        let tracker = &account.tracker;
        match heard {
            Heard::Snapshot { channel: Channel::Book, .. } | Heard::Update { channel: Channel::Book, .. } => {
                let seq = tracker.book(SYMBOL).map_or(0, |book| book.seq);
                self.changes.insert(seq, account.last_levels.clone());
            }
            Heard::Update { channel: Channel::Trade, .. } => self.trades.extend(&account.last_trades),
            _ => {}
        }
        self.through = [Channel::Book, Channel::Trade].map(|of| tracker.through(of, SYMBOL).unwrap_or(0));
        Ok(())
    }
}
