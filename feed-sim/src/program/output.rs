//! Where the program writes to.

mod json;

use anyhow::Context;
use feed::{
    FeedSink,
    shared::{FeedName, SharedSink, SinkOptions},
};
use journal::Writer;
use market::{Epoch, Event, Instruments, Nanos, SymbolId};
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
pub(super) enum Destination {
    /// JSON lines on standard output.
    Lines,
    /// A recording in this folder.
    Recording(PathBuf),
    /// A feed of this name in shared memory.
    Shared(FeedName),
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Destination, String> {
        match text.split_once(':') {
            None if text == "-" => Ok(Destination::Lines),
            Some(("journal", dir)) if !dir.is_empty() => Ok(Destination::Recording(dir.into())),
            Some(("shm", name)) => name.parse().map(Destination::Shared).map_err(|error| format!("{error}")),
            _ => {
                Err("events go to - (standard output), journal:DIR (a recording) or shm:NAME (shared memory)"
                    .into())
            }
        }
    }
}

/// An open [`Destination`].
pub(super) enum Output {
    Lines { out: BufWriter<StdoutLock<'static>>, instruments: Instruments, text: Vec<u8> },
    Recording { writer: Box<Writer>, dir: PathBuf, synced: Nanos },
    Shared { sink: Box<SharedSink> },
}

impl Output {
    /// Begins to write events of these instruments.
    pub fn open(to: &Destination, instruments: &Instruments, options: SinkOptions) -> anyhow::Result<Output> {
        Ok(match to {
            Destination::Lines => {
                let out = BufWriter::new(io::stdout().lock());
                Output::Lines { out, instruments: instruments.clone(), text: Vec::new() }
            }
            Destination::Recording(dir) => {
                let writer = Box::new(Writer::open(dir, Epoch(rand::random()), instruments)?);
                Output::Recording { writer, dir: dir.clone(), synced: Nanos::ZERO }
            }
            Destination::Shared(name) => {
                Output::Shared { sink: Box::new(SharedSink::create(name, instruments, options)?) }
            }
        })
    }

    /// Writes whole exchange events; lines and shared memory at once, a recording durably after a second at the latest.
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
            Output::Shared { sink } => Ok(sink.push(events)?),
        }
    }

    /// Tells readers that nothing before `watermark` will follow, and gives to `asked` whose books they want.
    pub fn reach(&mut self, watermark: Nanos, asked: impl FnMut(SymbolId)) {
        if let Output::Shared { sink } = self {
            sink.beat(watermark);
            sink.take_asked(asked);
        }
    }

    /// Makes all of a recording durable, and ends a feed.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Output::Lines { .. } => {}
            Output::Recording { mut writer, dir, .. } => {
                let last = writer.sync()?;
                eprintln!("{}: {} bytes, the last record is {last}", dir.display(), writer.bytes());
            }
            Output::Shared { sink } => sink.end(),
        }
        Ok(())
    }
}

/// Whether the reader of standard output went away: not a failure of ours.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
