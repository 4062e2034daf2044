//! Samples of items of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{Awaits, CustomField, FieldValue, Item, Plain, PriorityItem, Product, Service, TypeItem};
use domain::ids::ServiceCatalogueId;
use domain::text::Code;

use crate::samples::{body, label};

pub(crate) fn items() -> [Item; 14] {
    let plain = |name, archived| Plain {
        name: label(name),
        description: Some(body("О чём это.")),
        archived,
    };
    let product = Product {
        name: label("Engine 2"),
        description: Some(body("О чём это.")),
        characteristics: BTreeMap::new(),
        systems: BTreeSet::new(),
        archived: false,
    };
    let ticket_type = TypeItem {
        code: Code::new("request_2"),
        name: label("Заявка"),
        awaits: None,
        default_priority: Code::new("low"),
        archived: false,
    };
    let awaiting = TypeItem {
        awaits: Some(Awaits::Implementation),
        archived: true,
        ..ticket_type.clone()
    };
    let field = CustomField {
        name: label("Room"),
        description: None,
        value: FieldValue::Choice(vec![label("2"), label("1")]),
        required: true,
        types: BTreeSet::from([Code::new("outage"), Code::new("request_2")]),
        archived: false,
    };
    let of_a_user = CustomField {
        value: FieldValue::User,
        types: BTreeSet::new(),
        ..field.clone()
    };
    let of_a_date = CustomField {
        description: Some(body("By when it is needed.")),
        value: FieldValue::Date,
        required: false,
        archived: true,
        ..of_a_user.clone()
    };
    [
        Item::Type(ticket_type),
        Item::Type(awaiting),
        Item::Priority(PriorityItem {
            code: Code::new("asap"),
            name: label("At once"),
            rank: 255,
            archived: false,
        }),
        Item::Category(plain("Печать", false)),
        Item::System(plain("billing", true)),
        Item::Environment(plain("production", false)),
        Item::Product(product.clone()),
        Item::Product(Product {
            characteristics: BTreeMap::from([(label("Version"), label("2.1")), (label("Срок"), label("2027"))]),
            systems: BTreeSet::from([label("billing"), label("Почта")]),
            archived: true,
            ..product
        }),
        Item::ServiceCatalogue(plain("Gold", false)),
        Item::Service(Service {
            name: label("Почта"),
            description: None,
            catalogues: BTreeSet::from([55, 56].map(|byte| ServiceCatalogueId::from_bytes([byte; 16]))),
            archived: false,
        }),
        Item::CustomField(field),
        Item::CustomField(of_a_user),
        Item::CustomField(of_a_date.clone()),
        Item::CustomField(CustomField {
            value: FieldValue::Number,
            ..of_a_date
        }),
    ]
}
