//! Random directories and tickets, and what a test remembers of them to say by itself who sees what: by the rule of the
//! domain, from what it wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::access::{Audience, may_see};
use domain::actor::{Actor, ActorKind, StaffScope};
use domain::catalogue::TicketType;
use domain::ids::{GroupId, OrganisationId, PortalId, ProjectId, RoleId, TicketNumber, UserId};
use domain::people::{Organisation, Profile, User, UserKind};
use domain::portal::{Portal, Showing};
use domain::project::Project;
use domain::rights::{Assignment, Role};
use domain::testing::{agent, body, create};
use domain::text::{Code, Label, Subject};
use domain::ticket::{AddComment, Assign, Change, Classify, Close, Command, Reopen, Visibility};
use uuid::Uuid;

use crate::desk::{Desk, ticket};
use crate::histories::Random;

/// Words of every ticket's subject, and of every internal comment.
const SUBJECT: &str = "Plotter smokes";
pub(crate) const INTERNAL: &str = "Quarantine";

/// The types of the sample ticket, and another.
const TYPES: [&str; 2] = ["consultation", "defect"];

/// A role that leads, within whichever group it is held.
const LEADERS: Uuid = Uuid::from_u128(0x401e);

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// Ids of as many entries, from a number on.
fn ids<I: From<Uuid>>(from: u128, count: u64) -> Vec<I> {
    (from..)
        .take(count.try_into().unwrap())
        .map(|n| Uuid::from_u128(n).into())
        .collect()
}

/// How somebody leads in their groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leading {
    Nowhere,
    Everywhere,
    /// By a role within the first of their groups, if they are in one.
    InOne,
}

/// Somebody, and what is written of them.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    user: UserId,
    kind: ActorKind,
    organisation: Option<OrganisationId>,
    groups: BTreeSet<GroupId>,
    leading: Leading,
    scope: StaffScope,
    /// Whether they have a profile. If not, their token says what they are.
    profile: bool,
}

impl Person {
    fn random(random: &mut Random, kind: ActorKind, user: UserId, world: &World) -> Self {
        let staff = kind == ActorKind::Staff;
        let one_in = if staff { 4 } else { 1 };
        let organisation = random
            .once_in(one_in)
            .then(|| random.pick(&world.organisations).copied());
        let scope = if staff && !random.once_in(4) {
            StaffScope::Groups
        } else {
            StaffScope::All
        };
        let profile = scope == StaffScope::Groups || !random.once_in(3);
        let ways = [Leading::Nowhere, Leading::Everywhere, Leading::InOne];
        // A token leads in all of its groups or in none.
        let ways = if profile { &ways[..] } else { &ways[..2] };
        Self {
            user,
            kind,
            organisation: organisation.flatten().filter(|_| !random.once_in(5)),
            groups: random.some(&world.groups),
            leading: *random.pick(ways).unwrap(),
            scope,
            profile,
        }
    }

    fn written(&self) -> Option<(Uuid, Profile)> {
        let within = self.groups.first().filter(|_| self.leading == Leading::InOne);
        let roles = within.map(|group| Assignment {
            role: RoleId::from(LEADERS),
            group: Some(*group),
        });
        let kind = match self.kind {
            ActorKind::Customer => UserKind::Customer,
            ActorKind::Staff | ActorKind::System => UserKind::Staff,
        };
        let user = User {
            organisation: self.organisation,
            groups: self.groups.clone(),
            leading: self.leading == Leading::Everywhere,
            scope: self.scope,
            roles: roles.into_iter().collect(),
            ..User::plain(label("Somebody"), kind)
        };
        self.profile.then(|| (self.user.as_uuid(), Profile::User(user)))
    }

    /// Whom they act as.
    pub(crate) fn actor(&self, world: &World) -> Actor {
        let follows = |project: &Project| {
            let with_others = self.organisation.is_some_and(|id| project.organisations.contains(&id));
            project.followers.contains(&self.user) || with_others
        };
        let followed = world.projects.iter().filter(|(_, project)| follows(project));
        let leads = match self.leading {
            Leading::Nowhere => BTreeSet::new(),
            Leading::Everywhere => self.groups.clone(),
            Leading::InOne => self.groups.first().copied().into_iter().collect(),
        };
        Actor {
            organisation: self.organisation,
            groups: self.groups.clone(),
            leads,
            projects: followed.map(|(id, _)| *id).collect(),
            portal: world.portal_of(self),
            scope: self.scope,
            ..Actor::plain(self.user, self.kind)
        }
    }
}

/// A directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    organisations: Vec<OrganisationId>,
    groups: Vec<GroupId>,
    projects: Vec<(ProjectId, Project)>,
    /// What portals show; that of all others comes first, if there is one.
    portals: Vec<(PortalId, Showing)>,
    /// The portal that each organisation names.
    named: Vec<Option<PortalId>>,
    pub(crate) people: Vec<Person>,
}

