//! Importing a capture: how much JSON a core takes, beside the parsing of the same lines alone.

use super::measure::{Item, Samples, Setup, Target, time};
use anyhow::{Context, ensure};
use feed::{FeedSource, FeedState};
use flate2::read::MultiGzDecoder;
use journal::import::{Format, Import};
use market::Nanos;
use simd_json::{Buffers, Tape};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

pub const ITEMS: &[Item] = &[
    Item { name: "import/binance", target: Some(Target::MillionsPerSecond(300.0)), measure: import },
    Item { name: "import/json-alone", target: None, measure: parse },
];

/// An hour of a lively market's messages would be ten times as much.
const CAPTURE: &str = "binance/usdm_btcusdt_20240808.gz";

/// A capture as it is unpacked: what decompression takes is its own matter.
struct Capture {
    _dir: tempfile::TempDir,
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Capture {
    /// `None` where there are no recorded data.
    fn open() -> anyhow::Result<Option<Capture>> {
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let packed = std::env::var_os("DEPTHCAST_DATA").map_or_else(default, PathBuf::from).join(CAPTURE);
        if !packed.exists() {
            return Ok(None);
        }
        let dir = tempfile::tempdir().context("make a temporary folder")?;
        let file = dir.path().join("capture");
        let mut bytes = Vec::new();
        MultiGzDecoder::new(File::open(&packed)?).read_to_end(&mut bytes)?;
        std::fs::write(&file, &bytes)?;
        Ok(Some(Capture { _dir: dir, file, bytes }))
    }
}

/// Measures on the capture, byte by byte, so that millions a second are MB/s.
fn measure(
    setup: &Setup,
    measure: impl FnOnce(&Capture) -> anyhow::Result<Samples>,
) -> anyhow::Result<Samples> {
    match Capture::open()? {
        Some(capture) => measure(&capture),
        None => Ok(setup.skipped(format!("SKIPPED: {CAPTURE} is missing; DEPTHCAST_DATA names its folder"))),
    }
}

/// Both passes over the capture, from the page cache to events.
fn import(setup: &Setup) -> anyhow::Result<Samples> {
    measure(setup, |capture| {
        let mut events = Vec::new();
        let samples = setup.measure(capture.bytes.len(), || {
            events.clear();
            time(|| {
                let mut import = Import::open(Format::Binance, std::slice::from_ref(&capture.file), &[])
                    .expect("the capture is whole");
                while import.poll(Nanos::ZERO, &mut events).expect("it was read before").state
                    != FeedState::Ended
                {}
            })
        });
        ensure!(events.len() > 100_000, "{} events were imported", events.len());
        let megabytes = 1e3 / samples.median();
        Ok(samples.with_note(format!("{megabytes:.0} MB/s of capture, read twice; {} events", events.len())))
    })
}

/// The floor: the JSON of each line is made a tape of, once.
fn parse(setup: &Setup) -> anyhow::Result<Samples> {
    measure(setup, |capture| {
        let mut buffers = Buffers::default();
        let samples = setup.measure(capture.bytes.len(), || {
            let mut bytes = capture.bytes.clone();
            time(|| {
                let mut room = Tape(Vec::new());
                for line in bytes.split_mut(|&byte| byte == b'\n') {
                    let Some(begin) = line.iter().position(|&byte| byte == b' ') else { continue };
                    let mut tape = room.reset();
                    simd_json::fill_tape(&mut line[begin + 1..], &mut buffers, &mut tape)
                        .expect("a line of JSON");
                    room = tape.reset();
                }
            })
        });
        let megabytes = 1e3 / samples.median();
        Ok(samples.with_note(format!("{megabytes:.0} MB/s, read once")))
    })
}
