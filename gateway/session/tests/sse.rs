//! Server-sent events: what is on the wire, and that every id that a client ever got is enough to come back with.

mod support;

use market::{ResetReason, Side};
use serde_json::{Value, json};
use session::{ConnId, Ending, Limits, OpenOptions};
use std::time::Duration;
use support::{
    Bench, StreamEvent,
    account::{Account, Chance, Market, SYMBOLS},
    level, stream_events, trade, wanted,
};
use wire::{
    envelope::Envelope,
    message::{Channel, Policy, Subscribe},
};

fn events(bench: &mut Bench, conn: ConnId) -> Vec<StreamEvent> {
    stream_events(&bench.text(conn)).0
}

fn book() -> Subscribe {
    wanted(Channel::Book, &SYMBOLS[..1], 10, None)
}

fn ids(events: &[StreamEvent]) -> Vec<Option<&str>> {
    events.iter().map(|(id, _)| id.as_deref()).collect()
}

#[test]
fn the_last_event_of_a_batch_carries_the_token() {
    let mut bench = Bench::standing();
    let conn = bench.stream(Envelope::Sse, &[book(), wanted(Channel::Trade, &SYMBOLS[..1], 10, None)]);
    let begun = events(&mut bench, conn);
    assert_eq!(begun[0].1["result"]["seq"], 11);
    assert_eq!(begun.len(), 3, "two answers, one snapshot");
    assert_eq!(ids(&begun), [None, None, Some("9c41d7e0a25b7f3a:BTC/USDT@10=11")]);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.exchange_event(0, &[trade(10_001, 1), level(Side::Ask, 10_001, 9)]);
    bench.flush();
    let changed = events(&mut bench, conn);
    assert_eq!(changed.len(), 3);
    assert_eq!(ids(&changed), [None, None, Some("9c41d7e0a25b7f3a:BTC/USDT@10=14")]);
}

#[test]
fn heartbeats_carry_a_token_that_does_not_age() {
    let mut bench = Bench::standing();
    let conn = bench.stream(Envelope::Sse, &[book()]);
    bench.text(conn);
    bench.exchange_event(0, &[trade(10_001, 1)]);
    bench.exchange_event(0, &[trade(10_001, 2)]);
    bench.flush();
    bench.wait(2_000);
    let beats = events(&mut bench, conn);
    assert_eq!(beats.len(), 1, "the trades are not for this client");
    assert_eq!(beats[0].1["channel"], "heartbeat");
    assert_eq!(ids(&beats), [Some("9c41d7e0a25b7f3a:BTC/USDT@10=13")]);
}

#[test]
fn comments_come_as_pings_and_nobody_has_to_answer_them() {
    let mut bench = Bench::standing();
    let options = OpenOptions {
        envelope: Envelope::Sse,
        ping: Duration::from_secs(15),
        heartbeat: Duration::ZERO,
        ..OpenOptions::new(&Limits::default())
    };
    let conn = bench.worker.open(bench.now, &options);
    for minute in 1..=4 {
        (0..60).for_each(|_| bench.wait(1_000));
        let (events, comments) = stream_events(&bench.text(conn));
        assert_eq!((events, comments), (vec![], 4), "in minute {minute}");
    }
    assert!(bench.sockets.ended.is_empty());
}

#[test]
fn what_a_client_of_a_stream_sends_is_ignored_and_its_end_is_the_end() {
    let mut bench = Bench::standing();
    let conn = bench.stream(Envelope::Sse, &[book()]);
    bench.text(conn);
    let mut bytes = b"{\"method\":\"ping\"}\nGET / HTTP/1.1\r\n\r\n".repeat(1_000);
    bench.worker.input(conn, &mut bytes, bench.now, &mut bench.sockets);
    bench.flush();
    assert_eq!(bench.text(conn), "");
    bench.worker.input_ended(conn, bench.now, &mut bench.sockets);
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
}

