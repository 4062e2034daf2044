//! The report, in Markdown.

use std::fmt;

use super::{Load, Side, people::Sizes};
use crate::statistics::median;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s, {:.2} ms", self.per_second, self.p50_ms)
    }
}

/// A desk before anything was asked of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    /// Profiles that were written, and how long that took.
    pub(super) profiles: usize,
    pub(super) seconds: f64,
    /// The memory of command-service once it was ready.
    pub(super) mib: f64,
}

/// All measurements.
#[derive(Debug)]
pub(super) struct Report {
    machine: String,
    tickets: u64,
    sizes: Sizes,
    measured: Vec<(Load, Side, Measured)>,
    /// Of each desk: how it was before, and the memory of command-service at the end.
    memory: Vec<(Side, Filled, f64)>,
}

impl Report {
    pub(super) fn new(machine: String, tickets: u64, sizes: Sizes) -> Self {
        Self {
            machine,
            tickets,
            sizes,
            measured: Vec::new(),
            memory: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, load: Load, side: Side, measured: Measured) {
        self.measured.push((load, side, measured));
    }

    pub(super) fn memory(&mut self, side: Side, filled: Filled, mib: f64) {
        self.memory.push((side, filled, mib));
    }

    /// The median of something over all rounds.
    fn median(&self, load: Load, side: Side, what: impl Fn(&Measured) -> f64) -> f64 {
        let of_these = self.measured.iter().filter(|(l, s, _)| (*l, *s) == (load, side));
        median(of_these.map(|(.., measured)| what(measured)).collect())
    }

    fn row(&self, load: Load) -> String {
        let [bare, peopled] = Side::ALL.map(|side| {
            let per_second = self.median(load, side, |measured| measured.per_second);
            (per_second, self.median(load, side, |measured| measured.p50_ms))
        });
        format!(
            "| {} | {:.0} | {:.2} | {:.0} | {:.2} | {:.2} |",
            load.name(),
            bare.0,
            bare.1,
            peopled.0,
            peopled.1,
            peopled.0 / bare.0
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sizes {
            users,
            organisations,
            groups,
        } = self.sizes;
        writeln!(f, "# What checking access costs\n\n{}", self.machine)?;
        writeln!(
            f,
            "* {} tickets on both desks at first; on the peopled one {users} users, {organisations} organisations, \
             {groups} groups\n",
            self.tickets
        )?;
        writeln!(
            f,
            "| load | bare: per s | bare: p50, ms | peopled: per s | peopled: p50, ms | peopled / bare |\n\
             |---|---:|---:|---:|---:|---:|"
        )?;
        for load in Load::all() {
            writeln!(f, "{}", self.row(load))?;
        }
        writeln!(f)?;
        for (side, filled, mib) in &self.memory {
            let side = side.as_str();
            if filled.profiles > 0 {
                let rate = super::float(u64::try_from(filled.profiles).unwrap_or(u64::MAX)) / filled.seconds;
                writeln!(
                    f,
                    "* {side}: {} profiles were written in {:.1} s, {rate:.0} a second",
                    filled.profiles, filled.seconds
                )?;
            }
            writeln!(
                f,
                "* {side}: command-service holds {:.1} MiB once ready, {mib:.1} MiB at the end",
                filled.mib
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_medians_of_its_own_load_and_their_ratio() {
        let sizes = Sizes {
            users: 1,
            organisations: 1,
            groups: 1,
        };
        let mut report = Report::new(String::new(), 1, sizes);
        let [load, other] = [0, 1].map(|n| Load::all().nth(n).unwrap());
        for (bare, peopled) in [(100.0, 80.0), (200.0, 190.0), (900.0, 700.0)] {
            let measured = |per_second| Measured {
                per_second,
                p50_ms: 1_000.0 / per_second,
            };
            report.add(load, Side::Bare, measured(bare));
            report.add(load, Side::Peopled, measured(peopled));
            report.add(other, Side::Bare, measured(1.0));
        }
        let row = report.row(load);
        assert!(row.ends_with("| 200 | 5.00 | 190 | 5.26 | 0.95 |"), "{row}");
    }
}
