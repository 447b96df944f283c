//! `depthcast import`: captures of a venue, or a vendor's files, become a recording.

use super::{Outcome, progress::Progress};
use anyhow::Context;
use feed::{FeedSink, FeedSource, FeedState};
use ingest::{Numbering, OnCross, Sequencer, SequencerOptions};
use journal::{
    Writer,
    import::{Format, Import, Rename},
};
use market::{Epoch, clock};
use std::path::PathBuf;

/// Most events in one exchange event of the recording; a larger book is cut. A quarter of the smallest usual ring.
const LARGEST: usize = 1 << 16;

#[derive(Debug, clap::Args)]
#[command(after_help = Format::guide())]
pub(super) struct Arguments {
    /// What wrote the files; the formats are listed below
    format: Format,
    /// The files, plain or compressed; several are one stream, in the order in which their lines or records were received
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The folder of the recording; one that is there goes on in it
    #[arg(long)]
    out: PathBuf,
    /// Give a market another name than the venue does; may be repeated
    #[arg(long = "symbol", value_name = "VENUE=NAME")]
    renames: Vec<Rename>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match import(arguments) {
        Ok(()) => Outcome::Done,
        Err(error) => {
            eprintln!("depthcast: {error:#}");
            Outcome::Failed
        }
    }
}

fn import(arguments: &Arguments) -> anyhow::Result<()> {
    let mut import = Import::open(arguments.format, &arguments.files, &arguments.renames)?;
    let epoch = Epoch(rand::random());
    let options = SequencerOptions { on_cross: OnCross::Status, largest: LARGEST, id_base: 0 };
    let mut sequencer = Sequencer::new(Numbering::Own(epoch), import.instruments().len(), options);
    let mut writer = Writer::open(&arguments.out, epoch, import.instruments())?;
    let (mut taken, mut sequenced, mut records) = (Vec::new(), Vec::new(), 0);
    let mut progress = Progress::new("records");
    loop {
        taken.clear();
        sequenced.clear();
        let now = clock::now();
        let status = import.poll(now, &mut taken)?;
        sequencer.push(&taken, now, &mut sequenced);
        if status.state == FeedState::Ended {
            sequencer.end(now, &mut sequenced);
        }
        writer.push(&sequenced)?;
        records += sequenced.len() as u64;
        progress.reach(records);
        if status.state == FeedState::Ended {
            break;
        }
    }
    drop(progress);
    let durable = writer.sync().context("the end of the recording is not durable")?;
    for warning in sequencer.take_warnings() {
        eprintln!("depthcast: {warning}");
    }
    println!("{}", import.tally());
    println!("{} is durable up to record {durable}, {} bytes", arguments.out.display(), writer.bytes());
    Ok(())
}
