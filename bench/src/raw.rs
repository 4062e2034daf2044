//! The limit of the log: a client that publishes, and waits for nothing but acknowledgements.

use anyhow::Context as _;
use async_nats::{
    Client, HeaderMap,
    client::Request,
    jetstream::{publish::PublishAck, response::Response},
};
use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    load::{Sample, Window, try_join_tasks},
    site::PARTITIONS,
};

/// Of a linear congruential generator of 128 bits (that of PCG): its upper half is as random as is needed here, and
/// costs nothing.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// Publishes records that are first on their subjects, as those of creations are.
#[derive(Debug)]
pub(crate) struct Publisher {
    client: Client,
    record: Bytes,
    next: u128,
}

impl Publisher {
    pub(crate) fn new(client: Client, record: Bytes) -> Self {
        Self {
            client,
            record,
            next: Uuid::new_v4().as_u128(),
        }
    }

    /// Publishes the record on a subject of its own, with the headers that the desk sends, and returns its sequence.
    pub(crate) fn publish(&mut self) -> impl Future<Output = anyhow::Result<u64>> + Send + use<> {
        // A partition at random. In turns, publishers would gather at the slowest one and go on together.
        self.next = self.next.wrapping_mul(MULTIPLIER).wrapping_add(1);
        publish(self.client.clone(), self.record.clone(), self.next)
    }
}

/// Publishes `record` under the identifier `id`.
pub(crate) async fn publish(client: Client, record: Bytes, id: u128) -> anyhow::Result<u64> {
    let partition = (id >> 64) % u128::from(PARTITIONS);
    let id = Uuid::from_u128(id).simple();
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Expected-Last-Subject-Sequence", "0");
    headers.insert("Nats-Msg-Id", id.to_string().as_str());
    let request = Request::new().payload(record).headers(headers);
    let answer = client.send_request(format!("rc.t.{partition}.{id}"), request).await?;
    match serde_json::from_slice(&answer.payload).context("the acknowledgement cannot be read")? {
        Response::<PublishAck>::Ok(ack) => Ok(ack.sequence),
        Response::Err { error } => Err(error.into()),
    }
}

/// `in_flight` publishes at any time, over one connection.
pub(crate) async fn publishers(
    client: Client,
    record: Bytes,
    in_flight: usize,
    window: Window,
) -> anyhow::Result<Sample> {
    let publishers = (0..in_flight).map(|_| {
        let mut publisher = Publisher::new(client.clone(), record.clone());
        async move {
            let mut sample = Sample::default();
            let mut sent = Instant::now();
            while !window.is_over(sent) {
                publisher.publish().await?;
                let now = Instant::now();
                sample.note(&window, sent, now);
                sent = now;
            }
            Ok(sample)
        }
    });
    Ok(Sample::sum(try_join_tasks(publishers).await?))
}
