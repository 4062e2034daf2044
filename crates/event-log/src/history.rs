//! A ticket's history, folded: its state, and what must be known of each record.

use domain::ids::{CommandId, Revision, TicketId};
use domain::sla::{Happened, Promised};
use domain::ticket::{Event, Status, Ticket};
use uuid::Uuid;
use wire::{Header, Record};

use crate::load::Stored;

/// A ticket takes no more records than this. Real tickets have dozens; a loop that writes to
/// one ticket for ever must not make every load of it slower for ever.
pub const HISTORY_RECORDS_MAX: u64 = 10_000;

/// A history that contradicts itself: something other than this program wrote or altered it.
#[derive(Debug, thiserror::Error)]
pub enum CorruptHistory {
    /// The record cannot be read.
    #[error("the record at sequence {sequence} cannot be read")]
    Unreadable {
        /// Where it is.
        sequence: u64,
        /// Why not.
        #[source]
        source: wire::DecodeError,
    },
    /// The record does not follow from the one before it.
    #[error("the record at sequence {sequence} does not follow from the one before it")]
    BrokenChain {
        /// Where it is.
        sequence: u64,
    },
}

/// What a record came to, kept for whoever repeats its command.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) record_id: Uuid,
    pub(crate) command_id: CommandId,
    pub(crate) digest: [u8; 32],
    pub(crate) sequence: u64,
    pub(crate) status: Status,
    pub(crate) events: Vec<&'static str>,
}

/// The last record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
}

impl Tip {
    /// Whether a record of this header is the next of its history, and makes that revision.
    pub(crate) fn precedes(&self, header: &Header, id: Uuid, revision: Revision) -> bool {
        header.aggregate_id == id
            && header.revision == revision
            && header.previous_sequence == self.sequence
            && header.previous_hash == self.hash
    }
}

/// All that is known of a ticket from its records. Empty: it does not exist.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) promised: Promised,
    pub(crate) tip: Tip,
    /// What [`Inner::connections`](crate::connection::Inner::connections) was before its first
    /// record was loaded.
    pub(crate) connections: u64,
    recorded: Vec<Recorded>,
}

impl History {
    /// A history of no records, as known from these connections on.
    pub(crate) fn nothing(connections: u64) -> Self {
        Self {
            connections,
            ..Self::default()
        }
    }

    pub(crate) fn ticket(&self) -> &Ticket {
        &self.promised.ticket
    }

    pub(crate) fn revision(&self) -> Revision {
        Revision(u64::try_from(self.recorded.len()).expect("a length fits in 64 bits"))
    }

    /// What an earlier record with this command id came to, and the revision that it made.
    pub(crate) fn recorded(&self, command_id: CommandId) -> Option<(Revision, &Recorded)> {
        (1..)
            .map(Revision)
            .zip(&self.recorded)
            .find(|(_, recorded)| recorded.command_id == command_id)
    }

    /// Takes stored records in, checking that each follows from the one before it.
    pub(crate) fn extend(
        &mut self,
        id: TicketId,
        records: impl IntoIterator<Item = Stored>,
    ) -> Result<(), CorruptHistory> {
        for Stored { sequence, bytes } in records {
            let record: Record<Event> =
                wire::decode(&bytes).map_err(|source| CorruptHistory::Unreadable { sequence, source })?;
            let next = self.revision().next();
            if !self.tip.precedes(&record.header, id.as_uuid(), next) {
                return Err(CorruptHistory::BrokenChain { sequence });
            }
            self.push(&record, sequence, wire::hash(&bytes));
        }
        Ok(())
    }

    /// Takes in a record that follows from the last.
    pub(crate) fn push(&mut self, record: &Record<Event>, sequence: u64, hash: [u8; 32]) {
        self.promised.evolve(&Happened {
            revision: record.header.revision,
            occurred_at: record.header.occurred_at,
            actor: &record.header.actor.into(),
            events: &record.events,
        });
        self.tip = Tip { sequence, hash };
        self.recorded.push(Recorded {
            record_id: record.header.record_id,
            command_id: record.header.command_id,
            digest: record.header.digest,
            sequence,
            status: self.ticket().state().map_or(Status::New, |state| state.status),
            events: record.events.iter().map(Event::name).collect(),
        });
    }

    /// Roughly the bytes that it takes up in memory.
    pub(crate) fn weight(&self) -> u32 {
        const RECORD: usize = 160;
        const TICKET: usize = 1024;
        const CLOCK: usize = 512;
        let texts = self.ticket().state().map_or(0, |state| {
            state.description.as_str().len() + state.subject.as_str().len() + state.custom_fields.len() * 128
        });
        let clocks = self.promised.clocks.iter().count();
        let bytes = TICKET + texts + clocks * CLOCK + self.recorded.len() * RECORD;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}
