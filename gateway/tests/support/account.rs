//! What a client of the native protocol keeps, and what it makes of each message: books that are proven by number and checksum,
//! and which trades it has. It knows no transport.

use super::Wrong;
use ::wire::{
    message::{Channel, GapReason, SnapshotReason, Trade},
    token::Token,
};
use book::Ladder;
use client::{Polled, Tracker, Update};
use simulation::ledger::Ledger;
use std::collections::BTreeMap;

/// What a client has.
#[derive(Default)]
pub struct Account {
    pub tracker: Tracker,
    /// By symbol.
    pub trades: BTreeMap<String, Ledger>,
    /// What the last message of a book said: its levels.
    pub last_levels: Ladder,
    /// What the last message of trades said that was not known.
    pub last_trades: Vec<Trade>,
}

/// What a client is told, in whatever dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A subscription begins; whether it goes on where the token was.
    Granted { channel: Channel, recovered: bool },
    /// A request was refused.
    Refused { code: String, text: String },
    /// A request was answered in another way.
    Answered,
    /// Everything of a channel, and why.
    Snapshot { channel: Channel, reason: SnapshotReason },
    /// What is new of a channel; whether it was merged because the client is slow.
    Update { channel: Channel, merged: bool },
    /// Trades that will not come.
    Missing { reason: GapReason },
    /// Nothing that is of interest.
    Nothing,
}

impl Account {
    /// One that follows trades by their ids too, which are dense in the simulated exchange.
    pub fn with_dense_trade_ids() -> Account {
        Account { tracker: Tracker::new().with_dense_trade_ids(), ..Account::default() }
    }

    /// Takes a message.
    pub fn message(&mut self, text: &[u8]) -> Result<Heard, Wrong> {
        let merges = self.tracker.counters().conflated;
        let mut begun = None;
        let changed = |channel, snapshot: Option<SnapshotReason>| match snapshot {
            Some(reason) => Heard::Snapshot { channel, reason },
            None => Heard::Update { channel, merged: false },
        };
        let mut heard = match self.tracker.on_text(text).map_err(|fault| fault.to_string())? {
            Update::Book { snapshot, changes, .. } => {
                self.last_levels.clone_from(changes);
                changed(Channel::Book, snapshot)
            }
            Update::Bbo { snapshot, .. } => changed(Channel::Bbo, snapshot),
            Update::Trades { symbol, trades, snapshot, .. } => {
                self.last_trades = trades.to_vec();
                if snapshot.is_none() {
                    let ledger = self.trades.entry(symbol.into()).or_default();
                    trades.iter().for_each(|trade| ledger.see(trade.seq));
                }
                changed(Channel::Trade, snapshot)
            }
            Update::Gap { symbol, from_seq, to_seq, reason, .. } => {
                self.trades.entry(symbol.into()).or_default().miss(from_seq, to_seq);
                Heard::Missing { reason }
            }
            Update::Subscribed(answer) => {
                begun = (answer.channel == Channel::Trade).then(|| answer.symbol.to_owned());
                Heard::Granted { channel: answer.channel, recovered: answer.recovered }
            }
            Update::Refused { code, text, .. } => Heard::Refused { code, text },
            Update::Verified(_) | Update::Noted => Heard::Answered,
            Update::Dropped { .. } | Update::Heartbeat | Update::Status(_) => Heard::Nothing,
        };
        if let Heard::Update { merged, .. } = &mut heard {
            *merged = self.tracker.counters().conflated > merges;
        }
        if let Some(symbol) = begun {
            self.trades_begin(&symbol);
        }
        Ok(heard)
    }

    /// Takes the answer to a poll for these subscriptions, and says what each of its messages told.
    pub fn polled<'a>(
        &mut self,
        wanted: impl Iterator<Item = Polled<'a>> + Clone,
        since: Option<&Token>,
        cursor: &str,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Heard>, Wrong> {
        let polled = self.tracker.polled(wanted.clone(), since, cursor);
        polled.map_err(|fault| fault.to_string())?;
        let heard = messages.iter().map(|text| self.message(text)).collect();
        self.token(cursor)?;
        for poll in wanted.filter(|poll| poll.channel == Channel::Trade) {
            self.trades_begin(poll.symbol);
        }
        heard
    }

    /// Takes a token of the gateway's own.
    pub fn token(&mut self, text: &str) -> Result<(), Wrong> {
        self.tracker.on_token(text).map_err(|fault| fault.to_string())
    }

    fn trades_begin(&mut self, symbol: &str) {
        if let Some(through) = self.tracker.through(Channel::Trade, symbol) {
            self.trades.entry(symbol.into()).or_default().begin(through);
        }
    }
}
