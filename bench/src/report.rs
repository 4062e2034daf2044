//! The tables, in Markdown, as `docs/benchmarks.md` holds them.

use std::{collections::BTreeMap, fmt, time::Duration};

use servers::nats::Sync;

use crate::{
    cell::{self, Cell, Load},
    machine,
    process::Memory,
    statistics::{float, median},
};

/// Durable commands a second of the fastest event-sourcing library for Rust on Postgres 15 (cqrs-es), in process and
/// without HTTP, with 64 tasks on a machine like this.
const BEST_LIBRARY_PER_SECOND: f64 = 2900.0;

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) cpu: Cpu,
    /// The share of all processors that others used meanwhile.
    pub(crate) others: f64,
    pub(crate) nats_resident_kib: u64,
    pub(crate) service_resident_kib: Option<u64>,
}

impl Measured {
    /// Whether others used the machine meanwhile.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.others > machine::DISTURBED
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s, others {:.0} %", self.per_second, self.others * 100.0)
    }
}

/// Processor time for each request, in microseconds. On a machine whose processors are all busy the sum decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) generator: f64,
    pub(crate) nats: f64,
    pub(crate) service: Option<f64>,
}

/// All measurements.
#[derive(Debug)]
pub(crate) struct Report {
    machine: String,
    measured: Vec<(Cell, Vec<Measured>)>,
    idle: BTreeMap<String, (u64, Memory)>,
    /// Bytes of the record of a creation.
    pub(crate) record_bytes: usize,
    /// Bytes of log for a ticket that was created and nothing more.
    pub(crate) create: f64,
    /// Bytes of log for a ticket's whole life.
    pub(crate) life: f64,
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        let measured = cell::all().map(|cell| (cell, Vec::new())).collect();
        Self {
            machine,
            measured,
            idle: BTreeMap::new(),
            record_bytes: 0,
            create: 0.0,
            life: 0.0,
        }
    }

    pub(crate) fn add(&mut self, cell: Cell, measured: Measured) {
        if let Some((_, all)) = self.measured.iter_mut().find(|(known, _)| *known == cell) {
            all.push(measured);
        }
    }

    pub(crate) fn idle(&mut self, processes: BTreeMap<String, (u64, Memory)>) {
        self.idle = processes;
    }

    /// The median of something over all rounds. `None`: it was not measured.
    fn median(&self, load: Load, sync: Sync, what: impl Fn(&Measured) -> f64) -> Option<f64> {
        let (_, all) = self.measured.iter().find(|(cell, _)| *cell == Cell { load, sync })?;
        (!all.is_empty()).then(|| median(all.iter().map(what).collect()))
    }

    fn ratio(&self, desk: Load, limit: Load, sync: Sync) -> Option<f64> {
        let of = |load| self.median(load, sync, |measured| measured.per_second);
        Some(of(desk)? / of(limit)?)
    }

    fn idle_mib(&self) -> Option<f64> {
        let kib: u64 = self.idle.values().map(|(_, memory)| memory.proportional_kib).sum();
        (kib > 0).then(|| float(kib) / 1024.0)
    }

    fn bars(&self) -> Vec<Bar> {
        let (creates, bare) = (Load::Creates { connections: 64 }, Load::Bare { connections: 64 });
        let bulk = cell::all()
            .map(|cell| cell.load)
            .find(|load| matches!(load, Load::Bulk { .. }));
        let library = |creates: f64| creates / BEST_LIBRARY_PER_SECOND;
        vec![
            Bar::at_least(
                "creates ÷ bare handler, 64 connections, lazy",
                0.7,
                self.ratio(creates, bare, Sync::Lazy),
            ),
            Bar::at_least(
                "creates, 64 connections ÷ raw publisher, 64 in flight, lazy",
                0.4,
                self.ratio(creates, Load::Raw { in_flight: 64 }, Sync::Lazy),
            ),
            Bar::at_least(
                "creates ÷ bare handler, 64 connections, always",
                0.9,
                self.ratio(creates, bare, Sync::Always),
            ),
            Bar::at_least(
                "bulk ÷ raw publisher, 2048 in flight, lazy",
                0.5,
                bulk.and_then(|bulk| self.ratio(bulk, Load::Raw { in_flight: 2048 }, Sync::Lazy)),
            ),
            Bar::at_least(
                "creates, 64 connections, always ÷ the best library's 2,900/s",
                2.0,
                self.median(creates, Sync::Always, |measured| measured.per_second)
                    .map(library),
            ),
            Bar {
                what: "whole desk idle, MiB",
                limit: 250.0,
                least: false,
                found: self.idle_mib(),
            },
        ]
    }

    fn throughput(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| load | lazy: a second | p50 ms | p99 ms | always: a second | p50 ms | p99 ms |"
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|")?;
        for load in loads() {
            write!(f, "| {load} |")?;
            for sync in [Sync::Lazy, Sync::Always] {
                let of = |what: fn(&Measured) -> f64| Cellular(self.median(load, sync, what));
                let rate = of(|measured| measured.per_second);
                let p50 = of(|measured| measured.p50.as_secs_f64() * 1e3);
                let p99 = of(|measured| measured.p99.as_secs_f64() * 1e3);
                write!(f, " {rate:.0} | {p50:.2} | {p99:.2} |")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| load, lazy | service µs | nats-server µs | generator µs | service MiB | nats-server MiB |"
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        for load in loads() {
            let of = |what: fn(&Measured) -> f64| Cellular(self.median(load, Sync::Lazy, what));
            let service = of(|measured| measured.cpu.service.unwrap_or_default());
            let (nats, generator) = (of(|measured| measured.cpu.nats), of(|measured| measured.cpu.generator));
            let service_mib = of(|measured| mib(measured.service_resident_kib.unwrap_or_default()));
            let nats_mib = of(|measured| mib(measured.nats_resident_kib));
            writeln!(
                f,
                "| {load} | {service:.1} | {nats:.1} | {generator:.1} | {service_mib:.0} | {nats_mib:.0} |"
            )?;
        }
        Ok(())
    }

    fn memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| process of the idle desk | number | its share of memory, MiB | resident, MiB |"
        )?;
        writeln!(f, "|---|---:|---:|---:|")?;
        let mut total = (0, Memory::default());
        for (name, (count, memory)) in &self.idle {
            row(f, name, *count, *memory)?;
            total.0 += count;
            total.1 += *memory;
        }
        row(f, "all", total.0, total.1)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, count: u64, memory: Memory) -> fmt::Result {
    writeln!(
        f,
        "| {name} | {count} | {:.0} | {:.0} |",
        mib(memory.proportional_kib),
        mib(memory.resident_kib)
    )
}

