//! What a token may be used for, where whoever made it has said so.

use crate::words::words;

words! {
    /// A part of the desk, to read or to change. A token lets nobody do what they may not do themselves.
    TokenScope 6 {
        /// Read tickets, dashboards, digests and the feed, and rehearse policies on them.
        TicketsRead "tickets:read",
        /// Open tickets, work on them and put them under other policies.
        TicketsWrite "tickets:write",
        /// Read users, groups, organisations, contracts, roles, projects, portals and the catalogue.
        DirectoryRead "directory:read",
        /// Write organisations, contracts, projects, portals and the catalogue.
        DirectoryWrite "directory:write",
        /// Read calendars, policies, workflows and how far the read models are.
        DeskRead "desk:read",
        /// Write calendars and policies.
        DeskWrite "desk:write",
    }
}
