//! `bench commands`: rounds of measurements, limits and desk in turns, and their medians.

use std::{
    env,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use servers::{Child, nats::Sync};
use tokio::runtime::Runtime;

use crate::{
    bulk,
    cell::{self, Cell, Load},
    idle,
    load::{self, Durations, Sample, Window},
    machine, process, raw,
    report::{Cpu, Measured, Report},
    requests,
    site::{self, LogSize, Site},
    statistics::float,
};

/// What to measure, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each measurement takes, after the warm-up.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each measurement.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds to wait, at each measurement, for others to leave the machine alone. After that it counts as disturbed.
    #[arg(long, default_value_t = 60.0)]
    patience: f64,
    /// Only what has this in its name, such as "64" or "bulk".
    #[arg(long)]
    only: Option<String>,
    /// Leave out the memory of the idle desk.
    #[arg(long)]
    skip_idle: bool,
    /// The program of the desk. `cargo xtask bench` names the one that it has built.
    #[arg(long, env = "RECOURSE_BIN", default_value = "target/release/recourse")]
    recourse: PathBuf,
    /// Where the logs are kept meanwhile: on a real disk, or syncing costs nothing. Default: where this program is.
    #[arg(long)]
    dir: Option<PathBuf>,
}

struct Bench {
    recourse: PathBuf,
    own: PathBuf,
    dir: PathBuf,
    durations: Durations,
    /// What the desk stores for the creation that the generator sends.
    record: Bytes,
    /// The load generator has one thread, so that it is the same in every measurement.
    runtime: Runtime,
}

/// Measures, and prints the tables.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let own = env::current_exe().context("cannot find this executable")?;
    let beside = own.parent().map(PathBuf::from).context("this executable is nowhere")?;
    let dir = args.dir.clone().unwrap_or(beside);
    let recourse = args
        .recourse
        .canonicalize()
        .with_context(|| format!("cannot find {}", args.recourse.display()))?;
    let mut report = Report::new(machine::describe(&dir)?);
    let durations = Durations {
        warm_up: Duration::from_secs_f64(args.warm_up),
        measured: Duration::from_secs_f64(args.seconds),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut bench = Bench {
        recourse,
        own,
        dir,
        durations,
        record: Bytes::new(),
        runtime,
    };
    bench.look_at_the_log(&mut report)?;
    for round in 1..=args.rounds {
        let mut cells: Vec<Cell> = cell::all().filter(|cell| wanted(args, *cell)).collect();
        // Every other round backwards, so that what comes later in a round is not always the same.
        if round % 2 == 0 {
            cells.reverse();
        }
        for cell in cells {
            let measured = bench
                .measure_undisturbed(cell, args)
                .with_context(|| cell.to_string())?;
            say(&format!("round {round}: {cell}: {measured}"));
            report.add(cell, measured);
        }
    }
    if !args.skip_idle {
        say("the idle desk");
        report.idle(idle::measure(&bench.recourse, &bench.dir)?);
    }
    print(&report.to_string());
    Ok(())
}

fn wanted(args: &Args, cell: Cell) -> bool {
    args.only.as_ref().is_none_or(|only| cell.to_string().contains(only))
}

impl Bench {
    /// Finds out what the desk stores for the generator's tickets: the bytes that the limits are to publish.
    fn look_at_the_log(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let window = |_: &Self| Durations {
            warm_up: Duration::ZERO,
            measured: Duration::from_millis(300),
        };
        let (size, record) = self.log_after(Load::Creates { connections: 1 }, window(self))?;
        report.create = per_ticket(size, size.records);
        report.record_bytes = record.len();
        self.record = record;
        // One caller stops at any point of its last life; that is one of hundreds.
        let (size, _) = self.log_after(Load::Lives { connections: 1 }, window(self))?;
        report.life = per_ticket(size, size.records / 7);
        Ok(())
    }

    fn log_after(&self, load: Load, durations: Durations) -> anyhow::Result<(LogSize, Bytes)> {
        let site = self.runtime.block_on(Site::start(&self.dir, Sync::Lazy))?;
        let (address, _desk) = self.start_desk(&site)?;
        self.runtime.block_on(async {
            let window = Window::starting_now(durations);
            load_http(load, address, &site, window).await?;
            Ok((
                site::log_size(&site.url()).await?,
                site::first_record(&site.url()).await?,
            ))
        })
    }

    /// One measurement, repeated while others disturb it and patience lasts.
    fn measure_undisturbed(&self, cell: Cell, args: &Args) -> anyhow::Result<Measured> {
        let impatient = Instant::now() + Duration::from_secs_f64(args.patience);
        loop {
            while machine::others_are_busy() && Instant::now() < impatient {}
            let measured = self.measure(cell)?;
            if !measured.is_disturbed() || Instant::now() >= impatient {
                return Ok(measured);
            }
            say(&format!("disturbed, and taken again: {cell}: {measured}"));
        }
    }

