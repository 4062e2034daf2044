//! Strategies for every value that can be stored, extreme ones among them.

use domain::Timestamp;
use domain::actor::ActorKind;
use domain::address::Held;
use domain::calendar::{CalendarSpec, Interval, TimeOfDay, Week, stored};
use domain::catalogue::{Awaits, Priority, TicketType};
use domain::contract::{Agreed, Contract, SupportPeriod};
use domain::digest::Digest;
use domain::directory::{self, EntryKind};
use domain::ids::{CommandId, GroupId, OrganisationId, Revision, TicketNumber, UserId};
use domain::policy::WaitLength;
use domain::sla::{
    Cancellation, ClockId, Counting, Edition, Marks, Notified, Pin, ReEvaluation, SlaEvent, TargetKind, Why,
};
use domain::text::{Body, Code, Label, Subject};
use domain::ticket::{
    Assigned, Change, Classified, Created, CustomFields, CustomValue, Edited, Event, Status, Visibility, Wait,
};
use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;
use wire::{Header, Record, RecordedActor};

/// Texts that a bounded text accepts: short ones of any characters, and the longest there are.
fn text(characters_max: usize) -> impl Strategy<Value = String> {
    let short = vec(any::<char>(), 1..24).prop_map(|characters| {
        let text: String = characters.into_iter().filter(|character| *character != '\0').collect();
        if text.trim().is_empty() { text + "." } else { text }
    });
    prop_oneof![
        20 => short,
        1 => Just("x".repeat(characters_max)),
        1 => Just("\u{10ffff}".repeat(characters_max)),
        1 => Just("\u{202e} \u{feff}\r\n\"'\\{}\u{1}".to_owned()),
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    text(Subject::CHARACTERS_MAX).prop_map(|text| Subject::parse(&text).unwrap())
}

fn body() -> impl Strategy<Value = Body> {
    text(Body::CHARACTERS_MAX).prop_map(|text| Body::parse(&text).unwrap())
}

pub(crate) fn label() -> impl Strategy<Value = Label> {
    text(Label::CHARACTERS_MAX).prop_map(|text| Label::parse(&text).unwrap())
}

pub(crate) fn code() -> impl Strategy<Value = Code> {
    text(40).prop_map(|text| Code::new(&text))
}

fn user() -> impl Strategy<Value = UserId> {
    any::<[u8; 16]>().prop_map(UserId::from_bytes)
}

pub(crate) fn organisation() -> impl Strategy<Value = OrganisationId> {
    any::<[u8; 16]>().prop_map(OrganisationId::from_bytes)
}

pub(crate) fn group() -> impl Strategy<Value = GroupId> {
    any::<[u8; 16]>().prop_map(GroupId::from_bytes)
}

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    any::<[u8; 16]>().prop_map(Uuid::from_bytes)
}

fn time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    prop_oneof![Just(first), Just(last), Just(-1), Just(0), first..=last]
        .prop_map(|micros| Timestamp::from_nanosecond(i128::from(micros) * 1000).unwrap())
}

fn wait() -> impl Strategy<Value = Wait> {
    (any::<u32>(), time(), label()).prop_map(|(number, due_at, policy)| Wait { number, due_at, policy })
}

fn ticket_type() -> impl Strategy<Value = TicketType> {
    let awaits = prop_oneof![Just(None), Just(Some(Awaits::Fix)), Just(Some(Awaits::Implementation))];
    (code(), awaits).prop_map(|(code, awaits)| TicketType { code, awaits })
}

fn priority() -> impl Strategy<Value = Priority> {
    (code(), any::<u8>()).prop_map(|(code, rank)| Priority { code, rank })
}

fn fields() -> impl Strategy<Value = CustomFields> {
    let value = prop_oneof![
        label().prop_map(CustomValue::Text),
        any::<i64>().prop_map(CustomValue::Number),
        any::<bool>().prop_map(CustomValue::Flag),
    ];
    btree_map(label(), value, 0..6)
}

fn change<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Change<T>> {
    option::of(value).prop_map(Change::from)
}

fn created() -> impl Strategy<Value = Event> {
    let what = (any::<u64>(), subject(), body(), ticket_type(), priority());
    let labels = (
        option::of(label()),
        option::of(label()),
        option::of(label()),
        option::of(label()),
        option::of(label()),
        option::of(label()),
    );
    (what, labels, fields(), user(), option::of(organisation())).prop_map(
        |(what, labels, custom_fields, requester, organisation)| {
            let (number, subject, description, ticket_type, priority) = what;
            let (category, system, environment, service, product, platform_version) = labels;
            Event::Created(Box::new(Created {
                number: TicketNumber(number),
                subject,
                description,
                ticket_type,
                priority,
                category,
                system,
                environment,
                service,
                product,
                platform_version,
                custom_fields,
                requester,
                organisation,
            }))
        },
    )
}

