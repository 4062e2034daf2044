//! Appending a record: committed, not written, or unknown.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use async_nats::jetstream::ErrorCode;
use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use metrics::{Counter, Histogram};
use serde::Deserialize;
use uuid::Uuid;

use crate::connection::{Inner, Unanswered, pause};

/// How many times the same bytes are sent before the caller is told that nobody knows. At two
/// seconds for an answer it bounds an append to some ten seconds, and to twice that where each
/// send has to wait for its connection as well.
const SENDS_MAX: u32 = 5;
/// Between sends that were answered at once: a server that starts is there soon.
const RESEND_PAUSE: Duration = Duration::from_millis(100);

const EXPECTED_LAST_SUBJECT_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";
const MESSAGE_ID: &str = "Nats-Msg-Id";
const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";

/// The same record is being written at this moment, by an earlier send.
const MESSAGE_ID_IN_PROCESS: ErrorCode = ErrorCode(10158);
/// The same record has been written, by an earlier send.
const MESSAGE_ID_IN_BATCH: ErrorCode = ErrorCode(10201);

/// Why a record was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The subject has moved on. It may have moved on by this very record, if an earlier send
    /// of it was not acknowledged: only its history tells.
    #[error("the subject is not where the record was decided")]
    Conflict {
        /// Whether an earlier send was not acknowledged, so that the record may be this one.
        resent: bool,
    },
    /// The record is certainly not in the log.
    #[error("the log did not take the record")]
    NotWritten(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The record may be in the log now, or come to be there later. Sending the same bytes
    /// again is safe, because of the expected sequence in them.
    #[error("the log did not say whether it took the record")]
    Unknown,
}

enum Answer {
    Committed(u64),
    Conflict,
    Refused(Box<dyn std::error::Error + Send + Sync>),
    NobodyThere(Box<dyn std::error::Error + Send + Sync>),
    Silence,
}

/// A record that is to be appended to a subject whose last record is at sequence `expected` (0: none).
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) subject: String,
    pub(crate) expected: u64,
    pub(crate) record_id: Uuid,
    pub(crate) record: Bytes,
}

/// Appends a record, and returns the sequence that it got.
///
/// Silence is answered by sending the same bytes again, at once when the connection comes back.
pub(crate) async fn append(inner: &Inner, draft: &Draft) -> Result<u64, AppendError> {
    append_with(inner, &[], draft).await
}

/// Appends a record together with others of its stream: all of them, or none. Returns the sequence that the record got,
/// which comes after the others.
pub(crate) async fn append_with(inner: &Inner, others: &[Draft], draft: &Draft) -> Result<u64, AppendError> {
    let began = Instant::now();
    let appended = send_until_answered(inner, others, draft).await;
    inner.appends.note(&appended, began.elapsed());
    appended
}

/// Metrics of appends, looked up once: looking them up for each append cost as much as encoding
/// its record.
pub(crate) struct AppendMetrics {
    committed: Counter,
    conflict: Counter,
    not_written: Counter,
    unknown: Counter,
    seconds: Histogram,
}

impl std::fmt::Debug for AppendMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppendMetrics").finish_non_exhaustive()
    }
}

impl AppendMetrics {
    pub(crate) fn register() -> Self {
        let counter = |outcome: &'static str| metrics::counter!("log_appends_total", "outcome" => outcome);
        Self {
            committed: counter("committed"),
            conflict: counter("conflict"),
            not_written: counter("not_written"),
            unknown: counter("unknown"),
            seconds: metrics::histogram!("log_append_duration_seconds"),
        }
    }

    fn note(&self, appended: &Result<u64, AppendError>, elapsed: Duration) {
        let counter = match appended {
            Ok(_) => &self.committed,
            Err(AppendError::Conflict { .. }) => &self.conflict,
            Err(AppendError::NotWritten(_)) => &self.not_written,
            Err(AppendError::Unknown) => &self.unknown,
        };
        counter.increment(1);
        self.seconds.record(elapsed);
    }
}

async fn send_until_answered(inner: &Inner, others: &[Draft], draft: &Draft) -> Result<u64, AppendError> {
    let mut silent = false;
    let mut refusal = None;
    for _ in 0..SENDS_MAX {
        let answer = send(inner, others, draft).await;
        match answer.map_or_else(Answer::from, |message| acknowledgement(&message.payload)) {
            Answer::Committed(sequence) => return Ok(sequence),
            Answer::Conflict => return Err(AppendError::Conflict { resent: silent }),
            Answer::Refused(_) if silent => {}
            Answer::Refused(error) => return Err(AppendError::NotWritten(error)),
            Answer::NobodyThere(error) => {
                refusal = Some(error);
                pause(RESEND_PAUSE).await;
            }
            Answer::Silence => silent = true,
        }
    }
    match refusal {
        Some(error) if !silent => Err(AppendError::NotWritten(error)),
        Some(_) | None => Err(AppendError::Unknown),
    }
}

