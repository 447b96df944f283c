//! Tokens of the gateway's own, and polls, which are resumes without answers.

use crate::stream::{EPOCH, SYMBOL, book, gap, level, snapshot, subscribed, trades, update};
use book::Ladder;
use client::{FaultKind, Polled, Status, Tracker, Update};
use market::{Epoch, Seq};
use wire::{
    message::{Channel, Depth, SnapshotReason, TradeKind},
    token::Token,
};

const DEPTH: u64 = 5;

fn depth() -> Depth {
    Depth::new(DEPTH).unwrap()
}

fn view() -> Ladder {
    Ladder { bids: vec![level(100, 5)], asks: vec![level(101, 3)] }
}

fn begin(tracker: &mut Tracker, seq: Seq) {
    let answer = subscribed(Channel::Book, depth(), EPOCH, seq, false);
    tracker.on_text(answer.as_bytes()).unwrap();
    let answer = subscribed(Channel::Trade, depth(), EPOCH, seq, false);
    tracker.on_text(answer.as_bytes()).unwrap();
    tracker.on_text(first(EPOCH, seq).as_bytes()).unwrap();
}

fn first(epoch: Epoch, seq: Seq) -> String {
    book(epoch, snapshot(SnapshotReason::Subscribe), seq, &view(), &view(), depth())
}

fn unchanged(first_seq: Seq, seq: Seq) -> String {
    book(EPOCH, update(first_seq), seq, &view(), &view(), depth())
}

fn poll(tracker: &mut Tracker, since: Option<&str>, cursor: &str) {
    let since: Option<Token> = since.map(|token| token.parse().unwrap());
    let wanted =
        [Channel::Book, Channel::Trade].map(|channel| Polled { channel, symbol: SYMBOL, depth: depth() });
    tracker.polled(wanted, since.as_ref(), cursor).unwrap();
}

fn fault(tracker: &mut Tracker, text: &str) -> FaultKind {
    tracker.on_text(text.as_bytes()).map(|update| format!("{update:?}")).unwrap_err().kind
}

fn token(seq: Seq) -> String {
    format!("{EPOCH}:{SYMBOL}@{DEPTH}={seq}")
}

#[test]
fn the_gateways_token_moves_on_what_is_quiet_and_a_resume_with_it_is_no_gap() {
    let mut tracker = Tracker::new();
    begin(&mut tracker, 10);
    tracker.on_token(&token(25)).unwrap();
    assert_eq!(tracker.token().unwrap().to_string(), token(25));
    // Shared bytes begin behind the last message all the same.
    tracker.on_text(unchanged(11, 27).as_bytes()).unwrap();
    // A token is the least over the channels.
    tracker.on_token(&token(26)).unwrap();
    assert_eq!(tracker.through(Channel::Book, SYMBOL), Some(27));
    assert_eq!(tracker.through(Channel::Trade, SYMBOL), Some(26));
    tracker.reconnected();
    tracker.on_text(subscribed(Channel::Book, depth(), EPOCH, 26, true).as_bytes()).unwrap();
    tracker.on_text(unchanged(27, 30).as_bytes()).unwrap();
    assert!(matches!(tracker.on_token("9c41"), Err(fault) if matches!(fault.kind, FaultKind::Malformed(_))));
}

#[test]
fn a_token_says_nothing_of_what_waits_for_a_snapshot_or_of_another_numbering() {
    let mut tracker = Tracker::new();
    tracker.on_text(subscribed(Channel::Book, depth(), EPOCH, 10, false).as_bytes()).unwrap();
    tracker.on_token(&token(25)).unwrap();
    assert_eq!(tracker.through(Channel::Book, SYMBOL), None);
    tracker.on_text(first(EPOCH, 10).as_bytes()).unwrap();
    tracker.on_token(&format!("0000000000000001:{SYMBOL}@{DEPTH}=99")).unwrap();
    tracker.on_token(&format!("{EPOCH}:{SYMBOL}=99")).unwrap();
    assert_eq!(tracker.through(Channel::Book, SYMBOL), Some(10));
}

#[test]
fn a_stream_that_had_no_number_yet_goes_on_from_the_first() {
    let mut tracker = Tracker::new();
    let answer = subscribed(Channel::Trade, depth(), EPOCH, 0, true);
    tracker.on_text(answer.as_bytes()).unwrap();
    tracker.on_text(trades(EPOCH, TradeKind::Update { first_seq: 1 }, 3, &[(3, 1)]).as_bytes()).unwrap();
    assert_eq!(tracker.through(Channel::Trade, SYMBOL), Some(3));
}

#[test]
fn polls_continue_each_other_without_answers() {
    let mut tracker = Tracker::new();
    poll(&mut tracker, None, &token(12));
    tracker.on_text(first(EPOCH, 12).as_bytes()).unwrap();
    tracker.on_token(&token(12)).unwrap();
    assert_eq!(tracker.through(Channel::Trade, SYMBOL), Some(12));
    poll(&mut tracker, Some(&token(12)), &token(20));
    tracker.on_text(unchanged(13, 20).as_bytes()).unwrap();
    tracker.on_text(trades(EPOCH, TradeKind::Update { first_seq: 13 }, 14, &[(14, 1)]).as_bytes()).unwrap();
    tracker.on_token(&token(20)).unwrap();
    assert_eq!(tracker.token().unwrap().to_string(), token(20));
    // A cursor that is older than what is held: the same again, and nothing twice.
    poll(&mut tracker, Some(&token(12)), &token(22));
    let again = trades(EPOCH, TradeKind::Update { first_seq: 13 }, 14, &[(14, 1)]);
    assert!(matches!(tracker.on_text(again.as_bytes()), Ok(Update::Dropped { .. })));
    assert_eq!(fault(&mut tracker, &unchanged(14, 20)), FaultKind::Gap { last: 12, first_seq: 14 });
}

#[test]
fn a_poll_that_cannot_go_on_begins_with_a_snapshot_and_names_lost_trades() {
    let mut tracker = Tracker::new();
    begin(&mut tracker, 10);
    let next = Epoch(7);
    let cursor = format!("{next}:{SYMBOL}@{DEPTH}=5");
    poll(&mut tracker, Some(&token(10)), &cursor);
    assert_eq!(fault(&mut tracker, &unchanged(11, 12)), FaultKind::SnapshotDue);
    tracker.on_text(first(next, 5).as_bytes()).unwrap();
    tracker.on_text(gap(Channel::Trade, 1, 5).as_bytes()).unwrap();
    tracker.on_token(&cursor).unwrap();
    assert_eq!(tracker.token().unwrap().to_string(), cursor);
}

#[test]
fn a_closing_connection_says_why_where_the_transport_has_no_codes() {
    let text = r#"{"channel":"status","data":[{"event":"closing","code":4008,"reason":"too slow"}]}"#;
    match Tracker::new().on_text(text.as_bytes()) {
        Ok(Update::Status(Status::Closing { code: 4008, reason })) => assert_eq!(reason, "too slow"),
        other => panic!("{other:?}"),
    }
}
