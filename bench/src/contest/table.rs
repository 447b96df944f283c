//! The figures as plain text: a line for each run as it is made, and the medians of all rounds.

use super::counting;
use crate::result::Run;
use std::fmt::Write;

/// Above the lines of [`run`].
pub const RUN_HEADING: &str = "case                     server              deliveries/s     events/s    p50 us    p99 us   cpu us/d  server  own  others";

/// One run.
pub fn run(run: &Run) -> String {
    let mut line = format!(
        "{:<24} {:<18} {:>13.0} {:>12.0} {:>9.1} {:>9.1} {:>10} {:>7} {:>4.2} {:>7.2}",
        run.title(),
        run.server,
        run.deliveries_per_second,
        run.events_per_second,
        micros(run.latency.p50 as f64),
        micros(run.latency.p99 as f64),
        run.cpu_ns_per_delivery.map_or("-".into(), |nanos| format!("{:.3}", micros(nanos))),
        run.server_cores.map_or("-".into(), |cores| format!("{cores:.2}")),
        run.own_cores,
        run.others_cores,
    );
    for (name, figure) in FURTHER {
        if let Some(value) = figure(run).filter(|_| run.shows(name)) {
            let _ = write!(line, "  {name} {value:.0}");
        }
    }
    let losses = [("holes", run.holes), ("merged", run.conflated), ("closed", run.closed)];
    for (name, count) in losses.into_iter().filter(|&(_, count)| count > 0) {
        let _ = write!(line, "  {count} {name}");
    }
    if run.disturbed {
        line.push_str("  DISTURBED");
    }
    line
}

/// A figure of a run.
type Figure = fn(&Run) -> Option<f64>;

/// Figures that only some cases have.
const FURTHER: [(&str, Figure); 6] = [
    ("bytes/connection", |run| run.private_bytes_per_connection),
    ("bytes/stalled", |run| run.private_bytes_per_stalled),
    ("surge messages/s", |run| run.surge_updates_per_second),
    ("surge events/s", |run| run.surge_events_per_second),
    ("recovered ms", |run| run.recovered_after_ms),
    ("slowest client/s", |run| run.slowest_updates_per_second),
];

/// Figures that all cases have, and whether more is better.
const COLUMNS: [(&str, Figure, bool); 5] = [
    ("deliveries/s", |run| Some(run.deliveries_per_second), true),
    ("events/s", |run| Some(run.events_per_second), true),
    ("p50 us", |run| Some(micros(run.latency.p50 as f64)), false),
    ("p99 us", |run| Some(micros(run.latency.p99 as f64)), false),
    ("cpu us a delivery", |run| run.cpu_ns_per_delivery.map(micros), false),
];

impl Run {
    /// What is shown of the slowest client only where somebody surges.
    fn shows(&self, figure: &str) -> bool {
        figure != "slowest client/s" || self.scenario == "surge"
    }
}

fn micros(nanos: f64) -> f64 {
    nanos / 1e3
}

/// The medians of all undisturbed runs, case by case and server by server.
pub fn of(runs: &[Run]) -> String {
    let mut text = String::new();
    let mut seen: Vec<(String, &str)> = Vec::new();
    for run in runs {
        let key = (run.title(), run.server.as_str());
        if !seen.contains(&key) {
            seen.push(key);
        }
    }
    for (title, server) in seen {
        let counted = counting(runs, &title, server).count();
        let remark = if counted == 0 { ", all of them disturbed" } else { "" };
        let made = runs.iter().filter(|run| run.title() == title && run.server == server).count();
        let _ = writeln!(text, "{title}, {server}: {counted} of {made} runs count{remark}");
        let further = FURTHER.iter().filter(|(name, _)| runs_show(runs, &title, name));
        let figures = COLUMNS.iter().copied().chain(further.map(|&(name, figure)| (name, figure, false)));
        for (name, figure, more_is_better) in figures {
            let of_server =
                |server| Spread::of(counting(runs, &title, server).filter_map(figure), more_is_better);
            let Some(spread) = of_server(server) else { continue };
            let _ = write!(
                text,
                "    {name:<18} {:>14} ({} to {})",
                number(spread.median),
                number(spread.worst),
                number(spread.best)
            );
            if let Some(floor) = of_server("floor").filter(|floor| server != "floor" && floor.median > 0.0) {
                let _ = write!(text, "  x {:.2}", spread.median / floor.median);
            }
            text.push('\n');
        }
    }
    text
}

fn runs_show(runs: &[Run], title: &str, figure: &str) -> bool {
    runs.iter().filter(|run| run.title() == title).any(|run| run.shows(figure))
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// What several runs came to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    /// The middle one; of two in the middle, the worse.
    median: f64,
    best: f64,
    worst: f64,
}

impl Spread {
    /// Of these values; `None` if there are none.
    fn of(values: impl Iterator<Item = f64>, more_is_better: bool) -> Option<Spread> {
        let mut from_best: Vec<f64> = values.collect();
        from_best.sort_by(f64::total_cmp);
        if more_is_better {
            from_best.reverse();
        }
        let (&best, &worst) = from_best.first().zip(from_best.last())?;
        Some(Spread { median: from_best[from_best.len() / 2], best, worst })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_of_two_the_worse() {
        let check = |values: &[f64], more_is_better, [median, best, worst]: [f64; 3]| {
            let spread = Spread::of(values.iter().copied(), more_is_better);
            assert_eq!(spread, Some(Spread { median, best, worst }), "{values:?}");
        };
        check(&[3.0, 1.0, 2.0], true, [2.0, 3.0, 1.0]);
        check(&[3.0, 1.0, 2.0], false, [2.0, 1.0, 3.0]);
        check(&[1.0, 4.0], true, [1.0, 4.0, 1.0]);
        check(&[1.0, 4.0], false, [4.0, 1.0, 4.0]);
        check(&[7.0], false, [7.0, 7.0, 7.0]);
        assert_eq!(Spread::of(std::iter::empty(), true), None);
    }
}
