//! Notices: whom what happens to a ticket concerns, and who may be told of it.
//!
//! A record makes at most two notices for each person: of the first thing that happened by it which they may and want to be
//! told, and of the times that the desk promised. Who did it needs none, but of those times.

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

/// Something that somebody may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// What about.
    pub kind: NoticeKind,
    /// Which of the record's events, from 0.
    pub event: usize,
    /// Not before this instant; `None`: at once.
    pub not_before: Option<Timestamp>,
}

/// A notice for somebody: of the first of these reasons that counts once it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whom it is for.
    pub user: UserId,
    /// Why they are told, what is told earliest first. There is one at least.
    pub reasons: Vec<Reason>,
}

impl Notice {
    /// Whether it is of the times that the desk promised.
    pub fn is_of_a_deadline(&self) -> bool {
        self.reasons.iter().all(|reason| reason.kind == NoticeKind::Deadline)
    }
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
    /// All but this one.
    Others(UserId),
    /// The members of the group that it is with.
    Colleagues,
    /// The same, unless somebody works on it.
    Idle,
}

impl Whom {
    fn users(self, ticket: &TicketState, members: impl Fn(GroupId) -> BTreeSet<UserId>) -> BTreeSet<UserId> {
        let everybody = || {
            let concerned = ticket.followers.iter().copied().chain(ticket.assignee);
            concerned.chain([ticket.requester])
        };
        match self {
            Self::Everybody => everybody().collect(),
            Self::Requester => BTreeSet::from([ticket.requester]),
            Self::Assignee => ticket.assignee.into_iter().collect(),
            Self::Followers => ticket.followers.clone(),
            Self::User(user) => BTreeSet::from([user]),
            Self::Others(user) => everybody().filter(|other| *other != user).collect(),
            Self::Idle if ticket.assignee.is_some() => BTreeSet::new(),
            Self::Colleagues | Self::Idle => ticket.group.map(members).unwrap_or_default(),
        }
    }
}

/// The notices of a record: `ticket` is as it is now, `doer` who made the record, if a person did, and `members` gives those of
/// a group.
pub fn notices(
    events: &[Event],
    ticket: &TicketState,
    doer: Option<UserId>,
    members: impl Fn(GroupId) -> BTreeSet<UserId>,
) -> Vec<Notice> {
    let mut reasons: BTreeMap<(UserId, bool), Vec<Reason>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        for (whom, kind) in concerned(event) {
            let reason = Reason {
                kind,
                event: place,
                not_before: not_before(event),
            };
            // Whoever acts may not know what became due by then.
            let is_deadline = kind == NoticeKind::Deadline;
            let told = |user: &UserId| is_deadline || Some(*user) != doer;
            for user in whom.users(ticket, &members).into_iter().filter(told) {
                reasons.entry((user, is_deadline)).or_default().push(reason);
            }
        }
    }
    let notice = |((user, _), mut reasons): (_, Vec<Reason>)| {
        reasons.sort_by_key(|reason| reason.not_before);
        Notice { user, reasons }
    };
    reasons.into_iter().map(notice).collect()
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
        (Whom::Others(assignee), NoticeKind::Accepted),
    ]
}

