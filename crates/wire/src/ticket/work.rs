//! Working on a ticket.

use domain::ids::{ProjectId, UserId};
use domain::text::{Body, Label};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::value;

/// FROZEN. An event that names one user: accepted, followed, unfollowed.
#[derive(Serialize, Deserialize)]
pub(super) struct UserV1 {
    user: [u8; 16],
}

impl UserV1 {
    pub(super) fn of(user: UserId) -> Self {
        Self { user: user.to_bytes() }
    }

    pub(super) fn read(self) -> UserId {
        value::user(self.user)
    }
}

/// FROZEN. The ticket is in another project, or in none.
#[derive(Serialize, Deserialize)]
pub(super) struct ProjectV1 {
    project: Option<[u8; 16]>,
}

impl ProjectV1 {
    pub(super) fn of(project: Option<ProjectId>) -> Self {
        Self {
            project: project.map(ProjectId::to_bytes),
        }
    }

    pub(super) fn read(self) -> Option<ProjectId> {
        self.project.map(ProjectId::from_bytes)
    }
}

/// FROZEN. Work waits for a fix or an implementation.
#[derive(Serialize, Deserialize)]
pub(super) struct AwaitedV1<'b> {
    comment: Option<&'b str>,
    reference: Option<&'b str>,
}

impl<'d> AwaitedV1<'d> {
    pub(super) fn of(comment: Option<&'d Body>, reference: Option<&'d Label>) -> Self {
        Self {
            comment: comment.map(Body::as_str),
            reference: reference.map(Label::as_str),
        }
    }

    pub(super) fn read(self) -> Result<(Option<Body>, Option<Label>), DecodeError> {
        Ok((
            value::optional_body(self.comment)?,
            value::optional_label(self.reference)?,
        ))
    }
}
