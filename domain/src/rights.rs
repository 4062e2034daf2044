//! What users may do: by their own profiles, by their groups, and by roles, system-wide or within a group.
//!
//! Permissions come in sets, which are given to groups and roles. A set or a role that is archived, or that is named and
//! nobody has written, gives nothing. An archived group gives none of its sets; who is in it, and holds a role within it or
//! leads there, goes on doing so, because its tickets are still there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::actor::{Actor, ActorKind, Category, Permission};
use crate::directory::EntryKind;
use crate::ids::{GroupId, OrganisationId, PermissionSetId, PortalId, ProjectId, RoleId, UserId};
use crate::people::{Group, Organisation, Profile, User, UserKind};
use crate::portal::Portals;
use crate::project::{Project, Projects, Turnover};
use crate::text::{Body, Label};

/// Permissions that are given together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionSet {
    /// What everybody reads.
    pub name: Label,
    /// What it is for.
    pub description: Option<Body>,
    /// What it gives.
    pub permissions: BTreeSet<Permission>,
    /// Whether it is out of use: then it gives nothing.
    pub archived: bool,
}

/// What somebody is to the desk, or to one of its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// What everybody reads.
    pub name: Label,
    /// What it is for.
    pub description: Option<Body>,
    /// Whether its holders lead.
    pub leading: bool,
    /// What its holders may do.
    pub permission_sets: BTreeSet<PermissionSetId>,
    /// Whether it is out of use: then it gives nothing.
    pub archived: bool,
}

/// A role that a user holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assignment {
    /// Which.
    pub role: RoleId,
    /// Within which group; `None`: system-wide.
    pub group: Option<GroupId>,
}

/// The groups, roles and permission sets from which it follows what users may do.
#[derive(Debug, Clone, Default)]
pub struct Givers {
    groups: HashMap<GroupId, Group>,
    roles: HashMap<RoleId, Role>,
    sets: HashMap<PermissionSetId, PermissionSet>,
    projects: Projects,
    portals: Portals,
}

impl Givers {
    /// Takes in what is known of the entry of this id. Users give nothing, and items of the catalogue neither.
    pub fn add(&mut self, id: Uuid, profile: &Profile) {
        match profile {
            Profile::Group(group) => {
                self.groups.insert(id.into(), group.clone());
            }
            Profile::Role(role) => {
                self.roles.insert(id.into(), role.clone());
            }
            Profile::PermissionSet(set) => {
                self.sets.insert(id.into(), set.clone());
            }
            Profile::Project(project) => {
                self.add_project(id.into(), project);
            }
            Profile::Portal(portal) => self.portals.add(id.into(), portal),
            Profile::Organisation(organisation) => {
                self.add_organisation(id.into(), organisation);
            }
            Profile::User(_) | Profile::Item(_) => {}
        }
    }

    /// Takes in what is known of a project, and says whom that concerns.
    pub fn add_project(&mut self, id: ProjectId, project: &Project) -> Turnover {
        self.projects.add(id, project)
    }

    /// Takes in what is known of an organisation, and says whether its people come through another portal than before.
    pub fn add_organisation(&mut self, id: OrganisationId, organisation: &Organisation) -> bool {
        self.portals.name(id, organisation.portal)
    }

    /// The systems to which one of these groups is connected. An archived group is connected to none.
    pub fn systems(&self, groups: &BTreeSet<GroupId>) -> BTreeSet<Label> {
        let groups = groups.iter().filter_map(|id| self.groups.get(id));
        let in_use = groups.filter(|group| !group.archived);
        in_use.flat_map(|group| group.systems.iter().cloned()).collect()
    }

    /// Whether somebody has written the group, role, permission set or portal of this id. The portal for others counts before
    /// anybody has. Of other kinds givers do not know.
    pub fn has(&self, kind: EntryKind, id: Uuid) -> bool {
        match kind {
            EntryKind::Group => self.groups.contains_key(&id.into()),
            EntryKind::Role => self.roles.contains_key(&id.into()),
            EntryKind::PermissionSet => self.sets.contains_key(&id.into()),
            EntryKind::Portal => id == PortalId::OTHERS.as_uuid() || self.portals.has(id.into()),
            EntryKind::User | EntryKind::Organisation | EntryKind::Project | EntryKind::Item(_) => false,
        }
    }

    /// All portals.
    pub fn portals(&self) -> &Portals {
        &self.portals
    }

    /// All projects.
    pub fn projects(&self) -> &Projects {
        &self.projects
    }

