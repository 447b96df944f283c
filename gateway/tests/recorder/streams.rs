//! The canonical stream is one: what clients were served live, what replays of its recording serve, with however many workers, and
//! what is worked out from the recording are equal to the byte.

use crate::admin::post;
use crate::support::{
    ask,
    program::{Gateway, depthcast},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::mpsc::{Sender, channel},
    time::Duration,
};

/// What is subscribed, as one member of `params` or more.
const TOPICS: [&str; 6] = [
    r#""channel":"book","depth":10,"interval_ms":0"#,
    r#""channel":"book","depth":0,"interval_ms":100"#,
    r#""channel":"book","depth":1,"interval_ms":10"#,
    r#""channel":"trade""#,
    r#""channel":"bbo","interval_ms":0"#,
    r#""channel":"bbo","interval_ms":1000"#,
];
const SYMBOL: &str = "ETH/USDT";

/// The updates that one subscriber is sent, in step from its first one on.
struct Stream {
    lines: Vec<String>,
    ranges: Vec<(u64, u64)>,
}

impl Stream {
    /// Reads until `enough`, given the numbers of an update, or the end of the feed.
    fn read(address: SocketAddr, topic: &str, joined: &Sender<()>, enough: impl Fn(u64) -> bool) -> Stream {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        writeln!(
            socket,
            r#"{{"method":"subscribe","params":{{{topic},"symbol":["{SYMBOL}"],"policy":"lossless"}}}}"#
        )
        .unwrap();
        let mut stream = Stream { lines: Vec::new(), ranges: Vec::new() };
        for line in BufReader::new(socket).lines() {
            let line = line.expect("the gateway says something within a minute");
            let message: Value = serde_json::from_str(&line).unwrap();
            let range = match message["channel"].as_str() {
                Some("trade") => &message,
                Some("book" | "bbo") => &message["data"][0],
                Some("status") if message["data"][0]["event"] == "feed_ended" => break,
                None if message["method"] == "subscribe" => {
                    joined.send(()).unwrap();
                    continue;
                }
                _ => continue,
            };
            let (Some(first), Some(seq)) = (range["first_seq"].as_u64(), range["seq"].as_u64()) else {
                continue;
            };
            stream.lines.push(line);
            stream.ranges.push((first, seq));
            if enough(seq) {
                break;
            }
        }
        stream
    }

    /// Hash, messages and bytes of the updates wholly within a range; worked out as protocol.md says it, by other means than the
    /// gateway's.
    fn hash(&self, from: u64, to: u64) -> Value {
        let within =
            self.lines.iter().zip(&self.ranges).filter(|(_, range)| range.0 >= from && range.1 <= to);
        let texts: Vec<String> = within
            .map(|(line, (first, _))| {
                let epoch =
                    &line[line.find("\"epoch\":").unwrap()..][.."\"epoch\":\"0123456789abcdef\",".len()];
                line.replacen(epoch, "", 1).replacen(&format!("\"first_seq\":{first},"), "", 1)
            })
            .collect();
        let text = texts.join("\n");
        let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"hash": hash, "messages": texts.len(), "bytes": text.len()})
    }
}

fn start(arguments: &[&str]) -> Gateway {
    Gateway::start(depthcast(&[&["--listen", "127.0.0.1:0"], arguments].concat()))
}

fn query(topic: &str, from: u64, to: u64) -> String {
    let params: Value = serde_json::from_str(&format!("{{{topic}}}")).unwrap();
    let members = params.as_object().unwrap().iter();
    let members: String =
        members.map(|(name, value)| format!("&{name}={}", value.to_string().trim_matches('"'))).collect();
    format!("/v1/stream-hash?symbol={SYMBOL}{members}&from_seq={from}&to_seq={to}")
}

fn command(dir: &Path, topic: &str, from: u64, to: u64) -> String {
    let params: Value = serde_json::from_str(&format!("{{{topic}}}")).unwrap();
    let mut command = depthcast(&["hash", dir.to_str().unwrap(), "--symbol", SYMBOL]);
    for (name, value) in params.as_object().unwrap() {
        command
            .args([format!("--{}", name.replace('_', "-")), value.to_string().trim_matches('"').to_owned()]);
    }
    let output =
        command.args(["--from-seq", &from.to_string(), "--to-seq", &to.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn live_and_replayed_and_worked_out_they_are_equal() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let mut live = start(&["--rate", "4000", "--workers", "2", "--symbols", "4", "--record", folder]);
    let address = live.tcp.unwrap();
    let (joined, _joins) = channel();
    let readers = TOPICS.map(|topic| {
        let joined = joined.clone();
        std::thread::spawn(move || Stream::read(address, topic, &joined, |seq| seq > 4_000))
    });
    let served: Vec<Stream> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    // Where the first one begins depends on when its subscriber joined.
    let ranges: Vec<(u64, u64)> =
        served.iter().map(|stream| (stream.ranges[1].0, stream.ranges.last().unwrap().1)).collect();
    let wanted: Vec<Value> =
        served.iter().zip(&ranges).map(|(stream, range)| stream.hash(range.0, range.1)).collect();
    for ((topic, &(from, to)), wanted) in TOPICS.iter().zip(&ranges).zip(&wanted) {
        assert!(wanted["messages"].as_u64() > Some(1), "{topic}: {wanted}");
        assert_eq!(
            ask(live.address, &query(topic, from, to)).json(),
            *wanted,
            "{topic} {from}..={to}, while it is recorded"
        );
        let other = ask(live.address, &query(topic, from + 1, to)).json();
        assert_ne!(other["hash"], wanted["hash"], "{topic}: another range is another stream");
    }
    live.signal("TERM");
    assert!(live.process.wait().unwrap().success());

    for ((topic, &(from, to)), wanted) in TOPICS.iter().zip(&ranges).zip(&wanted) {
        let said = command(dir.path(), topic, from, to);
        assert!(
            said.starts_with(wanted["hash"].as_str().unwrap()),
            "{topic}: {said}, and served were {wanted}"
        );
    }
    let feed = format!("journal:{folder}");
    for (workers, speed) in [("1", "10"), ("2", "max")] {
        let replay = start(&["--feed", &feed, "--speed", speed, "--workers", workers, "--hold"]);
        let address = replay.tcp.unwrap();
        // It stands still until all have joined.
        post(replay.address, "/v1/admin/pause", "{}");
        let (joined, joins) = channel();
        let readers = TOPICS.map(|topic| {
            let joined = joined.clone();
            std::thread::spawn(move || Stream::read(address, topic, &joined, |_| false))
        });
        TOPICS.iter().for_each(|_| joins.recv().unwrap());
        post(replay.address, "/v1/admin/continue", "{}");
        for (((topic, &(from, to)), wanted), reader) in TOPICS.iter().zip(&ranges).zip(&wanted).zip(readers) {
            let what = format!("{topic} {from}..={to}, replayed at {speed} with {workers} workers");
            let replayed = reader.join().unwrap();
            assert!(replayed.ranges[0].0 <= from, "{what}: it joined too late");
            assert_eq!(replayed.hash(from, to), *wanted, "{what}");
            assert_eq!(ask(replay.address, &query(topic, from, to)).json(), *wanted, "{what}");
        }
    }
}
