//! Clients that are cut off at random moments, in every way that networks have, and come back on a random transport with the
//! token that they have: at the end every book is right, and of the trades none is missing and none came twice.
//!
//! DEPTHCAST_CUTS says how often each is cut off (20), DEPTHCAST_SEED from which seed (that of the time).

mod client;
#[path = "../support/mod.rs"]
mod support;

use client::{Client, SYMBOLS};
use gateway::Config;
use market::clock;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    io,
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};
use support::{
    Wrong, ask,
    proxy::{Cut, Proxy},
    transport::{ALL, Connection, Query, Transport},
};
use wire::message::Channel;

/// Whoever says nothing for so long is given up.
const SILENCE: Duration = Duration::from_millis(300);

fn number(name: &str, or: impl FnOnce() -> u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or_else(or)
}

fn config() -> Config {
    Config {
        symbols: Some(SYMBOLS.len() as u32),
        rate: Some(3_000),
        workers: Some(3),
        requests_per_second: 0,
        http_requests_per_second: 0,
        trades_bytes: 32 << 20,
        ..support::config()
    }
}

/// A client's way to the gateway, which may be cut.
struct Way {
    proxies: [Proxy; 2],
}

impl Way {
    fn to(addresses: [SocketAddr; 2]) -> Way {
        Way { proxies: addresses.map(Proxy::start) }
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        [self.proxies[0].address, self.proxies[1].address]
    }

    fn cut(&self, how: Cut) {
        self.proxies.iter().for_each(|proxy| proxy.cut(how));
    }

    fn shape(&self, piece: u64, delay: Duration) {
        self.proxies.iter().for_each(|proxy| proxy.shape(piece, delay));
    }
}

fn open(transport: Transport, addresses: [SocketAddr; 2], query: &Query) -> io::Result<Connection> {
    let stream = TcpStream::connect(transport.address(addresses))?;
    stream.set_read_timeout(Some(SILENCE))?;
    Connection::begin(stream, transport, query)
}

/// One connection, from its beginning to its end. What goes wrong with it is part of the game; what is wrong with a message is
/// not.
fn connection(client: &mut Client, way: &Way, chance: &mut StdRng) -> Result<Transport, Wrong> {
    let transport = loop {
        let transport = ALL[chance.random_range(0..ALL.len())];
        if client.can_use(transport) {
            break transport;
        }
    };
    way.shape(chance.random_range(1..8_000), Duration::from_micros(chance.random_range(0..300)));
    let reads = chance.random_range(0..20);
    let mut query = client.query(chance.random_bool(0.5), chance.random_bool(0.5));
    // Some are cut off while they shake hands.
    if chance.random_bool(0.1) {
        way.shape(20, Duration::from_millis(2));
        thread::scope(|scope| {
            let shaking = scope.spawn(|| open(transport, way.addresses(), &query));
            thread::sleep(Duration::from_millis(chance.random_range(0..12)));
            way.cut(Cut::Reset);
            let _ = shaking.join();
        });
        return Ok(transport);
    }
    let Ok(mut connection) = open(transport, way.addresses(), &query) else { return Ok(transport) };
    if transport != Transport::LongPoll && client.subscribe(&mut connection, query.since.as_ref()).is_err() {
        return Ok(transport);
    }
    let how = match chance.random_range(0..6) {
        0 => Cut::Swallow,
        1 | 2 => Cut::Finish,
        _ => Cut::Reset,
    };
    for read in 0..=reads {
        if read == reads {
            let _ = if chance.random_bool(0.3) { connection.send_part() } else { Ok(()) };
        }
        // After the cut, all that was under way.
        loop {
            if read == reads {
                // Again and again: the proxy may learn of the connection only now.
                way.cut(how);
            }
            let read_on = match transport {
                Transport::LongPoll => client.poll(&mut connection, &mut query),
                _ => connection.read().map(|items| client.take(items)),
            };
            match read_on {
                Ok(taken) => taken.map_err(|wrong| format!("{transport:?}: {wrong}"))?,
                Err(_) => {
                    way.cut(Cut::Reset);
                    return Ok(transport);
                }
            }
            if read < reads {
                break;
            }
        }
    }
    Ok(transport)
}

