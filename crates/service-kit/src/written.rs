//! Calendars, policies and profiles as the API writes them, which is how people write them too.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Permission;
use domain::calendar::{CalendarSpec, Interval, WEEKDAYS, WorkingTime, weekday_name};
use domain::catalogue::{Awaits, Item};
use domain::ids::{GroupId, OrganisationId, PermissionSetId, ServiceCatalogueId, UserId};
use domain::people::{Language, Profile};
use domain::policy::WaitLength;
use domain::portal::{Property, Showing};
use domain::rights::Assignment;
use domain::sla::stored::Version;
use domain::sla::{BreachAction, Scope, Target};
use domain::text::{Body, Code, Label};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// What a calendar says of its hours.
pub fn calendar(spec: &CalendarSpec) -> Value {
    let week: Map<String, Value> = WEEKDAYS
        .into_iter()
        .map(|day| (weekday_name(day).to_owned(), hours(spec.week.hours(day))))
        .collect();
    let holidays: Vec<String> = spec.holidays.iter().map(Date::to_string).collect();
    json!({
        "week": week,
        "holidays": holidays,
        "overrides": dates(&spec.overrides),
        "closures": dates(&spec.closures),
    })
}

/// What a policy says, but for its name.
pub fn policy(version: &Version) -> Value {
    let targets: Map<String, Value> = version
        .targets
        .iter()
        .map(|(kind, promise)| (kind.as_str().to_owned(), target(promise)))
        .collect();
    json!({
        "in_force": version.in_force,
        "scope": scope(&version.scope),
        "calendar": version.calendar.map(|id| id.to_string()),
        "targets": targets,
        "information": version.information.map(length),
        "closure": version.closure.map(length),
        "reply_resumes": version.reply_resumes,
    })
}

/// What a profile says, but for the name.
pub fn profile(profile: &Profile) -> Value {
    match profile {
        Profile::User(user) => json!({
            "kind": user.kind.as_str(),
            "organisation": user.organisation.map(|id| id.to_string()),
            "groups": user.groups.iter().map(GroupId::to_string).collect::<Vec<_>>(),
            "leading": user.leading,
            "scope": user.scope.as_str(),
            "permissions": permissions(&user.permissions),
            "roles": user.roles.iter().map(assignment).collect::<Vec<_>>(),
            "last_name": user.full_name.last.as_ref().map(Label::as_str),
            "first_name": user.full_name.first.as_ref().map(Label::as_str),
            "middle_name": user.full_name.middle.as_ref().map(Label::as_str),
            "position": user.position.as_ref().map(Label::as_str),
            "description": user.description.as_ref().map(Body::as_str),
            "email": user.email.as_ref().map(Label::as_str),
            "phones": labels(&user.phones),
            "service_catalogues": catalogues(&user.service_catalogues),
            "language": user.language.map(Language::as_str),
            "enabled": user.enabled,
        }),
        Profile::Group(group) => json!({
            "description": group.description.as_ref().map(Body::as_str),
            "systems": labels(&group.systems),
            "permission_sets": sets(&group.permission_sets),
            "archived": group.archived,
        }),
        Profile::Organisation(organisation) => json!({
            "products": labels(&organisation.products),
            "service_catalogues": catalogues(&organisation.service_catalogues),
            "portal": organisation.portal.map(|id| id.to_string()),
            "archived": organisation.archived,
        }),
        Profile::Role(role) => json!({
            "description": role.description.as_ref().map(Body::as_str),
            "leading": role.leading,
            "permission_sets": sets(&role.permission_sets),
            "archived": role.archived,
        }),
        Profile::PermissionSet(set) => json!({
            "description": set.description.as_ref().map(Body::as_str),
            "permissions": permissions(&set.permissions),
            "archived": set.archived,
        }),
        Profile::Project(project) => json!({
            "description": project.description.as_ref().map(Body::as_str),
            "followers": project.followers.iter().map(UserId::to_string).collect::<Vec<_>>(),
            "organisations": project.organisations.iter().map(OrganisationId::to_string).collect::<Vec<_>>(),
            "archived": project.archived,
        }),
        Profile::Portal(portal) => {
            let mut written = showing(&portal.showing);
            written.insert(
                "description".to_owned(),
                json!(portal.description.as_ref().map(Body::as_str)),
            );
            written.insert("archived".to_owned(), json!(portal.archived));
            Value::Object(written)
        }
        Profile::Item(item) => catalogue(item),
    }
}

