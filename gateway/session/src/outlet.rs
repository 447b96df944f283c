//! Where bytes go: the seam between the worker's turn and its sockets, real or simulated.

/// A connection of one worker. Numbers are used again after a connection has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u32);

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All that was to be said is written: close in good order.
    Finished,
    /// The peer did not take it in time, or broke the connection: drop it at once.
    Reset,
}

/// Takes bytes for connections. Never blocks.
pub trait Outlet {
    /// Hands bytes to the connection's socket and says how many it took. Fewer than all, or none, means that the socket
    /// is full (or gone): the outlet then tells the worker once it may go on ([`crate::Worker::writable`]), or that the
    /// connection is gone ([`crate::Worker::gone`]).
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize;

    /// Ends a connection. The worker has forgotten it already and will not name it again.
    fn end(&mut self, conn: ConnId, ending: Ending);
}
