//! The rule for clients over the numbers alone: what continues, what repeats, what is missing. It knows no book.

use super::{
    fault::FaultKind,
    form::{Range, Span},
};
use market::{Epoch, Seq};
use wire::message::SnapshotReason;

/// How far a client is with one subscription, and what its connection may send next.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// The client has everything up to here; `None` before the first snapshot, or when what it had was wrong.
    held: Option<(Epoch, Seq)>,
    stream: Stream,
}

/// What the present connection has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stream {
    /// Not subscribed on this connection.
    #[default]
    Absent,
    /// Acknowledged at `from`; nothing but a snapshot may come.
    SnapshotDue { from: Seq },
    /// Acknowledged without a number, because there are none yet: it begins where its first message does.
    Unnumbered { epoch: Epoch },
    /// Acknowledged as a continuation behind `through`: the first message may reach back before it.
    Resumed { through: Seq },
    /// The last message ended at `sent`, and nothing lies between it and `through`.
    Running { sent: Seq, through: Seq },
}

/// Where a poll goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// Its cursor does not name the subscription: it begins.
    Nothing,
    /// Behind this number.
    Held(Seq),
    /// What its cursor names cannot be continued.
    Lost,
}

/// What to do with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Apply,
    Drop,
}

impl Cursor {
    /// The numbering and the last number that the client holds.
    pub fn held(&self) -> Option<(Epoch, Seq)> {
        self.held
    }

    pub fn is_subscribed(&self) -> bool {
        self.stream != Stream::Absent
    }

    /// The connection is gone; what is held stays, to be continued.
    pub fn disconnect(&mut self) {
        self.stream = Stream::Absent;
    }

    /// What is held turned out to be wrong.
    pub fn lose(&mut self) {
        self.held = None;
        if let Stream::Running { sent, .. } = self.stream {
            self.stream = Stream::SnapshotDue { from: sent };
        }
    }

    pub fn acknowledge(
        &mut self,
        epoch: Epoch,
        seq: Seq,
        recovered: bool,
        begins_with_snapshot: bool,
    ) -> Result<(), FaultKind> {
        if self.is_subscribed() {
            return Err(FaultKind::SubscribedTwice);
        }
        let last = self.held.filter(|held| held.0 == epoch).map(|held| held.1);
        let missing = |last: Seq| FaultKind::Gap { last, first_seq: seq + 1 };
        self.stream = match last {
            // A token of 0 is that of a stream of which nothing came before the first number.
            None if recovered && seq > 0 => return Err(FaultKind::RecoveredNothing(epoch)),
            Some(last) if recovered && seq > last => return Err(missing(last)),
            Some(_) if recovered => Stream::Resumed { through: seq },
            _ if begins_with_snapshot => Stream::SnapshotDue { from: seq },
            Some(last) if seq > last => return Err(missing(last)),
            Some(_) => Stream::Running { sent: seq, through: seq },
            None if seq == 0 => Stream::Unnumbered { epoch },
            None => {
                self.held = Some((epoch, seq));
                Stream::Running { sent: seq, through: seq }
            }
        };
        Ok(())
    }

    /// What comes next answers a poll. Nothing says so by name, and nothing has to come.
    pub fn poll(&mut self, epoch: Epoch, since: Since, begins_with_snapshot: bool) {
        let is_held = self.held.is_some_and(|held| held.0 == epoch);
        self.stream = match since {
            Since::Held(through) if is_held => Stream::Resumed { through },
            _ if begins_with_snapshot => Stream::SnapshotDue { from: 0 },
            // Trades that are lost are named from the first number on, those of a new stream begin at the answer's cursor.
            _ => Stream::Unnumbered { epoch },
        };
    }

    /// The gateway's own token says that nothing lies between the last message and `through`.
    pub fn token(&mut self, epoch: Epoch, through: Seq) {
        match &mut self.stream {
            Stream::Unnumbered { epoch: of } if *of == epoch && through > 0 => {
                self.held = Some((epoch, through));
                self.stream = Stream::Running { sent: 0, through };
            }
            Stream::Resumed { through: before } | Stream::Running { through: before, .. } => {
                let Some((_, held)) = self.held.as_mut().filter(|held| held.0 == epoch) else { return };
                *before = through.max(*before);
                *held = through.max(*held);
            }
            Stream::Absent | Stream::SnapshotDue { .. } | Stream::Unnumbered { .. } => {}
        }
    }

    /// Takes the numbers of a message; they count as held when this answers [`Taken::Apply`].
    pub fn take(&mut self, span: &Span) -> Result<Taken, FaultKind> {
        match span.range {
            Range::Snapshot(reason) => self.snapshot(span.epoch, span.seq, reason),
            Range::Update { first_seq, .. } => self.update(span.epoch, first_seq, span.seq),
        }
    }

