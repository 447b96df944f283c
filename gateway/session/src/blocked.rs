//! Whose sockets are full, and since when. This is asked for every reader of every topic with news, so it is kept apart from what
//! else is known of a client: one that stalls costs next to nothing.

use crate::outlet::ConnId;
use market::Nanos;

/// Connections that wait for their sockets to drain.
#[derive(Default)]
pub struct Blocked {
    blocked: Vec<bool>,
    /// When the socket last took something before it was full.
    since: Vec<Nanos>,
}

impl Blocked {
    /// Whether nothing can be written to a connection.
    pub fn holds(&self, conn: ConnId) -> bool {
        self.blocked.get(conn.0 as usize).is_some_and(|&blocked| blocked)
    }

    /// Since when nothing can be written to a connection.
    pub fn since(&self, conn: ConnId) -> Option<Nanos> {
        self.holds(conn).then(|| self.since[conn.0 as usize])
    }

    /// Its socket did not take all.
    pub fn insert(&mut self, conn: ConnId, now: Nanos) {
        let place = conn.0 as usize;
        if place >= self.blocked.len() {
            self.blocked.resize(place + 1, false);
            self.since.resize(place + 1, Nanos::ZERO);
        }
        self.blocked[place] = true;
        self.since[place] = now;
    }

    /// Its socket takes bytes again, or it is gone.
    pub fn remove(&mut self, conn: ConnId) {
        if let Some(blocked) = self.blocked.get_mut(conn.0 as usize) {
            *blocked = false;
        }
    }
}
