//! A ticket's whole life, planned: which command comes when, and who gives it.
//!
//! The planner knows the domain's rules as well as a person at the desk does: it gives only commands that the ticket's
//! status allows, and a test holds every life against the rules themselves.

use std::sync::Arc;

use domain::Timestamp;
use domain::actor::Actor;
use domain::catalogue::Awaits;
use domain::ids::{GroupId, UserId};
use domain::policy::WaitKind;
use domain::ticket::{
    Accept, AddComment, Assign, Await, Change, Classify, Close, Command, Created, Edit, ProposeClosure, ProvideInfo,
    Rate, Reopen, RequestInfo, Resume, Status, Visibility,
};

use super::dice::{Dice, Purpose};
use super::figures;
use super::hours::later;
use super::people::Requester;
use super::text::Writer;
use super::ticket::{category, created, custom_fields, neighbour};
use super::world::World;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Questions, waits and changes of mind in one life. The longest real ones have a few dozen updates.
const ROUNDS_MAX: u32 = 8;
/// How late the scheduler ends a wait: it looks every second.
const LATENESS_MAX: u64 = 1_000;

/// One command of a life.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) what: What,
}

/// What happens in a step.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Somebody gives a command.
    Command(Arc<Actor>, Command),
    /// The desk ends a wait by itself: which one, and which of the ticket's.
    Expiry(WaitKind, u32),
}

/// The life of one ticket, as far as it has come by the end of the history.
pub(super) fn life(world: &World, index: u64, opened_at: Timestamp) -> Vec<Step> {
    let mut dice = world.dice(Purpose::Life, index);
    let requester = world.people.requester(&mut dice).clone();
    let mut writer = Writer::new(requester.language, world.dice(Purpose::Words, index));
    let opening = created(world, &requester, &mut dice, &mut writer);
    let agent = world.people.agent(&mut dice);
    let mut life = Life {
        world,
        reassignments: dice.weighted(&figures::REASSIGNMENTS),
        dice,
        writer,
        requester,
        agent,
        ticket: opening,
        assignee: None,
        group: None,
        now: opened_at,
        status: Status::New,
        waits: 0,
        rounds: 0,
        steps: Vec::new(),
        over: false,
    };
    life.open();
    while !life.over {
        life.go_on();
    }
    life.steps
}

struct Life<'w> {
    world: &'w World,
    dice: Dice,
    writer: Writer,
    requester: Requester,
    /// Who works on it.
    agent: Arc<Actor>,
    /// The fields as they are now.
    ticket: Created,
    assignee: Option<UserId>,
    group: Option<GroupId>,
    now: Timestamp,
    status: Status,
    waits: u32,
    rounds: u32,
    reassignments: usize,
    steps: Vec<Step>,
    /// Whether the history ends here, or nothing more happens.
    over: bool,
}

