//! The figures as Markdown and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    Report, Verdict,
    load::{Outcome, Spread},
    mix::Kind,
};

/// The figures as Markdown.
pub fn table(report: &Report) -> String {
    let Report { peak, normal, overload, after, .. } = report;
    let guard = if report.guarded { "with admission control" } else { "**without** admission control" };
    let mut text = format!(
        "{:.0} times the peak for {:.0} s, {guard}; the servers on {} core{}, the clients on one of their own.\n\n\
         | | offered/s | done/s | refused/s | p50, p99 ms of what was done | p99 ms of refusals | the clients' core |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
        report.times,
        overload.lasted,
        report.cores,
        if report.cores == 1 { "" } else { "s" },
    );
    row(
        &mut text,
        &format!("the peak, without admission control: {} clients, each asks when it is answered", report.peak_clients),
        peak,
    );
    row(&mut text, "normal: seven tenths of it, whoever waits", normal);
    row(&mut text, "overload", overload);
    row(&mut text, "seven tenths again, at once", after);
    text.push_str(
        "\n| kind (class) | alone/s | peak | normal: p99 ms | overload: done/s, refused/s | p99 ms | to normal |\n",
    );
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    for (kind, alone) in &report.alone {
        let (of_peak, of_normal) = (accepted(peak, *kind), accepted(normal, *kind));
        let (done, refused) = (accepted(overload, *kind), refused(overload, *kind));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {alone:.0} | {:.0}/s | {:.1} | {:.0}, {:.0} | {:.1} | {:.1}× |",
            kind.name(),
            of_peak.count as f64 / peak.lasted,
            of_normal.p99,
            done.count as f64 / overload.lasted,
            refused as f64 / overload.lasted,
            done.p99,
            done.p99 / of_normal.p99.max(0.001),
        );
    }
    goals(&mut text, report);
    text
}

fn goals(text: &mut String, report: &Report) {
    let Verdict { goodput, goodput_counted, refused_p99_ms, worst_p99, accepted_p99, seconds_until_normal } =
        report.verdict;
    text.push_str("\n| goal | measured | |\n|---|---|---|\n");
    let until = seconds_until_normal.map_or("never seen".to_owned(), |seconds| format!("{seconds} s"));
    let rows = [
        (
            "goodput ≥ 90 % of the peak, requests weighed by what they cost alone",
            format!("{:.0} % ({:.0} % when they are counted)", goodput * 100.0, goodput_counted * 100.0),
            goodput >= 0.9,
        ),
        ("refusals ≤ 10 ms (p99)", format!("{refused_p99_ms:.1} ms"), refused_p99_ms <= 10.0),
        (
            "p99 of what is done ≤ 2× normal",
            format!("{accepted_p99:.1}× of all kinds together, {worst_p99:.1}× of the worst"),
            worst_p99 <= 2.0,
        ),
        ("normal within 10 s after it", until, seconds_until_normal.is_some_and(|seconds| seconds <= 10)),
    ];
    for (goal, measured, met) in rows {
        let _ = writeln!(text, "| {goal} | {measured} | {} |", if met { "met" } else { "**MISSED**" });
    }
    let failed: u64 = [&report.normal, &report.overload, &report.after].iter().map(|it| it.failed + it.unsent).sum();
    let _ = writeln!(text, "| any other answer, or none | {failed} | |");
}

fn row(text: &mut String, what: &str, outcome: &Outcome) {
    let Outcome { accepted, refused, lasted, .. } = outcome;
    let offered = accepted.count + refused.count + outcome.failed + outcome.unsent;
    let _ = writeln!(
        text,
        "| {what} | {:.0} | {:.0} | {:.0} | {:.1}, {:.1} | {:.1} | {:.0} % |",
        offered as f64 / lasted,
        accepted.count as f64 / lasted,
        refused.count as f64 / lasted,
        accepted.p50,
        accepted.p99,
        refused.p99,
        outcome.processor * 100.0,
    );
}

fn accepted(outcome: &Outcome, kind: Kind) -> Spread {
    outcome.kinds.get(&kind).map(|counts| counts.accepted).unwrap_or_default()
}

fn refused(outcome: &Outcome, kind: Kind) -> u64 {
    outcome.kinds.get(&kind).map_or(0, |counts| counts.refused)
}

/// The figures for programs, without the reservations that were made.
pub fn as_json(report: &Report, machine: &str) -> Value {
    let mut report = json!(report);
    for phase in ["peak", "normal", "overload", "after"] {
        if let Some(phase) = report[phase].as_object_mut() {
            phase.remove("reservations");
        }
    }
    json!({ "machine": machine, "report": report })
}
