//! Notices: whom what happens to a ticket concerns, and who may be told of it.
//!
//! A record makes at most one notice for each person: of the first of its events that they may and want to be told. Who did it
//! needs none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::access::may_see;
use crate::actor::{Actor, ActorKind};
use crate::ids::{GroupId, UserId};
use crate::portal::Property;
use crate::sla::{Notified, SlaEvent};
use crate::text::Body;
use crate::ticket::{Assigned, Event, TicketState, Visibility};
use crate::words::words;

words! {
    /// What a notice tells. Each can be turned off by itself.
    NoticeKind 13 {
        /// Somebody opened a ticket in one's name.
        Created "created",
        /// A ticket that nobody works on came to a group of one's own.
        Group "group",
        /// A ticket was given to one.
        Assigned "assigned",
        /// Somebody took the ticket into work, or was given it.
        Accepted "accepted",
        /// The requester's side was asked a question.
        Question "question",
        /// The requester's side answered.
        Answer "answer",
        /// Somebody said something.
        Comment "comment",
        /// Work waits for a fix or a feature, or goes on.
        Progress "progress",
        /// Closing was proposed, by somebody or because nobody answered.
        Closure "closure",
        /// The ticket was closed.
        Closed "closed",
        /// The ticket was opened again, or closing it was declined.
        Reopened "reopened",
        /// The work was rated.
        Rating "rating",
        /// A promised time is near, or was missed.
        Deadline "deadline",
    }
}

/// What somebody may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// What about.
    pub kind: NoticeKind,
    /// Which of the record's events, from 0.
    pub event: usize,
    /// Not before this instant; `None`: at once.
    pub not_before: Option<Timestamp>,
}

/// Whom an event concerns.
#[derive(Debug, Clone, Copy)]
enum Whom {
    /// Whose wish it is, who works on it, and who follows it.
    Everybody,
    Requester,
    Assignee,
    Followers,
    User(UserId),
    /// The members of the group that works on it.
    Colleagues,
    /// Those of this group, unless somebody works on it already.
    Free(GroupId),
}

/// Whom a record concerns, and of what they may be told, the first of these that they want: what is told at once comes first.
/// `ticket` is as it is now, `doer` who made the record, if a person did, and `members` gives those of a group.
pub fn notices(
    events: &[Event],
    ticket: &TicketState,
    doer: Option<UserId>,
    members: impl Fn(GroupId) -> BTreeSet<UserId>,
) -> BTreeMap<UserId, Vec<Notice>> {
    let mut notices: BTreeMap<UserId, Vec<Notice>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        for (whom, kind) in concerned(event) {
            let users = match whom {
                Whom::Everybody => {
                    let concerned = ticket.followers.iter().copied().chain(ticket.assignee);
                    concerned.chain([ticket.requester]).collect()
                }
                Whom::Requester => BTreeSet::from([ticket.requester]),
                Whom::Assignee => ticket.assignee.into_iter().collect(),
                Whom::Followers => ticket.followers.clone(),
                Whom::User(user) => BTreeSet::from([user]),
                Whom::Colleagues => ticket.group.map(&members).unwrap_or_default(),
                Whom::Free(group) if ticket.assignee.is_none() => members(group),
                Whom::Free(_) => BTreeSet::new(),
            };
            let notice = Notice {
                kind,
                event: place,
                not_before: not_before(event),
            };
            for user in users.into_iter().filter(|user| Some(*user) != doer) {
                notices.entry(user).or_default().push(notice);
            }
        }
    }
    for notices in notices.values_mut() {
        notices.sort_by_key(|notice| notice.not_before);
    }
    notices
}

/// Whether any of these events may concern anybody, whatever the ticket is like.
pub fn concern_somebody(events: &[Event]) -> bool {
    events.iter().any(|event| !concerned(event).is_empty())
}