    /// Whom the user acts as; `None`: as nobody, because they may not come in.
    ///
    /// * Members of a group hold what its permission sets give.
    /// * A role that is held system-wide gives its sets, and if it is a leading one, its holder leads in all of their groups.
    /// * A role that is held within a group counts for members of that group. There it gives what concerns tickets, for the
    ///   tickets of that group, and if it is a leading one, its holder leads in that group. What concerns the whole desk, it
    ///   does not give.
    /// * Customers hold no permissions, whatever their groups and roles give; they may lead.
    /// * Customers come through a portal: see [`Portals`].
    /// * A project is followed by its own followers, and by everybody of an organisation that follows it.
    pub fn actor(&self, id: UserId, user: &User) -> Option<Actor> {
        if !user.enabled {
            return None;
        }
        let mut permissions = user.permissions.clone();
        let mut leads = if user.leading {
            user.groups.clone()
        } else {
            BTreeSet::new()
        };
        let mut within: BTreeMap<GroupId, BTreeSet<Permission>> = BTreeMap::new();
        for group in &user.groups {
            permissions.extend(self.of_group(*group));
        }
        for Assignment { role, group } in &user.roles {
            let Some(role) = self.roles.get(role).filter(|role| !role.archived) else {
                continue;
            };
            let given = self.of_sets(&role.permission_sets);
            match group {
                None => {
                    permissions.extend(given);
                    if role.leading {
                        leads.extend(&user.groups);
                    }
                }
                Some(group) if user.groups.contains(group) => {
                    for permission in given.filter(|permission| permission.category() == Category::Tickets) {
                        within.entry(*group).or_default().insert(permission);
                    }
                    if role.leading {
                        leads.insert(*group);
                    }
                }
                Some(_) => {}
            }
        }
        let portal = match user.kind {
            UserKind::Staff => None,
            UserKind::Customer => {
                permissions.clear();
                within.clear();
                self.portals.of(user.organisation)
            }
        };
        Some(Actor {
            name: Some(user.name.clone()),
            organisation: user.organisation,
            groups: user.groups.clone(),
            leads,
            projects: self.projects.followed(id, user.organisation),
            portal,
            scope: user.scope,
            permissions,
            within,
            ..Actor::plain(id, user.kind.actor())
        })
    }

    fn of_group(&self, group: GroupId) -> impl Iterator<Item = Permission> {
        let group = self.groups.get(&group).filter(|group| !group.archived);
        group.into_iter().flat_map(|group| self.of_sets(&group.permission_sets))
    }

    fn of_sets<'r>(&'r self, sets: &'r BTreeSet<PermissionSetId>) -> impl Iterator<Item = Permission> + 'r {
        let sets = sets.iter().filter_map(|set| self.sets.get(set));
        let in_use = sets.filter(|set| !set.archived);
        in_use.flat_map(|set| set.permissions.iter().copied())
    }
}

/// Whether `actor` may write profiles of entries of this kind: projects are everyday work of staff, but of those who see every
/// ticket, because followers see those of a project; and all the rest is for those who hold the permission for it, or administer.
pub fn may_write(actor: &Actor, kind: EntryKind) -> bool {
    let permitted = match permission_to_write(kind) {
        None => actor.sees_everything(),
        Some(permission) => actor.may(permission) || actor.may(Permission::Administer),
    };
    actor.kind == ActorKind::Staff && permitted
}

