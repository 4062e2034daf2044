//! Stored form of what was agreed with an organisation.

use domain::contract::Contract;
use domain::workflow::Workflow;
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::value;

pub(crate) const AGREED_V1: KindVersion = KindVersion { kind: 1021, version: 1 };

/// FROZEN. Microseconds since the Unix epoch.
#[derive(Serialize, Deserialize)]
struct AgreedV1<'b> {
    workflow: &'b str,
    support_from: Option<i64>,
    support_until: Option<i64>,
}

pub(crate) fn encode(contract: &Contract) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_stdvec(&AgreedV1 {
        workflow: contract.workflow,
        support_from: contract.support_from.map(value::micros),
        support_until: contract.support_until.map(value::micros),
    })
}

/// `None`: the kind is none of a contract's.
pub(crate) fn decode(kind: KindVersion, bytes: &[u8]) -> Option<Result<Contract, DecodeError>> {
    (kind == AGREED_V1).then(|| agreed(bytes))
}

fn agreed(bytes: &[u8]) -> Result<Contract, DecodeError> {
    let stored: AgreedV1<'_> = exact(bytes)?;
    let workflow = Workflow::parse(stored.workflow).ok_or(DecodeError::Value { field: "workflow" })?;
    Ok(Contract {
        workflow: workflow.name,
        support_from: stored.support_from.map(value::timestamp).transpose()?,
        support_until: stored.support_until.map(value::timestamp).transpose()?,
    })
}
