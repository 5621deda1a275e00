//! The report as Markdown: the parts, then the goals.

use std::fmt::Write as _;

use super::{Report, goals, peer::Told, streams::Library};
use crate::bench::{append, http, rebuild};

/// The whole report.
pub fn table(report: &Report) -> String {
    let mut text = format!("### The lane\n\n{}\n", append::table(&report.append));
    text.push_str(&format!("### HTTP, and the hot slot\n\n{}", http::table(&report.http_plan, &report.http)));
    if let Some(why) = &report.no_node {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nThe booking API in Node was not measured: {why}.");
    }
    text.push_str(&format!("\n### Beside published libraries\n\n{}\n", libraries(report)));
    text.push_str(&format!("### Search\n\n{}\n", search(report)));
    text.push_str(&format!("### Rebuild, and the live lag\n\n{}\n\n", rebuild::table(&report.rebuild)));
    text.push_str(&format!("### Every goal\n\n{}", goals(report)));
    text
}

fn libraries(report: &Report) -> String {
    let ours = &report.streams;
    let mut text = String::from(
        "| | load 20 events, append 2 | ours to it | append 1 | ours to it | read and decode all | ours to it |\n\
         |---|---|---:|---|---:|---|---:|\n",
    );
    let _ = writeln!(
        text,
        "| Kalel, a pool of 16 connections and the lane's; {} bytes an event | {} | | {} | | {:.0}/s of {} | |",
        ours.event_bytes, ours.load_and_append, ours.append, ours.read_all.per_second, ours.read_all.events
    );
    for library in &ours.libraries {
        let _ = writeln!(text, "{}", line(library));
    }
    text
}

fn line(library: &Library) -> String {
    match &library.told {
        Ok(told) => format!(
            "| {} | {} | {:.2}× | {} | {:.2}× | {:.0}/s of {} | {:.2}× |",
            named(told),
            told.load_and_append,
            library.load_and_append,
            told.append,
            library.append,
            told.read_all.per_second,
            told.read_all.events,
            library.read_all,
        ),
        Err(why) => format!("| `{}`: not measured: {why} | | | | | | |", library.name),
    }
}

fn named(told: &Told) -> String {
    let tried: Vec<String> = told.tried.iter().map(|one| format!("{} {:.0}/s", one.setting, one.per_second)).collect();
    let tried = if tried.is_empty() { String::new() } else { format!(" (tried: {})", tried.join(", ")) };
    format!("`{}` {}, {}{tried}; {} bytes", told.library, told.version, told.how, told.event_bytes)
}

fn search(report: &Report) -> String {
    let it = &report.search;
    format!(
        "| {} sites, {} connections | figure | goal |\n|---|---|---|\n\
         | `GET /v1/sites` near a point, with a free 5x5 pitch tomorrow at 18:00; {:.1} sites a page | {} | ≥ 500/s, p99 ≤ 50 ms |\n\
         | the bare statement for the 20 nearest | {} | |\n",
        it.sites, it.connections, it.found, it.search, it.nearest
    )
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
