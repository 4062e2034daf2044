//! What was agreed with organisations and single users: how tickets are worked on, and from when to when somebody is
//! supported. Version after version, none of which is ever lost.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::actor::{Actor, ActorKind};
use crate::directory::EntryKind;
use crate::ids::{OrganisationId, Revision, UserId};
use crate::ticket::{Command, CommandName, Rejection as TicketRejection, Ticket};
use crate::words::words;
use crate::workflow::Workflow;

/// A contract takes no more versions than this: one a week for ten years.
pub const VERSIONS_MAX: u64 = 500;

/// With whom something is agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// A company, for all its people.
    Organisation(OrganisationId),
    /// One person.
    User(UserId),
}

impl Party {
    /// Its id.
    pub fn as_uuid(self) -> Uuid {
        match self {
            Self::Organisation(id) => id.as_uuid(),
            Self::User(id) => id.as_uuid(),
        }
    }

    /// What the directory has it as.
    pub const fn kind(self) -> EntryKind {
        match self {
            Self::Organisation(_) => EntryKind::Organisation,
            Self::User(_) => EntryKind::User,
        }
    }
}

/// When somebody is supported. The usual is: always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SupportPeriod {
    /// Its first instant; without it, support always has been.
    pub from: Option<Timestamp>,
    /// The first instant after it; without it, support never ends.
    pub until: Option<Timestamp>,
}

words! {
    /// Whether somebody is supported.
    Support 3 {
        /// Not yet.
        NotBegun "not_begun",
        /// They are.
        Active "active",
        /// Not any more.
        Over "over",
    }
}

impl SupportPeriod {
    /// Whether an instant is before it, in it or after it.
    pub fn at(&self, at: Timestamp) -> Support {
        if self.until.is_some_and(|until| until <= at) {
            Support::Over
        } else if self.from.is_some_and(|from| at < from) {
            Support::NotBegun
        } else {
            Support::Active
        }
    }

    /// Whether an instant is in it.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.at(at) == Support::Active
    }

    fn is_backwards(&self) -> bool {
        self.from.zip(self.until).is_some_and(|(from, until)| until <= from)
    }
}

/// Whether somebody is supported at an instant of whom all of these periods count.
pub fn support(periods: impl IntoIterator<Item = SupportPeriod>, at: Timestamp) -> Support {
    lacking(periods, at).map_or(Support::Active, |period| period.at(at))
}

/// The first of these periods that an instant is not in.
fn lacking(periods: impl IntoIterator<Item = SupportPeriod>, at: Timestamp) -> Option<SupportPeriod> {
    periods.into_iter().find(|period| !period.covers(at))
}

/// What was agreed with an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The name of the [`Workflow`].
    pub workflow: &'static str,
    /// When its people are supported.
    pub support: SupportPeriod,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            workflow: Workflow::USUAL.name,
            support: SupportPeriod::default(),
        }
    }
}

impl Contract {
    /// How tickets are worked on.
    pub fn workflow(&self) -> Workflow {
        Workflow::parse(self.workflow).unwrap_or(Workflow::USUAL)
    }
}

/// A version of what was agreed, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// With an organisation.
    WithOrganisation(Contract),
    /// With one user, beside what holds for the user's organisation.
    WithUser(SupportPeriod),
}

impl Agreed {
    /// When support is.
    pub const fn support(&self) -> &SupportPeriod {
        match self {
            Self::WithOrganisation(contract) => &contract.support,
            Self::WithUser(support) => support,
        }
    }

    /// The name of the [`Workflow`] that was agreed upon.
    pub const fn workflow(&self) -> Option<&'static str> {
        match self {
            Self::WithOrganisation(contract) => Some(contract.workflow),
            Self::WithUser(_) => None,
        }
    }
}

/// What holds for everybody now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreements {
    organisations: BTreeMap<OrganisationId, Contract>,
    users: BTreeMap<UserId, SupportPeriod>,
    /// What holds for whoever has no contract.
    usual: Contract,
}

impl Agreements {
    /// Takes in the next version of what was agreed with the party of this id.
    pub fn add(&mut self, party: Uuid, agreed: &Agreed) {
        match agreed {
            Agreed::WithOrganisation(contract) => {
                self.organisations.insert(party.into(), contract.clone());
            }
            Agreed::WithUser(support) => {
                self.users.insert(party.into(), *support);
            }
        }
    }

    /// What was agreed with an organisation.
    pub fn contract(&self, organisation: Option<OrganisationId>) -> &Contract {
        let agreed = organisation.and_then(|organisation| self.organisations.get(&organisation));
        agreed.unwrap_or(&self.usual)
    }