impl Life<'_> {
    fn open(&mut self) {
        let (actor, opening) = (Arc::clone(&self.requester.actor), self.ticket.clone());
        self.add(self.now, What::Command(actor, Command::Create(Box::new(opening), None)));
        if self.dice.chance(700) {
            let minutes = self.dice.below(20);
            self.after(minutes * MINUTE);
            self.give_to_group();
        }
    }

    fn go_on(&mut self) {
        match self.status {
            Status::New | Status::Reopened => self.take_up(),
            Status::InProgress => self.work(),
            Status::WaitingForInfo => self.wait_for_answer(),
            Status::WaitingForFix | Status::WaitingForImplementation => self.wait_for_others(),
            Status::WaitingForClosure => self.wait_for_closure(),
            Status::Closed => self.end(),
        }
    }

    fn take_up(&mut self) {
        self.after_minutes(&figures::MINUTES_UNTIL_TAKEN);
        if self.dice.chance(20) {
            let reason = Some(self.writer.comment(self.writer.words().reasons));
            let lead = self.world.people.lead();
            return self.close(lead, Close { comment: None, reason });
        }
        let accept = Accept { assignee: None };
        self.assignee = Some(self.agent.user);
        self.staff(Command::Accept(accept), Status::InProgress);
    }

    /// Work with what comes up on the way, and what it comes to.
    fn work(&mut self) {
        let minutes = self.dice.quantile(&figures::MINUTES_OF_WORK);
        let turns = if self.rounds == 0 { self.reassignments } else { 0 };
        let asides = turns + self.dice.weighted(&[70, 22, 6, 2]);
        self.rounds += 1;
        let pauses = u64::try_from(asides + 1).unwrap_or(1);
        let pause = minutes * MINUTE / pauses;
        for aside in 0..asides {
            self.after(pause);
            if aside < turns {
                self.reassign();
            } else {
                self.aside();
            }
        }
        self.after(pause);
        let outcomes = if self.ticket.ticket_type.awaits == Some(Awaits::Implementation) {
            &figures::WORK_ON_FEATURES_COMES_TO
        } else {
            &figures::WORK_COMES_TO
        };
        let outcome = self.dice.weighted(outcomes);
        match (outcome, self.ticket.ticket_type.awaits) {
            _ if self.rounds > ROUNDS_MAX => self.propose(),
            (1, _) => {
                let comment = self.writer.comment(self.writer.words().questions);
                self.begin_wait(WaitKind::Information);
                self.staff(Command::RequestInfo(RequestInfo { comment }), Status::WaitingForInfo);
            }
            (2, Some(awaits)) => self.await_others(awaits),
            _ => self.propose(),
        }
    }

    fn propose(&mut self) {
        let solution = self.writer.comment(self.writer.words().solutions);
        self.begin_wait(WaitKind::Closure);
        self.staff(
            Command::ProposeClosure(ProposeClosure { solution }),
            Status::WaitingForClosure,
        );
    }

    fn await_others(&mut self, awaits: Awaits) {
        let what = Await {
            comment: self.writer.perhaps(self.writer.words().delays, 700),
            reference: self.dice.chance(800).then(|| self.writer.reference()),
        };
        match awaits {
            Awaits::Fix => self.staff(Command::AwaitFix(what), Status::WaitingForFix),
            Awaits::Implementation => self.staff(Command::AwaitImplementation(what), Status::WaitingForImplementation),
        }
    }

    fn wait_for_answer(&mut self) {
        let asked = self.now;
        self.after_minutes(&figures::MINUTES_UNTIL_ANSWERED);
        if self.expires(WaitKind::Information, asked) {
            return;
        }
        let comment = self.writer.comment(self.writer.words().answers);
        if self.world.plan.policy.reply_resumes && self.dice.chance(150) {
            // A plain comment does as well.
            self.status = Status::InProgress;
            return self.say(Arc::clone(&self.requester.actor), comment, Visibility::Public);
        }
        self.customer(Command::ProvideInfo(ProvideInfo { comment }), Status::InProgress);
    }

    fn wait_for_others(&mut self) {
        self.after_minutes(&figures::MINUTES_UNTIL_FIXED);
        if self.dice.chance(600) {
            return self.propose();
        }
        let comment = self.writer.perhaps(self.writer.words().remarks, 400);
        self.staff(Command::Resume(Resume { comment }), Status::InProgress);
    }

    fn wait_for_closure(&mut self) {
        let proposed = self.now;
        let drawn = self.dice.below(1_000);
        let declines = drawn < figures::DECLINED_PER_THOUSAND;
        let reacts = declines || drawn < figures::DECLINED_PER_THOUSAND + figures::CONFIRMED_PER_THOUSAND;
        let pause = self.dice.low(if reacts { 3 * DAY } else { 60 * DAY });
        self.after(if reacts { pause } else { pause + 30 * DAY });
        if self.expires(WaitKind::Closure, proposed) {
            return;
        }
        if declines {
            let comment = self.writer.comment(self.writer.words().objections);
            return self.customer(Command::Reopen(Reopen { comment }), Status::InProgress);
        }
        let comment = self.writer.perhaps(self.writer.words().farewells, 300);
        self.close(Arc::clone(&self.requester.actor), Close { comment, reason: None });
    }

    /// What the requester does about a closed ticket, if anything.
    fn end(&mut self) {
        if self.dice.chance(figures::RATED_PER_THOUSAND) {
            let pause = self.dice.low(3 * DAY);
            self.after(pause);
            let score = u8::try_from(self.dice.weighted(&figures::RATINGS) + 1).unwrap_or(5);
            let comment = self.writer.perhaps(self.writer.words().farewells, 350);
            self.customer(Command::Rate(Rate { score, comment }), Status::Closed);
        }
        if self.rounds <= ROUNDS_MAX && self.dice.chance(figures::REOPENED_PER_THOUSAND) {
            let pause = self.dice.below(10 * DAY);
            self.after(pause);
            let comment = self.writer.comment(self.writer.words().objections);
            self.customer(Command::Reopen(Reopen { comment }), Status::Reopened);
        } else {
            self.over = true;
        }
    }

    /// Counts a wait, if the policy has such waits.
    fn begin_wait(&mut self, kind: WaitKind) {
        if self.world.plan.policy.due(kind, self.now).is_some() {
            self.waits += 1;
        }
    }

    /// Lets the wait that began at `began` end by itself, if nobody acts before it is due. The time is then as if
    /// nobody had been about to act.
    fn expires(&mut self, kind: WaitKind, began: Timestamp) -> bool {
        let Some(due) = self.world.plan.policy.due(kind, began).filter(|due| *due <= self.now) else {
            return false;
        };
        self.now = due;
        let until = self.world.plan.until;
        let noticed = later(due, self.dice.below(LATENESS_MAX)).min(until.max(due));
        let number = self.waits;
        if kind == WaitKind::Information {
            self.status = Status::WaitingForClosure;
            self.begin_wait(WaitKind::Closure);
        } else {
            self.status = Status::Closed;
            self.now = noticed;
        }
        self.add(noticed, What::Expiry(kind, number));
        true
    }

    fn close(&mut self, actor: Arc<Actor>, close: Close) {
        self.status = Status::Closed;
        self.add(self.now, What::Command(actor, Command::Close(close)));
    }

    /// Something beside the way from the opening to the end.
    fn aside(&mut self) {
        match self.dice.weighted(&[26, 20, 22, 12, 8, 12]) {
            0 => {
                let body = self.writer.comment(self.writer.words().notes);
                self.say(Arc::clone(&self.agent), body, Visibility::Internal);
            }
            1 => {
                let body = self.writer.comment(self.writer.words().remarks);
                self.say(Arc::clone(&self.agent), body, Visibility::Public);
            }
            2 => {
                let body = self.writer.comment(self.writer.words().reminders);
                self.say(Arc::clone(&self.requester.actor), body, Visibility::Public);
            }
            3 => self.classify(),
            4 => self.edit(),
            _ => self.follow(),
        }
    }

    fn classify(&mut self) {
        let mut changes = Classify::default();
        if self.dice.chance(500) {
            let code = neighbour(self.ticket.priority.code.as_str(), &mut self.dice);
            changes.priority = Change::Set(self.world.priority(code));
        }
        let category = Some(category(&mut self.dice));
        if changes.priority == Change::Keep || self.dice.chance(300) {
            changes.category = Change::Set(category);
        }
        let before = (self.ticket.priority.clone(), self.ticket.category.clone());
        changes.priority.apply_to(&mut self.ticket.priority);
        changes.category.apply_to(&mut self.ticket.category);
        if before != (self.ticket.priority.clone(), self.ticket.category.clone()) {
            self.staff(Command::Classify(Box::new(changes)), self.status);
        }
    }

    fn edit(&mut self) {
        let mut edit = Edit::default();
        let fields = custom_fields(&mut self.dice);
        if fields.is_empty() || fields == self.ticket.custom_fields {
            let description = self.writer.description();
            if description == self.ticket.description {
                return;
            }
            self.ticket.description = description.clone();
            edit.description = Change::Set(description);
        } else {
            self.ticket.custom_fields = fields.clone();
            edit.custom_fields = Change::Set(fields);
        }
        self.customer(Command::Edit(Box::new(edit)), self.status);
    }

    /// Once in a life is enough: a follower cannot follow again.
    fn follow(&mut self) {
        let follows = |step: &Step| matches!(&step.what, What::Command(_, Command::Follow(_)));
        if self.steps.iter().any(follows) {
            return;
        }
        let colleague = self.world.people.requester(&mut self.dice).actor.user;
        if colleague != self.requester.actor.user {
            self.staff(Command::Follow(Some(colleague)), self.status);
        }
    }

    fn give_to_group(&mut self) {
        let group = Some(self.world.people.group(&mut self.dice));
        if group != self.group {
            self.group = group;
            let assign = Assign {
                assignee: Change::Keep,
                group: Change::Set(group),
            };
            self.staff(Command::Assign(assign), self.status);
        }
    }

    /// Gives it to another group, another person or both. Whoever has it now works on it.
    fn reassign(&mut self) {
        let (mut assign, by) = (Assign::default(), Arc::clone(&self.agent));
        let colleague = self.world.people.agent(&mut self.dice);
        if self.dice.chance(700) && Some(colleague.user) != self.assignee {
            self.assignee = Some(colleague.user);
            assign.assignee = Change::Set(self.assignee);
            self.agent = colleague;
        }
        let group = Some(self.world.people.group(&mut self.dice));
        if (assign.assignee == Change::Keep || self.dice.chance(500)) && group != self.group {
            self.group = group;
            assign.group = Change::Set(group);
        }
        if assign != Assign::default() {
            self.add(self.now, What::Command(by, Command::Assign(assign)));
        }
    }

    fn say(&mut self, who: Arc<Actor>, body: domain::text::Body, visibility: Visibility) {
        self.add(
            self.now,
            What::Command(who, Command::Comment(AddComment { body, visibility })),
        );
    }

    fn staff(&mut self, command: Command, status: Status) {
        self.status = status;
        self.add(self.now, What::Command(Arc::clone(&self.agent), command));
    }

    fn customer(&mut self, command: Command, status: Status) {
        self.status = status;
        self.add(self.now, What::Command(Arc::clone(&self.requester.actor), command));
    }

    /// Lets time pass, and then some until somebody is there.
    fn after(&mut self, milliseconds: u64) {
        let moment = self.dice.below(MINUTE);
        let at = later(self.now, milliseconds + moment);
        self.now = self.world.hours.attended(at, &mut self.dice);
    }

    fn after_minutes(&mut self, table: &[u64]) {
        let minutes = self.dice.quantile(table);
        self.after(minutes * MINUTE);
    }

    /// Notes a step, unless the history ends before it.
    fn add(&mut self, at: Timestamp, what: What) {
        self.over = self.over || at > self.world.plan.until;
        if !self.over {
            self.steps.push(Step { at, what });
        }
    }
}
