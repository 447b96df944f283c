//! Each rule of the protocol by itself, and what the tracker says where it is broken.

use crate::stream::{EPOCH, SYMBOL, bbo, book, gap, heartbeat, level, snapshot, subscribed, trades, update};
use book::Ladder;
use client::{FaultKind, Tracker, Update};
use market::{Epoch, Seq};
use wire::message::{Channel, Depth, SnapshotReason, TradeKind};

const OTHER: Epoch = Epoch(0x1111_2222_3333_4444);

fn depth(levels: u64) -> Depth {
    Depth::new(levels).unwrap()
}

/// A tracker, and the book that it should have, two levels of five in view.
struct Client {
    tracker: Tracker,
    view: Ladder,
    depth: Depth,
}

impl Client {
    fn new() -> Client {
        Client {
            tracker: Tracker::new().with_dense_trade_ids(),
            view: Ladder { bids: vec![level(100, 5), level(99, 7)], asks: vec![level(101, 3)] },
            depth: depth(5),
        }
    }

    /// Book at 10, no trades since 10.
    fn running() -> Client {
        let mut client = Client::new();
        client.ack(Channel::Book, 10, false).unwrap();
        client.snapshot(10).unwrap();
        client.ack(Channel::Trade, 10, false).unwrap();
        client
    }

    fn send(&mut self, text: &str) -> Result<&'static str, FaultKind> {
        match self.tracker.on_text(text.as_bytes()) {
            Ok(Update::Dropped { .. }) => Ok("dropped"),
            Ok(Update::Trades { trades, .. }) if trades.len() == 1 => Ok("one trade"),
            Ok(_) => Ok("taken"),
            Err(fault) => {
                assert!(text.starts_with(&fault.text));
                Err(fault.kind)
            }
        }
    }

    fn ack(&mut self, channel: Channel, seq: Seq, recovered: bool) -> Result<&'static str, FaultKind> {
        self.send(&subscribed(channel, self.depth, EPOCH, seq, recovered))
    }

    fn snapshot(&mut self, seq: Seq) -> Result<&'static str, FaultKind> {
        let text = book(EPOCH, snapshot(SnapshotReason::Subscribe), seq, &self.view, &self.view, self.depth);
        self.send(&text)
    }

    /// An update in which the best bid's quantity becomes `seq`.
    fn update(&mut self, first_seq: Seq, seq: Seq) -> Result<&'static str, FaultKind> {
        let text = self.update_text(first_seq, seq);
        self.send(&text)
    }

    fn update_text(&mut self, first_seq: Seq, seq: Seq) -> String {
        self.view.bids[0].qty = market::Qty(seq);
        let changes = Ladder { bids: vec![self.view.bids[0]], asks: vec![] };
        book(EPOCH, update(first_seq), seq, &changes, &self.view, self.depth)
    }

    fn trades(&mut self, first_seq: Seq, seq: Seq, list: &[(Seq, u64)]) -> Result<&'static str, FaultKind> {
        self.send(&trades(EPOCH, TradeKind::Update { first_seq }, seq, list))
    }

    fn quiet(&mut self, channel: Channel, seq: Seq, through: Seq) -> Result<&'static str, FaultKind> {
        self.send(&heartbeat(&[(channel, seq, through)]))
    }

    fn token(&self) -> String {
        self.tracker.token().map(|token| token.to_string()).unwrap_or_default()
    }
}

#[test]
fn updates_that_follow_each_other_make_the_gateways_book() {
    let mut client = Client::running();
    assert_eq!(client.update(11, 12), Ok("taken"));
    assert_eq!(client.update(13, 13), Ok("taken"));
    let book = client.tracker.book(SYMBOL).unwrap();
    assert_eq!((&book.ladder, book.seq, book.depth), (&client.view, 13, client.depth));
    assert_eq!(client.tracker.counters().updates, 2);
}

#[test]
fn a_book_is_cut_to_the_subscribed_depth() {
    let mut client = Client { depth: depth(1), ..Client::new() };
    client.ack(Channel::Book, 10, false).unwrap();
    client.view.cut(1);
    client.snapshot(10).unwrap();
    let better = Ladder { bids: vec![level(100, 9)], asks: vec![level(101, 0), level(102, 4)] };
    client.view = Ladder { bids: vec![level(100, 9)], asks: vec![level(102, 4)] };
    let text = book(EPOCH, update(11), 11, &better, &client.view, client.depth);
    assert_eq!(client.send(&text), Ok("taken"));
    assert_eq!(client.tracker.book(SYMBOL).unwrap().ladder, client.view);
}