/// Whom the event concerns and how, those first whom it concerns most.
fn concerned(event: &Event) -> Vec<(Whom, NoticeKind)> {
    match event {
        Event::Created(_) => vec![(Whom::Requester, NoticeKind::Created)],
        Event::Accepted { assignee } => given(*assignee),
        Event::Assigned(assigned) => of_assignment(assigned),
        Event::InformationRequested { .. } => vec![(Whom::Everybody, NoticeKind::Question)],
        Event::InformationProvided { .. } => vec![(Whom::Everybody, NoticeKind::Answer)],
        Event::Commented { .. } => vec![(Whom::Everybody, NoticeKind::Comment)],
        Event::FixAwaited { .. } | Event::ImplementationAwaited { .. } | Event::WorkResumed { .. } => {
            vec![(Whom::Everybody, NoticeKind::Progress)]
        }
        Event::ClosureProposed { .. } | Event::InformationWaitExpired { .. } => {
            vec![(Whom::Everybody, NoticeKind::Closure)]
        }
        Event::Closed { .. } | Event::ClosureWaitExpired => vec![(Whom::Everybody, NoticeKind::Closed)],
        Event::ClosureDeclined { .. } | Event::Reopened { .. } => vec![(Whom::Everybody, NoticeKind::Reopened)],
        Event::Rated { .. } => vec![(Whom::Assignee, NoticeKind::Rating)],
        Event::Sla(event) => of_clock(event)
            .map(|whom| (whom, NoticeKind::Deadline))
            .into_iter()
            .collect(),
        Event::Classified(_)
        | Event::Edited(_)
        | Event::Followed { .. }
        | Event::Unfollowed { .. }
        | Event::ProjectChanged { .. } => Vec::new(),
    }
}

fn given(assignee: UserId) -> Vec<(Whom, NoticeKind)> {
    vec![
        (Whom::User(assignee), NoticeKind::Assigned),
        (Whom::Everybody, NoticeKind::Accepted),
    ]
}

fn of_assignment(change: &Assigned) -> Vec<(Whom, NoticeKind)> {
    match (change.assignee.value(), change.group.value()) {
        (Some(Some(assignee)), _) => given(*assignee),
        (_, Some(Some(group))) => vec![(Whom::Free(*group), NoticeKind::Group)],
        _ => Vec::new(),
    }
}

const fn of_clock(event: &SlaEvent) -> Option<Whom> {
    match event {
        SlaEvent::Warned { .. } => Some(Whom::Assignee),
        SlaEvent::NoticeDue { whom, .. } => Some(match whom {
            Notified::Assignee => Whom::Assignee,
            Notified::Group => Whom::Colleagues,
            Notified::Followers => Whom::Followers,
        }),
        SlaEvent::Started { .. }
        | SlaEvent::Paused { .. }
        | SlaEvent::Resumed { .. }
        | SlaEvent::Fulfilled { .. }
        | SlaEvent::Cancelled { .. }
        | SlaEvent::Breached { .. }
        | SlaEvent::ReEvaluated(_) => None,
    }
}

fn not_before(event: &Event) -> Option<Timestamp> {
    match event.sla() {
        Some(SlaEvent::NoticeDue { at, .. }) => Some(*at),
        Some(_) | None => None,
    }
}

/// Whether `actor` may be told of the event: they see the ticket, and its timeline shows them the event.
pub fn may_be_told(actor: &Actor, event: &Event, ticket: &TicketState) -> bool {
    if !may_see(actor, ticket.audience()) {
        return false;
    }
    let shows = |property| actor.portal.as_deref().is_none_or(|portal| portal.shows(&property));
    match event {
        // What a desk demands of itself is no business of those whom it serves.
        Event::Sla(_) => actor.kind != ActorKind::Customer,
        Event::Commented { visibility, .. } => *visibility == Visibility::Public || actor.kind != ActorKind::Customer,
        Event::Assigned(_) => shows(Property::Assignee),
        Event::Rated { .. } => shows(Property::Rating),
        Event::Created(_)
        | Event::Accepted { .. }
        | Event::InformationRequested { .. }
        | Event::InformationProvided { .. }
        | Event::FixAwaited { .. }
        | Event::ImplementationAwaited { .. }
        | Event::WorkResumed { .. }
        | Event::ClosureProposed { .. }
        | Event::ClosureDeclined { .. }
        | Event::Closed { .. }
        | Event::Reopened { .. }
        | Event::Classified(_)
        | Event::Edited(_)
        | Event::Followed { .. }
        | Event::Unfollowed { .. }
        | Event::ProjectChanged { .. }
        | Event::InformationWaitExpired { .. }
        | Event::ClosureWaitExpired => true,
    }
}

