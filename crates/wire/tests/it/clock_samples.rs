//! What happens to clocks, whose bytes the golden files hold. Golden bytes never change, so neither do these.

use domain::Timestamp;
use domain::policy::WaitLength;
use domain::sla::{
    Cancellation, ClockId, Counting, Edition, Marks, Notified, Pin, ReEvaluation, SlaEvent, TargetKind, Why,
};
use domain::ticket::{Event, Status};
use jiff::SignedDuration;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

fn clock(target: TargetKind) -> ClockId {
    ClockId { target, number: 300 }
}

fn pin(version: u32) -> Pin {
    Pin {
        policy: Edition::new("gold", version),
        calendar: Edition::new("01980000-0000-7000-8000-000000000001", 300),
    }
}

fn marks() -> Marks {
    Marks {
        warn_at: Some(at(1_772_442_000_000_001)),
        due_at: Some(at(1_772_442_000_000_002)),
    }
}

/// For every kind: with everything set, with nothing that need not be, and with every value of each choice.
pub(crate) fn clock_events() -> Vec<Event> {
    let [first, next, solved] = TargetKind::ALL.map(clock);
    let hours = SignedDuration::from_hours(40);
    let mut events = vec![
        SlaEvent::Started {
            clock: first,
            pin: pin(1),
            within: WaitLength::Working(hours),
            marks: marks(),
        },
        SlaEvent::Started {
            clock: next,
            pin: pin(2),
            within: WaitLength::Elapsed(hours),
            marks: Marks::default(),
        },
    ];
    events.extend(Status::ALL.map(|status| SlaEvent::Paused { clock: solved, status }));
    events.extend([
        SlaEvent::Resumed {
            clock: solved,
            marks: marks(),
        },
        SlaEvent::Fulfilled { clock: first },
        SlaEvent::Cancelled {
            clock: next,
            why: Cancellation::Resolved,
        },
        SlaEvent::Cancelled {
            clock: solved,
            why: Cancellation::Withdrawn,
        },
        SlaEvent::Warned {
            clock: first,
            at: at(-1),
        },
        SlaEvent::Breached {
            clock: first,
            at: at(1_772_442_000_000_003),
        },
    ]);
    for (why, counting) in [(Why::TicketChanged, Counting::Kept), (Why::Asked, Counting::Afresh)] {
        events.push(SlaEvent::ReEvaluated(Box::new(ReEvaluation {
            clock: solved,
            why,
            counting,
            from: pin(1),
            to: pin(2),
            within: WaitLength::Working(hours),
            before: Marks::default(),
            marks: marks(),
        })));
    }
    events.extend(Notified::ALL.map(|whom| SlaEvent::NoticeDue {
        clock: first,
        whom,
        at: at(1_772_442_000_000_004),
    }));
    events.into_iter().map(|event| Event::Sla(Box::new(event))).collect()
}