fn corrected() -> impl Strategy<Value = Event> {
    let labels = || change(option::of(label()));
    prop_oneof![
        (
            change(ticket_type()),
            change(priority()),
            labels(),
            labels(),
            labels(),
            labels(),
            labels()
        )
            .prop_map(
                |(ticket_type, priority, category, system, environment, service, product)| {
                    Event::Classified(Box::new(Classified {
                        ticket_type,
                        priority,
                        category,
                        system,
                        environment,
                        service,
                        product,
                    }))
                }
            ),
        (change(option::of(user())), change(option::of(group())))
            .prop_map(|(assignee, group)| Event::Assigned(Assigned { assignee, group })),
        (change(subject()), change(body()), change(fields()), labels()).prop_map(
            |(subject, description, custom_fields, platform_version)| {
                Event::Edited(Box::new(Edited {
                    subject,
                    description,
                    custom_fields,
                    platform_version,
                }))
            }
        ),
    ]
}

fn said() -> impl Strategy<Value = Event> {
    let visibility = prop_oneof![Just(Visibility::Public), Just(Visibility::Internal)];
    prop_oneof![
        body().prop_map(|comment| Event::InformationProvided { comment }),
        body().prop_map(|comment| Event::ClosureDeclined { comment }),
        body().prop_map(|comment| Event::Reopened { comment }),
        option::of(body()).prop_map(|comment| Event::WorkResumed { comment }),
        (option::of(body()), option::of(body())).prop_map(|(comment, reason)| Event::Closed { comment, reason }),
        (any::<u8>(), option::of(body())).prop_map(|(score, comment)| Event::Rated { score, comment }),
        (body(), visibility).prop_map(|(body, visibility)| Event::Commented { body, visibility }),
    ]
}

fn waited() -> impl Strategy<Value = Event> {
    prop_oneof![
        (body(), option::of(wait())).prop_map(|(comment, wait)| Event::InformationRequested { comment, wait }),
        (body(), option::of(wait())).prop_map(|(solution, wait)| Event::ClosureProposed { solution, wait }),
        (option::of(body()), option::of(label()))
            .prop_map(|(comment, reference)| Event::FixAwaited { comment, reference }),
        (option::of(body()), option::of(label()))
            .prop_map(|(comment, reference)| Event::ImplementationAwaited { comment, reference }),
        option::of(wait()).prop_map(|wait| Event::InformationWaitExpired { wait }),
        Just(Event::ClosureWaitExpired),
    ]
}

fn named() -> impl Strategy<Value = Event> {
    prop_oneof![
        user().prop_map(|assignee| Event::Accepted { assignee }),
        user().prop_map(|user| Event::Followed { user }),
        user().prop_map(|user| Event::Unfollowed { user }),
    ]
}

fn clock_id() -> impl Strategy<Value = ClockId> {
    (select(&TargetKind::ALL[..]), any::<u32>()).prop_map(|(target, number)| ClockId { target, number })
}

fn pin() -> impl Strategy<Value = Pin> {
    let edition = || (code(), any::<u32>()).prop_map(|(id, version)| Edition { id, version });
    (edition(), edition()).prop_map(|(policy, calendar)| Pin { policy, calendar })
}

fn length() -> impl Strategy<Value = WaitLength> {
    (any::<i64>(), any::<bool>()).prop_map(|(micros, working)| {
        let duration = SignedDuration::from_micros(micros);
        if working {
            WaitLength::Working(duration)
        } else {
            WaitLength::Elapsed(duration)
        }
    })
}

fn marks() -> impl Strategy<Value = Marks> {
    (option::of(time()), option::of(time())).prop_map(|(warn_at, due_at)| Marks { warn_at, due_at })
}

fn re_evaluation() -> impl Strategy<Value = SlaEvent> {
    let why = select(&[Why::TicketChanged, Why::Asked][..]);
    let counting = select(&[Counting::Kept, Counting::Afresh][..]);
    (clock_id(), why, counting, (pin(), pin()), length(), (marks(), marks())).prop_map(
        |(clock, why, counting, (from, to), within, (before, marks))| {
            SlaEvent::ReEvaluated(Box::new(ReEvaluation {
                clock,
                why,
                counting,
                from,
                to,
                within,
                before,
                marks,
            }))
        },
    )
}

fn clock() -> impl Strategy<Value = Event> {
    let why = select(&[Cancellation::Resolved, Cancellation::Withdrawn][..]);
    let event = prop_oneof![
        (clock_id(), pin(), length(), marks()).prop_map(|(clock, pin, within, marks)| SlaEvent::Started {
            clock,
            pin,
            within,
            marks
        }),
        (clock_id(), select(&Status::ALL[..])).prop_map(|(clock, status)| SlaEvent::Paused { clock, status }),
        (clock_id(), marks()).prop_map(|(clock, marks)| SlaEvent::Resumed { clock, marks }),
        clock_id().prop_map(|clock| SlaEvent::Fulfilled { clock }),
        (clock_id(), why).prop_map(|(clock, why)| SlaEvent::Cancelled { clock, why }),
        (clock_id(), time()).prop_map(|(clock, at)| SlaEvent::Warned { clock, at }),
        (clock_id(), time()).prop_map(|(clock, at)| SlaEvent::Breached { clock, at }),
        re_evaluation().boxed(),
        (clock_id(), select(&Notified::ALL[..]), time()).prop_map(|(clock, whom, at)| SlaEvent::NoticeDue {
            clock,
            whom,
            at
        }),
    ];
    event.prop_map(|event| Event::Sla(Box::new(event)))
}

