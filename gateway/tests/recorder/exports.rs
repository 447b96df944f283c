//! `depthcast export`: what the simulator said, as files for other tools, and back.

use crate::{
    lines::Recorder,
    support::{
        program::depthcast,
        script::{Started, python},
    },
};
use book::Levels;
use journal::Reader;
use market::{Event, Instrument, Kind, Level, Nanos, Side, push_fixed};
use std::{
    collections::HashMap,
    path::Path,
    process::{Command, Output},
};

/// A recording of some thousand events of the simulator.
pub fn simulated(dir: &Path) {
    let mut recorder = Recorder::start(dir, &["--feed", "sim:market", "--rate", "20000", "--symbols", "3"]);
    recorder.until(|line| line["records"].as_u64() > Some(5_000));
    recorder.end();
}

pub fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = depthcast(arguments).output().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// The number before a word.
fn count(said: &str, what: &str) -> u64 {
    let before = said.split_once(what).expect(said).0.trim_end();
    before.rsplit([' ', '\n']).next().unwrap().parse().expect(said)
}

#[test]
fn a_recording_goes_to_csv_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let [recording, out, back] = ["recording", "out", "back"].map(path);
    simulated(Path::new(&recording));
    let export = |more: &[&str]| run(&[&["export", &recording, "--to", "csv", "--out", &out], more].concat());

    let (code, said) = export(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(count(&said, "book updates") > 1_000 && said.contains("trades.csv.gz"), "{said}");
    assert_eq!(export(&[]).0, Some(1));
    assert!(export(&[]).1.contains("--overwrite replaces it"));
    assert_eq!(export(&["--overwrite"]), (Some(0), said.clone()));

    let files = ["incremental_book_L2.csv.gz", "trades.csv.gz"].map(|name| format!("{out}/{name}"));
    let (code, read) = run(&["import", "tardis-csv", &files[0], &files[1], "--out", &back]);
    assert_eq!(code, Some(0), "{read}");
    assert_eq!(count(&read, "trades"), count(&said, "trades"));
    assert!(!read.contains("left out"), "{read}");

    let wrong = |arguments: &[&str], wanted: &str| {
        let (code, said) = export(arguments);
        assert!(code == Some(2) && said.contains(wanted), "{code:?} {said}");
    };
    wrong(&["--from", "2", "--until", "1"], "--from has to be before --until");
    wrong(&["--exchange", "a,b"], "a name of an exchange");
    let (code, said) = run(&["export", &recording, "--to", "xlsx", "--out", &out]);
    assert!(code == Some(2) && said.contains("there are csv"), "{said}");
}

/// All that was recorded, and the feed time of each event.
fn events(recording: &Path) -> Vec<(Instrument, Event, Nanos)> {
    let mut reader = Reader::open(recording).unwrap();
    let mut events = Vec::new();
    while reader.next_block(&mut events).unwrap().is_some() {}
    let mut feed_time = Nanos::ZERO;
    let mut all = Vec::new();
    for event in events {
        feed_time = feed_time.max(event.timestamp);
        if event.kind.is_numbered() {
            all.push((reader.instruments()[event.symbol].clone(), event, feed_time));
        }
    }
    all
}

fn fixed(mantissa: i64, decimals: u8) -> String {
    let mut text = Vec::new();
    push_fixed(&mut text, mantissa, decimals);
    String::from_utf8(text).unwrap()
}

/// What Python's libraries read in a file, a line a row; `None`, with a message, without them.
fn read_by_python(format: &str, file: &str) -> Option<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/exported.py");
    let mut command = Command::new(python());
    command.arg(script).args([format, file]).env("PYTHONDONTWRITEBYTECODE", "1");
    let Ok(started) = Started::new(&mut command) else {
        eprintln!("SKIPPED: there is no {}", python());
        return None;
    };
    let output = started.output();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named") {
        eprintln!("SKIPPED: {said}");
        return None;
    }
    assert!(output.status.success(), "{said}");
    let mut lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.pop().as_deref(), Some("done"));
    Some(lines)
}

