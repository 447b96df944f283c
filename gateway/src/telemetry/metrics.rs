//! What Prometheus reads: made from the workers' reports when it asks, so that no metric is kept twice.

use super::Published;
use crate::control::Control;
use hdrhistogram::Histogram;
use ingest::{Fault, Tally};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};
use session::latency::Stage;
use std::{fmt, sync::Arc};

/// Upper bounds of the latency histograms, in seconds: three a decade, from a microsecond to ten seconds.
const BOUNDS: [f64; 22] = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5,
    1.0, 2.0, 5.0, 10.0,
];

/// The text of `/metrics`, in the OpenMetrics format.
pub(crate) fn metrics(control: &Arc<Control>) -> String {
    let mut registry = Registry::with_prefix("depthcast");
    registry.register_collector(Box::new(Gathered(Arc::clone(control))));
    let mut out = String::new();
    text::encode(&mut out, &registry).expect("a string takes everything");
    out
}

struct Gathered(Arc<Control>);

impl fmt::Debug for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gathered")
    }
}

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_feed(&mut encoder)?;
        self.encode_recording(&mut encoder)?;
        self.encode_workers(&mut encoder)?;
        self.encode_latency(&mut encoder)
    }
}

impl Gathered {
    fn encode_feed(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let stats = &self.0.stats;
        let tallies = Tally::ALL.map(|tally| ([("kind", tally.as_str())], stats.of(tally)));
        counters(encoder, "feed_events", "What ingest did with what the feed said", &tallies)?;
        let faults = Fault::ALL.map(|fault| ([("kind", fault.as_str())], stats.faults(fault)));
        counters(encoder, "feed_faults", "What the feed did wrong", &faults)?;
        let gauge = |encoder: &mut DescriptorEncoder<'_>, name, help, value: u64| {
            gauges(encoder, name, help, &[(Vec::<(&str, String)>::new(), value)])
        };
        gauge(encoder, "books_standing", "Books that are whole and not stale", stats.books_standing())?;
        gauge(encoder, "ring_head", "Events written to the ring", stats.head())?;
        gauge(
            encoder,
            "feed_stalled",
            "1 while the feed gives no sign of life",
            stats.is_feed_stalled().into(),
        )?;
        let replays = self.0.replays.as_ref().map_or(0, |replays| replays.running());
        gauge(encoder, "replays", "Replays for one client each that run", replays as u64)?;
        gauge(encoder, "feed_ended", "1 once the feed came to its end", stats.is_feed_ended().into())
    }

    fn encode_recording(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(recording) = &self.0.recording else { return Ok(()) };
        let lag = self.0.stats.head().saturating_sub(recording.position());
        let recorded = recording.recorded();
        let of = |value: u64| [(Vec::<(&str, String)>::new(), value)];
        for (name, help, value) in [
            (
                "recording_active",
                "1 while what happens is recorded, 0 while the disk or the recorder is behind",
                recorded.recording.into(),
            ),
            ("recording_lag", "Events in the ring that the recorder has not read", lag),
            ("recording_records", "The number of the last record taken", recorded.records),
            (
                "recording_durable_seq",
                "The number of the last record that survives a power cut",
                recorded.durable_seq,
            ),
            ("recording_run_bytes", "Bytes of the present run of the recording", recorded.bytes),
        ] {
            gauges(encoder, name, help, &of(value))?;
        }
        counters(
            encoder,
            "recording_gaps",
            "Places where something is missing in the recording",
            &of(recorded.gaps),
        )?;
        counters(
            encoder,
            "recording_missed_events",
            "Events that are missing in the recording",
            &of(recorded.missed),
        )
    }

    fn encode_workers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let head = self.0.stats.head();
        let desks = &self.0.desks;
        let lags: Vec<_> = desks
            .iter()
            .enumerate()
            .map(|(i, desk)| (worker(i), head.saturating_sub(desk.position())))
            .collect();
        gauges(encoder, "ring_lag", "Events in the ring that a worker has not read", &lags)?;
        let sockets: Vec<_> =
            desks.iter().enumerate().map(|(i, desk)| (worker(i), desk.connections() as u64)).collect();
        gauges(encoder, "connections", "TCP connections of whatever protocol", &sockets)?;
        for (name, help, value) in GAUGES {
            gauges(encoder, name, help, &self.of_each_worker(value))?;
        }
        for (name, help, value) in COUNTERS {
            counters(encoder, name, help, &self.of_each_worker(value))?;
        }
        Ok(())
    }

    fn of_each_worker(&self, value: Figure) -> Vec<([(&'static str, String); 1], u64)> {
        let desks = self.0.desks.iter().enumerate();
        desks.map(|(i, desk)| (worker(i), desk.with_published(|published| value(published)))).collect()
    }

    fn encode_latency(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time that events take through each stage, to the socket";
        let mut metric =
            encoder.encode_descriptor("stage_latency", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (i, desk) in self.0.desks.iter().enumerate() {
            let latest = desk.with_published(|published| published.latencies.back().cloned());
            let Some((_, latency)) = latest else { continue };
            for stage in Stage::ALL {
                let histogram = latency.stage(stage);
                let sum = histogram.mean() * histogram.len() as f64 / 1e9;
                let labels = [("stage", stage.as_str().to_owned()), ("worker", i.to_string())];
                metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                    sum,
                    histogram.len(),
                    &buckets(histogram),
                    None,
                )?;
            }
        }
        Ok(())
    }
}

/// How many values lie between each bound and the one before it; the last bound is infinity.
fn buckets(histogram: &Histogram<u64>) -> Vec<(f64, u64)> {
    let mut buckets: Vec<_> = BOUNDS.into_iter().chain([f64::INFINITY]).map(|bound| (bound, 0)).collect();
    for recorded in histogram.iter_recorded() {
        let seconds = recorded.value_iterated_to() as f64 / 1e9;
        let at = BOUNDS.partition_point(|&bound| bound < seconds);
        buckets[at].1 += recorded.count_since_last_iteration();
    }
    buckets
}

type Figure = fn(&Published) -> u64;

const GAUGES: [(&str, &str, Figure); 3] = [
    ("subscribers", "WebSocket connections", |it| it.subscribers as u64),
    ("subscriptions", "Subscriptions of all connections", |it| it.subscriptions as u64),
    ("replicas_standing", "Books that a worker can tell", |it| it.books_standing as u64),
];

const COUNTERS: [(&str, &str, Figure); 11] = [
    ("writes", "Writes handed to sockets", |it| it.counters.writes),
    ("written_bytes", "Bytes that sockets took", |it| it.counters.bytes),
    ("conflated", "Messages merged for slow clients", |it| it.counters.conflated),
    ("snapshots", "Snapshots sent", |it| it.counters.snapshots),
    ("gaps", "Gap messages sent", |it| it.counters.gaps),
    ("requests", "Requests of clients", |it| it.counters.requests),
    ("requests_refused", "Requests that were refused", |it| it.counters.refused),
    ("slow_closed", "Connections closed because a lossless client was too slow", |it| {
        it.counters.slow_closed
    }),
    ("replay_waited_milliseconds", "How long a replay at full speed waited for lossless clients", |it| {
        it.counters.waited.as_millis() as u64
    }),
    ("lapped", "Times that a worker was lapped by the ring", |it| it.counters.lapped),
    ("verify_mismatches", "Checksums of clients that were not the gateway's", |it| {
        it.counters.verify_mismatch
    }),
];

fn worker(index: usize) -> [(&'static str, String); 1] {
    [("worker", index.to_string())]
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(impl EncodeLabelSet, u64)],
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in values {
        metric.encode_family(labels)?.encode_counter::<NoLabelSet, _, u64>(value, None)?;
    }
    Ok(())
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(impl EncodeLabelSet, u64)],
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        metric.encode_family(labels)?.encode_gauge(value)?;
    }
    Ok(())
}
