use super::*;
use crate::catalogue::{Connected, CustomField, Item, Plain, PriorityItem, Product, Service, TypeItem};
use crate::ids::{GroupId, OrganisationId, ServiceCatalogueId};
use crate::policy::WaitPolicy;
use crate::testing::{AGENT, CLIENT, CUSTOMER, NOON, NoProfiles, agent, create, customer, opened};
use crate::ticket::{Accept, Assign, Change, Classify, Edit};

const GOLD: ServiceCatalogueId = ServiceCatalogueId::from_bytes([9; 16]);
/// A group that is connected to `mail`.
const CONNECTED: GroupId = GroupId::from_bytes([10; 16]);

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn plain(name: &str, archived: bool) -> Plain {
    Plain {
        name: label(name),
        description: None,
        archived,
    }
}

fn catalogue(items: impl IntoIterator<Item = Item>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for item in items {
        catalogue.add(GOLD.as_uuid(), &item);
    }
    catalogue
}

fn present() -> Ticket {
    Ticket::default().evolve(&opened(), NOON)
}

/// The pointers of what is refused.
fn refused(
    catalogue: &Catalogue,
    ticket: &Ticket,
    command: &Command,
    actor: &Actor,
    profiles: &dyn Profiles,
) -> Vec<(String, &'static str)> {
    let ctx = Context {
        actor,
        now: NOON,
        occurred_at: None,
        honour_deadlines: false,
        policy: &WaitPolicy::none(),
    };
    let imported = Context {
        occurred_at: Some(NOON),
        ..ctx.clone()
    };
    assert_eq!(
        catalogue.permit(ticket, command, &imported, profiles),
        Ok(()),
        "history"
    );
    match catalogue.permit(ticket, command, &ctx, profiles) {
        Ok(()) => Vec::new(),
        Err(Rejection::NotOffered(wrong)) => wrong.into_iter().map(|no| (no.field.join("/"), no.code)).collect(),
        Err(other) => panic!("{other}"),
    }
}

fn creating(change: impl FnOnce(&mut crate::ticket::Created)) -> Command {
    let Command::Create(mut created, project) = create() else {
        panic!("it creates")
    };
    change(&mut created);
    Command::Create(created, project)
}

#[derive(Debug)]
struct Known;

impl Profiles for Known {
    fn may_come_in(&self, user: UserId) -> bool {
        user == AGENT
    }

    fn connected(&self, actor: &Actor) -> Connected {
        let mail = actor.groups.contains(&CONNECTED).then(|| label("mail"));
        let engine = (actor.organisation == Some(CLIENT)).then(|| label("Engine"));
        Connected {
            systems: mail.into_iter().collect(),
            products: engine.into_iter().collect(),
        }
    }

    fn cannot_work(&self, user: UserId) -> bool {
        user == CUSTOMER
    }

    fn is_archived(&self, _: OrganisationId) -> bool {
        false
    }

    fn granted(&self, user: UserId, organisation: Option<OrganisationId>) -> BTreeSet<ServiceCatalogueId> {
        let granted = user == CUSTOMER || organisation == Some(CLIENT);
        granted.then_some(GOLD).into_iter().collect()
    }
}

#[test]
fn any_label_will_do_until_there_is_one_in_use_and_then_that_alone() {
    let refused = |items: &[Item]| {
        refused(
            &catalogue(items.iter().cloned()),
            &Ticket::Absent,
            &create(),
            &agent(),
            &NoProfiles,
        )
    };
    assert_eq!(refused(&[]), []);
    assert_eq!(refused(&[Item::System(plain("mail", true))]), []);
    assert_eq!(
        refused(&[Item::System(plain("mail", false))]),
        [("system".to_owned(), "invalid")]
    );
    let both = [
        Item::System(plain("mail", false)),
        Item::System(plain("billing", false)),
    ];
    assert_eq!(refused(&both), []);
    assert_eq!(
        refused(&[Item::Category(plain("Printing", false))]),
        [],
        "it has no category"
    );
}

