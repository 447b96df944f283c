//! Latency of each stage of each worker, over two windows: as JSON, and as an HdrHistogram interval log.

use super::Published;
use crate::control::Control;
use hdrhistogram::{
    Histogram,
    serialization::{
        V2DeflateSerializer,
        interval_log::{IntervalLogWriterBuilder, Tag},
    },
};
use market::Nanos;
use serde::Serialize;
use session::latency::{Latency, Stage};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A row of `/v1/latency`; times are in nanoseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    stage: &'static str,
    worker: usize,
    window: &'static str,
    count: u64,
    min: u64,
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

/// What was counted of a stage between two moments.
struct Window {
    name: &'static str,
    from: Nanos,
    to: Nanos,
    histogram: Histogram<u64>,
}

/// All rows, by worker, stage and window.
pub(crate) fn stages(control: &Control) -> Vec<Row> {
    let mut rows = Vec::new();
    each_window(control, |worker, stage, window| {
        let at = |quantile| window.histogram.value_at_quantile(quantile);
        rows.push(Row {
            stage: stage.as_str(),
            worker,
            window: window.name,
            count: window.histogram.len(),
            min: window.histogram.min(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: window.histogram.max(),
        });
    });
    rows
}

/// The short windows as an interval log, each tagged `STAGE-WORKER`, with the maximum in microseconds.
pub(crate) fn hlog(control: &Control) -> Vec<u8> {
    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let start = SystemTime::UNIX_EPOCH + Duration::from_nanos(control.started.0);
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment("depthcast").with_start_time(start).with_max_value_divisor(1_000.0);
    let mut writer = builder.begin_log_with(&mut log, &mut serializer).expect("memory takes everything");
    each_window(control, |worker, stage, window| {
        if window.name == TOTAL {
            return;
        }
        let tag = format!("{}-{worker}", stage.as_str());
        let (from, length) = (Duration::from_nanos(window.from.0), window.to.since(window.from));
        writer
            .write_histogram(&window.histogram, from, length, Tag::new(&tag))
            .expect("memory takes everything");
    });
    log
}

const TOTAL: &str = "total";

fn each_window(control: &Control, mut each: impl FnMut(usize, Stage, &Window)) {
    for (worker, desk) in control.desks.iter().enumerate() {
        let Some(reports) = desk.with_published(|published| published.reports()) else { continue };
        for stage in Stage::ALL {
            each(worker, stage, &reports.total(stage, control.started));
            each(worker, stage, &reports.short(stage));
        }
    }
}

/// The oldest and the newest report that are kept. They are shared, so that the worker's next one does not wait for whoever
/// reads these.
struct Reports {
    from: Nanos,
    oldest: Arc<Latency>,
    to: Nanos,
    newest: Arc<Latency>,
}

impl Published {
    fn reports(&self) -> Option<Reports> {
        let (from, oldest) = self.latencies.front()?.clone();
        let (to, newest) = self.latencies.back()?.clone();
        Some(Reports { from, oldest, to, newest })
    }
}

impl Reports {
    fn total(&self, stage: Stage, started: Nanos) -> Window {
        Window { name: TOTAL, from: started, to: self.to, histogram: self.newest.stage(stage).clone() }
    }

    fn short(&self, stage: Stage) -> Window {
        let mut histogram = self.newest.stage(stage).clone();
        histogram.subtract(self.oldest.stage(stage)).expect("what was counted before is part of what is now");
        Window { name: "10s", from: self.from, to: self.to, histogram }
    }
}