/// The least permission with which staff write profiles of entries of this kind. `None`: they need none.
pub const fn permission_to_write(kind: EntryKind) -> Option<Permission> {
    match kind {
        EntryKind::Project => None,
        EntryKind::User | EntryKind::Group | EntryKind::Role | EntryKind::PermissionSet => Some(Permission::Administer),
        EntryKind::Organisation => Some(Permission::ManageOrganisations),
        EntryKind::Portal => Some(Permission::ManagePortals),
        EntryKind::Item(_) => Some(Permission::ManageCatalogue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ItemKind;
    use crate::testing::agent;

    const USER: UserId = UserId::from_bytes([1; 16]);
    const GROUP: GroupId = GroupId::from_bytes([2; 16]);
    const OTHER: GroupId = GroupId::from_bytes([3; 16]);
    const SET: PermissionSetId = PermissionSetId::from_bytes([4; 16]);
    const ROLE: RoleId = RoleId::from_bytes([5; 16]);

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    fn user(roles: &[Assignment]) -> User {
        User {
            groups: BTreeSet::from([GROUP]),
            roles: roles.iter().copied().collect(),
            ..User::plain(label("Ada"), UserKind::Staff)
        }
    }

    fn set() -> PermissionSet {
        PermissionSet {
            name: label("Everything"),
            description: None,
            permissions: BTreeSet::from(Permission::ALL),
            archived: false,
        }
    }

    fn role() -> Role {
        Role {
            name: label("Lead"),
            description: None,
            leading: true,
            permission_sets: BTreeSet::from([SET]),
            archived: false,
        }
    }

    fn group(sets: &[PermissionSetId]) -> Group {
        Group {
            name: label("First line"),
            description: None,
            systems: BTreeSet::new(),
            permission_sets: sets.iter().copied().collect(),
            archived: false,
        }
    }

    fn givers(group: Group, role: Role, set: PermissionSet) -> Givers {
        let mut givers = Givers::default();
        givers.add(GROUP.as_uuid(), &Profile::Group(group));
        givers.add(ROLE.as_uuid(), &Profile::Role(role));
        givers.add(SET.as_uuid(), &Profile::PermissionSet(set));
        givers
    }

    fn held(group: Option<GroupId>) -> User {
        user(&[Assignment { role: ROLE, group }])
    }

    #[test]
    fn members_hold_what_their_groups_give() {
        let givers = givers(group(&[SET]), role(), set());
        let actor = givers.actor(USER, &user(&[])).unwrap();
        assert_eq!(actor.permissions, BTreeSet::from(Permission::ALL));
        let stranger = User {
            groups: BTreeSet::from([OTHER]),
            ..user(&[])
        };
        assert_eq!(givers.actor(USER, &stranger).unwrap().permissions, BTreeSet::new());
    }

    #[test]
    fn a_role_held_system_wide_gives_everything_and_leads_everywhere() {
        let actor = givers(group(&[]), role(), set()).actor(USER, &held(None)).unwrap();
        assert_eq!(actor.permissions, BTreeSet::from(Permission::ALL));
        assert_eq!(actor.leads, BTreeSet::from([GROUP]));
        assert_eq!(actor.within, BTreeMap::new());
    }

    #[test]
    fn a_role_held_within_a_group_is_for_its_tickets_alone() {
        let givers = givers(group(&[]), role(), set());
        let actor = givers.actor(USER, &held(Some(GROUP))).unwrap();
        assert_eq!(actor.permissions, BTreeSet::new());
        assert_eq!(actor.leads, BTreeSet::from([GROUP]));
        assert!(actor.may_with(Permission::CloseAny, Some(GROUP)));
        assert!(!actor.may_with(Permission::CloseAny, Some(OTHER)) && !actor.may_with(Permission::CloseAny, None));
        assert!(!actor.may_with(Permission::Import, Some(GROUP)) && !actor.may(Permission::Administer));
        let elsewhere = givers.actor(USER, &held(Some(OTHER))).unwrap();
        assert_eq!((elsewhere.leads, elsewhere.within), (BTreeSet::new(), BTreeMap::new()));
    }

    #[test]
    fn what_is_archived_or_unknown_gives_nothing() {
        let archived_set = PermissionSet {
            archived: true,
            ..set()
        };
        let archived_role = Role {
            archived: true,
            ..role()
        };
        let archived_group = Group {
            archived: true,
            ..group(&[SET])
        };
        let without_sets = Role {
            permission_sets: BTreeSet::new(),
            ..role()
        };
        let here = BTreeSet::from([GROUP]);
        let cases = [
            // A role leads without its sets.
            (givers(group(&[SET]), role(), archived_set), here.clone()),
            (givers(group(&[]), archived_role, set()), BTreeSet::new()),
            (givers(archived_group, without_sets, set()), here),
            (Givers::default(), BTreeSet::new()),
        ];
        for (givers, leads) in cases {
            for held in [held(None), held(Some(GROUP))] {
                let actor = givers.actor(USER, &held).unwrap();
                assert_eq!(actor.permissions, BTreeSet::new());
                assert_eq!((actor.within, &actor.leads), (BTreeMap::new(), &leads));
            }
        }
    }

    #[test]
    fn customers_lead_and_hold_no_permissions_and_the_disabled_are_nobody() {
        let givers = givers(group(&[SET]), role(), set());
        let customer = User {
            kind: UserKind::Customer,
            ..held(Some(GROUP))
        };
        let actor = givers.actor(USER, &customer).unwrap();
        assert_eq!((actor.permissions.len(), actor.within.len()), (0, 0));
        assert_eq!(actor.leads, BTreeSet::from([GROUP]));
        let disabled = User {
            enabled: false,
            ..held(None)
        };
        assert_eq!(givers.actor(USER, &disabled), None);
    }

    #[test]
    fn the_words_that_are_stored_stay_as_they_are() {
        assert_eq!(
            Permission::ALL.map(Permission::as_str).join(" "),
            "import close_any administer view_as manage_organisations manage_catalogue manage_portals"
        );
    }

    #[test]
    fn who_manages_a_part_of_the_directory_writes_nothing_else() {
        let others = EntryKind::ALL.into_iter().filter(|kind| *kind != EntryKind::Project);
        let all: Vec<EntryKind> = others.collect();
        for permission in Permission::ALL {
            let actor = Actor {
                permissions: BTreeSet::from([permission]),
                ..agent()
            };
            let written = all.iter().copied().filter(|kind| may_write(&actor, *kind));
            let expected = match permission {
                Permission::ManageOrganisations => vec![EntryKind::Organisation],
                Permission::ManagePortals => vec![EntryKind::Portal],
                Permission::ManageCatalogue => ItemKind::ALL.map(EntryKind::Item).to_vec(),
                Permission::Administer => all.clone(),
                Permission::Import | Permission::CloseAny | Permission::ViewAs => vec![],
            };
            assert_eq!(written.collect::<Vec<_>>(), expected, "{permission:?}");
            let customer = Actor {
                kind: ActorKind::Customer,
                ..actor
            };
            assert!(!EntryKind::ALL.into_iter().any(|kind| may_write(&customer, kind)));
        }
    }
}
