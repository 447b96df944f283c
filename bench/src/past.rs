//! What asking for the past takes: books at moments all over a recording, over REST, beside the book of now; and replays for
//! one client each at full speed.

use crate::{processor, servers};
use anyhow::{Context, ensure};
use feed::{FeedSink, FeedSource};
use feed_sim::{Pace, Scenario, SimConfig, Simulator};
use hdrhistogram::Histogram;
use journal::{Recording, Writer};
use market::{Epoch, Nanos, clock};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

const SYMBOL: &str = "BTC/USDT";
/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options of `bench past`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Events in the recording, of one symbol: two millions are an hour of a lively market
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    events: u64,

    /// Questions of each kind
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    questions: u32,

    /// Replays of the whole recording at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=200))]
    replays: u32,
}

/// Measures and prints what came of it.
///
/// # Errors
/// If there is no gateway beside this program, or it does not answer.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let dir = tempfile::tempdir().context("make a temporary folder")?;
    record(dir.path(), options.events)?;
    let contents = Recording::open(dir.path())?.contents()?;
    let (first, last) = contents[0].times.context("it holds events")?;
    let feed = format!("journal:{}", dir.path().display());
    let arguments = ["--feed", &feed, "--speed", "max", "--http-requests-per-second", "0"].map(str::to_owned);
    let (process, ports) = servers::start(&arguments)?;
    let http = ports.http;
    wait_for_end(http)?;
    let before = processor::Sample::now(&process.ids().collect::<Vec<_>>())?;
    println!("{} events over {:.0} s of feed time", options.events, last.since(first).as_secs_f64());
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let now = format!("/v1/book?symbol={SYMBOL}&depth=10");
    print_row("the book of now", &ask(http, options.questions, || now.clone())?);
    let past = || format!("{now}&at={}", Nanos(random.random_range(first.0..=last.0)).0);
    print_row("the book at a moment", &ask(http, options.questions, past)?);
    let started = clock::now();
    let replays: Vec<_> = (0..options.replays).map(|_| thread::spawn(move || replay(ports.tcp))).collect();
    let mut messages = 0;
    for replay in replays {
        messages += replay.join().expect("it does not panic")?;
    }
    let seconds = clock::now().since(started).as_secs_f64();
    println!(
        "{} replays at full speed, depth 10: {messages} messages in {seconds:.1} s, {:.2} M events/s read, {:.2} M messages/s",
        options.replays,
        options.events as f64 * f64::from(options.replays) / seconds / 1e6,
        messages as f64 / seconds / 1e6,
    );
    println!("{}", processor::describe_others(before.others_since()?));
    Ok(())
}

fn record(dir: &Path, events: u64) -> anyhow::Result<()> {
    let config = SimConfig {
        scenario: Scenario::builtin("market")?,
        symbols: Some(1),
        rate: None,
        seed: 1,
        start: Some(Nanos(1_800_000_000_000_000_000)),
    };
    let mut simulator = Simulator::new(config)?.with_pace(Pace::Max);
    let mut writer = Writer::open(dir, Epoch(1), simulator.instruments())?;
    let (mut poll, mut taken) = (Vec::new(), 0);
    while taken < events {
        poll.clear();
        simulator.poll(clock::now(), &mut poll)?;
        writer.push(&poll)?;
        taken += poll.len() as u64;
    }
    writer.sync()?;
    Ok(())
}

/// Waits until the recording was played to its end: nothing else is to be done meanwhile.
fn wait_for_end(http: SocketAddr) -> anyhow::Result<()> {
    let started = clock::now();
    let mut line = Http::connect(http)?;
    while !line.get("/metrics")?.contains("depthcast_feed_ended 1\n") {
        ensure!(clock::now().since(started) < PATIENCE, "the recording is not played within two minutes");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn ask(http: SocketAddr, questions: u32, mut path: impl FnMut() -> String) -> anyhow::Result<Histogram<u64>> {
    let mut line = Http::connect(http)?;
    let mut times = Histogram::new(3)?;
    for _ in 0..questions {
        let path = path();
        let asked = clock::now();
        let book = line.get(&path)?;
        times.record(clock::now().since(asked).as_nanos() as u64)?;
        ensure!(book.contains("\"checksum\":"), "{path} is answered {book}");
    }
    Ok(times)
}

fn print_row(what: &str, times: &Histogram<u64>) {
    let at = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", at(0.5), at(0.99), times.max() as f64 / 1e6);
}

/// Plays all of it to one client; how many messages of the book it got.
fn replay(tcp: SocketAddr) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(tcp)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let params = format!(r#"{{"channel":"book","symbol":"{SYMBOL}","depth":10,"speed":"max"}}"#);
    writeln!(stream, r#"{{"method":"replay","params":{params},"req_id":1}}"#)?;
    let mut lines = BufReader::with_capacity(1 << 18, stream);
    let (mut line, mut messages) = (Vec::new(), 0);
    loop {
        line.clear();
        ensure!(lines.read_until(b'\n', &mut line)? > 0, "the gateway closed the connection");
        if line.starts_with(b"{\"replay\":1,\"channel\":\"book\"") {
            messages += 1;
        } else if memchr::memmem::find(&line, b"replay_ended").is_some() {
            return Ok(messages);
        } else {
            ensure!(memchr::memmem::find(&line, b"\"success\":false").is_none(), "{}", line.escape_ascii());
        }
    }
}

/// A connection that is kept.
struct Http(BufReader<TcpStream>);

impl Http {
    fn connect(address: SocketAddr) -> anyhow::Result<Http> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Http(BufReader::new(stream)))
    }

    /// The body of an answer, which says how long it is.
    fn get(&mut self, path: &str) -> anyhow::Result<String> {
        write!(self.0.get_mut(), "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut length = None;
        loop {
            let mut line = String::new();
            ensure!(self.0.read_line(&mut line)? > 0, "the gateway closed the connection");
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.context("an answer does not say how long it is")?];
        self.0.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }
}
