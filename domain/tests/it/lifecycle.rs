//! Stories of tickets over days: what the desk does by itself, and when.

use domain::Timestamp;
use domain::actor::Actor;
use domain::policy::{WaitLength, WaitPolicy};
use domain::testing::{agent, body, create, customer};
use domain::ticket::{
    Accept, AddComment, Close, Command, Context, ProposeClosure, ProvideInfo, Rate, Rejection, Reopen, RequestInfo,
    Status, Ticket, Visibility, Wait, decide,
};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;

/// A ticket, told step by step. Times are those of the wall clock in Moscow.
struct Story {
    ticket: Ticket,
    policy: WaitPolicy,
    now: Timestamp,
}

/// What the step did: the events' names, and when they happened.
type Told = Result<(Vec<&'static str>, Timestamp), Rejection>;

/// Wall clock time in Moscow.
fn moscow(local: &str) -> Timestamp {
    let zone = TimeZoneDatabase::bundled().get("Europe/Moscow").unwrap();
    zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
}

/// A ticket that an agent has in work since Friday 2026-10-23 at noon.
fn in_work(policy: WaitPolicy) -> Story {
    let mut story = Story {
        ticket: Ticket::Absent,
        policy,
        now: moscow("2026-10-23T11:00"),
    };
    story.expect(&customer(), &create(), &["created"]);
    story
        .at("2026-10-23T12:00")
        .expect(&agent(), &Command::Accept(Accept { assignee: None }), &["accepted"]);
    story
}

impl Story {
    /// Lets time pass.
    fn at(&mut self, local: &str) -> &mut Self {
        self.now = moscow(local);
        self
    }

    fn tell(&mut self, actor: &Actor, command: &Command, occurred_at: Option<&str>, honour_deadlines: bool) -> Told {
        let ctx = Context {
            actor,
            now: self.now,
            occurred_at: occurred_at.map(moscow),
            honour_deadlines,
            policy: &self.policy,
        };
        let decision = decide(&self.ticket, command, &ctx)?;
        for event in &decision.events {
            self.ticket = std::mem::take(&mut self.ticket).evolve(event, decision.occurred_at);
        }
        Ok((
            decision.events.iter().map(domain::ticket::Event::name).collect(),
            decision.occurred_at,
        ))
    }

    /// Gives a command, which makes events of these names.
    #[track_caller]
    fn expect(&mut self, actor: &Actor, command: &Command, events: &[&str]) -> &mut Self {
        let (names, _) = self.tell(actor, command, None, false).unwrap();
        assert_eq!(names, events, "{:?} at {}", command.name(), self.now);
        self
    }

    /// Lets the scheduler end the running wait; the events happened at this time.
    #[track_caller]
    fn expire(&mut self, events: &[&str], occurred_at: &str) -> &mut Self {
        let command = self.expiry();
        let (names, at) = self.tell(&Actor::system(), &command, None, false).unwrap();
        assert_eq!((names.as_slice(), at), (events, moscow(occurred_at)));
        self
    }

    /// Lets the scheduler try; nothing happens.
    #[track_caller]
    fn expire_in_vain(&mut self, command: &Command) -> &mut Self {
        self.expect(&Actor::system(), command, &[])
    }

    /// The command that ends the running wait.
    #[track_caller]
    fn expiry(&self) -> Command {
        let number = self.wait().expect("a wait runs").number;
        match self.status() {
            Status::WaitingForInfo => Command::ExpireInformationWait(number),
            _ => Command::ExpireClosureWait(number),
        }
    }

    fn status(&self) -> Status {
        self.ticket.state().unwrap().status
    }

    fn wait(&self) -> Option<&Wait> {
        self.ticket.state().unwrap().wait.as_ref()
    }

    #[track_caller]
    fn waits_until(&mut self, local: &str) -> &mut Self {
        assert_eq!(self.wait().map(|wait| wait.due_at), Some(moscow(local)));
        self
    }

    #[track_caller]
    fn stands(&mut self, status: Status) -> &mut Self {
        assert_eq!(self.status(), status);
        self
    }

    #[track_caller]
    fn waits_for_nothing(&mut self) -> &mut Self {
        assert_eq!(self.wait(), None);
        self
    }
}

fn question() -> Command {
    Command::RequestInfo(RequestInfo {
        comment: body("Which version?"),
    })
}

fn proposal() -> Command {
    Command::ProposeClosure(ProposeClosure {
        solution: body("Press F5."),
    })
}

fn says(visibility: Visibility) -> Command {
    Command::Comment(AddComment {
        body: body("Thank you!"),
        visibility,
    })
}

#[test]
fn a_whole_life_with_every_wait_and_every_word() {
    in_work(WaitPolicy::supportal())
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"])
        .stands(Status::WaitingForInfo)
        .waits_until("2026-10-30T17:00")
        .at("2026-10-30T17:00")
        .expire(&["information_wait_expired"], "2026-10-30T17:00")
        .stands(Status::WaitingForClosure)
        .waits_until("2026-11-06T17:00")
        .at("2026-11-06T17:00")
        .expire(&["closure_wait_expired"], "2026-11-06T17:00")
        .stands(Status::Closed)
        .waits_for_nothing()
        .at("2026-11-09T10:00")
        .expect(
            &customer(),
            &Command::Reopen(Reopen {
                comment: body("Not solved."),
            }),
            &["reopened"],
        )
        .stands(Status::Reopened)
        .expect(&agent(), &Command::Accept(Accept { assignee: None }), &["accepted"])
        .expect(&agent(), &proposal(), &["closure_proposed"])
        .waits_until("2026-11-16T10:00")
        .at("2026-11-09T12:00")
        .expect(
            &customer(),
            &Command::Close(Close {
                comment: None,
                reason: None,
            }),
            &["closed"],
        )
        .stands(Status::Closed)
        .waits_for_nothing()
        .expect(
            &customer(),
            &Command::Rate(Rate {
                score: 5,
                comment: None,
            }),
            &["rated"],
        )
        .stands(Status::Closed);
}

#[test]
fn g12_a_question_on_friday_evening_waits_until_the_next_friday_evening() {
    let mut story = in_work(WaitPolicy::supportal());
    story
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"]);
    story.waits_until("2026-10-30T17:00");
    let expiry = story.expiry();
    story
        .at("2026-10-30T16:59:59.999999")
        .expire_in_vain(&expiry)
        .stands(Status::WaitingForInfo);
    story
        .at("2026-10-30T17:00")
        .expire(&["information_wait_expired"], "2026-10-30T17:00");
}

#[test]
fn g13_without_a_word_of_the_customer_the_ticket_is_closed_after_a_day() {
    in_work(WaitPolicy::cabinet())
        .at("2026-10-24T12:00")
        .expect(&agent(), &proposal(), &["closure_proposed"])
        .waits_until("2026-10-25T12:00")
        .at("2026-10-25T12:00")
        .expire(&["closure_wait_expired"], "2026-10-25T12:00")
        .stands(Status::Closed);
}

#[test]
fn g13_a_word_of_the_customer_within_the_day_cancels_it() {
    let mut story = in_work(WaitPolicy::cabinet());
    story
        .at("2026-10-24T12:00")
        .expect(&agent(), &proposal(), &["closure_proposed"]);
    let expiry = story.expiry();
    story
        .at("2026-10-25T11:59")
        .expect(&customer(), &says(Visibility::Public), &["commented", "work_resumed"])
        .stands(Status::InProgress)
        .waits_for_nothing()
        .at("2026-10-25T12:00")
        .expire_in_vain(&expiry)
        .stands(Status::InProgress);
}

#[test]
fn in_the_cabinet_a_question_waits_for_ever() {
    in_work(WaitPolicy::cabinet())
        .expect(&agent(), &question(), &["information_requested"])
        .waits_for_nothing()
        .at("2036-10-23T17:00")
        .expire_in_vain(&Command::ExpireInformationWait(1))
        .stands(Status::WaitingForInfo);
}

#[test]
fn g19_a_scheduler_that_was_down_records_each_expiry_once_and_when_it_was_due() {
    let mut story = in_work(WaitPolicy::supportal());
    story
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"]);
    let expiry = story.expiry();
    story
        .at("2026-10-30T18:00")
        .expire(&["information_wait_expired"], "2026-10-30T17:00")
        // Its lateness does not lengthen what follows.
        .waits_until("2026-11-06T17:00")
        .expire_in_vain(&expiry)
        .stands(Status::WaitingForClosure);
}

#[test]
fn the_expiry_of_an_earlier_wait_does_not_end_a_later_one() {
    let mut story = in_work(WaitPolicy::supportal());
    story.expect(&agent(), &question(), &["information_requested"]);
    let earlier = story.expiry();
    story
        .at("2026-10-26T10:00")
        .expect(
            &customer(),
            &Command::ProvideInfo(ProvideInfo { comment: body("7.1") }),
            &["information_provided"],
        )
        .waits_for_nothing()
        .expect(&agent(), &question(), &["information_requested"])
        .waits_until("2026-11-02T10:00")
        .at("2026-11-02T10:00")
        .expire_in_vain(&earlier)
        .stands(Status::WaitingForInfo)
        .expire(&["information_wait_expired"], "2026-11-02T10:00");
}

#[test]
fn comments_among_staff_and_answers_of_staff_leave_the_wait_running() {
    in_work(WaitPolicy::supportal())
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"])
        .at("2026-10-26T10:00")
        .expect(&agent(), &says(Visibility::Internal), &["commented"])
        .expect(&agent(), &says(Visibility::Public), &["commented"])
        .stands(Status::WaitingForInfo)
        .waits_until("2026-10-30T17:00");
}

#[test]
fn where_replies_do_not_resume_the_wait_goes_on() {
    let policy = WaitPolicy {
        reply_resumes: false,
        ..WaitPolicy::supportal()
    };
    in_work(policy)
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"])
        .expect(&customer(), &says(Visibility::Public), &["commented"])
        .stands(Status::WaitingForInfo)
        .waits_until("2026-10-30T17:00");
}

#[test]
fn a_declined_proposal_ends_its_wait() {
    in_work(WaitPolicy::supportal())
        .expect(&agent(), &proposal(), &["closure_proposed"])
        .expect(
            &customer(),
            &Command::Reopen(Reopen { comment: body("No.") }),
            &["closure_declined"],
        )
        .stands(Status::InProgress)
        .waits_for_nothing();
}

#[test]
fn a_wait_keeps_its_due_time_when_the_policy_changes() {
    let mut story = in_work(WaitPolicy::supportal());
    story
        .at("2026-10-23T17:00")
        .expect(&agent(), &question(), &["information_requested"]);
    let hour = Some(WaitLength::Elapsed(SignedDuration::from_hours(1)));
    story.policy = WaitPolicy::try_new("hasty/1", hour, hour, domain::calendar::Calendar::round_the_clock()).unwrap();
    let expiry = story.expiry();
    story
        .at("2026-10-23T19:00")
        .expire_in_vain(&expiry)
        .waits_until("2026-10-30T17:00");
    assert_eq!(story.wait().unwrap().policy.as_str(), "supportal/1");
    // What begins from now on follows the new one.
    story
        .at("2026-10-30T17:00")
        .expire(&["information_wait_expired"], "2026-10-30T17:00");
    story.waits_until("2026-10-30T18:00");
    assert_eq!(story.wait().unwrap().policy.as_str(), "hasty/1");
}

#[test]
fn an_imported_wait_is_due_counting_from_the_import() {
    let mut story = in_work(WaitPolicy::supportal());
    story.at("2027-01-18T17:00");
    let (_, occurred_at) = story
        .tell(&agent(), &question(), Some("2026-10-23T17:00"), false)
        .unwrap();
    assert_eq!(occurred_at, moscow("2026-10-23T17:00"));
    story.waits_until("2027-01-25T17:00");
}

#[test]
fn an_import_that_honours_deadlines_is_due_counting_from_the_past() {
    let mut story = in_work(WaitPolicy::supportal());
    story.at("2027-01-18T17:00");
    story
        .tell(&agent(), &question(), Some("2026-10-23T17:00"), true)
        .unwrap();
    story
        .waits_until("2026-10-30T17:00")
        .expire(&["information_wait_expired"], "2026-10-30T17:00");
}

#[test]
fn nothing_happens_in_the_future_or_before_what_happened_last() {
    let mut story = in_work(WaitPolicy::supportal());
    let (earliest, latest) = (moscow("2026-10-23T12:00"), moscow("2026-10-26T10:00"));
    story.at("2026-10-26T10:00");
    for said in ["2026-10-23T11:59:59.999999", "2026-10-26T10:00:00.000001"] {
        let told = story.tell(&agent(), &question(), Some(said), false);
        assert_eq!(told, Err(Rejection::OutOfOrder { earliest, latest }), "{said}");
    }
}
