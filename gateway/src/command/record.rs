//! `depthcast record`: a feed becomes a recording, and nobody is served.

use super::{
    Outcome,
    serve::{begin, failed},
};
use crate::{assembly, config::Config, recorder::Recorded};
use std::{
    io::{self, IsTerminal, Write, stdout},
    time::Duration,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

/// How often it is told how far the recording is.
const TELL: Duration = Duration::from_secs(1);
/// How often it is looked whether the feed is at its end.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn run(config: Config) -> Outcome {
    if config.record.is_none() {
        eprintln!("depthcast: record needs --out DIR, the folder to record into");
        return Outcome::WrongUsage;
    }
    if let Err(outcome) = begin(&config) {
        return outcome;
    }
    let mut running = match assembly::record(config) {
        Ok(running) => running,
        Err(error) => return failed(&error),
    };
    let outcome = match follow(&mut running) {
        Ok(outcome) => outcome,
        Err(error) => failed(&error),
    };
    let progress = running.progress();
    running.shut_down("shutdown");
    match progress() {
        Some(recorded) if tell(&recorded).is_ok() => outcome,
        _ => Outcome::Failed,
    }
}

/// Tells each second how far it is, until there is a reason to end. A second signal ends the process at once.
fn follow(running: &mut assembly::Running) -> io::Result<Outcome> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut due = interval(TELL);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(Outcome::Done),
                _ = terminate.recv() => return Ok(Outcome::Done),
                error = running.feed_failed() => {
                    tracing::error!(%error, "the feed failed");
                    return Ok(Outcome::FeedFailed);
                }
                _ = look.tick() => if running.is_all_recorded() {
                    return Ok(Outcome::Done);
                },
                _ = due.tick() => if let Some(recorded) = running.recorded() {
                    tell(&recorded)?;
                },
            }
        }
    })
}

fn tell(recorded: &Recorded) -> io::Result<()> {
    let mut out = stdout().lock();
    if out.is_terminal() {
        let Recorded { records, durable_seq, bytes, gaps, missed, .. } = recorded;
        write!(out, "{records} records, durable up to {durable_seq}, {bytes} bytes")?;
        if *gaps > 0 {
            write!(out, ", {missed} events are missing in {gaps} gaps")?;
        }
        writeln!(out)?;
    } else {
        serde_json::to_writer(&mut out, recorded)?;
        writeln!(out)?;
    }
    out.flush()
}
