//! Who may see a ticket. The one place where that is decided; the query side compiles the
//! same rule to SQL, and a test holds the two against each other.

use std::collections::BTreeSet;

use crate::actor::{Actor, ActorKind, StaffScope};
use crate::ids::{GroupId, OrganisationId, ProjectId, UserId};

/// Whom a ticket concerns: what the rule needs to know of it.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'t> {
    /// Whose wish it is.
    pub requester: UserId,
    /// The requester's organisation.
    pub organisation: Option<OrganisationId>,
    /// The group that works on it.
    pub group: Option<GroupId>,
    /// Who works on it.
    pub assignee: Option<UserId>,
    /// The project that it is one of.
    pub project: Option<ProjectId>,
    /// The code of its type.
    pub ticket_type: &'t str,
    /// Who follows it.
    pub followers: &'t BTreeSet<UserId>,
    /// Whether its status is other than closed.
    pub open: bool,
}

/// Whether `actor` may see the ticket. What they may not see does not exist for them.
pub fn may_see(actor: &Actor, ticket: Audience<'_>) -> bool {
    let concerned = ticket.requester == actor.user || ticket.followers.contains(&actor.user);
    let of_project = ticket.project.is_some_and(|project| actor.projects.contains(&project));
    let of_group = |groups: &BTreeSet<GroupId>| ticket.group.is_some_and(|group| groups.contains(&group));
    match actor.kind {
        ActorKind::System => true,
        ActorKind::Staff => match actor.scope {
            StaffScope::All => true,
            StaffScope::Groups => {
                of_group(&actor.groups) || ticket.assignee == Some(actor.user) || concerned || of_project
            }
        },
        ActorKind::Customer => {
            let own =
                concerned || same_organisation(actor, ticket.organisation) || (ticket.open && of_group(&actor.leads));
            match actor.portal.as_deref() {
                None => own || of_project,
                Some(portal) => {
                    portal.takes(ticket.ticket_type) && ((portal.own && own) || (portal.projects && of_project))
                }
            }
        }
    }
}

/// Whether `actor` stands on the requester's side: the requester, whoever that is, or a
/// customer of the requester's organisation.
pub fn on_requesters_side(actor: &Actor, requester: UserId, organisation: Option<OrganisationId>) -> bool {
    let customer = match actor.kind {
        ActorKind::Customer => true,
        ActorKind::Staff | ActorKind::System => false,
    };
    requester == actor.user || (customer && same_organisation(actor, organisation))
}

fn same_organisation(actor: &Actor, organisation: Option<OrganisationId>) -> bool {
    organisation.is_some() && organisation == actor.organisation
}