#[test]
fn customers_choose_systems_to_which_their_groups_are_connected_or_that_come_with_a_product() {
    let product = |archived| {
        Item::Product(Product {
            name: label("Engine"),
            description: None,
            characteristics: BTreeMap::new(),
            systems: BTreeSet::from([label("billing"), label("gone")]),
            archived,
        })
    };
    let desk = |archived| {
        let systems = ["mail", "billing", "crm"].map(|name| Item::System(plain(name, false)));
        catalogue(systems.into_iter().chain([product(archived)]))
    };
    let in_group = |group: GroupId, actor: Actor| Actor {
        groups: BTreeSet::from([group]),
        ..actor
    };
    let stranger = Actor::plain(CUSTOMER, ActorKind::Customer);
    let unconnected = GroupId::from_bytes([11; 16]);
    let (all, of_both): (&[&str], &[&str]) = (&["mail", "billing", "crm"], &["mail", "billing"]);
    for (actor, offered, archived) in [
        (stranger.clone(), all, false),
        (in_group(unconnected, stranger.clone()), &[], false),
        (in_group(CONNECTED, stranger), &["mail"], false),
        (customer(), &["billing"], false),
        (in_group(CONNECTED, customer()), of_both, false),
        // A product that is out of use says nothing.
        (customer(), all, true),
        (in_group(unconnected, agent()), all, false),
    ] {
        let taken = ["mail", "billing", "crm", "gone"].into_iter().filter(|name| {
            let command = creating(|created| created.system = Some(label(name)));
            refused(&desk(archived), &Ticket::Absent, &command, &actor, &Known).is_empty()
        });
        assert_eq!(taken.collect::<Vec<_>>(), offered, "{actor:?}");
    }
    let command = creating(|created| created.system = Some(label("gone")));
    let none = in_group(unconnected, Actor::plain(CUSTOMER, ActorKind::Customer));
    let of_free_texts = refused(&Catalogue::default(), &Ticket::Absent, &command, &none, &Known);
    assert_eq!(of_free_texts, [], "no system is defined");
}

#[test]
fn customers_choose_products_that_their_organisation_has_bought() {
    let product = |name, archived| {
        Item::Product(Product {
            name: label(name),
            description: None,
            characteristics: BTreeMap::new(),
            systems: BTreeSet::new(),
            archived,
        })
    };
    let desk = |archived| catalogue([product("Engine", archived), product("Wheel", false)]);
    let stranger = Actor::plain(CUSTOMER, ActorKind::Customer);
    let (none, engine, both): (&[&str], &[&str], &[&str]) = (&[], &["Engine"], &["Engine", "Wheel"]);
    for (actor, offered, archived) in [
        (customer(), engine, false),
        (customer(), none, true),
        (stranger.clone(), none, false),
        (agent(), both, false),
    ] {
        let taken = ["Engine", "Wheel", "Gone"].into_iter().filter(|name| {
            let command = creating(|created| created.product = Some(label(name)));
            refused(&desk(archived), &Ticket::Absent, &command, &actor, &Known).is_empty()
        });
        assert_eq!(taken.collect::<Vec<_>>(), offered, "{actor:?}");
    }
    let command = creating(|created| created.product = Some(label("Gone")));
    let of_free_texts = refused(&Catalogue::default(), &Ticket::Absent, &command, &stranger, &Known);
    assert_eq!(of_free_texts, [], "no product is defined");
    // What the ticket has it may keep.
    let wheel = |wanted| {
        let ticket = present();
        let mut state = ticket.state().unwrap().clone();
        state.product = Some(label("Wheel"));
        let command = Command::Classify(Box::new(Classify {
            product: Change::Set(Some(label(wanted))),
            ..Classify::default()
        }));
        refused(
            &desk(false),
            &Ticket::Present(Box::new(state)),
            &command,
            &customer(),
            &Known,
        )
    };
    assert_eq!((wheel("Wheel"), wheel("Engine")), (vec![], vec![]));
    assert_eq!(wheel("Gone"), [("product".to_owned(), "invalid")]);
}

