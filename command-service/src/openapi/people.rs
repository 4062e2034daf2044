//! The routes of users, groups, organisations, roles, permission sets, projects and items of the catalogue.

use domain::catalogue::ItemKind;
use domain::directory::EntryKind;
use serde_json::{Value, json};
use service_kit::openapi::people::{self, taken, written};
use service_kit::openapi::schema::{
    Property, array, integer_from, names, object, open_object, optional, reference, required, string, uuid,
};
use service_kit::openapi::{Api, Operation, json as json_body, path};
use service_kit::problem::{ProblemType, types};
use utoipa::openapi::Required;

use super::routes::{POSITION, PROBLEMS, REPLAYED, etag, headers, idempotency_key, position};

const TAG: &str = "directory";

/// Adds them, and what they take and answer.
pub(super) fn with_people(api: Api) -> Api {
    EntryKind::ALL.into_iter().fold(api, with_entries)
}

fn with_entries(api: Api, kind: EntryKind) -> Api {
    let (place, noun) = (people::path(kind), people::noun(kind));
    let ([create, replace], [body, answer]) = match kind {
        EntryKind::User => (["createUser", "replaceUser"], ["User", "UserWritten"]),
        EntryKind::Group => (["createGroup", "replaceGroup"], ["Group", "GroupWritten"]),
        EntryKind::Organisation => (
            ["createOrganisation", "replaceOrganisation"],
            ["Organisation", "OrganisationWritten"],
        ),
        EntryKind::Role => (["createRole", "replaceRole"], ["Role", "RoleWritten"]),
        EntryKind::PermissionSet => (
            ["createPermissionSet", "replacePermissionSet"],
            ["PermissionSet", "PermissionSetWritten"],
        ),
        EntryKind::Project => (["createProject", "replaceProject"], ["Project", "ProjectWritten"]),
        EntryKind::Portal => (["createPortal", "replacePortal"], ["Portal", "PortalWritten"]),
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => (["createType", "replaceType"], ["TypeItem", "TypeItemWritten"]),
            ItemKind::Priority => (
                ["createPriority", "replacePriority"],
                ["PriorityItem", "PriorityItemWritten"],
            ),
            ItemKind::Category => (["createCategory", "replaceCategory"], ["Category", "CategoryWritten"]),
            ItemKind::System => (["createSystem", "replaceSystem"], ["System", "SystemWritten"]),
            ItemKind::Environment => (
                ["createEnvironment", "replaceEnvironment"],
                ["Environment", "EnvironmentWritten"],
            ),
            ItemKind::Product => (["createProduct", "replaceProduct"], ["Product", "ProductWritten"]),
            ItemKind::ServiceCatalogue => (
                ["createServiceCatalogue", "replaceServiceCatalogue"],
                ["ServiceCatalogue", "ServiceCatalogueWritten"],
            ),
            ItemKind::Service => (["createService", "replaceService"], ["Service", "ServiceWritten"]),
            ItemKind::CustomField => (
                ["createCustomField", "replaceCustomField"],
                ["CustomField", "CustomFieldWritten"],
            ),
        },
    };
    let mut answered = vec![
        required("id", "", uuid()),
        required("name", "", string()),
        required("version", "", integer_from(1)),
        required("revision", "The same.", integer_from(1)),
    ];
    answered.extend(written(kind));
    answered.extend(warnings(kind));
    let create = writing(create, &format!("Create a {noun}"), body, kind)
        .parameters([idempotency_key()])
        .answer(201, "It is kept.", json_body(reference(answer)))
        .answers_with("Location", &format!("The {noun}."), &string());
    // What must be theirs alone.
    let (once, always): (&[&ProblemType], &[&ProblemType]) = match kind {
        EntryKind::User => (&[], &[&types::EMAIL_TAKEN]),
        EntryKind::Item(_) => (&[&types::ITEM_EXISTS], &[]),
        EntryKind::Group
        | EntryKind::Organisation
        | EntryKind::Role
        | EntryKind::PermissionSet
        | EntryKind::Project
        | EntryKind::Portal => (&[], &[]),
    };
    let create = create.problems(once).problems(always);
    let replace = writing(replace, &format!("Write anew what is known of a {noun}"), body, kind)
        .about(match kind {
            EntryKind::Item(_) => "A new version, whole; those before are kept, and one like the last makes none. Its code or name stays, unless it is a service catalogue's: tickets refer to it.",
            EntryKind::User
            | EntryKind::Group
            | EntryKind::Organisation
            | EntryKind::Role
            | EntryKind::PermissionSet
            | EntryKind::Project
            | EntryKind::Portal => "A new version, whole; those before are kept, and one like the last makes none. An id that has a name alone, or nothing yet, gets its profile.",
        })
        .parameters([path("id", &format!("The {noun}'s id."), uuid())])
        .parameters(headers())
        .answer(200, "It is kept.", json_body(reference(answer)))
        .problems(&[&types::NOT_FOUND])
        .problems(always);
    api.schema(body, object(taken(kind)))
        .schema(answer, open_object(answered))
        .post(place, carried_out(create))
        .put(format!("{place}/{{id}}"), carried_out(replace))
}

