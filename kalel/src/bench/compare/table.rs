//! The report as Markdown: the parts, then the goals.

use std::fmt::Write as _;

use super::{Report, goals};
use crate::bench::{append, http, rebuild, search, streams};

/// The whole report.
pub fn table(report: &Report) -> String {
    let mut text = format!("### The lane\n\n{}\n", append::table(&report.append));
    text.push_str(&format!("### HTTP, and the hot slot\n\n{}", http::table(&report.http_plan, &report.http)));
    if let Some(why) = &report.no_node {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nThe booking API in Node was not measured: {why}.");
    }
    text.push_str(&format!("\n### Beside published libraries\n\n{}\n", streams::table(&report.streams)));
    text.push_str(&format!("### Search\n\n{}\n", search::table(&report.search)));
    text.push_str(&format!("### Rebuild, and the live lag\n\n{}\n\n", rebuild::table(&report.rebuild)));
    text.push_str(&format!("### Every goal\n\n{}", goals(report)));
    text
}

fn goals(report: &Report) -> String {
    let mut text = String::from("| work | ours | beside | ratio | goal | |\n|---|---|---|---:|---|---|\n");
    for row in goals::rows(report) {
        let ratio = row.ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}×"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {ratio} | {} | {} |",
            row.work, row.ours, row.theirs, row.goal, row.verdict
        );
    }
    text
}
