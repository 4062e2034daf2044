//! `POST` and `PUT` on `/v1/users`, `/v1/groups`, `/v1/organisations`, `/v1/roles`, `/v1/permission-sets`, `/v1/projects`,
//! `/v1/portals` and what is under `/v1/catalogue`: what is known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::catalogue::{Catalogue, Item, ItemKind, NotInCatalogue};
use domain::directory::EntryKind;
use domain::people::{Fact, Profile};
use domain::portal::Showing;
use domain::reference::Reference;
use domain::rights::may_write;
use domain::text::Code;
use event_log::{People, ProfileError, ProfileOutcome};
use serde_json::{Map, Value, json};
use service_kit::body::{object, people};
use service_kit::http::{ApiJson, Caller};
use service_kit::openapi::people::{entry_id, noun, path};
use service_kit::problem::{FieldError, types};
use service_kit::{Problem, written};
use uuid::Uuid;

use super::headers::{CommandHeaders, Replayed, committed, created};
use crate::app::App;
use crate::body;
use crate::command::{created_entry, identified};
use crate::problem;

/// Of so many ids that nobody has written an answer tells.
const UNWRITTEN_TOLD_MAX: usize = 50;

/// What the digests of such wishes begin with. Stored with records: never change one.
const fn digest_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "user.profile",
        EntryKind::Group => "group.profile",
        EntryKind::Organisation => "organisation.profile",
        EntryKind::Role => "role.profile",
        EntryKind::PermissionSet => "permission_set.profile",
        EntryKind::Project => "project.profile",
        EntryKind::Portal => "portal.profile",
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => "catalogue.type",
            ItemKind::Priority => "catalogue.priority",
            ItemKind::Category => "catalogue.category",
            ItemKind::System => "catalogue.system",
            ItemKind::Environment => "catalogue.environment",
            ItemKind::Product => "catalogue.product",
            ItemKind::ServiceCatalogue => "catalogue.service_catalogue",
            ItemKind::Service => "catalogue.service",
            ItemKind::CustomField => "catalogue.custom_field",
        },
    }
}

/// `POST`: a new entry.
pub(super) async fn create(
    kind: EntryKind,
    State(app): State<App>,
    Caller(caller): Caller,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    writer(&caller, kind)?;
    headers.refuse_if_match("does not go with creating: what is not there has no revision")?;
    let wish = Wish::read(kind, body)?;
    wish.names_known_codes(&app.books.catalogue())?;
    let (id, outcome) = if let Some(id) = wish.item().and_then(identified) {
        (id, wish.create(&app, &caller, id, headers).await?)
    } else {
        let id = created_entry(kind, caller.user, headers.key.as_deref());
        (id, wish.write(&app, &caller, id, headers).await?)
    };
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok(created(
        &format!("{}/{id}", path(kind)),
        headers,
        answer(&app, id, &outcome),
    ))
}

/// `PUT`: what is known of an entry, whole. One that has a name alone, or is not there, gets its profile by this.
pub(super) async fn replace(
    kind: EntryKind,
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    headers: CommandHeaders,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    writer(&caller, kind)?;
    let Path(id) = id?;
    let id = entry_id(kind, &id)
        .ok_or_else(|| Problem::new(&types::NOT_FOUND).detail("Ids are UUIDs: this path leads nowhere."))?;
    let wish = Wish::read(kind, body)?;
    wish.names_known_codes(&app.books.catalogue())?;
    wish.keeps_identity(id)?;
    let outcome = wish.write(&app, &caller, id, headers).await?;
    let headers = committed(outcome.revision, outcome.position, outcome.replayed.then_some(Replayed));
    Ok((headers, Json(answer(&app, id, &outcome))).into_response())
}

/// What a body says of an entry.
struct Wish {
    profile: Profile,
    digest: [u8; 32],
}

impl Wish {
    fn read(kind: EntryKind, body: Value) -> Result<Self, Problem> {
        let body = object(body)?;
        Ok(Self {
            profile: people::profile(kind, &body)?,
            digest: body::digest(digest_name(kind), &body),
        })
    }

    /// The item of the catalogue that it is of, if it is of one.
    fn item(&self) -> Option<&Item> {
        match &self.profile {
            Profile::Item(item) => Some(item),
            Profile::User(_)
            | Profile::Group(_)
            | Profile::Organisation(_)
            | Profile::Role(_)
            | Profile::PermissionSet(_)
            | Profile::Project(_)
            | Profile::Portal(_) => None,
        }
    }

    /// Checks that it does not make another item of the one of this id.
    fn keeps_identity(&self, id: Uuid) -> Result<(), Problem> {
        let Some(item) = self.item() else { return Ok(()) };
        let (Some(own), Some((member, _))) = (identified(item), item.identity()) else {
            return Ok(());
        };
        if own == id {
            return Ok(());
        }
        let kind = EntryKind::Item(item.kind());
        let detail = format!(
            "is not that of the {} with this id, and never changes: tickets refer to it. Archive that one, and create another with POST {}",
            noun(kind),
            path(kind)
        );
        Err(unacceptable(FieldError::new(
            format!("/{member}"),
            "unchangeable",
            detail,
        )))
    }

