//! Where the program writes to.

mod json;

use anyhow::Context;
use feed::FeedSink;
use journal::Writer;
use market::{Epoch, Event, Instruments, Nanos};
use std::{
    io::{self, BufWriter, ErrorKind, StdoutLock, Write},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

/// How often a recording is made durable.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// Where events go, as it is said on the command line.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// JSON lines on standard output.
    Lines,
    /// A recording in this folder.
    Recording(PathBuf),
}

impl FromStr for Destination {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Destination, &'static str> {
        match text.split_once(':') {
            None if text == "-" => Ok(Destination::Lines),
            Some(("journal", dir)) if !dir.is_empty() => Ok(Destination::Recording(dir.into())),
            _ => Err("events go to - (standard output) or to journal:DIR (a recording)"),
        }
    }
}

/// An open [`Destination`].
pub(crate) enum Output {
    Lines { out: BufWriter<StdoutLock<'static>>, instruments: Instruments, text: Vec<u8> },
    Recording { writer: Box<Writer>, dir: PathBuf, synced: Nanos },
}

impl Output {
    /// Begins to write events of these instruments.
    pub fn open(to: &Destination, instruments: &Instruments) -> anyhow::Result<Output> {
        Ok(match to {
            Destination::Lines => {
                let out = BufWriter::new(io::stdout().lock());
                Output::Lines { out, instruments: instruments.clone(), text: Vec::new() }
            }
            Destination::Recording(dir) => {
                let writer = Box::new(Writer::open(dir, Epoch(rand::random()), instruments)?);
                Output::Recording { writer, dir: dir.clone(), synced: Nanos::ZERO }
            }
        })
    }

    /// Writes whole exchange events; lines at once, a recording durably after a second at the latest.
    pub fn write(&mut self, events: &[Event], now: Nanos) -> anyhow::Result<()> {
        match self {
            Output::Lines { out, instruments, text } => {
                text.clear();
                events.iter().for_each(|event| json::push_line(text, event, &instruments[event.symbol]));
                out.write_all(text).and_then(|()| out.flush()).context("cannot write to standard output")
            }
            Output::Recording { writer, synced, .. } => {
                writer.push(events)?;
                if now.since(*synced) >= SYNC_INTERVAL {
                    writer.sync()?;
                    *synced = now;
                }
                Ok(())
            }
        }
    }

    /// Makes all of it durable.
    pub fn finish(self) -> anyhow::Result<()> {
        if let Output::Recording { mut writer, dir, .. } = self {
            let last = writer.sync()?;
            eprintln!("{}: {} bytes, the last record is {last}", dir.display(), writer.bytes());
        }
        Ok(())
    }
}

/// Whether the reader of standard output went away: not a failure of ours.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