    /// Checks whether a command on a ticket is one of what was agreed. `at`: when it happens. What the desk does by itself
    /// always is, and what is open when support ends is worked on to its end.
    pub fn permit(&self, ticket: &Ticket, command: &Command, at: Timestamp) -> Result<(), TicketRejection> {
        match (ticket, command) {
            (Ticket::Absent, Command::Create(created, _)) => {
                let organisations = &self.contract(created.organisation).support;
                let own = self.users.get(&created.requester);
                match lacking([Some(organisations), own].into_iter().flatten().copied(), at) {
                    Some(SupportPeriod { from, until }) => Err(TicketRejection::SupportExpired { from, until }),
                    None => Ok(()),
                }
            }
            (Ticket::Present(state), command) => {
                let (name, contract) = (command.name(), self.contract(state.organisation));
                if CommandName::ON_TICKET.contains(&name) && !contract.workflow().uses(name) {
                    Err(TicketRejection::NotInWorkflow {
                        command: name,
                        workflow: contract.workflow,
                    })
                } else {
                    Ok(())
                }
            }
            (Ticket::Absent, _) => Ok(()),
        }
    }
}

/// Why a contract is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Only staff may do that.
    #[error("only staff agree upon contracts")]
    NotPermitted,
    /// Support would end before it begins.
    #[error("support ends after it begins")]
    Backwards,
    /// It has as many versions as a contract may have.
    #[error("the contract has {VERSIONS_MAX} versions, as many as one may have")]
    TooManyVersions,
}

/// The contract with one party.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    last: Option<Agreed>,
    count: Revision,
}

impl Versions {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(self, agreed: &Agreed) -> Self {
        Self {
            last: Some(agreed.clone()),
            count: self.count.next(),
        }
    }

    /// How many there are: the number of the last.
    pub fn revision(&self) -> Revision {
        self.count
    }
}

/// Returns the version that is wanted; none if it is what holds already.
pub fn decide(versions: &Versions, wanted: &Agreed, actor: &Actor) -> Result<Option<Agreed>, Rejection> {
    match actor.kind {
        ActorKind::Staff => {}
        ActorKind::Customer | ActorKind::System => return Err(Rejection::NotPermitted),
    }
    if wanted.support().is_backwards() {
        return Err(Rejection::Backwards);
    }
    if versions.last.as_ref() == Some(wanted) {
        return Ok(None);
    }
    if versions.count.0 >= VERSIONS_MAX {
        return Err(Rejection::TooManyVersions);
    }
    Ok(Some(wanted.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CLIENT, CUSTOMER, NOON, agent, create, customer, opened};
    use crate::ticket::ProvideInfo;

    fn present() -> Ticket {
        Ticket::Absent.evolve(&opened(), NOON)
    }

    fn until(until: Timestamp) -> SupportPeriod {
        SupportPeriod {
            from: None,
            until: Some(until),
        }
    }

    fn with_client(contract: Contract) -> Agreements {
        let mut agreements = Agreements::default();
        agreements.add(CLIENT.as_uuid(), &Agreed::WithOrganisation(contract));
        agreements
    }

    fn answer() -> Command {
        Command::ProvideInfo(ProvideInfo {
            comment: crate::testing::body("This one."),
        })
    }

    fn ends_at_noon(agreements: &Agreements) {
        let before = NOON - jiff::SignedDuration::from_micros(1);
        assert_eq!(agreements.permit(&Ticket::Absent, &create(), before), Ok(()));
        assert!(matches!(
            agreements.permit(&Ticket::Absent, &create(), NOON),
            Err(TicketRejection::SupportExpired { .. })
        ));
        assert_eq!(agreements.permit(&present(), &answer(), NOON), Ok(()));
    }

    #[test]
    fn an_organisations_support_ends_at_its_instant_and_what_is_open_is_worked_on() {
        ends_at_noon(&with_client(Contract {
            support: until(NOON),
            ..Contract::default()
        }));
    }

    #[test]
    fn a_users_support_ends_though_the_organisations_goes_on() {
        let mut agreements = with_client(Contract::default());
        agreements.add(CUSTOMER.as_uuid(), &Agreed::WithUser(until(NOON)));
        ends_at_noon(&agreements);
    }

    #[test]
    fn a_command_that_the_workflow_does_not_use_is_refused_but_never_the_desks_own() {
        let agreements = with_client(Contract {
            workflow: "simple",
            ..Contract::default()
        });
        let refused = agreements.permit(&present(), &answer(), NOON);
        assert!(
            matches!(refused, Err(TicketRejection::NotInWorkflow { .. })),
            "{refused:?}"
        );
        assert_eq!(
            agreements.permit(&present(), &Command::ExpireClosureWait(1), NOON),
            Ok(())
        );
    }

    #[test]
    fn the_same_again_makes_no_version_and_anything_else_the_next() {
        let wanted = Agreed::WithUser(until(NOON));
        let usual = Agreed::WithUser(SupportPeriod::default());
        let first = decide(&Versions::default(), &wanted, &agent()).unwrap().unwrap();
        let versions = Versions::default().evolve(&first);
        assert_eq!(decide(&versions, &wanted, &agent()), Ok(None));
        assert_eq!(decide(&versions, &usual, &agent()), Ok(Some(usual.clone())));
        assert_eq!(decide(&versions, &wanted, &customer()), Err(Rejection::NotPermitted));
        let backwards = Agreed::WithUser(SupportPeriod {
            from: Some(NOON),
            until: Some(NOON),
        });
        assert_eq!(decide(&versions, &backwards, &agent()), Err(Rejection::Backwards));
    }
}
