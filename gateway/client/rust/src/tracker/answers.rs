//! Answers to requests.

use super::{
    Broken, Outcome, Subject, Tracker,
    cursor::Cursor,
    fault::FaultKind,
    form::{Granted, Refused, SubscribedResult, UnsubscribedResult, VerifiedResult, channel, epoch, read},
    state::Symbol,
};
use wire::message::{Channel, Depth, Interval, Verdict};

impl Tracker {
    pub(super) fn take_answer(&mut self, method: &str, text: &[u8]) -> Result<Outcome, Broken> {
        match method {
            "subscribe" => self.take_subscribed(text),
            "unsubscribe" => self.take_unsubscribed(text),
            "modify" => self.take_modified(text),
            "verify" => self.take_verified(text),
            _ => Ok(Outcome::Noted),
        }
    }

    pub(super) fn take_refusal(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Refused { error, code, symbol, retry_after_ms } = read(text)?;
        let symbol = symbol.map(String::from);
        Ok(Outcome::Refused { code: code.into(), text: error.into(), symbol, retry_after_ms })
    }

    fn take_subscribed(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Granted { result } = read::<Granted<SubscribedResult<'_>>>(text)?;
        let (Some(epoch_text), Some(seq), Some(recovered)) = (result.epoch, result.seq, result.recovered)
        else {
            return Err(
                FaultKind::Malformed("an acknowledgement lacks epoch, seq or recovered".into()).into()
            );
        };
        let Some(name) = result.symbol else { return Ok(Outcome::Noted) };
        let channel = channel(result.channel)?;
        let epoch = epoch(epoch_text)?;
        let index = self.find(name).unwrap_or_else(|_| self.insert(name));
        let subject = Subject { symbol: index, channel };
        let symbol = &mut self.symbols[index];
        symbol.set_view(channel, &result).map_err(|kind| subject.broken(kind))?;
        if let Some(cursor) = symbol.cursor_mut(channel) {
            let acknowledged = cursor.acknowledge(epoch, seq, recovered, channel != Channel::Trade);
            acknowledged.map_err(|kind| subject.broken(kind))?;
        }
        symbol.enter(epoch);
        self.epoch = Some(epoch);
        Ok(Outcome::Subscribed { subject, recovered })
    }

    fn take_unsubscribed(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Granted { result } = read::<Granted<UnsubscribedResult<'_>>>(text)?;
        let Some(name) = result.symbol else { return Ok(Outcome::Noted) };
        let subject = Subject { symbol: self.find(name)?, channel: channel(result.channel)? };
        if let Some(cursor) = self.symbols[subject.symbol].cursor_mut(subject.channel) {
            *cursor = Cursor::default();
        }
        Ok(Outcome::Noted)
    }

    /// A snapshot follows when the view is another one.
    fn take_modified(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Granted { result } = read::<Granted<SubscribedResult<'_>>>(text)?;
        let Some(name) = result.symbol else { return Ok(Outcome::Noted) };
        let subject = Subject { symbol: self.find(name)?, channel: channel(result.channel)? };
        let symbol = &mut self.symbols[subject.symbol];
        let changed = symbol.set_view(subject.channel, &result).map_err(|kind| subject.broken(kind))?;
        if let Some(cursor) = symbol.cursor_mut(subject.channel).filter(|_| changed) {
            cursor.lose();
        }
        Ok(Outcome::Noted)
    }

    fn take_verified(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Granted { result } = read::<Granted<VerifiedResult<'_>>>(text)?;
        let (index, seq) = (self.find(result.symbol)?, result.seq);
        let verdict = match result.verdict {
            "ok" => Verdict::Ok,
            "unknown" => Verdict::Unknown,
            "mismatch" => Verdict::Mismatch,
            other => return Err(FaultKind::Malformed(format!("no verdict '{other}'")).into()),
        };
        Ok(Outcome::Verified { index, seq, verdict })
    }

    pub(super) fn insert(&mut self, name: &str) -> usize {
        let index = self.symbols.len();
        self.symbols.push(Symbol::new(name));
        self.by_name.insert(name.into(), index);
        index
    }
}

impl Symbol {
    /// Notes the parameters that an answer names; answers whether the view became another one.
    fn set_view(&mut self, channel: Channel, result: &SubscribedResult<'_>) -> Result<bool, FaultKind> {
        let malformed = |error: wire::message::Refusal| FaultKind::Malformed(error.to_string());
        let interval = result.interval.map(Interval::new).transpose().map_err(malformed)?.unwrap_or_default();
        let place = match channel {
            Channel::Book => &mut self.book.interval,
            Channel::Bbo => &mut self.bbo.interval,
            Channel::Trade | Channel::Stats | Channel::Summary => return Ok(false),
        };
        let mut changed = std::mem::replace(place, interval) != interval;
        if channel == Channel::Book {
            let depth = result.depth.ok_or_else(|| FaultKind::Malformed("a book without a depth".into()))?;
            let depth = Depth::new(depth).map_err(malformed)?;
            changed |= std::mem::replace(&mut self.book.depth, depth) != depth;
        }
        Ok(changed)
    }
}
