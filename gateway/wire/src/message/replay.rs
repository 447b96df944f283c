//! What a client may ask for that plays a recording to it alone.

use super::{ReqId, Subscribe};
use market::{Nanos, Speed};
use std::time::Duration;

/// Begin a replay: a subscription to what was recorded, with a clock of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// To what, as one would subscribe to it live.
    pub subscribe: Subscribe,
    /// The mark on its messages, where it is not that of the request.
    pub name: Option<ReqId>,
    /// From which feed time on; the beginning of what is recorded if it is left out.
    pub from: Option<Nanos>,
    /// Up to which feed time, that included; up to now if it is left out.
    pub to: Option<Nanos>,
    /// How fast.
    pub speed: Speed,
    /// Longer stretches of feed time without an event pass as if they were this long.
    pub max_gap: Option<Duration>,
    /// Whether it becomes a live subscription when it has come to now.
    pub goes_live: bool,
}

/// Steer a replay that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steer {
    /// Which one: the mark on its messages.
    pub replay: ReqId,
    /// What it is to do.
    pub how: Steering,
}

/// What a replay that runs may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steering {
    /// Stand still.
    Pause,
    /// Go on.
    Continue,
    /// Go on from another feed time.
    Seek(Nanos),
    /// Go on at another speed.
    Speed(Speed),
    /// End.
    Stop,
}

impl Steering {
    /// The name of the method.
    pub const fn name(self) -> &'static str {
        match self {
            Steering::Pause => "pause",
            Steering::Continue => "continue",
            Steering::Seek(_) => "seek",
            Steering::Speed(_) => "speed",
            Steering::Stop => "stop",
        }
    }
}