fn writing(id: &str, summary: &str, body: &str, kind: EntryKind) -> Operation {
    Operation::new(id, TAG, summary)
        .for_callers()
        .problems(&PROBLEMS)
        .body(Required::True, json_body(reference(body)).example(example(kind)))
}

fn carried_out(operation: Operation) -> Operation {
    operation
        .answers_with("ETag", "The entry's revision.", &etag())
        .answers_with("Commit-Position", POSITION, &position())
        .answers_with("Idempotency-Replayed", REPLAYED, &names(["true"]))
}

fn example(kind: EntryKind) -> Value {
    match kind {
        EntryKind::User => {
            json!({ "name": "Ada Lovelace", "kind": "staff", "permissions": ["close_any"], "email": "ada@example.org" })
        }
        EntryKind::Group => json!({ "name": "First line", "systems": ["billing"] }),
        EntryKind::Organisation => json!({ "name": "Engines Ltd", "products": ["Engine 2"] }),
        EntryKind::Role => json!({ "name": "Shift lead", "leading": true, "permission_sets": [] }),
        EntryKind::PermissionSet => json!({ "name": "Closing", "permissions": ["close_any"] }),
        EntryKind::Project => json!({ "name": "Migration", "organisations": ["6f1c2a5e-0d34-4b7a-9c58-21e0f7b3d846"] }),
        EntryKind::Portal => {
            json!({ "name": "Shops", "projects": false, "types": ["outage"], "visible": ["priority", "custom_fields.Room"] })
        }
        EntryKind::Item(kind) => match kind {
            ItemKind::Type => json!({ "code": "access", "name": "Access", "default_priority": "low" }),
            ItemKind::Priority => json!({ "code": "at_once", "name": "At once", "rank": 4 }),
            ItemKind::Category => json!({ "name": "Printing", "description": "Printers and what comes out of them." }),
            ItemKind::System => json!({ "name": "billing" }),
            ItemKind::Environment => json!({ "name": "production" }),
            ItemKind::Product => json!({ "name": "Engine 2" }),
            ItemKind::ServiceCatalogue => json!({ "name": "Gold" }),
            ItemKind::Service => json!({ "name": "Mail", "description": "It arrives.", "catalogues": [] }),
            ItemKind::CustomField => {
                json!({ "name": "Room", "value": "choice", "choices": ["1", "2"], "required": true, "types": ["outage"] })
            }
        },
    }
}

/// What whoever wrote it may not have meant, if a profile of this kind can be such.
fn warnings(kind: EntryKind) -> Option<Property> {
    let detail = || required("detail", "", string());
    match kind {
        EntryKind::Portal => {
            let warning = open_object([required("code", "", names(["shows_nothing"])), detail()]);
            Some(required(
                "warnings",
                "What whoever wrote it may not have meant.",
                array(warning),
            ))
        }
        EntryKind::User | EntryKind::Group | EntryKind::Organisation | EntryKind::Role | EntryKind::Project => {
            let warning = open_object([
                required("code", "", names(["not_written"])),
                required("pointer", "The member that names them.", string()),
                required("ids", "The first of them.", array(uuid())),
                detail(),
            ]);
            Some(optional("warnings", UNMEANT, array(warning)))
        }
        EntryKind::PermissionSet | EntryKind::Item(_) => None,
    }
}

const UNMEANT: &str = "What whoever wrote it may not have meant; left out where there is nothing.";
