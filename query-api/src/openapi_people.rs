//! The routes of users, groups, organisations, roles, permission sets, projects, portals and items of the catalogue, for the OpenAPI
//! document.

use domain::catalogue::ItemKind;
use domain::directory::EntryKind;
use domain::people::LIST_MAX;
use domain::text::Label;
use service_kit::openapi::catalogue;
use service_kit::openapi::people::{self, written};
use service_kit::openapi::schema::{
    Shape, array_up_to, boolean, code, instant, integer_from, map, names, nullable, open_object, reference, required,
    string, text, uuid,
};
use service_kit::openapi::{Api, json, path, query};
use service_kit::problem::types;

use crate::openapi::{NEXT_PAGE, READ_POSITION, page, paging, positions, reading, time};
use crate::openapi_versions::versions_page;
use crate::params::VALUES_MAX;
use crate::people::references;
use crate::people_filter::{Values, filters};
use crate::people_sort::Order;
use crate::{actions, holders, rights};

/// A user's organisation, and as many groups, roles within groups, and service catalogues as a list holds.
const NAMED_MAX: usize = 1 + 4 * LIST_MAX;

/// Adds them, and what they answer.
pub(crate) fn with_people(api: Api) -> Api {
    let rights = reading(
        "getUserRights",
        "What a user may do, by profile, groups and roles; for staff, and the user",
    )
    .parameters([path("id", "The user's id.", uuid())])
    .answer(200, "Their rights.", json(reference("Rights")))
    .answers_with("Read-Position", READ_POSITION, &positions())
    .problems(&[&types::NOT_FOUND, &types::INVALID_FIELDS]);
    let actions = reading(
        "listUserActions",
        "What a user did with tickets and the directory, and from where, the newest first, for administrators",
    )
    .parameters([
        path("id", "The user's id.", uuid()),
        query("from", "Then or later.", time()),
        query("to", "Before then.", time()),
    ])
    .parameters(paging())
    .answer(200, "A page of it.", json(page(reference("Action"))))
    .answers_with("Link", NEXT_PAGE, &string())
    .answers_with("Read-Position", READ_POSITION, &positions())
    .problems(&[&types::NOT_FOUND, &types::NOT_PERMITTED, &types::INVALID_FIELDS]);
    let portal = reading("getOwnPortal", "What the caller's portal shows; for staff, everything")
        .answer(200, "What it shows.", json(reference("Showing")))
        .answers_with("Read-Position", READ_POSITION, &positions());
    let me = reading("getOwnRights", "Who the caller is, and what they may do")
        .answer(200, "The caller.", json(reference("Me")))
        .answers_with("Read-Position", READ_POSITION, &positions());
    let permissions = reading("listPermissions", "The permissions that there are")
        .answer(200, "All of them.", json(page(reference("Permission"))))
        .answers_with("Read-Position", READ_POSITION, &positions());
    let holders = reading(
        "listPermissionHolders",
        "Who holds a permission, by profile, groups and roles; for staff",
    )
    .about("Enabled staff, by name. A page can have fewer of them than its limit, and another can follow all the same.")
    .parameters([path("permission", "Its name.", people::permission())])
    .parameters(paging())
    .answer(200, "A page of them.", json(page(reference("Holder"))))
    .answers_with("Link", NEXT_PAGE, &string())
    .answers_with("Read-Position", READ_POSITION, &positions())
    .problems(&[&types::NOT_FOUND, &types::NOT_PERMITTED, &types::INVALID_FIELDS]);
    EntryKind::ALL
        .into_iter()
        .fold(api, with_entries)
        .schema_of::<rights::Me>()
        .get("/v1/me", me)
        .schema_of::<rights::Offered>()
        .get("/v1/permissions", permissions)
        .schema_of::<holders::Holder>()
        .get("/v1/permissions/{permission}/holders", holders)
        .schema("Showing", open_object(people::showing()))
        .get("/v1/portal", portal)
        .schema_of::<actions::Item>()
        .get("/v1/users/{id}/actions", actions)
        .schema_of::<rights::Answer>()
        .get("/v1/users/{id}/rights", rights)
}