fn loads() -> impl Iterator<Item = Load> {
    cell::all().filter(|cell| cell.sync == Sync::Lazy).map(|cell| cell.load)
}

fn mib(kib: u64) -> f64 {
    float(kib) / 1024.0
}

/// A figure, or a dash where there is none.
struct Cellular(Option<f64>);

impl fmt::Display for Cellular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("–"),
        }
    }
}

/// What is to be reached.
struct Bar {
    what: &'static str,
    limit: f64,
    /// Whether the limit is the least, or else the most.
    least: bool,
    found: Option<f64>,
}

impl Bar {
    fn at_least(what: &'static str, limit: f64, found: Option<f64>) -> Self {
        Self {
            what,
            limit,
            least: true,
            found,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.found {
            None => "not measured",
            Some(found) if (found >= self.limit) == self.least => "reached",
            Some(_) => "**missed**",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n| bar | wanted | found | |\n|---|---:|---:|---|", self.machine)?;
        for bar in self.bars() {
            let sign = if bar.least { '≥' } else { '≤' };
            let digits = if bar.least { 2 } else { 0 };
            let (limit, found) = (bar.limit, Cellular(bar.found));
            writeln!(
                f,
                "| {} | {sign} {limit:.digits$} | {found:.digits$} | {} |",
                bar.what,
                bar.verdict()
            )?;
        }
        writeln!(f)?;
        self.throughput(f)?;
        writeln!(f)?;
        self.costs(f)?;
        writeln!(f)?;
        self.memory(f)?;
        writeln!(
            f,
            "\nA creation's record has {} bytes and takes {:.0} bytes of log; the seven records of a whole life take \
             {:.0} bytes together.",
            self.record_bytes, self.create, self.life
        )?;
        let all = || self.measured.iter().flat_map(|(_, all)| all);
        let disturbed = all().filter(|measured| measured.is_disturbed()).count();
        let limit = machine::DISTURBED * 100.0;
        writeln!(
            f,
            "{disturbed} of {} measurements were disturbed: others used more than {limit:.0} % of the processors.",
            all().count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64) -> Measured {
        Measured {
            per_second,
            p50: Duration::from_micros(1500),
            p99: Duration::from_millis(3),
            others: 0.0,
            cpu: Cpu {
                generator: 1.0,
                nats: 2.0,
                service: None,
            },
            nats_resident_kib: 2048,
            service_resident_kib: None,
        }
    }

    #[test]
    fn a_bar_compares_medians_of_the_same_run() {
        let mut report = Report::new(String::new());
        let cell = |load| Cell { load, sync: Sync::Lazy };
        for rate in [700.0, 1.0, 900.0] {
            report.add(cell(Load::Creates { connections: 64 }), measured(rate));
            report.add(cell(Load::Bare { connections: 64 }), measured(1000.0));
        }
        let text = report.to_string();
        assert!(
            text.contains("| creates ÷ bare handler, 64 connections, lazy | ≥ 0.70 | 0.70 | reached |"),
            "{text}"
        );
        assert!(
            text.contains("| whole desk idle, MiB | ≤ 250 | – | not measured |"),
            "{text}"
        );
        assert!(
            text.contains("| **desk**: creates, 64 connections | 700 | 1.50 | 3.00 | – | – | – |"),
            "{text}"
        );
    }
}
