//! Stored form of the directory's events.

use domain::catalogue::ItemKind;
use domain::directory::{EntryKind, Event};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::payload::{KindVersion, Payload, exact};
use crate::{address, calendar, catalogue, contract, digest, people, policy, portal, value};

const NAMED_V1: KindVersion = KindVersion { kind: 1000, version: 1 };

/// FROZEN.
#[derive(Serialize, Deserialize)]
struct NamedV1<'b> {
    kind: u8,
    name: &'b str,
}

impl Payload for Event {
    fn kind(&self) -> KindVersion {
        match self {
            Self::Named { .. } => NAMED_V1,
            Self::Calendar(revised) => calendar::kind(revised),
            Self::Policy(revised) => policy::kind(revised),
            Self::Agreed(agreed) => contract::kind(agreed),
            Self::Profile(profile) => people::kind(profile),
            Self::Digest(_) => digest::DRAWN_V1,
            Self::Address(_) => address::HELD_V1,
        }
    }

    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        match self {
            Self::Named { kind, name } => {
                let kind = match kind {
                    EntryKind::User => 1,
                    EntryKind::Group => 2,
                    EntryKind::Organisation => 3,
                    EntryKind::Role => 4,
                    EntryKind::PermissionSet => 5,
                    EntryKind::Item(ItemKind::Type) => 6,
                    EntryKind::Item(ItemKind::Priority) => 7,
                    EntryKind::Item(ItemKind::Category) => 8,
                    EntryKind::Item(ItemKind::System) => 9,
                    EntryKind::Item(ItemKind::Environment) => 10,
                    EntryKind::Item(ItemKind::Product) => 11,
                    EntryKind::Item(ItemKind::ServiceCatalogue) => 12,
                    EntryKind::Item(ItemKind::Service) => 13,
                    EntryKind::Item(ItemKind::CustomField) => 14,
                    EntryKind::Project => 15,
                    EntryKind::Portal => 16,
                };
                postcard::to_stdvec(&NamedV1 {
                    kind,
                    name: name.as_str(),
                })
            }
            Self::Calendar(revised) => calendar::encode(revised),
            Self::Policy(revised) => policy::encode(revised),
            Self::Agreed(agreed) => contract::encode(agreed),
            Self::Profile(profile) => people::encode(profile),
            Self::Digest(drawn) => digest::encode(*drawn),
            Self::Address(held) => address::encode(*held),
        }
    }

    fn decode(kind: KindVersion, bytes: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            NAMED_V1 => {
                let NamedV1 { kind, name } = exact(bytes)?;
                let kind = match kind {
                    1 => EntryKind::User,
                    2 => EntryKind::Group,
                    3 => EntryKind::Organisation,
                    4 => EntryKind::Role,
                    5 => EntryKind::PermissionSet,
                    6 => EntryKind::Item(ItemKind::Type),
                    7 => EntryKind::Item(ItemKind::Priority),
                    8 => EntryKind::Item(ItemKind::Category),
                    9 => EntryKind::Item(ItemKind::System),
                    10 => EntryKind::Item(ItemKind::Environment),
                    11 => EntryKind::Item(ItemKind::Product),
                    12 => EntryKind::Item(ItemKind::ServiceCatalogue),
                    13 => EntryKind::Item(ItemKind::Service),
                    14 => EntryKind::Item(ItemKind::CustomField),
                    15 => EntryKind::Project,
                    16 => EntryKind::Portal,
                    _ => return Err(DecodeError::Value { field: "kind of entry" }),
                };
                Ok(Self::Named {
                    kind,
                    name: value::label(name)?,
                })
            }
            other => {
                let calendar =
                    || Some(calendar::decode(other, bytes)?.map(|revised| Self::Calendar(Box::new(revised))));
                let policy = || Some(policy::decode(other, bytes)?.map(|revised| Self::Policy(Box::new(revised))));
                let contract = || Some(contract::decode(other, bytes)?.map(|agreed| Self::Agreed(Box::new(agreed))));
                calendar()
                    .or_else(policy)
                    .or_else(contract)
                    .or_else(|| Some(people::decode(other, bytes)?.map(|profile| Self::Profile(Box::new(profile)))))
                    .or_else(|| Some(digest::decode(other, bytes)?.map(Self::Digest)))
                    .or_else(|| Some(address::decode(other, bytes)?.map(Self::Address)))
                    .unwrap_or(Err(DecodeError::UnknownKind(other)))
            }
        }
    }

    fn registry() -> &'static [(KindVersion, &'static str)] {
        &[
            (NAMED_V1, "named"),
            (calendar::CREATED_V1, "calendar_created"),
            (calendar::CHANGED_V1, "calendar_changed"),
            (calendar::HOLIDAYS_ADDED_V1, "calendar_holidays_added"),
            (policy::CREATED_V1, "policy_created"),
            (policy::CHANGED_V1, "policy_changed"),
            (contract::AGREED_V1, "contract_agreed"),
            (contract::USER_AGREED_V1, "user_contract_agreed"),
            (digest::DRAWN_V1, "digest_drawn"),
            (people::USER_V1, "user_profile_written"),
            (people::USER_V2, "user_profile_written"),
            (people::USER_V3, "user_profile_written"),
            (people::USER_V4, "user_profile_written"),
            (people::GROUP_V1, "group_profile_written"),
            (people::GROUP_V2, "group_profile_written"),
            (people::ORGANISATION_V1, "organisation_profile_written"),
            (people::ORGANISATION_V2, "organisation_profile_written"),
            (people::ORGANISATION_V3, "organisation_profile_written"),
            (people::ROLE_V1, "role_written"),
            (people::PERMISSION_SET_V1, "permission_set_written"),
            (people::PROJECT_V1, "project_written"),
            (portal::PORTAL_V1, "portal_written"),
            (catalogue::TYPE_V1, "type_written"),
            (catalogue::PRIORITY_V1, "priority_written"),
            (catalogue::CATEGORY_V1, "category_written"),
            (catalogue::SYSTEM_V1, "system_written"),
            (catalogue::ENVIRONMENT_V1, "environment_written"),
            (catalogue::PRODUCT_V1, "product_written"),
            (catalogue::PRODUCT_V2, "product_written"),
            (catalogue::SERVICE_CATALOGUE_V1, "service_catalogue_written"),
            (catalogue::SERVICE_V1, "service_written"),
            (catalogue::CUSTOM_FIELD_V1, "custom_field_written"),
            (address::HELD_V1, "address_held"),
        ]
    }
}
