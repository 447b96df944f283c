//! A replay yields each event when it is due, promises nothing too much, and can be held.

use crate::support::{instrument, level, record, segment};
use feed::{FeedSink, FeedSource, FeedState, FeedStatus, PauseHandle};
use journal::{Remote, Replay, ReplayOptions};
use market::{Epoch, Event, Kind, Nanos, ResetReason, Speed, SymbolId};
use std::{fs, path::Path, thread};

const EPOCH: Epoch = Epoch(7);

fn open(dir: &Path, speed: Speed, hold: &PauseHandle) -> Replay {
    Replay::open(
        dir,
        ReplayOptions { remote: Remote::new(speed), hold: hold.clone(), ..ReplayOptions::default() },
    )
    .unwrap()
}

fn poll(replay: &mut Replay, now: u64) -> (Vec<Event>, FeedStatus) {
    let mut events = Vec::new();
    let status = replay.poll(Nanos(now), &mut events).unwrap();
    (events, status)
}

/// Polls at one moment until nothing more comes: what is read ahead arrives when it does.
fn drain(replay: &mut Replay, now: u64) -> Vec<Event> {
    let mut events = Vec::new();
    while replay.poll(Nanos(now), &mut events).unwrap().state != FeedState::Ended {
        thread::yield_now();
    }
    events
}

#[test]
fn events_come_when_they_are_due_and_the_watermark_never_passes_the_next() {
    let dir = tempfile::tempdir().unwrap();
    // The third goes back in the venue's time; feed time does not.
    let events = [level(1, 1_000, 5), level(2, 1_100, 5), level(3, 1_050, 5), level(4, 1_300, 5)];
    record(dir.path(), EPOCH, &["A/B"], &[&events]);
    let mut replay = open(dir.path(), Speed::times(2.0).unwrap(), &PauseHandle::default());
    assert_eq!((replay.epoch(), replay.next_due()), (Some(EPOCH), None));

    let mut check = |now, seqs: &[u64], engine, watermark, state, next_due: Option<u64>| {
        let (events, status) = poll(&mut replay, now);
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), seqs, "at {now}");
        assert!(events.iter().all(|event| event.engine == Nanos(engine)), "at {now}: {events:?}");
        assert_eq!(status, FeedStatus { state, watermark: Nanos(watermark) }, "at {now}");
        assert_eq!(replay.next_due(), next_due.map(Nanos), "at {now}");
    };
    check(50_000, &[1], 50_000, 1_000, FeedState::Events, Some(50_050));
    check(50_049, &[], 0, 1_098, FeedState::Idle, Some(50_050));
    check(50_060, &[2, 3], 50_050, 1_120, FeedState::Events, Some(50_150));
    check(50_149, &[], 0, 1_298, FeedState::Idle, Some(50_150));
    // Late: the stall shows in `engine`, and the promise is the last event.
    let (events, status) = poll(&mut replay, 90_000);
    assert_eq!((events[0].seq, events[0].engine, events[0].timestamp), (4, Nanos(50_150), Nanos(1_300)));
    assert_eq!(status.watermark, Nanos(1_300));
    assert!(drain(&mut replay, 90_000).is_empty());
}

#[test]
fn a_held_replay_begins_when_it_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), EPOCH, &["A/B"], &[&[level(1, 1_000, 5), level(2, 1_100, 5)]]);
    let hold = PauseHandle::default();
    hold.pause();
    let mut replay = open(dir.path(), Speed::REAL_TIME, &hold);
    assert_eq!(poll(&mut replay, 10).1, FeedStatus { state: FeedState::Idle, watermark: Nanos::ZERO });
    hold.resume();
    assert_eq!(poll(&mut replay, 500).0[0].engine, Nanos(500));
    poll(&mut replay, 540);
    hold.pause();
    assert_eq!(poll(&mut replay, 9_000).1, FeedStatus { state: FeedState::Idle, watermark: Nanos(1_040) });
    hold.resume();
    assert!(poll(&mut replay, 10_000).0.is_empty());
    assert_eq!(replay.next_due(), Some(Nanos(10_060)));
    assert_eq!(poll(&mut replay, 10_060).0[0].engine, Nanos(10_060));
}

#[test]
fn full_speed_yields_everything_in_bounded_polls_of_whole_exchange_events() {
    let dir = tempfile::tempdir().unwrap();
    let events: Vec<Event> = (1..=100_000)
        .map(|seq| Event { last: seq % 5 == 0, ..level(seq, seq * 1_000, seq as i64 % 90) })
        .collect();
    record(dir.path(), EPOCH, &["A/B"], &[&events]);
    let mut replay = open(dir.path(), Speed::MAX, &PauseHandle::default());
    let mut seen = Vec::new();
    loop {
        let (events, status) = poll(&mut replay, 77);
        assert!(events.len() < 4_200);
        assert!(events.last().is_none_or(|event| event.last));
        assert!(events.iter().all(|event| event.engine == Nanos(77)));
        seen.extend(events);
        if status.state == FeedState::Ended {
            assert_eq!(status.watermark, Nanos(100_000_000));
            break;
        }
        thread::yield_now();
    }
    let as_recorded = |event: &Event| Event { engine: Nanos::ZERO, ingest: Nanos::ZERO, ..*event };
    assert_eq!(seen.iter().map(as_recorded).collect::<Vec<_>>(), events);
}

