//! The report as Markdown, for the docs.

use super::{
    group,
    summary::{self, Table},
};
use crate::result::Contest;
use std::fmt::Write;

/// Writes all of it.
pub fn write(contest: &Contest) -> String {
    let groups = group::all(contest);
    let mut out = String::new();
    for (what, value) in summary::origin(contest) {
        out += &format!("- {what}: {}\n", escape(&value));
    }
    out += "\nMedians of the runs, with the best and the worst in brackets.\n\n## Targets\n\n";
    push_table(&mut out, &summary::of_targets(&groups));
    for group in &groups {
        let (about, _) = summary::scenario(group.scenario);
        write!(out, "\n## {}\n\n{about}\n\n", escape(&group.title())).expect("a String takes everything");
        push_table(&mut out, &summary::of_group(group));
    }
    let remarks = summary::remarks(contest);
    if !remarks.is_empty() {
        out += "\n## Remarks\n\n";
        remarks.iter().for_each(|remark| out += &format!("- {}\n", escape(remark)));
    }
    out
}

fn push_table(out: &mut String, table: &Table) {
    let mut row = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
        *out += &format!("| {} |\n", cells.join(" | "));
    };
    row(&table.head);
    row(&vec!["---".to_owned(); table.head.len()]);
    table.rows.iter().for_each(|cells| row(cells));
}

/// What is missed should be seen.
fn cell(text: &str) -> String {
    if text == "no" { "**no**".into() } else { escape(text) }
}

/// Text that ends no cell and begins no markup.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn each_scenario_has_a_table_and_nothing_breaks_it() {
        let mut contest = sample::contest();
        contest.results = vec![
            sample::run("S1", "", "floor", 100_000),
            sample::run("S1", "", "depthcast", 120_000),
            sample::run("S2", "peak", "a|b", 1_000),
        ];
        let text = write(&contest);
        assert!(text.contains("Test &lt;CPU> & \"co\", 2 cores"), "{text}");
        assert!(text.contains("| S1, latency | p50 &lt;= 1.10x of floor | 1.20x | **no** |"), "{text}");
        assert!(text.contains("\n## S1\n") && text.contains("\n## S2 peak\n"), "{text}");
        assert!(text.contains("| a\\|b | 1 | 1 M/s |"), "{text}");
    }
}
