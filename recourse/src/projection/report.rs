//! What the commands print.

use std::fmt::Write as _;

use projector::{Comparison, Listed};

/// Every projection's standing, as a table.
pub(super) fn standings(listed: &[Listed]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "{:<10} {:>10} {:<8} {:>9} {:>10} {:>8} {:<8} {:>7}",
        "projection", "generation", "role", "partition", "position", "lag", "state", "skipped"
    )?;
    for it in listed {
        let lag = it.head.saturating_sub(it.sequence).max(0);
        writeln!(
            text,
            "{:<10} {:>10} {:<8} {:>9} {:>10} {:>8} {:<8} {:>7}",
            it.projection, it.generation, it.role, it.partition, it.sequence, lag, it.state, it.skipped
        )?;
        if let Some(error) = &it.error {
            writeln!(text, "           {error}")?;
        }
    }
    Ok(text)
}

/// A comparison with the log, as a table: one line for each table, and one for each difference.
pub(super) fn comparisons(all: &[Comparison]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "{:<30} {:>9} {:>12} {:>12} {:<16}",
        "table", "partition", "log's rows", "its rows", "checksum"
    )?;
    let mut sorted: Vec<&Comparison> = all.iter().collect();
    sorted.sort_by_key(|it| (&it.table, it.partition));
    for it in sorted {
        let verdict = if it.is_equal() { "equal" } else { "DIFFERENT" };
        writeln!(
            text,
            "{:<30} {:>9} {:>12} {:>12} {:016x} {verdict}",
            it.table, it.partition, it.expected.rows, it.found.rows, it.expected.checksum
        )?;
    }
    Ok(text)
}
