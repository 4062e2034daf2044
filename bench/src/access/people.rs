//! The directory of the peopled desk, and those of its users who ask.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::Context as _;
use domain::{
    actor::{Actor, ActorKind, Permission},
    ids::{CommandId, GroupId, PermissionSetId, PortalId, RoleId, UserId},
    people::{Group, Organisation, Profile, User, UserKind},
    portal::{Portal, Property, Showing},
    project::Project,
    rights::{Assignment, PermissionSet, Role},
    text::Label,
};
use event_log::{EventLog, Request};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::commands::say;

/// Members of staff who ask, and customers who do.
pub(super) const CALLERS: usize = 64;
const ROLES: usize = 20;
const PERMISSION_SETS: usize = 20;
const PROJECTS: usize = 50;
const FOLLOWERS_OF_A_PROJECT: usize = 20;
/// Permission sets of a group, and of a role.
const SETS_OF_ONE: usize = 2;
/// A member of staff is in one to so many groups.
const GROUPS_OF_STAFF_MAX: usize = 3;
/// Of staff, every so many-th holds a role; of roles, every so many-th is a leading one.
const ROLE_EVERY: usize = 3;
const LEADING_EVERY: usize = 4;
/// Profiles that wait for their acknowledgement at any time.
const IN_FLIGHT: usize = 64;
const SAY_EVERY: usize = 10_000;

/// How much of a directory there is to be.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Sizes {
    /// Users in the directory: half of them staff, half of them customers.
    #[arg(long, default_value_t = 100_000)]
    pub(super) users: usize,
    /// Organisations in the directory.
    #[arg(long, default_value_t = 10_000)]
    pub(super) organisations: usize,
    /// Groups in the directory.
    #[arg(long, default_value_t = 1_000)]
    pub(super) groups: usize,
}

/// A customer whose wish some ticket is.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(super) struct Requester {
    pub(super) id: Uuid,
    pub(super) organisation: Uuid,
    /// One of their tickets.
    pub(super) ticket: Uuid,
}

/// Whom the desk's tickets know, and those who ask.
#[derive(Debug)]
pub(super) struct Known {
    requesters: Vec<Requester>,
    /// The members of staff who ask.
    pub(super) staff: Vec<Uuid>,
    /// The customers who ask: not all of them others, if there are few.
    pub(super) customers: Vec<Requester>,
}

impl Known {
    /// Looks into the read models.
    pub(super) async fn look(db: &mut PgConnection) -> anyhow::Result<Self> {
        let requesters: Vec<Requester> = sqlx::query_as(
            "SELECT requester_id AS id, organisation_id AS organisation, (array_agg(id ORDER BY number))[1] AS ticket
             FROM desk.tickets WHERE organisation_id IS NOT NULL GROUP BY 1, 2 ORDER BY count(*) DESC, 1",
        )
        .fetch_all(&mut *db)
        .await?;
        let mut staff: Vec<Uuid> = sqlx::query_scalar(
            "SELECT assignee_id FROM desk.tickets WHERE assignee_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1",
        )
        .fetch_all(&mut *db)
        .await?;
        staff.resize_with(CALLERS, Uuid::new_v4);
        // Evenly over those with many tickets and those with few.
        let customers = (0..CALLERS)
            .map(|index| at(&requesters, index * requesters.len() / CALLERS))
            .collect::<Option<_>>()
            .context("no ticket is a customer's")?;
        Ok(Self {
            requesters,
            staff,
            customers,
        })
    }

    /// All profiles. The users and organisations that tickets know, and those who ask, are among them.
    pub(super) fn profiles(&self, sizes: Sizes) -> anyhow::Result<Vec<(Uuid, Profile)>> {
        let (sets, roles, groups) = (ids(PERMISSION_SETS), ids(ROLES), ids(sizes.groups));
        let mut organisations = first_of(self.requesters.iter().map(|one| one.organisation), sizes.organisations);
        organisations.resize_with(sizes.organisations, Uuid::new_v4);
        let customers = self.all_customers(sizes.users / 2, &organisations);
        let mut staff = self.staff.clone();
        staff.resize_with(sizes.users - sizes.users / 2, Uuid::new_v4);

        let mut profiles = Vec::new();
        for (index, id) in sets.iter().enumerate() {
            profiles.push((*id, permission_set(index)?));
        }
        for (index, id) in roles.iter().enumerate() {
            profiles.push((*id, role(index, &sets)?));
        }
        for (index, id) in groups.iter().enumerate() {
            profiles.push((*id, group(index, &sets)?));
        }
        for (index, id) in organisations.iter().enumerate() {
            profiles.push((*id, organisation(index)?));
        }
        profiles.push((PortalId::OTHERS.as_uuid(), portal()?));
        for index in 0..PROJECTS {
            profiles.push((Uuid::new_v4(), project(index, &customers)?));
        }
        for (index, id) in staff.into_iter().enumerate() {
            profiles.push((id, member_of_staff(index, &groups, &roles)?));
        }
        for (index, (id, organisation)) in customers.into_iter().enumerate() {
            profiles.push((id, customer(index, organisation)?));
        }
        Ok(profiles)
    }