#[test]
fn a_gap_is_noticed_and_what_was_proven_stays() {
    let mut client = Client::running();
    assert_eq!(client.update(12, 13), Err(FaultKind::Gap { last: 10, first_seq: 12 }));
    assert_eq!(client.tracker.book(SYMBOL).unwrap().seq, 10);
    assert_eq!(client.token(), "9c41d7e0a25b7f3a:X/Y@5=10");
}

#[test]
fn a_repeat_within_one_connection_is_noticed() {
    let mut client = Client::running();
    client.update(11, 12).unwrap();
    assert_eq!(client.update(12, 14), Err(FaultKind::Overlap { sent: 12, first_seq: 12 }));
    assert_eq!(client.update(11, 12), Err(FaultKind::Overlap { sent: 12, first_seq: 11 }));
}

#[test]
fn a_wrong_checksum_takes_the_book_away_until_a_snapshot() {
    let mut client = Client::running();
    let text = client.update_text(11, 11);
    client.view.bids[0].qty = market::Qty(1);
    let wrong = client.view.checksum(5);
    let right = Ladder { bids: vec![level(100, 11), level(99, 7)], asks: vec![level(101, 3)] }.checksum(5);
    let text = text.replace(&right.to_string(), &wrong.to_string());
    assert_eq!(client.send(&text), Err(FaultKind::Checksum { seq: 11, expected: wrong, actual: right }));
    assert_eq!(client.tracker.book(SYMBOL), None);
    assert_eq!(client.token(), "9c41d7e0a25b7f3a:X/Y=10");
    assert_eq!(client.update(12, 12), Err(FaultKind::SnapshotDue));
    assert_eq!(client.snapshot(12), Ok("taken"));
    assert_eq!(client.update(13, 13), Ok("taken"));
}

#[test]
fn a_heartbeat_moves_on_what_is_quiet() {
    let mut client = Client::running();
    assert_eq!(client.quiet(Channel::Book, 10, 40), Ok("taken"));
    assert_eq!(client.tracker.through(Channel::Book, SYMBOL), Some(40));
    assert_eq!(client.tracker.book(SYMBOL).unwrap().seq, 10);
    // Shared bytes begin behind the topic's last message, others behind what the heartbeat said.
    assert_eq!(client.update(11, 42), Ok("taken"));
    client.quiet(Channel::Book, 42, 50).unwrap();
    assert_eq!(client.update(51, 52), Ok("taken"));
    assert_eq!(client.update(54, 55), Err(FaultKind::Gap { last: 52, first_seq: 54 }));
}

#[test]
fn a_heartbeat_shows_what_was_lost() {
    let mut client = Client::running();
    client.update(11, 12).unwrap();
    assert_eq!(client.quiet(Channel::Book, 14, 20), Err(FaultKind::Lost { last: 12, seq: 14 }));
    assert_eq!(client.quiet(Channel::Trade, 11, 20), Err(FaultKind::Lost { last: 10, seq: 11 }));
    assert_eq!(client.quiet(Channel::Bbo, 0, 20), Err(FaultKind::NotSubscribed));
}

#[test]
fn trades_come_once_each_in_their_order() {
    let check = |first_seq, seq, list: &[(Seq, u64)], wanted: Result<&'static str, FaultKind>| {
        let mut client = Client::running();
        client.trades(11, 12, &[(12, 7)]).unwrap();
        assert_eq!(client.trades(first_seq, seq, list), wanted, "{first_seq} {seq} {list:?}");
    };
    check(13, 15, &[(14, 8), (15, 9)], Ok("taken"));
    check(13, 15, &[(14, 8), (14, 9)], Err(FaultKind::TradeSeq { after: 14, seq: 14 }));
    check(13, 15, &[(12, 8)], Err(FaultKind::TradeSeq { after: 12, seq: 12 }));
    check(13, 15, &[(16, 8)], Err(FaultKind::TradeSeq { after: 12, seq: 16 }));
    check(13, 15, &[(14, 9)], Err(FaultKind::TradeId { last: 7, actual: 9 }));
    check(14, 15, &[(14, 8)], Err(FaultKind::Gap { last: 12, first_seq: 14 }));
    check(13, 15, &[], Err(FaultKind::Malformed("an update without a trade".into())));
}

#[test]
fn ids_that_are_not_dense_are_counted_where_that_is_no_fault() {
    let mut client = Client { tracker: Tracker::new(), ..Client::new() };
    client.ack(Channel::Trade, 10, false).unwrap();
    assert_eq!(client.trades(11, 14, &[(12, 7), (14, 9)]), Ok("taken"));
    assert_eq!(client.trades(15, 15, &[(15, 10)]), Ok("one trade"));
    assert_eq!(client.tracker.counters().trade_id_jumps, 1);
}

