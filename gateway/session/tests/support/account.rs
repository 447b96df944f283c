//! What happened, as a test knows it because it published it, and what a client knows of it because it was told: the one
//! is held against the other.

use super::{Bench, TextBook, level, trade};
use market::{Event, Kind, ResetReason, Side, SymbolId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use wire::token::Token;

pub const SYMBOLS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

/// Chance with a seed (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % bound
    }
}

/// The market of a test.
#[derive(Default)]
pub struct Market {
    /// For each symbol and side, quantities by price.
    books: [[BTreeMap<i64, u64>; 2]; 2],
    /// For each symbol, the seqs of its trades with their ids.
    pub trades: [BTreeMap<u64, u64>; 2],
    /// Whether the feed has lost the book.
    lost: [bool; 2],
    stands: [bool; 2],
}

impl Market {
    /// Something happens to a symbol: levels change, trades; rarely the book is written anew, or lost for a while.
    pub fn happen(&mut self, bench: &mut Bench, chance: &mut Chance) {
        let symbol = chance.below(2) as usize;
        match (self.stands[symbol], chance.below(100)) {
            (true, 0) => self.lose(bench, symbol),
            (false, 0..80) => self.trade(bench, symbol, chance.below(3) + 1),
            (false, _) | (true, 1) => self.reset(bench, symbol),
            (true, 2..30) => self.trade(bench, symbol, chance.below(3) + 1),
            (true, _) => self.change(bench, symbol, chance),
        }
    }

    pub fn reset(&mut self, bench: &mut Bench, symbol: usize) {
        let lost = std::mem::take(&mut self.lost[symbol]);
        bench.reset(symbol as u32, if lost { ResetReason::Gap } else { ResetReason::Feed });
        self.stands[symbol] = true;
        self.books[symbol] = [
            (0..5).map(|i| (10_000 - i, 100 + i as u64)).collect(),
            (0..5).map(|i| (10_001 + i, 200 + i as u64)).collect(),
        ];
    }

    fn lose(&mut self, bench: &mut Bench, symbol: usize) {
        bench.publish(Event { symbol: SymbolId(symbol as u32), ..Event::new(Kind::FeedGap) });
        (self.lost[symbol], self.stands[symbol]) = (true, false);
    }

    pub fn trade(&mut self, bench: &mut Bench, symbol: usize, count: u64) {
        let before = bench.seq(symbol as u32);
        let events: Vec<Event> = (1..=count).map(|i| trade(10_000, before + i)).collect();
        bench.exchange_event(symbol as u32, &events);
        self.trades[symbol].extend((before + 1..=before + count).map(|seq| (seq, seq)));
    }

    fn change(&mut self, bench: &mut Bench, symbol: usize, chance: &mut Chance) {
        let mut events = Vec::new();
        for _ in 0..=chance.below(3) {
            let (at, away, qty) = (chance.below(2) as usize, chance.below(8) as i64, chance.below(4));
            let (side, price) = [(Side::Bid, 10_000 - away), (Side::Ask, 10_001 + away)][at];
            let levels = &mut self.books[symbol][at];
            // Ingest lets nothing pass that changes nothing.
            if levels.get(&price).copied().unwrap_or(0) != qty {
                levels.insert(price, qty);
                levels.retain(|_, qty| *qty > 0);
                events.push(level(side, price, qty));
            }
        }
        if !events.is_empty() {
            bench.exchange_event(symbol as u32, &events);
        }
    }

    pub fn view(&self, symbol: usize, depth: usize) -> [Vec<(i64, u64)>; 2] {
        let depth = if depth == 0 { usize::MAX } else { depth };
        let [bids, asks] = &self.books[symbol];
        let pair = |(price, qty): (&i64, &u64)| (*price, *qty);
        [bids.iter().rev().take(depth).map(pair).collect(), asks.iter().take(depth).map(pair).collect()]
    }
}

/// The best bid and ask, each with its quantity.
type Top = [Option<(i64, u64)>; 2];

/// What one client knows of both symbols.
#[derive(Debug, Clone)]
pub struct Account {
    pub books: [TextBook; 2],
    tops: [Option<Top>; 2],
    top_seqs: [u64; 2],
    /// For each symbol, the seqs of the trades that it was told of, and those that it was told to be missing.
    trades: [BTreeSet<u64>; 2],
    gaps: [Vec<(u64, u64)>; 2],
    last_trades: [u64; 2],
    /// From which seq on it has to know of trades.
    from: [u64; 2],
}

impl Account {
    /// A client that begins now, and wants books of this depth.
    pub fn new(bench: &Bench, depth: usize) -> Account {
        let now = [bench.seq(0), bench.seq(1)];
        Account {
            books: [TextBook::new(depth), TextBook::new(depth)],
            tops: [None; 2],
            top_seqs: [0; 2],
            trades: Default::default(),
            gaps: Default::default(),
            last_trades: now,
            from: now,
        }
    }

