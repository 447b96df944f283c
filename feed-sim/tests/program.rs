//! The program `feed-sim`, as it is run from a shell.

use journal::Reader;
use market::{Event, Kind};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

fn program(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feed-sim"));
    command.args(line.split_whitespace());
    command
}

fn output(line: &str) -> Output {
    program(line).output().unwrap()
}

fn lines(line: &str) -> Vec<Value> {
    let output = output(line);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// Wrong usage is explained on standard error; nothing goes to standard output.
#[track_caller]
fn check_refused(line: &str, code: i32, complaint: &str) {
    let output = output(line);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(complaint) && output.stdout.is_empty(), "{text}");
}

#[test]
fn lines_say_what_happens_in_the_instruments_decimals() {
    let lines = lines("--max --symbols 1 --events 500 --start 2026-01-05T09:00:00Z");
    assert!(lines.len() >= 500 && lines[lines.len() - 1]["last"] == true);
    let reset = &lines[0];
    assert_eq!((&reset["kind"], &reset["reason"]), (&"reset".into(), &"feed".into()));
    assert_eq!(reset["timestamp"], "2026-01-05T09:00:00.000000000Z");
    for (line, seq) in lines.iter().zip(1..) {
        assert_eq!((&line["symbol"], &line["seq"]), (&"BTC/USDT".into(), &seq.into()));
    }
    let trades: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "trade").collect();
    assert!(trades.len() > 20);
    for (trade, id) in trades.iter().zip(1..) {
        assert_eq!(trade["trade_id"], id);
        assert!(trade["side"] == "buy" || trade["side"] == "sell");
        let price = trade["price"].as_f64().unwrap();
        assert!((60_000.0..63_000.0).contains(&price), "{price}");
    }
    assert!(lines.iter().any(|line| line["kind"] == "level" && line["side"] == "ask"));
}

#[test]
fn the_same_command_prints_the_same_bytes() {
    let command = "--max --seconds 2 --start 1767603600000000000 --scenario crash --seed 9";
    assert_eq!(output(command).stdout, output(command).stdout);
    assert_ne!(output(command).stdout, output(&command.replace("seed 9", "seed 8")).stdout);
}

#[test]
fn seconds_are_of_exchange_time() {
    let lines = lines("--max --scenario even --rate 100 --seconds 3 --start 1767603600000000000");
    let changes = lines.iter().filter(|line| line["kind"] == "level" && line["last"] == true);
    assert_eq!(changes.count(), 20 + 300);
    assert_eq!(lines[lines.len() - 1]["timestamp"], "2026-01-05T09:00:02.990000000Z");
}

#[test]
fn in_real_time_it_ends_when_the_time_is_over() {
    let lines = lines("--scenario even --rate 1000 --seconds 1 --symbols 1");
    assert_eq!(lines.len(), 1 + 50 + 1_000);
}

#[test]
fn it_ends_quietly_when_nobody_reads_on() {
    let mut child = program("--max").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    check_refused("--scenario nonsense", 2, "built in are market, even");
    check_refused("--symbols 20001", 2, "1 to 20000");
    check_refused("--to fax:1", 2, "journal:DIR");
    check_refused("--to shm:a/b", 2, "1 to 64 of A-Z a-z 0-9 . _ -");
    check_refused("--to shm:test-sim-slots --ring-slots 1000", 1, "a power of two");
    check_refused("--to shm:test-sim-max --max", 1, "nobody could follow");
    check_refused("--start yesterday", 2, "RFC 3339");
    check_refused("--events 5 --seconds 5", 2, "cannot be used with");
    check_refused("--to journal:/dev/null/x --events 1", 1, "/dev/null/x");
}

fn recorded(dir: &Path) -> Vec<Event> {
    let mut reader = Reader::open(dir).unwrap();
    let mut events = Vec::new();
    while reader.next_block(&mut events).unwrap().is_some() {}
    events
}

#[test]
fn a_recording_holds_what_the_lines_say() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = "--max --seconds 3 --start 1767603600000000000 --seed 4";
    let lines = lines(arguments);
    let recording = output(&format!("{arguments} --to journal:{}", dir.path().join("run").display()));
    assert!(recording.status.success() && recording.stdout.is_empty());

    let dir = dir.path().join("run");
    assert!(journal::verify(&dir).unwrap().is_whole());
    let events = recorded(&dir);
    assert_eq!(events.len(), lines.len());
    let mut seqs = BTreeMap::<u32, u64>::new();
    for (event, line) in events.iter().zip(&lines) {
        let seq = seqs.entry(event.symbol.0).or_default();
        *seq += 1;
        assert_eq!((event.seq, &line["seq"]), (*seq, &event.seq.into()));
        assert_eq!(line["timestamp"], event.timestamp.to_string());
        assert_eq!((&line["last"], event.kind == Kind::Trade), (&event.last.into(), line["kind"] == "trade"));
    }
}

#[test]
fn a_feed_with_holes_is_not_written_as_a_recording() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("lossy.toml");
    let text =
        "symbols = 1\nrate = 10\n[even]\nlevels = 10\nburst = 1\n[[fault]]\nkind = 'gap'\nevery_ms = 9\n";
    std::fs::write(&scenario, text).unwrap();
    let target = dir.path().join("recording");
    let line = format!("--scenario {} --to journal:{}", scenario.display(), target.display());
    check_refused(&line, 1, "depthcast record");
    assert!(!target.exists());
}

/// The program with a feed in shared memory, killed with the test; its file is removed.
struct Writer {
    process: Child,
    file: PathBuf,
}

impl Writer {
    fn start(name: &str) -> Writer {
        let name = format!("{name}-{}", std::process::id());
        let process =
            program(&format!("--to shm:{name} --symbols 2")).stderr(Stdio::piped()).spawn().unwrap();
        let file = Path::new("/dev/shm").join(format!("depthcast-{name}"));
        let mut writer = Writer { process, file };
        writer.wait_for(|file| file.exists());
        writer
    }

    fn wait_for(&mut self, wanted: impl Fn(&Path) -> bool) {
        while !wanted(&self.file) {
            assert_eq!(self.process.try_wait().unwrap(), None, "it goes on");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&mut self, signal: &str) -> ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.process.wait().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

#[test]
fn a_feed_in_shared_memory_has_one_writer_and_is_gone_with_its_end() {
    for signal in ["TERM", "INT"] {
        let mut writer = Writer::start("test-sim-one");
        let name = writer.file.file_name().unwrap().to_str().unwrap().trim_start_matches("depthcast-");
        let complaint = format!("is being written by process {}", writer.process.id());
        check_refused(&format!("--to shm:{name}"), 1, &complaint);
        assert_eq!(writer.signal(signal).code(), Some(0));
        assert!(!writer.file.exists());
    }
}

#[test]
fn a_writer_that_was_killed_leaves_its_name_to_the_next() {
    let mut first = Writer::start("test-sim-killed");
    let made = |file: &Path| std::fs::metadata(file).map(|it| it.ino()).ok();
    let old = made(&first.file);
    assert_eq!(first.signal("KILL").code(), None);
    assert!(first.file.exists());
    let mut second = Writer::start("test-sim-killed");
    second.wait_for(|file| made(file).is_some_and(|new| Some(new) != old));
}
