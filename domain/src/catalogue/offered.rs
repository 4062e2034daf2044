//! Whether what a command says of a ticket is on offer.
//!
//! Whoever tells what happened in the past is not asked: history carries old names.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Catalogue, CustomField, FieldValue, NotInCatalogue, Profiles};
use crate::actor::{Actor, ActorKind};
use crate::ids::UserId;
use crate::portal::Property;
use crate::text::{Code, Label};
use crate::ticket::{Command, Context, CustomFields, CustomValue, NotOffered, Rejection, Ticket, settled};

/// `2026-01-31`
const DATE_CHARACTERS: usize = 10;

impl Catalogue {
    /// Checks whether a command on a ticket says only what is on offer. What the ticket has already it may keep.
    pub fn permit(
        &self,
        ticket: &Ticket,
        command: &Command,
        ctx: &Context<'_>,
        profiles: &dyn Profiles,
    ) -> Result<(), Rejection> {
        if ctx.occurred_at.is_some() {
            return Ok(());
        }
        let mut check = Check {
            catalogue: self,
            actor: ctx.actor,
            profiles,
            wrong: Vec::new(),
        };
        match (ticket.state(), command) {
            (None, Command::Create(created, _)) => {
                check.ticket_type(&created.ticket_type.code);
                check.priority(&created.priority.code);
                check.label("category", &self.categories, created.category.as_ref());
                check.system(created.system.as_ref());
                check.label("environment", &self.environments, created.environment.as_ref());
                check.service(created.service.as_ref());
                let none = CustomFields::new();
                check.custom_fields(&created.custom_fields, &none, &created.ticket_type.code);
                check.required(&created.custom_fields, &created.ticket_type.code, |_| true);
            }
            (Some(has), Command::Classify(wanted)) => {
                if let Some(wanted) = wanted
                    .ticket_type
                    .value()
                    .filter(|wanted| wanted.code != has.ticket_type.code)
                {
                    check.ticket_type(&wanted.code);
                }
                if let Some(wanted) = wanted
                    .priority
                    .value()
                    .filter(|wanted| wanted.code != has.priority.code)
                {
                    check.priority(&wanted.code);
                }
                let new = |wanted: &crate::ticket::Change<Option<Label>>, has: &Option<Label>| {
                    wanted.value().filter(|wanted| *wanted != has).cloned().flatten()
                };
                let category = new(&wanted.category, &has.category);
                check.label("category", &self.categories, category.as_ref());
                check.system(new(&wanted.system, &has.system).as_ref());
                let environment = new(&wanted.environment, &has.environment);
                check.label("environment", &self.environments, environment.as_ref());
                check.service(new(&wanted.service, &has.service).as_ref());
            }
            (Some(has), Command::Assign(wanted)) => {
                let wanted = wanted.assignee.value().copied().flatten();
                check.assignee(wanted.filter(|wanted| has.assignee != Some(*wanted)));
            }
            (Some(_), Command::Accept(wanted)) => check.assignee(wanted.assignee),
            (Some(has), Command::Edit(wanted)) => {
                let settled = settled(wanted, has, ctx.actor).map_err(Rejection::NotEditable)?;
                if let Some(fields) = settled.value() {
                    check.custom_fields(fields, &has.custom_fields, &has.ticket_type.code);
                    let had = |name: &Label| has.custom_fields.contains_key(name);
                    check.required(fields, &has.ticket_type.code, had);
                }
            }
            (_, _) => {}
        }
        if check.wrong.is_empty() {
            Ok(())
        } else {
            Err(Rejection::NotOffered(check.wrong))
        }
    }

