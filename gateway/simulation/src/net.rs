//! Sockets that are played: each direction is a pipe of bounded room that the client empties when chance lets it.

use session::{ConnId, Ending, Outlet};
use std::collections::HashMap;

/// The sockets of one worker.
#[derive(Default)]
pub struct Net {
    pipes: HashMap<PipeId, Pipe>,
    /// The pipe of each connection that the worker knows. It gives the number of a connection that it ended to a new one
    /// while the old client may still read.
    by_conn: HashMap<ConnId, PipeId>,
    opened: u64,
}

/// A pipe, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PipeId(u64);

/// What the gateway wrote and the client has not read yet.
struct Pipe {
    bytes: Vec<u8>,
    room: usize,
    /// A write was short: the worker waits to be told when there is room.
    full: bool,
    /// Until the worker ends it.
    conn: Option<ConnId>,
}

impl Net {
    /// A new connection whose kernel buffers hold `room` bytes.
    pub fn open(&mut self, conn: ConnId, room: usize) -> PipeId {
        self.opened += 1;
        let id = PipeId(self.opened);
        self.pipes.insert(id, Pipe { bytes: Vec::new(), room, conn: Some(conn), full: false });
        self.by_conn.insert(conn, id);
        id
    }

    /// The connection of a pipe, until the worker ends it.
    pub fn conn(&self, pipe: PipeId) -> Option<ConnId> {
        self.pipes.get(&pipe)?.conn
    }

    /// The client is cut off: what was under way is lost. The connection, if the worker still knows it.
    pub fn cut(&mut self, pipe: PipeId) -> Option<ConnId> {
        let conn = self.pipes.remove(&pipe)?.conn?;
        self.by_conn.remove(&conn);
        Some(conn)
    }

    /// Gives the client at most `limit` bytes.
    pub fn read(&mut self, pipe: PipeId, limit: usize, into: &mut Vec<u8>) -> Read {
        let Some(pipe) = self.pipes.get_mut(&pipe) else { return Read::default() };
        let count = limit.min(pipe.bytes.len());
        into.extend(pipe.bytes.drain(..count));
        let writable = pipe.conn.filter(|_| pipe.full && count > 0);
        pipe.full &= writable.is_none();
        Read { writable, ended: pipe.conn.is_none() && pipe.bytes.is_empty() }
    }
}

/// What a read of the client leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// The worker may write to this connection again.
    pub writable: Option<ConnId>,
    /// The gateway has ended the connection, and all it wrote is read.
    pub ended: bool,
}

impl Outlet for Net {
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        let Some(pipe) = self.by_conn.get(&conn).and_then(|id| self.pipes.get_mut(id)) else { return 0 };
        assert!(!pipe.full, "the worker writes where it was told to wait");
        let taken = bytes.len().min(pipe.room - pipe.bytes.len());
        pipe.bytes.extend_from_slice(&bytes[..taken]);
        pipe.full = taken < bytes.len();
        taken
    }

    fn end(&mut self, conn: ConnId, ending: Ending) {
        let Some(pipe) = self.by_conn.remove(&conn).and_then(|id| self.pipes.get_mut(&id)) else { return };
        pipe.conn = None;
        if ending == Ending::Reset {
            pipe.bytes.clear();
        }
    }
}
