//! From the acknowledgement of a command to the list that shows it, while the desk has half of what it can take.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use service_kit::{SystemClock, clock::pause};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{fills, state::Visible};
use crate::{
    desk::{Desk, Service},
    http::{Connection, is_success},
    load::{self, Durations, Sample, Window, try_join_tasks},
    requests::{self, ID_BYTES, Keys, Template, Tokens},
    statistics::{float, percentile},
};

/// Callers of the load.
const CONNECTIONS: usize = 64;
/// How long the peak is looked for.
const PEAK: Durations = Durations {
    warm_up: Duration::from_secs(1),
    measured: Duration::from_secs(5),
};
/// How long visibility is measured.
const HALF: Durations = Durations {
    warm_up: Duration::from_secs(2),
    measured: Duration::from_secs(20),
};
/// Between one probe's answer and the next probe.
const PROBE_PAUSE: Duration = Duration::from_millis(10);
/// How long the projector may take for what the peak left behind.
const CATCH_UP: Duration = Duration::from_mins(5);

/// Finds the peak, and then measures under half of it.
pub(crate) async fn measure(
    desk: &Desk,
    commands: &Service,
    queries: &Service,
    tokens: &Tokens,
) -> anyhow::Result<Visible> {
    let script = requests::life(tokens);
    let window = Window::starting_now(PEAK);
    let peak = load::callers(commands.address, &script, CONNECTIONS, window).await?;
    let peak = float(peak.done) / PEAK.measured.as_secs_f64();
    fills::caught_up(desk, CATCH_UP).await?;
    let window = Window::starting_now(HALF);
    let paced = paced(commands.address, &script, peak / 2.0, window);
    let probes = probe(commands.address, queries.address, tokens, window);
    let (paced, probes) = tokio::join!(paced, probes);
    let mut micros = probes?.micros;
    micros.sort_unstable();
    let ms = |hundredths| percentile(&micros, hundredths).as_secs_f64() * 1e3;
    Ok(Visible {
        peak,
        load: float(paced?.done) / HALF.measured.as_secs_f64(),
        probes: u64::try_from(micros.len()).unwrap_or_default(),
        p50_ms: ms(50),
        p99_ms: ms(99),
    })
}

/// Callers who give so many commands a second together, each of them the next one at its time.
async fn paced(address: SocketAddr, script: &[Template], rate: f64, window: Window) -> anyhow::Result<Sample> {
    let connections = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let period = Duration::from_secs_f64(f64::from(connections) / rate);
    let callers = (0..connections).map(|number| {
        let first = Instant::now() + period * number / connections;
        paced_caller(address, script.to_vec(), first, period, window)
    });
    Ok(Sample::sum(try_join_tasks(callers).await?))
}

async fn paced_caller(
    address: SocketAddr,
    mut script: Vec<Template>,
    first: Instant,
    period: Duration,
    window: Window,
) -> anyhow::Result<Sample> {
    let mut connection = Connection::open(address).await?;
    let (mut keys, mut ticket, mut sample) = (Keys::new(), [b'0'; ID_BYTES], Sample::default());
    let mut ticks = interval_at(first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        for template in &mut script {
            ticks.tick().await;
            let sent = Instant::now();
            let answer = connection.exchange(template.fill(&mut keys, &ticket)).await?;
            if !template.needs_ticket() {
                ticket = load::id_in(answer).unwrap_or(ticket);
            }
            let now = Instant::now();
            sample.note(&window, sent, now);
            if window.is_over(now) {
                return Ok(sample);
            }
        }
    }
}

/// Creates a ticket, and asks for the list with that ticket as soon as it is acknowledged, again and again.
async fn probe(commands: SocketAddr, queries: SocketAddr, tokens: &Tokens, window: Window) -> anyhow::Result<Sample> {
    let (mut writing, mut reading) = (Connection::open(commands).await?, Connection::open(queries).await?);
    let (mut create, mut keys) = (requests::create(tokens), Keys::new());
    let mut sample = Sample::default();
    while !window.is_over(Instant::now()) {
        let answer = writing.ask(create.fill(&mut keys, &[b'0'; ID_BYTES])).await?;
        anyhow::ensure!(
            is_success(answer.status),
            "a creation was answered with status {}",
            answer.status
        );
        let acknowledged = Instant::now();
        let position = answer
            .header("Commit-Position")
            .context("no Commit-Position")?
            .to_owned();
        let body: serde_json::Value = serde_json::from_slice(answer.body)?;
        let number = body.get("number").context("no number")?.to_string();
        let request = format!(
            "GET /v1/tickets?number={number}&fields=number HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \
             {}\r\nMin-Position: {position}\r\nMax-Wait-Ms: 10000\r\n\r\n",
            tokens.staff
        );
        let answer = reading.ask(request.as_bytes()).await?;
        let shown = String::from_utf8_lossy(answer.body).contains(&format!("\"number\":{number}"));
        anyhow::ensure!(
            is_success(answer.status) && shown,
            "a ticket was not in the list; status {}",
            answer.status
        );
        sample.note(&window, acknowledged, Instant::now());
        pause(&SystemClock, PROBE_PAUSE).await;
    }
    Ok(sample)
}