    /// The systems that the actor may choose, where any are defined. Customers choose among those to which one of their groups
    /// is connected, and those that come with what their organisation has bought: a group that nobody has connected yet offers
    /// none. Of whom no group and no such product says anything, they choose among all.
    fn systems(&self, actor: &Actor, profiles: &dyn Profiles) -> BTreeSet<Label> {
        if actor.kind != ActorKind::Customer {
            return self.systems.clone();
        }
        let connected = profiles.connected(actor);
        let bought = connected.products.iter().filter_map(|name| self.products.get(name));
        let bought: BTreeSet<Label> = bought.flatten().cloned().collect();
        if actor.groups.is_empty() && bought.is_empty() {
            return self.systems.clone();
        }
        let offered = self.systems.iter();
        let offered = offered.filter(|name| bought.contains(*name) || connected.systems.contains(*name));
        offered.cloned().collect()
    }

    /// The services that the actor may choose; none where none is defined, and any text will do.
    fn services(&self, actor: &Actor, profiles: &dyn Profiles) -> BTreeSet<Label> {
        let all = || self.services.keys().cloned().collect();
        match actor.kind {
            ActorKind::Staff | ActorKind::System => all(),
            ActorKind::Customer => {
                let granted = profiles.granted(actor.user, actor.organisation);
                let granted: BTreeSet<_> = granted.intersection(&self.service_catalogues).collect();
                let reachable = |(name, catalogues): (&Label, &BTreeSet<_>)| {
                    catalogues.iter().any(|id| granted.contains(id)).then(|| name.clone())
                };
                self.services.iter().filter_map(reachable).collect()
            }
        }
    }
}

/// The look at one command.
struct Check<'c> {
    catalogue: &'c Catalogue,
    actor: &'c Actor,
    profiles: &'c dyn Profiles,
    wrong: Vec<NotOffered>,
}

impl Check<'_> {
    fn refuse(&mut self, field: &[&str], code: &'static str, detail: String) {
        self.wrong.push(NotOffered {
            field: field.iter().map(|&part| part.to_owned()).collect(),
            code,
            detail,
        });
    }

    fn ticket_type(&mut self, code: &Code) {
        let offered = self.catalogue.type_codes(self.actor.portal.as_deref());
        let offered = offered.map(str::to_owned).collect();
        self.among("type", code.as_str(), offered);
    }

    fn priority(&mut self, code: &Code) {
        let offered: Vec<String> = self.catalogue.priority_codes().map(str::to_owned).collect();
        self.among("priority", code.as_str(), offered);
    }

    fn among(&mut self, field: &str, value: &str, allowed: Vec<String>) {
        if !allowed.iter().any(|offered| offered == value) {
            self.refuse(&[field], "invalid", NotInCatalogue { allowed }.to_string());
        }
    }

    fn label(&mut self, field: &str, offered: &BTreeSet<Label>, value: Option<&Label>) {
        if let Some(value) = value.filter(|value| !offered.is_empty() && !offered.contains(*value)) {
            self.among(field, value.as_str(), texts(offered));
        }
    }

    fn assignee(&mut self, user: Option<UserId>) {
        if user.is_some_and(|user| self.profiles.cannot_work(user)) {
            let detail = "is a customer, or may not come in: name an enabled member of staff";
            self.refuse(&["assignee"], "invalid", detail.to_owned());
        }
    }

    fn system(&mut self, value: Option<&Label>) {
        let Some(value) = value else { return };
        if !self.catalogue.systems.is_empty() {
            let offered = self.catalogue.systems(self.actor, self.profiles);
            self.among("system", value.as_str(), texts(&offered));
        }
    }

    fn service(&mut self, value: Option<&Label>) {
        let Some(value) = value else { return };
        if !self.catalogue.services.is_empty() {
            let offered = self.catalogue.services(self.actor, self.profiles);
            self.among("service", value.as_str(), texts(&offered));
        }
    }

    /// Looks at the fields that a ticket of this type is to have. What it has stays, if nobody changes it.
    fn custom_fields(&mut self, fields: &CustomFields, has: &CustomFields, ticket_type: &Code) {
        let catalogue = self.catalogue;
        let any_will_do = catalogue.custom_fields.is_empty();
        let offered: BTreeMap<&Label, &CustomField> = catalogue.of_type(ticket_type, self.actor).collect();
        for (name, value) in fields.iter().filter(|(name, value)| has.get(*name) != Some(*value)) {
            let refused = if let Some(field) = offered.get(name) {
                acceptable(field, value, self.profiles)
            } else if any_will_do && self.actor.is_shown(&Property::CustomField(name.clone())) {
                Ok(())
            } else if any_will_do {
                Err("is no field of such a ticket".to_owned())
            } else {
                let allowed = offered.keys().map(|name| name.as_str().to_owned()).collect();
                let names = NotInCatalogue { allowed };
                Err(format!("is no field of such a ticket; the field {names}"))
            };
            if let Err(detail) = refused {
                self.refuse(&["custom_fields", name.as_str()], "invalid", detail);
            }
        }
    }

    /// Asks for the fields that must be there, if `asked` says so.
    fn required(&mut self, fields: &CustomFields, ticket_type: &Code, asked: impl Fn(&Label) -> bool) {
        let catalogue = self.catalogue;
        let missing = catalogue
            .of_type(ticket_type, self.actor)
            .filter(|(name, field)| field.required && asked(name) && !fields.contains_key(*name));
        for (name, _) in missing {
            self.refuse(&["custom_fields", name.as_str()], "required", "is required".to_owned());
        }
    }
}