/// Any event of a ticket. Boxed: all of them on one stack would be too much for it.
pub(crate) fn ticket_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => created().boxed(),
        3 => corrected().boxed(),
        4 => said().boxed(),
        4 => waited().boxed(),
        1 => named().boxed(),
        4 => clock().boxed(),
    ]
}

/// Any event of the directory.
pub(crate) fn directory_event() -> impl Strategy<Value = directory::Event> {
    let kind = select(EntryKind::ALL.to_vec());
    let named = (kind, label()).prop_map(|(kind, name)| directory::Event::Named { kind, name });
    prop_oneof![
        named,
        calendar(),
        crate::arbitrary_policy::policy(),
        contract(),
        digest(),
        option::of(user()).prop_map(|by| directory::Event::Address(Held { by })),
    ]
}

fn digest() -> impl Strategy<Value = directory::Event> {
    (option::of(time()), time()).prop_map(|(from, until)| directory::Event::Digest(Digest { from, until }))
}

fn contract() -> impl Strategy<Value = directory::Event> {
    let workflow = prop_oneof![Just("supportal"), Just("cabinet"), Just("simple")];
    (option::of(workflow), option::of(time()), option::of(time())).prop_map(|(workflow, from, until)| {
        let support = SupportPeriod { from, until };
        directory::Event::Agreed(Box::new(match workflow {
            Some(workflow) => Agreed::WithOrganisation(Contract { workflow, support }),
            None => Agreed::WithUser(support),
        }))
    })
}

/// Any version of a calendar, also one that no rule would let pass: bytes know no rules.
fn calendar() -> impl Strategy<Value = directory::Event> {
    let date = || (1_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| Date::constant(year, month, day));
    let time = || (0_u32..=86_400).prop_map(|seconds| TimeOfDay::from_seconds(seconds).unwrap());
    let hours = move || vec((time(), time()).prop_map(|(start, end)| Interval { start, end }), 0..4);
    let dates = move || btree_map(date(), hours(), 0..4);
    let change = prop_oneof![
        Just(stored::Change::Created),
        Just(stored::Change::Changed),
        any::<u32>().prop_map(|added| stored::Change::HolidaysAdded { added }),
    ];
    let holidays = btree_set(date(), 0..4);
    let texts = (text(100), text(40));
    (
        change,
        texts,
        vec(hours(), 7),
        holidays,
        (dates(), dates()),
        option::of(date()),
    )
        .prop_map(
            |(change, (name, time_zone), week, holidays, (overrides, closures), effective_from)| {
                let week = (0_i8..).zip(week).fold(Week::default(), |week, (offset, hours)| {
                    week.with(Weekday::from_monday_zero_offset(offset).unwrap(), hours)
                });
                let spec = CalendarSpec {
                    name,
                    time_zone,
                    week,
                    holidays,
                    overrides,
                    closures,
                };
                let version = stored::Version { spec, effective_from };
                directory::Event::Calendar(Box::new(stored::Revised { change, version }))
            },
        )
}

fn header() -> impl Strategy<Value = Header> {
    let kind = prop_oneof![
        Just(ActorKind::Staff),
        Just(ActorKind::Customer),
        Just(ActorKind::System)
    ];
    let actor = (user(), kind, option::of(organisation())).prop_map(|(user, kind, organisation)| RecordedActor {
        user,
        kind,
        organisation,
    });
    let ids = (uuid(), uuid(), any::<[u8; 16]>(), any::<[u8; 32]>());
    let chain = (any::<u64>(), any::<u64>(), any::<[u8; 32]>());
    let context = (option::of(uuid()), option::of(uuid()), option::of(text(64)));
    (ids, actor, option::of(user()), (time(), time()), chain, context).prop_map(
        |(ids, actor, via, (occurred_at, recorded_at), chain, (causation, correlation, traceparent))| Header {
            record_id: ids.0,
            aggregate_id: ids.1,
            command_id: CommandId::from_bytes(ids.2),
            digest: ids.3,
            actor,
            via,
            occurred_at,
            recorded_at,
            revision: Revision(chain.0),
            previous_sequence: chain.1,
            previous_hash: chain.2,
            causation,
            correlation,
            traceparent,
        },
    )
}

/// Any record of these events.
pub(crate) fn record<E: std::fmt::Debug>(event: impl Strategy<Value = E>) -> impl Strategy<Value = Record<E>> {
    (header(), vec(event, 1..3)).prop_map(|(header, events)| Record { header, events })
}