    /// A client that begins with a symbol where its first cursor that names it says.
    pub fn unbegun(depth: usize, bench: &Bench) -> Account {
        Account { last_trades: [0; 2], from: [u64::MAX; 2], ..Account::new(bench, depth) }
    }

    /// Nothing for the client lies up to here, but what it has already.
    fn has_all_through(&mut self, channel: &str, symbol: &str, seq: u64) {
        let symbol = SYMBOLS.iter().position(|other| *other == symbol).unwrap();
        let last = match channel {
            "book" => &mut self.books[symbol].last,
            "bbo" => &mut self.top_seqs[symbol],
            _ => &mut self.last_trades[symbol],
        };
        *last = seq.max(*last);
    }

    /// The client comes back with a token of the gateway's, which says so of all channels of a symbol.
    pub fn come_back(&mut self, token: &str) {
        let token: Token = token.parse().unwrap();
        for entry in token.entries() {
            let symbol = SYMBOLS.iter().position(|symbol| *symbol == entry.symbol).unwrap();
            self.from[symbol] = self.from[symbol].min(entry.seq);
            for channel in ["trade", "book", "bbo"] {
                self.has_all_through(channel, &entry.symbol, entry.seq);
            }
        }
    }

    /// Takes a message by the rule for clients; what it has already it drops.
    pub fn take(&mut self, message: &Value) {
        let (entry, kind) = (&message["data"][0], message["channel"].as_str().unwrap_or_default());
        let Some(symbol) = SYMBOLS.iter().position(|symbol| entry["symbol"] == *symbol) else { return };
        let is_snapshot = message["type"] == "snapshot";
        match kind {
            "book" => {
                let book = &mut self.books[symbol];
                if is_snapshot || number(&entry["seq"]) > book.last {
                    book.apply(message);
                }
            }
            "bbo" => {
                let last = &mut self.top_seqs[symbol];
                assert!(is_snapshot || number(&entry["first_seq"]) <= *last + 1, "has {last}, got {message}");
                if is_snapshot || number(&entry["seq"]) > *last {
                    *last = number(&entry["seq"]);
                    let side = |price: &str, qty: &str| {
                        Some((scaled(&entry[price], 100.0)? as i64, scaled(&entry[qty], 1e5)?))
                    };
                    self.tops[symbol] = Some([side("bid", "bid_qty"), side("ask", "ask_qty")]);
                }
            }
            "trade" => {
                let last = self.last_trades[symbol];
                assert!(number(&message["first_seq"]) <= last + 1, "has {last}, got {message}");
                for trade in message["data"].as_array().unwrap() {
                    let seq = number(&trade["seq"]);
                    assert_eq!(seq, number(&trade["trade_id"]), "{message}");
                    assert!(seq <= last || self.trades[symbol].insert(seq), "twice: {message}");
                }
                self.last_trades[symbol] = last.max(number(&message["seq"]));
            }
            "gap" => {
                let (from, to) = (number(&entry["from_seq"]), number(&entry["to_seq"]));
                self.gaps[symbol].push((from, to));
                self.last_trades[symbol] = self.last_trades[symbol].max(to);
            }
            _ => {}
        }
    }

    /// Asserts that the client knows all that is known of a market; what a hole in the feed hides it need not have.
    pub fn check(&self, market: &Market, bench: &Bench) {
        (0..2).for_each(|symbol| self.check_trades(symbol, market));
        self.check_standing(market, bench);
    }

    /// The same of the symbols whose books stand.
    pub fn check_standing(&self, market: &Market, bench: &Bench) {
        for symbol in (0..2).filter(|&symbol| market.stands[symbol]) {
            self.check_trades(symbol, market);
            self.check_view(symbol, market, bench);
        }
    }

    fn check_trades(&self, symbol: usize, market: &Market) {
        for (&seq, _) in market.trades[symbol].range(self.from[symbol].saturating_add(1)..) {
            let told = self.gaps[symbol].iter().any(|&(from, to)| (from..=to).contains(&seq));
            assert!(told || self.trades[symbol].contains(&seq), "trade {seq} of {symbol} is lost: {self:?}");
        }
    }

    fn check_view(&self, symbol: usize, market: &Market, bench: &Bench) {
        let book = &self.books[symbol];
        let levels = |side: &BTreeMap<i64, (String, String)>| -> Vec<(i64, u64)> {
            let qty = |text: &String| (text.parse::<f64>().unwrap() * 1e5).round() as u64;
            side.iter().map(|(&price, (_, text))| (price, qty(text))).collect()
        };
        let [bids, asks] = market.view(symbol, book.depth);
        let mut of_client = levels(&book.bids);
        of_client.reverse();
        assert_eq!((of_client, levels(&book.asks)), (bids, asks), "book of {symbol}");
        assert!(book.last <= bench.seq(symbol as u32));
        let best = market.view(symbol, 1).map(|side| side.first().copied());
        assert_eq!(self.tops[symbol], Some(best), "top of {symbol}");
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn scaled(value: &Value, scale: f64) -> Option<u64> {
    Some((value.as_f64()? * scale).round() as u64)
}
