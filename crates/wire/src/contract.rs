//! Stored form of what was agreed with organisations and users.

use domain::contract::{Agreed, Contract, SupportPeriod};
use domain::workflow::Workflow;
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::value;

pub(crate) const AGREED_V1: KindVersion = KindVersion { kind: 1021, version: 1 };
pub(crate) const USER_AGREED_V1: KindVersion = KindVersion { kind: 1022, version: 1 };

/// FROZEN. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct AgreedV1<'b> {
    workflow: &'b str,
    support_from: Option<i64>,
    support_until: Option<i64>,
}

/// FROZEN. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct UserAgreedV1 {
    support_from: Option<i64>,
    support_until: Option<i64>,
}

pub(crate) const fn kind(agreed: &Agreed) -> KindVersion {
    match agreed {
        Agreed::WithOrganisation(_) => AGREED_V1,
        Agreed::WithUser(_) => USER_AGREED_V1,
    }
}

pub(crate) fn encode(agreed: &Agreed) -> Result<Vec<u8>, postcard::Error> {
    let SupportPeriod { from, until } = agreed.support();
    let (support_from, support_until) = (from.map(value::micros), until.map(value::micros));
    match agreed {
        Agreed::WithOrganisation(contract) => postcard::to_stdvec(&AgreedV1 {
            workflow: contract.workflow,
            support_from,
            support_until,
        }),
        Agreed::WithUser(_) => postcard::to_stdvec(&UserAgreedV1 {
            support_from,
            support_until,
        }),
    }
}

/// `None`: the kind is none of a contract's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Agreed, DecodeError>> {
    match kind {
        AGREED_V1 => Some(with_organisation(bytes).map(Agreed::WithOrganisation)),
        USER_AGREED_V1 => Some(with_user(bytes).map(Agreed::WithUser)),
        _ => None,
    }
}

fn with_organisation(bytes: &[u8]) -> Result<Contract, DecodeError> {
    let stored: AgreedV1<'_> = exact(bytes)?;
    let workflow = Workflow::parse(stored.workflow).ok_or(DecodeError::Value { field: "workflow" })?;
    Ok(Contract {
        workflow: workflow.name,
        support: support(stored.support_from, stored.support_until)?,
    })
}

fn with_user(bytes: &[u8]) -> Result<SupportPeriod, DecodeError> {
    let stored: UserAgreedV1 = exact(bytes)?;
    support(stored.support_from, stored.support_until)
}

fn support(from: Option<i64>, until: Option<i64>) -> Result<SupportPeriod, DecodeError> {
    Ok(SupportPeriod {
        from: from.map(value::timestamp).transpose()?,
        until: until.map(value::timestamp).transpose()?,
    })
}
