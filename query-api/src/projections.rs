//! `GET /v1/projections`

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use domain::actor::ActorKind;
use serde::Serialize;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::problem::types::NOT_PERMITTED;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::problem;
use crate::page::Page;
use crate::params::Params;

/// A generation of a projection on a partition. `role`: `serving` is what readers see, `kept` what they saw
/// before, `filling` and `ready` what a rebuild is making. `state`: `filling` until it has caught up for the first time.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = Projection)]
pub(crate) struct Standing {
    projection: String,
    generation: i32,
    role: String,
    partition: i32,
    position: i64,
    lag: i64,
    state: String,
    #[schema(required = true)]
    error: Option<String>,
}

/// How the projections are doing, for staff.
pub(crate) async fn projections(
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    if actor.kind == ActorKind::Customer {
        return Err(Problem::new(&NOT_PERMITTED).detail("How the projections are doing is for staff."));
    }
    let items: Vec<Standing> = sqlx::query_as(
        "SELECT projection, generation, g.state AS role, partition, sequence AS position,
                GREATEST(head - sequence, 0) AS lag,
                CASE WHEN c.state = 'running' AND NOT filled THEN 'filling' ELSE c.state END AS state, error
         FROM recourse.checkpoints c
         JOIN recourse.generations g USING (projection, generation)
         ORDER BY projection, generation, partition",
    )
    .fetch_all(&app.db)
    .await
    .map_err(problem)?;
    Ok(Page {
        items,
        next_cursor: None,
        total: None,
    }
    .answer(&uri))
}
