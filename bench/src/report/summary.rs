//! The tables of a report as plain cells, whoever writes them: one for each group of runs, the targets, and what was thrown away.

use super::{
    group::{Group, Spread},
    metric::{self, Metric},
    target::{FLOOR, SUBJECT, TARGETS, Verdict},
    unit,
};
use crate::result::Contest;

/// Rows of cells under a head.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What stands in each column.
    pub head: Vec<String>,
    /// As many cells each as the head has.
    pub rows: Vec<Vec<String>>,
}

/// What a scenario is about, for people, and its figures: the one that matters most first.
pub fn scenario(name: &str) -> (&'static str, &'static [&'static Metric]) {
    use metric::{
        CPU, DELIVERIES, EVENTS, IDLE_BYTES, P50, P99, P999, RECOVERY, SLOWEST, STALLED_BYTES,
        SURGE_DELIVERIES, SURGE_EVENTS,
    };
    match name {
        "S1" => ("50 connections on one topic, 1,000 messages a second", &[&P50, &P99, &P999, &CPU]),
        "S2" => ("500 connections on one topic", &[&DELIVERIES, &P50, &P99, &P999, &CPU]),
        "bursts" => ("500 connections, well below the peak", &[&CPU, &P50, &P99, &P999]),
        "S3" => ("5,000 idle subscribers", &[&IDLE_BYTES]),
        "S4" => ("50 readers beside clients that never read", &[&P99, &P50, &P999, &STALLED_BYTES]),
        "S5" => ("500 connections, each on 20 of 1,000 topics", &[&DELIVERIES, &EVENTS, &P50, &P99, &CPU]),
        "surge" => (
            "five seconds at four times the rate",
            &[&SURGE_DELIVERIES, &SURGE_EVENTS, &SLOWEST, &RECOVERY, &P50, &P99],
        ),
        "transports" => (
            "depthcast over each of its transports, and peers over the same ones",
            &[&DELIVERIES, &CPU, &P50, &P99, &P999],
        ),
        _ => ("", &[&DELIVERIES, &P50, &P99, &P999, &CPU]),
    }
}

/// The figures that at least one server of a group has.
pub fn metrics(group: &Group) -> Vec<&'static Metric> {
    let is_there = |metric: &&&Metric| group.servers.iter().any(|server| server.spread(metric).is_some());
    scenario(group.scenario).1.iter().filter(is_there).copied().collect()
}

/// A row for each server: each figure as its median with its best and its worst run, and as a multiple of the floor's, or
/// without a floor of depthcast's.
pub fn of_group(group: &Group) -> Table {
    let metrics = metrics(group);
    let has_floor = group.servers.iter().any(|server| server.name == FLOOR);
    let base = if has_floor { FLOOR } else { SUBJECT };
    let mut head = vec!["server".to_owned(), "runs".into()];
    for metric in &metrics {
        head.extend([metric.name.to_owned(), format!("of {base}")]);
    }
    let has_peers = group.servers.iter().any(|server| peer_over_transport_of(server.name).is_some());
    head.extend(metrics.first().map(|metric| match has_peers {
        true => format!("{} of its peer", metric.name),
        false => format!("{SUBJECT}'s {} by its", metric.name),
    }));
    let rows = group.servers.iter().map(|server| {
        let mut row = vec![server.name.to_owned(), server.runs.len().to_string()];
        for metric in &metrics {
            let spread = server.spread(metric);
            row.push(spread.map_or_else(String::new, |spread| show(metric, spread)));
            row.push(by(spread, group.spread(base, metric)));
        }
        row.extend(metrics.first().map(|metric| {
            let of = |name: Option<&str>| name.and_then(|name| group.spread(name, metric));
            match has_peers {
                true => by(server.spread(metric), of(peer_over_transport_of(server.name))),
                false => by(of(Some(SUBJECT)), server.spread(metric)),
            }
        }));
        row
    });
    Table { rows: rows.collect(), head }
}

/// The peer that speaks the same transport as depthcast does under this name, if it is not WebSocket.
fn peer_over_transport_of(server: &str) -> Option<&'static str> {
    match server {
        "depthcast-sse" => Some("nchan-sse"),
        "depthcast-socketio" => Some("socket.io"),
        _ => None,
    }
}

/// `120 us (110 us to 130 us)`; of a single run, only that.
fn show(metric: &Metric, spread: Spread) -> String {
    let [median, best, worst] =
        [spread.median, spread.best, spread.worst].map(|value| metric.unit.show(value));
    if best == worst { median } else { format!("{median} ({best} to {worst})") }
}

