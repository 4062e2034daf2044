//! Projects: named sets of tickets, and who follows them. Whoever follows a project sees its tickets, and so do all of an
//! organisation that does.
//!
//! An archived project takes no new tickets. Those that it has are still there, and so its followers go on seeing them.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::ids::{OrganisationId, ProjectId, UserId};
use crate::text::{Body, Label};

/// The most users, and the most organisations, that follow a project. Where more people are to see tickets, an organisation
/// follows in their place; all of them are kept with each version, and a thousand of either take sixteen kilobytes.
pub const FOLLOWERS_MAX: usize = 1_000;

/// A named set of tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What everybody reads.
    pub name: Label,
    /// What it is about.
    pub description: Option<Body>,
    /// The users who follow it.
    pub followers: BTreeSet<UserId>,
    /// The organisations that follow it: all of their people do.
    pub organisations: BTreeSet<OrganisationId>,
    /// Whether it is out of use: then it takes no new tickets.
    pub archived: bool,
}

impl Project {
    /// A project that nobody follows.
    pub fn plain(name: Label) -> Self {
        Self {
            name,
            description: None,
            followers: BTreeSet::new(),
            organisations: BTreeSet::new(),
            archived: false,
        }
    }
}

/// All projects, found by who follows them.
#[derive(Debug, Clone, Default)]
pub struct Projects {
    known: HashMap<ProjectId, Project>,
    of_users: HashMap<UserId, BTreeSet<ProjectId>>,
    of_organisations: HashMap<OrganisationId, BTreeSet<ProjectId>>,
}

/// Who follows a project that did not before, and who no longer does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Users.
    pub users: BTreeSet<UserId>,
    /// Organisations.
    pub organisations: BTreeSet<OrganisationId>,
}

impl Projects {
    /// Takes in what is known of a project by now.
    pub fn add(&mut self, id: ProjectId, project: &Project) -> Turnover {
        let before = self.known.insert(id, project.clone());
        let (users, organisations) = before
            .map(|before| (before.followers, before.organisations))
            .unwrap_or_default();
        Turnover {
            users: reindex(&mut self.of_users, id, &users, &project.followers),
            organisations: reindex(&mut self.of_organisations, id, &organisations, &project.organisations),
        }
    }

    /// Those that a user, or the organisation that they belong to, follows.
    pub fn followed(&self, user: UserId, organisation: Option<OrganisationId>) -> BTreeSet<ProjectId> {
        let own = self.of_users.get(&user);
        let theirs = organisation.and_then(|organisation| self.of_organisations.get(&organisation));
        own.into_iter().chain(theirs).flatten().copied().collect()
    }

    /// Whether there is such a project, and it takes tickets.
    pub fn takes_tickets(&self, id: ProjectId) -> bool {
        self.known.get(&id).is_some_and(|project| !project.archived)
    }
}

/// Follows from `before` to `after`, and returns whom that concerns.
fn reindex<F: Copy + Ord + Hash>(
    index: &mut HashMap<F, BTreeSet<ProjectId>>,
    id: ProjectId,
    before: &BTreeSet<F>,
    after: &BTreeSet<F>,
) -> BTreeSet<F> {
    let turnover: BTreeSet<F> = before.symmetric_difference(after).copied().collect();
    for follower in &turnover {
        let followed = index.entry(*follower).or_default();
        if after.contains(follower) {
            followed.insert(id);
        } else {
            followed.remove(&id);
        }
        if followed.is_empty() {
            index.remove(follower);
        }
    }
    turnover
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);
    const CLIENT: OrganisationId = OrganisationId::from_bytes([3; 16]);
    const ONE: ProjectId = ProjectId::from_bytes([4; 16]);
    const OTHER: ProjectId = ProjectId::from_bytes([5; 16]);

    fn followed_by(users: &[UserId], organisations: &[OrganisationId]) -> Project {
        Project {
            followers: users.iter().copied().collect(),
            organisations: organisations.iter().copied().collect(),
            ..Project::plain(Label::parse("Migration").unwrap())
        }
    }

    #[test]
    fn a_user_follows_for_themself_or_with_their_organisation() {
        let mut projects = Projects::default();
        projects.add(ONE, &followed_by(&[ADA], &[]));
        projects.add(OTHER, &followed_by(&[], &[CLIENT]));
        assert_eq!(projects.followed(ADA, None), BTreeSet::from([ONE]));
        assert_eq!(projects.followed(ADA, Some(CLIENT)), BTreeSet::from([ONE, OTHER]));
        assert_eq!(projects.followed(BOB, Some(CLIENT)), BTreeSet::from([OTHER]));
        assert_eq!(projects.followed(BOB, None), BTreeSet::new());
    }

    #[test]
    fn a_new_version_concerns_those_alone_who_come_and_go() {
        let mut projects = Projects::default();
        projects.add(ONE, &followed_by(&[ADA], &[CLIENT]));
        let turnover = projects.add(ONE, &followed_by(&[BOB], &[CLIENT]));
        let expected = Turnover {
            users: BTreeSet::from([ADA, BOB]),
            organisations: BTreeSet::new(),
        };
        assert_eq!(turnover, expected);
        assert_eq!(projects.followed(ADA, None), BTreeSet::new());
        assert_eq!(projects.followed(BOB, None), BTreeSet::from([ONE]));
    }

    #[test]
    fn an_archived_project_takes_no_tickets_and_keeps_its_followers() {
        let mut projects = Projects::default();
        assert!(!projects.takes_tickets(ONE), "nobody has written it");
        let project = followed_by(&[ADA], &[]);
        projects.add(ONE, &project);
        assert!(projects.takes_tickets(ONE));
        projects.add(
            ONE,
            &Project {
                archived: true,
                ..project
            },
        );
        assert!(!projects.takes_tickets(ONE));
        assert_eq!(projects.followed(ADA, None), BTreeSet::from([ONE]));
    }
}
