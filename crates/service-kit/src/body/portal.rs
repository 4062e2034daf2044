//! What people write of portals, and what is kept of them.

use std::sync::Arc;

use domain::portal::{App, PanelFilter, Portal, Property, Showing};
use domain::text::{Body, Code, Label};
use serde_json::Value;

use super::fields::{Fields, Unreadable, one_of, string, text};
use super::people::list;

pub(super) fn portal(fields: &mut Fields<'_>) -> Option<Portal> {
    let name = fields.required("name", text(Label::parse));
    let description = fields.optional("description", text(Body::parse));
    let own = fields.flag("own");
    let projects = fields.flag("projects");
    let types = fields.optional("types", |value| list(value, |code| text(Code::parse)(code)));
    let visible = fields.optional("visible", |value| list(value, |name| property(name, |_| true)));
    let editable = fields.optional("editable", |value| {
        list(value, |name| property(name, Property::can_be_edited))
    });
    let filters = fields.optional("filters", |value| {
        list(value, |name| one_of(&PanelFilter::ALL, PanelFilter::as_str, name))
    });
    let apps = fields.optional("apps", |value| list(value, |name| one_of(&App::ALL, App::as_str, name)));
    let archived = fields.flag("archived");
    let showing = Showing {
        own: own.unwrap_or(true),
        projects: projects.unwrap_or(true),
        types,
        visible,
        editable,
        filters,
        apps,
    };
    refuse_vain(fields, &showing);
    Some(Portal {
        name: name?,
        description,
        showing: Arc::new(showing),
        archived: archived.unwrap_or(false),
    })
}

/// Refuses to let edit what nobody can, or what is not shown: it would not be done, and look as if it were.
fn refuse_vain(fields: &mut Fields<'_>, showing: &Showing) {
    for property in showing.editable.iter().flatten() {
        let name = property.to_text();
        if !property.can_be_edited() {
            let allowed = names(Property::can_be_edited);
            let detail = format!("{name} is for staff to change; customers can change {allowed}");
            fields.refuse("/editable", "invalid", detail);
        } else if !showing.lets_edit(property) {
            fields.refuse(
                "/editable",
                "invalid",
                format!("{name} is not among what is visible: add it there"),
            );
        }
    }
}

/// A property by its name; `offered` are those that an error tells of.
fn property(value: &Value, offered: impl Fn(&Property) -> bool) -> Result<Property, Unreadable> {
    Property::parse(string(value)?)
        .ok_or_else(|| Unreadable::Value("invalid", format!("must be one of: {}", names(offered))))
}

/// The names of those that are offered, for people to read.
fn names(offered: impl Fn(&Property) -> bool) -> String {
    let named = Property::NAMED.iter().filter(|one| offered(one));
    let named: Vec<String> = named.map(Property::to_text).collect();
    format!(
        "{}, or a single custom field such as custom_fields.Room",
        named.join(", ")
    )
}
