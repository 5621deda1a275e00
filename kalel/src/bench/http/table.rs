//! The figures as Markdown.

use std::fmt::Write as _;

use super::{Crowds, Plan, Report, taken::TAKEN};
use crate::bench::append::Figure;

/// The figures as Markdown.
pub fn table(plan: &Plan, report: &Report) -> String {
    let mut text =
        String::from("| what | requests/s | p50 ms | p99 ms | ratio | goal |\n|---|---:|---:|---:|---:|---:|\n");
    let clients = plan.connections;
    row(&mut text, &format!("bare axum endpoint, one unordered INSERT, {clients} connections"), report.bare, "");
    let ratio = format!("{:.2} of bare | ≥ 0.8", report.of_bare);
    row(&mut text, &format!("`POST /v1/reservations`, spread slots, {clients} connections"), report.ours, &ratio);
    for peer in &report.peers {
        let goal = if peer.processes == 1 { "≥ 3" } else { "" };
        let cells = format!("ours is {:.2} of it | {goal}", peer.ours_to_it);
        row(&mut text, &node(peer.processes), peer.figure, &cells);
    }
    let all = format!(
        "the first of ours with relay, projectors and workers in the process; views {:.0} ms behind at the end",
        report.drained.as_secs_f64() * 1_000.0
    );
    row(
        &mut text,
        &all,
        report.all_on,
        &format!("{:.2} of bare | ", report.all_on.per_second / report.bare.per_second),
    );
    crowds(&mut text, plan, "", &report.crowds, "≤ 250 ms");
    for peer in &report.peers {
        crowds(&mut text, plan, &format!(", {}", node(peer.processes)), &peer.crowds, "");
    }
    let what = format!("{clients} connections, all on {TAKEN} taken slots");
    row(&mut text, &what, report.taken, " | ≤ 50 ms");
    for peer in &report.peers {
        let goal = if peer.processes == 1 { "≥ 1" } else { "" };
        let cells = format!("ours is {:.2} of it | {goal}", peer.ours_to_it_taken);
        row(&mut text, &format!("{what}, {}, which looks before it inserts", node(peer.processes)), peer.taken, &cells);
    }
    if let Some(memory) = report.memory {
        let of_node = report.peers.first().and_then(|peer| peer.memory);
        let of_node =
            of_node.map_or_else(String::new, |it| format!("; Node in one process {:.0}, {:.0}", it.now, it.most));
        let _ = writeln!(
            text,
            "| resident memory of the API after all of that, and at most: {:.0}, {:.0} MB{of_node} | | | | | ≤ 150 MB |",
            memory.now, memory.most
        );
    }
    text
}

fn node(processes: usize) -> String {
    match processes {
        1 => "Node: Fastify, pg, EXCLUDE; one process".to_owned(),
        more => format!("Node: the same in {more} processes"),
    }
}

fn row(text: &mut String, what: &str, figure: Figure, cells: &str) {
    let cells = if cells.is_empty() { " | " } else { cells };
    // Writing to a string cannot fail.
    let _ =
        writeln!(text, "| {what} | {:.0} | {:.1} | {:.1} | {cells} |", figure.per_second, figure.p50_ms, figure.p99_ms);
}

fn crowds(text: &mut String, plan: &Plan, whose: &str, crowds: &Crowds, goal: &str) {
    let Crowds { won, lost, others, p99_ms, worst_p99_ms, times } = crowds;
    let often = if *times == 1 { String::new() } else { format!("{times} times ") };
    let worst = if *times == 1 { String::new() } else { format!(", at worst {worst_p99_ms:.0}") };
    let _ = writeln!(
        text,
        "| {often}{} clients on one slot{whose}: {won} × 201, {lost} × 409, {others} × anything else or nothing in 10 s \
         | | | {p99_ms:.0}{worst} | | {goal} |",
        plan.crowd
    );
}
