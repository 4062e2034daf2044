//! A rehearsal's answer as a table for people.

use serde_json::Value;

/// The states of clocks, in the order of the columns.
const STATES: [&str; 5] = ["met", "breached", "running", "paused", "cancelled"];

/// What a rehearsal found.
pub(super) fn table(answer: &Value) -> String {
    let mut lines = vec![
        format!(
            "{} tickets, as they stand at {}. Then: as recorded. Now: under the draft.",
            answer["tickets"],
            text(&answer["until"])
        ),
        String::new(),
        head(),
    ];
    lines.extend(rows("all", &answer["targets"]));
    for (list, name) in [
        ("by_month", "month"),
        ("by_priority", "priority"),
        ("by_group", "group"),
    ] {
        for group in items(&answer[list]) {
            let label = group[name].as_str().unwrap_or("no group");
            lines.extend(rows(label, &group["targets"]));
        }
    }
    lines.push(String::new());
    let named = items(&answer["differing_tickets"]);
    lines.push(format!(
        "Tickets whose promises come out otherwise: {}{}",
        answer["differing"],
        if named.is_empty() { "" } else { ". The first of them:" }
    ));
    for ticket in named {
        for clock in items(&ticket["clocks"]) {
            lines.push(format!(
                "  #{:<9} {:<15} {} → {}",
                ticket["number"].to_string(),
                text(&clock["target"]),
                outcome(&clock["then"]),
                outcome(&clock["now"])
            ));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head() -> String {
    let columns: Vec<String> = STATES.iter().map(|state| format!("{state:>19}")).collect();
    format!("{:<37} {:<15}{}", "", "then / now", columns.concat())
}

fn rows(label: &str, targets: &Value) -> Vec<String> {
    let targets = targets.as_object().into_iter().flatten();
    let row = |(target, both): (&String, &Value)| {
        let cells: Vec<String> = STATES
            .iter()
            .map(|state| {
                let count = |when: &str| both[when].get(state).and_then(Value::as_u64).unwrap_or(0);
                format!("{:>19}", format!("{} / {}", count("then"), count("now")))
            })
            .collect();
        format!("{label:<37} {target:<15}{}", cells.concat())
    };
    targets.map(row).collect()
}

/// How a clock came out, and when it was due.
fn outcome(outcome: &Value) -> String {
    match outcome["state"].as_str() {
        None => "not promised".to_owned(),
        Some(state) => match outcome["due_at"].as_str() {
            Some(due_at) => format!("{state} (due {due_at})"),
            None => state.to_owned(),
        },
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
