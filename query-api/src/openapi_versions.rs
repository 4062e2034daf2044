//! The routes of what is kept version after version, for the OpenAPI document.

use domain::calendar::{WEEKDAYS, weekday_name};
use domain::sla::TargetKind;
use service_kit::openapi::schema::{
    Property, Shape, array, boolean, date, instant, integer_from, names, nullable, open_object, optional, pair,
    reference, required, string, uuid,
};
use service_kit::openapi::{Api, Operation, json, path, query};
use service_kit::problem::types;
use utoipa::openapi::path::Parameter;

use crate::openapi::{NEXT_PAGE, READ_POSITION, page, paging, positions, reading};
use crate::{contracts, digests, workflows};

/// Adds them, and what they answer.
pub(crate) fn with_versions(api: Api) -> Api {
    api.schema("CalendarVersion", calendar_version())
        .schema("PolicyVersion", open_object(policy_version()))
        .schema("PolicyPreset", policy_preset())
        .get("/v1/calendars", calendars())
        .get("/v1/calendars/{id}", calendar())
        .get("/v1/calendars/{id}/versions", calendar_versions())
        .get("/v1/policies", policies())
        .get("/v1/policies/presets", policy_presets())
        .get("/v1/policies/{id}", policy())
        .get("/v1/policies/{id}/versions", policy_versions())
        .schema_of::<contracts::Item>()
        .schema_of::<workflows::Item>()
        .get("/v1/organisations/{id}/contract", contract())
        .get("/v1/organisations/{id}/contract/versions", contract_versions())
        .get("/v1/users/{id}/contract", user_contract())
        .get("/v1/users/{id}/contract/versions", user_contract_versions())
        .schema_of::<digests::Item>()
        .schema_of::<digests::Told>()
        .get("/v1/digests", all_digests())
        .get("/v1/digests/{id}", digest())
        .get("/v1/workflows", all_workflows())
        .get("/v1/workflows/{name}", workflow())
}

fn calendars() -> Operation {
    versions_page(
        reading("listCalendars", "List calendars").about("As their last versions say, by name."),
        "CalendarVersion",
    )
}

fn calendar() -> Operation {
    reading("getCalendar", "One calendar")
        .parameters([
            calendar_id(),
            query("version", "Which; the last if nothing is said.", integer_from(1)),
        ])
        .answer(200, "The version.", json(reference("CalendarVersion")))
        .answers_with("ETag", "The calendar's revision.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::CALENDAR_NOT_FOUND, &types::INVALID_FIELDS])
}

fn calendar_versions() -> Operation {
    versions_page(
        reading("listCalendarVersions", "A calendar's versions, oldest first").parameters([calendar_id()]),
        "CalendarVersion",
    )
    .problems(&[&types::CALENDAR_NOT_FOUND])
}

pub(crate) fn versions_page(operation: Operation, version: &str) -> Operation {
    operation
        .parameters([query("count", "`exact` adds `total`.", names(["exact"]))])
        .parameters(paging())
        .answer(200, "A page.", json(page(reference(version))))
        .answers_with("Link", NEXT_PAGE, &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::INVALID_FIELDS])
}

fn calendar_id() -> Parameter {
    path("id", "The calendar's id.", uuid())
}

fn calendar_version() -> Shape {
    let mut properties = vec![
        required("id", "", uuid()),
        required("version", "Counted from 1.", integer_from(1)),
        required(
            "effective_from",
            "The first date on which it counts; null: all.",
            nullable(date()),
        ),
        required("change", "How it came to be.", string()),
        required("changed_by", "", nullable(reference("Named"))),
        required("changed_at", "", instant()),
    ];
    properties.extend(calendar_definition());
    open_object(properties)
}

/// What a calendar says.
fn calendar_definition() -> Vec<Property> {
    let hours = || array(pair(string()));
    let on_dates = || {
        array(open_object([
            required("date", "", date()),
            required("intervals", "", hours()),
        ]))
    };
    vec![
        required("name", "", string()),
        required("time_zone", "", string()),
        required(
            "week",
            "",
            open_object(WEEKDAYS.map(|day| optional(weekday_name(day), "", hours()))),
        ),
        required("holidays", "", array(date())),
        required("overrides", "", on_dates()),
        required("closures", "", on_dates()),
    ]
}

fn policies() -> Operation {
    versions_page(
        reading("listPolicies", "List policies, for staff").about("As their last versions say, by name."),
        "PolicyVersion",
    )
    .problems(&[&types::NOT_PERMITTED])
}

fn policy_presets() -> Operation {
    reading("listPolicyPresets", "Policies to begin with, for staff")
        .about("Bodies for createPolicy, each with one for createCalendar of the hours that it counts by.")
        .answer(200, "All of them.", json(page(reference("PolicyPreset"))))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_PERMITTED])
}

