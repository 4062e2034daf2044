//! Who may see a ticket. The one place where that is decided; the query side compiles the
//! same rule to SQL, and a test holds the two against each other.

use std::collections::BTreeSet;

use crate::actor::{Actor, ActorKind};
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
    if actor.sees_everything() {
        return true;
    }
    let concerned = ticket.requester == actor.user || ticket.followers.contains(&actor.user);
    let of_project = ticket.project.is_some_and(|project| actor.projects.contains(&project));
    let of_group = |groups: &BTreeSet<GroupId>| ticket.group.is_some_and(|group| groups.contains(&group));
    match actor.kind {
        ActorKind::Staff | ActorKind::System => {
            of_group(&actor.groups) || ticket.assignee == Some(actor.user) || concerned || of_project
        }
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::actor::StaffScope;

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    fn group(n: u128) -> GroupId {
        Uuid::from_u128(n).into()
    }

    fn project(n: u128) -> ProjectId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn staff_of_a_scope_see_what_is_their_groups_or_concerns_them() {
        let organisation = Some(Uuid::from_u128(41).into());
        let ada = Actor {
            scope: StaffScope::Groups,
            organisation,
            groups: BTreeSet::from([group(21), group(22)]),
            leads: BTreeSet::from([group(23)]),
            projects: BTreeSet::from([project(31)]),
            ..Actor::plain(ADA, ActorKind::Staff)
        };
        let (nobody, followers) = (BTreeSet::new(), BTreeSet::from([ADA]));
        let others = Audience {
            requester: BOB,
            organisation,
            group: Some(group(23)),
            assignee: Some(BOB),
            project: Some(project(32)),
            ticket_type: "defect",
            followers: &nobody,
            open: true,
        };
        let cases = [
            ("another's", others, false),
            (
                "of their group",
                Audience {
                    group: Some(group(22)),
                    ..others
                },
                true,
            ),
            (
                "of their group, and closed",
                Audience {
                    group: Some(group(21)),
                    open: false,
                    ..others
                },
                true,
            ),
            ("of no group", Audience { group: None, ..others }, false),
            (
                "theirs to work on",
                Audience {
                    assignee: Some(ADA),
                    ..others
                },
                true,
            ),
            (
                "nobody's",
                Audience {
                    assignee: None,
                    ..others
                },
                false,
            ),
            (
                "their wish",
                Audience {
                    requester: ADA,
                    ..others
                },
                true,
            ),
            (
                "followed by them",
                Audience {
                    followers: &followers,
                    ..others
                },
                true,
            ),
            (
                "of a project that they follow",
                Audience {
                    project: Some(project(31)),
                    ..others
                },
                true,
            ),
        ];
        for (what, ticket, seen) in cases {
            assert_eq!(may_see(&ada, ticket), seen, "{what}");
            let all = Actor {
                scope: StaffScope::All,
                ..ada.clone()
            };
            assert!(may_see(&all, ticket), "{what}, for those who see all");
        }
    }
}
