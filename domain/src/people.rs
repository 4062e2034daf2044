//! What the directory knows of users, groups, organisations, roles, permission sets, projects, portals and items of the
//! catalogue: profiles, version after version, none of which is ever lost.
//!
//! A name that was given along with a ticket's command is no profile: it says what somebody is called and nothing else, and
//! counts until there is one. A user who has a profile is what it says, whichever token they use.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::actor::{Actor, ActorKind, Permission, StaffScope};
use crate::address::Taken;
use crate::catalogue::Item;
use crate::directory::EntryKind;
use crate::ids::{GroupId, OrganisationId, PermissionSetId, PortalId, Revision, ServiceCatalogueId};
use crate::portal::Portal;
use crate::project::Project;
use crate::rights::{Assignment, PermissionSet, Role, may_write};
use crate::text::{Body, Label};

/// An entry takes no more profiles than this: one a week for twenty years. All of them are read for each change.
pub const VERSIONS_MAX: u64 = 1_000;
/// The most groups, roles or phones of a user, systems or permission sets of a group, or products of an organisation.
pub const LIST_MAX: usize = 100;

/// A person, or a service that acts like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What everybody reads.
    pub name: Label,
    /// Staff or customer.
    pub kind: UserKind,
    /// The organisation that the user belongs to.
    pub organisation: Option<OrganisationId>,
    /// The groups that the user belongs to.
    pub groups: BTreeSet<GroupId>,
    /// Whether the user leads in all of them, whatever their roles.
    pub leading: bool,
    /// Which tickets a member of staff sees. Of customers always [`StaffScope::All`]: theirs follow from other rules.
    pub scope: StaffScope,
    /// What a member of staff may do beyond the ordinary, whatever their groups and roles.
    pub permissions: BTreeSet<Permission>,
    /// The roles that the user holds.
    pub roles: BTreeSet<Assignment>,
    /// The parts of the user's own name, as they are written in letters.
    pub full_name: FullName,
    /// What the user does, in words.
    pub position: Option<Label>,
    /// What else there is to know.
    pub description: Option<Body>,
    /// Where to write to.
    pub email: Option<Label>,
    /// Where to call.
    pub phones: BTreeSet<Label>,
    /// The service catalogues that were granted to the user. Staff need none.
    pub service_catalogues: BTreeSet<ServiceCatalogueId>,
    /// In which language to write and to speak; `None`: nobody has said.
    pub language: Option<Language>,
    /// Whether the user may come in. One who may not is kept, because tickets refer to them.
    pub enabled: bool,
}

/// The parts of a person's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FullName {
    /// The family's.
    pub last: Option<Label>,
    /// The person's own.
    pub first: Option<Label>,
    /// A patronymic, or a second name.
    pub middle: Option<Label>,
}

/// A language of the desk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English
    #[default]
    English,
    /// Русский
    Russian,
    /// Español
    Spanish,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::Russian, Self::Spanish];

    /// Its name in JSON, in queries and in the log: ISO 639-1.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
            Self::Spanish => "es",
        }
    }

    /// The language of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == name)
    }
}

/// What sort of actor a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// Works for the desk.
    Staff,
    /// Is served by the desk.
    Customer,
}

impl UserKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Staff, Self::Customer];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        ActorKind::as_str(self.actor())
    }

    pub(crate) const fn actor(self) -> ActorKind {
        match self {
            Self::Staff => ActorKind::Staff,
            Self::Customer => ActorKind::Customer,
        }
    }
}

impl User {
    /// A user of whom nothing else is known.
    pub fn plain(name: Label, kind: UserKind) -> Self {
        Self {
            name,
            kind,
            organisation: None,
            groups: BTreeSet::new(),
            leading: false,
            scope: StaffScope::All,
            permissions: BTreeSet::new(),
            roles: BTreeSet::new(),
            full_name: FullName::default(),
            position: None,
            description: None,
            email: None,
            phones: BTreeSet::new(),
            service_catalogues: BTreeSet::new(),
            language: None,
            enabled: true,
        }
    }
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What everybody reads.
    pub name: Label,
    /// What it is for.
    pub description: Option<Body>,
    /// The systems whose tickets it works on. None: it is not connected yet.
    pub systems: BTreeSet<Label>,
    /// What its members may do.
    pub permission_sets: BTreeSet<PermissionSetId>,
    /// Whether it is out of use. It is kept, because tickets refer to it.
    pub archived: bool,
}

