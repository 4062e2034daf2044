//! A ticket as its requester opens it.

use domain::ids::TicketNumber;
use domain::text::Label;
use domain::ticket::{Created, CustomFields, CustomValue};

use super::dice::Dice;
use super::figures;
use super::people::Requester;
use super::text::{Matter, Writer, label};
use super::words::{CATEGORIES, ENVIRONMENTS, SERVICES, SYSTEMS, VERSIONS};
use super::world::World;

/// In the order of `figures::PRIORITIES`.
const PRIORITIES: [&str; 4] = ["critical", "high", "medium", "low"];
/// In the order of `figures::TYPES`.
const TYPES: [(&str, Matter); 4] = [
    ("outage", Matter::Fault),
    ("defect", Matter::Fault),
    ("consultation", Matter::Query),
    ("feature_request", Matter::Wish),
];

/// How many tickets in a thousand name these.
const SYSTEM_PER_THOUSAND: u64 = 800;
const ENVIRONMENT_PER_THOUSAND: u64 = 600;
const SERVICE_PER_THOUSAND: u64 = 500;
const VERSION_PER_THOUSAND: u64 = 400;
const CUSTOM_FIELDS_PER_THOUSAND: u64 = 300;

pub(super) fn created(world: &World, requester: &Requester, dice: &mut Dice, writer: &mut Writer) -> Created {
    let urgency = dice.weighted(&figures::PRIORITIES);
    let priority = PRIORITIES.get(urgency).copied().unwrap_or("medium");
    let sort = figures::TYPES.get(urgency).map_or(0, |weights| dice.weighted(weights));
    let (code, matter) = TYPES.get(sort).copied().unwrap_or(("defect", Matter::Fault));
    let mut some = |list: &'static [&'static str], per_thousand| {
        let drawn = *dice.word(list);
        dice.chance(per_thousand).then(|| label(drawn))
    };
    let (system, environment) = (
        some(&SYSTEMS, SYSTEM_PER_THOUSAND),
        some(&ENVIRONMENTS, ENVIRONMENT_PER_THOUSAND),
    );
    let (service, platform_version) = (
        some(&SERVICES, SERVICE_PER_THOUSAND),
        some(&VERSIONS, VERSION_PER_THOUSAND),
    );
    Created {
        number: TicketNumber(0),
        subject: writer.subject(matter),
        description: writer.description(),
        ticket_type: world.ticket_type(code),
        priority: world.priority(priority),
        category: Some(category(dice)),
        system,
        environment,
        service,
        product: None,
        platform_version,
        custom_fields: custom_fields(dice),
        requester: requester.actor.user,
        organisation: requester.actor.organisation,
    }
}

pub(super) fn category(dice: &mut Dice) -> Label {
    let category = CATEGORIES.get(dice.weighted(&figures::CATEGORIES)).copied();
    label(category.expect("a category for every weight"))
}

/// A priority one step beside another.
pub(super) fn neighbour(priority: &str, dice: &mut Dice) -> &'static str {
    match priority {
        "medium" if dice.chance(800) => "low",
        "critical" | "medium" => "high",
        "high" if dice.chance(200) => "critical",
        _ => "medium",
    }
}

pub(super) fn custom_fields(dice: &mut Dice) -> CustomFields {
    if !dice.chance(CUSTOM_FIELDS_PER_THOUSAND) {
        return CustomFields::new();
    }
    let contract = format!("{}-{:05}", 2019 + dice.below(7), dice.low(2_000));
    let all = [
        ("contract", CustomValue::Text(label(&contract))),
        ("affected_users", CustomValue::Number(whole(1 + dice.low(500)))),
        ("vip", CustomValue::Flag(dice.chance(100))),
        ("room", CustomValue::Text(label(&(100 + dice.below(400)).to_string()))),
    ];
    let mut fields = CustomFields::new();
    for (name, value) in all {
        if dice.chance(550) {
            fields.insert(label(name), value);
        }
    }
    fields
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
