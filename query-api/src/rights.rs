//! What users may do, by their profiles, groups and roles: `GET /v1/users/{id}/rights`, and for whoever calls.
//!
//! The rule is `domain::rights`; Postgres only finds the entries that it looks at.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::{Extension, Json};
use domain::actor::{Actor, ActorKind, Permission};
use domain::directory::EntryKind;
use domain::ids::{GroupId, OrganisationId, ProjectId, UserId};
use domain::people::Profile;
use domain::portal::Property;
use domain::rights::Givers;
use domain::token_scope::TokenScope;
use serde::Serialize;
use serde_json::{Map, Value};
use service_kit::body::people;
use service_kit::http::Caller;
use service_kit::openapi::people::{permission, user_kind};
use service_kit::problem::types::NOT_FOUND;
use service_kit::tokens::Bearer;
use service_kit::{Problem, written};
use sqlx::types::Json as Jsonb;
use sqlx::{Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::database::problem;
use crate::moment::Moment;
use crate::names::{self, Names};
use crate::openapi;
use crate::page::Page;
use crate::params::Params;
use crate::support::{Periods, push_periods};

/// Joins the user `u` of a statement with `rights.entries`: the groups, the roles and the permission sets that what the
/// user may do follows from, each once and without its description.
pub(crate) const ENTRIES_OF_USER: &str = "
    LEFT JOIN LATERAL (
        WITH given AS (
            SELECT 'group' AS kind, g.id, g.name, g.definition - 'description' AS definition
            FROM desk.groups g
            WHERE g.id IN (SELECT member.id::uuid FROM jsonb_array_elements_text(u.definition -> 'groups') AS member (id))
            UNION ALL
            SELECT 'role', r.id, r.name, r.definition - 'description'
            FROM desk.roles r
            WHERE r.id IN (SELECT (held ->> 'role')::uuid FROM jsonb_array_elements(u.definition -> 'roles') AS held)
        ), entries AS (
            SELECT * FROM given
            UNION ALL
            SELECT 'permission_set', s.id, s.name, s.definition - 'description'
            FROM desk.permission_sets s
            WHERE s.id IN (
                SELECT named.id::uuid
                FROM given
                CROSS JOIN jsonb_array_elements_text(given.definition -> 'permission_sets') AS named (id))
        )
        SELECT jsonb_agg(jsonb_build_array(kind, id, name, definition)) AS entries FROM entries
    ) rights ON TRUE";

/// Joins the user and the organisation of `who`, both texts or null, with `followed.projects`: the projects that one of them
/// follows.
pub(crate) const PROJECTS_OF_WHO: &str = "
    LEFT JOIN LATERAL (
        SELECT array_agg(p.id) AS projects
        FROM desk.projects p
        WHERE p.definition @> jsonb_build_object('followers', jsonb_build_array(who.user_id))
            OR p.definition @> jsonb_build_object('organisations', jsonb_build_array(who.organisation_id))
    ) followed ON TRUE";

/// An entry of the directory, as a statement finds it: its kind, id, name, and what else is known of it.
type Entry = (String, Uuid, String, Map<String, Value>);

/// A user, as a statement with [`ENTRIES_OF_USER`] and [`PROJECTS_OF_WHO`] finds them.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Found {
    /// `None`: they have no profile.
    name: Option<String>,
    definition: Option<Jsonb<Map<String, Value>>>,
    entries: Option<Jsonb<Vec<Entry>>>,
    projects: Option<Vec<Uuid>>,
}

/// What a user's profile, groups and roles say of how they come in.
#[derive(Debug)]
pub(crate) enum Standing {
    /// As this actor.
    Actor(Actor),
    /// Not at all.
    Disabled,
    /// Nothing: they have no profile. Yet they may follow projects.
    Unknown(BTreeSet<ProjectId>),
}

