//! Events and headers whose bytes the golden files hold. Golden bytes never change, so neither do these.

use domain::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

use domain::actor::{ActorKind, Permission, StaffScope};
use domain::address::Held;
use domain::calendar::{CalendarSpec, Interval, Week, stored};
use domain::catalogue::{Awaits, Priority, TicketType};
use domain::contract::{Agreed, Contract, SupportPeriod};
use domain::digest::Digest;
use domain::directory::{self, EntryKind};
use domain::ids::{
    CommandId, GroupId, OrganisationId, PermissionSetId, PortalId, ProjectId, Revision, RoleId, ServiceCatalogueId,
    TicketNumber, UserId,
};
use domain::people::{FullName, Group, Language, Organisation, Profile, User, UserKind};
use domain::policy::WaitLength;
use domain::portal::{App, PanelFilter, Portal, Property, Showing};
use domain::project::Project;
use domain::rights::{Assignment, PermissionSet, Role};
use domain::sla::{BreachAction, Delivery, Notified, Scope, Target, TargetKind, stored as policy};
use domain::text::{Body, Code, Label, Subject};
use domain::ticket::{
    Assigned, Change, Classified, Created, CustomFields, CustomValue, Edited, Event, Status, Visibility, Wait,
};
use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use uuid::Uuid;
use wire::{Header, RecordedActor};

use crate::item_samples::items;

const USER: UserId = UserId::from_bytes([0x11; 16]);
/// All that there were when the bytes were made.
const PERMISSIONS: [Permission; 3] = [Permission::Import, Permission::CloseAny, Permission::Administer];
const GROUP: GroupId = GroupId::from_bytes([0x22; 16]);
const ORGANISATION: OrganisationId = OrganisationId::from_bytes([0x33; 16]);

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(crate) fn body(text: &str) -> Body {
    Body::parse(text).unwrap()
}

fn wait() -> Wait {
    Wait {
        number: 300,
        due_at: Timestamp::from_microsecond(1_772_442_000_000_001).unwrap(),
        policy: label("supportal/1"),
    }
}

fn fields() -> CustomFields {
    [
        (label("contract"), CustomValue::Text(label("A-17"))),
        (label("seats"), CustomValue::Number(-40)),
        (label("вип"), CustomValue::Flag(true)),
    ]
    .into()
}

fn outage() -> TicketType {
    TicketType {
        code: Code::new("outage"),
        awaits: Some(Awaits::Fix),
    }
}

fn feature_request() -> TicketType {
    TicketType {
        code: Code::new("feature_request"),
        awaits: Some(Awaits::Implementation),
    }
}

fn critical() -> Priority {
    Priority {
        code: Code::new("critical"),
        rank: 3,
    }
}

fn full_created() -> Created {
    Created {
        number: TicketNumber(1_207),
        subject: Subject::parse("Не открывается отчёт 📉").unwrap(),
        description: body("Line one\nLine two\twith a tab"),
        ticket_type: outage(),
        priority: critical(),
        category: Some(label("reports")),
        system: Some(label("billing")),
        environment: Some(label("production")),
        service: Some(label("export")),
        product: None,
        platform_version: Some(label("24.2.1")),
        custom_fields: fields(),
        requester: USER,
        organisation: Some(ORGANISATION),
    }
}

fn bare_created() -> Created {
    Created {
        number: TicketNumber(u64::MAX),
        ticket_type: TicketType {
            code: Code::new("consultation"),
            awaits: None,
        },
        category: None,
        system: None,
        environment: None,
        service: None,
        platform_version: None,
        custom_fields: CustomFields::new(),
        organisation: None,
        ..full_created()
    }
}

fn corrections() -> Vec<Event> {
    let clear = || Change::Set(None);
    vec![
        Event::Classified(Box::new(Classified {
            ticket_type: Change::Set(feature_request()),
            priority: Change::Set(critical()),
            category: Change::Set(Some(label("reports"))),
            system: Change::Set(Some(label("billing"))),
            environment: clear(),
            service: clear(),
            product: Change::Keep,
        })),
        Event::Classified(Box::default()),
        Event::Created(Box::new(Created {
            product: Some(label("Engine 2")),
            ..full_created()
        })),
        Event::Classified(Box::new(Classified {
            product: Change::Set(Some(label("Engine 2"))),
            priority: Change::Set(critical()),
            ..Classified::default()
        })),
        Event::Classified(Box::new(Classified {
            product: Change::Set(None),
            ..Classified::default()
        })),
        Event::Assigned(Assigned {
            assignee: Change::Set(Some(USER)),
            group: Change::Set(Some(GROUP)),
        }),
        Event::Assigned(Assigned {
            assignee: Change::Set(None),
            group: Change::Keep,
        }),
        Event::Edited(Box::new(Edited {
            subject: Change::Set(Subject::parse("Better").unwrap()),
            description: Change::Set(body("Clearer")),
            custom_fields: Change::Set(fields()),
            platform_version: Change::Set(None),
        })),
        Event::Edited(Box::default()),
    ]
}