#[test]
fn what_is_archived_is_not_chosen_and_stays_where_it_is() {
    let ticket_type = Item::Type(TypeItem {
        code: Code::new("consultation"),
        name: label("Consultation"),
        awaits: None,
        default_priority: Code::new("low"),
        archived: true,
    });
    let priority = Item::Priority(PriorityItem {
        code: Code::new("medium"),
        name: label("Medium"),
        rank: 1,
        archived: true,
    });
    let catalogue = catalogue([ticket_type, priority, Item::System(plain("mail", false))]);
    let wrong = refused(&catalogue, &Ticket::Absent, &create(), &agent(), &NoProfiles);
    let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["type", "priority", "system"]);
    let ticket = present();
    let state = ticket.state().unwrap().clone();
    let same = Command::Classify(Box::new(Classify {
        ticket_type: Change::Set(state.ticket_type),
        priority: Change::Set(state.priority),
        system: Change::Set(state.system),
        category: Change::Set(None),
        ..Classify::default()
    }));
    assert_eq!(refused(&catalogue, &ticket, &same, &agent(), &NoProfiles), []);
    let other = Command::Classify(Box::new(Classify {
        system: Change::Set(Some(label("billing 2"))),
        ..Classify::default()
    }));
    assert_eq!(refused(&catalogue, &ticket, &other, &agent(), &NoProfiles).len(), 1);
}

#[test]
fn a_customer_chooses_what_was_granted_and_staff_whatever_is_in_use() {
    let service = |name, catalogues: &[ServiceCatalogueId]| {
        Item::Service(Service {
            name: label(name),
            description: None,
            catalogues: catalogues.iter().copied().collect(),
            archived: false,
        })
    };
    let desk = |archived| {
        catalogue([
            Item::ServiceCatalogue(plain("Gold", archived)),
            service("Mail", &[GOLD]),
            service("Telephony", &[]),
        ])
    };
    let wrong = |desk: &Catalogue, name, actor: &Actor, profiles: &dyn Profiles| {
        let command = creating(|created| created.service = Some(label(name)));
        refused(desk, &Ticket::Absent, &command, actor, profiles).len()
    };
    let open = desk(false);
    for (name, of_customer) in [("Mail", 0), ("Telephony", 1), ("Coffee", 1)] {
        assert_eq!(wrong(&open, name, &customer(), &Known), of_customer, "{name}");
        assert_eq!(wrong(&open, name, &customer(), &NoProfiles), 1, "{name}");
        assert_eq!(wrong(&open, name, &agent(), &NoProfiles), usize::from(name == "Coffee"));
    }
    assert_eq!(
        wrong(&desk(true), "Mail", &customer(), &Known),
        1,
        "the service catalogue is archived"
    );
    let stranger = Actor::plain(AGENT, ActorKind::Customer);
    assert_eq!(wrong(&open, "Mail", &stranger, &Known), 1);
    assert_eq!(
        wrong(&Catalogue::default(), "Coffee", &stranger, &Known),
        0,
        "no service is defined"
    );
}

#[test]
fn work_is_given_to_those_who_can_do_it() {
    let assign = |user| {
        Command::Assign(Assign {
            assignee: Change::Set(user),
            group: Change::Keep,
        })
    };
    let accept = |assignee| Command::Accept(Accept { assignee });
    for (command, actor, wrong) in [
        (assign(Some(CUSTOMER)), agent(), 1),
        (assign(Some(AGENT)), agent(), 0),
        (assign(None), agent(), 0),
        (accept(Some(CUSTOMER)), agent(), 1),
        (accept(None), agent(), 0),
        // An importer gives it in the customer's name.
        (accept(None), customer(), 1),
        (accept(Some(AGENT)), customer(), 0),
    ] {
        let desk = Catalogue::default();
        assert_eq!(refused(&desk, &present(), &command, &actor, &Known).len(), wrong);
    }
}