    /// So many customers with their organisations: first those who ask, then those whom tickets know, then others.
    fn all_customers(&self, number: usize, organisations: &[Uuid]) -> Vec<(Uuid, Uuid)> {
        let known = self.customers.iter().chain(&self.requesters);
        let mut customers = first_of(known.map(|one| (one.id, one.organisation)), number);
        let others = organisations.iter().cycle().map(|one| (Uuid::new_v4(), *one));
        let missing = number.saturating_sub(customers.len());
        customers.extend(others.take(missing));
        customers
    }
}

/// Writes the profiles, many at once.
pub(super) async fn write(log: &EventLog, profiles: &[(Uuid, Profile)]) -> anyhow::Result<()> {
    let administrator = Arc::new(Actor {
        permissions: BTreeSet::from([Permission::Administer]),
        ..Actor::plain(UserId::from(Uuid::new_v4()), ActorKind::Staff)
    });
    let directory = &log.directory();
    let writes = profiles.iter().map(|(id, profile)| {
        let request = Request::new(CommandId::from(Uuid::new_v4()), [0; 32], Arc::clone(&administrator));
        async move { directory.write(*id, profile, &request).await }
    });
    let mut writes = stream::iter(writes).buffer_unordered(IN_FLIGHT);
    let mut written = 0_usize;
    while writes.try_next().await?.is_some() {
        written += 1;
        if written.is_multiple_of(SAY_EVERY) {
            say(&format!("{written} of {} profiles", profiles.len()));
        }
    }
    Ok(())
}

fn ids(number: usize) -> Vec<Uuid> {
    std::iter::repeat_with(Uuid::new_v4).take(number).collect()
}

/// The first of these that differ, so many at most.
fn first_of<T: Ord + Copy>(all: impl Iterator<Item = T>, number: usize) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(*one)).take(number).collect()
}

/// The one at this place, as if there were no end of them. `None`: there are none.
fn at<T: Copy>(all: &[T], index: usize) -> Option<T> {
    all.get(index % all.len().max(1)).copied()
}

/// So many of them from this place on.
fn some<T: From<Uuid> + Ord>(all: &[Uuid], from: usize, number: usize) -> BTreeSet<T> {
    let places = from..from + number;
    places.filter_map(|index| at(all, index)).map(T::from).collect()
}

fn label(what: &str, index: usize) -> anyhow::Result<Label> {
    Ok(Label::parse(&format!("{what} {index}"))?)
}

fn permission_set(index: usize) -> anyhow::Result<Profile> {
    Ok(Profile::PermissionSet(PermissionSet {
        name: label("Permission set", index)?,
        description: None,
        permissions: at(&Permission::ALL, index).into_iter().collect(),
        archived: false,
    }))
}

fn role(index: usize, sets: &[Uuid]) -> anyhow::Result<Profile> {
    Ok(Profile::Role(Role {
        name: label("Role", index)?,
        description: None,
        leading: index.is_multiple_of(LEADING_EVERY),
        permission_sets: some::<PermissionSetId>(sets, index, SETS_OF_ONE),
        archived: false,
    }))
}

fn group(index: usize, sets: &[Uuid]) -> anyhow::Result<Profile> {
    Ok(Profile::Group(Group {
        name: label("Group", index)?,
        description: None,
        systems: BTreeSet::new(),
        permission_sets: some(sets, index * SETS_OF_ONE, SETS_OF_ONE),
        archived: false,
    }))
}

fn organisation(index: usize) -> anyhow::Result<Profile> {
    Ok(Profile::Organisation(Organisation {
        name: label("Organisation", index)?,
        products: BTreeSet::new(),
        service_catalogues: BTreeSet::new(),
        portal: None,
        archived: false,
    }))
}

