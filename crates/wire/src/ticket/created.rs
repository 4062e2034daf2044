//! Opening a ticket, and correcting what was said then.

use domain::catalogue::{Awaits, Priority, TicketType};
use domain::ids::{GroupId, OrganisationId, TicketNumber, UserId};
use domain::text::{Code, Label, Subject};
use domain::ticket::{Assigned, Change, Classified, Created, CustomFields, CustomValue, Edited};
use serde::{Deserialize, Serialize};

use crate::envelope::DecodeError;
use crate::value::{self, change, stored};

/// FROZEN. `awaits`: 0 nothing, 1 a fix, 2 an implementation.
#[derive(Serialize, Deserialize)]
pub(super) struct TypeV1<'b> {
    code: &'b str,
    awaits: u8,
}

impl<'d> TypeV1<'d> {
    fn of(ticket_type: &'d TicketType) -> Self {
        let awaits = match ticket_type.awaits {
            None => 0,
            Some(Awaits::Fix) => 1,
            Some(Awaits::Implementation) => 2,
        };
        Self {
            code: ticket_type.code.as_str(),
            awaits,
        }
    }

    fn read(self) -> Result<TicketType, DecodeError> {
        let awaits = match self.awaits {
            0 => None,
            1 => Some(Awaits::Fix),
            2 => Some(Awaits::Implementation),
            _ => return Err(DecodeError::Value { field: "awaits" }),
        };
        Ok(TicketType {
            code: Code::new(self.code),
            awaits,
        })
    }
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
pub(super) struct PriorityV1<'b> {
    code: &'b str,
    rank: u8,
}

impl<'d> PriorityV1<'d> {
    fn of(priority: &'d Priority) -> Self {
        Self {
            code: priority.code.as_str(),
            rank: priority.rank,
        }
    }

    fn read(self) -> Priority {
        Priority {
            code: Code::new(self.code),
            rank: self.rank,
        }
    }
}

/// FROZEN, the order of its variants too.
#[derive(Serialize, Deserialize)]
enum CustomValueV1<'b> {
    Text(&'b str),
    Number(i64),
    Flag(bool),
}

/// FROZEN. Sorted by name.
type CustomFieldsV1<'b> = Vec<(&'b str, CustomValueV1<'b>)>;

fn stored_fields(fields: &CustomFields) -> CustomFieldsV1<'_> {
    fields
        .iter()
        .map(|(name, value)| {
            let value = match value {
                CustomValue::Text(text) => CustomValueV1::Text(text.as_str()),
                CustomValue::Number(number) => CustomValueV1::Number(*number),
                CustomValue::Flag(flag) => CustomValueV1::Flag(*flag),
            };
            (name.as_str(), value)
        })
        .collect()
}

fn read_fields(fields: CustomFieldsV1<'_>) -> Result<CustomFields, DecodeError> {
    fields
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                CustomValueV1::Text(text) => CustomValue::Text(value::label(text)?),
                CustomValueV1::Number(number) => CustomValue::Number(number),
                CustomValueV1::Flag(flag) => CustomValue::Flag(flag),
            };
            Ok((value::label(name)?, value))
        })
        .collect()
}

fn text(label: Option<&Label>) -> Option<&str> {
    label.map(Label::as_str)
}

fn subject(text: &str) -> Result<Subject, DecodeError> {
    Subject::parse(text).map_err(|_| DecodeError::Value { field: "subject" })
}

/// FROZEN.
#[derive(Serialize, Deserialize)]
pub(super) struct CreatedV1<'b> {
    number: u64,
    subject: &'b str,
    description: &'b str,
    #[serde(borrow)]
    ticket_type: TypeV1<'b>,
    #[serde(borrow)]
    priority: PriorityV1<'b>,
    category: Option<&'b str>,
    system: Option<&'b str>,
    environment: Option<&'b str>,
    service: Option<&'b str>,
    platform_version: Option<&'b str>,
    #[serde(borrow)]
    custom_fields: CustomFieldsV1<'b>,
    requester: [u8; 16],
    organisation: Option<[u8; 16]>,
}

impl<'d> CreatedV1<'d> {
    pub(super) fn of(created: &'d Created) -> Self {
        Self {
            number: created.number.0,
            subject: created.subject.as_str(),
            description: created.description.as_str(),
            ticket_type: TypeV1::of(&created.ticket_type),
            priority: PriorityV1::of(&created.priority),
            category: text(created.category.as_ref()),
            system: text(created.system.as_ref()),
            environment: text(created.environment.as_ref()),
            service: text(created.service.as_ref()),
            platform_version: text(created.platform_version.as_ref()),
            custom_fields: stored_fields(&created.custom_fields),
            requester: created.requester.to_bytes(),
            organisation: created.organisation.map(OrganisationId::to_bytes),
        }
    }

    pub(super) fn read(self) -> Result<Created, DecodeError> {
        Ok(Created {
            number: TicketNumber(self.number),
            subject: subject(self.subject)?,
            description: value::body(self.description)?,
            ticket_type: self.ticket_type.read()?,
            priority: self.priority.read(),
            category: value::optional_label(self.category)?,
            system: value::optional_label(self.system)?,
            environment: value::optional_label(self.environment)?,
            service: value::optional_label(self.service)?,
            product: None,
            platform_version: value::optional_label(self.platform_version)?,
            custom_fields: read_fields(self.custom_fields)?,
            requester: value::user(self.requester),
            organisation: self.organisation.map(value::organisation),
        })
    }
}

