//! The report as one page: plots with a table under each. It needs no scripts and fetches nothing.

use super::{
    group::{self, Group, Server},
    html::{escape, table},
    metric::{self, Metric},
    plot::{self, Axis, Bar, Line},
    summary,
    target::{FLOOR, SUBJECT},
    unit::Unit,
};
use crate::result::Contest;
use plotters::style::RGBColor;

const STYLE: &str = include_str!("page.css");

/// For depthcast, the floor, and the others in turn: each can be told from the page, light or dark, and from its neighbours.
const BLUE: RGBColor = RGBColor(0x3B, 0x82, 0xF6);
const GREY: RGBColor = RGBColor(0x8A, 0x90, 0x99);
const OTHERS: [RGBColor; 8] = [
    RGBColor(0xE8, 0x71, 0x0A),
    RGBColor(0x22, 0xA3, 0x5A),
    RGBColor(0xC4, 0x4B, 0xC4),
    RGBColor(0x0E, 0xA5, 0xB7),
    RGBColor(0xE5, 0x48, 0x4D),
    RGBColor(0x9A, 0x8F, 0x00),
    RGBColor(0x8B, 0x5C, 0xF6),
    RGBColor(0xB0, 0x70, 0x3C),
];

/// Which server has which colour, on the whole page.
struct Colors<'a>(Vec<(&'a str, RGBColor)>);

/// Writes all of it.
///
/// # Errors
/// If a plot cannot be drawn.
pub fn write(contest: &Contest) -> anyhow::Result<String> {
    let groups = group::all(contest);
    let colors = Colors::new(&groups);
    let mut body = String::from("<h1>What depthcast delivers, and at what cost</h1>\n");
    body += &origin(contest);
    body += "<h2>Targets</h2>\n";
    body += &table(&summary::of_targets(&groups));
    let mut scenario = "";
    for group in &groups {
        if group.scenario != scenario {
            scenario = group.scenario;
            body += &begin_scenario(scenario, &groups, &colors)?;
        }
        body += &section(group, &colors)?;
    }
    body += &remarks(contest);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>depthcast, measured</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    ))
}

fn origin(contest: &Contest) -> String {
    let rows: String = summary::origin(contest)
        .iter()
        .map(|(what, value)| format!("<dt>{what}</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    format!(
        "<dl>\n{rows}</dl>\n<p>Bars and figures are medians of the runs; the thin line in a bar goes from the best run to the \
         worst. Latency counts from the moment at which an event was meant to happen, so that a stall counts for all that came \
         to pass meanwhile.</p>\n"
    )
}

/// The head of a scenario, and for those with several rates, latency over them.
fn begin_scenario(scenario: &str, groups: &[Group], colors: &Colors) -> anyhow::Result<String> {
    let (about, _) = summary::scenario(scenario);
    let mut out = format!("<h2>{}</h2>\n<p>{about}</p>\n", escape(scenario));
    let cases: Vec<&Group> = groups.iter().filter(|group| group.scenario == scenario).collect();
    if scenario == "S2" && cases.len() > 1 {
        let title = "Latency over the rate that is delivered: p99 solid, p50 dashed";
        let axes =
            [Axis { title: "deliveries a second", label: |value| Unit::PerSecond.show(value) }, LATENCY];
        let lines: Vec<Line> = colors
            .0
            .iter()
            .flat_map(|&(server, color)| {
                [(&metric::P99, false), (&metric::P50, true)].map(|(metric, is_dashed)| Line {
                    color,
                    is_main: server == SUBJECT,
                    is_marked: true,
                    is_dashed,
                    points: over_rate(&cases, server, metric),
                })
            })
            .collect();
        out += &figure(title, &colors.legend(), plot::lines(title, &axes[0], &axes[1], &lines)?);
    }
    Ok(out)
}

const LATENCY: Axis<'static> = Axis { title: "latency", label: |value| Unit::Nanos.show(value) };

fn over_rate(cases: &[&Group], server: &str, metric: &Metric) -> Vec<(f64, f64)> {
    let point = |group: &&Group| {
        let rate = group.spread(server, &metric::DELIVERIES)?.median;
        Some((rate, group.spread(server, metric)?.median))
    };
    let mut points: Vec<_> = cases.iter().filter_map(point).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    points
}

/// The plots of a case, and its table.
fn section(group: &Group, colors: &Colors) -> anyhow::Result<String> {
    let mut out = String::new();
    if !group.case.is_empty() {
        out += &format!("<h3>{}</h3>\n", escape(&group.title()));
    }
    // Idle connections receive nothing whose latency would mean something.
    if group.scenario != "S3" {
        let title = format!("{}: latency by percentile", group.title());
        let axes = [Axis { title: "percentile", label: percentile }, LATENCY];
        let lines: Vec<Line> =
            group.servers.iter().filter_map(|server| by_percentile(server, colors)).collect();
        let drawn = plot::lines(&title, &axes[0], &axes[1], &lines)?;
        out += &figure(&title, &colors.legend_of(group), drawn);
    }
    if let Some(metric) = summary::metrics(group).into_iter().find(|metric| metric.name != "p50") {
        let title = format!("{}: {}", group.title(), metric.name);
        let better = if metric.less_is_better { "less is better" } else { "more is better" };
        let bars: Vec<Bar> = group.servers.iter().filter_map(|server| bar(server, metric, colors)).collect();
        let axis = format!("{} ({better})", metric.name);
        out += &figure(&title, "", plot::bars(&title, &axis, metric.unit, &bars)?);
    }
    out += &table(&summary::of_group(group));
    Ok(out)
}

/// Latency over 1 / (1 - q): each nine of the percentile takes the same room.
fn by_percentile(server: &Server, colors: &Colors) -> Option<Line> {
    /// Points between two powers of ten.
    const DENSITY: u32 = 40;
    let latencies = server.latencies()?;
    let nines = (latencies.len() as f64).log10().min(6.0);
    let steps = (nines * f64::from(DENSITY)) as u32;
    let point = |step: u32| {
        let one_in = 10f64.powf(f64::from(step) / f64::from(DENSITY));
        (one_in, latencies.value_at_quantile(1.0 - 1.0 / one_in).max(1) as f64)
    };
    let points = (0..=steps).map(point).collect();
    let is_main = server.name == SUBJECT;
    Some(Line { color: colors.of(server.name), is_main, is_marked: false, is_dashed: false, points })
}

/// `99.9 %` for one in 1,000.
fn percentile(one_in: f64) -> String {
    let decimals = (one_in.log10().round() - 2.0).max(0.0) as usize;
    format!("{:.decimals$} %", 100.0 * (1.0 - 1.0 / one_in))
}

fn bar<'a>(server: &Server<'a>, metric: &Metric, colors: &Colors) -> Option<Bar<'a>> {
    let spread = server.spread(metric)?;
    Some(Bar {
        name: server.name,
        color: colors.of(server.name),
        value: spread.median,
        spread: (spread.best, spread.worst),
    })
}

