//! Whose sockets are full. This is asked for every reader of every topic with news, so it is kept apart from what else is
//! known of a client: one that stalls costs next to nothing.

use crate::outlet::ConnId;

/// Connections that wait for their sockets to drain.
#[derive(Default)]
pub struct Blocked(Vec<bool>);

impl Blocked {
    /// Whether nothing can be written to a connection.
    pub fn holds(&self, conn: ConnId) -> bool {
        self.0.get(conn.0 as usize).is_some_and(|&blocked| blocked)
    }

    /// Its socket did not take all.
    pub fn insert(&mut self, conn: ConnId) {
        let place = conn.0 as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, false);
        }
        self.0[place] = true;
    }

    /// Its socket takes bytes again, or it is gone.
    pub fn remove(&mut self, conn: ConnId) {
        if let Some(blocked) = self.0.get_mut(conn.0 as usize) {
            *blocked = false;
        }
    }
}