fn with_entries(api: Api, kind: EntryKind) -> Api {
    let (place, noun) = (people::path(kind), people::noun(kind));
    let ([list, one, versions], version) = match kind {
        EntryKind::User => (["listUsers", "getUser", "getUserHistory"], "UserVersion"),
        EntryKind::Group => (["listGroups", "getGroup", "getGroupHistory"], "GroupVersion"),
        EntryKind::Organisation => (
            ["listOrganisations", "getOrganisation", "getOrganisationHistory"],
            "OrganisationVersion",
        ),
        EntryKind::Role => (["listRoles", "getRole", "getRoleHistory"], "RoleVersion"),
        EntryKind::PermissionSet => (
            ["listPermissionSets", "getPermissionSet", "getPermissionSetHistory"],
            "PermissionSetVersion",
        ),
        EntryKind::Project => (["listProjects", "getProject", "getProjectHistory"], "ProjectVersion"),
        EntryKind::Portal => (["listPortals", "getPortal", "getPortalHistory"], "PortalVersion"),
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => (["listTypes", "getType", "getTypeHistory"], "TypeItemVersion"),
            ItemKind::Priority => (
                ["listPriorities", "getPriority", "getPriorityHistory"],
                "PriorityItemVersion",
            ),
            ItemKind::Category => (
                ["listCategories", "getCategory", "getCategoryHistory"],
                "CategoryVersion",
            ),
            ItemKind::System => (["listSystems", "getSystem", "getSystemHistory"], "SystemVersion"),
            ItemKind::Environment => (
                ["listEnvironments", "getEnvironment", "getEnvironmentHistory"],
                "EnvironmentVersion",
            ),
            ItemKind::Product => (["listProducts", "getProduct", "getProductHistory"], "ProductVersion"),
            ItemKind::ServiceCatalogue => (
                [
                    "listServiceCatalogues",
                    "getServiceCatalogue",
                    "getServiceCatalogueHistory",
                ],
                "ServiceCatalogueVersion",
            ),
            ItemKind::Service => (["listServices", "getService", "getServiceHistory"], "ServiceVersion"),
            ItemKind::CustomField => (
                ["listCustomFields", "getCustomField", "getCustomFieldHistory"],
                "CustomFieldVersion",
            ),
        },
    };
    let for_whom = match kind {
        EntryKind::Item(item) if item.is_for_forms() => "; for customers what is in use",
        EntryKind::Item(_)
        | EntryKind::User
        | EntryKind::Group
        | EntryKind::Organisation
        | EntryKind::Role
        | EntryKind::PermissionSet
        | EntryKind::Project
        | EntryKind::Portal => ", for staff",
    };
    let id = || path("id", &format!("The {noun}'s id."), uuid());
    let list = reading(list, &format!("List {}, by name{for_whom}", plural(kind))).parameters(
        filters(kind)
            .into_iter()
            .map(|filter| {
                query(
                    filter.name,
                    "Of the profile itself; repeat it for any of several.",
                    array_up_to(VALUES_MAX, values(filter.values)),
                )
            })
            .chain([query(
                "q",
                "A part of the name, or of a user's address.",
                text(Label::CHARACTERS_MAX),
            )])
            .chain([query(
                "sort",
                "By what, `-` for backwards; ties by name.",
                names(Order::all(kind).into_iter().map(Order::as_str)),
            )]),
    );
    let one = reading(one, &format!("What is known of one {noun}{for_whom}"))
        .parameters([
            id(),
            query("version", "Which; the last if nothing is said.", integer_from(1)),
        ])
        .answer(200, "The version.", json(reference(version)))
        .answers_with("ETag", "The entry's revision.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_FOUND, &types::NOT_PERMITTED, &types::INVALID_FIELDS]);
    let versions = reading(versions, &format!("Profiles of one {noun}, oldest first, for staff")).parameters([id()]);
    api.schema(version, entry_version(kind))
        .get(place, versions_page(list, version).problems(&[&types::NOT_PERMITTED]))
        .get(format!("{place}/{{id}}"), one)
        .get(
            format!("{place}/{{id}}/history"),
            versions_page(versions, version).problems(&[&types::NOT_FOUND, &types::NOT_PERMITTED]),
        )
}

fn plural(kind: EntryKind) -> String {
    match kind {
        EntryKind::Item(ItemKind::Category) => "categories".to_owned(),
        EntryKind::Item(ItemKind::Priority) => "priorities".to_owned(),
        EntryKind::Item(_) => format!("{}s", people::noun(kind)),
        EntryKind::User
        | EntryKind::Group
        | EntryKind::Organisation
        | EntryKind::Role
        | EntryKind::PermissionSet
        | EntryKind::Project
        | EntryKind::Portal => {
            format!("{}s that have a profile", people::noun(kind))
        }
    }
}

fn values(of: Values) -> Shape {
    match of {
        Values::Ids => uuid(),
        Values::Texts => text(Label::CHARACTERS_MAX),
        Values::Flag => boolean(),
        Values::Kinds => people::user_kind(),
        Values::Scopes => people::staff_scope(),
        Values::Permissions => people::permission(),
        Values::Codes => code(),
        Values::Awaits => catalogue::awaits(),
        Values::Fields => catalogue::field_value(),
    }
}

/// What a profile says, and how that version came to be.
fn entry_version(kind: EntryKind) -> Shape {
    let mut properties = vec![
        required("id", "", uuid()),
        required("name", "", string()),
        required(
            "version",
            "Its revision; names that were given before there was a profile count as well.",
            integer_from(match kind {
                EntryKind::Item(_) => 0,
                EntryKind::User
                | EntryKind::Group
                | EntryKind::Organisation
                | EntryKind::Role
                | EntryKind::PermissionSet
                | EntryKind::Project
                | EntryKind::Portal => 1,
            }),
        ),
        required("change", "", string()),
        required("changed_by", "", nullable(reference("Named"))),
    ];
    properties.push(match kind {
        EntryKind::Item(_) => required(
            "changed_at",
            "Null, as changed_by, for version 0: every desk has it.",
            nullable(instant()),
        ),
        EntryKind::User
        | EntryKind::Group
        | EntryKind::Organisation
        | EntryKind::Role
        | EntryKind::PermissionSet
        | EntryKind::Project
        | EntryKind::Portal => required("changed_at", "", instant()),
    });
    if !references(kind).is_empty() {
        properties.push(required(
            "names",
            "What those are called whom it names by their ids, by id; whoever has no name is left out.",
            map(NAMED_MAX, uuid(), string()),
        ));
    }
    properties.extend(written(kind));
    open_object(properties)
}
