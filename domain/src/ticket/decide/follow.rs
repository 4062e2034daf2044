//! Who hears of a ticket.

use super::Context;
use crate::actor::ActorKind;
use crate::ids::UserId;
use crate::ticket::command::CommandName;
use crate::ticket::event::Event;
use crate::ticket::rejection::Rejection;
use crate::ticket::state::TicketState;

pub(super) fn followed(ticket: &TicketState, user: Option<UserId>, ctx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
    let user = whom(CommandName::Follow, user, ctx)?;
    Ok(if ticket.followers.contains(&user) {
        Vec::new()
    } else {
        vec![Event::Followed { user }]
    })
}

pub(super) fn unfollowed(
    ticket: &TicketState,
    user: Option<UserId>,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let user = whom(CommandName::Unfollow, user, ctx)?;
    Ok(if ticket.followers.contains(&user) {
        vec![Event::Unfollowed { user }]
    } else {
        Vec::new()
    })
}

/// Following lets a customer see the ticket, so customers follow for themselves alone.
fn whom(command: CommandName, user: Option<UserId>, ctx: &Context<'_>) -> Result<UserId, Rejection> {
    let user = user.unwrap_or(ctx.actor.user);
    if user == ctx.actor.user || ctx.actor.kind != ActorKind::Customer {
        return Ok(user);
    }
    Err(Rejection::NotPermitted {
        command,
        who: "for somebody else, only staff",
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{COLLEAGUE, CUSTOMER, agent, customer, given, opened};
    use crate::ticket::{Command, CommandName, Event, Rejection};

    #[test]
    fn the_author_follows_from_the_start() {
        given([opened()]).by(&customer()).when(Command::Follow(None)).then([]);
        given([opened()])
            .by(&customer())
            .when(Command::Unfollow(None))
            .then([Event::Unfollowed { user: CUSTOMER }]);
    }

    #[test]
    fn staff_add_followers_and_customers_do_not() {
        let follow = || Command::Follow(Some(COLLEAGUE));
        given([opened()])
            .by(&agent())
            .when(follow())
            .then([Event::Followed { user: COLLEAGUE }]);
        given([opened()])
            .by(&customer())
            .when(follow())
            .then_rejected(&Rejection::NotPermitted {
                command: CommandName::Follow,
                who: "for somebody else, only staff",
            });
    }
}