#[test]
fn a_named_gap_continues_behind_it() {
    let mut client = Client::running();
    client.trades(11, 12, &[(12, 7)]).unwrap();
    assert_eq!(client.send(&gap(Channel::Trade, 14, 20)), Err(FaultKind::Gap { last: 12, first_seq: 14 }));
    assert_eq!(client.send(&gap(Channel::Trade, 13, 20)), Ok("taken"));
    assert_eq!(client.trades(21, 22, &[(22, 30)]), Ok("one trade"));
    assert!(matches!(client.send(&gap(Channel::Book, 11, 20)), Err(FaultKind::Malformed(_))));
}

#[test]
fn a_trade_stream_without_a_number_yet_begins_anywhere() {
    let mut client = Client::new();
    client.ack(Channel::Trade, 0, false).unwrap();
    client.quiet(Channel::Trade, 0, 0).unwrap();
    assert_eq!(client.token(), "");
    assert_eq!(client.trades(31, 32, &[(32, 1)]), Ok("one trade"));
    assert_eq!(client.trades(34, 35, &[(35, 2)]), Err(FaultKind::Gap { last: 32, first_seq: 34 }));
}

#[test]
fn a_resume_continues_where_the_token_says() {
    let mut client = Client::running();
    client.update(11, 12).unwrap();
    client.trades(11, 14, &[(12, 1), (14, 2)]).unwrap();
    assert_eq!(client.token(), "9c41d7e0a25b7f3a:X/Y@5=12");
    client.tracker.reconnected();
    assert_eq!(client.update(13, 13), Err(FaultKind::NotSubscribed));
    assert_eq!(client.tracker.subscriptions().count(), 0);
    client.ack(Channel::Book, 12, true).unwrap();
    client.ack(Channel::Trade, 12, true).unwrap();
    assert_eq!(client.update(13, 20), Ok("taken"));
    // The token was older than the last trade: what is known already is not told again.
    assert_eq!(client.trades(13, 14, &[(14, 2)]), Ok("dropped"));
    assert_eq!(client.trades(15, 18, &[(18, 3)]), Ok("one trade"));
    assert_eq!(client.tracker.counters().dropped, 1);
}

#[test]
fn the_first_message_after_a_resume_may_reach_back() {
    let mut client = Client::running();
    client.update(11, 14).unwrap();
    client.tracker.reconnected();
    client.ack(Channel::Book, 12, true).unwrap();
    assert_eq!(client.update(11, 16), Ok("taken"));
    assert_eq!(client.update(15, 18), Err(FaultKind::Overlap { sent: 16, first_seq: 15 }));
}

#[test]
fn a_resume_that_leaves_something_out_is_noticed() {
    let check = |ack: Seq, first_seq: Seq, wanted: FaultKind| {
        let mut client = Client::running();
        client.tracker.reconnected();
        let got = client.ack(Channel::Book, ack, true).and_then(|_| client.update(first_seq, 20));
        assert_eq!(got, Err(wanted));
    };
    check(11, 12, FaultKind::Gap { last: 10, first_seq: 12 });
    check(10, 12, FaultKind::Gap { last: 10, first_seq: 12 });
    let mut client = Client::new();
    assert_eq!(client.ack(Channel::Book, 5, true), Err(FaultKind::RecoveredNothing(EPOCH)));
    let mut client = Client::running();
    client.tracker.reconnected();
    client.ack(Channel::Book, 10, true).unwrap();
    assert_eq!(client.snapshot(12), Err(FaultKind::RecoveredBySnapshot));
}

#[test]
fn a_resume_that_was_not_granted_begins_with_a_snapshot_or_a_gap() {
    let mut client = Client::running();
    client.trades(11, 12, &[(12, 1)]).unwrap();
    client.tracker.reconnected();
    client.ack(Channel::Book, 30, false).unwrap();
    assert_eq!(client.update(31, 31), Err(FaultKind::SnapshotDue));
    assert_eq!(client.snapshot(29), Err(FaultKind::Backwards { sent: 30, seq: 29 }));
    assert_eq!(client.snapshot(30), Ok("taken"));
    client.ack(Channel::Trade, 12, false).unwrap();
    assert_eq!(client.send(&gap(Channel::Trade, 13, 25)), Ok("taken"));
    assert_eq!(client.trades(26, 28, &[(28, 9)]), Ok("one trade"));

    client.tracker.reconnected();
    let silent = client.ack(Channel::Trade, 40, false);
    assert_eq!(silent, Err(FaultKind::Gap { last: 28, first_seq: 41 }));
}

