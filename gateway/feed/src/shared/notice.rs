//! What a reader tells its operator.

use std::{fmt, time::Duration};

/// Something that an operator wants to know of a feed in shared memory. Written out it is a sentence for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// There is no such feed yet. It is taken up when it is there.
    Waiting,
    /// It cannot be looked at, for a reason that may pass. It is tried again.
    Unreadable(String),
    /// The reader follows a writer.
    Attached {
        /// The writer's process.
        process: u64,
        /// How many instruments it has.
        instruments: usize,
    },
    /// The writer has not shown life for so long.
    Silent {
        /// The writer's process.
        process: u64,
        /// How long.
        silence: Duration,
    },
    /// It shows life again.
    Heard,
    /// It came to its end in good order.
    Ended,
    /// The writer was a whole ring ahead: so many events were missed.
    Lapped {
        /// How many.
        missed: u64,
    },
    /// What stands in the ring is no feed.
    Spoilt,
    /// The feed's time went back, as a new writer began earlier than the last one had come.
    Earlier {
        /// By how much.
        by: Duration,
    },
}

impl Notice {
    /// Whether somebody should do something, or at least know that nobody did it on purpose.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Notice::Waiting | Notice::Attached { .. } | Notice::Heard | Notice::Ended)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Waiting => {
                f.write_str("there is no such feed yet; it is taken up when its writer has begun")
            }
            Notice::Unreadable(why) => write!(f, "{why}; it is tried again"),
            Notice::Attached { process, instruments } => {
                write!(
                    f,
                    "following process {process}, with {instruments} instruments; its books are asked for"
                )
            }
            Notice::Silent { process, silence } => write!(
                f,
                "process {process} has shown no life for {} ms; the last books stand, and a new writer is taken up",
                silence.as_millis()
            ),
            Notice::Heard => f.write_str("its writer shows life again"),
            Notice::Ended => f.write_str("its writer has come to its end; a new one is taken up"),
            Notice::Lapped { missed } => write!(
                f,
                "too slow: {missed} events were written over before they were read; the books are asked for anew (a larger \
                 ring helps: feed-sim --ring-slots)"
            ),
            Notice::Spoilt => f.write_str("what stands in the ring is no feed; the books are asked for anew"),
            Notice::Earlier { by } => write!(
                f,
                "its time is {} ms before that of the last writer; what goes by intervals stands still until it is there again",
                by.as_millis()
            ),
        }
    }
}