#[test]
fn damage_in_the_middle_is_told_behind_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), EPOCH, &["A/B"], &[&[level(1, 1, 5)], &[level(2, 2, 5)], &[level(3, 3, 5)]]);
    let file = segment(dir.path(), 1, 1);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).unwrap();
    let mut replay = open(dir.path(), Speed::MAX, &PauseHandle::default());
    let mut events = Vec::new();
    let error = loop {
        match replay.poll(Nanos(5), &mut events) {
            Ok(_) => thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1]);
    assert_eq!(error.feed, format!("journal:{}", dir.path().display()));
    assert!(error.what.contains(&*file.to_string_lossy()) && error.what.contains("records"), "{error}");
    assert_eq!(poll(&mut replay, 6).1.state, FeedState::Ended);
}

#[test]
fn gaps_and_later_listings_come_with_their_state_and_instrument() {
    let dir = tempfile::tempdir().unwrap();
    let gap = Event { timestamp: Nanos(2), ..Event::new(Kind::FeedGap) };
    let mut writer = record(dir.path(), EPOCH, &["A/B"], &[&[level(1, 1, 5), gap, level(2, 3, 5)]]);
    let id = writer.list(instrument("C/D")).unwrap();
    writer.push(&[Event { symbol: id, timestamp: Nanos(4), ..Event::new(Kind::Listing) }]).unwrap();
    writer.sync().unwrap();
    let mut replay = open(dir.path(), Speed::MAX, &PauseHandle::default());
    let (events, status) = poll(&mut replay, 5);
    assert_eq!((events.last().unwrap().kind, status.state), (Kind::FeedGap, FeedState::Gap));
    let rest = drain(&mut replay, 5);
    assert_eq!(rest.iter().map(|event| event.kind).collect::<Vec<_>>(), [Kind::Level, Kind::Listing]);
    assert_eq!(replay.instruments().find("C/D"), Some(SymbolId(1)));
}

#[test]
fn what_cannot_be_played_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let check = |wanted: &str| {
        let error = Replay::open(dir.path(), ReplayOptions::default()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    };
    check("there is no recording in");
    record(dir.path(), EPOCH, &["A/B"], &[]);
    check("holds no events yet");
}

/// Polls until the beginning of the next round; what came before it, and that beginning.
fn round(replay: &mut Replay, now: u64) -> (Vec<Event>, Event) {
    let mut events = Vec::new();
    loop {
        assert_ne!(replay.poll(Nanos(now), &mut events).unwrap().state, FeedState::Ended);
        if let Some(jump) = events.pop_if(|event| event.kind == Kind::Jump) {
            return (events, jump);
        }
        thread::yield_now();
    }
}

#[test]
fn it_is_played_again_and_again_with_the_same_numbers_in_other_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let events: Vec<Event> = (1..=9_000).map(|seq| level(seq, seq * 1_000, seq as i64 % 90)).collect();
    record(dir.path(), EPOCH, &["A/B"], &[&events]);
    let options = |from: Option<u64>, to: Option<u64>| ReplayOptions {
        remote: Remote::new(Speed::MAX),
        from: from.map(Nanos),
        to: to.map(Nanos),
        again: Some(|| Epoch(8)),
        ..ReplayOptions::default()
    };
    let mut replay = Replay::open(dir.path(), options(None, None)).unwrap();
    for epoch in [7, 8, 8] {
        assert_eq!(replay.epoch(), Some(Epoch(epoch)));
        let (seen, jump) = round(&mut replay, 77);
        assert_eq!(seen.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=9_000).collect::<Vec<_>>());
        assert_eq!((jump.jump_ids().epoch, jump.timestamp), (Epoch(8), Nanos(1_000)));
        assert_eq!(jump.reset_reason(), ResetReason::Loop);
    }
    // From the middle the books come first, in each round.
    let mut replay = Replay::open(dir.path(), options(Some(500_500), Some(600_000))).unwrap();
    let (first, jump) = round(&mut replay, 77);
    let (second, _) = round(&mut replay, 77);
    assert_eq!(jump.timestamp, Nanos(500_500));
    assert_eq!((first[0].kind, first[0].seq, first.last().unwrap().seq), (Kind::Reset, 500, 600));
    assert_eq!(first, second);
}

#[test]
fn a_round_keeps_to_the_pace_and_begins_at_once() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), EPOCH, &["A/B"], &[&[level(1, 1_000, 5), level(2, 1_100, 5)]]);
    let options = ReplayOptions { again: Some(|| Epoch(8)), ..ReplayOptions::default() };
    let mut replay = Replay::open(dir.path(), options).unwrap();
    assert_eq!(poll(&mut replay, 10).0.len(), 1);
    let (rest, _) = round(&mut replay, 110);
    assert_eq!(rest[0].engine, Nanos(110));
    // Its clock starts with its first poll.
    let begun = loop {
        let (events, _) = poll(&mut replay, 150);
        if let [event] = events[..] {
            break event;
        }
        thread::yield_now();
    };
    assert_eq!((begun.seq, begun.engine), (1, Nanos(150)));
    assert!(poll(&mut replay, 249).0.is_empty());
    assert_eq!(poll(&mut replay, 250).0[0].engine, Nanos(250));
}