impl Found {
    /// How the user of this id comes in.
    pub(crate) fn standing(self, id: UserId) -> Result<Standing, Problem> {
        let projects = self.projects.into_iter().flatten().map(Into::into).collect();
        let Some((name, Jsonb(definition))) = self.name.zip(self.definition) else {
            return Ok(Standing::Unknown(projects));
        };
        let Profile::User(user) = profile(EntryKind::User, name, definition)? else {
            return Err(Problem::internal());
        };
        let mut givers = Givers::default();
        for (kind, id, name, definition) in self.entries.into_iter().flat_map(|Jsonb(entries)| entries) {
            let kind = EntryKind::ALL.into_iter().find(|known| known.as_str() == kind);
            let kind = kind.ok_or_else(Problem::internal)?;
            givers.add(id, &profile(kind, name, definition)?);
        }
        // Which projects they follow the statement found, and their portal whoever asks finds: these givers know of neither.
        let actor = givers.actor(id, &user).map(|actor| Actor { projects, ..actor });
        Ok(actor.map_or(Standing::Disabled, Standing::Actor))
    }
}

/// An entry's profile, as the projector wrote it.
pub(crate) fn profile(kind: EntryKind, name: String, mut definition: Map<String, Value>) -> Result<Profile, Problem> {
    definition.insert("name".to_owned(), name.into());
    people::kept(kind, &definition)
}

/// What a user may do beyond the ordinary, wherever it comes from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rights)]
pub(crate) struct Answer {
    /// The user.
    id: Uuid,
    /// Whether they may come in. One who may not has no rights.
    enabled: bool,
    /// For the whole desk.
    #[schema(schema_with = openapi::permissions)]
    permissions: Vec<&'static str>,
    /// The groups in which they lead.
    leads: Vec<Uuid>,
    /// With tickets of single groups besides.
    within: Vec<Within>,
}

/// What a user may do with tickets of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RightsWithin)]
struct Within {
    /// The group.
    group: Uuid,
    /// What they may do.
    #[schema(schema_with = openapi::permissions)]
    permissions: Vec<&'static str>,
}

/// Who calls, as their token, profile, groups and roles say by now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub(crate) struct Me {
    id: Uuid,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(schema_with = user_kind)]
    kind: &'static str,
    #[schema(required = true)]
    organisation: Option<Uuid>,
    groups: Vec<Uuid>,
    /// Which tickets a member of staff sees; of customers null.
    #[schema(schema_with = openapi::nullable_scope)]
    scope: Option<&'static str>,
    /// For the whole desk.
    #[schema(schema_with = openapi::permissions)]
    permissions: Vec<&'static str>,
    /// The groups in which they lead.
    leads: Vec<Uuid>,
    /// With tickets of single groups besides.
    within: Vec<Within>,
    /// The projects that they, or their organisation, follow; none, where their portal does not show projects.
    #[schema(value_type = Vec<names::Named>)]
    projects: Vec<Value>,
    /// Whether a customer is supported, by what was agreed with them and their organisation: who is not opens no tickets. Of
    /// staff null.
    #[schema(schema_with = openapi::nullable_support)]
    support: Option<&'static str>,
    /// Who looks through the eyes of this customer, and changes nothing; null: the caller is who the rest says.
    #[schema(schema_with = openapi::nullable_named)]
    viewed_by: Value,
    /// What the token may be used for; null: for everything.
    #[schema(schema_with = openapi::nullable_token_scopes)]
    scopes: Option<Vec<&'static str>>,
}

/// `GET /v1/me`
pub(crate) async fn me(
    State(app): State<App>,
    Extension(Bearer {
        actor, viewer, scopes, ..
    }): Extension<Bearer>,
    uri: Uri,
) -> Result<Json<Me>, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let shown = actor.is_shown(&Property::Project);
    let projects = actor.projects.iter().filter(|_| shown);
    let projects: Vec<Uuid> = projects.map(|project| project.as_uuid()).collect();
    let viewer = viewer.map(|viewer| viewer.user);
    let called = projects.iter().copied().chain(viewer).collect();
    let names = Names::of(&app.db, called).await.map_err(problem)?;
    let with_name = |project| names.json(EntryKind::Project, Some(project));
    let ids = |groups: &BTreeSet<GroupId>| groups.iter().map(|group| group.as_uuid()).collect();
    let staff = actor.kind == ActorKind::Staff;
    Ok(Json(Me {
        id: actor.user.as_uuid(),
        name: actor.name.as_ref().map(|name| name.as_str().to_owned()),
        kind: actor.kind.as_str(),
        organisation: actor.organisation.map(OrganisationId::as_uuid),
        groups: ids(&actor.groups),
        scope: staff.then(|| actor.scope.as_str()),
        permissions: written::permissions(&actor.permissions),
        leads: ids(&actor.leads),
        within: within(&actor.within),
        projects: projects.into_iter().map(with_name).collect(),
        support: support(&app, &actor).await?,
        viewed_by: names.json(EntryKind::User, viewer),
        scopes: scopes.map(|scopes| scopes.iter().copied().map(TokenScope::as_str).collect()),
    }))
}