/// The last connection, over which everything is proven: each book by what the gateway itself says of it at that number.
fn prove(client: &mut Client, addresses: [SocketAddr; 2]) -> Result<(), Wrong> {
    let broken = |error: io::Error| format!("the last connection: {error}");
    let query = client.query(false, false);
    let mut connection = open(Transport::WebSocket, addresses, &query).map_err(broken)?;
    client.subscribe(&mut connection, query.since.as_ref()).map_err(broken)?;
    let mut proven = Vec::new();
    for symbol in SYMBOLS {
        // A book that the feed has just lost comes back.
        let book = loop {
            client.take(connection.read().map_err(broken)?)?;
            let all =
                [Channel::Trade, Channel::Bbo].map(|channel| client.account.tracker.through(channel, symbol));
            if let (Some(book), [Some(_), Some(_)]) = (client.account.tracker.book(symbol), all) {
                break book;
            }
        };
        let (seq, checksum) = (book.seq, book.ladder.checksum(book.depth.get()));
        let params = format!("{{\"symbol\":\"{symbol}\",\"seq\":{seq},\"checksum\":{checksum}}}");
        connection.request("verify", &params).map_err(broken)?;
        let verdict = loop {
            let items = connection.read().map_err(broken)?;
            let answer = items.iter().find_map(|item| {
                let simulation::line::Item::Message(text) = item else { return None };
                let message: Value = serde_json::from_slice(text).ok()?;
                Some(message["result"]["verdict"].as_str()?.to_owned())
            });
            client.take(items)?;
            if let Some(verdict) = answer {
                break verdict;
            }
        };
        proven.push(format!("{symbol} {verdict}"));
    }
    let wanted = SYMBOLS.map(|symbol| format!("{symbol} ok"));
    if proven != wanted { Err(format!("{proven:?}")) } else { prove_trades(client, addresses[0]) }
}

fn prove_trades(client: &Client, http: SocketAddr) -> Result<(), Wrong> {
    for symbol in SYMBOLS {
        let through = client.account.tracker.through(Channel::Trade, symbol).ok_or("no trades")?;
        let mut happened = Vec::new();
        for from in (1..=through).step_by(5_000) {
            let to = through.min(from + 4_999);
            let path = format!("/v1/trades?symbol={symbol}&from_seq={from}&to_seq={to}");
            let answer = ask(http, &path).json();
            let trades = answer["trades"].as_array().ok_or_else(|| answer.to_string())?;
            happened.extend(trades.iter().filter_map(|trade| trade["seq"].as_u64()));
        }
        client.account.trades[symbol].compare(&happened).map_err(|wrong| format!("{symbol}: {wrong}"))?;
    }
    Ok(())
}

#[test]
fn whoever_is_cut_off_again_and_again_misses_nothing_and_gets_nothing_twice() {
    let cuts = number("DEPTHCAST_CUTS", || 20);
    let first = number("DEPTHCAST_SEED", || clock::now().0 / 1_000_000_000);
    let running = gateway::start(config()).unwrap();
    let addresses = [running.address(), running.tcp_address().unwrap()];
    let clients: Vec<_> = [10, 1, 0, 25].into_iter().zip(first..).collect();
    thread::scope(|scope| {
        for (depth, seed) in clients {
            scope.spawn(move || {
                let mut chance = StdRng::seed_from_u64(seed);
                let (mut client, way) = (Client::new(depth), Way::to(addresses));
                let told = |wrong: Wrong| format!("seed {seed}, depth {depth}: {wrong}");
                let mut used = [0; ALL.len()];
                for _ in 0..cuts {
                    let transport = connection(&mut client, &way, &mut chance).map_err(told).unwrap();
                    used[transport as usize] += 1;
                }
                prove(&mut client, addresses).map_err(told).unwrap();
                let updates = client.account.tracker.counters().updates;
                println!("seed {seed}, depth {depth}: {updates} updates proven over {used:?} of {ALL:?}");
                assert_eq!(client.account.tracker.counters().faults, 0);
            });
        }
    });
    running.shut_down("the test is over");
}

#[test]
fn behind_a_proxy_that_blocks_upgrades_plain_requests_get_through() {
    let running = gateway::start(config()).unwrap();
    let proxy = Proxy::start(running.address());
    proxy.block_upgrades();
    let addresses = [proxy.address, running.tcp_address().unwrap()];
    for transport in [Transport::WebSocket, Transport::SocketIo] {
        let query = Client::new(10).query(false, false);
        assert!(open(transport, addresses, &query).is_err(), "{transport:?}");
    }
    for transport in [Transport::SocketIoPolling, Transport::Sse, Transport::LongPoll] {
        let mut client = Client::new(10);
        let mut query = client.query(false, false);
        let mut connection = open(transport, addresses, &query).unwrap();
        client.subscribe(&mut connection, None).unwrap();
        while client.account.tracker.book(SYMBOLS[2]).is_none() {
            match transport {
                Transport::LongPoll => client.poll(&mut connection, &mut query).unwrap().unwrap(),
                _ => client.take(connection.read().unwrap()).unwrap(),
            }
        }
    }
    drop(proxy);
    running.shut_down("the test is over");
}

#[test]
fn whoever_hears_nothing_any_more_gives_up_in_time() {
    let running = gateway::start(config()).unwrap();
    let way = Way::to([running.address(), running.tcp_address().unwrap()]);
    let mut client = Client::new(10);
    let query = client.query(false, false);
    let mut connection = open(Transport::Tcp, way.addresses(), &query).unwrap();
    client.subscribe(&mut connection, None).unwrap();
    client.take(connection.read().unwrap()).unwrap();
    way.cut(Cut::Swallow);
    let begun = clock::now();
    while connection.read().is_ok() {}
    assert!(clock::now().since(begun) < 3 * SILENCE);
    drop(way);
    running.shut_down("the test is over");
}
