//! Processes under load: started so that they end with this one, and looked at through `/proc`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use servers::{
    Child, Launcher,
    child::Manners,
    launch::Launch,
    wait::{self, Waited},
};

/// What is measured starts in less than a second; but a kept desk whose tables another release made is filled from its
/// log first, which takes some minutes for each million tickets.
const READY_LIMIT: Duration = Duration::from_hours(1);
/// Linux reports processor time in hundredths of a second.
const MICROS_PER_TICK: u64 = 10_000;

/// Starts a program that ends with this process. What it says on standard error goes to a file.
pub(crate) fn start(
    program: &Path,
    args: &[&str],
    environment: &[(&str, &str)],
    messages: &Path,
) -> anyhow::Result<Child> {
    let launch = Launch {
        program: program.to_owned(),
        args: args.iter().map(Into::into).collect(),
        user: None,
        on_parent_death: Signal::SIGTERM,
        reach: None,
    };
    let mut command = Launcher::this_executable()?.command(&launch);
    let messages = fs::File::create(messages).with_context(|| format!("cannot write {}", messages.display()))?;
    command
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(messages.try_clone()?)
        .stderr(messages);
    let manners = Manners {
        polite: Signal::SIGTERM,
        rude: Signal::SIGKILL,
    };
    Child::spawn(command, manners).with_context(|| format!("cannot start {}", program.display()))
}

/// Waits until `ready` holds, unless the process ends before.
pub(crate) fn wait_ready(child: &mut Child, messages: &Path, ready: impl Fn() -> bool) -> anyhow::Result<()> {
    let waited = wait::until(READY_LIMIT, &mut wait::sleep, || match child.try_wait() {
        Some(status) => Some(Err(anyhow::anyhow!("it ended: {status}"))),
        None => ready().then_some(Ok(())),
    });
    let outcome = match waited {
        Waited::Done(outcome) => outcome,
        Waited::TimedOut | Waited::Interrupted => Err(anyhow::anyhow!("it was not ready in time")),
    };
    outcome.with_context(|| format!("see {}:\n{}", messages.display(), last_lines(messages)))
}

/// The end of a file, for messages.
fn last_lines(file: &Path) -> String {
    const LINES: usize = 12;
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(LINES)..)
        .unwrap_or_default()
        .join("\n")
}

/// Processor time that a process has used, in user and kernel mode.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    // The name may contain spaces; what follows its closing parenthesis does not.
    let ticks = stat(pid).and_then(|stat| {
        let mut fields = stat.skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let kernel: u64 = fields.next()?.parse().ok()?;
        Some(user + kernel)
    });
    Duration::from_micros(ticks.unwrap_or_default() * MICROS_PER_TICK)
}

/// Processor time that the whole machine has used, and that its host has taken from it.
pub(crate) fn machine_time() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = text.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1);
    // user, nice, system, (idle, iowait,) irq, softirq, steal; the rest is counted in these.
    let used = fields.take(8).enumerate().filter(|(at, _)| ![3, 4].contains(at));
    let ticks: u64 = used.filter_map(|(_, ticks)| ticks.parse::<u64>().ok()).sum();
    Duration::from_micros(ticks * MICROS_PER_TICK)
}

/// The fields of a process's `stat` after its name, from the state on.
fn stat(pid: u32) -> Option<impl Iterator<Item = String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<String> = fields.split_ascii_whitespace().map(str::to_owned).collect();
    Some(fields.into_iter())
}

/// Memory of a process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// All pages in memory, those shared with others in full.
    pub(crate) resident_kib: u64,
    /// The same, shared pages divided among those that share them. These can be added up.
    pub(crate) proportional_kib: u64,
}

impl std::ops::AddAssign for Memory {
    fn add_assign(&mut self, other: Self) {
        self.resident_kib += other.resident_kib;
        self.proportional_kib += other.proportional_kib;
    }
}

/// The memory of a process now; nothing if it is gone.
pub(crate) fn memory(pid: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    Memory {
        resident_kib: field("Rss:"),
        proportional_kib: field("Pss:"),
    }
}

/// A process and all that it started, directly or not.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let parent = stat(pid)?.nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(processes.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// What a process is, by its arguments: `recourse serve`, `nats-server`, `postgres`.
pub(crate) fn name(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split(['\0', ' ']).filter(|word| !word.is_empty());
    let program = words.next().map(PathBuf::from);
    let program = program
        .as_deref()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy();
    // Postgres writes `postgres: checkpointer` and the like in place of its arguments.
    let program = program.trim_end_matches(':').to_owned();
    match words.next() {
        Some(subcommand) if program == "recourse" => format!("{program} {subcommand}"),
        Some(_) | None => program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_belongs_to_its_own_tree() {
        let own = std::process::id();
        assert!(memory(own).resident_kib >= memory(own).proportional_kib.min(1));
        assert!(tree(own).contains(&own));
        assert!(!name(own).is_empty());
    }
}