/// Sends a record once, after the others if there are any. Each time they are another batch to the server, and the same
/// records.
async fn send(inner: &Inner, others: &[Draft], draft: &Draft) -> Result<Message, Unanswered> {
    let mut headers = headers(draft);
    if !others.is_empty() {
        let batch = Uuid::new_v4().as_simple().to_string();
        for (place, other) in (1..).zip(others) {
            let headers = in_batch(self::headers(other), &batch, place);
            inner
                .writes
                .publish(&other.subject, headers, other.record.clone())
                .await?;
        }
        headers = in_batch(headers, &batch, others.len().saturating_add(1));
        headers.insert(BATCH_COMMIT, "1");
    }
    inner
        .writes
        .request(&draft.subject, headers, draft.record.clone())
        .await
}

fn headers(draft: &Draft) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(EXPECTED_LAST_SUBJECT_SEQUENCE, draft.expected.to_string().as_str());
    headers.insert(MESSAGE_ID, draft.record_id.as_simple().to_string().as_str());
    headers
}

fn in_batch(mut headers: HeaderMap, batch: &str, place: usize) -> HeaderMap {
    headers.insert(BATCH_ID, batch);
    headers.insert(BATCH_SEQUENCE, place.to_string().as_str());
    headers
}

impl From<Unanswered> for Answer {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotSent(error) => Self::Refused(error),
            Unanswered::NobodyThere(error) => Self::NobodyThere(error),
            Unanswered::Silence => Self::Silence,
        }
    }
}

/// What the server says to a publish. Not the library's type, which reads every answer twice over
/// to find out which of two it is.
#[derive(Deserialize)]
struct Acknowledgement<'p> {
    #[serde(borrow)]
    stream: Option<Cow<'p, str>>,
    seq: Option<u64>,
    error: Option<async_nats::jetstream::Error>,
}

fn acknowledgement(payload: &[u8]) -> Answer {
    match serde_json::from_slice(payload) {
        Ok(Acknowledgement { error: Some(error), .. }) => match error.error_code() {
            // Two codes for one meaning: the second comes while another publish to the subject
            // is under way.
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => Answer::Conflict,
            code if code == MESSAGE_ID_IN_PROCESS || code == MESSAGE_ID_IN_BATCH => Answer::Conflict,
            _ => Answer::Refused(Box::new(error)),
        },
        // A duplicate is this very record, sent before: its sequence is the answer.
        Ok(Acknowledgement {
            stream: Some(_),
            seq: Some(sequence),
            ..
        }) => Answer::Committed(sequence),
        Ok(_) | Err(_) => Answer::Silence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser makes of an answer of a server, in a word.
    fn read(answer: &str) -> String {
        match acknowledgement(answer.as_bytes()) {
            Answer::Committed(sequence) => format!("committed at {sequence}"),
            Answer::Conflict => "conflict".to_owned(),
            Answer::Refused(_) => "refused".to_owned(),
            Answer::NobodyThere(_) => "nobody there".to_owned(),
            Answer::Silence => "silence".to_owned(),
        }
    }

    /// An error as nats-server writes it.
    fn error(code: u16, err_code: u16, description: &str) -> String {
        format!(
            r#"{{"error":{{"code":{code},"err_code":{err_code},"description":"{description}"}},"stream":"RC_TICKETS_0","seq":0}}"#
        )
    }

    #[test]
    fn an_acknowledgement_tells_the_sequence() {
        assert_eq!(read(r#"{"stream":"RC_TICKETS_0", "seq":17}"#), "committed at 17");
        assert_eq!(
            read(r#"{"stream":"RC_TICKETS_0","domain":"hub","seq":17}"#),
            "committed at 17"
        );
    }

    #[test]
    fn a_duplicate_is_this_very_record() {
        let duplicate = r#"{"stream":"RC_TICKETS_0", "seq":17,"duplicate": true}"#;
        assert_eq!(read(duplicate), "committed at 17");
    }

    #[test]
    fn every_code_that_may_mean_that_somebody_was_faster_is_a_conflict() {
        for (code, description) in [
            (10071, "wrong last sequence: 5"),
            (10164, "wrong last sequence"),
            (10158, "duplicate message id is in process"),
            (10201, "batch contains a message id that is a duplicate"),
        ] {
            assert_eq!(read(&error(400, code, description)), "conflict", "{code}");
        }
    }

    #[test]
    fn every_other_refusal_means_that_nothing_was_written() {
        for (code, err_code, description) in [
            (503, 10077, "maximum bytes exceeded"),
            (503, 10023, "insufficient resources"),
            (503, 10008, "JetStream system temporarily unavailable"),
            (400, 10054, "message size exceeds maximum allowed"),
            (400, 10109, "invalid operation on sealed stream"),
        ] {
            assert_eq!(read(&error(code, err_code, description)), "refused", "{err_code}");
        }
    }

    #[test]
    fn an_answer_that_makes_no_sense_says_nothing() {
        for nonsense in ["", "{}", "-ERR", r#"{"stream":"RC_TICKETS_0"}"#] {
            assert_eq!(read(nonsense), "silence", "{nonsense}");
        }
    }
}
