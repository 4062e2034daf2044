//! Reading all that there is of a partition, once.

use domain::ids::{CommandId, TicketId};
use domain::sla::Happened;
use domain::ticket::Event;
use wire::Record;

use crate::connection::EventLog;
use crate::history::CorruptHistory;
use crate::reader::{ReadError, Source};

/// Records that one step takes in: enough to keep up with the reading, few enough that whoever has stopped waiting is
/// noticed at once.
const BATCH_MAX: usize = 1_000;

/// Why records were not read.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The log cannot be read now.
    #[error("the log cannot be read now")]
    Read(#[from] ReadError),
    /// A record cannot be read.
    #[error("the log holds a record that cannot be read")]
    Corrupt(#[source] CorruptHistory),
}

/// A record of a ticket, as whoever reads all of them sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'r> {
    /// Whose record it is.
    pub ticket: TicketId,
    /// The command that made it.
    pub command_id: CommandId,
    /// What it says.
    pub happened: Happened<'r>,
}

impl EventLog {
    /// Shows `take` every record of a partition's tickets, in order, up to the end that it has when this begins.
    pub async fn each_record(&self, partition: u16, mut take: impl FnMut(Seen<'_>)) -> Result<(), ScanError> {
        let source = Source::Tickets(partition);
        let end = self.last_sequence(source).await?;
        let mut reader = self.reader(source, None).await?;
        let mut read = 0;
        while read < end {
            for entry in reader.next_batch(BATCH_MAX).await? {
                read = entry.sequence;
                if read > end {
                    break;
                }
                let Record { header, events }: Record<Event> = wire::decode(&entry.payload).map_err(|source| {
                    let sequence = entry.sequence;
                    ScanError::Corrupt(CorruptHistory::Unreadable { sequence, source })
                })?;
                take(Seen {
                    ticket: header.aggregate_id.into(),
                    command_id: header.command_id,
                    happened: Happened {
                        revision: header.revision,
                        occurred_at: header.occurred_at,
                        actor: &header.actor.into(),
                        events: &events,
                    },
                });
            }
        }
        Ok(())
    }
}
