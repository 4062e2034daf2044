//! The way from where a ticket stands to where the source says that it stands.
//!
//! ServiceNow lets people set any state; the desk has rules. Where the source skips a state,
//! the commands that lead there are given one after another.

use domain::ticket::{CommandName, Status};

/// The status of the desk that a ServiceNow state comes to. `None`: no such state is known.
pub(crate) fn target(state: &str) -> Option<Status> {
    Some(match state {
        "New" => Status::New,
        "Active" => Status::InProgress,
        // Evidence is asked of the caller, as information is.
        "Awaiting User Info" | "Awaiting Evidence" => Status::WaitingForInfo,
        "Awaiting Problem" | "Awaiting Vendor" => Status::WaitingForFix,
        "Resolved" => Status::WaitingForClosure,
        "Closed" => Status::Closed,
        _ => return None,
    })
}

/// The next command on the way from `from` to `to`, with the status that it makes.
/// `None`: the ticket is there.
pub(crate) fn next(from: Status, to: Status) -> Option<(CommandName, Status)> {
    use Status::{
        Closed, InProgress, New, Reopened, WaitingForClosure, WaitingForFix, WaitingForImplementation, WaitingForInfo,
    };
    // Nothing leads back to new: what has been worked on is in progress.
    let to = if to == New && from != New { InProgress } else { to };
    Some(match (from, to) {
        (from, to) if from == to => return None,
        (New | Reopened, _) => (CommandName::Accept, InProgress),
        (Closed, _) => (CommandName::Reopen, Reopened),
        (WaitingForClosure, Closed) => (CommandName::Close, Closed),
        (WaitingForClosure, _) => (CommandName::Reopen, InProgress),
        (InProgress | WaitingForFix | WaitingForImplementation, WaitingForClosure | Closed) => {
            (CommandName::ProposeClosure, WaitingForClosure)
        }
        (InProgress, WaitingForInfo) => (CommandName::RequestInfo, WaitingForInfo),
        (InProgress, WaitingForFix) => (CommandName::AwaitFix, WaitingForFix),
        // The source has no state that comes to the remaining targets.
        (InProgress, New | Reopened | InProgress | WaitingForImplementation) => return None,
        (WaitingForInfo | WaitingForFix | WaitingForImplementation, _) => (CommandName::Resume, InProgress),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No way is longer than: reopen, accept, propose closure, close.
    const STEPS_MAX: usize = 4;

    fn way(from: Status, to: Status) -> (Vec<&'static str>, Status) {
        let mut status = from;
        let mut names = Vec::new();
        while let Some((command, after)) = next(status, to) {
            names.push(command.as_str());
            status = after;
            assert!(names.len() <= STEPS_MAX, "from {from:?} to {to:?}: {names:?}");
        }
        (names, status)
    }

    #[test]
    fn from_every_status_a_way_leads_to_every_state_of_the_source() {
        for from in Status::ALL {
            for state in ["Active", "Awaiting User Info", "Awaiting Vendor", "Resolved", "Closed"] {
                let to = target(state).unwrap();
                assert_eq!(way(from, to).1, to, "from {from:?} to {state}");
            }
        }
    }

    #[test]
    fn a_new_incident_that_is_closed_is_accepted_and_solved_on_the_way() {
        assert_eq!(
            way(Status::New, Status::Closed).0,
            ["accept", "propose-closure", "close"]
        );
    }

    #[test]
    fn going_back_from_resolved_declines_the_proposal() {
        assert_eq!(
            way(Status::WaitingForClosure, Status::WaitingForInfo).0,
            ["reopen", "request-info"]
        );
    }

    #[test]
    fn a_closed_incident_that_is_active_again_is_reopened_and_accepted() {
        assert_eq!(way(Status::Closed, Status::InProgress).0, ["reopen", "accept"]);
    }

    #[test]
    fn an_incident_set_back_to_new_stays_in_progress() {
        assert_eq!(way(Status::InProgress, Status::New), (vec![], Status::InProgress));
        assert_eq!(
            way(Status::WaitingForInfo, Status::New),
            (vec!["resume"], Status::InProgress)
        );
    }

    #[test]
    fn the_state_minus_100_of_the_published_data_is_not_known() {
        assert_eq!(target("-100"), None);
    }
}