#[test]
fn parquet_holds_every_event_and_every_digit() {
    let dir = tempfile::tempdir().unwrap();
    let [recording, out] =
        ["recording", "out"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    simulated(Path::new(&recording));
    let (code, said) = run(&["export", &recording, "--to", "parquet", "--out", &out]);
    assert_eq!(code, Some(0), "{said}");
    let events = events(Path::new(&recording));
    let most = |decimals: fn(&Instrument) -> u8| events.iter().map(|(of, ..)| decimals(of)).max().unwrap();
    let (price_scale, qty_scale) = (most(|of| of.price_decimals), most(|of| of.qty_decimals));
    let row = |(of, event, feed_time): &(Instrument, Event, Nanos)| {
        let price = fixed(event.price.0 * 10_i64.pow((price_scale - of.price_decimals).into()), price_scale);
        let qty = event.qty.0 as i64 * 10_i64.pow((qty_scale - of.qty_decimals).into());
        let qty = fixed(qty, qty_scale);
        let Event { seq, timestamp, number, last, .. } = event;
        let begin = format!("{} {seq} {} {}", of.symbol, timestamp.0, feed_time.0);
        let is_bid = event.side == Side::Bid;
        match event.kind {
            Kind::Reset => format!("{begin} reset {} - - - {number} {last}", event.reset_reason().as_str()),
            Kind::Level => {
                format!(
                    "{begin} level - {} {price} {qty} {number} {last}",
                    if is_bid { "bid" } else { "ask" }
                )
            }
            _ => format!("{begin} {} {price} {qty} {number} {last}", if is_bid { "buy" } else { "sell" }),
        }
    };
    for (file, of_trades) in [("book", false), ("trades", true)] {
        let Some(rows) = read_by_python("parquet", &format!("{out}/{file}.parquet")) else { return };
        let wanted = events.iter().filter(|(_, event, _)| (event.kind == Kind::Trade) == of_trades);
        let wanted: Vec<String> = wanted.map(row).collect();
        assert!(wanted.len() > 500, "{}", wanted.len());
        assert_eq!(rows.len(), wanted.len());
        let different = rows.iter().zip(&wanted).find(|(row, wanted)| row != wanted);
        assert_eq!(different, None);
    }
}

#[test]
fn dbn_holds_the_ten_best_levels_and_the_trades() {
    let dir = tempfile::tempdir().unwrap();
    let [recording, out] =
        ["recording", "out"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    simulated(Path::new(&recording));
    let (code, said) = run(&["export", &recording, "--to", "dbn", "--out", &out]);
    assert_eq!(code, Some(0), "{said}");
    let events = events(Path::new(&recording));
    let billionths = |mantissa: i64, decimals: u8| mantissa * 10_i64.pow((9 - decimals).into());
    let begin = |of: &Instrument, event: &Event| (of.venue_symbol.clone(), event.seq, event.timestamp.0);

    let Some(rows) = read_by_python("dbn", &format!("{out}/trades.dbn.zst")) else { return };
    let trades = events.iter().filter(|(_, event, _)| event.kind == Kind::Trade);
    let row = |(of, event, feed_time): &(Instrument, Event, Nanos)| {
        let (symbol, seq, timestamp) = begin(of, event);
        let side = if event.side == Side::Bid { "B" } else { "A" };
        let (price, size) = (billionths(event.price.0, of.price_decimals), event.qty.0 / of.lot.0);
        format!("{symbol} {seq} {timestamp} {} {side} {price} {size}", feed_time.0)
    };
    assert_eq!(rows, trades.map(row).collect::<Vec<_>>());

    let rows = read_by_python("dbn", &format!("{out}/mbp-10.dbn.zst")).unwrap();
    let mut books: HashMap<String, (Levels, String)> = HashMap::new();
    let mut wanted = Vec::new();
    for (of, event, feed_time) in &events {
        let (levels, told) = books.entry(of.symbol.clone()).or_default();
        match event.kind {
            Kind::Reset => levels.clear(),
            Kind::Level => drop(levels.set(event.side, event.price, event.qty)),
            _ => {}
        }
        let side = |side| {
            let level = |level: Level| {
                format!("{}x{}", billionths(level.price.0, of.price_decimals), level.qty.0 / of.lot.0)
            };
            levels.iter(side).take(10).map(level).collect::<Vec<_>>().join(" ")
        };
        let now = format!("{}|{}", side(Side::Bid), side(Side::Ask));
        if event.last && now != *told {
            let (symbol, seq, timestamp) = begin(of, event);
            wanted.push(format!("{symbol}|{seq}|{timestamp}|{}|{now}", feed_time.0));
            *told = now;
        }
    }
    assert!(wanted.len() > 500, "{}", wanted.len());
    assert_eq!(rows.iter().zip(&wanted).find(|(row, wanted)| row != wanted), None);
    assert_eq!(rows.len(), wanted.len());

    let rows = read_by_python("dbn", &format!("{out}/definition.dbn.zst")).unwrap();
    let of = &events[0].0;
    let (tick, lot) = (of.tick.0, of.lot.0 as i64);
    let wanted = [billionths(tick, of.price_decimals), billionths(lot, of.qty_decimals)];
    assert!(rows.contains(&format!("{} {} {}", of.venue_symbol, wanted[0], wanted[1])), "{rows:?}");
}
