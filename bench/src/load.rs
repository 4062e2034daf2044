//! Closed loops: so many callers, each of which asks again once it has its answer.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use futures::future::try_join_all;
use tokio::time::Instant;

use crate::{
    http::Connection,
    process,
    requests::{ID_BYTES, Keys, Template},
    statistics::percentile,
};

/// What counts: answers after the warm-up and before the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    from: Instant,
    to: Instant,
}

/// How long to warm up and to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Durations {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

impl Window {
    pub(crate) fn starting_now(durations: Durations) -> Self {
        let from = Instant::now() + durations.warm_up;
        Self {
            from,
            to: from + durations.measured,
        }
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.to
    }

    pub(crate) fn counts(&self, now: Instant) -> bool {
        (self.from..self.to).contains(&now)
    }
}

/// What callers saw.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// Answers within the window.
    pub(crate) done: u64,
    /// How long each of them took, in microseconds.
    pub(crate) micros: Vec<u32>,
}

impl Sample {
    /// Notes an answer that came at `now` to a request sent at `sent`.
    pub(crate) fn note(&mut self, window: &Window, sent: Instant, now: Instant) {
        if window.counts(now) {
            self.done += 1;
            self.micros
                .push(u32::try_from(now.duration_since(sent).as_micros()).unwrap_or(u32::MAX));
        }
    }

    pub(crate) fn sum(samples: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for sample in samples {
            sum.done += sample.done;
            sum.micros.extend(sample.micros);
        }
        sum.micros.sort_unstable();
        sum
    }

    pub(crate) fn p50(&self) -> Duration {
        percentile(&self.micros, 50)
    }

    pub(crate) fn p99(&self) -> Duration {
        percentile(&self.micros, 99)
    }
}

/// `connections` callers go through `script` again and again.
pub(crate) async fn callers(
    address: SocketAddr,
    script: &[Template],
    connections: usize,
    window: Window,
) -> anyhow::Result<Sample> {
    let callers = (0..connections).map(|_| caller(address, script.to_vec(), window));
    Ok(Sample::sum(try_join_tasks(callers).await?))
}

/// Runs the futures as tasks; the first failure is the failure of all.
pub(crate) async fn try_join_tasks<F>(futures: impl Iterator<Item = F>) -> anyhow::Result<Vec<Sample>>
where
    F: Future<Output = anyhow::Result<Sample>> + Send + 'static,
{
    let tasks = futures.map(|future| {
        let task = tokio::spawn(future);
        async move { task.await.context("a caller panicked")? }
    });
    try_join_all(tasks).await
}

async fn caller(address: SocketAddr, mut script: Vec<Template>, window: Window) -> anyhow::Result<Sample> {
    let mut connection = Connection::open(address).await?;
    let mut keys = Keys::new();
    let mut ticket = [b'0'; ID_BYTES];
    let mut sample = Sample::default();
    let mut sent = Instant::now();
    loop {
        for template in &mut script {
            let answer = connection.exchange(template.fill(&mut keys, &ticket)).await?;
            if !template.needs_ticket() {
                ticket = id_in(answer).unwrap_or(ticket);
            }
            let now = Instant::now();
            sample.note(&window, sent, now);
            if window.is_over(now) {
                return Ok(sample);
            }
            sent = now;
        }
    }
}

/// The id in the answer to a creation.
pub(crate) fn id_in(answer: &[u8]) -> Option<[u8; ID_BYTES]> {
    const BEFORE: &[u8] = b"\"id\":\"";
    let at = answer.windows(BEFORE.len()).position(|window| window == BEFORE)? + BEFORE.len();
    answer.get(at..at + ID_BYTES)?.try_into().ok()
}

/// Processor time that was used within a window.
#[derive(Debug)]
pub(crate) struct Used {
    /// By each of the processes that were asked about.
    pub(crate) by: Vec<Duration>,
    /// By everybody else.
    pub(crate) by_others: Duration,
}

/// Processor time of these processes, and of everybody else, within the window.
pub(crate) async fn cpu_within(window: Window, pids: Vec<u32>) -> Used {
    let times = || -> Vec<Duration> { pids.iter().map(|pid| process::cpu_time(*pid)).collect() };
    tokio::time::sleep_until(window.from).await;
    let (before, machine_before) = (times(), process::machine_time());
    tokio::time::sleep_until(window.to).await;
    let (after, machine) = (times(), process::machine_time().saturating_sub(machine_before));
    let by: Vec<Duration> = after
        .into_iter()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before))
        .collect();
    let by_others = machine.saturating_sub(by.iter().sum());
    Used { by, by_others }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_the_answer() {
        let answer = br#"{"id":"0190b2a4-0000-4000-8000-000000000001","number":1}"#;
        assert_eq!(&id_in(answer).unwrap(), b"0190b2a4-0000-4000-8000-000000000001");
        assert_eq!(id_in(b"{}"), None);
    }

    #[test]
    fn only_answers_within_the_window_count() {
        let durations = Durations {
            warm_up: Duration::from_secs(1),
            measured: Duration::from_secs(2),
        };
        let window = Window::starting_now(durations);
        let mut sample = Sample::default();
        for second in [0, 1, 2, 3] {
            let now = window.from + Duration::from_secs(second) - Duration::from_millis(1);
            sample.note(&window, now, now);
        }
        assert_eq!(sample.done, 2);
    }
}
