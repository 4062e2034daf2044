//! What administrators ask and do about a user.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use domain::actor::Actor;
use domain::ids::UserId;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types;
use uuid::Uuid;

use super::headers::refuse_parameters;
use super::people::administrator;
use crate::app::App;

/// An administrator, and the path's `id`.
#[derive(Debug)]
pub(super) struct AboutUser {
    pub(super) by: Arc<Actor>,
    id: String,
}

impl FromRequestParts<App> for AboutUser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Caller(by) = Caller::from_request_parts(parts, app).await?;
        refuse_parameters(&parts.uri)?;
        administrator(&by)?;
        let Path(mut path): Path<HashMap<String, String>> = Path::from_request_parts(parts, app).await?;
        let id = path.remove("id").unwrap_or_default();
        Ok(Self { by, id })
    }
}

impl AboutUser {
    /// The user, who has a profile. Asked once the whole request is there.
    pub(super) fn user(&self, app: &App) -> Result<UserId, Problem> {
        user(app, &self.id)
    }
}

/// A user who has a profile.
pub(super) fn user(app: &App, id: &str) -> Result<UserId, Problem> {
    if let Some(user) = id.parse::<Uuid>().ok().map(UserId::from)
        && app.standing(user)?.is_some()
    {
        return Ok(user);
    }
    Err(Problem::new(&types::USER_NOT_FOUND)
        .detail("No user of this id has a profile. Write one with PUT /v1/users/{id}, and give them a login then."))
}