/// What was said by the event, for those who may be told of it.
pub fn said(event: &Event) -> Option<&Body> {
    match event {
        Event::Created(created) => Some(&created.description),
        Event::InformationRequested { comment, .. }
        | Event::InformationProvided { comment }
        | Event::ClosureDeclined { comment }
        | Event::Reopened { comment }
        | Event::Commented { body: comment, .. }
        | Event::ClosureProposed { solution: comment, .. } => Some(comment),
        Event::FixAwaited { comment, .. }
        | Event::ImplementationAwaited { comment, .. }
        | Event::WorkResumed { comment }
        | Event::Rated { comment, .. } => comment.as_ref(),
        Event::Closed { comment, reason } => comment.as_ref().or(reason.as_ref()),
        Event::Accepted { .. }
        | Event::Classified(_)
        | Event::Assigned(_)
        | Event::Edited(_)
        | Event::Followed { .. }
        | Event::Unfollowed { .. }
        | Event::ProjectChanged { .. }
        | Event::InformationWaitExpired { .. }
        | Event::ClosureWaitExpired
        | Event::Sla(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrganisationId;
    use crate::sla::{ClockId, TargetKind};
    use crate::testing::{
        AGENT, COLLEAGUE, CUSTOMER, NOON, accepted, agent, body, closed, closure_proposed, customer, info_requested,
        opened,
    };
    use crate::ticket::{Change, Ticket};

    const FOLLOWER: UserId = UserId::from_bytes([8; 16]);
    const TEAM: GroupId = GroupId::from_bytes([9; 16]);

    /// The sample ticket after these events, and one follower more.
    fn ticket(events: impl IntoIterator<Item = Event>) -> TicketState {
        let followed = Event::Followed { user: FOLLOWER };
        let events = [opened(), followed].into_iter().chain(events);
        let ticket = events.fold(Ticket::default(), |ticket, event| ticket.evolve(&event, NOON));
        ticket.state().unwrap().clone()
    }

    fn team(group: GroupId) -> BTreeSet<UserId> {
        assert_eq!(group, TEAM);
        BTreeSet::from([AGENT, COLLEAGUE])
    }

    fn told(events: &[Event], ticket: &TicketState, doer: UserId) -> Vec<(UserId, NoticeKind)> {
        let notices = notices(events, ticket, Some(doer), team);
        let first = |(user, notices): (UserId, Vec<Notice>)| (user, notices[0].kind);
        notices.into_iter().map(first).collect()
    }

    fn assigned(assignee: Change<Option<UserId>>, group: Change<Option<GroupId>>) -> Event {
        Event::Assigned(Assigned { assignee, group })
    }

    fn comment(visibility: Visibility) -> Event {
        let body = body("By the way.");
        Event::Commented { body, visibility }
    }

    #[test]
    fn whoever_did_it_is_not_told_and_everybody_else_is() {
        let ticket = ticket([accepted(AGENT)]);
        for (event, kind) in [
            (info_requested(), NoticeKind::Question),
            (closure_proposed(), NoticeKind::Closure),
            (closed(), NoticeKind::Closed),
            (comment(Visibility::Public), NoticeKind::Comment),
            (Event::WorkResumed { comment: None }, NoticeKind::Progress),
        ] {
            let events = [event];
            let (by_agent, by_customer) = (told(&events, &ticket, AGENT), told(&events, &ticket, CUSTOMER));
            assert_eq!(by_agent, [(CUSTOMER, kind), (FOLLOWER, kind)]);
            assert_eq!(by_customer, [(AGENT, kind), (FOLLOWER, kind)]);
        }
        assert_eq!(told(&[opened()], &ticket, CUSTOMER), []);
        assert_eq!(told(&[opened()], &ticket, AGENT), [(CUSTOMER, NoticeKind::Created)]);
    }

    #[test]
    fn who_is_given_a_ticket_is_told_that_and_the_others_that_somebody_was() {
        let events = [accepted(COLLEAGUE)];
        let ticket = ticket(events.clone());
        let (accepted, assigned) = (NoticeKind::Accepted, NoticeKind::Assigned);
        let others = [(CUSTOMER, accepted), (FOLLOWER, accepted)];
        assert_eq!(told(&events, &ticket, COLLEAGUE), others);
        let all = [(COLLEAGUE, assigned), (CUSTOMER, accepted), (FOLLOWER, accepted)];
        assert_eq!(told(&events, &ticket, AGENT), all);
    }

    #[test]
    fn a_group_is_told_of_what_nobody_works_on() {
        let to_team = [assigned(Change::Keep, Change::Set(Some(TEAM)))];
        let free = ticket(to_team.clone());
        assert_eq!(told(&to_team, &free, AGENT), [(COLLEAGUE, NoticeKind::Group)]);
        let taken = ticket([accepted(AGENT), to_team[0].clone()]);
        assert_eq!(told(&to_team, &taken, COLLEAGUE), []);
        let from_all = [assigned(Change::Set(None), Change::Set(None))];
        assert_eq!(told(&from_all, &ticket(from_all.clone()), COLLEAGUE), []);
    }

    #[test]
    fn what_is_told_at_once_comes_before_what_waits_and_otherwise_in_the_order_of_events() {
        let clock = ClockId {
            target: TargetKind::Resolution,
            number: 1,
        };
        let (whom, at) = (Notified::Followers, NOON);
        let later = Event::Sla(Box::new(SlaEvent::NoticeDue { clock, whom, at }));
        let events = [later, comment(Visibility::Public), Event::WorkResumed { comment: None }];
        let ticket = ticket([accepted(AGENT)]);
        let notices = notices(&events, &ticket, Some(CUSTOMER), team);
        let of = |user| {
            notices[&user]
                .iter()
                .map(|notice| (notice.kind, notice.event))
                .collect::<Vec<_>>()
        };
        let said = [(NoticeKind::Comment, 1), (NoticeKind::Progress, 2)];
        assert_eq!(of(AGENT), said);
        assert_eq!(of(FOLLOWER), [said.as_slice(), &[(NoticeKind::Deadline, 0)]].concat());
    }

    #[test]
    fn a_breach_is_told_to_whom_the_policy_says_and_when() {
        let clock = ClockId {
            target: TargetKind::FirstResponse,
            number: 1,
        };
        let due = |whom| [Event::Sla(Box::new(SlaEvent::NoticeDue { clock, whom, at: NOON }))];
        let group = assigned(Change::Keep, Change::Set(Some(TEAM)));
        let ticket = ticket([accepted(AGENT), group]);
        let whom = |whom| -> Vec<UserId> {
            let notices = notices(&due(whom), &ticket, None, team);
            assert!(notices.values().flatten().all(|notice| notice.not_before == Some(NOON)));
            notices.into_keys().collect()
        };
        assert_eq!(whom(Notified::Assignee), [AGENT]);
        assert_eq!(whom(Notified::Group), [AGENT, COLLEAGUE]);
        assert_eq!(whom(Notified::Followers), [CUSTOMER, FOLLOWER]);
        let [breach] = due(Notified::Followers);
        assert!(may_be_told(&agent(), &breach, &ticket) && !may_be_told(&customer(), &breach, &ticket));
        let breached = Event::Sla(Box::new(SlaEvent::Breached { clock, at: NOON }));
        assert!(!concern_somebody(&[breached]) && concern_somebody(&[breach]));
    }

    #[test]
    fn nobody_is_told_what_they_may_not_see() {
        let ticket = ticket([accepted(AGENT)]);
        let (public, internal) = (comment(Visibility::Public), comment(Visibility::Internal));
        assert!(may_be_told(&customer(), &public, &ticket) && !may_be_told(&customer(), &internal, &ticket));
        assert!(may_be_told(&agent(), &internal, &ticket));
        let stranger = Actor {
            user: UserId::from_bytes([7; 16]),
            organisation: Some(OrganisationId::from_bytes([7; 16])),
            ..customer()
        };
        assert!(!may_be_told(&stranger, &public, &ticket));
        let shown = |visible| Actor {
            portal: Some(std::sync::Arc::new(crate::portal::Showing {
                visible: Some(BTreeSet::from([visible])),
                ..crate::portal::Showing::EVERYTHING
            })),
            ..customer()
        };
        let given = assigned(Change::Set(Some(AGENT)), Change::Keep);
        assert!(may_be_told(&shown(Property::Assignee), &given, &ticket));
        assert!(!may_be_told(&shown(Property::Priority), &given, &ticket));
        assert!(may_be_told(&shown(Property::Priority), &accepted(AGENT), &ticket));
    }
}
