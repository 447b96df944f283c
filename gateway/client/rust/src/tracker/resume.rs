//! Where the gateway says that the client is: the tokens that some transports carry, and polls, each of which is a resume
//! of its own without an answer that says so.

use super::{
    Subject, Tracker,
    cursor::Since,
    fault::{Fault, FaultKind},
};
use market::Epoch;
use wire::{
    message::{Channel, Depth},
    token::Token,
};

/// One of the subscriptions of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled<'a> {
    /// Which channel.
    pub channel: Channel,
    /// Of which symbol.
    pub symbol: &'a str,
    /// How deep a book.
    pub depth: Depth,
}

impl Tracker {
    /// Takes a token of the gateway's own that came behind all messages so far: an event's id, an event `cursor`, the cursor
    /// of a poll's answer. The client has everything through the numbers that it names.
    ///
    /// # Errors
    /// [`Fault`] if it is no token.
    pub fn on_token(&mut self, text: &str) -> Result<(), Fault> {
        let token = self.read_token(text)?;
        for entry in token.entries() {
            let Ok(index) = self.find(&entry.symbol) else { continue };
            // Without a depth it says nothing of the book, which waits for a snapshot.
            let told = Channel::ALL.into_iter().filter(|&of| of != Channel::Book || entry.depth.is_some());
            for channel in told {
                if let Some(cursor) = self.symbols[index].cursor_mut(channel) {
                    cursor.token(token.epoch(), entry.seq);
                }
            }
        }
        Ok(())
    }

    /// The messages that follow are those of a poll's answer with this cursor, which is to be told to [`Tracker::on_token`]
    /// behind them. `since` is the cursor that was polled with.
    ///
    /// # Errors
    /// [`Fault`] if the answer's cursor is no token.
    pub fn polled<'a>(
        &mut self,
        wanted: impl IntoIterator<Item = Polled<'a>>,
        since: Option<&Token>,
        cursor: &str,
    ) -> Result<(), Fault> {
        let epoch = self.read_token(cursor)?.epoch();
        self.reconnected();
        for Polled { channel, symbol: name, depth } in wanted {
            let index = self.find(name).unwrap_or_else(|_| self.insert(name));
            let since = match since.and_then(|token| Some((token.epoch(), token.find(name)?))) {
                None => Since::Nothing,
                Some((of, _)) if of != epoch => Since::Lost,
                // Only a book that is deep enough can be continued.
                Some((_, entry))
                    if channel == Channel::Book && entry.depth.is_none_or(|held| held < depth) =>
                {
                    Since::Lost
                }
                Some((_, entry)) => Since::Held(entry.seq),
            };
            self.poll_one(Subject { symbol: index, channel }, depth, epoch, since);
        }
        self.epoch = Some(epoch);
        Ok(())
    }

    fn poll_one(&mut self, subject: Subject, depth: Depth, epoch: Epoch, since: Since) {
        let symbol = &mut self.symbols[subject.symbol];
        symbol.enter(epoch);
        if subject.channel == Channel::Book {
            symbol.book.depth = depth;
        }
        if let Some(cursor) = symbol.cursor_mut(subject.channel) {
            cursor.poll(epoch, since, subject.channel != Channel::Trade);
        }
    }

    fn read_token(&mut self, text: &str) -> Result<Token, Fault> {
        text.parse().map_err(|error| {
            self.counters.faults += 1;
            let kind = FaultKind::Malformed(format!("{error}"));
            Fault { channel: None, symbol: None, kind, text: Fault::text_of(text.as_bytes()) }
        })
    }
}