/// What a portal shows. Null in place of a list: all.
pub fn showing(showing: &Showing) -> Map<String, Value> {
    let Showing {
        own,
        projects,
        types,
        visible,
        editable,
        filters,
        apps,
    } = showing;
    let properties = |set: &BTreeSet<Property>| set.iter().map(Property::to_text).collect::<Vec<_>>();
    let members = [
        ("own", json!(own)),
        ("projects", json!(projects)),
        (
            "types",
            json!(
                types
                    .as_ref()
                    .map(|types| types.iter().map(Code::as_str).collect::<Vec<_>>())
            ),
        ),
        ("visible", json!(visible.as_ref().map(properties))),
        ("editable", json!(editable.as_ref().map(properties))),
        (
            "filters",
            json!(
                filters
                    .as_ref()
                    .map(|set| set.iter().map(|filter| filter.as_str()).collect::<Vec<_>>())
            ),
        ),
        (
            "apps",
            json!(
                apps.as_ref()
                    .map(|set| set.iter().map(|app| app.as_str()).collect::<Vec<_>>())
            ),
        ),
    ];
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What an item of the catalogue says, but for the name.
fn catalogue(item: &Item) -> Value {
    match item {
        Item::Type(item) => json!({
            "code": item.code.as_str(),
            "awaits": item.awaits.map(Awaits::as_str),
            "default_priority": item.default_priority.as_str(),
            "archived": item.archived,
        }),
        Item::Priority(item) => json!({
            "code": item.code.as_str(),
            "rank": item.rank,
            "archived": item.archived,
        }),
        Item::Category(item) | Item::System(item) | Item::Environment(item) | Item::ServiceCatalogue(item) => json!({
            "description": item.description.as_ref().map(Body::as_str),
            "archived": item.archived,
        }),
        Item::Product(item) => {
            let characteristics = item.characteristics.iter();
            let characteristics =
                characteristics.map(|(name, value)| (name.as_str().to_owned(), value.as_str().into()));
            json!({
                "description": item.description.as_ref().map(Body::as_str),
                "characteristics": characteristics.collect::<Map<String, Value>>(),
                "systems": labels(&item.systems),
                "archived": item.archived,
            })
        }
        Item::Service(item) => json!({
            "description": item.description.as_ref().map(Body::as_str),
            "catalogues": catalogues(&item.catalogues),
            "archived": item.archived,
        }),
        Item::CustomField(item) => json!({
            "description": item.description.as_ref().map(Body::as_str),
            "value": item.value.as_str(),
            "choices": item.value.choices().iter().map(Label::as_str).collect::<Vec<_>>(),
            "required": item.required,
            "types": item.types.iter().map(Code::as_str).collect::<Vec<_>>(),
            "archived": item.archived,
        }),
    }
}

fn assignment(held: &Assignment) -> Value {
    json!({ "role": held.role.to_string(), "group": held.group.map(|id| id.to_string()) })
}

/// Permissions by their names.
pub fn permissions(permissions: &BTreeSet<Permission>) -> Vec<&'static str> {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

fn labels(labels: &BTreeSet<Label>) -> Vec<&str> {
    labels.iter().map(Label::as_str).collect()
}

fn sets(ids: &BTreeSet<PermissionSetId>) -> Vec<String> {
    ids.iter().map(PermissionSetId::to_string).collect()
}

fn catalogues(ids: &BTreeSet<ServiceCatalogueId>) -> Vec<String> {
    ids.iter().map(ServiceCatalogueId::to_string).collect()
}

fn scope(scope: &Scope) -> Value {
    json!({
        "organisation": scope.organisation.map(|id| id.to_string()),
        "service": scope.service.as_ref().map(Label::as_str),
        "type": scope.ticket_type.as_ref().map(Code::as_str),
        "priority": scope.priority.as_ref().map(Code::as_str),
    })
}

fn target(target: &Target) -> Value {
    let paused_in: Vec<&str> = target.paused_in.iter().map(|status| status.as_str()).collect();
    let on_breach: Vec<Value> = target.on_breach.iter().map(action).collect();
    json!({
        "within": length(target.within),
        "paused_in": paused_in,
        "warn_percent": target.warn_percent,
        "on_breach": on_breach,
    })
}

fn action(action: &BreachAction) -> Value {
    let name = action.as_str();
    match action {
        BreachAction::RaisePriority(priority) => json!({ "action": name, "priority": priority.as_str() }),
        BreachAction::Reassign(group) => json!({ "action": name, "group": group.to_string() }),
        BreachAction::Notify(whom, delivery) => {
            json!({ "action": name, "whom": whom.as_str(), "delivery": delivery.as_str() })
        }
    }
}

fn length(length: WaitLength) -> Value {
    match length {
        WaitLength::Working(time) => json!({ "working": WorkingTime(time).to_string() }),
        WaitLength::Elapsed(time) => json!({ "elapsed": WorkingTime(time).to_string() }),
    }
}

fn dates(dates: &BTreeMap<Date, Vec<Interval>>) -> Vec<Value> {
    dates
        .iter()
        .map(|(date, intervals)| json!({ "date": date.to_string(), "intervals": hours(intervals) }))
        .collect()
}

fn hours(intervals: &[Interval]) -> Value {
    intervals
        .iter()
        .map(|interval| json!([interval.start.to_string(), interval.end.to_string()]))
        .collect()
}
