//! Runs that are comparable: one case of one scenario, all servers, all rounds.

use super::metric::Metric;
use crate::result::{Contest, Run};
use base64::{Engine, prelude::BASE64_STANDARD};
use hdrhistogram::{Histogram, serialization::Deserializer};

/// All runs of a case that count: those that were disturbed are left out.
#[derive(Debug)]
pub struct Group<'a> {
    /// The scenario, such as `S2`.
    pub scenario: &'a str,
    /// Which part of it; empty if there is only one.
    pub case: &'a str,
    /// The servers, in the order in which they were measured first.
    pub servers: Vec<Server<'a>>,
}

/// The runs of one server in a case.
#[derive(Debug)]
pub struct Server<'a> {
    /// What it is called.
    pub name: &'a str,
    /// At least one.
    pub runs: Vec<&'a Run>,
}

/// What several runs came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one; of two in the middle, the worse.
    pub median: f64,
    /// The best.
    pub best: f64,
    /// The worst.
    pub worst: f64,
}

/// All groups, in the order in which they were measured.
pub fn all(contest: &Contest) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for run in contest.results.iter().filter(|run| !run.disturbed) {
        let (scenario, case) = (&*run.scenario, &*run.case);
        let group = find_or_push(
            &mut groups,
            |group| (group.scenario, group.case) == (scenario, case),
            || Group { scenario, case, servers: Vec::new() },
        );
        let name = &*run.server;
        let server = find_or_push(
            &mut group.servers,
            |server| server.name == name,
            || Server { name, runs: Vec::new() },
        );
        server.runs.push(run);
    }
    groups
}

fn find_or_push<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let at = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[at]
}

impl Group<'_> {
    /// Scenario and case, as one name.
    pub fn title(&self) -> String {
        format!("{} {}", self.scenario, self.case).trim_end().to_owned()
    }

    /// What a server came to, if it took part and has the figure.
    pub fn spread(&self, server: &str, metric: &Metric) -> Option<Spread> {
        self.servers.iter().find(|it| it.name == server)?.spread(metric)
    }
}

impl Server<'_> {
    /// What the runs came to, if they have the figure.
    pub fn spread(&self, metric: &Metric) -> Option<Spread> {
        let mut values: Vec<f64> = self.runs.iter().filter_map(|run| (metric.of)(run)).collect();
        values.sort_by(f64::total_cmp);
        if !metric.less_is_better {
            values.reverse();
        }
        let (best, worst) = (*values.first()?, *values.last()?);
        Some(Spread { median: values[values.len() / 2], best, worst })
    }

    /// The latencies of all runs together; `None` if none was delivered or a histogram cannot be read.
    pub fn latencies(&self) -> Option<Histogram<u64>> {
        let mut sum = Histogram::<u64>::new(3).ok()?;
        for run in &self.runs {
            let bytes = BASE64_STANDARD.decode(&run.latency.histogram).ok()?;
            let one: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).ok()?;
            sum.add(one).ok()?;
        }
        (!sum.is_empty()).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::metric, super::sample, *};

    #[test]
    fn medians_leave_out_disturbed_runs() {
        let mut contest = sample::contest();
        contest.results = vec![
            sample::run("S1", "", "floor", 30_000),
            sample::run("S1", "", "floor", 10_000),
            sample::run("S1", "", "floor", 20_000),
            Run { disturbed: true, ..sample::run("S1", "", "floor", 1) },
            Run { disturbed: true, ..sample::run("S1", "", "axum", 1) },
        ];
        let groups = all(&contest);
        assert_eq!(groups.len(), 1);
        let expected = Spread { median: 20_000.0, best: 10_000.0, worst: 30_000.0 };
        assert_eq!(groups[0].spread("floor", &metric::P50), Some(expected));
        assert_eq!(groups[0].spread("axum", &metric::P50), None);
        assert_eq!(groups[0].servers[0].latencies().unwrap().len(), 300);
    }

    #[test]
    fn of_two_the_worse_is_the_median() {
        let check = |metric: &Metric, expected| {
            let runs = [sample::run("S1", "", "floor", 10_000), sample::run("S1", "", "floor", 30_000)];
            let server = Server { name: "floor", runs: runs.iter().collect() };
            assert_eq!(server.spread(metric).unwrap().median, expected, "{}", metric.name);
        };
        check(&metric::P50, 30_000.0);
        // The sample delivers the less the longer it takes.
        check(&metric::DELIVERIES, 1e9 / 30_000.0);
    }
}
