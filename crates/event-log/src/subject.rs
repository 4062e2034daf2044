//! Names of streams and subjects. One literal subject for each ticket and directory entry:
//! the expected-sequence check of JetStream is safe on literal subjects alone.

use domain::Timestamp;
use domain::address::Address;
use domain::contract::Party;
use domain::directory::EntryKind;
use domain::ids::{CalendarId, TicketId};
use uuid::Uuid;

/// The stream of directory entries.
pub(crate) const DIRECTORY_STREAM: &str = "RC_DIRECTORY";
/// The stream of counters.
pub(crate) const COUNTERS_STREAM: &str = "RC_COUNTERS";
/// The counter of ticket numbers.
pub(crate) const TICKET_NUMBERS: &str = "rc.c.ticket";

/// Whose history the one of all policies is: nobody else's, in every log.
pub(crate) const POLICIES: Uuid = Uuid::from_u128(0x3f0c_9a41_52d6_4be7_8c1d_07e5_a49b_6d20);

/// The namespace of addresses' ids. Changing it would make every address nobody's.
const ADDRESSES: Uuid = Uuid::from_u128(0x6a1b_83c4_7f0d_4e52_9b36_c1d8_20e7_f495);

/// The namespace of digests' ids. Changing it would make every digest another one.
const DIGESTS: Uuid = Uuid::from_u128(0x52ec_0a15_d16e_575c_9d01_0000_0000_0002);

/// The partition that a ticket belongs to, of `partitions` in all.
///
/// Ticket ids are random in their low bytes (UUIDs of version 4 and 5), so these need no
/// further hashing to spread evenly. The rule is stored in every position: it never changes.
///
/// # Panics
///
/// Never.
pub fn partition_of(ticket: TicketId, partitions: u16) -> u16 {
    let id = ticket.as_uuid().as_u128();
    u16::try_from(id % u128::from(partitions.max(1))).expect("a remainder is less than its divisor")
}

pub(crate) fn ticket_stream(partition: u16) -> String {
    format!("RC_TICKETS_{partition}")
}

pub(crate) fn ticket_subject(partition: u16, ticket: TicketId) -> String {
    format!("rc.t.{partition}.{}", ticket.as_uuid().as_simple())
}

pub(crate) fn directory_subject(kind: EntryKind, id: Uuid) -> String {
    format!("rc.d.{}.{}", kind.as_str(), id.as_simple())
}

/// Where it is told whose an address is. The address itself is not in it: subjects are what operators see.
pub(crate) fn address_subject(id: Uuid) -> String {
    format!("rc.d.address.{}", id.as_simple())
}

pub(crate) fn address_id(address: &Address) -> Uuid {
    Uuid::new_v5(&ADDRESSES, address.as_bytes())
}

pub(crate) fn calendar_subject(id: CalendarId) -> String {
    format!("rc.d.calendar.{}", id.as_uuid().as_simple())
}

pub(crate) fn contract_subject(party: Party) -> String {
    let kind = match party {
        Party::Organisation(_) => "contract",
        Party::User(_) => "user_contract",
    };
    format!("rc.d.{kind}.{}", party.as_uuid().as_simple())
}

pub(crate) fn digest_subject(until: Timestamp) -> String {
    format!("rc.d.digest.{}", digest_id(until).as_simple())
}

/// The same from everybody who draws it.
pub(crate) fn digest_id(until: Timestamp) -> Uuid {
    Uuid::new_v5(&DIGESTS, &until.as_microsecond().to_be_bytes())
}

/// All policies have one history, so that no two come to be for the same tickets.
pub(crate) fn policies_subject() -> String {
    format!("rc.d.policy.{}", POLICIES.as_simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tickets_partition_never_changes() {
        let ticket = TicketId::from_bytes([0x5a; 16]);
        assert_eq!(partition_of(ticket, 8), 2);
        assert_eq!(partition_of(ticket, 1), 0);
    }
}
