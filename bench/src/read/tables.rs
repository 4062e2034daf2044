//! The report, in Markdown, as `docs/benchmarks.md` holds it.

use std::fmt::Write as _;

use super::state::{Filling, State, Timing};
use crate::statistics::float;

/// How many of the slowest cases are shown.
const WORST: usize = 8;

/// Everything that was found, of the smaller and the larger desk.
pub(crate) fn report(machine: &str, states: &[(u64, State)]) -> String {
    let [(small_tickets, small), (large_tickets, large)] = states else {
        return String::new();
    };
    let mut text = format!("{machine}\n\n| figure | wanted | found | |\n|---|---:|---:|---|\n");
    for row in bars(*small_tickets, small, *large_tickets, large) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{row}");
    }
    fills(&mut text, states);
    dashboards(&mut text, small, large);
    let header = format!("lists with one filter and one sort: slowest against {small_tickets}");
    let mut against = pairs(&small.list, &large.list);
    against.sort_by(|one, other| other.1.ratio(other.0).total_cmp(&one.1.ratio(one.0)));
    compared(&mut text, &header, &against);
    slowest(&mut text, "lists with one filter and one sort", &large.list);
    slowest(&mut text, "lists with three filters and a sort", &large.combined);
    let mut past: Vec<(&Timing, &Timing)> = large.as_of.iter().map(|(present, past)| (present, past)).collect();
    past.sort_by(|one, other| other.1.ratio(other.0).total_cmp(&one.1.ratio(one.0)));
    compared(&mut text, "lists of the past: slowest against the present", &past);
    slowest(&mut text, "search", &large.search);
    text
}

/// A bar, and what was found.
struct Bar<'a> {
    what: String,
    found: Option<f64>,
    limit: f64,
    /// Whether the limit is the least, or else the most.
    least: bool,
    unit: &'a str,
    note: String,
}

impl std::fmt::Display for Bar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            found,
            limit,
            least,
            unit,
            note,
        } = self;
        let sign = if *least { '≥' } else { '≤' };
        let digits = if *limit < 10.0 { 2 } else { 0 };
        let (found, verdict) = match found {
            None => ("–".to_owned(), "not measured"),
            Some(found) if (found >= limit) == *least => (format!("{found:.digits$}{unit}"), "reached"),
            Some(found) => (format!("{found:.digits$}{unit}"), "**missed**"),
        };
        write!(
            f,
            "| {what} | {sign} {limit:.digits$}{unit} | {found} | {verdict}{note} |"
        )
    }
}

/// The same cases at both desks.
fn pairs<'a>(small: &'a [Timing], large: &'a [Timing]) -> Vec<(&'a Timing, &'a Timing)> {
    let base = |large: &Timing| small.iter().find(|small| small.case == large.case);
    large.iter().filter_map(|large| Some((base(large)?, large))).collect()
}

fn worst_of<'a>(cases: &[(&'a Timing, &'a Timing)]) -> Option<(f64, &'a Timing, &'a Timing)> {
    let worst =
        |one: &&(&Timing, &Timing), other: &&(&Timing, &Timing)| one.1.ratio(one.0).total_cmp(&other.1.ratio(other.0));
    cases
        .iter()
        .max_by(worst)
        .map(|(base, case)| (case.ratio(base), *base, *case))
}

/// A bar for how much slower the second of each pair may be.
fn ratio_bar(what: String, limit: f64, cases: &[(&Timing, &Timing)]) -> Bar<'static> {
    let worst = worst_of(cases);
    let over = cases.iter().filter(|(base, case)| case.ratio(base) > limit).count();
    let note = worst.map_or_else(String::new, |(_, base, case)| {
        format!(
            ": {} ({:.2} → {:.2} ms); {over} of {} cases are over it",
            case.case,
            base.p99_ms,
            case.p99_ms,
            cases.len()
        )
    });
    Bar {
        what,
        found: worst.map(|(ratio, ..)| ratio),
        limit,
        least: false,
        unit: "",
        note,
    }
}