/// For every kind of a ticket's events: with everything set, and with nothing that need not be.
pub(crate) fn ticket_events() -> Vec<Event> {
    let words = || body("Слова");
    let mut events = vec![
        Event::Created(Box::new(full_created())),
        Event::Created(Box::new(bare_created())),
        Event::Accepted { assignee: USER },
        Event::InformationRequested {
            comment: words(),
            wait: Some(wait()),
        },
        Event::InformationRequested {
            comment: words(),
            wait: None,
        },
        Event::InformationProvided { comment: words() },
        Event::FixAwaited {
            comment: Some(words()),
            reference: Some(label("BUG-1")),
        },
        Event::FixAwaited {
            comment: None,
            reference: None,
        },
        Event::ImplementationAwaited {
            comment: Some(words()),
            reference: Some(label("IDEA-1")),
        },
        Event::ImplementationAwaited {
            comment: None,
            reference: None,
        },
        Event::WorkResumed { comment: Some(words()) },
        Event::WorkResumed { comment: None },
        Event::ClosureProposed {
            solution: words(),
            wait: Some(wait()),
        },
        Event::ClosureProposed {
            solution: words(),
            wait: None,
        },
        Event::ClosureDeclined { comment: words() },
        Event::Closed {
            comment: Some(words()),
            reason: Some(body("duplicate")),
        },
        Event::Closed {
            comment: None,
            reason: None,
        },
        Event::Reopened { comment: words() },
        Event::Rated {
            score: 5,
            comment: Some(words()),
        },
        Event::Rated {
            score: 1,
            comment: None,
        },
        Event::Commented {
            body: words(),
            visibility: Visibility::Public,
        },
        Event::Commented {
            body: words(),
            visibility: Visibility::Internal,
        },
        Event::Followed { user: USER },
        Event::Unfollowed { user: USER },
        Event::InformationWaitExpired { wait: Some(wait()) },
        Event::InformationWaitExpired { wait: None },
        Event::ClosureWaitExpired,
        Event::ProjectChanged {
            project: Some(ProjectId::from_bytes([57; 16])),
        },
        Event::ProjectChanged { project: None },
    ];
    events.extend(corrections());
    events.extend(crate::clock_samples::clock_events());
    events
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn full_calendar() -> stored::Version {
    let (morning, afternoon) = (Interval::hours(9, 13), Interval::hours(14, 18));
    let week = Week::monday_to_friday(&[morning, afternoon]);
    let night = Interval::parse("22:30:15", "24:00").unwrap();
    stored::Version {
        spec: CalendarSpec {
            holidays: [date("2026-01-01"), date("0001-01-01"), date("9999-12-31")].into(),
            overrides: [
                (date("2026-02-14"), vec![Interval::hours(9, 15)]),
                (date("2026-02-16"), vec![]),
            ]
            .into(),
            closures: [(date("2026-03-06"), vec![Interval::hours(16, 18)])].into(),
            ..CalendarSpec::weekly("Техподдержка", "Europe/Moscow", week.with(Weekday::Sunday, vec![night]))
        },
        effective_from: Some(date("2026-07-01")),
    }
}

fn bare_calendar() -> stored::Version {
    stored::Version {
        spec: CalendarSpec::weekly("Always", "UTC", Week::round_the_clock()),
        effective_from: None,
    }
}

/// A name for every kind of entry, every change to a calendar and to a policy, contracts, and digests.
pub(crate) fn directory_events() -> Vec<directory::Event> {
    let names = [EntryKind::User, EntryKind::Group, EntryKind::Organisation]
        .into_iter()
        .map(|kind| directory::Event::Named {
            kind,
            name: label("Ada Lovelace"),
        });
    let changes = [
        stored::Change::Created,
        stored::Change::Changed,
        stored::Change::HolidaysAdded { added: 300 },
    ];
    let calendars = changes.into_iter().flat_map(|change| {
        [full_calendar(), bare_calendar()]
            .map(|version| directory::Event::Calendar(Box::new(stored::Revised { change, version })))
    });
    let changes = [policy::Change::Created, policy::Change::Changed];
    let policies = changes.into_iter().flat_map(|change| {
        [full_policy(), policy::Version::new(label("Bare"))].map(|version| {
            directory::Event::Policy(Box::new(policy::Revised {
                change,
                policy: Uuid::from_bytes([0x44; 16]).into(),
                number: 300,
                version,
            }))
        })
    });
    let at = |micros| Some(Timestamp::from_microsecond(micros).unwrap());
    let year = SupportPeriod {
        from: at(1_767_225_600_000_000),
        until: at(1_798_761_600_000_000),
    };
    let contracts = [
        Agreed::WithOrganisation(Contract::default()),
        Agreed::WithOrganisation(Contract {
            workflow: "cabinet",
            support: year,
        }),
        Agreed::WithUser(year),
    ];
    let contracts = contracts.map(|agreed| directory::Event::Agreed(Box::new(agreed)));
    let digests = [None, year.from].map(|from| {
        directory::Event::Digest(Digest {
            from,
            until: Timestamp::from_microsecond(1_798_761_600_000_001).unwrap(),
        })
    });
    names
        .chain(calendars)
        .chain(policies)
        .chain(contracts)
        .chain(digests)
        .chain([None, Some(USER)].map(|by| directory::Event::Address(Held { by })))
        .chain(profiles().map(|profile| directory::Event::Profile(Box::new(profile))))
        .collect()
}

fn profiles() -> impl Iterator<Item = Profile> {
    let user = User {
        groups: BTreeSet::from([GROUP]),
        leading: true,
        permissions: BTreeSet::from(PERMISSIONS),
        position: Some(label("Analyst")),
        email: Some(label("ada@example.org")),
        ..User::plain(label("Ada Lovelace"), UserKind::Staff)
    };
    let customer = User {
        organisation: Some(ORGANISATION),
        enabled: false,
        ..User::plain(label("Charles"), UserKind::Customer)
    };
    let [lead, helper] = [51, 52].map(|byte| RoleId::from_bytes([byte; 16]));
    let held = |role, group| Assignment { role, group };
    let with_roles = User {
        roles: BTreeSet::from([held(lead, None), held(lead, Some(GROUP)), held(helper, None)]),
        full_name: FullName {
            last: Some(label("Lovelace")),
            first: Some(label("Ada")),
            middle: Some(label("Байрон")),
        },
        description: Some(body("Knows the engine.")),
        phones: BTreeSet::from([label("+7 495 000-00-00"), label("1842")]),
        language: Some(Language::Russian),
        ..user.clone()
    };
    let granted = BTreeSet::from([57, 58].map(|byte| ServiceCatalogueId::from_bytes([byte; 16])));
    let with_services = User {
        service_catalogues: granted.clone(),
        ..customer.clone()
    };
    let sets = BTreeSet::from([53, 54].map(|byte| PermissionSetId::from_bytes([byte; 16])));
    let group = Group {
        name: label("First line"),
        description: Some(body("Answers the telephone.")),
        systems: BTreeSet::from([label("billing"), label("почта")]),
        permission_sets: BTreeSet::new(),
        archived: false,
    };
    let with_sets = Group {
        permission_sets: sets.clone(),
        ..group.clone()
    };
    let role = Role {
        name: label("Shift lead"),
        description: Some(body("Keeps the queue short.")),
        leading: true,
        permission_sets: sets,
        archived: false,
    };
    let set = PermissionSet {
        name: label("Everything"),
        description: None,
        permissions: BTreeSet::from(PERMISSIONS),
        archived: true,
    };
    let project = Project {
        name: label("Migration"),
        description: Some(body("To the new engine.")),
        followers: BTreeSet::from([55, 56].map(|byte| UserId::from_bytes([byte; 16]))),
        organisations: BTreeSet::from([ORGANISATION]),
        archived: true,
    };
    let organisation = Organisation {
        name: label("Engines Ltd"),
        products: BTreeSet::from([label("Engine 2")]),
        service_catalogues: BTreeSet::new(),
        portal: None,
        archived: true,
    };
    let organisation_with_services = Organisation {
        service_catalogues: granted,
        ..organisation.clone()
    };
    let organisation_with_portal = Organisation {
        portal: Some(PortalId::from_bytes([57; 16])),
        ..organisation_with_services.clone()
    };
    [
        Profile::User(user),
        Profile::User(customer),
        Profile::User(with_roles.clone()),
        Profile::User(with_services),
        Profile::User(User {
            scope: StaffScope::Groups,
            ..with_roles
        }),
        Profile::Group(group),
        Profile::Group(with_sets),
        Profile::Organisation(organisation),
        Profile::Organisation(organisation_with_services),
        Profile::Organisation(organisation_with_portal),
        Profile::Role(role),
        Profile::PermissionSet(set),
        Profile::Project(project),
    ]
    .into_iter()
    .chain(portals().map(Profile::Portal))
    .chain(items().into_iter().map(Profile::Item))
}

fn portals() -> [Portal; 2] {
    let portal = |showing: Showing| Portal {
        name: label("Портал"),
        description: Some(body("For all.")),
        showing: Arc::new(showing),
        archived: false,
    };
    let room = Property::CustomField(label("Room"));
    let some = Showing {
        own: false,
        projects: true,
        types: Some(BTreeSet::from([Code::new("outage"), Code::new("request_2")])),
        // All that there were when the bytes were made.
        visible: Some(
            Property::NAMED
                .into_iter()
                .filter(|one| ![Property::Type, Property::Product].contains(one))
                .chain([room.clone()])
                .collect(),
        ),
        editable: Some(BTreeSet::from([Property::Subject, room])),
        filters: Some(
            PanelFilter::ALL
                .into_iter()
                .filter(|one| *one != PanelFilter::Product)
                .collect(),
        ),
        apps: Some(BTreeSet::from(App::ALL)),
    };
    [portal(Showing::EVERYTHING), portal(some)]
}

fn full_policy() -> policy::Version {
    let length = |hours| WaitLength::Working(SignedDuration::from_hours(hours));
    let elapsed = WaitLength::Elapsed(SignedDuration::from_micros(90_000_001));
    let on_breach = vec![
        BreachAction::RaisePriority(Code::new("critical")),
        BreachAction::Reassign(GROUP),
        BreachAction::Notify(Notified::Assignee, Delivery::AtOnce),
        BreachAction::Notify(Notified::Group, Delivery::WorkingHours),
        BreachAction::Notify(Notified::Followers, Delivery::AtOnce),
    ];
    let first = Target {
        on_breach,
        ..Target::new(length(4)).paused_in(Status::ALL)
    };
    let resolution = Target {
        warn_percent: None,
        ..Target::new(elapsed)
    };
    policy::Version {
        in_force: false,
        scope: Scope {
            organisation: Some(ORGANISATION),
            service: Some(label("Почта")),
            ticket_type: Some(Code::new("outage")),
            priority: Some(Code::new("critical")),
        },
        calendar: Some(Uuid::from_bytes([0x55; 16]).into()),
        targets: [
            (TargetKind::FirstResponse, first),
            (TargetKind::NextResponse, Target::new(length(8))),
            (TargetKind::Resolution, resolution),
        ]
        .into(),
        information: Some(length(40)),
        closure: Some(elapsed),
        reply_resumes: false,
        ..policy::Version::new(label("Золотой"))
    }
}

/// A header with everything set.
pub(crate) fn full_header() -> Header {
    Header {
        record_id: Uuid::from_bytes([0xa1; 16]),
        aggregate_id: Uuid::from_bytes([0xa2; 16]),
        command_id: CommandId::from_bytes([0xa3; 16]),
        digest: [0xa4; 32],
        actor: RecordedActor {
            user: USER,
            kind: ActorKind::Customer,
            organisation: Some(ORGANISATION),
        },
        via: Some(UserId::from_bytes([0xa5; 16])),
        occurred_at: Timestamp::from_microsecond(-1).unwrap(),
        recorded_at: Timestamp::from_microsecond(1_772_442_000_000_001).unwrap(),
        revision: Revision(300),
        previous_sequence: 70_000,
        previous_hash: [0xa6; 32],
        causation: Some(Uuid::from_bytes([0xa7; 16])),
        correlation: Some(Uuid::from_bytes([0xa8; 16])),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

/// The header of a ticket's first record, with nothing that need not be set.
pub(crate) fn bare_header(kind: ActorKind) -> Header {
    Header {
        actor: RecordedActor {
            user: USER,
            kind,
            organisation: None,
        },
        via: None,
        revision: Revision(1),
        previous_sequence: 0,
        previous_hash: [0; 32],
        causation: None,
        correlation: None,
        traceparent: None,
        ..full_header()
    }
}
