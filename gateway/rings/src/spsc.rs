//! A bounded queue from one thread to one other, in batches where it can: [`rtrb`] with the shape of this crate.
//! Neither side ever waits.

use rtrb::{PushError, RingBuffer};

/// A queue of at most `capacity` items, allocated here and never again.
pub fn queue<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let (producer, consumer) = RingBuffer::new(capacity);
    (Producer(producer), Consumer(consumer))
}

/// The end that puts items in.
#[derive(Debug)]
pub struct Producer<T>(rtrb::Producer<T>);

impl<T> Producer<T> {
    /// Puts one item in.
    ///
    /// # Errors
    /// The item itself, when the queue is full.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        self.0.push(item).map_err(|PushError::Full(item)| item)
    }

    /// Puts in as many as there is room for, which the consumer sees all at once, and returns the rest.
    pub fn push_batch<'a>(&mut self, items: &'a [T]) -> &'a [T]
    where
        T: Copy,
    {
        self.0.push_partial_slice(items).1
    }

    /// Whether the consumer is gone, so that no item will ever be taken again.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }
}

/// The end that takes items out.
#[derive(Debug)]
pub struct Consumer<T>(rtrb::Consumer<T>);

impl<T> Consumer<T> {
    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop().ok()
    }

    /// Gives the oldest items to `f`, in order, at most `limit`; returns how many. Their room is free for the producer
    /// once all of them are done.
    pub fn pop_batch(&mut self, limit: usize, f: impl FnMut(T)) -> usize {
        let count = self.0.slots().min(limit);
        match self.0.read_chunk(count) {
            Ok(chunk) => chunk.into_iter().for_each(f),
            Err(_) => unreachable!("only the consumer takes items out"),
        }
        count
    }

    /// Whether there is nothing to take now.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the producer is gone. Items that it left can still be taken.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(consumer: &mut Consumer<u32>, limit: usize) -> Vec<u32> {
        let mut items = Vec::new();
        assert_eq!(consumer.pop_batch(limit, |item| items.push(item)), items.len());
        items
    }

    #[test]
    fn takes_what_fits_and_gives_back_the_rest() {
        let (mut producer, mut consumer) = queue(4);
        assert_eq!(producer.push_batch(&[1, 2, 3]), &[] as &[u32]);
        assert_eq!(producer.push_batch(&[4, 5, 6]), &[5, 6]);
        assert_eq!(producer.push(5), Err(5));
        assert_eq!(take(&mut consumer, 3), [1, 2, 3]);
        assert_eq!(producer.push(5), Ok(()));
        assert_eq!(take(&mut consumer, 9), [4, 5]);
        assert_eq!((consumer.pop(), consumer.is_empty()), (None, true));
    }

    #[test]
    fn either_end_knows_when_it_is_alone() {
        let (mut producer, mut consumer) = queue(4);
        producer.push(1).unwrap();
        assert!(!consumer.is_abandoned() && !producer.is_abandoned());
        drop(producer);
        assert!(consumer.is_abandoned());
        assert_eq!(consumer.pop(), Some(1), "what was put in before can still be taken");

        let (producer, consumer) = queue::<u32>(4);
        drop(consumer);
        assert!(producer.is_abandoned());
    }
}
