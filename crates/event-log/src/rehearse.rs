//! All of history, played under a draft.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use domain::ids::TicketId;
use domain::sla::{Book, Rehearsal, Report, UnknownPin, Window};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio_util::task::AbortOnDropHandle;

use crate::connection::EventLog;
use crate::scan::ScanError;

/// Partitions that are played at the same time: as many as the smallest machine has cores. Each takes the memory of its
/// tickets until it is done.
const PARTITIONS_AT_ONCE: usize = 2;

/// Why history was not played to its end.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The log could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A bug: a draft promises nothing by versions that it does not have.
    #[error("the draft lost one of its own versions")]
    UnknownPin(#[from] UnknownPin),
    /// A bug: a partition was given up.
    #[error("a partition was given up")]
    Cut(#[source] tokio::task::JoinError),
}

impl EventLog {
    /// Plays every ticket's history under a draft, and changes nothing.
    pub async fn rehearse(&self, draft: Arc<Book>, window: Window) -> Result<Report<TicketId>, RehearsalError> {
        let partitions = stream::iter(0..self.partitions()).map(|partition| {
            let (log, draft) = (self.clone(), Arc::clone(&draft));
            let task = tokio::spawn(async move { log.rehearse_partition(partition, &draft, window).await });
            // Whoever stops waiting does not leave it running.
            let task = AbortOnDropHandle::new(task);
            async move { task.await.map_err(RehearsalError::Cut)? }
        });
        partitions
            .buffer_unordered(PARTITIONS_AT_ONCE)
            .try_fold(Report::new(window), async |mut report, of_partition| {
                report.add(of_partition);
                Ok(report)
            })
            .await
    }

    async fn rehearse_partition(
        &self,
        partition: u16,
        draft: &Book,
        window: Window,
    ) -> Result<Report<TicketId>, RehearsalError> {
        let mut tickets: HashMap<TicketId, Rehearsal> = HashMap::new();
        let mut failed = Ok(());
        self.each_record(partition, |seen| {
            let created = seen.happened.revision.0 == 1 && window.holds(seen.happened.occurred_at);
            let ticket = match tickets.entry(seen.ticket) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) if created => new.insert(Rehearsal::default()),
                // Created at another time: not looked at.
                Entry::Vacant(_) => return,
            };
            let played = ticket.take(&seen.happened, draft);
            if played.is_err() && failed.is_ok() {
                failed = played;
            }
        })
        .await?;
        failed?;
        let mut report = Report::new(window);
        for (ticket, played) in tickets {
            report.take(ticket, played);
        }
        Ok(report)
    }
}