/// A company that the desk serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// What everybody reads.
    pub name: Label,
    /// What it has bought.
    pub products: BTreeSet<Label>,
    /// The service catalogues that were granted to all of its people.
    pub service_catalogues: BTreeSet<ServiceCatalogueId>,
    /// The portal through which its people come; `None`: the one that is for all others.
    pub portal: Option<PortalId>,
    /// Whether it is out of use. It is kept, because tickets refer to it.
    pub archived: bool,
}

/// What is known of an entry, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// Of a user.
    User(User),
    /// Of a group.
    Group(Group),
    /// Of an organisation.
    Organisation(Organisation),
    /// Of a role.
    Role(Role),
    /// Of a permission set.
    PermissionSet(PermissionSet),
    /// Of a project.
    Project(Project),
    /// Of a portal.
    Portal(Portal),
    /// Of an item of the catalogue.
    Item(Item),
}

impl Profile {
    /// What sort of entry it is of.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::User(_) => EntryKind::User,
            Self::Group(_) => EntryKind::Group,
            Self::Organisation(_) => EntryKind::Organisation,
            Self::Role(_) => EntryKind::Role,
            Self::PermissionSet(_) => EntryKind::PermissionSet,
            Self::Project(_) => EntryKind::Project,
            Self::Portal(_) => EntryKind::Portal,
            Self::Item(item) => EntryKind::Item(item.kind()),
        }
    }

    /// Whether the entry is disabled or archived by it.
    pub const fn is_out_of_use(&self) -> bool {
        match self {
            Self::User(user) => !user.enabled,
            Self::Group(group) => group.archived,
            Self::Organisation(organisation) => organisation.archived,
            Self::Role(role) => role.archived,
            Self::PermissionSet(set) => set.archived,
            Self::Project(project) => project.archived,
            Self::Portal(portal) => portal.archived,
            Self::Item(item) => item.is_archived(),
        }
    }

    /// What the entry is called.
    pub const fn name(&self) -> &Label {
        match self {
            Self::User(user) => &user.name,
            Self::Group(group) => &group.name,
            Self::Organisation(organisation) => &organisation.name,
            Self::Role(role) => &role.name,
            Self::PermissionSet(set) => &set.name,
            Self::Project(project) => &project.name,
            Self::Portal(portal) => &portal.name,
            Self::Item(item) => item.name(),
        }
    }

    /// The name of its event in the log and in JSON.
    pub const fn change(&self) -> &'static str {
        match self {
            Self::User(_) => "user_profile_written",
            Self::Group(_) => "group_profile_written",
            Self::Organisation(_) => "organisation_profile_written",
            Self::Role(_) => "role_written",
            Self::PermissionSet(_) => "permission_set_written",
            Self::Project(_) => "project_written",
            Self::Portal(_) => "portal_written",
            Self::Item(item) => item.change(),
        }
    }
}

/// A wish about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// It goes by this name, if nothing better is known.
    Name(Label),
    /// This is known of it.
    Profile(Box<Profile>),
    /// The same of one of which nothing is known yet.
    New(Box<Profile>),
}

/// A fact about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It goes by this name.
    Named(EntryKind, Label),
    /// This is known of it.
    Profile(Box<Profile>),
}

/// Why a wish is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Only staff may do that, or only administrators.
    #[error("who asks may not write profiles of this kind")]
    NotPermitted(EntryKind),
    /// Nobody would be left who can undo it.
    #[error("nobody disables their own account, or takes the permission administer from it")]
    OwnAccount,
    /// The e-mail address is another user's.
    #[error(transparent)]
    AddressTaken(Taken),
    /// It has a profile already.
    #[error("the entry is there already")]
    AlreadyThere,
    /// It has as many versions as an entry may have.
    #[error("the entry has {VERSIONS_MAX} versions, as many as one may have")]
    TooManyVersions,
}

/// An entry, as its facts make it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    name: Option<Label>,
    profile: Option<Box<Profile>>,
    facts: Revision,
}

impl Entry {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(self, fact: &Fact) -> Self {
        let facts = self.facts.next();
        match fact {
            Fact::Named(_, name) => Self {
                name: Some(name.clone()),
                facts,
                ..self
            },
            Fact::Profile(profile) => Self {
                name: Some(profile.name().clone()),
                profile: Some(profile.clone()),
                facts,
            },
        }
    }

