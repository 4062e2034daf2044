//! Rating the work.

use crate::ticket::command::Rate;
use crate::ticket::event::Event;

pub(super) fn rated(rate: &Rate) -> Vec<Event> {
    vec![Event::Rated {
        score: rate.score,
        comment: rate.comment.clone(),
    }]
}

#[cfg(test)]
mod tests {
    use crate::testing::{body, closed, customer, given, opened};
    use crate::ticket::{Command, Event, Rate, Rejection};

    fn rate(score: u8) -> Command {
        Command::Rate(Rate { score, comment: None })
    }

    fn rated(score: u8) -> Event {
        Event::Rated { score, comment: None }
    }

    #[test]
    fn each_closing_is_rated_once() {
        given([opened(), closed()])
            .by(&customer())
            .when(rate(5))
            .then([rated(5)]);
        given([opened(), closed(), rated(5)])
            .by(&customer())
            .when(rate(4))
            .then_rejected(&Rejection::AlreadyRated);
        let reopened = Event::Reopened { comment: body("again") };
        given([opened(), closed(), rated(5), reopened, closed()])
            .by(&customer())
            .when(rate(2))
            .then([rated(2)]);
    }
}
