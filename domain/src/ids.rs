//! Identifiers. Each is its own type, so that a user cannot stand where a group belongs.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier as a plain UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// The identifier that these sixteen bytes stand for.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes, in network order.
            pub const fn to_bytes(self) -> [u8; 16] {
                *self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// One ticket.
    TicketId
}
uuid_id! {
    /// One person, or a service that acts like one.
    UserId
}
uuid_id! {
    /// A company that the desk serves.
    OrganisationId
}
uuid_id! {
    /// A team of people.
    GroupId
}
uuid_id! {
    /// What somebody is to the desk, or to one of its groups.
    RoleId
}
uuid_id! {
    /// Permissions that are given together.
    PermissionSetId
}
uuid_id! {
    /// A named set of tickets.
    ProjectId
}
uuid_id! {
    /// What customers see of the desk.
    PortalId
}

impl PortalId {
    /// The portal of all who name no other. It reads `7265636f-7572-7365-2d2d-706f7274616c`.
    pub const OTHERS: Self = Self::from_bytes(*b"recourse--portal");
}

uuid_id! {
    /// Services that are granted together.
    ServiceCatalogueId
}
uuid_id! {
    /// A calendar of the desk.
    CalendarId
}
uuid_id! {
    /// A policy of the desk.
    PolicyId
}
uuid_id! {
    /// One wish of one caller. A retry of the wish carries the same identifier.
    CommandId
}

/// A ticket's number for people: from 1, never reused, with gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketNumber(pub u64);

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many records a ticket's history has. 0: the ticket does not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision that one more record makes.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The partition that positions of calendars, policies and other records of the directory name. Tickets
/// have the ones from 0 on, and far fewer.
pub const DIRECTORY_PARTITION: u16 = u16::MAX;

/// The place of a record in the log: a partition and a sequence within it.
///
/// Its text form is `<partition>:<sequence>`, as in the `Commit-Position` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which partition of the log.
    pub partition: u16,
    /// The record's sequence there, from 1. 0 stands before the first record.
    pub sequence: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.sequence)
    }
}

/// The text is not `<partition>:<sequence>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is written <partition>:<sequence>, for example 3:1207")]
pub struct PositionError;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (partition, sequence) = text.split_once(':').ok_or(PositionError)?;
        Ok(Self {
            partition: partition.parse().map_err(|_| PositionError)?,
            sequence: sequence.parse().map_err(|_| PositionError)?,
        })
    }
}
