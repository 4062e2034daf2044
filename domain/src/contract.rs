//! What was agreed with an organisation: how its tickets are worked on, and from when to when it is supported. Version
//! after version, none of which is ever lost.

use jiff::Timestamp;

use crate::actor::{Actor, ActorKind};
use crate::ids::Revision;
use crate::ticket::{Command, CommandName, Rejection as TicketRejection, Ticket};
use crate::workflow::Workflow;

/// A contract takes no more versions than this: one a week for ten years.
pub const VERSIONS_MAX: u64 = 500;

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The name of the [`Workflow`].
    pub workflow: &'static str,
    /// When support begins; without it, it always has.
    pub support_from: Option<Timestamp>,
    /// When support has ended; without it, it never does.
    pub support_until: Option<Timestamp>,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            workflow: Workflow::USUAL.name,
            support_from: None,
            support_until: None,
        }
    }
}

impl Contract {
    /// How tickets are worked on.
    pub fn workflow(&self) -> Workflow {
        Workflow::parse(self.workflow).unwrap_or(Workflow::USUAL)
    }

    /// Whether the organisation is supported at an instant.
    pub fn supports(&self, at: Timestamp) -> bool {
        self.support_from.is_none_or(|from| from <= at) && self.support_until.is_none_or(|until| at < until)
    }

    /// Checks whether a command on a ticket is one of the contract. `at`: when it happens. What the desk does by itself always
    /// is, and what is open when support ends is worked on to its end.
    pub fn permits(&self, ticket: &Ticket, command: &Command, at: Timestamp) -> Result<(), TicketRejection> {
        let name = command.name();
        match ticket {
            Ticket::Absent if name == CommandName::Create && !self.supports(at) => {
                Err(TicketRejection::SupportExpired {
                    from: self.support_from,
                    until: self.support_until,
                })
            }
            Ticket::Present(_) if CommandName::ON_TICKET.contains(&name) && !self.workflow().uses(name) => {
                Err(TicketRejection::NotInWorkflow {
                    command: name,
                    workflow: self.workflow,
                })
            }
            Ticket::Absent | Ticket::Present(_) => Ok(()),
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

/// The contract of one organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    last: Option<Contract>,
    count: Revision,
}

impl Versions {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(self, contract: &Contract) -> Self {
        Self {
            last: Some(contract.clone()),
            count: self.count.next(),
        }
    }

    /// How many there are: the number of the last.
    pub fn revision(&self) -> Revision {
        self.count
    }
}

/// Returns the version that is wanted; none if it is what holds already.
pub fn decide(versions: &Versions, wanted: &Contract, actor: &Actor) -> Result<Option<Contract>, Rejection> {
    match actor.kind {
        ActorKind::Staff => {}
        ActorKind::Customer | ActorKind::System => return Err(Rejection::NotPermitted),
    }
    if wanted
        .support_from
        .zip(wanted.support_until)
        .is_some_and(|(from, until)| until <= from)
    {
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
    use crate::testing::{NOON, agent, create, customer, opened};
    use crate::ticket::ProvideInfo;

    fn present() -> Ticket {
        Ticket::Absent.evolve(&opened(), NOON)
    }

    fn until(support_until: Timestamp) -> Contract {
        Contract {
            support_until: Some(support_until),
            ..Contract::default()
        }
    }

    #[test]
    fn support_ends_at_its_instant_and_what_is_open_is_worked_on() {
        let contract = until(NOON);
        let before = NOON - jiff::SignedDuration::from_micros(1);
        assert_eq!(contract.permits(&Ticket::Absent, &create(), before), Ok(()));
        assert!(matches!(
            contract.permits(&Ticket::Absent, &create(), NOON),
            Err(TicketRejection::SupportExpired { .. })
        ));
        let answer = Command::ProvideInfo(ProvideInfo {
            comment: crate::testing::body("This one."),
        });
        assert_eq!(contract.permits(&present(), &answer, NOON), Ok(()));
    }

    #[test]
    fn a_command_that_the_workflow_does_not_use_is_refused_but_never_the_desks_own() {
        let contract = Contract {
            workflow: "simple",
            ..Contract::default()
        };
        let answer = Command::ProvideInfo(ProvideInfo {
            comment: crate::testing::body("This one."),
        });
        let refused = contract.permits(&present(), &answer, NOON);
        assert!(
            matches!(refused, Err(TicketRejection::NotInWorkflow { .. })),
            "{refused:?}"
        );
        assert_eq!(
            contract.permits(&present(), &Command::ExpireClosureWait(1), NOON),
            Ok(())
        );
    }

    #[test]
    fn the_same_again_makes_no_version_and_anything_else_the_next() {
        let wanted = until(NOON);
        let first = decide(&Versions::default(), &wanted, &agent()).unwrap().unwrap();
        let versions = Versions::default().evolve(&first);
        assert_eq!(decide(&versions, &wanted, &agent()), Ok(None));
        assert_eq!(
            decide(&versions, &Contract::default(), &agent()),
            Ok(Some(Contract::default()))
        );
        assert_eq!(decide(&versions, &wanted, &customer()), Err(Rejection::NotPermitted));
        let backwards = Contract {
            support_from: Some(NOON),
            ..wanted
        };
        assert_eq!(decide(&versions, &backwards, &agent()), Err(Rejection::Backwards));
    }
}