impl World {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut world = Self {
            organisations: ids(11, 1 + random.below(3)),
            groups: ids(21, 1 + random.below(4)),
            ..Self::default()
        };
        let portals: Vec<PortalId> = ids(41, random.below(3));
        let others = (!random.once_in(3)).then_some(PortalId::OTHERS);
        let portals: Vec<PortalId> = others.into_iter().chain(portals).collect();
        world.portals = portals.iter().map(|id| (*id, showing(random))).collect();
        world.named = world.organisations.iter().map(|_| random.maybe(&portals)).collect();
        let customers = ids(1, 3 + random.below(6))
            .into_iter()
            .map(|id| (ActorKind::Customer, id));
        let staff = ids(81, 2 + random.below(4))
            .into_iter()
            .map(|id| (ActorKind::Staff, id));
        for (kind, user) in customers.chain(staff) {
            world.people.push(Person::random(random, kind, user, &world));
        }
        let users: Vec<UserId> = world.people.iter().map(|person| person.user).collect();
        let projects = ids(31, random.below(4)).into_iter().map(|id| {
            let project = Project {
                followers: random.some(&users),
                organisations: if random.once_in(2) {
                    random.some(&world.organisations)
                } else {
                    BTreeSet::new()
                },
                archived: random.once_in(4),
                ..Project::plain(label("Migration"))
            };
            (id, project)
        });
        world.projects = projects.collect();
        world
    }

    /// What a portal of somebody's organisation, or that of all others, shows them.
    fn portal_of(&self, person: &Person) -> Option<Arc<Showing>> {
        let showing = |id: PortalId| self.portals.iter().find(|(portal, _)| *portal == id);
        let place = self
            .organisations
            .iter()
            .position(|id| Some(*id) == person.organisation);
        let own = place.and_then(|place| self.named[place]);
        let shown = showing(own.unwrap_or(PortalId::OTHERS)).map(|(_, showing)| Arc::new(showing.clone()));
        shown.filter(|_| person.kind == ActorKind::Customer)
    }

    /// Writes it: what there is to belong to, then the people as somebody else, and then as they are.
    pub(crate) async fn write(&self, desk: &Desk, random: &mut Random) {
        let role = Role {
            name: label("Leader"),
            description: None,
            leading: true,
            permission_sets: BTreeSet::new(),
            archived: false,
        };
        desk.write_profiles([(LEADERS, Profile::Role(role))]).await;
        // As lists: a future that holds what makes them one by one cannot be spawned.
        let portals = self.portals.iter().map(|(id, showing)| {
            let portal = Portal {
                name: label("Portal"),
                description: None,
                showing: Arc::new(showing.clone()),
                archived: false,
            };
            (id.as_uuid(), Profile::Portal(portal))
        });
        desk.write_profiles(portals.collect::<Vec<_>>()).await;
        let organisations = self.organisations.iter().zip(&self.named).map(|(id, portal)| {
            let organisation = Organisation {
                name: label("Client"),
                products: BTreeSet::new(),
                service_catalogues: BTreeSet::new(),
                portal: *portal,
                archived: false,
            };
            (id.as_uuid(), Profile::Organisation(organisation))
        });
        desk.write_profiles(organisations.collect::<Vec<_>>()).await;
        let written = self.people.iter().filter(|person| person.profile);
        let before = written.map(|person| Person {
            profile: true,
            ..Person::random(random, person.kind, person.user, self)
        });
        let before: Vec<_> = before.filter_map(|person| person.written()).collect();
        let people: Vec<_> = self.people.iter().filter_map(Person::written).collect();
        desk.write_profiles(before.into_iter().chain(people)).await;
        let projects = self.projects.iter().cloned();
        let projects = projects.map(|(id, project)| (id.as_uuid(), Profile::Project(project)));
        desk.write_profiles(projects.collect::<Vec<_>>()).await;
    }

    /// A customer of whom nothing is written and who has no tickets.
    pub(crate) fn stranger(&self) -> Actor {
        let stranger = Person {
            user: UserId::from(Uuid::from_u128(99)),
            kind: ActorKind::Customer,
            organisation: None,
            groups: BTreeSet::new(),
            leading: Leading::Nowhere,
            scope: StaffScope::All,
            profile: false,
        };
        stranger.actor(self)
    }

    fn step(&self, random: &mut Random) -> Step {
        let users: Vec<UserId> = self.people.iter().map(|person| person.user).collect();
        let projects: Vec<ProjectId> = self.projects.iter().map(|(id, _)| *id).collect();
        let staff: Vec<UserId> = (self.people.iter())
            .filter(|person| person.kind == ActorKind::Staff)
            .map(|person| person.user)
            .collect();
        match random.below(16) {
            0..3 => Step::Assign(random.maybe(&self.groups)),
            3..5 => Step::Give(random.maybe(&staff)),
            5..8 => Step::Move(random.maybe(&projects)),
            8..10 => Step::Follow(*random.pick(&users).unwrap()),
            10..12 => Step::Unfollow(*random.pick(&users).unwrap()),
            12 => Step::Classify(random.pick(&TYPES).unwrap()),
            13..15 => Step::Close,
            _ => Step::Reopen,
        }
    }

    /// A ticket's life, in two parts of which each is a moment that can be asked about.
    pub(crate) fn plan(&self, random: &mut Random) -> Plan {
        let mut steps = || (0..random.below(5)).map(|_| self.step(random)).collect();
        let (before, after) = (steps(), steps());
        Plan {
            requester: random.pick(&self.people).unwrap().clone(),
            before,
            after,
        }
    }
}

