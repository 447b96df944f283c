//! A recording that is played as fast as it is taken waits for `lossless` clients, as long as they take something.

use crate::admin::{START, post};
use crate::support::{
    get, narrow,
    program::{Gateway, depthcast},
    run,
};
use feed::FeedSink;
use journal::Writer;
use market::{
    Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, ResetReason, Side, Status, SymbolId,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

/// What is sent of it is many times what a socket, its peer's socket and `lossless` hold together.
const EVENTS: u64 = 40_000;
const WAITED: &str = "depthcast_replay_waited_milliseconds_total";

fn record(dir: &Path) {
    let instrument = Instrument {
        symbol: "A/B".into(),
        venue_symbol: "AB".into(),
        price_decimals: 2,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    };
    let mut writer = Writer::open(dir, Epoch(77), &Instruments::new([instrument]).unwrap()).unwrap();
    let event = |seq: u64, kind| Event {
        seq,
        price: Price(10_000 + (seq % 7) as i64),
        qty: Qty(seq),
        side: Side::Bid,
        timestamp: Nanos(START + seq * 1_000_000),
        last: seq > 1,
        ..Event::new(kind)
    };
    let reset = Event { qty: Qty(ResetReason::Feed as u64), symbol: SymbolId(0), ..event(1, Kind::Reset) };
    let events: Vec<Event> =
        std::iter::once(reset).chain((2..=EVENTS).map(|seq| event(seq, Kind::Level))).collect();
    for events in events.chunks(4_000) {
        writer.push(events).unwrap();
    }
    writer.sync().unwrap();
}

fn gateway(dir: &Path, more: &[&str]) -> Gateway {
    let feed = format!("journal:{}", dir.display());
    let arguments = ["--listen", "127.0.0.1:0", "--feed", &feed, "--hold", "--speed", "max"];
    let gateway = Gateway::start(depthcast(&[&arguments, more].concat()));
    assert_eq!(post(gateway.address, "/v1/admin/pause", "{}").status, 200);
    gateway
}

/// Subscribes without loss, and waits for the answer.
fn subscribe(mut socket: TcpStream) -> BufReader<TcpStream> {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let params = json!({"channel": "book", "symbol": ["A/B"], "policy": "lossless", "heartbeat_ms": 0});
    writeln!(socket, "{}", json!({"method": "subscribe", "params": params})).unwrap();
    let mut reader = BufReader::with_capacity(4 << 10, socket);
    reader.read_line(&mut String::new()).unwrap();
    reader
}

fn fast(address: SocketAddr) -> BufReader<TcpStream> {
    subscribe(TcpStream::connect(address).unwrap())
}

/// All messages of the book up to the end of the feed, each in a line; rests before each piece of some kilobytes.
fn read(reader: &mut BufReader<TcpStream>, rest: Duration) -> Vec<u8> {
    let (mut stream, mut pieces, mut line) = (Vec::new(), 0, Vec::new());
    loop {
        line.clear();
        assert_ne!(reader.read_until(b'\n', &mut line).unwrap(), 0, "cut after {} bytes", stream.len());
        if line.starts_with(b"{\"channel\":\"status\"") {
            assert!(line.windows(10).any(|word| word == b"feed_ended"), "{}", String::from_utf8_lossy(&line));
            return stream;
        }
        stream.extend_from_slice(&line);
        if stream.len() / (8 << 10) > pieces {
            pieces = stream.len() / (8 << 10);
            thread::park_timeout(rest);
        }
    }
}

fn metric(address: SocketAddr, name: &str) -> u64 {
    let text = run(get(address, "/metrics")).body;
    let of_workers = text.lines().filter(|line| line.starts_with(name));
    of_workers.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// The figures of workers are of the last second.
fn wait_for(address: SocketAddr, name: &str, wanted: impl Fn(u64) -> bool) {
    while !wanted(metric(address, name)) {
        thread::park_timeout(Duration::from_millis(50));
    }
}

fn is_dense(stream: &[u8]) -> bool {
    let mut last = 0;
    let mut ranges = stream.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
        let message: Value = serde_json::from_slice(line).unwrap();
        let book = &message["data"][0];
        (book["first_seq"].as_u64(), book["seq"].as_u64().unwrap())
    });
    let dense = ranges.all(|(first, seq)| {
        let follows = first.is_none_or(|first| first == last + 1);
        last = seq;
        follows
    });
    dense && last == EVENTS
}

#[test]
fn a_slow_client_gets_all_of_it_and_so_do_others() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    for threads in [["--workers", "1", "--threads", "inline"], ["--workers", "2", "--threads", "split"]] {
        let gateway = gateway(dir.path(), &threads);
        let (http, tcp) = (gateway.address, gateway.tcp.unwrap());
        let (mut slow, mut quick) = (subscribe(narrow(tcp)), fast(tcp));
        let quick = thread::spawn(move || read(&mut quick, Duration::ZERO));
        assert_eq!(post(http, "/v1/admin/continue", "{}").status, 200);
        let slow = read(&mut slow, Duration::from_millis(1));
        assert!(slow.len() > 8 << 20, "{}", slow.len());
        assert!(is_dense(&slow));
        assert!(slow == quick.join().unwrap(), "both get the same bytes");
        wait_for(http, WAITED, |waited| waited > 0);
        assert_eq!(metric(http, "depthcast_slow_closed_total"), 0);
    }
}

#[test]
fn a_client_that_takes_nothing_is_given_up_and_the_replay_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = gateway(dir.path(), &["--workers", "2", "--pace-timeout", "1"]);
    let (http, tcp) = (gateway.address, gateway.tcp.unwrap());
    let (mut stalled, mut quick) = (subscribe(narrow(tcp)), fast(tcp));
    assert_eq!(post(http, "/v1/admin/continue", "{}").status, 200);
    assert!(is_dense(&read(&mut quick, Duration::ZERO)));
    wait_for(http, "depthcast_slow_closed_total", |closed| closed == 1);
    assert!(metric(http, WAITED) >= 900, "it was waited for");
    // It gets no part of what came later: the connection ends within what it was sent.
    let mut rest = Vec::new();
    let _ = stalled.read_to_end(&mut rest);
    assert!(rest.len() < 8 << 20, "{}", rest.len());
}

#[test]
fn without_patience_nobody_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = gateway(dir.path(), &["--pace-timeout", "0"]);
    let (http, _stalled) = (gateway.address, subscribe(narrow(gateway.tcp.unwrap())));
    assert_eq!(post(http, "/v1/admin/continue", "{}").status, 200);
    wait_for(http, "depthcast_slow_closed_total", |closed| closed == 1);
    assert_eq!(metric(http, WAITED), 0);
}
