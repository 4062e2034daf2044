//! What is measured: one load, under one way of syncing.

use std::fmt;

use servers::nats::Sync;

/// What is loaded, and how hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// No HTTP: a client that publishes.
    Raw {
        /// Publishes that wait for their acknowledgement at any time.
        in_flight: usize,
    },
    /// An axum handler that publishes and does nothing else.
    Bare {
        /// Connections, each with one request at a time.
        connections: usize,
    },
    /// The desk: creations of tickets.
    Creates {
        /// Connections, each with one request at a time.
        connections: usize,
    },
    /// The desk: the seven commands of a ticket's whole life.
    Lives {
        /// Connections, each with one request at a time.
        connections: usize,
    },
    /// The desk: creations through `/v1/commands`, counted by lines.
    Bulk {
        /// Connections, each with one request at a time.
        connections: usize,
    },
}

/// A load under a way of syncing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) load: Load,
    pub(crate) sync: Sync,
}

/// The connections of bulk requests. Few, as an importer has.
const BULK_CONNECTIONS: usize = 4;

/// Every load, limits beside what they limit, so that these are measured close together.
const LOADS: [Load; 12] = [
    Load::Creates { connections: 1 },
    Load::Creates { connections: 16 },
    Load::Raw { in_flight: 64 },
    Load::Creates { connections: 64 },
    Load::Bare { connections: 64 },
    Load::Lives { connections: 64 },
    Load::Raw { in_flight: 256 },
    Load::Creates { connections: 256 },
    Load::Bare { connections: 256 },
    Load::Lives { connections: 256 },
    Load::Raw { in_flight: 2048 },
    Load::Bulk {
        connections: BULK_CONNECTIONS,
    },
];

/// Everything that one round measures.
pub(crate) fn all() -> impl DoubleEndedIterator<Item = Cell> {
    [Sync::Lazy, Sync::Always]
        .into_iter()
        .flat_map(|sync| LOADS.into_iter().map(move |load| Cell { load, sync }))
}

impl Load {
    /// Whether this is the desk, and not one of its limits.
    pub(crate) fn is_desk(self) -> bool {
        match self {
            Self::Raw { .. } | Self::Bare { .. } => false,
            Self::Creates { .. } | Self::Lives { .. } | Self::Bulk { .. } => true,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw { in_flight } => write!(f, "raw publisher, {in_flight} in flight"),
            Self::Bare { connections } => write!(f, "bare handler, {}", Connections(*connections)),
            Self::Creates { connections } => write!(f, "**desk**: creates, {}", Connections(*connections)),
            Self::Lives { connections } => write!(f, "**desk**: whole lives, {}", Connections(*connections)),
            Self::Bulk { connections } => write!(f, "**desk**: bulk creates, {}", Connections(*connections)),
        }
    }
}

struct Connections(usize);

impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connection{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.load, self.sync)
    }
}
