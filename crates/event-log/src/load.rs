//! Loading the records of one subject: one batched direct get, not a consumer.
//!
//! The client library has no call for it, so the request is made by hand:
//! `{"batch":n,"seq":s,"next_by_subj":"…"}` to the stream's direct-get subject, answered by
//! one message for each record and an empty one of status 204.

use std::time::Duration;

use async_nats::{HeaderMap, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use tokio::sync::watch;

use crate::connection::{Inner, pause};

/// Records asked for at once. Larger histories take another request.
const BATCH: u64 = 512;
/// How long the server may take to answer, or to go on answering.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a load is tried anew after silence.
const TRIES_MAX: u32 = 2;
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// How often a lagging replica is asked again, and after how long: some 200 milliseconds in all.
const LAGGING_READS_MAX: u32 = 20;
const LAGGING_READ_PAUSE: Duration = Duration::from_millis(10);

/// A history could not be loaded now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the log does not answer")]
    Unavailable,
    #[error("the log answers a load with status {0}")]
    Status(StatusCode),
}

/// A stored record and its sequence.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) bytes: Bytes,
}

#[derive(Serialize)]
struct BatchRequest<'r> {
    batch: u64,
    seq: u64,
    next_by_subj: &'r str,
}

/// The subject's records after sequence `after`, oldest first.
pub(crate) async fn load(inner: &Inner, stream: &str, subject: &str, after: u64) -> Result<Vec<Stored>, LoadError> {
    let mut records: Vec<Stored> = Vec::new();
    let mut silences = 0;
    loop {
        inner.gets.up().await.map_err(|_| LoadError::Unavailable)?;
        let from = records.last().map_or(after, |stored| stored.sequence).saturating_add(1);
        match load_batch(inner, stream, subject, from, &mut records).await {
            Ok(Batch::Last) => return Ok(records),
            Ok(Batch::More) => {}
            Err(LoadError::Unavailable) if silences < TRIES_MAX => {
                silences += 1;
                pause(RETRY_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// As [`load`], and certainly up to the subject's last record, whichever replica answers.
pub(crate) async fn load_current(
    inner: &Inner,
    stream: &str,
    subject: &str,
    after: u64,
) -> Result<Vec<Stored>, LoadError> {
    let mut records = load(inner, stream, subject, after).await?;
    if inner.replicated {
        let tip = tip_at_leader(inner, stream, subject).await?;
        let mut reads = 0;
        while records.last().map_or(after, |stored| stored.sequence) < tip {
            reads += 1;
            if reads > LAGGING_READS_MAX {
                return Err(LoadError::Unavailable);
            }
            pause(LAGGING_READ_PAUSE).await;
            records = load(inner, stream, subject, after).await?;
        }
    }
    Ok(records)
}

enum Batch {
    Last,
    More,
}

async fn load_batch(
    inner: &Inner,
    stream: &str,
    subject: &str,
    from: u64,
    records: &mut Vec<Stored>,
) -> Result<Batch, LoadError> {
    let request = BatchRequest {
        batch: BATCH,
        seq: from,
        next_by_subj: subject,
    };
    let request = serde_json::to_vec(&request).expect("numbers and a subject are JSON");
    let client = &inner.gets.client;
    let mut established = inner.gets.established.clone();
    established.mark_unchanged();
    let inbox = client.new_inbox();
    let mut answers = client
        .subscribe(inbox.clone())
        .await
        .map_err(|_| LoadError::Unavailable)?;
    client
        .publish_with_reply(format!("$JS.API.DIRECT.GET.{stream}"), inbox, request.into())
        .await
        .map_err(|_| LoadError::Unavailable)?;
    loop {
        let message = next(&mut answers, &mut established).await?;
        match message.status {
            None | Some(StatusCode::OK) => records.push(stored(message)?),
            // Nothing there, or nothing after `from`.
            Some(StatusCode::NOT_FOUND) => return Ok(Batch::Last),
            // The end of this batch.
            Some(status) if status.as_u16() == 204 => {
                let pending = message
                    .headers
                    .as_ref()
                    .and_then(|headers| number(headers, "Nats-Num-Pending"));
                return Ok(if pending.unwrap_or(0) > 0 {
                    Batch::More
                } else {
                    Batch::Last
                });
            }
            Some(StatusCode::NO_RESPONDERS) => return Err(LoadError::Unavailable),
            Some(status) => return Err(LoadError::Status(status)),
        }
    }
}

async fn next(answers: &mut Subscriber, established: &mut watch::Receiver<u64>) -> Result<Message, LoadError> {
    tokio::select! {
        answer = tokio::time::timeout(ANSWER_TIMEOUT, answers.next()) => {
            answer.ok().flatten().ok_or(LoadError::Unavailable)
        }
        // What was asked on the old connection will not be answered on the new one.
        _ = established.changed() => Err(LoadError::Unavailable),
    }
}

fn stored(message: Message) -> Result<Stored, LoadError> {
    let sequence = message
        .headers
        .as_ref()
        .and_then(|headers| number(headers, "Nats-Sequence"));
    Ok(Stored {
        sequence: sequence.ok_or(LoadError::Unavailable)?,
        bytes: message.payload,
    })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.as_str().parse().ok()
}

/// The sequence of the subject's last record as the stream's leader knows it; 0 if it has none.
///
/// On a replicated stream a direct get may be answered by a replica that lags; this one is not.
async fn tip_at_leader(inner: &Inner, stream: &str, subject: &str) -> Result<u64, LoadError> {
    use async_nats::jetstream::stream::LastRawMessageErrorKind;
    let stream = inner
        .gets
        .context
        .get_stream_no_info(stream)
        .await
        .map_err(|_| LoadError::Unavailable)?;
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => Ok(message.sequence),
        Err(error) => match error.kind() {
            LastRawMessageErrorKind::NoMessageFound => Ok(0),
            _ => Err(LoadError::Unavailable),
        },
    }
}
