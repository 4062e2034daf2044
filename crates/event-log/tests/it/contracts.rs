//! Contracts: what holds before anything was agreed upon is a revision, too.

use domain::contract::{Agreed, Contract, Party};
use domain::ids::Revision;
use domain::testing::agent;
use event_log::{ContractError, ExecuteError, Request};
use uuid::Uuid;

use crate::support::{Desk, wish};

#[tokio::test]
async fn a_contract_is_agreed_upon_at_the_revision_that_is_expected() {
    let desk = Desk::start().await;
    let (contracts, client) = (desk.log.contracts(), Party::Organisation(Uuid::new_v4().into()));
    let at = |revision| Request {
        if_match: Some(Revision(revision)),
        ..wish(agent())
    };
    let cabinet = Agreed::WithOrganisation(Contract {
        workflow: "cabinet",
        ..Contract::default()
    });
    let usual = Agreed::WithOrganisation(Contract::default());
    let refused = contracts.agree(client, &cabinet, &at(7)).await;
    let Err(ContractError::Failed(ExecuteError::RevisionMismatch { actual })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(actual, Revision(0));
    let first = contracts.agree(client, &cabinet, &at(0)).await.unwrap();
    assert_eq!((first.revision, first.made), (Revision(1), true));
    let again = contracts.agree(client, &cabinet, &at(1)).await.unwrap();
    assert_eq!((again.revision, again.made), (Revision(1), false));
    let repeated = at(1);
    let second = contracts.agree(client, &usual, &repeated).await.unwrap();
    let replayed = contracts.agree(client, &usual, &repeated).await.unwrap();
    assert_eq!((second.revision, replayed.replayed), (Revision(2), true));
}
