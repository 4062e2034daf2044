//! An export of everything: rows a second, and the memory of the service that sends them.

use std::time::Duration;

use anyhow::Context as _;
use service_kit::{SystemClock, clock::pause};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use super::{cases::Caller, state::Export};
use crate::desk::Service;
use crate::{
    chunked::Lines,
    http::{self, Connection},
    statistics::float,
};

/// What is read at once.
const READ_BYTES: usize = 256 * 1024;
/// How often the memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Takes every ticket as CSV.
pub(crate) async fn csv(service: &Service, caller: &Caller) -> anyhow::Result<Export> {
    let before = service.mib();
    let mut most = before;
    let began = Instant::now();
    let memory = async {
        loop {
            most = service.mib().max(most);
            pause(&SystemClock, LOOK_EVERY).await;
        }
    };
    let lines = tokio::select! {
        lines = lines(service, caller) => lines?,
        never = memory => never,
    };
    Ok(Export {
        // The first line has the titles.
        rows: lines.saturating_sub(1),
        seconds: began.elapsed().as_secs_f64(),
        before_mib: before,
        most_mib: most,
    })
}

async fn lines(service: &Service, caller: &Caller) -> anyhow::Result<u64> {
    let mut connection = Connection::open(service.address).await?;
    let stream = connection.stream();
    let request = format!(
        "GET /v1/tickets/export?format=csv HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        caller.token
    );
    stream.write_all(request.as_bytes()).await?;
    let (mut buffer, mut filled) = (vec![0; READ_BYTES], 0);
    let head = loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await?;
        anyhow::ensure!(read > 0, "the connection was closed before the answer");
        filled += read;
        if let Some(head) = http::head(buffer.get(..filled).unwrap_or_default())? {
            break head;
        }
    };
    anyhow::ensure!(
        http::is_success(head.status),
        "the export was answered with status {}",
        head.status
    );
    let mut lines = Lines::default();
    let mut ended = lines.take(buffer.get(head.length..filled).unwrap_or_default());
    while !ended {
        let read = stream.read(&mut buffer).await?;
        anyhow::ensure!(read > 0, "the export was cut off after {} lines", lines.count);
        ended = lines.take(buffer.get(..read).context("more was read than there is room for")?);
    }
    Ok(lines.count)
}

impl Export {
    pub(crate) fn per_second(&self) -> f64 {
        float(self.rows) / self.seconds.max(0.001)
    }
}
