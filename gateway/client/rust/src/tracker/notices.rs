//! Heartbeats, gaps and status messages.

use super::{
    Broken, Outcome, Status, Subject, Tracker,
    fault::FaultKind,
    form::{GapEntry, Heartbeat, Notice, StatusEntry, channel, gap_reason, read, time},
};
use wire::message::Channel;

impl Tracker {
    pub(super) fn take_heartbeat(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let notice: Heartbeat<'_> = read(text)?;
        time(notice.time)?;
        self.counters.heartbeats += 1;
        for entry in &notice.data {
            let subject = self.subject(entry.channel, entry.symbol)?;
            let cursor = self.symbols[subject.symbol].cursor_mut(subject.channel);
            let cursor = cursor.ok_or_else(|| subject.broken(FaultKind::NotSubscribed))?;
            cursor.heartbeat(entry.seq, entry.through).map_err(|kind| subject.broken(kind))?;
        }
        Ok(Outcome::Heartbeat)
    }

    pub(super) fn take_gap(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Notice::<'_, [GapEntry<'_>; 1]> { data: [entry], .. } = read(text)?;
        let reason = gap_reason(entry.reason)?;
        let subject = self.subject(entry.channel, entry.symbol)?;
        if subject.channel != Channel::Trade {
            let text = "only trades have gaps; a book that misses something gets a snapshot";
            return Err(subject.broken(FaultKind::Malformed(text.into())));
        }
        let trade = &mut self.symbols[subject.symbol].trade;
        trade.cursor.gap(entry.from_seq, entry.to_seq).map_err(|kind| subject.broken(kind))?;
        trade.last_id = None;
        self.counters.gaps += 1;
        Ok(Outcome::Gap { subject, from_seq: entry.from_seq, to_seq: entry.to_seq, reason })
    }

    pub(super) fn take_status(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Notice::<'_, [StatusEntry<'_>; 1]> { data: [entry], .. } = read(text)?;
        let symbol = || {
            let name = entry.symbol.ok_or_else(|| FaultKind::Malformed("no symbol".into()));
            name.map(String::from)
        };
        Ok(Outcome::Status(match entry.event {
            "shutdown" => Status::Shutdown { retry_after_ms: entry.retry_after_ms.unwrap_or(0) },
            "closing" => {
                let code = entry.code.ok_or_else(|| FaultKind::Malformed("no code".into()))?;
                Status::Closing { code, reason: entry.reason.unwrap_or_default().into() }
            }
            "feed_ended" => Status::FeedEnded,
            "feed_stalled" => Status::FeedStalled,
            "feed_gap" => Status::FeedGap { symbol: symbol()? },
            "crossed" => Status::Crossed { symbol: symbol()? },
            other => return Err(FaultKind::Malformed(format!("no status event '{other}'")).into()),
        }))
    }

    fn subject(&self, channel_name: &str, symbol: &str) -> Result<Subject, FaultKind> {
        Ok(Subject { symbol: self.find(symbol)?, channel: channel(channel_name)? })
    }
}
