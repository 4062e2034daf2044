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
                check.product(created.product.as_ref());
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
                check.product(new(&wanted.product, &has.product).as_ref());
            }
            (Some(has), Command::Assign(wanted)) => {
                let wanted = wanted.assignee.value().copied().flatten();
                check.assignee(wanted.filter(|wanted| has.assignee != Some(*wanted)));
            }
            (Some(has), Command::Accept(wanted)) => {
                // Whoever accepts takes it themselves, if nobody else is named.
                let wanted = wanted.assignee.unwrap_or(ctx.actor.user);
                check.assignee(Some(wanted).filter(|wanted| has.assignee != Some(*wanted)));
            }
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

    /// The products that the actor may choose: customers among those that their organisation has bought.
    fn products(&self, actor: &Actor, profiles: &dyn Profiles) -> BTreeSet<Label> {
        let products = self.products.keys();
        match actor.kind {
            ActorKind::Staff | ActorKind::System => products.cloned().collect(),
            ActorKind::Customer => {
                let bought = profiles.connected(actor).products;
                products.filter(|name| bought.contains(*name)).cloned().collect()
            }
        }
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
        let defined = !self.catalogue.systems.is_empty();
        self.choice("system", defined, Catalogue::systems, value);
    }

    fn product(&mut self, value: Option<&Label>) {
        let defined = !self.catalogue.products.is_empty();
        self.choice("product", defined, Catalogue::products, value);
    }

    fn service(&mut self, value: Option<&Label>) {
        let defined = !self.catalogue.services.is_empty();
        self.choice("service", defined, Catalogue::services, value);
    }

    /// Of what not everybody chooses from: where any is defined, only what the actor is offered will do.
    fn choice(
        &mut self,
        field: &str,
        defined: bool,
        offered: fn(&Catalogue, &Actor, &dyn Profiles) -> BTreeSet<Label>,
        value: Option<&Label>,
    ) {
        if let Some(value) = value.filter(|_| defined) {
            let offered = offered(self.catalogue, self.actor, self.profiles);
            self.among(field, value.as_str(), texts(&offered));
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
mod tests;
