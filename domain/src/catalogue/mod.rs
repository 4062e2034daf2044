//! What a desk offers: types and priorities of tickets, categories, systems, environments, services, products, and custom fields.

mod item;
mod offered;

pub use item::{CHOICES_MAX, CustomField, FieldValue, Item, ItemKind, Plain, PriorityItem, Product, Service, TypeItem};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use uuid::Uuid;

use crate::actor::Actor;
use crate::ids::{OrganisationId, ServiceCatalogueId, UserId};
use crate::portal::Showing;
use crate::text::{Code, Label};

/// What a ticket of some type may wait for besides people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Awaits {
    /// A defect's correction.
    Fix,
    /// A feature's implementation.
    Implementation,
}

impl Awaits {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Fix, Self::Implementation];

    /// Its name in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Implementation => "implementation",
        }
    }

    /// What goes by that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|awaits| awaits.as_str() == name)
    }
}

/// A type as an event pins it: what follows from it does not change with the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TicketType {
    /// Its code, such as `outage`.
    pub code: Code,
    /// What tickets of the type may wait for.
    pub awaits: Option<Awaits>,
}

/// A priority as an event pins it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Priority {
    /// Its code, such as `high`.
    pub code: Code,
    /// Its place among the others: a greater rank is more urgent.
    pub rank: u8,
}

/// A type as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// The type.
    pub ticket_type: TicketType,
    /// The priority of a ticket whose author chose none.
    pub default_priority: Code,
    /// Whether it can no longer be chosen.
    pub archived: bool,
}

/// A priority as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PriorityEntry {
    priority: Priority,
    archived: bool,
}

/// An error names no more than so many of the things that are on offer: nobody reads a longer list.
const NAMED_MAX: usize = 50;

/// The text is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_of(allowed))]
pub struct NotInCatalogue {
    /// What the catalogue offers.
    pub allowed: Vec<String>,
}

/// What is allowed, for people to read.
fn one_of(allowed: &[String]) -> String {
    let named: Vec<&str> = allowed.iter().take(NAMED_MAX).map(String::as_str).collect();
    match allowed.len().saturating_sub(NAMED_MAX) {
        _ if allowed.is_empty() => "cannot be chosen: none is on offer".to_owned(),
        0 => format!("must be one of: {}", named.join(", ")),
        more => format!("must be one of: {}, and {more} more", named.join(", ")),
    }
}

/// What is known of users and organisations, where the catalogue asks for it.
pub trait Profiles: fmt::Debug {
    /// Whether there is a profile of the user, and they may come in.
    fn may_come_in(&self, user: UserId) -> bool;

    /// Whether a profile says of the user that they are a customer, or may not come in. Of whom nothing is known, it does not.
    fn cannot_work(&self, user: UserId) -> bool;

    /// Whether the organisation is out of use. One of which nothing is known is not.
    fn is_archived(&self, organisation: OrganisationId) -> bool;

    /// The service catalogues that were granted to the user, or to the organisation.
    fn granted(&self, user: UserId, organisation: Option<OrganisationId>) -> BTreeSet<ServiceCatalogueId>;

    /// The systems to which groups of the actor's are connected, and the products that their organisation has bought. What is
    /// archived is connected to nothing, and has bought nothing.
    fn connected(&self, actor: &Actor) -> Connected;
}

/// What somebody's groups and organisation are connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connected {
    /// Systems, by the groups.
    pub systems: BTreeSet<Label>,
    /// Products, by the organisation.
    pub products: BTreeSet<Label>,
}

/// What a desk offers. What is archived is known, and not on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    types: Vec<TypeEntry>,
    /// From the least to the most urgent.
    priorities: Vec<PriorityEntry>,
    // Of what follows, only what is in use. None: any text will do.
    categories: BTreeSet<Label>,
    systems: BTreeSet<Label>,
    environments: BTreeSet<Label>,
    /// With the systems that come with them.
    products: BTreeMap<Label, BTreeSet<Label>>,
    services: BTreeMap<Label, BTreeSet<ServiceCatalogueId>>,
    service_catalogues: BTreeSet<ServiceCatalogueId>,
    /// None: any field will do.
    custom_fields: BTreeMap<Label, CustomField>,
}

