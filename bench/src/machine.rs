//! What the figures were measured on.

use std::{
    fs::{self, File},
    io::Write as _,
    num::NonZeroUsize,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use servers::wait;

use crate::{process, site, statistics::float};

/// How long the disk is tried.
const DISK_TRIAL: Duration = Duration::from_secs(1);
/// About a record.
const DISK_WRITE: [u8; 512] = [7; 512];

/// Others count as busy from this share of all processors on. Some of it is the kernel's own work for those who are
/// measured.
pub(crate) const DISTURBED: f64 = 0.10;
/// How long others are watched before a measurement.
const WATCH: Duration = Duration::from_millis(500);

/// Whether others use the machine. Takes a moment to find out.
pub(crate) fn others_are_busy() -> bool {
    let before = process::machine_time();
    let _ = wait::sleep(WATCH);
    share(process::machine_time().saturating_sub(before), WATCH) > DISTURBED
}

/// What share of all processors it is to use `time` of them within a stretch.
pub(crate) fn share(time: Duration, within: Duration) -> f64 {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    time.as_secs_f64() / within.as_secs_f64() / float(u64::try_from(processors).unwrap_or(1))
}

/// The machine, its system, and the versions, one on each line.
pub(crate) fn describe(dir: &Path) -> anyhow::Result<String> {
    let cores = thread::available_parallelism()?;
    let memory_kib: u64 = line_of("/proc/meminfo", "MemTotal:")
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .unwrap_or(0);
    let processor = line_of("/proc/cpuinfo", "model name");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Ok(format!(
        "* {cores} cores ({}), {} GiB of memory, Linux {}\n\
         * disk: {:.0} times a second 512 bytes appended and synced, one after the other\n\
         * nats-server {}, {}, revision {}\n\
         * load of the machine before the start: {}",
        processor.trim_start_matches([' ', '\t', ':']),
        memory_kib / (1024 * 1024),
        kernel.trim(),
        synced_writes(dir)?,
        site::nats_server()?.version,
        said_by("rustc", &["--version"]),
        said_by("git", &["rev-parse", "--short", "HEAD"]),
        load.split(' ').next().unwrap_or_default(),
    ))
}

/// What follows `name` at the beginning of a line of a file.
fn line_of(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The first line that a program says.
fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// How often a second something is appended to a file and is then on the disk.
fn synced_writes(dir: &Path) -> anyhow::Result<f64> {
    let path = dir.join("disk-trial");
    let mut file = File::create(&path)?;
    let started = Instant::now();
    let mut writes: u64 = 0;
    while started.elapsed() < DISK_TRIAL {
        file.write_all(&DISK_WRITE)?;
        file.sync_data()?;
        writes += 1;
    }
    let per_second = float(writes) / started.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(per_second)
}
