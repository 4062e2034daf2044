//! Commands of everyday work: accepting, asking, answering, waiting for others, commenting,
//! following.

use domain::directory::EntryKind;
use domain::ids::UserId;
use domain::text::{Body, Label};
use domain::ticket::{Accept, AddComment, Await, Command, ProvideInfo, RequestInfo, Resume, Visibility};
use service_kit::body::{Fields, Unreadable, string, text};

pub(super) fn accept(fields: &mut Fields<'_>) -> Command {
    Command::Accept(Accept {
        assignee: user(fields, "assignee"),
    })
}

pub(super) fn request_info(fields: &mut Fields<'_>) -> Option<Command> {
    let comment = fields.required("comment", text(Body::parse))?;
    Some(Command::RequestInfo(RequestInfo { comment }))
}

pub(super) fn provide_info(fields: &mut Fields<'_>) -> Option<Command> {
    let comment = fields.required("comment", text(Body::parse))?;
    Some(Command::ProvideInfo(ProvideInfo { comment }))
}

pub(super) fn awaited(fields: &mut Fields<'_>) -> Await {
    Await {
        comment: fields.optional("comment", text(Body::parse)),
        reference: fields.optional("reference", text(Label::parse)),
    }
}

pub(super) fn resume(fields: &mut Fields<'_>) -> Command {
    Command::Resume(Resume {
        comment: fields.optional("comment", text(Body::parse)),
    })
}

pub(super) fn comment(fields: &mut Fields<'_>) -> Option<Command> {
    let body = fields.required("body", text(Body::parse));
    let visibility = fields.required("visibility", |value| {
        Visibility::parse(string(value)?)
            .ok_or_else(|| Unreadable::Value("invalid", "must be one of: public, internal".to_owned()))
    });
    Some(Command::Comment(AddComment {
        body: body?,
        visibility: visibility?,
    }))
}

/// Who follows; the caller if nobody is named.
pub(super) fn follower(fields: &mut Fields<'_>) -> Option<UserId> {
    user(fields, "user")
}

fn user(fields: &mut Fields<'_>, name: &'static str) -> Option<UserId> {
    let id = fields
        .present(name)
        .filter(|value| !value.is_null())
        .map(|value| fields.reference(value, EntryKind::User))?;
    fields.optional(name, |_| id.map(UserId::from))
}