impl Default for Catalogue {
    /// Four types and four priorities; any text for the rest.
    fn default() -> Self {
        let entry = |code, awaits, default_priority| TypeEntry {
            ticket_type: TicketType {
                code: Code::new(code),
                awaits,
            },
            default_priority: Code::new(default_priority),
            archived: false,
        };
        Self {
            types: vec![
                entry("outage", Some(Awaits::Fix), "critical"),
                entry("defect", Some(Awaits::Fix), "high"),
                entry("consultation", None, "medium"),
                entry("feature_request", Some(Awaits::Implementation), "low"),
            ],
            priorities: (0_u8..)
                .zip(["low", "medium", "high", "critical"])
                .map(|(rank, code)| PriorityEntry {
                    priority: Priority {
                        code: Code::new(code),
                        rank,
                    },
                    archived: false,
                })
                .collect(),
            categories: BTreeSet::new(),
            systems: BTreeSet::new(),
            environments: BTreeSet::new(),
            products: BTreeMap::new(),
            services: BTreeMap::new(),
            service_catalogues: BTreeSet::new(),
            custom_fields: BTreeMap::new(),
        }
    }
}

impl Catalogue {
    /// Takes in what is known of the item of this id, in place of what was known of it.
    pub fn add(&mut self, id: Uuid, item: &Item) {
        match item {
            Item::Type(item) => self.add_type(item),
            Item::Priority(item) => self.add_priority(item),
            Item::Category(item) => offer(&mut self.categories, item.name.clone(), item.archived),
            Item::System(item) => offer(&mut self.systems, item.name.clone(), item.archived),
            Item::Environment(item) => offer(&mut self.environments, item.name.clone(), item.archived),
            Item::Product(item) if item.archived => {
                self.products.remove(&item.name);
            }
            Item::Product(item) => {
                self.products.insert(item.name.clone(), item.systems.clone());
            }
            Item::ServiceCatalogue(item) => offer(&mut self.service_catalogues, id.into(), item.archived),
            Item::Service(item) if item.archived => {
                self.services.remove(&item.name);
            }
            Item::Service(item) => {
                self.services.insert(item.name.clone(), item.catalogues.clone());
            }
            Item::CustomField(item) if item.archived => {
                self.custom_fields.remove(&item.name);
            }
            Item::CustomField(item) => {
                self.custom_fields.insert(item.name.clone(), item.clone());
            }
        }
    }

    fn add_type(&mut self, item: &TypeItem) {
        let entry = TypeEntry {
            ticket_type: TicketType {
                code: item.code.clone(),
                awaits: item.awaits,
            },
            default_priority: item.default_priority.clone(),
            archived: item.archived,
        };
        match self.types.iter_mut().find(|known| known.ticket_type.code == item.code) {
            Some(known) => *known = entry,
            None => self.types.push(entry),
        }
    }

    fn add_priority(&mut self, item: &PriorityItem) {
        let entry = PriorityEntry {
            priority: Priority {
                code: item.code.clone(),
                rank: item.rank,
            },
            archived: item.archived,
        };
        match self
            .priorities
            .iter_mut()
            .find(|known| known.priority.code == item.code)
        {
            Some(known) => *known = entry,
            None => self.priorities.push(entry),
        }
        self.priorities.sort_by_key(|known| known.priority.rank);
    }

    /// The codes of all types that are on offer to whoever comes through this portal; `None`: to everybody.
    pub fn type_codes(&self, portal: Option<&Showing>) -> impl Iterator<Item = &str> {
        let in_use = self.types.iter().filter(|entry| !entry.archived);
        let codes = in_use.map(|entry| entry.ticket_type.code.as_str());
        codes.filter(move |code| portal.is_none_or(|portal| portal.takes(code)))
    }

