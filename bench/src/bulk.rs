//! Bulk requests: written and read at the same time, because the service answers while it reads.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::tcp::ReadHalf,
    time::Instant,
};

use crate::{
    chunked::Lines,
    http::{self, Connection},
    load::{Durations, Sample, Window, try_join_tasks},
    requests::{self, ID_BYTES, Keys, Template, Tokens},
};

/// The most that the contract allows.
const LINES: usize = 10_000;
/// A request of so many lines takes seconds.
const SEND_LIMIT: Duration = Duration::from_mins(5);
/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

/// `connections` callers send requests of [`LINES`] lines. Lines are counted as they are answered; the latency is that
/// of a whole request.
pub(crate) async fn callers(
    address: SocketAddr,
    tokens: &Tokens,
    connections: usize,
    window: Window,
) -> anyhow::Result<Sample> {
    let template = requests::bulk(tokens, LINES);
    let callers = (0..connections).map(|_| caller(address, template.clone(), window));
    Ok(Sample::sum(try_join_tasks(callers).await?))
}

async fn caller(address: SocketAddr, mut template: Template, window: Window) -> anyhow::Result<Sample> {
    let mut connection = Connection::open(address).await?;
    let mut keys = Keys::new();
    let mut sample = Sample::default();
    while !window.is_over(Instant::now()) {
        let request = template.fill(&mut keys, &[b'0'; ID_BYTES]);
        let sent = Instant::now();
        let whole = exchange(&mut connection, request, window, &mut sample).await?;
        // The end of the window cuts an answer off.
        if whole {
            sample
                .micros
                .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
    Ok(sample)
}

/// Sends one request and waits for its whole answer, of which no line may be a failure.
pub(crate) async fn send(address: SocketAddr, request: &[u8]) -> anyhow::Result<()> {
    let window = Window::starting_now(Durations {
        warm_up: Duration::ZERO,
        measured: SEND_LIMIT,
    });
    let mut connection = Connection::open(address).await?;
    let whole = exchange(&mut connection, request, window, &mut Sample::default()).await?;
    anyhow::ensure!(whole, "a bulk request took too long");
    Ok(())
}

async fn exchange(
    connection: &mut Connection,
    request: &[u8],
    window: Window,
    sample: &mut Sample,
) -> anyhow::Result<bool> {
    let (mut reading, mut writing) = connection.stream().split();
    let answer = answer(&mut reading, window, sample);
    let write = async {
        writing.write_all(request).await.context("the request was not taken")?;
        std::future::pending::<anyhow::Result<bool>>().await
    };
    tokio::select! {
        answered = answer => answered,
        failed = write => failed,
    }
}

/// Reads one answer, line by line, until its end or that of the window, and says whether it is whole.
async fn answer(stream: &mut ReadHalf<'_>, window: Window, sample: &mut Sample) -> anyhow::Result<bool> {
    let mut buffer = vec![0; READ_BYTES];
    let mut filled = 0;
    let head = loop {
        filled += read(stream, buffer.get_mut(filled..).unwrap_or_default()).await?;
        if let Some(head) = http::head(buffer.get(..filled).unwrap_or_default())? {
            break head;
        }
    };
    let mut lines = Lines::default();
    let mut body = buffer.get(head.length..filled).unwrap_or_default();
    anyhow::ensure!(
        http::is_success(head.status) && head.body == http::Framing::Chunked,
        "a bulk request was answered with status {}: {}",
        head.status,
        String::from_utf8_lossy(body)
    );
    loop {
        let before = lines.count;
        let ended = lines.take(body);
        if let Some(failure) = lines.failure {
            anyhow::bail!("a line failed: {failure}");
        }
        let now = Instant::now();
        if window.counts(now) {
            sample.done += lines.count - before;
        }
        if ended || window.is_over(now) {
            return Ok(ended);
        }
        filled = read(stream, &mut buffer).await?;
        body = buffer.get(..filled).unwrap_or_default();
    }
}

async fn read(stream: &mut ReadHalf<'_>, into: &mut [u8]) -> anyhow::Result<usize> {
    let read = stream.read(into).await?;
    anyhow::ensure!(read > 0, "the connection was closed in the middle of an answer");
    Ok(read)
}