fn of_assignment(change: &Assigned) -> Vec<(Whom, NoticeKind)> {
    match (change.assignee.value(), change.group.value()) {
        (Some(Some(assignee)), _) => given(*assignee),
        (Some(None), _) | (_, Some(Some(_))) => vec![(Whom::Idle, NoticeKind::Group)],
        (None, Some(None) | None) => Vec::new(),
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

/// Whether `actor` may be told this of the event: they see the ticket, and its timeline shows them what they are told.
pub fn may_be_told(actor: &Actor, kind: NoticeKind, event: &Event, ticket: &TicketState) -> bool {
    let hidden = event.visibility() == Visibility::Internal && actor.kind == ActorKind::Customer;
    let about = match kind {
        NoticeKind::Group => Some(Property::Group),
        NoticeKind::Rating => Some(Property::Rating),
        // That somebody accepted it is a change of its status.
        NoticeKind::Assigned | NoticeKind::Accepted if !matches!(event, Event::Accepted { .. }) => {
            Some(Property::Assignee)
        }
        NoticeKind::Assigned
        | NoticeKind::Accepted
        | NoticeKind::Created
        | NoticeKind::Question
        | NoticeKind::Answer
        | NoticeKind::Comment
        | NoticeKind::Progress
        | NoticeKind::Closure
        | NoticeKind::Closed
        | NoticeKind::Reopened
        | NoticeKind::Deadline => None,
    };
    let shown = about.is_none_or(|property| actor.is_shown(&property));
    may_see(actor, ticket.audience()) && !hidden && shown
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
    use std::sync::Arc;

    use super::*;
    use crate::ids::OrganisationId;
    use crate::portal::Showing;
    use crate::sla::{ClockId, TargetKind};
    use crate::testing::{
        AGENT, COLLEAGUE, CUSTOMER, NOON, accepted, agent, body, closed, closure_proposed, customer, info_requested,
        opened,
    };
    use crate::ticket::{Change, Ticket};

    const FOLLOWER: UserId = UserId::from_bytes([8; 16]);
    const TEAM: GroupId = GroupId::from_bytes([9; 16]);
    const CLOCK: ClockId = ClockId {
        target: TargetKind::Resolution,
        number: 1,
    };

    fn due(whom: Notified) -> Event {
        let (clock, at) = (CLOCK, NOON);
        Event::Sla(Box::new(SlaEvent::NoticeDue { clock, whom, at }))
    }

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

    /// Who is told, and of what first.
    fn told(events: &[Event], ticket: &TicketState, doer: UserId) -> Vec<(UserId, NoticeKind)> {
        let notices = notices(events, ticket, Some(doer), team);
        notices
            .iter()
            .map(|notice| (notice.user, notice.reasons[0].kind))
            .collect()
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
        let given_back = [assigned(Change::Set(None), Change::Keep)];
        let free = ticket([accepted(AGENT), to_team[0].clone(), given_back[0].clone()]);
        assert_eq!(told(&given_back, &free, AGENT), [(COLLEAGUE, NoticeKind::Group)]);
    }

    #[test]
    fn deadlines_have_notices_of_their_own_also_for_whoever_acts_when_they_are_over() {
        let events = [
            comment(Visibility::Public),
            Event::WorkResumed { comment: None },
            due(Notified::Assignee),
            due(Notified::Followers),
        ];
        let ticket = ticket([accepted(AGENT)]);
        let notices = notices(&events, &ticket, Some(AGENT), team);
        let told = |user: UserId| -> Vec<Vec<(NoticeKind, usize)>> {
            let theirs = notices.iter().filter(|notice| notice.user == user);
            let reasons = |notice: &Notice| {
                notice
                    .reasons
                    .iter()
                    .map(|reason| (reason.kind, reason.event))
                    .collect()
            };
            theirs.map(reasons).collect()
        };
        assert_eq!(told(AGENT), [[(NoticeKind::Deadline, 2)]]);
        let said = vec![(NoticeKind::Comment, 0), (NoticeKind::Progress, 1)];
        assert_eq!(told(FOLLOWER), [said, vec![(NoticeKind::Deadline, 3)]]);
        assert!(
            notices
                .iter()
                .all(|notice| notice.is_of_a_deadline() == (notice.reasons[0].event > 1))
        );
    }

    #[test]
    fn a_breach_is_told_to_whom_the_policy_says_and_when() {
        let group = assigned(Change::Keep, Change::Set(Some(TEAM)));
        let ticket = ticket([accepted(AGENT), group]);
        let whom = |whom| -> Vec<UserId> {
            let notices = notices(&[due(whom)], &ticket, None, team);
            let mut reasons = notices.iter().flat_map(|notice| &notice.reasons);
            assert!(reasons.all(|reason| reason.not_before == Some(NOON)));
            notices.iter().map(|notice| notice.user).collect()
        };
        assert_eq!(whom(Notified::Assignee), [AGENT]);
        assert_eq!(whom(Notified::Group), [AGENT, COLLEAGUE]);
        assert_eq!(whom(Notified::Followers), [CUSTOMER, FOLLOWER]);
        let breach = due(Notified::Followers);
        let may = |actor| may_be_told(&actor, NoticeKind::Deadline, &breach, &ticket);
        assert!(may(agent()) && !may(customer()));
        let breached = Event::Sla(Box::new(SlaEvent::Breached { clock: CLOCK, at: NOON }));
        assert!(!concern_somebody(&[breached]) && concern_somebody(&[breach]));
    }

    #[test]
    fn nobody_is_told_what_they_may_not_see() {
        let ticket = ticket([accepted(AGENT)]);
        let (public, internal) = (comment(Visibility::Public), comment(Visibility::Internal));
        let hears = |actor: &Actor, event: &Event| may_be_told(actor, NoticeKind::Comment, event, &ticket);
        assert!(hears(&customer(), &public) && !hears(&customer(), &internal));
        assert!(hears(&agent(), &internal));
        let stranger = Actor {
            user: UserId::from_bytes([7; 16]),
            organisation: Some(OrganisationId::from_bytes([7; 16])),
            ..customer()
        };
        assert!(!hears(&stranger, &public));
    }

    #[test]
    fn what_a_portal_hides_is_not_told() {
        let ticket = ticket([accepted(AGENT)]);
        let shown = |visible| Actor {
            portal: Some(Arc::new(Showing {
                visible: Some(BTreeSet::from([visible])),
                ..Showing::EVERYTHING
            })),
            ..customer()
        };
        let given = assigned(Change::Set(Some(AGENT)), Change::Set(Some(TEAM)));
        let rated = Event::Rated {
            score: 5,
            comment: None,
        };
        for (kind, event, property) in [
            (NoticeKind::Accepted, &given, Property::Assignee),
            (NoticeKind::Group, &given, Property::Group),
            (NoticeKind::Rating, &rated, Property::Rating),
        ] {
            assert!(may_be_told(&shown(property), kind, event, &ticket), "{kind:?}");
            assert!(
                !may_be_told(&shown(Property::Priority), kind, event, &ticket),
                "{kind:?}"
            );
        }
        let hidden = shown(Property::Priority);
        assert!(may_be_told(&hidden, NoticeKind::Accepted, &accepted(AGENT), &ticket));
    }
}