#[test]
fn a_longer_interval_may_begin_with_what_the_book_was_before() {
    let mut client = Client::running();
    client.update(11, 12).unwrap();
    assert!(matches!(client.snapshot(11), Err(FaultKind::Backwards { sent: 12, seq: 11 })));
    let before = book(EPOCH, snapshot(SnapshotReason::Modify), 11, &client.view, &client.view, client.depth);
    assert_eq!(client.send(&before), Ok("taken"));
    assert_eq!(client.update(12, 14), Ok("taken"));
}

#[test]
fn a_new_epoch_begins_with_a_snapshot() {
    let mut client = Client::running();
    client.trades(11, 12, &[(12, 7)]).unwrap();
    let text = client.update_text(11, 11).replace(&EPOCH.to_string(), &OTHER.to_string());
    assert_eq!(client.send(&text), Err(FaultKind::EpochChanged { expected: EPOCH, actual: OTHER }));

    client.tracker.reconnected();
    assert_eq!(
        client.send(&subscribed(Channel::Book, client.depth, OTHER, 3, true)),
        Err(FaultKind::RecoveredNothing(OTHER))
    );
    client.send(&subscribed(Channel::Book, client.depth, OTHER, 3, false)).unwrap();
    client.send(&subscribed(Channel::Trade, client.depth, OTHER, 0, false)).unwrap();
    let reason = snapshot(SnapshotReason::Resume);
    client.send(&book(OTHER, reason, 3, &client.view, &client.view, client.depth)).unwrap();
    assert_eq!(client.token(), "1111222233334444:X/Y@5=3");
    // Numbers below those of the epoch before are new.
    let first = trades(OTHER, TradeKind::Update { first_seq: 2 }, 4, &[(4, 1)]);
    assert_eq!(client.send(&first), Ok("one trade"));
}

#[test]
fn the_bbo_is_the_top_of_the_book() {
    let mut client = Client::running();
    client.ack(Channel::Bbo, 10, false).unwrap();
    let first = bbo(EPOCH, snapshot(SnapshotReason::Subscribe), 10, &client.view);
    assert_eq!(client.send(&first), Ok("taken"));
    client.update(11, 11).unwrap();
    let stale = client.view.clone();
    client.update(12, 12).unwrap();
    let next = bbo(EPOCH, update(11), 12, &client.view);
    assert_eq!(client.send(&next), Ok("taken"));
    client.update(13, 13).unwrap();
    assert_eq!(client.send(&bbo(EPOCH, update(13), 13, &stale)), Err(FaultKind::TopMismatch { seq: 13 }));
}

#[test]
fn a_message_is_exactly_what_the_protocol_names() {
    let check = |change: fn(String) -> String| {
        let mut client = Client::running();
        let text = change(client.update_text(11, 11));
        let fault = client.tracker.on_text(text.as_bytes()).unwrap_err();
        assert!(fault.to_string().len() < 1024);
        fault.kind
    };
    let malformed = |change| match check(change) {
        FaultKind::Malformed(text) => text,
        other => panic!("{other}"),
    };
    assert_eq!(
        check(|text| text.replace("\"book\"", "\"books\"")),
        FaultKind::UnknownChannel("books".into())
    );
    assert!(malformed(|text| text.replace("\"venue_seq\"", "\"venue\"")).contains("unknown field `venue`"));
    assert!(malformed(|text| text.replace("\"checksum\"", "\"seq\"")).contains("duplicate field"));
    assert!(malformed(|text| text.replace(",\"conflated\":false", "")).contains("conflated"));
    assert!(malformed(|text| text.replace("false", "true")).contains("conflated"));
    assert!(malformed(|text| text.replace("\"update\"", "\"snapshot\"")).contains("do not fit"));
    assert!(malformed(|text| text[..text.len() - 1].into()).contains("EOF"));
    assert!(malformed(|_| "{}".into()).contains("neither"));
    assert_eq!(check(|text| text.replace("X/Y", "Y/X")), FaultKind::NotSubscribed);
    assert_eq!(
        check(|text| text.replace("1.00", "1.0")),
        FaultKind::Decimals { expected: 2, text: "1.0".into() }
    );
}

#[test]
fn a_fault_holds_only_the_beginning_of_a_long_message() {
    let fault = Tracker::new().on_text("é".repeat(100_000).as_bytes()).unwrap_err();
    assert_eq!(fault.text.len(), client::Fault::TEXT_BYTES);
}

#[test]
fn an_unknown_subscription_and_a_second_one_are_noticed() {
    let mut client = Client::new();
    assert_eq!(client.snapshot(1), Err(FaultKind::NotSubscribed));
    client.ack(Channel::Book, 1, false).unwrap();
    assert_eq!(client.ack(Channel::Book, 1, false), Err(FaultKind::SubscribedTwice));
}
