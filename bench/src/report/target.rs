//! What depthcast is meant to reach, as data, and whether it does.
//!
//! Nearly all targets are ratios to what the floor or a peer reached in the same contest: absolute figures move with the machine.

use super::{
    group::Group,
    metric::{self, Metric},
    unit,
};

/// The server that the targets are about.
pub const SUBJECT: &str = "depthcast";
/// The server that does nothing but write.
pub const FLOOR: &str = "floor";

/// A target.
#[derive(Debug)]
pub struct Target {
    /// What is meant, for people.
    pub what: &'static str,
    /// It is reached if one of these holds.
    pub any_of: &'static [Bound],
}

/// A bound on a figure of depthcast.
#[derive(Debug)]
pub struct Bound {
    scenario: &'static str,
    case: &'static str,
    metric: &'static Metric,
    limit: Limit,
    against: Against,
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What the figure is divided by.
#[derive(Debug, Clone, Copy)]
enum Against {
    /// Nothing.
    One,
    /// What another server reached in the same case.
    Server(&'static str),
    /// Another figure of depthcast, or the same of another case.
    Figure(&'static str, &'static str, &'static Metric),
}

/// What became of a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// With what was reached.
    Reached(String),
    /// With what was reached instead.
    Missed(String),
    /// The contest did not measure it.
    NotMeasured,
}

use Against::{Figure, One, Server};
use Limit::{AtLeast, AtMost};

/// All that a contest can show. What the parts are to reach without sockets stands in `bench micro`.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    target("CPU a delivery, bursts of 1", &[bound("bursts", "1", &metric::CPU, AtMost(1.15), Server(FLOOR))]),
    target("CPU a delivery, bursts of 16", &[bound("bursts", "16", &metric::CPU, AtMost(1.3), Server(FLOOR))]),
    target("CPU a delivery, bursts of 64", &[bound("bursts", "64", &metric::CPU, AtMost(1.3), Server(FLOOR))]),
    target("S2, saturated fan-out", &[bound("S2", "peak", &metric::DELIVERIES, AtLeast(0.75), Server(FLOOR))]),
    target("S2, saturated fan-out", &[bound("S2", "peak", &metric::DELIVERIES, AtLeast(1.5), Server("uWebSockets"))]),
    target("S2, saturated fan-out", &[bound("S2", "peak", &metric::DELIVERIES, AtLeast(2.5), Server("nats"))]),
    target("S2, saturated fan-out", &[bound("S2", "peak", &metric::DELIVERIES, AtLeast(20.0), Server("nchan"))]),
    target("S2, saturated fan-out", &[bound("S2", "peak", &metric::DELIVERIES, AtLeast(40.0), Server("axum"))]),
    target("S1, latency", &[bound("S1", "", &metric::P50, AtMost(1.1), Server(FLOOR))]),
    target("S1, latency", &[bound("S1", "", &metric::P99, AtMost(1.5), Server(FLOOR))]),
    target("S2 at 0.2 M/s, latency", &[bound("S2", "0.2 M/s", &metric::P99, AtMost(1.5), Server(FLOOR))]),
    target("S2 at 1.6 M/s, latency", &[bound("S2", "1.6 M/s", &metric::P99, AtMost(1.5), Server(FLOOR))]),
    target("S2 at 3.2 M/s, latency", &[bound("S2", "3.2 M/s", &metric::P99, AtMost(1.5), Server(FLOOR))]),
    target("S2 at 6.4 M/s, latency", &[bound("S2", "6.4 M/s", &metric::P99, AtMost(1.5), Server(FLOOR))]),
    target("surge to three times the peak, what is delivered", &[
        bound("surge", "", &metric::SURGE_DELIVERIES, AtLeast(0.9), Figure("S2", "peak", &metric::DELIVERIES)),
        bound("surge", "", &metric::SLOWEST, AtLeast(20.0), One),
    ]),
    target("surge, missing without notice", &[bound("surge", "", &metric::HOLES, AtMost(0.0), One)]),
    target("surge, until p99 is normal again", &[bound("surge", "", &metric::RECOVERY, AtMost(1_000.0), One)]),
    target("S4, others beside 1 stalled client", &[bound("S4", "1 stalled", &metric::P99, AtMost(1.2), Figure("S4", "alone", &metric::P99))]),
    target("S4, others beside 1,000 stalled clients", &[bound("S4", "1,000 stalled", &metric::P99, AtMost(1.2), Figure("S4", "alone", &metric::P99))]),
    target("S4, a stalled client", &[bound("S4", "1,000 stalled", &metric::STALLED_BYTES, AtMost(65_536.0), One)]),
    target("S3, an idle subscriber", &[bound("S3", "", &metric::IDLE_BYTES, AtMost(1_024.0), One)]),
    target("S5, 1,000 topics", &[bound("S5", "peak", &metric::DELIVERIES, AtLeast(0.6), Server(FLOOR))]),
    target("S5, each 10 ms", &[bound("S5", "10 ms", &metric::EVENTS, AtLeast(2.0), Figure("S5", "peak", &metric::EVENTS))]),
];

const fn target(what: &'static str, any_of: &'static [Bound]) -> Target {
    Target { what, any_of }
}

const fn bound(
    scenario: &'static str,
    case: &'static str,
    metric: &'static Metric,
    limit: Limit,
    against: Against,
) -> Bound {
    Bound { scenario, case, metric, limit, against }
}

impl Target {
    /// The bounds as people write them.
    pub fn describe(&self) -> String {
        self.any_of.iter().map(Bound::describe).collect::<Vec<_>>().join(", or ")
    }