/// Whether a customer is supported now.
async fn support(app: &App, actor: &Actor) -> Result<Option<&'static str>, Problem> {
    if actor.kind != ActorKind::Customer {
        return Ok(None);
    }
    let now = app.clock.now();
    let mut sql = QueryBuilder::<Postgres>::new("SELECT who.user_id");
    push_periods(&mut sql, "who.organisation_id", "who.user_id", Moment::Present(now));
    sql.push(" FROM (SELECT ")
        .push_bind(actor.organisation.map(OrganisationId::as_uuid))
        .push("::uuid AS organisation_id, ")
        .push_bind(actor.user.as_uuid())
        .push("::uuid AS user_id) who");
    let periods: Periods = sql.build_query_as().fetch_one(&app.db).await.map_err(problem)?;
    Ok(Some(periods.at(now).as_str()))
}

/// A permission that there is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Permission)]
pub(crate) struct Offered {
    #[schema(schema_with = permission)]
    permission: &'static str,
    /// What it is about: `users`, `general` or `tickets`.
    #[schema(schema_with = openapi::permission_categories)]
    category: &'static str,
    /// What it lets somebody do.
    about: &'static str,
}

/// `GET /v1/permissions`: what sets can give.
pub(crate) async fn offered(uri: Uri) -> Result<Response, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let item = |permission: Permission| Offered {
        permission: permission.as_str(),
        category: permission.category().as_str(),
        about: permission.about(),
    };
    Ok(Page {
        items: Permission::ALL.map(item).into(),
        next_cursor: None,
        total: None,
    }
    .answer(&uri))
}

/// What a user may do, for staff and for themselves.
pub(crate) async fn rights(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Json<Answer>, Problem> {
    Params::read(&uri, &[])?.finish()?;
    let absent = || {
        Problem::new(&NOT_FOUND)
            .detail("No user of this id has a profile. Ids are UUIDs; GET /v1/users lists the users that have one.")
    };
    let id: UserId = path?.parse().map_err(|_| absent())?;
    if caller.kind == ActorKind::Customer && caller.user != id {
        return Err(absent());
    }
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT u.name, u.definition, rights.entries, NULL::uuid[] AS projects FROM desk.users u",
    );
    let query = sql.push(ENTRIES_OF_USER).push(" WHERE u.id = ").push_bind(id.as_uuid());
    let found: Option<Found> = query.build_query_as().fetch_optional(&app.db).await.map_err(problem)?;
    let actor = match found.ok_or_else(absent)?.standing(id)? {
        Standing::Actor(actor) => Some(actor),
        Standing::Disabled => None,
        Standing::Unknown(_) => return Err(absent()),
    };
    Ok(Json(answer(id.as_uuid(), actor)))
}

/// `None`: the user may not come in.
fn answer(id: Uuid, actor: Option<Actor>) -> Answer {
    let enabled = actor.is_some();
    let (permissions, leads, within) =
        actor.map_or_else(Default::default, |actor| (actor.permissions, actor.leads, actor.within));
    Answer {
        id,
        enabled,
        permissions: written::permissions(&permissions),
        leads: leads.into_iter().map(GroupId::as_uuid).collect(),
        within: self::within(&within),
    }
}

fn within(within: &BTreeMap<GroupId, BTreeSet<Permission>>) -> Vec<Within> {
    let within = within.iter().map(|(group, permissions)| Within {
        group: group.as_uuid(),
        permissions: written::permissions(permissions),
    });
    within.collect()
}