fn figure(title: &str, legend: &str, svg: Option<String>) -> String {
    svg.map_or_else(String::new, |svg| {
        format!("<figure><figcaption>{}</figcaption>\n{legend}{svg}</figure>\n", escape(title))
    })
}

fn remarks(contest: &Contest) -> String {
    let remarks = summary::remarks(contest);
    if remarks.is_empty() {
        return "<h2>Remarks</h2>\n<p>No run was thrown away.</p>\n".into();
    }
    let items: String = remarks.iter().map(|remark| format!("<li>{}</li>\n", escape(remark))).collect();
    format!("<h2>Remarks</h2>\n<ul>\n{items}</ul>\n")
}

impl<'a> Colors<'a> {
    fn new(groups: &[Group<'a>]) -> Colors<'a> {
        let mut colors: Vec<(&str, RGBColor)> = Vec::new();
        let mut others = OTHERS.into_iter().cycle();
        for name in groups.iter().flat_map(|group| group.servers.iter().map(|server| server.name)) {
            if colors.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let color = match name {
                SUBJECT => BLUE,
                FLOOR => GREY,
                _ => others.next().unwrap_or(GREY),
            };
            colors.push((name, color));
        }
        Colors(colors)
    }

    fn of(&self, server: &str) -> RGBColor {
        self.0.iter().find(|(name, _)| *name == server).map_or(GREY, |(_, color)| *color)
    }

    fn legend(&self) -> String {
        legend(self.0.iter().copied())
    }

    fn legend_of(&self, group: &Group) -> String {
        legend(group.servers.iter().map(|server| (server.name, self.of(server.name))))
    }
}

fn legend<'a>(entries: impl Iterator<Item = (&'a str, RGBColor)>) -> String {
    let items: String = entries
        .map(|(name, RGBColor(r, g, b))| {
            format!("<li><span style=\"background:#{r:02x}{g:02x}{b:02x}\"></span>{}</li>", escape(name))
        })
        .collect();
    format!("<ul class=\"legend\">{items}</ul>\n")
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    fn page() -> String {
        let mut contest = sample::contest();
        for (scenario, case) in [("S1", ""), ("S2", "peak"), ("S2", "0.2 M/s"), ("bursts", "16")] {
            contest.results.push(sample::run(scenario, case, FLOOR, 10_000));
            contest.results.push(sample::run(scenario, case, SUBJECT, 12_000));
            contest.results.push(sample::run(scenario, case, "<peer>", 90_000));
        }
        write(&contest).unwrap()
    }

    #[test]
    fn each_case_has_plots_and_a_table() {
        let page = page();
        for title in [
            "S1: latency by percentile",
            "S2 peak: deliveries",
            "S2 0.2 M/s: latency by percentile",
            "Latency over the rate that is delivered",
            "bursts 16: CPU a delivery",
        ] {
            assert!(page.contains(&format!("<figcaption>{title}")), "{title} is missing");
        }
        assert_eq!(page.matches("<svg ").count(), 9);
        assert_eq!(page.matches("<table>").count(), 5);
    }

    #[test]
    fn the_page_fetches_nothing_and_no_name_becomes_markup() {
        let page = page();
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href="));
        assert!(page.contains("&lt;peer&gt;") && !page.contains("<peer>"));
        assert!(page.contains("Test &lt;CPU&gt; &amp; &quot;co&quot;"));
    }

    #[test]
    fn a_percentile_is_written_with_its_nines() {
        let check = |one_in, expected: &str| assert_eq!(percentile(one_in), expected);
        check(1.0, "0 %");
        check(10.0, "90 %");
        check(100.0, "99 %");
        check(1_000.0, "99.9 %");
        check(100_000.0, "99.999 %");
    }
}