/// FROZEN. What version 1 has, and the product.
#[derive(Serialize, Deserialize)]
pub(super) struct CreatedV2<'b> {
    #[serde(borrow)]
    rest: CreatedV1<'b>,
    product: &'b str,
}

impl<'d> CreatedV2<'d> {
    pub(super) fn of(created: &'d Created, product: &'d Label) -> Self {
        Self {
            rest: CreatedV1::of(created),
            product: product.as_str(),
        }
    }

    pub(super) fn read(self) -> Result<Created, DecodeError> {
        Ok(Created {
            product: Some(value::label(self.product)?),
            ..self.rest.read()?
        })
    }
}

/// FROZEN. The outer option of each field: whether it changed.
#[derive(Serialize, Deserialize)]
#[expect(
    clippy::option_option,
    reason = "kept, cleared and set are three things, and this is how they are stored"
)]
pub(super) struct ClassifiedV1<'b> {
    #[serde(borrow)]
    ticket_type: Option<TypeV1<'b>>,
    #[serde(borrow)]
    priority: Option<PriorityV1<'b>>,
    category: Option<Option<&'b str>>,
    system: Option<Option<&'b str>>,
    environment: Option<Option<&'b str>>,
    service: Option<Option<&'b str>>,
}

impl<'d> ClassifiedV1<'d> {
    pub(super) fn of(classified: &'d Classified) -> Self {
        Self {
            ticket_type: stored(&classified.ticket_type, TypeV1::of),
            priority: stored(&classified.priority, PriorityV1::of),
            category: stored(&classified.category, |label| text(label.as_ref())),
            system: stored(&classified.system, |label| text(label.as_ref())),
            environment: stored(&classified.environment, |label| text(label.as_ref())),
            service: stored(&classified.service, |label| text(label.as_ref())),
        }
    }

    pub(super) fn read(self) -> Result<Classified, DecodeError> {
        Ok(Classified {
            ticket_type: change(self.ticket_type, TypeV1::read)?,
            priority: change(self.priority, |priority| Ok(priority.read()))?,
            category: change(self.category, value::optional_label)?,
            system: change(self.system, value::optional_label)?,
            environment: change(self.environment, value::optional_label)?,
            service: change(self.service, value::optional_label)?,
            product: Change::Keep,
        })
    }
}

/// FROZEN. What version 1 has, and the product: null if it was taken away.
#[derive(Serialize, Deserialize)]
pub(super) struct ClassifiedV2<'b> {
    #[serde(borrow)]
    rest: ClassifiedV1<'b>,
    product: Option<&'b str>,
}

impl<'d> ClassifiedV2<'d> {
    pub(super) fn of(classified: &'d Classified, product: Option<&'d Label>) -> Self {
        Self {
            rest: ClassifiedV1::of(classified),
            product: text(product),
        }
    }

    pub(super) fn read(self) -> Result<Classified, DecodeError> {
        Ok(Classified {
            product: Change::Set(value::optional_label(self.product)?),
            ..self.rest.read()?
        })
    }
}

/// FROZEN. The outer option of each field: whether it changed.
#[derive(Serialize, Deserialize)]
#[expect(
    clippy::option_option,
    reason = "kept, cleared and set are three things, and this is how they are stored"
)]
pub(super) struct AssignedV1 {
    assignee: Option<Option<[u8; 16]>>,
    group: Option<Option<[u8; 16]>>,
}

impl AssignedV1 {
    pub(super) fn of(assigned: &Assigned) -> Self {
        Self {
            assignee: stored(&assigned.assignee, |user| user.map(UserId::to_bytes)),
            group: stored(&assigned.group, |group| group.map(GroupId::to_bytes)),
        }
    }

    pub(super) fn read(self) -> Assigned {
        Assigned {
            assignee: self.assignee.map(|user| user.map(value::user)).into(),
            group: self.group.map(|group| group.map(value::group)).into(),
        }
    }
}

/// FROZEN. The outer option of each field: whether it changed.
#[derive(Serialize, Deserialize)]
#[expect(
    clippy::option_option,
    reason = "kept, cleared and set are three things, and this is how they are stored"
)]
pub(super) struct EditedV1<'b> {
    subject: Option<&'b str>,
    description: Option<&'b str>,
    #[serde(borrow)]
    custom_fields: Option<CustomFieldsV1<'b>>,
    platform_version: Option<Option<&'b str>>,
}

impl<'d> EditedV1<'d> {
    pub(super) fn of(edited: &'d Edited) -> Self {
        Self {
            subject: stored(&edited.subject, Subject::as_str),
            description: stored(&edited.description, domain::text::Body::as_str),
            custom_fields: stored(&edited.custom_fields, stored_fields),
            platform_version: stored(&edited.platform_version, |label| text(label.as_ref())),
        }
    }

    pub(super) fn read(self) -> Result<Edited, DecodeError> {
        Ok(Edited {
            subject: change(self.subject, subject)?,
            description: change(self.description, value::body)?,
            custom_fields: change(self.custom_fields, read_fields)?,
            platform_version: change(self.platform_version, value::optional_label)?,
        })
    }
}
