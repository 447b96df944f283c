//! A recorder that is too slow names what is missing, and a replay of such a recording keeps its clients right.

use crate::lines::{Recorder, verify};
use crate::support::{
    client::Client,
    program::{Gateway, depthcast},
    run,
};
use serde_json::{Value, json};
use std::{collections::HashSet, path::Path};

/// A ring that is overwritten within a few milliseconds, which the recorder rests between two looks.
fn record_with_gaps(dir: &Path) {
    let arguments = ["--rate", "2000000", "--ring-slots", "1024", "--symbols", "3", "--record-sync-ms", "50"];
    let mut recorder = Recorder::start(dir, &arguments);
    recorder.until(|line| line["gaps"].as_u64() >= Some(3) && line["records"].as_u64() > Some(10_000));
    let last = recorder.end();
    assert!(last["missed"].as_u64() > Some(0), "{last}");
}

#[test]
fn what_the_recorder_missed_is_named_and_a_replay_says_so() {
    let dir = tempfile::tempdir().unwrap();
    record_with_gaps(dir.path());
    let (report, whole) = verify(dir.path());
    assert!(whole, "{report}");
    let gaps = report["gaps"].as_array().unwrap();
    assert!(gaps.len() >= 3 && gaps[0].as_str().unwrap().contains("(lagged)"), "{report}");

    let feed = format!("journal:{}", dir.path().display());
    // However long a busy machine let the recorder wait, a gap passes in a tenth of a second.
    let arguments = ["--listen", "127.0.0.1:0", "--tcp", "off", "--feed", &feed, "--hold", "--speed", "0.2"];
    let arguments = [&arguments[..], &["--max-gap-ms", "20"]].concat();
    let gateway = Gateway::start(depthcast(&arguments));
    let url = format!("http://{}", gateway.address);
    let check = std::thread::spawn(move || depthcast(&["check", &url, "--seconds", "4"]).output().unwrap());
    run(async {
        let mut client = Client::connect(gateway.address).await;
        let symbols = ["BTC/USDT", "ETH/USDT"];
        for channel in ["book", "trade"] {
            let params = json!({"channel": channel, "symbol": symbols});
            client.send(json!({"method": "subscribe", "params": params})).await;
        }
        let mut seen = HashSet::new();
        let wanted = ["status feed_gap", "snapshot feed_gap", "trade recording_gap"];
        let mut tracker = client::Tracker::new();
        while !wanted.iter().all(|wanted| seen.contains(*wanted)) {
            let text = client.text().await;
            tracker.on_text(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {text}"));
            let message: Value = serde_json::from_str(&text).unwrap();
            let data = &message["data"][0];
            match message["channel"].as_str() {
                Some("status") => seen.insert(format!("status {}", data["event"].as_str().unwrap())),
                Some("gap") => seen.insert(format!(
                    "{} {}",
                    data["channel"].as_str().unwrap(),
                    data["reason"].as_str().unwrap()
                )),
                Some("book") if message["type"] == "snapshot" => {
                    seen.insert(format!("snapshot {}", data["reason"].as_str().unwrap()))
                }
                _ => false,
            };
        }
    });
    let checked = check.join().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
