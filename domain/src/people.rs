//! What the directory knows of users, groups and organisations: profiles, version after version, none of which is ever lost.
//!
//! A name that was given along with a ticket's command is no profile: it says what somebody is called and nothing else, and
//! counts until there is one. A user who has a profile is what it says, whichever token they use.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::actor::{Actor, ActorKind, Permission};
use crate::directory::EntryKind;
use crate::ids::{GroupId, OrganisationId, Revision, UserId};
use crate::text::{Body, Label};

/// An entry takes no more profiles than this: one a week for twenty years. All of them are read for each change.
pub const VERSIONS_MAX: u64 = 1_000;
/// The most groups of a user, systems of a group, or products of an organisation.
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
    /// Whether the user holds a leading role in them.
    pub leading: bool,
    /// What a member of staff may do beyond the ordinary.
    pub permissions: BTreeSet<Permission>,
    /// What the user does, in words.
    pub position: Option<Label>,
    /// Where to write to.
    pub email: Option<Label>,
    /// Whether the user may come in. One who may not is kept, because tickets refer to them.
    pub enabled: bool,
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

    const fn actor(self) -> ActorKind {
        match self {
            Self::Staff => ActorKind::Staff,
            Self::Customer => ActorKind::Customer,
        }
    }
}

impl User {
    /// Whom the user acts as; `None`: as nobody, because they may not come in.
    pub fn actor(&self, user: UserId) -> Option<Actor> {
        self.enabled.then(|| Actor {
            user,
            name: Some(self.name.clone()),
            kind: self.kind.actor(),
            organisation: self.organisation,
            groups: self.groups.clone(),
            leading: self.leading,
            permissions: self.permissions.clone(),
        })
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
}

impl Profile {
    /// What sort of entry it is of.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::User(_) => EntryKind::User,
            Self::Group(_) => EntryKind::Group,
            Self::Organisation(_) => EntryKind::Organisation,
        }
    }

    /// What the entry is called.
    pub const fn name(&self) -> &Label {
        match self {
            Self::User(user) => &user.name,
            Self::Group(group) => &group.name,
            Self::Organisation(organisation) => &organisation.name,
        }
    }

    /// The name of its event in the log and in JSON.
    pub const fn change(&self) -> &'static str {
        match self {
            Self::User(_) => "user_profile_written",
            Self::Group(_) => "group_profile_written",
            Self::Organisation(_) => "organisation_profile_written",
        }
    }
}

/// A wish about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// It goes by this name, if nothing better is known.
    Name(Label),
    /// This is known of it.
    Profile(Profile),
}

/// A fact about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It goes by this name.
    Named(EntryKind, Label),
    /// This is known of it.
    Profile(Profile),
}

/// Why a wish is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Only administrators may do that.
    #[error("only staff with the permission administer write profiles of the directory")]
    NotPermitted,
    /// Nobody would be left who can undo it.
    #[error("nobody disables their own account, or takes the permission administer from it")]
    OwnAccount,
    /// It has as many versions as an entry may have.
    #[error("the entry has {VERSIONS_MAX} versions, as many as one may have")]
    TooManyVersions,
}

/// An entry, as its facts make it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    name: Option<Label>,
    profile: Option<Profile>,
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
        Command::Profile(profile) => {
            if actor.kind != ActorKind::Staff || !actor.may(Permission::Administer) {
                return Err(Rejection::NotPermitted);
            }
            if actor.user.as_uuid() == id && !keeps_administering(profile) {
                return Err(Rejection::OwnAccount);
            }
            if entry.profile.as_ref() == Some(profile) {
                return Ok(None);
            }
            if entry.facts.0 >= VERSIONS_MAX {
                return Err(Rejection::TooManyVersions);
            }
            Ok(Some(Fact::Profile(profile.clone())))
        }
    }
}

/// Whether a user with this profile can still change profiles. Of what is no user the question does not arise.
fn keeps_administering(profile: &Profile) -> bool {
    match profile {
        Profile::User(user) => {
            user.enabled && user.kind == UserKind::Staff && user.permissions.contains(&Permission::Administer)
        }
        Profile::Group(_) | Profile::Organisation(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            name: label("Ada"),
            kind: UserKind::Staff,
            organisation: None,
            groups: BTreeSet::new(),
            leading: false,
            permissions: BTreeSet::from([Permission::Administer]),
            position: None,
            email: None,
            enabled: true,
        }
    }

    fn profile(user: &User) -> Command {
        Command::Profile(Profile::User(user.clone()))
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
        let fact = Fact::Profile(Profile::User(ada()));
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
        assert_eq!(changed, Ok(Some(Fact::Profile(Profile::User(disabled)))));
    }

    #[test]
    fn only_administrators_write_records_and_none_shuts_out_themselves() {
        let entry = Entry::default();
        let decide = |id: UserId, user: &User, actor: &Actor| {
            decide(&entry, EntryKind::User, id.as_uuid(), &profile(user), actor).map(|fact| fact.is_some())
        };
        assert_eq!(decide(CUSTOMER, &ada(), &agent()), Err(Rejection::NotPermitted));
        let customer = Actor {
            kind: ActorKind::Customer,
            ..administrator()
        };
        assert_eq!(decide(CUSTOMER, &ada(), &customer), Err(Rejection::NotPermitted));
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
    fn a_user_acts_as_the_record_says_and_a_disabled_one_not_at_all() {
        let actor = ada().actor(AGENT).unwrap();
        assert_eq!((actor.user, actor.kind), (AGENT, ActorKind::Staff));
        assert!(actor.may(Permission::Administer) && !actor.may(Permission::CloseAny));
        let disabled = User {
            enabled: false,
            ..ada()
        };
        assert_eq!(disabled.actor(AGENT), None);
    }
}
