//! `GET` on `/v1/users`, `/v1/groups`, `/v1/organisations`, `/v1/roles`, `/v1/permission-sets`, `/v1/projects`,
//! `/v1/portals` and what is under `/v1/catalogue`: what is known of them. For staff, but for what a form offers.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use domain::actor::{Actor, ActorKind};
use domain::catalogue::ItemKind;
use domain::directory::EntryKind;
use domain::ids::OrganisationId;
use domain::portal::Property;
use service_kit::Problem;
use service_kit::http::Caller;
use service_kit::openapi::people::{entry_id, noun, path};
use service_kit::problem::types::NOT_FOUND;

use crate::access::for_staff;
use crate::app::App;
use crate::portal;
use crate::versions::{Kept, Shown};

/// Said to customers.
const FOR_STAFF: &str = "The directory is for staff.";

const fn kept(kind: EntryKind) -> Kept {
    let (things, versions) = match kind {
        EntryKind::User => ("users", "user_versions"),
        EntryKind::Group => ("groups", "group_versions"),
        EntryKind::Organisation => ("organisations", "organisation_versions"),
        EntryKind::Role => ("roles", "role_versions"),
        EntryKind::PermissionSet => ("permission_sets", "permission_set_versions"),
        EntryKind::Project => ("projects", "project_versions"),
        EntryKind::Portal => ("portals", "portal_versions"),
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => ("catalogue_types", "catalogue_type_versions"),
            ItemKind::Priority => ("catalogue_priorities", "catalogue_priority_versions"),
            ItemKind::Category => ("catalogue_categories", "catalogue_category_versions"),
            ItemKind::System => ("catalogue_systems", "catalogue_system_versions"),
            ItemKind::Environment => ("catalogue_environments", "catalogue_environment_versions"),
            ItemKind::Product => ("catalogue_products", "catalogue_product_versions"),
            ItemKind::ServiceCatalogue => ("catalogue_service_catalogues", "catalogue_service_catalogue_versions"),
            ItemKind::Service => ("catalogue_services", "catalogue_service_versions"),
            ItemKind::CustomField => ("catalogue_custom_fields", "catalogue_custom_field_versions"),
        },
    };
    Kept {
        things,
        versions,
        definition: "v.definition",
        noun: noun(kind),
        path: path(kind),
        not_found: &NOT_FOUND,
        references: references(kind),
    }
}

/// The members of profiles of this kind that name others by their ids. Those of projects can be thousands, and those of items
/// are nobody's to read in a form.
pub(crate) const fn references(kind: EntryKind) -> &'static [&'static str] {
    match kind {
        EntryKind::User => &["organisation", "groups", "roles", "service_catalogues"],
        EntryKind::Group | EntryKind::Role => &["permission_sets"],
        EntryKind::Organisation => &["portal", "service_catalogues"],
        EntryKind::PermissionSet | EntryKind::Project | EntryKind::Portal | EntryKind::Item(_) => &[],
    }
}

/// What of the entries of this kind this caller may read.
fn shown(kind: EntryKind, actor: &Actor) -> Result<Shown, Problem> {
    match kind {
        EntryKind::Item(ItemKind::Service) if actor.kind == ActorKind::Customer => {
            let organisation = actor.organisation.map(OrganisationId::as_uuid);
            Ok(Shown::Granted(actor.user.as_uuid(), organisation))
        }
        EntryKind::Item(ItemKind::Product) if actor.kind == ActorKind::Customer => {
            Ok(Shown::Bought(actor.organisation.map(OrganisationId::as_uuid)))
        }
        EntryKind::Item(ItemKind::System) if actor.kind == ActorKind::Customer => {
            let groups = actor.groups.iter().map(|group| group.as_uuid());
            let organisation = actor.organisation.map(OrganisationId::as_uuid);
            Ok(Shown::Connected(groups.collect(), organisation))
        }
        EntryKind::Item(ItemKind::Type) if actor.kind == ActorKind::Customer => {
            Ok(portal::types(actor).map_or(Shown::InUse, Shown::Types))
        }
        EntryKind::Item(ItemKind::CustomField) if actor.kind == ActorKind::Customer => Ok(custom_fields(actor)),
        EntryKind::Item(item) if item.is_for_forms() && actor.kind == ActorKind::Customer => Ok(Shown::InUse),
        EntryKind::Item(_)
        | EntryKind::User
        | EntryKind::Group
        | EntryKind::Organisation
        | EntryKind::Role
        | EntryKind::PermissionSet
        | EntryKind::Project
        | EntryKind::Portal => for_staff(actor, FOR_STAFF).map(|()| Shown::Everything),
    }
}

/// The custom fields that a customer's portal shows, of the types that it takes.
fn custom_fields(actor: &Actor) -> Shown {
    let Some(showing) = &actor.portal else {
        return Shown::InUse;
    };
    let single = (!showing.shows(&Property::CustomFields)).then(|| showing.custom_fields_shown());
    Shown::Fields {
        names: single.map(|names| names.map(|name| name.as_str().to_owned()).collect()),
        types: portal::types(actor),
    }
}

/// The id that a path names, as a text.
fn named(kind: EntryKind, id: Result<Path<String>, PathRejection>) -> Result<Path<String>, PathRejection> {
    id.map(|Path(text)| Path(entry_id(kind, &text).map_or(text, |id| id.to_string())))
}

/// The entries of a kind that have a profile, as its last version says, by name.
pub(crate) async fn list(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Problem> {
    let shown = shown(kind, &actor)?;
    kept(kind).filtered(&app, &uri, kind, &shown).await
}

/// One of them: its last version, or the one that `version` names.
pub(crate) async fn one(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let shown = shown(kind, &actor)?;
    kept(kind).one(&app, named(kind, id), &uri, &shown).await
}

/// The versions of one, in the order in which they were written.
pub(crate) async fn versions(
    kind: EntryKind,
    State(app): State<App>,
    Extension(Caller(actor)): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    for_staff(&actor, FOR_STAFF)?;
    kept(kind).versions(&app, named(kind, id), &uri).await
}