    /// How many facts there are.
    pub fn revision(&self) -> Revision {
        self.facts
    }

    /// What is known of it, whole. `None`: its name alone, or nothing.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_deref()
    }
}

/// Returns the fact that is wanted about the entry of this id; none if it holds already.
pub fn decide(
    entry: &Entry,
    kind: EntryKind,
    id: Uuid,
    command: &Command,
    actor: &Actor,
) -> Result<Option<Fact>, Rejection> {
    match command {
        Command::Name(name) => {
            let known = entry.profile.is_some() || entry.name.as_ref() == Some(name);
            Ok((!known).then(|| Fact::Named(kind, name.clone())))
        }
        Command::Profile(_) | Command::New(_) if !may_write(actor, kind) => Err(Rejection::NotPermitted(kind)),
        Command::New(_) if entry.profile.is_some() => Err(Rejection::AlreadyThere),
        Command::Profile(profile) | Command::New(profile) => {
            if actor.user.as_uuid() == id && !keeps_administering(entry.profile.as_deref(), profile) {
                return Err(Rejection::OwnAccount);
            }
            if entry.profile.as_ref() == Some(profile) {
                return Ok(None);
            }
            // What goes out of use always may: nobody comes in for ever because their profile changed too often.
            if entry.facts.0 >= VERSIONS_MAX && !profile.is_out_of_use() {
                return Err(Rejection::TooManyVersions);
            }
            Ok(Some(Fact::Profile(profile.clone())))
        }
    }
}