fn by(value: Option<Spread>, other: Option<Spread>) -> String {
    match (value, other) {
        (Some(value), Some(other)) if other.median > 0.0 => unit::ratio(value.median / other.median),
        _ => String::new(),
    }
}

/// A row for each target.
pub fn of_targets(groups: &[Group]) -> Table {
    let head = ["what", "target", "measured", "reached"].map(String::from).to_vec();
    let rows = TARGETS.iter().map(|target| {
        let (measured, reached) = match target.judge(groups) {
            Verdict::Reached(value) => (value, "yes"),
            Verdict::Missed(value) => (value, "no"),
            Verdict::NotMeasured => (String::new(), "not measured"),
        };
        vec![target.what.to_owned(), target.describe(), measured, reached.into()]
    });
    Table { rows: rows.collect(), head }
}

/// Runs that count for nothing, and remarks on those that do.
pub fn remarks(contest: &Contest) -> Vec<String> {
    let mut remarks = Vec::new();
    for run in &contest.results {
        let title = format!("{} {}", run.scenario, run.case);
        let name = format!("{}, {}, round {}", title.trim_end(), run.server, run.round);
        if run.disturbed {
            remarks.push(format!("{name}: thrown away, as others took {:.2} of a core", run.others_cores));
        }
        let wrong =
            [("holes", run.holes), ("malformed messages", run.malformed), ("closed connections", run.closed)];
        for (what, count) in wrong.into_iter().filter(|(_, count)| *count > 0) {
            remarks.push(format!("{name}: {count} {what}"));
        }
        remarks.extend(run.notes.iter().map(|note| format!("{name}: {note}")));
    }
    remarks
}

/// On what, when and how it was measured.
pub fn origin(contest: &Contest) -> [(&'static str, String); 3] {
    let machine = &contest.machine;
    [
        ("machine", format!("{}, {} cores, {}", machine.cpu, machine.cores, machine.kernel)),
        ("begun", contest.started.clone()),
        ("command", contest.command.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::{
        super::{group, sample},
        *,
    };
    use crate::result::Run;

    #[test]
    fn a_row_has_medians_spreads_and_ratios() {
        let mut contest = sample::contest();
        contest.results = vec![
            sample::run("S1", "", FLOOR, 100_000),
            sample::run("S1", "", SUBJECT, 110_000),
            sample::run("S1", "", SUBJECT, 120_000),
            sample::run("S1", "", SUBJECT, 130_000),
        ];
        let table = of_group(&group::all(&contest)[0]);
        assert_eq!(table.head[..4], ["server", "runs", "p50", "of floor"]);
        assert_eq!(table.head.last().unwrap(), "depthcast's p50 by its");
        assert_eq!(table.rows[0][..4], [FLOOR, "1", "100 us", "1.00x"]);
        assert_eq!(table.rows[1][..4], [SUBJECT, "3", "120 us (110 us to 130 us)", "1.20x"]);
        assert_eq!(table.rows[0].last().unwrap(), "1.20x");
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
    }

    #[test]
    fn a_transport_is_held_against_websocket_and_its_peer() {
        let mut contest = sample::contest();
        contest.results = [(SUBJECT, 1_000), ("depthcast-sse", 2_000), ("nchan-sse", 40_000)]
            .map(|(server, nanos)| sample::run("transports", "peak", server, nanos))
            .to_vec();
        let table = of_group(&group::all(&contest)[0]);
        assert_eq!(table.head[3], "of depthcast");
        assert_eq!(table.head.last().unwrap(), "deliveries of its peer");
        assert_eq!((&*table.rows[1][3], &**table.rows[1].last().unwrap()), ("0.50x", "20.0x"));
        assert_eq!((&*table.rows[2][3], &**table.rows[2].last().unwrap()), ("0.025x", ""));
    }

    #[test]
    fn what_was_thrown_away_is_told() {
        let mut contest = sample::contest();
        let run = sample::run("S2", "peak", "nats", 1_000);
        contest.results = vec![
            Run { disturbed: true, others_cores: 0.456, ..run.clone() },
            Run { holes: 3, notes: vec!["a remark".into()], ..run },
        ];
        assert_eq!(
            remarks(&contest),
            [
                "S2 peak, nats, round 1: thrown away, as others took 0.46 of a core",
                "S2 peak, nats, round 1: 3 holes",
                "S2 peak, nats, round 1: a remark",
            ]
        );
    }
}
