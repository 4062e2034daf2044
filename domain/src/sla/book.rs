//! All policies of a desk, and which of them is for a ticket.

use std::collections::BTreeMap;

use super::policy::{Edition, Pin, SlaPolicy};
use crate::contract::Agreements;
use crate::ids::OrganisationId;
use crate::policy::WaitPolicy;
use crate::text::{Code, Label};
use crate::ticket::TicketState;

/// Which tickets a policy is for. What is not set fits every ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Tickets of requesters of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Tickets that concern this service.
    pub service: Option<Label>,
    /// Tickets of the type with this code.
    pub ticket_type: Option<Code>,
    /// Tickets of the priority with this code.
    pub priority: Option<Code>,
}

/// What a policy is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named as those of the ticket")]
pub struct Matter<'t> {
    pub organisation: Option<OrganisationId>,
    pub service: Option<&'t Label>,
    pub ticket_type: &'t Code,
    pub priority: &'t Code,
}

impl<'t> From<&'t TicketState> for Matter<'t> {
    fn from(ticket: &'t TicketState) -> Self {
        Self {
            organisation: ticket.organisation,
            service: ticket.service.as_ref(),
            ticket_type: &ticket.ticket_type.code,
            priority: &ticket.priority.code,
        }
    }
}

impl Scope {
    /// Whether the policy is for such a ticket.
    pub fn fits(&self, matter: &Matter<'_>) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, actual: Option<&T>) -> bool {
            wanted.is_none() || wanted == actual
        }
        fits(self.organisation.as_ref(), matter.organisation.as_ref())
            && fits(self.service.as_ref(), matter.service)
            && fits(self.ticket_type.as_ref(), Some(matter.ticket_type))
            && fits(self.priority.as_ref(), Some(matter.priority))
    }

    /// How specific it is. What was agreed with an organisation goes before everything else, then
    /// come the service, the type and the priority, like the digits of a number: a policy for an
    /// organisation beats one for service, type and priority together.
    ///
    /// Two different scopes of the same specificity never fit the same ticket, so there is always
    /// one most specific policy.
    pub fn specificity(&self) -> u8 {
        [
            self.organisation.is_some(),
            self.service.is_some(),
            self.ticket_type.is_some(),
            self.priority.is_some(),
        ]
        .into_iter()
        .fold(0, |rank, set| rank * 2 + u8::from(set))
    }
}

/// The policies in force, and the versions before them by which clocks may still run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    in_force: Vec<Pin>,
    all: BTreeMap<Pin, SlaPolicy>,
    /// Whether any policy in force has a target.
    promises: bool,
    agreements: Agreements,
}

/// One thing that is wrong with a set of policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Two policies are for exactly the same tickets.
    #[error("{first} and {second} are for the same tickets: change the scope of one")]
    SameScope {
        /// The one.
        first: Edition,
        /// The other.
        second: Edition,
    },
    /// Two versions of one policy are in force.
    #[error("{first} and {second} are versions of one policy: only one of them can be in force")]
    SamePolicy {
        /// The one.
        first: Edition,
        /// The other.
        second: Edition,
    },
}

/// A clock is pinned to versions that are not in the book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy {} with the calendar {}", pin.policy, pin.calendar)]
pub struct UnknownPin {
    /// The versions.
    pub pin: Pin,
}

impl Book {
    /// Checks the policies that are in force together and reports everything that is wrong.
    pub fn try_new(in_force: Vec<SlaPolicy>) -> Result<Self, Vec<BookError>> {
        let mut errors = Vec::new();
        for (index, second) in in_force.iter().enumerate() {
            for first in in_force.iter().take(index) {
                let editions = || (first.pin().policy.clone(), second.pin().policy.clone());
                if first.spec().id == second.spec().id {
                    let (first, second) = editions();
                    errors.push(BookError::SamePolicy { first, second });
                } else if first.spec().scope == second.spec().scope {
                    let (first, second) = editions();
                    errors.push(BookError::SameScope { first, second });
                }
            }
        }
        if errors.is_empty() {
            Ok(Self {
                promises: in_force.iter().any(|policy| !policy.spec().targets.is_empty()),
                in_force: in_force.iter().map(|policy| policy.pin().clone()).collect(),
                all: in_force
                    .into_iter()
                    .map(|policy| (policy.pin().clone(), policy))
                    .collect(),
                ..Self::default()
            })
        } else {
            Err(errors)
        }
    }

    /// This book with versions that are no longer in force, or with calendars of before.
    #[must_use]
    pub fn with_earlier(mut self, earlier: impl IntoIterator<Item = SlaPolicy>) -> Self {
        for policy in earlier {
            self.all.entry(policy.pin().clone()).or_insert(policy);
        }
        self
    }

    /// This book with a draft in force: in place of the policy for the same tickets, if there is one.
    #[must_use]
    pub fn with_draft(mut self, draft: SlaPolicy) -> Self {
        let scope = &draft.spec().scope;
        self.in_force
            .retain(|pin| self.all.get(pin).is_some_and(|policy| policy.spec().scope != *scope));
        self.in_force.push(draft.pin().clone());
        self.promises |= !draft.spec().targets.is_empty();
        self.all.insert(draft.pin().clone(), draft);
        self
    }

    /// This book with what was agreed with organisations and users.
    #[must_use]
    pub fn with_agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// What was agreed with organisations and users.
    pub fn agreements(&self) -> &Agreements {
        &self.agreements
    }

    /// Whether no ticket is promised anything, so that none needs to be looked at for it.
    pub fn promises_nothing(&self) -> bool {
        !self.promises
    }

    /// The most specific policy for such a ticket; `None`: nothing is promised to it.
    pub fn in_force(&self, matter: &Matter<'_>) -> Option<&SlaPolicy> {
        self.in_force
            .iter()
            .filter_map(|pin| self.all.get(pin))
            .filter(|policy| policy.spec().scope.fits(matter))
            .max_by_key(|policy| policy.spec().scope.specificity())
    }

    /// How long such a ticket waits for people; `None`: no policy is for it.
    pub fn waits(&self, ticket: &TicketState) -> Option<&WaitPolicy> {
        self.in_force(&Matter::from(ticket)).map(SlaPolicy::waits)
    }

    /// Whether there is or was a policy of that id.
    pub fn knows(&self, id: &Code) -> bool {
        self.all.keys().any(|pin| pin.policy.id == *id)
    }

    /// The policy that a clock is pinned to.
    pub fn pinned(&self, pin: &Pin) -> Result<&SlaPolicy, UnknownPin> {
        self.all.get(pin).ok_or_else(|| UnknownPin { pin: pin.clone() })
    }
}
