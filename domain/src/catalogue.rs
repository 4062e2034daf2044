//! The types, priorities and categories that a desk offers.

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
    /// Its name in the read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Implementation => "implementation",
        }
    }

    /// What goes by that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Fix, Self::Implementation]
            .into_iter()
            .find(|awaits| awaits.as_str() == name)
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

/// A type as the catalogue offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// The type.
    pub ticket_type: TicketType,
    /// The priority of a ticket whose author chose none.
    pub default_priority: Code,
}

/// The text is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {}", allowed.join(", "))]
pub struct NotInCatalogue {
    /// What the catalogue offers.
    pub allowed: Vec<String>,
}

/// What a desk offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    types: Vec<TypeEntry>,
    /// From the least to the most urgent.
    priorities: Vec<Priority>,
    /// Empty: any category will do.
    categories: Vec<Label>,
}

impl Default for Catalogue {
    /// Four types and four priorities; any category.
    fn default() -> Self {
        let entry = |code, awaits, default_priority| TypeEntry {
            ticket_type: TicketType {
                code: Code::new(code),
                awaits,
            },
            default_priority: Code::new(default_priority),
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
                .map(|(rank, code)| Priority {
                    code: Code::new(code),
                    rank,
                })
                .collect(),
            categories: Vec::new(),
        }
    }
}

impl Catalogue {
    /// The codes of all types.
    pub fn type_codes(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|entry| entry.ticket_type.code.as_str())
    }

    /// The codes of all priorities, the least urgent first.
    pub fn priority_codes(&self) -> impl Iterator<Item = &str> {
        self.priorities.iter().map(|priority| priority.code.as_str())
    }

    /// The type of that code, with its default priority.
    pub fn ticket_type(&self, code: &str) -> Result<&TypeEntry, NotInCatalogue> {
        self.types
            .iter()
            .find(|entry| entry.ticket_type.code.as_str() == code)
            .ok_or_else(|| NotInCatalogue {
                allowed: self
                    .types
                    .iter()
                    .map(|entry| entry.ticket_type.code.to_string())
                    .collect(),
            })
    }

    /// The priority of that code.
    pub fn priority(&self, code: &str) -> Result<&Priority, NotInCatalogue> {
        self.priorities
            .iter()
            .find(|priority| priority.code.as_str() == code)
            .ok_or_else(|| NotInCatalogue {
                allowed: self
                    .priorities
                    .iter()
                    .map(|priority| priority.code.to_string())
                    .collect(),
            })
    }

    /// Checks a category against the ones on offer.
    pub fn category(&self, category: Label) -> Result<Label, NotInCatalogue> {
        if self.categories.is_empty() || self.categories.contains(&category) {
            return Ok(category);
        }
        Err(NotInCatalogue {
            allowed: self.categories.iter().map(|known| known.as_str().to_owned()).collect(),
        })
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
}