    fn snapshot(&mut self, epoch: Epoch, seq: Seq, reason: SnapshotReason) -> Result<Taken, FaultKind> {
        // A longer interval begins with the book as its last bucket left it.
        let moved = matches!(
            reason,
            SnapshotReason::Seek | SnapshotReason::Loop | SnapshotReason::Live | SnapshotReason::Modify
        );
        let other_epoch = self.held.is_some_and(|held| held.0 != epoch);
        match self.stream {
            Stream::Absent => return Err(FaultKind::NotSubscribed),
            Stream::Resumed { .. } if reason == SnapshotReason::Subscribe => {
                return Err(FaultKind::RecoveredBySnapshot);
            }
            Stream::SnapshotDue { from: sent } | Stream::Running { sent, .. }
                if seq < sent && !moved && !other_epoch =>
            {
                return Err(FaultKind::Backwards { sent, seq });
            }
            _ => {}
        }
        self.held = Some((epoch, seq));
        self.stream = Stream::Running { sent: seq, through: seq };
        Ok(Taken::Apply)
    }

    fn update(&mut self, epoch: Epoch, first_seq: Seq, seq: Seq) -> Result<Taken, FaultKind> {
        if first_seq == 0 || seq < first_seq {
            return Err(FaultKind::Malformed(format!("it covers {first_seq} to {seq}")));
        }
        self.check_epoch(epoch)?;
        self.check_continues(first_seq)?;
        let last = self.last_before(first_seq);
        if first_seq > last + 1 {
            return Err(FaultKind::Gap { last, first_seq });
        }
        // Whoever walks a log may begin with messages that end before the token.
        if !matches!(self.stream, Stream::Resumed { through } if seq <= through) {
            self.stream = Stream::Running { sent: seq, through: seq };
        }
        if seq <= last {
            return Ok(Taken::Drop);
        }
        self.held = Some((epoch, seq));
        Ok(Taken::Apply)
    }

    /// What the gateway says that it will not send.
    pub fn gap(&mut self, from_seq: Seq, to_seq: Seq) -> Result<(), FaultKind> {
        if from_seq == 0 || to_seq < from_seq {
            return Err(FaultKind::Malformed(format!("a gap from {from_seq} to {to_seq}")));
        }
        self.check_continues(from_seq)?;
        let epoch = match (self.stream, self.held) {
            (Stream::Unnumbered { epoch }, _) | (_, Some((epoch, _))) => epoch,
            (_, None) => return Err(FaultKind::SnapshotDue),
        };
        self.held = Some((epoch, to_seq.max(self.last_before(from_seq))));
        self.stream = Stream::Running { sent: to_seq, through: to_seq };
        Ok(())
    }

    /// The last message sent was `seq`, and nothing lies between it and `through`.
    pub fn heartbeat(&mut self, seq: Seq, through: Seq) -> Result<(), FaultKind> {
        if through < seq {
            return Err(FaultKind::Malformed(format!("a heartbeat at {seq} through {through}")));
        }
        let (last, stream) = match self.stream {
            Stream::Absent => return Err(FaultKind::NotSubscribed),
            // Who still waits for a snapshot is not named in heartbeats.
            Stream::SnapshotDue { .. } => return Err(FaultKind::SnapshotDue),
            Stream::Unnumbered { .. } if through == 0 => return Ok(()),
            Stream::Unnumbered { epoch } => {
                self.held = Some((epoch, through));
                (seq, Stream::Running { sent: seq, through })
            }
            Stream::Resumed { through: before } => (before, Stream::Resumed { through: before.max(through) }),
            Stream::Running { sent, through: before } => {
                (before, Stream::Running { sent, through: before.max(through) })
            }
        };
        if last < seq {
            return Err(FaultKind::Lost { last, seq });
        }
        self.stream = stream;
        if let Some((_, held)) = &mut self.held {
            *held = through.max(*held);
        }
        Ok(())
    }

    fn check_epoch(&self, actual: Epoch) -> Result<(), FaultKind> {
        let expected = match self.stream {
            Stream::Unnumbered { epoch } => Some(epoch),
            _ => self.held.map(|held| held.0),
        };
        match expected {
            Some(expected) if expected != actual => Err(FaultKind::EpochChanged { expected, actual }),
            _ => Ok(()),
        }
    }

    /// Whether a message that begins at `first_seq` is the next one of the connection.
    fn check_continues(&self, first_seq: Seq) -> Result<(), FaultKind> {
        match self.stream {
            Stream::Absent => Err(FaultKind::NotSubscribed),
            Stream::SnapshotDue { .. } => Err(FaultKind::SnapshotDue),
            Stream::Running { through, .. } | Stream::Resumed { through } if first_seq > through + 1 => {
                Err(FaultKind::Gap { last: through, first_seq })
            }
            Stream::Running { sent, .. } if first_seq <= sent => Err(FaultKind::Overlap { sent, first_seq }),
            _ => Ok(()),
        }
    }

    /// The last number held; where the stream may begin anywhere, the one before `first_seq`.
    pub fn last_before(&self, first_seq: Seq) -> Seq {
        match self.stream {
            Stream::Unnumbered { .. } => first_seq.saturating_sub(1),
            _ => self.held.map_or(0, |held| held.1),
        }
    }
}
