//! A queue that forgets its oldest, and whose memory grows with what it holds but never beyond its limit.

use std::collections::VecDeque;

pub(crate) struct Bounded<T> {
    items: VecDeque<T>,
    limit: usize,
}

impl<T> Bounded<T> {
    pub fn new(limit: usize) -> Bounded<T> {
        Bounded { items: VecDeque::new(), limit }
    }

    /// Appends, and returns the oldest if there was no more room.
    pub fn push(&mut self, item: T) -> Option<T> {
        const FIRST: usize = 4;
        let length = self.items.len();
        let forgotten = if length == self.limit { self.items.pop_front() } else { None };
        if self.items.len() == self.items.capacity() {
            // Growing by itself it would take up to twice the limit.
            self.items.reserve_exact(length.max(FIRST).min(self.limit - length));
        }
        self.items.push_back(item);
        forgotten
    }

    pub fn items(&self) -> &VecDeque<T> {
        &self.items
    }

    /// Takes the oldest if it is so.
    pub fn pop_if(&mut self, is_so: impl FnOnce(&T) -> bool) -> Option<T> {
        self.items.pop_front_if(|item| is_so(item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_newest_in_no_more_memory_than_they_need() {
        let mut queue = Bounded::new(7);
        let forgotten: Vec<_> = (0..20).filter_map(|i| queue.push(i)).collect();
        assert_eq!(forgotten, (0..13).collect::<Vec<_>>());
        assert!(queue.items().iter().copied().eq(13..20));
        assert_eq!(queue.items().capacity(), 7);
    }
}