/// A bar for how long the slowest case may take.
fn slowest_bar(what: String, limit: f64, cases: &[Timing]) -> Bar<'static> {
    let worst = cases.iter().max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms));
    let over = cases.iter().filter(|case| case.p99_ms > limit).count();
    Bar {
        what,
        found: worst.map(|case| case.p99_ms),
        limit,
        least: false,
        unit: " ms",
        note: worst.map_or_else(String::new, |case| {
            format!(": {}; {over} of {} cases are over it", case.case, cases.len())
        }),
    }
}

fn least(what: String, limit: f64, found: Option<f64>, unit: &str, note: String) -> Bar<'_> {
    Bar {
        what,
        found,
        limit,
        least: true,
        unit,
        note,
    }
}

/// How soon a command shows.
fn visible_bar(state: &State) -> Bar<'static> {
    Bar {
        what: "acknowledged → in the list, p99 at half of the peak".to_owned(),
        found: state.visible.map(|seen| seen.p99_ms),
        limit: 20.0,
        least: false,
        unit: " ms",
        note: state.visible.map_or_else(String::new, |seen| {
            format!(
                ": under {:.0} commands a second of {:.0} at the peak; p50 {:.1} ms of {} probes",
                seen.load, seen.peak, seen.p50_ms, seen.probes
            )
        }),
    }
}

fn bars(small_tickets: u64, small: &State, large_tickets: u64, large: &State) -> Vec<Bar<'static>> {
    let lists = pairs(&small.list, &large.list);
    let boards = pairs(&small.dashboard, &large.dashboard);
    let past: Vec<(&Timing, &Timing)> = large.as_of.iter().map(|(present, past)| (present, past)).collect();
    let plain: Vec<(&Timing, &Timing)> = boards
        .iter()
        .copied()
        .filter(|(base, _)| base.case == "staff: plain")
        .collect();
    let fill = |filling: Option<Filling>| filling.map(|filling| filling.per_second());
    let against = |one: Option<Filling>, limit: Option<Filling>| {
        one.zip(limit).map_or_else(String::new, |(one, limit)| {
            format!(", {:.2} of its raw limit", one.per_second() / limit.per_second())
        })
    };
    let memory = |what: &str, small: Option<f64>, large: Option<f64>| Bar {
        what: what.to_owned(),
        found: small.zip(large).map(|(small, large)| large / small.max(1.0)),
        limit: 1.5,
        least: false,
        unit: "",
        note: small
            .zip(large)
            .map_or_else(String::new, |(small, large)| format!(": {small:.0} → {large:.0} MiB")),
    };
    let peak = |state: &State| state.exports.map(|export| export.most_mib);
    vec![
        ratio_bar(
            format!("list, any single filter and sort, p99 at {large_tickets} ÷ at {small_tickets}"),
            2.0,
            &lists,
        ),
        slowest_bar(
            format!("three filters and a sort, p99 at {large_tickets}"),
            50.0,
            &large.combined,
        ),
        ratio_bar(
            format!("dashboard, p99 at {large_tickets} ÷ at {small_tickets}"),
            1.5,
            &plain,
        ),
        ratio_bar("the same, all its questions".to_owned(), 1.5, &boards),
        ratio_bar("list as_of, p99 ÷ the present".to_owned(), 3.0, &past),
        slowest_bar(
            format!("search with filters, p99 at {large_tickets}"),
            150.0,
            &large.search,
        ),
        least(
            "export csv".to_owned(),
            50_000.0,
            large.exports.map(|export| export.per_second()),
            " rows/s",
            String::new(),
        ),
        memory(
            "query-api's memory in an export, larger ÷ smaller desk",
            peak(small),
            peak(large),
        ),
        visible_bar(large),
        least(
            format!("live projection, {small_tickets} tickets"),
            20_000.0,
            fill(small.live),
            " records/s",
            against(small.live, small.copy),
        ),
        least(
            format!("rebuild, {large_tickets} tickets"),
            60_000.0,
            fill(large.rebuild),
            " records/s",
            against(large.rebuild, large.reading),
        ),
        memory(
            "query-api's memory after its questions, larger ÷ smaller desk",
            small.query_api_mib,
            large.query_api_mib,
        ),
    ]
}