/// The portal of all: no type of ticket is left out, so that everybody sees as many tickets as without it.
fn portal() -> anyhow::Result<Profile> {
    let visible = [
        Property::Priority,
        Property::Category,
        Property::Assignee,
        Property::DueAt,
        Property::Rating,
    ];
    let showing = Showing {
        visible: Some(BTreeSet::from(visible)),
        ..Showing::EVERYTHING
    };
    Ok(Profile::Portal(Portal {
        name: Label::parse("Everybody's")?,
        description: None,
        showing: Arc::new(showing),
        archived: false,
    }))
}

fn project(index: usize, customers: &[(Uuid, Uuid)]) -> anyhow::Result<Profile> {
    let from = index * FOLLOWERS_OF_A_PROJECT;
    let followers = (from..from + FOLLOWERS_OF_A_PROJECT).filter_map(|index| at(customers, index));
    Ok(Profile::Project(Project {
        followers: followers.map(|(id, _)| UserId::from(id)).collect(),
        ..Project::plain(label("Project", index)?)
    }))
}

fn member_of_staff(index: usize, groups: &[Uuid], roles: &[Uuid]) -> anyhow::Result<Profile> {
    let number = 1 + index % GROUPS_OF_STAFF_MAX;
    let groups: BTreeSet<GroupId> = some(groups, index * GROUPS_OF_STAFF_MAX, number);
    let holders = index / ROLE_EVERY;
    let held = at(roles, holders).filter(|_| index.is_multiple_of(ROLE_EVERY));
    let held = held.map(|role| Assignment {
        role: RoleId::from(role),
        group: groups.first().copied().filter(|_| holders.is_multiple_of(2)),
    });
    Ok(Profile::User(User {
        groups,
        roles: held.into_iter().collect(),
        ..User::plain(label("Agent", index)?, UserKind::Staff)
    }))
}

fn customer(index: usize, organisation: Uuid) -> anyhow::Result<Profile> {
    Ok(Profile::User(User {
        organisation: Some(organisation.into()),
        ..User::plain(label("Customer", index)?, UserKind::Customer)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requester(n: u128) -> Requester {
        Requester {
            id: Uuid::from_u128(n),
            organisation: Uuid::from_u128(1_000 + n / 10),
            ticket: Uuid::from_u128(2_000 + n),
        }
    }

    fn known() -> Known {
        Known {
            requesters: (0..30).map(requester).collect(),
            staff: ids(CALLERS),
            customers: (0..CALLERS).map(|_| requester(7)).collect(),
        }
    }

    #[test]
    fn there_are_as_many_of_each_as_asked_for_and_no_id_is_twice() {
        let sizes = Sizes {
            users: 501,
            organisations: 50,
            groups: 20,
        };
        let profiles = known().profiles(sizes).unwrap();
        let count = |is: fn(&Profile) -> bool| profiles.iter().filter(|(_, profile)| is(profile)).count();
        assert_eq!(count(|one| matches!(one, Profile::User(_))), 501);
        assert_eq!(count(|one| matches!(one, Profile::Organisation(_))), 50);
        assert_eq!(count(|one| matches!(one, Profile::Group(_))), 20);
        let ids: BTreeSet<Uuid> = profiles.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), profiles.len());
    }

    #[test]
    fn those_who_ask_have_profiles_that_say_what_their_tokens_do() {
        let known = known();
        let sizes = Sizes {
            users: 2 * CALLERS,
            organisations: 5,
            groups: 3,
        };
        let profiles = known.profiles(sizes).unwrap();
        let user = |id: Uuid| {
            let of_id = |(one, profile): &&(Uuid, Profile)| *one == id && matches!(profile, Profile::User(_));
            match profiles.iter().find(of_id) {
                Some((_, Profile::User(user))) => user.clone(),
                _ => panic!("{id} has no profile"),
            }
        };
        for id in &known.staff {
            let user = user(*id);
            assert_eq!(user.kind, UserKind::Staff);
            assert!((1..=GROUPS_OF_STAFF_MAX).contains(&user.groups.len()));
        }
        for one in &known.customers {
            let user = user(one.id);
            assert_eq!(
                (user.kind, user.organisation),
                (UserKind::Customer, Some(one.organisation.into()))
            );
        }
    }
}
