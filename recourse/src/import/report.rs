//! What an import came to, for people.

use std::collections::BTreeMap;
use std::fmt;

/// Examples shown for each finding: enough to look into it, few enough to read.
const EXAMPLES_MAX: usize = 3;

/// Things that were found, by what they are, with how often and the first examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings(BTreeMap<String, Finding>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Finding {
    count: u64,
    examples: Vec<String>,
}

impl Findings {
    /// Counts one.
    pub(crate) fn add(&mut self, what: &str, example: impl FnOnce() -> String) {
        if !self.0.contains_key(what) {
            self.0.insert(what.to_owned(), Finding::default());
        }
        if let Some(finding) = self.0.get_mut(what) {
            finding.count += 1;
            if finding.examples.len() < EXAMPLES_MAX {
                finding.examples.push(example());
            }
        }
    }

    /// How many there are in all.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|finding| finding.count).sum()
    }

    /// How often something was found.
    #[cfg(test)]
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.0.get(what).map_or(0, |finding| finding.count)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, Finding { count, examples }) in &self.0 {
            writeln!(f, "  {count:>9}  {what}; for example {}", examples.join(", "))?;
        }
        Ok(())
    }
}

/// What mapping a source came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Rows read, in all.
    pub(crate) rows: u64,
    /// Rows that say nothing which the desk would keep and does not know.
    pub(crate) rows_unchanged: u64,
    /// Commands by name.
    pub(crate) commands: BTreeMap<&'static str, u64>,
    /// Rows left out, and why.
    pub(crate) skipped: Findings,
    /// Rows taken over differently from what they say, and how.
    pub(crate) adjusted: Findings,
    /// Where the incidents stand at the end, by status.
    pub(crate) statuses: BTreeMap<&'static str, u64>,
}

impl Report {
    /// How many commands there are.
    pub(crate) fn commands_total(&self) -> u64 {
        self.commands.values().sum()
    }

    /// How many incidents there are.
    pub(crate) fn incidents(&self) -> u64 {
        self.statuses.values().sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rows of {} incidents; {} rows change nothing that the desk keeps.",
            self.rows,
            self.incidents(),
            self.rows_unchanged
        )?;
        counts(
            f,
            &format!("Mapped to {} commands:", self.commands_total()),
            &self.commands,
        )?;
        counts(f, "Incidents by their last status:", &self.statuses)?;
        findings(f, "Taken over differently from the file:", &self.adjusted)?;
        if self.skipped == Findings::default() {
            return writeln!(f, "No row was skipped.");
        }
        findings(f, "Skipped:", &self.skipped)
    }
}

fn counts(f: &mut fmt::Formatter<'_>, heading: &str, counts: &BTreeMap<&'static str, u64>) -> fmt::Result {
    writeln!(f, "{heading}")?;
    counts
        .iter()
        .try_for_each(|(name, count)| writeln!(f, "  {count:>9}  {name}"))
}

/// Findings under a heading; nothing at all if there are none.
pub(crate) fn findings(f: &mut impl fmt::Write, heading: &str, findings: &Findings) -> fmt::Result {
    if findings.total() == 0 {
        return Ok(());
    }
    writeln!(f, "{heading}")?;
    write!(f, "{findings}")
}