#[test]
fn a_client_that_is_too_slow_is_told_so_before_the_end_and_can_come_back() {
    let mut bench = Bench::new(Limits { lossless_bytes: 2_000, ..Limits::default() });
    bench.reset(0, ResetReason::Feed);
    let lossless = Subscribe { policy: Policy::Lossless, ..book() };
    let conn = bench.stream(Envelope::Sse, &[lossless]);
    let begun = events(&mut bench, conn);
    let id = begun.last().unwrap().0.clone().unwrap();
    bench.stall(conn, 7);
    for qty in 1..20 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000, qty)]);
        bench.flush();
    }
    bench.drain(conn);
    let told = events(&mut bench, conn);
    let (_, last) = told.last().unwrap();
    let notice = &last["data"][0];
    assert_eq!((&last["channel"], &notice["event"]), (&json!("status"), &json!("closing")));
    assert_eq!(notice["code"], 4008);
    assert_eq!(told.len(), 2, "what was partly written is ended, then the notice: {told:?}");
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
    let again = bench.stream(Envelope::Sse, &[wanted(Channel::Book, &SYMBOLS[..1], 10, Some(&id))]);
    let again = events(&mut bench, again);
    assert_eq!(again[0].1["result"]["recovered"], true);
    assert_eq!(again[1].1["data"][0]["first_seq"], 12);
}

/// One connection of a client with what it knows.
struct Reader {
    conn: ConnId,
    account: Account,
    last_id: Option<String>,
}

impl Reader {
    fn read(&mut self, bench: &mut Bench, kept: &mut Vec<(String, Account)>) {
        for (id, message) in events(bench, self.conn) {
            self.account.take(&message);
            if let Some(id) = id {
                self.last_id = Some(id);
            }
            // A connection may be cut behind any event, and the client comes back with the last id before.
            if let Some(id) = &self.last_id {
                kept.push((id.clone(), self.account.clone()));
            }
        }
    }
}

fn everything(depth: u64, since: Option<&str>) -> Vec<Subscribe> {
    [Channel::Trade, Channel::Book, Channel::Bbo]
        .map(|channel| wanted(channel, &SYMBOLS, depth, since))
        .to_vec()
}

fn resumes_from_every_id(seed: u64) {
    let mut chance = Chance(seed);
    let (batch_bytes, history_bytes) = [(700, 1 << 20), (64 << 10, 64 << 10)][chance.below(2) as usize];
    let trades_bytes = [2_000, 32 << 20][chance.below(2) as usize];
    let mut bench = Bench::new(Limits { batch_bytes, history_bytes, trades_bytes, ..Limits::default() });
    let mut market = Market::default();
    let depth = [1, 5, 10, 0][chance.below(4) as usize];
    let account = Account::new(&bench, depth as usize);
    let conn = bench.stream(Envelope::Sse, &everything(depth, None));
    let mut kept: Vec<(String, Account)> = Vec::new();
    let mut reader = Reader { conn, account, last_id: None };
    for _ in 0..400 {
        match chance.below(12) {
            0 => bench.wait(chance.below(1_500)),
            1 => bench.stall(reader.conn, chance.below(900) as usize),
            2 | 3 => bench.drain(reader.conn),
            4 if !kept.is_empty() => {
                let at = chance.below(kept.len() as u64) as usize;
                let (id, mut account) = kept[at].clone();
                account.come_back(&id);
                bench.worker.gone(reader.conn);
                let conn = bench.stream(Envelope::Sse, &everything(depth, Some(&id)));
                reader = Reader { conn, account, last_id: Some(id) };
            }
            _ => market.happen(&mut bench, &mut chance),
        }
        if chance.below(3) > 0 {
            bench.flush();
        }
        if !bench.sockets.room.contains_key(&reader.conn) {
            reader.read(&mut bench, &mut kept);
        }
    }
    bench.drain(reader.conn);
    bench.flush();
    reader.read(&mut bench, &mut kept);
    reader.account.check(&market, &bench);
    for _ in 0..30 {
        let (id, mut account) = kept[chance.below(kept.len() as u64) as usize].clone();
        account.come_back(&id);
        let conn = bench.stream(Envelope::Sse, &everything(depth, Some(&id)));
        // What is more than a batch comes with the next turns.
        bench.flush();
        bench.flush();
        events(&mut bench, conn).iter().for_each(|(_, message): &(_, Value)| account.take(message));
        account.check(&market, &bench);
        bench.worker.gone(conn);
    }
}

#[test]
fn whatever_the_id_a_client_comes_back_with_its_book_is_exact_and_no_trade_is_lost() {
    for seed in 0..60 {
        println!("seed {seed}");
        resumes_from_every_id(seed);
    }
}
