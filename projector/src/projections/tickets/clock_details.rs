//! What the timeline shows of what happens to clocks. Nothing is left out: `GET /v1/tickets/{id}/sla` puts the clocks
//! together again from these.

use domain::calendar::WorkingTime;
use domain::policy::WaitLength;
use domain::sla::{Edition, Marks, Pin, ReEvaluation, SlaEvent};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The event's own fields.
pub(super) fn of_clock(event: &SlaEvent) -> Value {
    let clock = event.clock();
    let mut fields = Fields::default();
    fields.put("target", clock.target.as_str());
    fields.put("number", clock.number);
    match event {
        SlaEvent::Started { pin, within, marks, .. } => {
            fields.pin(pin);
            fields.length(*within);
            fields.marks(*marks);
        }
        SlaEvent::Paused { status, .. } => fields.put("status", status.as_str()),
        SlaEvent::Resumed { marks, .. } => fields.marks(*marks),
        SlaEvent::Fulfilled { .. } => {}
        SlaEvent::Cancelled { why, .. } => fields.put("why", why.as_str()),
        SlaEvent::Warned { at, .. } | SlaEvent::Breached { at, .. } => fields.instant("at", *at),
        SlaEvent::ReEvaluated(change) => fields.re_evaluation(change),
        SlaEvent::NoticeDue { whom, at, .. } => {
            fields.put("whom", whom.as_str());
            fields.instant("at", *at);
        }
    }
    Value::Object(fields.0)
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn instant(&mut self, name: &str, at: Timestamp) {
        self.put(name, at.to_string());
    }

    fn pin(&mut self, pin: &Pin) {
        self.put("policy", edition(&pin.policy));
        self.put("calendar", edition(&pin.calendar));
    }

    fn length(&mut self, within: WaitLength) {
        let time = match within {
            WaitLength::Working(_) => "working",
            WaitLength::Elapsed(_) => "elapsed",
        };
        self.put("within", WorkingTime(within.duration()).to_string());
        self.put("time", time);
    }

    fn marks(&mut self, marks: Marks) {
        if let Some(at) = marks.warn_at {
            self.instant("warn_at", at);
        }
        if let Some(at) = marks.due_at {
            self.instant("due_at", at);
        }
    }

    fn re_evaluation(&mut self, change: &ReEvaluation) {
        let (mut from, mut to) = (Self::default(), Self::default());
        from.pin(&change.from);
        from.marks(change.before);
        to.pin(&change.to);
        to.length(change.within);
        to.marks(change.marks);
        self.put("why", change.why.as_str());
        self.put("counting", change.counting.as_str());
        self.put("from", from.0);
        self.put("to", to.0);
    }
}

fn edition(edition: &Edition) -> Value {
    json!({ "id": edition.id.as_str(), "version": edition.version })
}