fn field(name: &str, value: FieldValue, required: bool, types: &[&str]) -> Item {
    Item::CustomField(CustomField {
        name: label(name),
        description: None,
        value,
        required,
        types: types.iter().map(|code| Code::new(code)).collect(),
        archived: false,
    })
}

fn form() -> Catalogue {
    catalogue([
        field("Room", FieldValue::Choice(vec![label("1"), label("2")]), true, &[]),
        field("Serial", FieldValue::Text, true, &["outage"]),
        field("Seats", FieldValue::Number, false, &["consultation"]),
        field("Until", FieldValue::Date, false, &[]),
        field("Approver", FieldValue::User, false, &[]),
    ])
}

fn fields(values: &[(&str, CustomValue)]) -> CustomFields {
    values
        .iter()
        .map(|(name, value)| (label(name), value.clone()))
        .collect()
}

fn text(text: &str) -> CustomValue {
    CustomValue::Text(label(text))
}

#[test]
fn a_field_takes_what_it_was_made_for() {
    let room = ("Room", text("1"));
    let wrong = |more: &[(&str, CustomValue)]| {
        let values = [std::slice::from_ref(&room), more].concat();
        let command = creating(|created| created.custom_fields = fields(&values));
        refused(&form(), &Ticket::Absent, &command, &agent(), &Known)
    };
    assert_eq!(wrong(&[]), []);
    for good in [
        ("Seats", CustomValue::Number(4)),
        ("Until", text("2026-02-28")),
        ("Approver", text(&AGENT.to_string())),
    ] {
        assert_eq!(wrong(std::slice::from_ref(&good)), [], "{good:?}");
    }
    for bad in [
        ("Seats", text("4")),
        ("Until", text("2026-02-29")),
        ("Until", text("20260228")),
        ("Approver", text(&CUSTOMER.to_string())),
        ("Approver", text("Ada")),
        ("Serial", text("of an outage alone")),
        ("Colour", text("red")),
        ("Room", text("3")),
        ("Room", CustomValue::Flag(true)),
    ] {
        assert_eq!(
            wrong(std::slice::from_ref(&bad)),
            [(format!("custom_fields/{}", bad.0), "invalid")],
            "{bad:?}"
        );
    }
    let command = creating(|created| created.custom_fields = fields(&[("Colour", text("red"))]));
    assert_eq!(
        refused(&Catalogue::default(), &Ticket::Absent, &command, &agent(), &Known),
        []
    );
}

#[test]
fn what_is_required_is_there_from_the_start_and_is_not_taken_away() {
    let missing = ("custom_fields/Room".to_owned(), "required");
    assert_eq!(
        refused(&form(), &Ticket::Absent, &create(), &agent(), &Known),
        std::slice::from_ref(&missing)
    );
    let edit = |values: &[(&str, CustomValue)]| {
        Command::Edit(Box::new(Edit {
            custom_fields: Change::Set(fields(values)),
            ..Edit::default()
        }))
    };
    let old = edit(&[("Colour", text("red"))]);
    assert_eq!(
        refused(&form(), &present(), &old, &agent(), &Known).len(),
        1,
        "a field that nobody defined"
    );
    let Command::Create(created, _) = creating(|created| {
        created.custom_fields = fields(&[("Room", text("old")), ("Colour", text("red"))]);
    }) else {
        panic!("it creates")
    };
    let had = Ticket::default().evolve(&crate::ticket::Event::Created(created), NOON);
    let kept = edit(&[
        ("Room", text("old")),
        ("Colour", text("red")),
        ("Until", text("2026-01-31")),
    ]);
    assert_eq!(refused(&form(), &had, &kept, &agent(), &Known), []);
    assert_eq!(refused(&form(), &had, &old, &agent(), &Known), [missing]);
    assert_eq!(
        refused(&form(), &present(), &edit(&[]), &agent(), &Known),
        [],
        "it never had one"
    );
}