    /// One measurement, on a log of its own.
    fn measure(&self, cell: Cell) -> anyhow::Result<Measured> {
        // Writes that others left for the disk to do later are not to be done meanwhile.
        nix::unistd::sync();
        let mut site = self.runtime.block_on(Site::start(&self.dir, cell.sync))?;
        let nats = site.nats_pid();
        if let Load::Raw { in_flight } = cell.load {
            let client = self.runtime.block_on(site::connect(&site.url()))?;
            return self.take(&[nats], |window| {
                raw::publishers(client, self.record.clone(), in_flight, window)
            });
        }
        let (address, service) = if cell.load.is_desk() {
            self.start_desk(&site)?
        } else {
            self.start_bare(&site)?
        };
        let pids = [nats, service.id()];
        self.take(&pids, |window| load_http(cell.load, address, &site, window))
    }

    /// Runs a load and looks at the processes meanwhile: nats-server, then the service if there is one.
    fn take<F: Future<Output = anyhow::Result<Sample>>>(
        &self,
        pids: &[u32],
        load: impl FnOnce(Window) -> F,
    ) -> anyhow::Result<Measured> {
        let processes: Vec<u32> = std::iter::once(std::process::id())
            .chain(pids.iter().copied())
            .collect();
        let (sample, used) = self.runtime.block_on(async {
            let window = Window::starting_now(self.durations);
            tokio::join!(load(window), load::cpu_within(window, processes))
        });
        let sample = sample?;
        let per_request = |time: &Duration| time.as_secs_f64() * 1e6 / float(sample.done.max(1));
        let mut cpu = used.by.iter().map(per_request);
        let mut memory = pids.iter().map(|pid| process::memory(*pid).resident_kib);
        Ok(Measured {
            per_second: float(sample.done) / self.durations.measured.as_secs_f64(),
            p50: sample.p50(),
            p99: sample.p99(),
            cpu: Cpu {
                generator: cpu.next().unwrap_or_default(),
                nats: cpu.next().unwrap_or_default(),
                service: cpu.next(),
            },
            others: machine::share(used.by_others, self.durations.measured),
            nats_resident_kib: memory.next().unwrap_or_default(),
            service_resident_kib: memory.next(),
        })
    }

    /// `recourse command-service`, as in production.
    fn start_desk(&self, site: &Site) -> anyhow::Result<(SocketAddr, Child)> {
        let address = idle::free_address()?;
        let messages = site.file("command-service.log");
        let args = ["command-service", "--listen", &address.to_string()];
        let mut child = process::start(&self.recourse, &args, &[("RECOURSE_NATS_URL", &site.url())], &messages)?;
        process::wait_ready(&mut child, &messages, || idle::is_ready(address))?;
        Ok((address, child))
    }

    fn start_bare(&self, site: &Site) -> anyhow::Result<(SocketAddr, Child)> {
        let address = idle::free_address()?;
        let (messages, record) = (site.file("bare-handler.log"), site.file("record"));
        std::fs::write(&record, &self.record)?;
        let record = record.to_string_lossy();
        let args = ["bare-handler", "--listen", &address.to_string(), "--record", &record];
        let mut child = process::start(&self.own, &args, &[("RECOURSE_NATS_URL", &site.url())], &messages)?;
        process::wait_ready(&mut child, &messages, || TcpStream::connect(address).is_ok())?;
        Ok((address, child))
    }
}

async fn load_http(load: Load, address: SocketAddr, site: &Site, window: Window) -> anyhow::Result<Sample> {
    match load {
        Load::Raw { .. } => anyhow::bail!("a raw publisher has no address"),
        Load::Bare { connections } | Load::Creates { connections } => {
            load::callers(address, &[requests::create(&site.tokens)], connections, window).await
        }
        Load::Lives { connections } => load::callers(address, &requests::life(&site.tokens), connections, window).await,
        Load::Bulk { connections } => bulk::callers(address, &site.tokens, connections, window).await,
    }
}

fn per_ticket(size: LogSize, tickets: u64) -> f64 {
    float(size.bytes) / float(tickets.max(1))
}

#[expect(clippy::print_stderr, reason = "progress of something that takes minutes")]
pub(crate) fn say(what: &str) {
    eprintln!("bench: {what}");
}

#[expect(clippy::print_stdout, reason = "this is what the command was asked for")]
pub(crate) fn print(report: &str) {
    println!("{report}");
}