    /// Whether it is reached.
    pub fn judge(&self, groups: &[Group]) -> Verdict {
        let measured: Vec<_> =
            self.any_of.iter().filter_map(|bound| Some((bound, bound.value(groups)?))).collect();
        if measured.is_empty() {
            return Verdict::NotMeasured;
        }
        let values = measured.iter().map(|(bound, value)| bound.show(*value)).collect::<Vec<_>>().join(", ");
        let is_reached = measured.iter().any(|(bound, value)| bound.limit.holds(*value));
        if is_reached { Verdict::Reached(values) } else { Verdict::Missed(values) }
    }
}

impl Bound {
    fn describe(&self) -> String {
        let (sign, limit) = match self.limit {
            AtMost(limit) => ("<=", limit),
            AtLeast(limit) => (">=", limit),
        };
        let of = match self.against {
            One => String::new(),
            Server(name) => format!(" of {name}"),
            Figure(scenario, case, metric) => format!(" of {} in {scenario} {case}", metric.name),
        };
        format!("{} {sign} {}{of}", self.metric.name, self.show(limit))
    }

    fn show(&self, value: f64) -> String {
        match self.against {
            One => self.metric.unit.show(value),
            Server(_) | Figure(..) => unit::ratio(value),
        }
    }

    /// The figure, divided by what it is compared with; of both, the median of their runs.
    fn value(&self, groups: &[Group]) -> Option<f64> {
        let median = |scenario: &str, case: &str, server: &str, metric: &Metric| {
            let group = groups.iter().find(|group| (group.scenario, group.case) == (scenario, case))?;
            Some(group.spread(server, metric)?.median)
        };
        let value = median(self.scenario, self.case, SUBJECT, self.metric)?;
        match self.against {
            One => Some(value),
            Server(name) => Some(value / median(self.scenario, self.case, name, self.metric)?),
            Figure(scenario, case, metric) => Some(value / median(scenario, case, SUBJECT, metric)?),
        }
    }
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            AtMost(limit) => value <= limit,
            AtLeast(limit) => value >= limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{group, sample},
        *,
    };
    use crate::result::Run;

    fn judge(target: &Target, runs: Vec<Run>) -> Verdict {
        let mut contest = sample::contest();
        contest.results = runs;
        target.judge(&group::all(&contest))
    }

    const LATENCY: Target = target("", &[bound("S1", "", &metric::P50, AtMost(1.1), Server(FLOOR))]);

    #[test]
    fn a_ratio_is_that_of_the_medians() {
        let run = |server, nanos| sample::run("S1", "", server, nanos);
        let floor = [run(FLOOR, 10_000), run(FLOOR, 90_000), run(FLOOR, 20_000)];
        let with = |nanos| judge(&LATENCY, [&floor[..], &[run(SUBJECT, nanos)]].concat());
        assert_eq!(with(22_000), Verdict::Reached("1.10x".into()));
        assert_eq!(with(24_000), Verdict::Missed("1.20x".into()));
        assert_eq!(judge(&LATENCY, floor.to_vec()), Verdict::NotMeasured);
        assert_eq!(judge(&LATENCY, vec![run(SUBJECT, 1)]), Verdict::NotMeasured);
    }

    #[test]
    fn one_of_several_bounds_is_enough() {
        let surge = TARGETS.iter().find(|target| target.any_of.len() == 2).unwrap();
        let with = |slowest| {
            let run = sample::run("surge", "", SUBJECT, 2_000);
            let run = Run {
                surge_updates_per_second: Some(500_000.0),
                slowest_updates_per_second: Some(slowest),
                ..run
            };
            judge(surge, vec![sample::run("S2", "peak", SUBJECT, 1_000), run])
        };
        assert_eq!(with(20.0), Verdict::Reached("0.50x, 20/s".into()));
        assert_eq!(with(19.0), Verdict::Missed("0.50x, 19/s".into()));
        assert_eq!(
            surge.describe(),
            "deliveries in the surge >= 0.90x of deliveries in S2 peak, or fewest updates of a client >= 20/s"
        );
    }
}
