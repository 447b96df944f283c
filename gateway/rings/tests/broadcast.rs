//! The ring against a model that keeps everything: what a reader is given follows from what was written, how many slots
//! there are, and where it stands.

mod support;

use proptest::{prelude::*, test_runner::TestCaseResult};
use rings::broadcast::{self, Polled, Reader, Storage, Writer};
use support::mapped_twice;

const WORDS: usize = 3;

fn record(position: u64) -> [u64; WORDS] {
    [position, !position, position.wrapping_mul(0x9E37_79B9_7F4A_7C15)]
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u64),
    Poll(usize),
    JumpTo(u64),
    GoOnWithAClone,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..12u64).prop_map(Step::Publish),
        4 => (0..12usize).prop_map(Step::Poll),
        1 => (0..60u64).prop_map(Step::JumpTo),
        1 => Just(Step::GoOnWithAClone),
    ];
    prop::collection::vec(step, 0..40)
}

/// What a poll must answer, and which records it must give.
fn expected(position: u64, head: u64, slots: u64, limit: usize) -> (Polled, Vec<(u64, [u64; WORDS])>) {
    if limit == 0 {
        (Polled::Read(0), vec![])
    } else if position >= head {
        (Polled::Empty, vec![])
    } else if head - position > slots {
        (Polled::Lagged { missed: head - position }, vec![])
    } else {
        let records: Vec<_> = (position..head).take(limit).map(|p| (p, record(p))).collect();
        (Polled::Read(records.len()), records)
    }
}

proptest! {
    #[test]
    fn a_reader_gets_what_the_model_says(slots in (0..4u32).prop_map(|n| 1 << n), steps in steps()) {
        let (writer, reader) = broadcast::ring::<WORDS>(slots);
        check(writer, reader, slots as u64, steps)?;
    }

    #[test]
    fn so_does_one_in_another_mapping(slots in (0..4u32).prop_map(|n| 1 << n), steps in steps()) {
        let [there, here] = mapped_twice::<WORDS>(slots);
        check(Writer::new(there), Reader::new(here), slots as u64, steps)?;
    }
}

fn check<S: Storage<WORDS>>(
    mut writer: Writer<WORDS, S>,
    mut reader: Reader<WORDS, S>,
    slots: u64,
    steps: Vec<Step>,
) -> TestCaseResult {
    let (mut head, mut position) = (0, 0);
    for step in steps {
        match step {
            Step::Publish(count) => {
                (head..head + count).for_each(|p| writer.publish(&record(p)));
                head += count;
            }
            Step::JumpTo(to) => {
                reader.jump_to(to);
                position = to;
            }
            Step::GoOnWithAClone => reader = reader.clone(),
            Step::Poll(limit) => {
                let (polled, records) = expected(position, head, slots, limit);
                let mut seen = Vec::new();
                prop_assert_eq!(reader.poll(limit, |p, words| seen.push((p, *words))), polled);
                position += match polled {
                    Polled::Read(count) => count as u64,
                    Polled::Empty => 0,
                    Polled::Lagged { missed } => missed,
                };
                prop_assert_eq!(seen, records);
            }
        }
        prop_assert_eq!((writer.head(), reader.head(), reader.position()), (head, head, position));
        prop_assert_eq!(reader.is_empty(), position >= head);
    }
    Ok(())
}

#[test]
#[should_panic(expected = "a power of two of slots, not 12")]
fn a_ring_of_an_odd_size_is_refused() {
    broadcast::ring::<WORDS>(12);
}

#[test]
#[should_panic(expected = "beyond any ring's end")]
fn a_jump_to_nowhere_is_refused() {
    broadcast::ring::<WORDS>(2).1.jump_to(u64::MAX);
}
