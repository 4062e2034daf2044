//! Records of the directory to rows.

use std::collections::BTreeMap;

use domain::directory::{EntryKind, Event};
use domain::text::Label;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::actions::{self, ActionRow};
use super::calendars::{self, CalendarRow, CalendarVersionRow};
use super::contracts::{self, ContractRow, ContractVersionRow};
use super::digests::{self, DigestRow};
use super::policies::{self, PolicyRow, PolicyVersionRow};
use super::profiles::{self, ProfileRow, ProfileVersionRow};
use crate::checkpoint::Key;
use crate::lines::Lines;
use crate::projections::{ApplyError, Bulk, BulkFold, Poison, Positioned, Projection};
use crate::table::{self, table};

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory;

table! {
    /// A name.
    #[derive(Debug, Clone, PartialEq)]
    NameRow in "directory_names" key (kind, id) if_present Replace {
        kind: &'static str,
        id: Uuid,
        name: String,
        recorded_at: Timestamp,
    }
}

table! {
    /// A name, also after another took its place.
    #[derive(Debug, Clone, PartialEq)]
    NameVersionRow in "directory_name_versions" key (kind, id, sequence) if_present Refuse {
        kind: &'static str,
        id: Uuid,
        sequence: i64,
        name: String,
        recorded_at: Timestamp,
    }
}

impl Projection for Directory {
    const NAME: &'static str = "directory";
    type Event = Event;

    async fn apply(&self, db: &mut PgConnection, key: Key, records: &[Positioned<Event>]) -> Result<(), ApplyError> {
        let versions = versions(records);
        let calendar_versions = calendars::versions(records);
        let policy_versions = policies::versions(records);
        let contract_versions = contracts::versions(records);
        let profile_versions = profiles::versions(records);
        let written = async {
            table::write(db, key.schema(), &versions).await?;
            table::write(db, key.schema(), &last(&versions)).await?;
            table::write(db, key.schema(), &calendar_versions).await?;
            table::write(db, key.schema(), &calendars::last(&calendar_versions)).await?;
            table::write(db, key.schema(), &policy_versions).await?;
            table::write(db, key.schema(), &policies::last(&policy_versions)).await?;
            table::write(db, key.schema(), &contract_versions).await?;
            table::write(db, key.schema(), &contracts::last(&contract_versions)).await?;
            table::write(db, key.schema(), &digests::drawn(records)).await?;
            table::write(db, key.schema(), &actions::done(records)).await?;
            table::write(db, key.schema(), &profile_versions).await?;
            table::write(db, key.schema(), &profiles::last(&profile_versions)).await
        };
        written.await.map_err(ApplyError::Database)
    }
}

/// The fold of the directory from its first record on.
#[derive(Debug)]
pub(crate) struct DirectoryFold {
    names: BTreeMap<(&'static str, Uuid), NameRow>,
    calendars: BTreeMap<Uuid, CalendarRow>,
    policies: BTreeMap<Uuid, PolicyRow>,
    contracts: BTreeMap<(&'static str, Uuid), ContractRow>,
    profiles: BTreeMap<(&'static str, Uuid), ProfileRow>,
    lines: Lines,
}

impl Bulk for Directory {
    type Fold<'p> = DirectoryFold;

    fn bulk(&self, _partition: u16) -> DirectoryFold {
        DirectoryFold {
            names: BTreeMap::new(),
            calendars: BTreeMap::new(),
            policies: BTreeMap::new(),
            contracts: BTreeMap::new(),
            profiles: BTreeMap::new(),
            lines: Lines::default()
                .with::<NameRow>()
                .with::<NameVersionRow>()
                .with::<CalendarRow>()
                .with::<CalendarVersionRow>()
                .with::<PolicyRow>()
                .with::<PolicyVersionRow>()
                .with::<ContractRow>()
                .with::<ContractVersionRow>()
                .with::<DigestRow>()
                .with::<ActionRow>()
                .with::<ProfileRow>()
                .with::<ProfileVersionRow>(),
        }
    }
}

impl BulkFold<Event> for DirectoryFold {
    fn apply(&mut self, records: &[Positioned<Event>]) -> Result<(), Poison> {
        let versions = versions(records);
        let names = last(&versions).into_iter();
        self.names.extend(names.map(|row| ((row.kind, row.id), row)));
        self.lines.push(&versions);
        let versions = calendars::versions(records);
        let last = calendars::last(&versions).into_iter();
        self.calendars.extend(last.map(|row| (row.id, row)));
        self.lines.push(&versions);
        let versions = policies::versions(records);
        let last = policies::last(&versions).into_iter();
        self.policies.extend(last.map(|row| (row.id, row)));
        self.lines.push(&versions);
        let versions = contracts::versions(records);
        let last = contracts::last(&versions).into_iter();
        self.contracts.extend(last.map(|row| ((row.party, row.id), row)));
        self.lines.push(&versions);
        self.lines.push(&digests::drawn(records));
        self.lines.push(&actions::done(records));
        let versions = profiles::versions(records);
        let last = profiles::last(&versions).into_iter();
        self.profiles.extend(last.map(|row| ((row.kind, row.id), row)));
        self.lines.push(&versions);
        Ok(())
    }

    fn lines(&mut self) -> &mut Lines {
        &mut self.lines
    }

    fn finish(mut self) -> Lines {
        let names: Vec<NameRow> = self.names.into_values().collect();
        self.lines.push(&names);
        let calendars: Vec<CalendarRow> = self.calendars.into_values().collect();
        self.lines.push(&calendars);
        let policies: Vec<PolicyRow> = self.policies.into_values().collect();
        self.lines.push(&policies);
        let contracts: Vec<ContractRow> = self.contracts.into_values().collect();
        self.lines.push(&contracts);
        let profiles: Vec<ProfileRow> = self.profiles.into_values().collect();
        self.lines.push(&profiles);
        self.lines
    }
}

/// Every name that was given. A record that gives several keeps the last.
fn versions(records: &[Positioned<Event>]) -> Vec<NameVersionRow> {
    let mut versions = Vec::new();
    for Positioned { sequence, record } in records {
        if let Some((kind, name)) = record.events.last().and_then(named) {
            versions.push(NameVersionRow {
                kind: kind.as_str(),
                id: record.header.aggregate_id,
                sequence: i64::try_from(*sequence).unwrap_or(i64::MAX),
                name: name.as_str().to_owned(),
                recorded_at: record.header.recorded_at.to_sqlx(),
            });
        }
    }
    versions
}

/// The name that an event gives.
fn named(event: &Event) -> Option<(EntryKind, &Label)> {
    match event {
        Event::Named { kind, name } => Some((*kind, name)),
        Event::Profile(profile) => Some((profile.kind(), profile.name())),
        Event::Calendar(_) | Event::Policy(_) | Event::Agreed(_) | Event::Digest(_) | Event::Address(_) => None,
    }
}

/// The last name that each entry was given.
fn last(versions: &[NameVersionRow]) -> Vec<NameRow> {
    let names: BTreeMap<_, _> = versions
        .iter()
        .map(|version| ((version.kind, version.id), version))
        .collect();
    names
        .into_values()
        .map(|version| NameRow {
            kind: version.kind,
            id: version.id,
            name: version.name.clone(),
            recorded_at: version.recorded_at,
        })
        .collect()
}