fn showing(random: &mut Random) -> Showing {
    let types = TYPES.map(Code::new);
    Showing {
        own: !random.once_in(3),
        projects: !random.once_in(3),
        types: random.once_in(3).then(|| random.some(&types)),
        ..Showing::EVERYTHING
    }
}

/// Something that happens to a ticket.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Assign(Option<GroupId>),
    Give(Option<UserId>),
    Move(Option<ProjectId>),
    Follow(UserId),
    Unfollow(UserId),
    Classify(&'static str),
    Close,
    Reopen,
}

impl Step {
    fn command(&self) -> Command {
        match self {
            Self::Assign(group) => Command::Assign(Assign {
                assignee: Change::Keep,
                group: Change::Set(*group),
            }),
            Self::Give(assignee) => Command::Assign(Assign {
                assignee: Change::Set(*assignee),
                group: Change::Keep,
            }),
            Self::Move(project) => Command::Classify(Box::new(Classify {
                project: Change::Set(*project),
                ..Classify::default()
            })),
            Self::Follow(user) => Command::Follow(Some(*user)),
            Self::Unfollow(user) => Command::Unfollow(Some(*user)),
            Self::Classify(code) => Command::Classify(Box::new(Classify {
                ticket_type: Change::Set(TicketType {
                    code: Code::new(code),
                    awaits: None,
                }),
                ..Classify::default()
            })),
            Self::Close => Command::Close(Close {
                comment: None,
                reason: Some(body("Sent twice.")),
            }),
            Self::Reopen => Command::Reopen(Reopen {
                comment: body("It was not."),
            }),
        }
    }
}

/// A ticket's life, and whose wish it is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    requester: Person,
    pub(crate) before: Vec<Step>,
    pub(crate) after: Vec<Step>,
}

/// What the rule looks at, and what dashboards count.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) requester: UserId,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) group: Option<GroupId>,
    pub(crate) assignee: Option<UserId>,
    pub(crate) project: Option<ProjectId>,
    pub(crate) ticket_type: &'static str,
    pub(crate) followers: BTreeSet<UserId>,
    pub(crate) status: &'static str,
}

impl Model {
    pub(crate) fn is_open(&self) -> bool {
        self.status != "closed"
    }

    pub(crate) fn is_visible(&self, actor: &Actor) -> bool {
        let audience = Audience {
            requester: self.requester,
            organisation: self.organisation,
            group: self.group,
            assignee: self.assignee,
            project: self.project,
            ticket_type: self.ticket_type,
            followers: &self.followers,
            open: self.is_open(),
        };
        may_see(actor, audience)
    }

    /// Opens a ticket as somebody plans to.
    pub(crate) async fn open(desk: &Desk, n: u64, plan: &Plan, world: &World) -> Self {
        // Whatever their portal lets them open today.
        let requester = Actor {
            portal: None,
            ..plan.requester.actor(world)
        };
        let Command::Create(mut sample, _) = create() else {
            panic!("the sample is a creation")
        };
        sample.number = TicketNumber(n);
        sample.subject = Subject::parse(SUBJECT).unwrap();
        sample.requester = requester.user;
        sample.organisation = requester.organisation;
        desk.give(ticket(n), &requester, Command::Create(sample, None)).await;
        let internal = AddComment {
            body: body(INTERNAL),
            visibility: Visibility::Internal,
        };
        desk.give(ticket(n), &agent(), Command::Comment(internal)).await;
        Self {
            requester: requester.user,
            organisation: requester.organisation,
            group: None,
            assignee: None,
            project: None,
            ticket_type: TYPES[0],
            followers: BTreeSet::from([requester.user]),
            status: "new",
        }
    }

    pub(crate) async fn take(&mut self, desk: &Desk, n: u64, steps: &[Step]) {
        for step in steps {
            // What is closed takes fewer commands, and what is open is not reopened: then nothing changes.
            let taken = desk.attempt(ticket(n), &agent(), step.command(), None).await;
            if taken.is_none() {
                continue;
            }
            match step {
                Step::Assign(group) => self.group = *group,
                Step::Give(assignee) => self.assignee = *assignee,
                Step::Move(project) => self.project = *project,
                Step::Follow(user) => {
                    self.followers.insert(*user);
                }
                Step::Unfollow(user) => {
                    self.followers.remove(user);
                }
                Step::Classify(code) => self.ticket_type = code,
                Step::Close => self.status = "closed",
                Step::Reopen => self.status = "reopened",
            }
        }
    }
}