    /// The codes of all priorities that are on offer, the least urgent first.
    pub fn priority_codes(&self) -> impl Iterator<Item = &str> {
        let offered = self.priorities.iter().filter(|known| !known.archived);
        offered.map(|known| known.priority.code.as_str())
    }

    /// The type of that code, with its default priority. Whether it is on offer is another question: what was known once
    /// always is.
    pub fn ticket_type(&self, code: &str) -> Result<&TypeEntry, NotInCatalogue> {
        self.ticket_type_through(None, code)
    }

    /// The same for whoever comes through this portal: an error names only what is on offer to them.
    pub fn ticket_type_through(&self, portal: Option<&Showing>, code: &str) -> Result<&TypeEntry, NotInCatalogue> {
        let mut types = self.types.iter();
        types
            .find(|entry| entry.ticket_type.code.as_str() == code)
            .ok_or_else(|| NotInCatalogue {
                allowed: self.type_codes(portal).map(str::to_owned).collect(),
            })
    }

    /// The priority of that code, on offer or not.
    pub fn priority(&self, code: &str) -> Result<&Priority, NotInCatalogue> {
        let mut priorities = self.priorities.iter().map(|known| &known.priority);
        priorities
            .find(|priority| priority.code.as_str() == code)
            .ok_or_else(|| NotInCatalogue {
                allowed: self.priority_codes().map(str::to_owned).collect(),
            })
    }

    /// The priority of that code, if it is on offer.
    pub fn offered_priority(&self, code: &str) -> Option<&Priority> {
        let mut offered = self.priorities.iter().filter(|known| !known.archived);
        let known = offered.find(|known| known.priority.code.as_str() == code)?;
        Some(&known.priority)
    }
}

fn offer<T: Ord>(offered: &mut BTreeSet<T>, what: T, archived: bool) {
    if archived {
        offered.remove(&what);
    } else {
        offered.insert(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_types_default_priority_is_a_priority_of_the_catalogue() {
        let catalogue = Catalogue::default();
        for entry in &catalogue.types {
            assert!(catalogue.priority(entry.default_priority.as_str()).is_ok());
        }
    }

    #[test]
    fn an_unknown_type_is_answered_with_what_there_is() {
        let error = Catalogue::default().ticket_type("incident").unwrap_err();
        assert_eq!(
            error.to_string(),
            "must be one of: outage, defect, consultation, feature_request"
        );
    }

    #[test]
    fn a_portal_narrows_what_is_on_offer_and_not_what_is_known() {
        let portal = Showing {
            types: Some(BTreeSet::from([Code::new("defect")])),
            ..Showing::EVERYTHING
        };
        let catalogue = Catalogue::default();
        let through = |code| catalogue.ticket_type_through(Some(&portal), code);
        assert!(through("outage").is_ok(), "a repetition is not refused");
        let error = through("incident").unwrap_err();
        assert_eq!(error.to_string(), "must be one of: defect");
    }

    #[test]
    fn a_long_list_of_what_there_is_is_cut() {
        let allowed = (1..=52).map(|n| n.to_string()).collect();
        let told = NotInCatalogue { allowed }.to_string();
        assert!(told.ends_with("49, 50, and 2 more"), "{told}");
    }

    #[test]
    fn an_item_takes_the_place_of_what_was_there_from_the_start_and_archived_it_is_known_but_not_offered() {
        let mut catalogue = Catalogue::default();
        let critical = |rank, archived| {
            Item::Priority(PriorityItem {
                code: Code::new("critical"),
                name: Label::parse("Critical").unwrap(),
                rank,
                archived,
            })
        };
        catalogue.add(Uuid::nil(), &critical(0, false));
        assert_eq!(catalogue.priority("critical").unwrap().rank, 0);
        assert_eq!(catalogue.priority_codes().last(), Some("high"));
        catalogue.add(Uuid::nil(), &critical(9, true));
        assert_eq!(catalogue.priority("critical").unwrap().rank, 9);
        assert_eq!(catalogue.offered_priority("critical"), None);
        let told = catalogue.priority("none").unwrap_err().to_string();
        assert_eq!(told, "must be one of: low, medium, high");
    }
}