    /// Checks that the codes which it names are the catalogue's. Archived ones are, too: what was known once stays so, and a
    /// repetition is not refused because of what happened meanwhile.
    fn names_known_codes(&self, catalogue: &Catalogue) -> Result<(), Problem> {
        let refused = |pointer: &str, error: &NotInCatalogue| {
            Err(unacceptable(FieldError::new(pointer, "invalid", error.to_string())))
        };
        let types = |types: &BTreeSet<Code>| {
            let unknown = types.iter().find_map(|code| catalogue.ticket_type(code.as_str()).err());
            unknown.map_or(Ok(()), |error| refused("/types", &error))
        };
        if let Profile::Portal(portal) = &self.profile {
            return portal.showing.types.as_ref().map_or(Ok(()), types);
        }
        match self.item() {
            Some(Item::Type(item)) => match catalogue.priority(item.default_priority.as_str()) {
                Ok(_) => Ok(()),
                Err(error) => refused("/default_priority", &error),
            },
            Some(Item::CustomField(item)) => types(&item.types),
            Some(_) | None => Ok(()),
        }
    }

    async fn write(
        &self,
        app: &App,
        caller: &Arc<Actor>,
        id: Uuid,
        headers: CommandHeaders,
    ) -> Result<ProfileOutcome, Problem> {
        let request = headers.request(app, caller, self.digest).await?;
        let outcome = app.directory.write(id, &self.profile, &request).await;
        self.settled(app, &request.actor, id, outcome).await
    }

    /// The same of an item that must not be there yet.
    async fn create(
        &self,
        app: &App,
        caller: &Arc<Actor>,
        id: Uuid,
        headers: CommandHeaders,
    ) -> Result<ProfileOutcome, Problem> {
        let request = headers.request(app, caller, self.digest).await?;
        let outcome = app.directory.create(id, &self.profile, &request).await;
        self.settled(app, &request.actor, id, outcome).await
    }

    /// What became of it, once this service goes by it.
    async fn settled(
        &self,
        app: &App,
        caller: &Actor,
        id: Uuid,
        outcome: Result<ProfileOutcome, ProfileError>,
    ) -> Result<ProfileOutcome, Problem> {
        let outcome = outcome.map_err(|error| problem::of_profile(&error, id, caller))?;
        app.applied(outcome.position).await;
        if let Profile::User(user) = &self.profile {
            app.heed(id.into(), user).await?;
        }
        Ok(outcome)
    }
}

/// The problem with a field that can be read, and does not fit what is there.
fn unacceptable(error: FieldError) -> Problem {
    Problem::new(&types::INVALID_FIELDS)
        .detail("Some fields have values that are not acceptable. See errors for each of them.")
        .field(error)
}

/// Said before the body is looked at: whoever may not write need not know how.
fn writer(caller: &Actor, kind: EntryKind) -> Result<(), Problem> {
    if may_write(caller, kind) {
        Ok(())
    } else {
        Err(problem::profile_not_permitted(kind))
    }
}

/// The same of what is for administrators alone, whatever the kind.
pub(super) fn administrator(caller: &Actor) -> Result<(), Problem> {
    if caller.administers() {
        Ok(())
    } else {
        Err(problem::only_administrators())
    }
}

/// What whoever wrote a profile may not have meant.
fn warnings(profile: &Profile, people: &People) -> Vec<Value> {
    if let Profile::Portal(portal) = profile {
        let Showing { own, projects, .. } = *portal.showing;
        let nothing = json!({
            "code": "shows_nothing",
            "detail": "With neither own nor projects customers see no ticket at all. Let them see one of both, or archive the portal.",
        });
        return (!own && !projects).then_some(nothing).into_iter().collect();
    }
    let mut unwritten: BTreeMap<(&str, EntryKind), Vec<Uuid>> = BTreeMap::new();
    for Reference { member, kind, id } in people.unwritten(profile) {
        unwritten.entry((member, kind)).or_default().push(id);
    }
    let told = unwritten.into_iter().map(|((member, kind), ids)| {
        let noun = noun(kind);
        json!({
            "code": "not_written",
            "pointer": format!("/{member}"),
            "ids": ids.into_iter().take(UNWRITTEN_TOLD_MAX).collect::<Vec<_>>(),
            "detail": format!("Nobody has written a {noun} with such an id, and nothing follows from one until somebody does. Check the ids."),
        })
    });
    told.collect()
}

fn answer(app: &App, id: Uuid, outcome: &ProfileOutcome) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("id", id.to_string().into());
    set("version", outcome.revision.0.into());
    set("revision", outcome.revision.0.into());
    // No name follows a profile.
    if let Fact::Profile(profile) = &outcome.fact {
        set("name", profile.name().as_str().into());
        if let Value::Object(definition) = written::profile(profile) {
            body.extend(definition);
        }
        // Those of portals follow from the body alone. A repetition is answered as before: what was written since is nothing to it.
        let of_portal = matches!(**profile, Profile::Portal(_));
        if of_portal || !outcome.replayed {
            let warnings = warnings(profile, app.books.people());
            if of_portal || !warnings.is_empty() {
                body.insert("warnings".to_owned(), warnings.into());
            }
        }
    }
    body
}
