//! The switch by which an operator holds a feed that has a clock of its own: the simulator, a recording.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Holds and resumes a feed. All clones are the same switch; a new one is not held.
///
/// While held, a source yields nothing and its watermark stands still. Its clock goes on from where it stood at the
/// first poll after [`PauseHandle::resume`]; a source that is held from its opening starts its clock then.
#[derive(Debug, Clone, Default)]
pub struct PauseHandle(Arc<AtomicBool>);

impl PauseHandle {
    /// Holds the feed from its next poll on.
    pub fn pause(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Lets the feed go on.
    pub fn resume(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether the feed is held.
    pub fn is_paused(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
