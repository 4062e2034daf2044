//! Whom users act as, according to their profiles, groups and roles, followed in the log, so that no request waits for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use domain::actor::{Actor, ActorKind};
use domain::catalogue::{Connected, Profiles};
use domain::directory::EntryKind;
use domain::ids::{GroupId, OrganisationId, ProjectId, ServiceCatalogueId, UserId};
use domain::people::{Organisation, Profile, User, UserKind};
use domain::reference::Reference;
use domain::rights::Givers;
use uuid::Uuid;

/// The users that have a profile, and what they may do. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub struct People(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    users: HashMap<UserId, User>,
    givers: Givers,
    organisations: HashMap<OrganisationId, Organisation>,
    /// What follows from both, for users who were asked for since the givers changed: they change rarely.
    standings: HashMap<UserId, Standing>,
}

/// What a user's profile says of how they come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// As this actor, whatever their token says.
    Actor(Arc<Actor>),
    /// Not at all.
    Disabled,
}

impl People {
    /// `None`: there is no profile of the user.
    pub fn standing(&self, user: UserId) -> Option<Standing> {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(standing) = known.standings.get(&user) {
                return Some(standing.clone());
            }
            known.users.get(&user)?;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let actor = known.givers.actor(user, known.users.get(&user)?);
        let standing = actor.map_or(Standing::Disabled, |actor| Standing::Actor(Arc::new(actor)));
        known.standings.insert(user, standing.clone());
        Some(standing)
    }

    /// What is known of a user. `None`: there is no profile of theirs.
    pub fn user(&self, user: UserId) -> Option<User> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.users.get(&user).cloned()
    }

    /// Those that a profile names, and that nobody has written.
    pub fn unwritten(&self, profile: &Profile) -> Vec<Reference> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_written = |reference: &Reference| match reference.kind {
            EntryKind::User => known.users.contains_key(&reference.id.into()),
            EntryKind::Organisation => known.organisations.contains_key(&reference.id.into()),
            kind => known.givers.has(kind, reference.id),
        };
        let named = profile.references().into_iter();
        named.filter(|reference| !is_written(reference)).collect()
    }

    /// The users whose profiles say that they belong to a group.
    pub fn members(&self, group: GroupId) -> BTreeSet<UserId> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let members = known.users.iter().filter(|(_, user)| user.groups.contains(&group));
        members.map(|(id, _)| *id).collect()
    }

    /// Somebody who has no profile, with the projects that they or their organisation follow, and the portal through which
    /// they come.
    pub fn without_profile(&self, actor: Arc<Actor>) -> Arc<Actor> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let projects = known.givers.projects().followed(actor.user, actor.organisation);
        let portal = match actor.kind {
            ActorKind::Customer => known.givers.portals().of(actor.organisation),
            ActorKind::Staff | ActorKind::System => None,
        };
        if projects == actor.projects && portal == actor.portal {
            return actor;
        }
        Arc::new(Actor {
            projects,
            portal,
            ..Actor::clone(&actor)
        })
    }

    /// Whether there is a profile of such a project, and it takes tickets.
    pub(crate) fn takes_tickets(&self, project: ProjectId) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.givers.projects().takes_tickets(project)
    }

    /// Takes in a profile of the entry of this id. Whoever keeps the books does so.
    pub fn add(&self, id: Uuid, profile: &Profile) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match profile {
            Profile::User(user) => {
                known.standings.remove(&id.into());
                known.users.insert(id.into(), user.clone());
            }
            Profile::Group(_) | Profile::Role(_) | Profile::PermissionSet(_) | Profile::Portal(_) => {
                known.givers.add(id, profile);
                known.standings.clear();
            }
            Profile::Project(project) => {
                let turnover = known.givers.add_project(id.into(), project);
                for user in &turnover.users {
                    known.standings.remove(user);
                }
                // Organisations come and go far less often than users.
                if !turnover.organisations.is_empty() {
                    known.forget_people_of(&turnover.organisations);
                }
            }
            Profile::Organisation(organisation) => {
                let id = id.into();
                known.organisations.insert(id, organisation.clone());
                if known.givers.add_organisation(id, organisation) {
                    known.forget_people_of(&BTreeSet::from([id]));
                }
            }
            Profile::Item(_) => {}
        }
    }
}

impl Known {
    /// `None`: nothing is known of it, or it is archived.
    fn organisation_in_use(&self, id: Option<OrganisationId>) -> Option<&Organisation> {
        let organisation = self.organisations.get(&id?);
        organisation.filter(|organisation| !organisation.archived)
    }

    /// Has it found out anew whom the people of these organisations act as.
    fn forget_people_of(&mut self, organisations: &BTreeSet<OrganisationId>) {
        let of_them = |standing: &Standing| standing.organisation().is_some_and(|id| organisations.contains(&id));
        self.standings.retain(|_, standing| !of_them(standing));
    }
}

impl Standing {
    fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::Actor(actor) => actor.organisation,
            Self::Disabled => None,
        }
    }
}

impl Profiles for People {
    fn may_come_in(&self, user: UserId) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.users.get(&user).is_some_and(|user| user.enabled)
    }

    fn connected(&self, actor: &Actor) -> Connected {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let organisation = known.organisation_in_use(actor.organisation);
        Connected {
            systems: known.givers.systems(&actor.groups),
            products: organisation
                .map(|organisation| organisation.products.clone())
                .unwrap_or_default(),
        }
    }

    fn cannot_work(&self, user: UserId) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let user = known.users.get(&user);
        user.is_some_and(|user| !user.enabled || user.kind == UserKind::Customer)
    }

    fn is_archived(&self, organisation: OrganisationId) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let organisation = known.organisations.get(&organisation);
        organisation.is_some_and(|organisation| organisation.archived)
    }

    fn granted(&self, user: UserId, organisation: Option<OrganisationId>) -> BTreeSet<ServiceCatalogueId> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let to_user = known.users.get(&user).map(|user| &user.service_catalogues);
        let organisation = known.organisation_in_use(organisation);
        let to_organisation = organisation.map(|organisation| &organisation.service_catalogues);
        to_user.into_iter().chain(to_organisation).flatten().copied().collect()
    }
}
