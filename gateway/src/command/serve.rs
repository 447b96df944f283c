//! `depthcast serve`: runs the gateway until a signal or the end of its feed.

use super::Outcome;
use crate::{
    assembly,
    config::{Config, OnEnd},
    telemetry::logging,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io::{self, Write},
    panic, process,
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

/// Why the gateway ends.
enum End {
    Signal,
    /// The feed is over, and that was to be the end.
    Over,
    Feed(feed::FeedError),
}

pub(super) fn run(config: Config) -> Outcome {
    if let Err(outcome) = begin(&config) {
        return outcome;
    }
    raise_file_limit();
    take_memory_as_needed();
    let on_end = config.on_end;
    let mut running = match assembly::start(config) {
        Ok(running) => running,
        Err(error) => return failed(&error),
    };
    match wait(&mut running, on_end) {
        Ok(End::Signal) => {
            running.shut_down("shutdown");
            tracing::info!("all clients were told; done");
            Outcome::Done
        }
        Ok(End::Over) => {
            running.shut_down("feed_ended");
            tracing::info!("the feed has ended, and all clients were told; done");
            Outcome::Done
        }
        Ok(End::Feed(error)) => {
            tracing::error!(%error, "the feed failed");
            running.shut_down("the feed failed");
            Outcome::FeedFailed
        }
        Err(error) => failed(&error),
    }
}

/// What every command does first that runs threads.
pub(super) fn begin(config: &Config) -> Result<(), Outcome> {
    logging::begin(&config.log).map_err(|error| {
        eprintln!("depthcast: --log: {error}");
        Outcome::WrongUsage
    })?;
    end_on_panic();
    Ok(())
}

/// Without this the kernel may give the allocator 2 MiB where a client needs 4 KiB, and a thousand silent clients can cost
/// twice what is kept of them. Where the memory is large, as for the ring, no gain from such pages could be measured.
fn take_memory_as_needed() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "memory comes in huge pages");
    }
}

pub(super) fn failed(error: &dyn std::error::Error) -> Outcome {
    tracing::error!("{error}");
    Outcome::Failed
}

/// Waits for a reason to end. A second signal ends the process at once.
fn wait(running: &mut assembly::Running, on_end: OnEnd) -> io::Result<End> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let played_out = running.played_out();
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupt.recv() => Ok(End::Signal),
            _ = terminate.recv() => Ok(End::Signal),
            error = running.feed_failed() => Ok(End::Feed(error)),
            () = played_out, if on_end == OnEnd::Exit => Ok(End::Over),
        }
    })
}

/// A thread that panics leaves the gateway without one of its parts: better none than half of one.
fn end_on_panic() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        told(panic);
        let text = "depthcast: this is a defect of the gateway; it ends here, please report the lines above";
        // It ends, whether or not anyone can read why.
        let _ = writeln!(io::stderr(), "{text}");
        process::exit(1);
    }));
}

/// Each connection is an open file, and the usual limit is meant for other programs.
fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, ?current, "the limit of open files stays as it is");
    }
}