/// Whether a user who can change profiles still can afterwards: by the permission itself, or by all the groups and system-wide
/// roles that they had, if they did not hold it themselves. Which of these gives it, an entry does not know. Of what is no
/// user the question does not arise.
fn keeps_administering(before: Option<&Profile>, after: &Profile) -> bool {
    let Profile::User(user) = after else { return true };
    let itself = |user: &User| user.permissions.contains(&Permission::Administer);
    let by_others = match before {
        Some(Profile::User(before)) => {
            let mut system_wide = before.roles.iter().filter(|held| held.group.is_none());
            !itself(before)
                && user.groups.is_superset(&before.groups)
                && system_wide.all(|held| user.roles.contains(held))
        }
        Some(_) | None => false,
    };
    user.enabled && user.kind == UserKind::Staff && (itself(user) || by_others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{RoleId, UserId};
    use crate::testing::{AGENT, CUSTOMER, agent};

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    fn administrator() -> Actor {
        Actor {
            permissions: BTreeSet::from([Permission::Administer]),
            ..agent()
        }
    }

    fn ada() -> User {
        User {
            permissions: BTreeSet::from([Permission::Administer]),
            ..User::plain(label("Ada"), UserKind::Staff)
        }
    }

    fn profile(user: &User) -> Command {
        Command::Profile(Box::new(Profile::User(user.clone())))
    }

    fn written(user: User) -> Fact {
        Fact::Profile(Box::new(Profile::User(user)))
    }

    #[test]
    fn a_name_given_along_counts_until_there_is_a_record() {
        let (id, name) = (CUSTOMER.as_uuid(), Command::Name(label("A. Lovelace")));
        let entry = Entry::default();
        let named = decide(&entry, EntryKind::User, id, &name, &agent()).unwrap().unwrap();
        let entry = entry.evolve(&named);
        assert_eq!(decide(&entry, EntryKind::User, id, &name, &agent()), Ok(None));
        let written = decide(&entry, EntryKind::User, id, &profile(&ada()), &administrator());
        let entry = entry.evolve(&written.unwrap().unwrap());
        let other = Command::Name(label("Somebody"));
        assert_eq!(decide(&entry, EntryKind::User, id, &other, &agent()), Ok(None));
        assert_eq!(entry.revision(), Revision(2));
    }

    #[test]
    fn the_same_record_again_makes_no_version() {
        let (id, command) = (CUSTOMER.as_uuid(), profile(&ada()));
        let fact = written(ada());
        let entry = Entry::default().evolve(&fact);
        assert_eq!(
            decide(&entry, EntryKind::User, id, &command, &administrator()),
            Ok(None)
        );
        let disabled = User {
            enabled: false,
            ..ada()
        };
        let changed = decide(&entry, EntryKind::User, id, &profile(&disabled), &administrator());
        assert_eq!(changed, Ok(Some(written(disabled))));
    }

    #[test]
    fn a_new_entry_is_refused_where_there_is_one() {
        let decide = |entry: &Entry| {
            let command = Command::New(Box::new(Profile::User(ada())));
            decide(entry, EntryKind::User, CUSTOMER.as_uuid(), &command, &administrator()).map(|fact| fact.is_some())
        };
        let named = Entry::default().evolve(&Fact::Named(EntryKind::User, label("Ada")));
        assert_eq!(decide(&named), Ok(true));
        assert_eq!(decide(&named.evolve(&written(ada()))), Err(Rejection::AlreadyThere));
    }

    #[test]
    fn an_entry_with_all_its_versions_can_still_go_out_of_use() {
        let entry = Entry {
            facts: Revision(VERSIONS_MAX),
            ..Entry::default().evolve(&written(ada()))
        };
        let decide = |user: &User| {
            let id = CUSTOMER.as_uuid();
            decide(&entry, EntryKind::User, id, &profile(user), &administrator()).map(|fact| fact.is_some())
        };
        let renamed = User {
            name: label("A. Lovelace"),
            ..ada()
        };
        assert_eq!(decide(&renamed), Err(Rejection::TooManyVersions));
        let disabled = User {
            enabled: false,
            ..ada()
        };
        assert_eq!(decide(&disabled), Ok(true));
    }

    #[test]
    fn only_administrators_write_records_and_none_shuts_out_themselves() {
        let entry = Entry::default();
        let decide = |id: UserId, user: &User, actor: &Actor| {
            decide(&entry, EntryKind::User, id.as_uuid(), &profile(user), actor).map(|fact| fact.is_some())
        };
        assert_eq!(
            decide(CUSTOMER, &ada(), &agent()),
            Err(Rejection::NotPermitted(EntryKind::User))
        );
        let customer = Actor {
            kind: ActorKind::Customer,
            ..administrator()
        };
        assert_eq!(
            decide(CUSTOMER, &ada(), &customer),
            Err(Rejection::NotPermitted(EntryKind::User))
        );
        let shut_out = [
            User {
                enabled: false,
                ..ada()
            },
            User {
                permissions: BTreeSet::new(),
                ..ada()
            },
            User {
                kind: UserKind::Customer,
                ..ada()
            },
        ];
        for user in shut_out {
            assert_eq!(decide(AGENT, &user, &administrator()), Err(Rejection::OwnAccount));
            assert_eq!(decide(CUSTOMER, &user, &administrator()), Ok(true));
        }
        assert_eq!(decide(AGENT, &ada(), &administrator()), Ok(true));
    }

    #[test]
    fn any_staff_write_projects() {
        let project = Profile::Project(Project::plain(label("Migration")));
        let command = Command::Profile(Box::new(project.clone()));
        let decide = |actor: &Actor| decide(&Entry::default(), EntryKind::Project, Uuid::nil(), &command, actor);
        assert_eq!(decide(&agent()), Ok(Some(Fact::Profile(Box::new(project)))));
        let customer = Actor {
            kind: ActorKind::Customer,
            ..administrator()
        };
        assert_eq!(decide(&customer), Err(Rejection::NotPermitted(EntryKind::Project)));
    }

    #[test]
    fn who_administers_by_a_role_keeps_it_and_may_change_the_rest() {
        let by_role = User {
            roles: BTreeSet::from([Assignment {
                role: RoleId::from_bytes([7; 16]),
                group: None,
            }]),
            permissions: BTreeSet::new(),
            ..ada()
        };
        let entry = Entry::default().evolve(&written(by_role.clone()));
        let decide = |user: &User| {
            decide(
                &entry,
                EntryKind::User,
                AGENT.as_uuid(),
                &profile(user),
                &administrator(),
            )
            .map(|fact| fact.is_some())
        };
        let renamed = User {
            name: label("A. Lovelace"),
            ..by_role.clone()
        };
        assert_eq!(decide(&renamed), Ok(true));
        let without = User {
            roles: BTreeSet::new(),
            ..by_role
        };
        assert_eq!(decide(&without), Err(Rejection::OwnAccount));
    }
}