impl Catalogue {
    /// The custom fields of tickets of this type, as far as the actor is shown them: for what is hidden from them, nobody asks
    /// them either.
    fn of_type(&self, ticket_type: &Code, actor: &Actor) -> impl Iterator<Item = (&Label, &CustomField)> {
        let fits = |field: &CustomField| field.types.is_empty() || field.types.contains(ticket_type);
        let shown = |name: &Label| actor.is_shown(&Property::CustomField(name.clone()));
        self.custom_fields
            .iter()
            .filter(move |(name, field)| fits(field) && shown(name))
    }
}

/// Whether a field takes a value; otherwise what it takes.
fn acceptable(field: &CustomField, value: &CustomValue, profiles: &dyn Profiles) -> Result<(), String> {
    let text = match value {
        CustomValue::Text(text) => Some(text),
        CustomValue::Number(_) | CustomValue::Flag(_) => None,
    };
    let (taken, otherwise) = match &field.value {
        FieldValue::Text => (text.is_some(), "must be a text"),
        FieldValue::Number => (matches!(value, CustomValue::Number(_)), "must be a whole number"),
        FieldValue::Date => (text.is_some_and(is_date), "must be a date such as 2026-01-31"),
        FieldValue::User => {
            let user = text.and_then(|text| text.as_str().parse::<UserId>().ok());
            let known = user.is_some_and(|user| profiles.may_come_in(user));
            (known, "must be the id of a user who has a profile and is enabled")
        }
        FieldValue::Choice(choices) => {
            if text.is_some_and(|text| choices.contains(text)) {
                return Ok(());
            }
            return Err(NotInCatalogue {
                allowed: texts(choices),
            }
            .to_string());
        }
    };
    if taken { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn is_date(text: &Label) -> bool {
    text.as_str().len() == DATE_CHARACTERS && text.as_str().parse::<Date>().is_ok()
}

fn texts<'l>(labels: impl IntoIterator<Item = &'l Label>) -> Vec<String> {
    labels.into_iter().map(|label| label.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
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
        let refused = |command| {
            let desk = Catalogue::default();
            refused(&desk, &present(), &command, &agent(), &Known).len()
        };
        for (command, wrong) in [
            (assign(Some(CUSTOMER)), 1),
            (assign(Some(AGENT)), 0),
            (assign(None), 0),
            (accept(Some(CUSTOMER)), 1),
            (accept(None), 0),
        ] {
            assert_eq!(refused(command), wrong);
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
}
