//! The captures: where they are, their import by the program itself, and what the venues say in them.

use journal::Reader;
use market::Instrument;
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// An imported recording; its folder goes with it.
pub struct Recording {
    pub files: Vec<PathBuf>,
    folder: TempDir,
}

impl Recording {
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn instruments(&self) -> Vec<Instrument> {
        let reader = Reader::open(self.path()).unwrap();
        reader.instruments().iter().map(|(_, instrument)| instrument.clone()).collect()
    }
}

/// Imports captures with `depthcast import`; `None`, with a message, if they are missing.
pub fn import(format: &str, names: &[&str]) -> Option<Recording> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let dir = std::env::var_os("DEPTHCAST_DATA").map_or_else(default, PathBuf::from);
    let files: Vec<PathBuf> = names.iter().map(|name| dir.join(name)).collect();
    if let Some(file) = files.iter().find(|file| !file.exists()) {
        eprintln!("SKIPPED: {} is missing; DEPTHCAST_DATA names the folder of recorded data", file.display());
        return None;
    }
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_depthcast"));
    let output =
        command.args(["import", format]).args(&files).arg("--out").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(Recording { files, folder })
}

fn lines(file: &Path) -> impl Iterator<Item = String> {
    let input = flate2::read::MultiGzDecoder::new(File::open(file).unwrap());
    BufReader::new(input).lines().map(Result::unwrap)
}

/// Best bid, its quantity, best ask, its quantity, by update id.
pub type Tickers = BTreeMap<u64, [String; 4]>;

/// What Binance's tickers say, and the last id of each diff.
pub fn tickers(files: &[PathBuf]) -> (Tickers, Vec<u64>) {
    let (mut tickers, mut ids) = (BTreeMap::new(), Vec::new());
    for line in files.iter().flat_map(|file| lines(file)) {
        let Some((_, json)) = line.split_once(' ') else { continue };
        if line.contains("@bookTicker") {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            let text = |key: &str| value["data"][key].as_str().unwrap().to_owned();
            tickers.insert(value["data"]["u"].as_u64().unwrap(), ["b", "B", "a", "A"].map(text));
        } else if line.contains("depthUpdate") {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            ids.push(value["data"]["u"].as_u64().unwrap());
        }
    }
    (tickers, ids)
}

/// The checksums that Kraken sent, by pair, in their order; found as text: `…"c":"2651642486"},"book-1000","SC/EUR"]`.
pub fn checksums(file: &Path) -> HashMap<String, Vec<u32>> {
    let mut checksums: HashMap<String, Vec<u32>> = HashMap::new();
    for line in lines(file) {
        let Some((_, rest)) = line.split_once("\"c\":\"") else { continue };
        let quoted: Vec<&str> = rest.split('"').collect();
        checksums.entry(quoted[4].to_owned()).or_default().push(quoted[0].parse().unwrap());
    }
    checksums
}

/// The checksums that OKX or Bitget sent, by market, in their order.
pub fn signed_checksums(file: &Path) -> HashMap<String, Vec<i32>> {
    let mut checksums: HashMap<String, Vec<i32>> = HashMap::new();
    for line in lines(file).filter(|line| line.contains("\"checksum\":")) {
        let (_, json) = line.split_once(": ").unwrap();
        let message: serde_json::Value = serde_json::from_str(json).unwrap();
        let checksum = i32::try_from(message["data"][0]["checksum"].as_i64().unwrap()).unwrap();
        checksums.entry(message["arg"]["instId"].as_str().unwrap().to_owned()).or_default().push(checksum);
    }
    checksums
}
