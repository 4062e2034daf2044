//! Opening a ticket.

use crate::ticket::event::{Created, Event};

pub(super) fn created(created: &Created) -> Vec<Event> {
    vec![Event::Created(Box::new(created.clone()))]
}

#[cfg(test)]
mod tests {
    use crate::testing::{create, given, opened};
    use crate::ticket::Rejection;

    #[test]
    fn a_new_ticket_records_what_its_author_said() {
        given([]).when(create()).then([opened()]);
    }

    #[test]
    fn a_ticket_is_opened_once() {
        given([opened()])
            .when(create())
            .then_rejected(&Rejection::AlreadyCreated);
    }
}
