//! `kill -9` in the middle of recording, again and again into the same folder: what `durable_seq` covered is there, and all of it
//! is whole up to a torn end.

use crate::lines::{Recorder, verify};
use crate::support::program::depthcast;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{ops::Range, thread, time::Duration};

/// Rounds into one folder: all of it is verified after each, and it grows.
const ROUNDS: u32 = 50;

#[test]
fn what_was_durable_survives_kill_9() {
    let rounds: u32 = std::env::var("DEPTHCAST_KILLS").map_or(5, |text| text.parse().unwrap());
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for first in (0..rounds).step_by(ROUNDS as usize) {
        kill_again_and_again(first..rounds.min(first + ROUNDS), &mut random);
    }
}

fn kill_again_and_again(rounds: Range<u32>, random: &mut Xoshiro256PlusPlus) {
    let dir = tempfile::tempdir().unwrap();
    let mut promised = 0;
    for round in rounds {
        let compress: &[&str] = if round % 2 == 0 { &[] } else { &["--record-compress"] };
        let arguments = ["--rate", "200000", "--record-sync-ms", "10", "--record-segment-bytes", "1048576"];
        let mut recorder = Recorder::start(dir.path(), &[&arguments, compress].concat());
        // The first line comes at once; the kill at any moment of the second behind it, or of the one that tells more.
        recorder.line().expect("it begins");
        let wait = Duration::from_millis(random.random_range(0..400));
        if round % 3 == 2 {
            recorder.until(|line| line["durable_seq"].as_u64() > Some(promised));
        }
        thread::park_timeout(wait);
        recorder.signal("KILL");
        let mut last = None;
        while let Some(line) = recorder.line() {
            last = Some(line);
        }
        recorder.process.wait().unwrap();
        promised = promised.max(last.map_or(0, |line| line["durable_seq"].as_u64().unwrap()));

        let (report, whole) = verify(dir.path());
        assert!(whole, "round {round}: {report}");
        let found = report["last_seq"].as_u64().unwrap();
        assert!(found >= promised, "round {round}: {promised} was durable, and {report}");
        promised = found;
    }
    let repaired = depthcast(&["repair", dir.path().to_str().unwrap()]).output().unwrap();
    assert!(repaired.status.success());
    let (report, whole) = verify(dir.path());
    assert!(whole && report["torn_bytes"] == 0 && report["last_seq"] == promised, "{report}");
    assert!(promised > 0);
}
