//! Stored form of portals.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::portal::{App, PanelFilter, Portal, Property, Showing};
use domain::text::{Body, Code};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, exact};
use crate::value;

pub(crate) const PORTAL_V1: KindVersion = KindVersion { kind: 1047, version: 1 };

/// FROZEN. Types by their codes; properties, filters and apps by their names. None of a list: all.
#[derive(Serialize, Deserialize)]
struct PortalV1<'b> {
    name: &'b str,
    description: Option<&'b str>,
    own: bool,
    projects: bool,
    #[serde(borrow)]
    types: Option<Vec<&'b str>>,
    visible: Option<Vec<String>>,
    editable: Option<Vec<String>>,
    filters: Option<Vec<&'b str>>,
    apps: Option<Vec<&'b str>>,
    archived: bool,
}

pub(crate) fn encode(portal: &Portal) -> Result<Vec<u8>, postcard::Error> {
    let Showing {
        own,
        projects,
        types,
        visible,
        editable,
        filters,
        apps,
    } = portal.showing.as_ref();
    let properties = |set: &BTreeSet<Property>| set.iter().map(Property::to_text).collect();
    postcard::to_stdvec(&PortalV1 {
        name: portal.name.as_str(),
        description: portal.description.as_ref().map(Body::as_str),
        own: *own,
        projects: *projects,
        types: types.as_ref().map(|types| types.iter().map(Code::as_str).collect()),
        visible: visible.as_ref().map(properties),
        editable: editable.as_ref().map(properties),
        filters: filters
            .as_ref()
            .map(|filters| filters.iter().map(|filter| filter.as_str()).collect()),
        apps: apps.as_ref().map(|apps| apps.iter().map(|app| app.as_str()).collect()),
        archived: portal.archived,
    })
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Portal, DecodeError> {
    let stored: PortalV1<'_> = exact(bytes)?;
    let wrong = |field| DecodeError::Value { field };
    Ok(Portal {
        name: value::label(stored.name)?,
        description: value::optional_body(stored.description)?,
        showing: Arc::new(Showing {
            own: stored.own,
            projects: stored.projects,
            types: each(stored.types, |code| Ok(Code::new(code)))?,
            visible: each(stored.visible, |name| Property::parse(&name).ok_or(wrong("property")))?,
            editable: each(stored.editable, |name| Property::parse(&name).ok_or(wrong("property")))?,
            filters: each(stored.filters, |name| {
                let named = PanelFilter::ALL.into_iter().find(|filter| filter.as_str() == name);
                named.ok_or(wrong("filter"))
            })?,
            apps: each(stored.apps, |name| {
                let named = App::ALL.into_iter().find(|app| app.as_str() == name);
                named.ok_or(wrong("app"))
            })?,
        }),
        archived: stored.archived,
    })
}

/// A list that was stored, if one was.
fn each<S, T: Ord>(
    stored: Option<Vec<S>>,
    read: impl Fn(S) -> Result<T, DecodeError>,
) -> Result<Option<BTreeSet<T>>, DecodeError> {
    stored.map(|list| list.into_iter().map(read).collect()).transpose()
}