fn fills(text: &mut String, states: &[(u64, State)]) {
    let _ = writeln!(
        text,
        "\n| tickets | what | records | seconds | records a second |\n|---:|---|---:|---:|---:|"
    );
    for (tickets, state) in states {
        let all = [
            ("reading the log", state.reading),
            ("**live projection**", state.live),
            ("raw COPY of one partition's rows", state.copy),
            ("**rebuild**", state.rebuild),
        ];
        for (what, filling) in all {
            let Some(filling) = filling else { continue };
            let stopped = if what.contains("live") && !filling.whole {
                ", stopped"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "| {tickets} | {what}{stopped} | {} | {:.1} | {:.0} |",
                filling.records,
                filling.seconds,
                filling.per_second()
            );
        }
    }
}

fn dashboards(text: &mut String, small: &State, large: &State) {
    let _ = writeln!(
        text,
        "\n| dashboard | p50 ms | p99 ms | larger desk: p50 ms | p99 ms |\n|---|---:|---:|---:|---:|"
    );
    for (small, large) in pairs(&small.dashboard, &large.dashboard) {
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            small.case, small.p50_ms, small.p99_ms, large.p50_ms, large.p99_ms
        );
    }
}

fn compared(text: &mut String, header: &str, pairs: &[(&Timing, &Timing)]) {
    let _ = writeln!(
        text,
        "\n| {header} | p50 ms | p99 ms | base: p50 ms | p99 ms | ratio of p99 |\n|---|---:|---:|---:|---:|---:|"
    );
    for (base, case) in pairs.iter().take(WORST) {
        let _ = writeln!(
            text,
            "| {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} |",
            case.case,
            case.p50_ms,
            case.p99_ms,
            base.p50_ms,
            base.p99_ms,
            case.ratio(base)
        );
    }
}

fn slowest(text: &mut String, header: &str, cases: &[Timing]) {
    let mut sorted: Vec<&Timing> = cases.iter().collect();
    sorted.sort_by(|one, other| other.p99_ms.total_cmp(&one.p99_ms));
    let requests: u64 = cases.iter().map(|case| case.requests).sum();
    let mut medians: Vec<f64> = cases.iter().map(|case| case.p50_ms).collect();
    medians.sort_by(f64::total_cmp);
    let median = medians.get(medians.len() / 2).copied().unwrap_or_default();
    let _ = writeln!(
        text,
        "\n| {header}: slowest of {} cases, {:.0} requests; half of the cases have a p50 below {median:.1} ms | requests | p50 ms | p99 ms |\n|---|---:|---:|---:|",
        cases.len(),
        float(requests)
    );
    for case in sorted.into_iter().take(WORST) {
        let refused = if case.refused > 0 { " (cut off)" } else { "" };
        let _ = writeln!(
            text,
            "| {}{refused} | {} | {:.2} | {:.2} |",
            case.case, case.requests, case.p50_ms, case.p99_ms
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(case: &str, p99_ms: f64) -> Timing {
        Timing {
            case: case.to_owned(),
            requests: 200,
            p50_ms: 1.0,
            p99_ms,
            refused: 0,
        }
    }

    #[test]
    fn the_worst_case_is_named() {
        let small = State {
            list: vec![timing("a", 1.0), timing("b", 2.0)],
            ..State::default()
        };
        let large = State {
            list: vec![timing("b", 3.0), timing("a", 4.0)],
            ..State::default()
        };
        let text = report("machine", &[(10, small), (100, large)]);
        let line = "| list, any single filter and sort, p99 at 100 ÷ at 10 | ≤ 2.00 | 4.00 | **missed**: a (1.00 → 4.00 ms); 1 of 2 cases are over it |";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("| export csv | ≥ 50000 rows/s | – | not measured |"),
            "{text}"
        );
    }
}