fn policy() -> Operation {
    reading("getPolicy", "One policy, for staff")
        .parameters([
            policy_id(),
            query("version", "Which; the last if nothing is said.", integer_from(1)),
        ])
        .answer(200, "The version.", json(reference("PolicyVersion")))
        .answers_with("ETag", "The policy's revision.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::POLICY_NOT_FOUND, &types::INVALID_FIELDS, &types::NOT_PERMITTED])
}

fn policy_versions() -> Operation {
    versions_page(
        reading("listPolicyVersions", "A policy's versions, oldest first, for staff").parameters([policy_id()]),
        "PolicyVersion",
    )
    .problems(&[&types::POLICY_NOT_FOUND, &types::NOT_PERMITTED])
}

fn contract() -> Operation {
    one_contract("getContract", "What was agreed with an organisation")
        .about("For staff and the organisation's own people. Where nothing was agreed the usual holds, as version 0.")
        .parameters([path("id", "The organisation's id.", uuid())])
}

fn user_contract() -> Operation {
    one_contract("getUserContract", "What was agreed with a user")
        .about("For staff and the user. Where nothing was agreed the usual holds, as version 0.")
        .parameters([path("id", "The user's id.", uuid())])
}

fn one_contract(id: &'static str, summary: &'static str) -> Operation {
    reading(id, summary)
        .answer(200, "What holds.", json(reference("Contract")))
        .answers_with("ETag", "The contract's revision.", &string())
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_FOUND])
}

fn contract_versions() -> Operation {
    contracts_page(
        "listContractVersions",
        "All that was ever agreed with an organisation, oldest first",
    )
    .parameters([path("id", "The organisation's id.", uuid())])
}

fn user_contract_versions() -> Operation {
    contracts_page(
        "listUserContractVersions",
        "All that was ever agreed with a user, oldest first",
    )
    .parameters([path("id", "The user's id.", uuid())])
}

fn contracts_page(id: &'static str, summary: &'static str) -> Operation {
    reading(id, summary)
        .answer(200, "All of it.", json(page(reference("Contract"))))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::NOT_FOUND])
}

fn all_digests() -> Operation {
    reading(
        "listDigests",
        "Digests of promised times, the newest first, for staff who see every ticket",
    )
    .parameters(paging())
    .answer(200, "A page of them.", json(page(reference("Digest"))))
    .answers_with("Link", NEXT_PAGE, &string())
    .answers_with("Read-Position", READ_POSITION, &positions())
    .problems(&[&types::NOT_PERMITTED, &types::INVALID_FIELDS])
}

fn digest() -> Operation {
    reading("getDigest", "What a digest tells, for staff who see every ticket")
        .parameters([path("id", "The digest's id.", uuid())])
        .answer(200, "It.", json(reference("DigestTold")))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::DIGEST_NOT_FOUND, &types::NOT_PERMITTED])
}

fn all_workflows() -> Operation {
    reading("listWorkflows", "Ways of working, with what statuses are called")
        .answer(200, "All of them.", json(page(reference("Workflow"))))
        .answers_with("Read-Position", READ_POSITION, &positions())
}

fn workflow() -> Operation {
    reading("getWorkflow", "One way of working")
        .parameters([path("name", "Its name.", string())])
        .answer(200, "What it says.", json(reference("Workflow")))
        .answers_with("Read-Position", READ_POSITION, &positions())
        .problems(&[&types::WORKFLOW_NOT_FOUND])
}

fn policy_id() -> Parameter {
    path("id", "The policy's id.", uuid())
}

fn policy_version() -> Vec<Property> {
    let mut properties = vec![
        required("id", "", uuid()),
        required("version", "Counted from 1.", integer_from(1)),
        required(
            "change",
            "How it came to be.",
            names(["policy_created", "policy_changed"]),
        ),
        required("changed_by", "", nullable(reference("Named"))),
        required("changed_at", "", instant()),
    ];
    properties.extend(policy_definition());
    properties
}

/// What a policy says: everything, whether it was left out when it was written or not.
fn policy_definition() -> Vec<Property> {
    let length = || {
        open_object([
            optional("working", "Working time, such as `PT40H`; this or `elapsed`.", string()),
            optional("elapsed", "Time by the clock; this or `working`.", string()),
        ])
    };
    let target = || {
        open_object([
            required("within", "", length()),
            required("paused_in", "", array(string())),
            required("warn_percent", "", nullable(integer_from(1))),
            required("on_breach", "", array(open_object([required("action", "", string())]))),
        ])
    };
    let scope = open_object([
        required("organisation", "", nullable(uuid())),
        required("service", "", nullable(string())),
        required("type", "", nullable(string())),
        required("priority", "", nullable(string())),
    ]);
    vec![
        required("name", "", string()),
        required("in_force", "", boolean()),
        required("scope", "Null fits every ticket.", scope),
        required("calendar", "", nullable(uuid())),
        required(
            "targets",
            "Those that are promised.",
            open_object(TargetKind::ALL.map(|kind| optional(kind.as_str(), "", target()))),
        ),
        required("information", "", nullable(length())),
        required("closure", "", nullable(length())),
        required("reply_resumes", "", boolean()),
    ]
}

fn policy_preset() -> Shape {
    open_object([
        required("preset", "Its name.", string()),
        required(
            "policy",
            "A body for createPolicy; put in a calendar's id.",
            open_object(policy_definition()),
        ),
        required(
            "calendar",
            "A body for createCalendar.",
            open_object(calendar_definition()),
        ),
    ])
}
